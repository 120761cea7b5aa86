"""One run against one target, from the declarations to the record: what `plan` and `apply` share, and what they do not.

`plan_target` only reads. `apply_target` announces in the record, writes, reads again, and records what it found.
"""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import cached_property

from reconciler import __version__
from reconciler.absences import refresh_proved
from reconciler.accepting import violation
from reconciler.applying import execute, not_kept
from reconciler.audit import Audit
from reconciler.checkout import Checkout
from reconciler.connecting import reader_for, writer_for
from reconciler.decoding import Extensions, unasked, undescribed
from reconciler.errors import InputError, ReconcilerError, RecordTrouble, TargetError
from reconciler.holding import Hold
from reconciler.memory import no_collection
from reconciler.model import (
    Address,
    AppliedState,
    CreateResource,
    DesiredState,
    Diagnostic,
    Json,
    LiveState,
    Plan,
    ResourceType,
    Result,
    Severity,
    Standing,
    Succeeded,
    Violation,
)
from reconciler.planfile import digest
from reconciler.profiles.profile import Profile
from reconciler.project import Project
from reconciler.proving import standings
from reconciler.reconcile import Context, Reconciliation, reconcile
from reconciler.record.repository import GitRepository
from reconciler.recording import LoadedRecord, Record, actor, made_data_folder, record_of
from reconciler.remembering import announce, conclude
from reconciler.settings import Target
from reconciler.settling import settle
from reconciler.transport.client import Reader, Writer
from reconciler.transport.discovery import discovered


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a caller asks for. `drift`: also put right what others changed (a person's own run).

    `all_drift`: only show it, also where the target's policy would put it right. `read`: paths of users that are read
    even if no line speaks of them.
    """

    target: str | None = None
    drift: bool = False
    all_drift: bool = False
    accepted: frozenset[str] = frozenset()
    read: frozenset[str] = frozenset()
    today: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What an apply did. `unverified`: what the server did not keep.

    `troubles`: what went wrong after the first write, in reading again or in recording.
    """

    reconciliation: Reconciliation
    results: tuple[Result, ...] = ()
    unverified: tuple[Diagnostic, ...] = ()
    troubles: tuple[ReconcilerError, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Run:
    """The parts of one run."""

    project: Project
    target: Target
    profile: Profile
    desired: DesiredState
    record: Record
    loaded: LoadedRecord
    options: Options

    @property
    def repository(self) -> GitRepository | None:
        """The repository whose commits an apply of this target records; an embedded target has none."""
        return None if self.target.embedded else self.project.repository

    @cached_property
    def checkout(self) -> Checkout | None:
        """How the checkout stands to the record, where an apply records a commit."""
        if self.repository is None:
            return None
        return Checkout.of(self.project, self.target, self.repository, self.loaded.applied.commit)

    @cached_property
    def stood(self) -> dict[tuple[ResourceType, str], Standing] | None:
        """How git shows those whom only the record still knows; None where it is not kept in git."""
        if self.repository is None:
            return None
        return standings(self.project, self.target, self.repository, self.desired, self.loaded.applied)

    @property
    def commit(self) -> str | None:
        return self.checkout.head if self.checkout else None

    @property
    def extensions(self) -> Extensions:
        """What has to be read beyond what the profile describes."""
        return undescribed(self.desired, self.profile)

    def refresh(self, reader: Reader) -> LiveState:
        """What the target holds, as far as this run needs it."""
        left_out = unasked(self.desired, self.loaded.applied, self.target.policy, self.profile, self.options.read)
        applied = self.loaded.applied
        return refresh_proved(reader, self.profile, applied, extensions=self.extensions, unasked=left_out)

    @classmethod
    @no_collection()
    def open(cls, project: Project, options: Options) -> "_Run":
        target = project.target(options.target)
        desired, profile = project.desired(target, options.today)
        record = record_of(project, target, __version__)
        return cls(
            project=project,
            target=target,
            profile=profile,
            desired=desired,
            record=record,
            loaded=record.load(),
            options=options,
        )

    def knowing(self, reader: Reader) -> "_Run":
        """The same run by what the service provider says it can do."""
        return replace(self, profile=discovered(reader, self.profile))

    def paced(self, reader: Reader) -> "_Run":
        """The same run by the rate of requests that turned out to be allowed."""
        wire, allowed = self.profile.wire, reader.requests_per_minute
        if allowed is None or allowed == wire.requests_per_minute:
            return self
        return replace(self, profile=replace(self.profile, wire=replace(wire, requests_per_minute=allowed)))

    @no_collection()
    def reconcile(
        self,
        live: LiveState,
        applied: AppliedState,
        *,
        violations: Sequence[Violation] = (),
        notices: Sequence[Diagnostic] = (),
    ) -> Reconciliation:
        context = Context(
            target=self.target.name,
            correct_drift=self.options.drift or (self.target.policy.drift_correct and not self.options.all_drift),
            reactivate=self.options.drift,
            violations=tuple(violations),
            accepted=self.options.accepted,
            reviewed=self.project.accepted,
            notices=(*self.loaded.notices, *notices),
            commit=self.commit,
            tool_version=__version__,
            stood=self.stood,
        )
        return reconcile(self.desired, live, applied, self.profile, self.target.policy, context)


def plan_target(project: Project, options: Options) -> Reconciliation:
    """What an apply would do now. Reads only."""
    return _planned(_Run.open(project, options), ())[0]


def plan_against(
    project: Project, options: Options, files: Mapping[str, bytes]
) -> tuple[Reconciliation, Reconciliation | Diagnostic]:
    """The same, and what it would be if these were the declarations; or why they cannot be planned. Reads only once."""
    run = _Run.open(project, options)
    try:
        desired, _ = project.desired_by(run.target, files, options.today)
    except InputError as error:
        return _planned(run, ())[0], error.diagnostics[0]
    planned, other = _planned(run, (desired,))
    return planned, other


def _planned(run: _Run, others: Sequence[DesiredState]) -> list[Reconciliation]:
    """The plan of a run, and that of the same with other declarations."""
    with reader_for(run.project, run.target, run.profile) as reader:
        run = run.knowing(reader)
        live = run.refresh(reader)
        run = run.paced(reader)
    claim = run.loaded.claim
    notices = [*([claim.remark(datetime.now(UTC))] if claim else ()), *(run.checkout.notices() if run.checkout else ())]
    coming = run.project.settings_to_come
    notices += [coming] if coming is not None else []
    planned = run.reconcile(live, run.loaded.applied, notices=notices)
    return [planned, *(replace(run, desired=each).reconcile(live, run.loaded.applied) for each in others)]


def apply_target(
    project: Project,
    options: Options,
    *,
    confirm: Callable[[Reconciliation], bool],
    narrow: Callable[[Reconciliation], Reconciliation] | None = None,
    progress: Callable[[Result], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> Outcome | None:
    """Plan, ask, write, verify, record. None if `confirm` said no.

    `confirm` is shown every plan, also one that breaks a rule or is empty; it is only asked to decide on the others.
    `narrow` comes first: it may leave some of the plan out, or raise what stops the run before anything is written.
    Raises ReconcilerError before the first write only, RecordTrouble if the record cannot be used or moved.
    """
    run = _Run.open(project, options)
    if run.loaded.trouble is not None:
        raise run.loaded.trouble
    violations = _violations(run)
    with writer_for(project, run.target, run.profile) as writer:
        run = run.knowing(writer)
        live = run.refresh(writer)
        run = run.paced(writer)
        now, claim = datetime.now(UTC), run.loaded.claim
        notices = [claim.remark(now)] if claim is not None and not claim.holds(now) else []
        reconciliation = run.reconcile(live, run.loaded.applied, violations=violations, notices=notices)
        reconciliation = reconciliation if narrow is None else narrow(reconciliation)
        if not confirm(reconciliation):
            return None
        plan = reconciliation.plan
        if plan.violations:
            return Outcome(reconciliation=reconciliation)
        if not plan.operations:
            trouble = _remember_nothing_written(run, reconciliation)
            return Outcome(reconciliation=reconciliation, troubles=(trouble,) if trouble else ())
        return _carried_out(run, writer, reconciliation, progress, stop)


def _violations(run: _Run) -> list[Violation]:
    """Rules about the record and the checkout. RecordTrouble where the history does not tell."""
    found: list[Violation] = []
    if run.loaded.lost_on_remote:
        summary = "the record is gone on the remote; this clone has a copy"
        mend = "push the copy back (see the notes)"
        where = run.record.store.describe().partition(" (")[0]
        found.append(violation("record-lost", summary, [where], 0, mend))
    held = run.loaded.claim.refusal(datetime.now(UTC)) if run.loaded.claim else None
    found += [held] if held is not None else []
    return [*found, *(run.checkout.violations() if run.checkout else ())]


def _carried_out(
    run: _Run,
    writer: Writer,
    reconciliation: Reconciliation,
    progress: Callable[[Result], None] | None,
    stop: Callable[[], bool] | None,
) -> Outcome:
    """Announce, write, read again, record. Raises RecordTrouble before the first write; later troubles are told.

    The audit is opened first: once the announcement is out, there is no way back without a word.
    """
    plan = reconciliation.plan
    announced = announce(reconciliation.situation, plan.changes, run.commit)
    audit = Audit.open(made_data_folder(run.project) / "audit" / f"{run.record.run}.jsonl", head=_head(run, plan))
    try:
        claimed = run.record.claim(announced, run.loaded)
    except BaseException:
        audit.close()
        raise
    members = _members(reconciliation.situation.live)
    unverified: tuple[Diagnostic, ...] = ()
    results: list[Result] = []
    # what the record says however this ends: what was announced covers the next run, which looks again
    concluded: AppliedState | None = None
    troubles: list[ReconcilerError | None] = []
    hold = Hold(record=run.record, loaded=claimed)

    def note(result: Result) -> None:
        results.append(result)
        if progress is not None:
            progress(result)
        hold.show(lambda: _with_ids(announced, _created(reconciliation, results)))

    try:
        execute(
            plan.operations,
            writer,
            run.profile,
            audit=audit,
            progress=note,
            stop=lambda: hold.lost is not None or (stop is not None and stop()),
            members=members,
            known=_known_ids(announced),
            live=reconciliation.situation.live.resources,
        )
        if hold.lost is None:
            unverified, concluded = _verified(run, writer, reconciliation, announced, results)
    except TargetError as error:
        unverified = (_not_verified(error),)
    finally:
        # also when something fails that nobody thought of: what was written must not be forgotten
        troubles.append(_closed(audit))
        left = _with_ids(announced, _created(reconciliation, results)) if concluded is None else concluded
        if hold.lost is not None:
            troubles.append(hold.lost)
        else:
            troubles.append(run.record.finish(left, hold.loaded, _report(results)))
    return Outcome(
        reconciliation=reconciliation,
        results=tuple(results),
        unverified=unverified,
        troubles=tuple(each for each in troubles if each is not None),
    )


def _head(run: _Run, plan: Plan) -> dict[str, Json]:
    """The first line of the audit: who set out for what."""
    return {
        "run": run.record.run,
        "actor": actor(),
        "target": plan.target,
        "commit": plan.commit,
        "digest": digest(plan),
        "tool": plan.tool_version,
    }


def _members(live: LiveState) -> dict[str, Collection[str]]:
    """Who was in which group when the plan was made; groups whose members were not read are left out."""
    groups = {group.id: group.items("members") for group in live.of(ResourceType.GROUP)}
    return {group_id: tuple(held) for group_id, held in groups.items() if held is not None}


def _known_ids(applied: AppliedState) -> frozenset[str]:
    """The ids of accounts that are or were ours: a create that gives one of them made nothing new."""
    return frozenset(each.live_id for each in applied.resources.values() if each.live_id is not None)


def _closed(audit: Audit) -> RecordTrouble | None:
    try:
        audit.close()
    except RecordTrouble as trouble:
        return trouble
    return None


def _remember_nothing_written(run: _Run, reconciliation: Reconciliation) -> RecordTrouble | None:
    """Values found in place are ours from now on; a record that would stay as it is is not written again."""
    announced = announce(reconciliation.situation, (), run.commit)
    concluded = conclude(announced, reconciliation.situation, reconciliation.plan.drift, {})
    if concluded == run.loaded.applied and not run.loaded.unfinished:
        return None
    made_data_folder(run.project)
    return run.record.finish(concluded, run.loaded, _report(()))


def _verified(
    run: _Run,
    reader: Reader,
    reconciliation: Reconciliation,
    announced: AppliedState,
    results: Sequence[Result],
) -> tuple[tuple[Diagnostic, ...], AppliedState]:
    """Read again until every write shows, or the provider has had its time; then say what it did not keep."""
    created = _created(reconciliation, results)
    announced = _with_ids(announced, created)
    deadline = time.monotonic() + run.profile.lifecycle.settles_within
    pause = 0.5
    while True:
        live = run.refresh(reader)
        again = run.reconcile(live, announced)
        settled = settle(announced, live, run.profile)
        concluded = conclude(settled, again.situation, again.plan.drift, created)
        left = run.reconcile(live, concluded).plan.changes
        unverified = not_kept(left, reconciliation.plan, results, run.profile)
        if not unverified or time.monotonic() + pause > deadline:
            return unverified, concluded
        time.sleep(pause)
        pause *= 2


def _with_ids(announced: AppliedState, created: Mapping[Address, str]) -> AppliedState:
    """What was announced, with the ids that the server has given meanwhile."""
    entries = {
        address: replace(entry, live_id=created.get(address, entry.live_id))
        for address, entry in announced.resources.items()
    }
    return replace(announced, resources=entries)


def _not_verified(error: TargetError) -> Diagnostic:
    return Diagnostic(
        severity=Severity.ERROR,
        code="not-verified",
        summary=f"the target could not be read again after the writes: {error.summary}",
        mend="run plan: it shows what is in place; what was sent is remembered as announced",
    )


def _created(reconciliation: Reconciliation, results: Sequence[Result]) -> dict[Address, str]:
    ids = {each.number: each.live_id for each in results if isinstance(each, Succeeded)}
    creates = [each for each in reconciliation.plan.operations if isinstance(each, CreateResource)]
    return {each.address: ids[each.number] for each in creates if each.number in ids}


def _report(results: Sequence[Result]) -> dict[str, Json]:
    """The end report that is kept with the record: numbers and outcomes, no values."""
    outcomes: list[Json] = [{"number": each.number, "outcome": type(each).__name__.lower()} for each in results]
    return {"results": outcomes}
