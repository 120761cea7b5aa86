"""Reads again what was written, until it shows or the provider has had its time: an answer of yes proves nothing."""

import time
from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from reconciler.absences import denied, with_created
from reconciler.applying import not_kept
from reconciler.holding import Hold
from reconciler.model import (
    Action,
    Address,
    AppliedState,
    CreateResource,
    DeleteResource,
    Diagnostic,
    Plan,
    ResourceType,
    Result,
    Severity,
    Succeeded,
)
from reconciler.reconcile import Reconciliation
from reconciler.remembering import conclude
from reconciler.running.run import Run
from reconciler.settling import settle
from reconciler.transport.client import Reader


def verified(
    run: Run,
    reader: Reader,
    reconciliation: Reconciliation,
    announced: AppliedState,
    results: Sequence[Result],
    hold: Hold,
) -> tuple[tuple[Diagnostic, ...], AppliedState]:
    """Read again until every write shows, or the provider has had its time; then say what it did not keep."""
    created = created_ids(reconciliation, results)
    deadline = time.monotonic() + run.profile.lifecycle.settles_within
    pause = 0.5
    before = reconciliation.situation.live
    unlisted = {each: before.resources[each].resource_type for each in before.unlisted}
    made = {live_id: address.resource_type for address, live_id in created.items()}
    deleted = _deleted(reconciliation.plan, results)
    while True:
        live, nowhere = with_created(reader, run.profile, run.refresh(reader, unlisted), made, run.extensions)
        kept = {address: live_id for address, live_id in created.items() if live_id not in nowhere}
        # who is not there was not made, whatever was answered: that she comes is still announced
        known = with_ids(announced, kept)
        again = run.reconcile(live, known)
        settled = settle(known, live, run.profile)
        concluded = conclude(settled, again.situation, again.plan.drift, kept)
        left = run.reconcile(live, concluded).plan.changes
        still = {each.live_id for each in left if Action.DELETE in each.actions}
        gone = denied(reader, run.profile, {each: kind for each, kind in deleted.items() if each in still})
        left = tuple(each for each in left if each.live_id not in gone)
        unverified = not_kept(left, reconciliation.plan, results, run.profile)
        if not unverified or time.monotonic() + pause > deadline:
            return unverified, concluded
        if hold.stopped():
            return (not_verified("the run was stopped before all that was written showed"),), concluded
        hold.sleep(pause)
        pause *= 2


def _deleted(plan: Plan, results: Sequence[Result]) -> dict[str, ResourceType]:
    """Whom the server said that it has deleted, by id."""
    done = {each.number for each in results if isinstance(each, Succeeded)}
    deletions = (each for each in plan.operations if isinstance(each, DeleteResource) and each.number in done)
    return {each.live_id: each.address.resource_type for each in deletions}


def with_ids(announced: AppliedState, created: Mapping[Address, str]) -> AppliedState:
    """What was announced, with the ids that the server has given meanwhile."""
    entries = {
        address: replace(entry, live_id=created.get(address, entry.live_id))
        for address, entry in announced.resources.items()
    }
    return replace(announced, resources=entries)


def not_verified(why: str) -> Diagnostic:
    """Nobody has seen, or not to the end, what became of the writes."""
    return Diagnostic(
        severity=Severity.ERROR,
        code="not-verified",
        summary=why,
        mend="run plan: it shows what is in place; what was sent is remembered as announced",
    )


def created_ids(reconciliation: Reconciliation, results: Sequence[Result]) -> dict[Address, str]:
    """The ids that the server has given to what was created."""
    ids = {each.number: each.live_id for each in results if isinstance(each, Succeeded)}
    creates = [each for each in reconciliation.plan.operations if isinstance(each, CreateResource)]
    return {each.address: ids[each.number] for each in creates if each.number in ids}
