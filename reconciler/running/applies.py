"""Plan, ask, announce, write, read again, record."""

import time
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from functools import partial

from msgspec import Struct

from reconciler.accepting import violation
from reconciler.applying import execute
from reconciler.audit import Audit
from reconciler.connecting import writer_for
from reconciler.errors import ReconcilerError, RecordTrouble, TargetError
from reconciler.holding import Hold
from reconciler.model import (
    AppliedState,
    Diagnostic,
    Json,
    LiveState,
    Plan,
    ResourceType,
    Result,
    Violation,
)
from reconciler.planfile import digest
from reconciler.project import Project
from reconciler.reconcile import Reconciliation
from reconciler.recording import actor, made_data_folder
from reconciler.remembering import announce, conclude
from reconciler.running.run import Options, Run
from reconciler.running.verifying import created_ids, not_verified, verified, with_ids
from reconciler.transport.client import Writer


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
        return with_ids(announced, created_ids(reconciliation, results))

    hold = Hold(record=run.record, loaded=claimed, state=known_by_now, pause=time.sleep, stopped=stop)

    def note(result: Result) -> None:
        results.append(result)
        if progress is not None:
            progress(result)
        hold.ended()

    try:
        _written(run, writer, reconciliation, announced, audit, hold, note)
        if not hold.taken:
            unverified, concluded = verified(run, writer, reconciliation, announced, results, hold)
    except TargetError as error:
        unverified = (not_verified(f"the target could not be read again after the writes: {error.summary}"),)
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


def _report(plan: Plan, results: Sequence[Result]) -> dict[str, Json]:
    """The end report that is kept with the record: who, and what came of it; no values."""
    addresses = {each.number: str(each.address) for each in plan.operations}
    outcomes: list[Json] = [
        {"number": each.number, "address": addresses[each.number], "outcome": type(each).__name__.lower()}
        for each in results
    ]
    return {"results": outcomes}
