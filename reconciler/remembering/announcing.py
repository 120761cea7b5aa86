"""The record before the first write: what a run is about to do, under the entries of the accounts it will do it to."""

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from reconciler.diffing.activity import ACTIVE, wish_of
from reconciler.model import (
    Action,
    Address,
    AppliedItem,
    AppliedList,
    AppliedResource,
    AppliedState,
    AttributeChange,
    Change,
    DesiredResource,
    Paired,
    PatchOp,
    Pending,
    Value,
)
from reconciler.profiles.profile import AttributeRules
from reconciler.remembering.declared import source_of
from reconciler.scim.attributes import Attribute, Kind
from reconciler.scim.paths import level_path
from reconciler.situation import Situation, released_ids


def announce(situation: Situation, changes: Iterable[Change], commit: str | None) -> AppliedState:
    """The record before the first write: every planned change as pending, new list modes, moved entries.

    What was released is let go of here, entry and claims alike: after this nobody could tell any more whose they were.
    """
    resources = _carried(situation, commit)
    for change in changes:
        wanted = situation.desired.resources.get(change.address)
        resources[change.address] = _announced(situation, change, wanted, resources.get(change.address), commit)
    return replace(situation.applied, commit=commit, resources=resources, exists=True)


def _carried(situation: Situation, commit: str | None) -> dict[Address, AppliedResource]:
    """The settled entries under the keys they now have: a changed key takes its entry along; released ones are gone.

    An entry with a new key names the commit that declares it so: no earlier one does.
    """
    desired, entries = situation.desired.resources, situation.matches.entries
    spelled = {address.folded: address for address in desired}
    released = {address.folded for address in situation.desired.released} - spelled.keys()
    lost = released_ids(situation)
    moved = {entry.address for entry in entries.values()}
    resources: dict[Address, AppliedResource] = {}
    for address, entry in situation.applied.resources.items():
        if address not in moved and address.folded not in released:
            address = spelled.get(address.folded, address)
            resources[address] = replace(_let_go(entry, lost, situation), address=address)
    for address, entry in entries.items():
        source = entry.source if entry.address.folded == address.folded else commit
        kept = replace(_let_go(entry, lost, situation), address=address, source=source)
        if isinstance(situation.matches.by_address[address], Paired):
            kept = replace(kept, lists=_with_modes(kept.lists, desired[address]))
        resources[address] = kept
    return resources


def _let_go(entry: AppliedResource, released: frozenset[str], situation: Situation) -> AppliedResource:
    """An entry without claims on anybody released."""
    if not released:
        return entry
    lists, give, take = dict(entry.lists), dict(entry.pending.give), dict(entry.pending.take)
    for attribute in situation.profile.rules(entry.address.resource_type).table.lists:
        name = attribute.name
        if attribute.kind is Kind.MEMBERS and name in lists:
            items = {item: how for item, how in lists[name].items.items() if item not in released}
            lists[name] = replace(lists[name], items=items)
        if attribute.kind is Kind.MEMBERS:
            give[name] = {item: how for item, how in give.get(name, {}).items() if item not in released}
            take[name] = take.get(name, frozenset()) - released
    pending = replace(
        entry.pending,
        give={name: items for name, items in give.items() if items},
        take={name: items for name, items in take.items() if items},
    )
    return replace(entry, lists=lists, pending=pending)


def _with_modes(lists: Mapping[str, AppliedList], wanted: DesiredResource) -> dict[str, AppliedList]:
    """The lists as they are declared now, announced before anything is done: what others add from here on is drift."""
    modes = {name: wanted.lists[name].mode if name in wanted.lists else None for name in {*lists, *wanted.lists}}
    return {name: replace(lists.get(name, AppliedList()), mode=mode) for name, mode in modes.items()}


def _announced(
    situation: Situation,
    change: Change,
    wanted: DesiredResource | None,
    known: AppliedResource | None,
    commit: str | None,
) -> AppliedResource:
    """The entry of one resource that changes."""
    rules = situation.profile.rules(change.address.resource_type)
    if known is None or known.live_id != change.live_id or Action.CREATE in change.actions or known.seen:
        # an entry of another account, or of one that is gone, says nothing about this one
        known = AppliedResource(address=change.address, live_id=change.live_id, source=commit)
    pending = _pending(known.pending, change, rules, leaving=wanted is None)
    if wanted is None:
        return replace(known, pending=pending)
    found = situation.live.resources.get(change.live_id or "")
    return replace(
        known,
        source=source_of(wanted, found, rules, known.source, commit),
        values={**known.values, **_kept_true(situation, wanted, change.live_id)},
        lists=_with_modes(known.lists, wanted),
        pending=pending,
    )


def _kept_true(situation: Situation, wanted: DesiredResource, live_id: str | None) -> dict[str, Value]:
    """A = true where `active` is drift because nothing proves a new line: with an entry it would look like one."""
    found = situation.live.resources.get(live_id or "")
    entry = situation.matches.entries.get(wanted.address)
    if found is None or found.active or not wish_of(wanted.lifecycle, entry).active:
        return {}
    unproved = not situation.applied.whole or (entry is None and not situation.is_new(wanted.address))
    return {ACTIVE: True} if unproved else {}


def _pending(pending: Pending, change: Change, rules: AttributeRules, *, leaving: bool) -> Pending:
    values = dict(pending.values)
    give = {name: dict(items) for name, items in pending.give.items()}
    take = {name: set(items) for name, items in pending.take.items()}
    lists = {each.path: each for each in rules.table.lists}
    for each in change.attribute_changes:
        if each.item is None:
            values[each.path] = each.after
        else:
            _announce_item(each, lists[each.path], values, give, take)
    return Pending(
        values=values,
        give={name: items for name, items in give.items() if items},
        take={name: frozenset(items) for name, items in take.items() if items},
        delete=Action.DELETE in change.actions,
        leaving=leaving and (pending.leaving or Action.DEACTIVATE in change.actions),
    )


def _announce_item(
    change: AttributeChange,
    attribute: Attribute,
    values: dict[str, Value],
    give: dict[str, dict[str, AppliedItem]],
    take: dict[str, set[str]],
) -> None:
    item = str(change.item)
    given, taken = give.setdefault(attribute.name, {}), take.setdefault(attribute.name, set())
    if change.op is PatchOp.REMOVE:
        taken.add(item)
        given.pop(item, None)
        return
    given[item] = AppliedItem(until=change.until)
    taken.discard(item)
    if change.after is not None:
        values[level_path(attribute, item)] = change.after
