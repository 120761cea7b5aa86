"""Plan, ask, announce, write, read again, record."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial

from msgspec import Struct
from msgspec.structs import replace

from reconciler.absences import denied, with_created
from reconciler.accepting import violation
from reconciler.applying import execute, not_kept
from reconciler.audit import Audit
from reconciler.connecting import writer_for
from reconciler.errors import ReconcilerError, RecordTrouble, TargetError
from reconciler.holding import Hold
from reconciler.model import (
    Action,
    Address,
    AppliedState,
    CreateResource,
    Diagnostic,
    Json,
    LiveState,
    Plan,
    ResourceType,
    Result,
    Severity,
    Succeeded,
    Violation,
)
from reconciler.planfile import digest
from reconciler.project import Project
from reconciler.reconcile import Reconciliation
from reconciler.recording import actor, made_data_folder
from reconciler.remembering import announce, conclude
from reconciler.running.run import Options, Run
from reconciler.settling import settle
from reconciler.transport.client import Reader, Writer


class Outcome(Struct, frozen=True, kw_only=True):
    """What an apply did. `unverified`: what the server did not keep.

    `troubles`: what went wrong after the first write, in reading again or in recording.
    """

    reconciliation: Reconciliation
    results: tuple[Result, ...] = ()
    unverified: tuple[Diagnostic, ...] = ()
    troubles: tuple[ReconcilerError, ...] = ()


def _never() -> bool:
    return False


def apply_target(
    project: Project,
    options: Options,
    *,
    confirm: Callable[[Reconciliation], bool],
    narrow: Callable[[Reconciliation], Reconciliation] | None = None,
    progress: Callable[[Result], None] | None = None,
    stop: Callable[[], bool] = _never,
) -> Outcome | None:
    """Plan, ask, write, verify, record. None if `confirm` said no.

    Once `stop` says yes, what has been sent is finished, and nobody waits for what a server has put off.

    `confirm` is shown every plan, also one that breaks a rule or is empty; it is only asked to decide on the others.
    `narrow` comes first: it may leave some of the plan out, or raise what stops the run before anything is written.
    Raises ReconcilerError before the first write only, RecordTrouble if the record cannot be used or moved.
    """
    run = Run.open(project, options)
    if run.loaded.trouble is not None:
        raise run.loaded.trouble
    violations = _violations(run)
    with writer_for(project, run.target, run.profile) as writer:
        run = run.knowing(writer)
        live = run.refresh(writer)
        run = run.paced(writer)
        now, claim = datetime.now(UTC), run.loaded.claim
        notices = [claim.remark(now)] if claim is not None and not claim.holds(now) else []
        if run.checkout is not None and run.repository is not None:
            notices += run.checkout.beforehand(project, run.repository)
        plan_for = partial(run.reconcile, applied=run.loaded.applied, violations=violations, notices=notices)
        reconciliation = run.proved(writer, live, plan_for)
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


def _violations(run: Run) -> list[Violation]:
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
    run: Run,
    writer: Writer,
    reconciliation: Reconciliation,
    progress: Callable[[Result], None] | None,
    stop: Callable[[], bool],
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
    unverified: tuple[Diagnostic, ...] = ()
    results: list[Result] = []
    # what the record says however this ends: what was announced covers the next run, which looks again
    concluded: AppliedState | None = None
    troubles: list[ReconcilerError | None] = []

    def known_by_now() -> AppliedState:
        return _with_ids(announced, _created(reconciliation, results))

    hold = Hold(record=run.record, loaded=claimed, state=known_by_now, pause=time.sleep, stopped=stop)

    def note(result: Result) -> None:
        results.append(result)
        if progress is not None:
            progress(result)
        hold.ended()

    try:
        _written(run, writer, reconciliation, announced, audit, hold, note)
        if not hold.taken:
            unverified, concluded = _verified(run, writer, reconciliation, announced, results, hold)
    except TargetError as error:
        unverified = (_not_verified(error.summary),)
    finally:
        # also when something fails that nobody thought of: what was written must not be forgotten
        troubles.append(_closed(audit))
        left = known_by_now() if concluded is None else concluded
        troubles.append(hold.lost)
        if not hold.taken:
            troubles.append(run.record.finish(left, hold.loaded, _report(plan, results)))
    return Outcome(
        reconciliation=reconciliation,
        results=tuple(results),
        unverified=unverified,
        troubles=tuple(each for each in troubles if each is not None),
    )


def _written(
    run: Run,
    writer: Writer,
    reconciliation: Reconciliation,
    announced: AppliedState,
    audit: Audit,
    hold: Hold,
    note: Callable[[Result], None],
) -> None:
    """Send everything, as long as the record is held and nobody asks for an end; `note` is told each result."""
    live = reconciliation.situation.live
    writer.take_turns(hold)
    execute(
        reconciliation.plan.operations,
        writer,
        run.profile,
        audit=audit,
        progress=note,
        stop=lambda: hold.lost is not None or hold.stopped(),
        members=_members(live),
        sleep=hold.sleep,
        known=_known_ids(announced),
        live=live.resources,
        # the embedded provider answers in this process: there is nothing to wait for
        at_once=1 if run.target.embedded else run.target.writes_at_once,
    )


def _head(run: Run, plan: Plan) -> dict[str, Json]:
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


def _remember_nothing_written(run: Run, reconciliation: Reconciliation) -> RecordTrouble | None:
    """Values found in place are ours from now on; a record that would stay as it is is not written again."""
    announced = announce(reconciliation.situation, (), run.commit)
    concluded = conclude(announced, reconciliation.situation, reconciliation.plan.drift, {})
    if concluded == run.loaded.applied and not run.loaded.unfinished:
        return None
    made_data_folder(run.project)
    return run.record.finish(concluded, run.loaded, _report(reconciliation.plan, ()))


def _verified(
    run: Run,
    reader: Reader,
    reconciliation: Reconciliation,
    announced: AppliedState,
    results: Sequence[Result],
    hold: Hold,
) -> tuple[tuple[Diagnostic, ...], AppliedState]:
    """Read again until every write shows, or the provider has had its time; then say what it did not keep."""
    created = _created(reconciliation, results)
    deadline = time.monotonic() + run.profile.lifecycle.settles_within
    pause = 0.5
    before = reconciliation.situation.live
    unlisted = {each: before.resources[each].resource_type for each in before.unlisted}
    made = {live_id: address.resource_type for address, live_id in created.items()}
    while True:
        live, nowhere = with_created(reader, run.profile, run.refresh(reader, unlisted), made, run.extensions)
        kept = {address: live_id for address, live_id in created.items() if live_id not in nowhere}
        # who is not there was not made, whatever was answered: that she comes is still announced
        known = _with_ids(announced, kept)
        again = run.reconcile(live, known)
        settled = settle(known, live, run.profile)
        concluded = conclude(settled, again.situation, again.plan.drift, kept)
        left = run.reconcile(live, concluded).plan.changes
        going = {each.live_id: each.address.resource_type for each in left if Action.DELETE in each.actions}
        gone = denied(reader, run.profile, {each: kind for each, kind in going.items() if each is not None})
        left = tuple(each for each in left if each.live_id not in gone)
        unverified = not_kept(left, reconciliation.plan, results, run.profile)
        if not unverified or time.monotonic() + pause > deadline:
            return unverified, concluded
        if hold.stopped():
            return (_not_verified("the run was stopped before all that was written showed"),), concluded
        hold.sleep(pause)
        pause *= 2


def _with_ids(announced: AppliedState, created: Mapping[Address, str]) -> AppliedState:
    """What was announced, with the ids that the server has given meanwhile."""
    entries = {
        address: replace(entry, live_id=created.get(address, entry.live_id))
        for address, entry in announced.resources.items()
    }
    return replace(announced, resources=entries)


def _not_verified(why: str) -> Diagnostic:
    return Diagnostic(
        severity=Severity.ERROR,
        code="not-verified",
        summary=f"the target could not be read again after the writes: {why}",
        mend="run plan: it shows what is in place; what was sent is remembered as announced",
    )


def _created(reconciliation: Reconciliation, results: Sequence[Result]) -> dict[Address, str]:
    ids = {each.number: each.live_id for each in results if isinstance(each, Succeeded)}
    creates = [each for each in reconciliation.plan.operations if isinstance(each, CreateResource)]
    return {each.address: ids[each.number] for each in creates if each.number in ids}


def _report(plan: Plan, results: Sequence[Result]) -> dict[str, Json]:
    """The end report that is kept with the record: who, and what came of it; no values."""
    addresses = {each.number: str(each.address) for each in plan.operations}
    outcomes: list[Json] = [
        {"number": each.number, "address": addresses[each.number], "outcome": type(each).__name__.lower()}
        for each in results
    ]
    return {"results": outcomes}
