"""The record after verification: which entries stay, and under which address."""

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from reconciler.diffing.ground import is_over
from reconciler.diffing.leaving import something_is_left
from reconciler.diffing.references import References
from reconciler.model import (
    Address,
    Ambiguous,
    AppliedResource,
    AppliedState,
    Change,
    Paired,
    Pending,
)
from reconciler.remembering.declared import Verified
from reconciler.situation import Situation, accounts_called, index_names


def conclude(
    announced: AppliedState, after: Situation, drift: Iterable[Change], created: Mapping[Address, str]
) -> AppliedState:
    """The record after verification. `after`: the same declarations against what the server then showed.

    `drift`: what the plan left to others. `created`: ids that creates were answered with.
    """
    left = {change.address: change for change in drift}
    references = References(after.matches, after.live)
    known = {address.folded: entry for address, entry in announced.resources.items()}
    resources: dict[Address, AppliedResource] = {}
    for address, wanted in after.desired.resources.items():
        entry = known.get(address.folded)
        if entry is not None and entry.live_id is None:
            entry = replace(entry, live_id=created.get(address))
        match after.matches.by_address[address]:
            case Paired(live_id=live_id):
                verified = Verified(
                    wanted=wanted,
                    found=after.live.resources[live_id],
                    left=left.get(address),
                    references=references,
                    after=after,
                    whole=announced.whole,
                    commit=announced.commit,
                )
                resources[address] = _as_it_was(entry, verified.entry(entry))
            case Ambiguous():
                kept = entry or _seen(address, announced)
                resources |= {address: replace(kept, address=address)} if kept is not None else {}
            case _ if is_over(wanted) and (entry is None or entry.pending.delete):
                # whoever bears her login from here on came after her, and is not deleted for it
                resources[address] = _without_account(address, announced)
            case _ if entry is not None and not entry.pending.delete:
                lost = entry.live_id is not None and address not in created
                resources[address] = replace(entry, address=address, pending=Pending() if lost else entry.pending)
    resources |= _still_there(announced, after, {entry.live_id for entry in resources.values()})
    return replace(announced, whole=True, resources=dict(sorted(resources.items())))


def _as_it_was(before: AppliedResource | None, now: AppliedResource) -> AppliedResource:
    """An entry that says what it said keeps the commit that it names: a record changes only where something did."""
    return before if before is not None and replace(now, source=before.source) == before else now


def _seen(address: Address, announced: AppliedState) -> AppliedResource | None:
    """Without a whole record, somebody who cannot be told must not look new later."""
    return None if announced.whole else _without_account(address, announced)


def _without_account(address: Address, announced: AppliedState) -> AppliedResource:
    return AppliedResource(address=address, live_id=None, source=announced.commit, seen=True)


def _still_there(
    announced: AppliedState, after: Situation, declared: set[str | None]
) -> dict[Address, AppliedResource]:
    """The entries of what is no longer declared, as long as something of ours is left on it."""
    settled = {address.folded for address in (*after.desired.resources, *after.desired.released)}
    names = index_names(after.live)
    kept: dict[Address, AppliedResource] = {}
    for address, entry in announced.resources.items():
        if address.folded in settled or (entry.live_id is not None and entry.live_id in declared):
            continue
        if entry.live_id is None:
            strangers = [each for each in accounts_called(entry, names) if each.id not in declared]
            kept |= {address: entry} if strangers else {}
        elif something_is_left(entry, entry.live_id, after):
            kept[address] = entry
    return kept
