"""Before anything is compared: what an earlier apply announced and the server now shows did arrive.

`settle` turns pending (P) into applied (A) where live equals it. P stays readable, as "announced before".
Pure: takes the record and the live state, gives a record.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from reconciler.model import (
    AppliedItem,
    AppliedList,
    AppliedResource,
    AppliedState,
    LiveResource,
    LiveState,
    Pending,
    ResourceType,
    known_after_apply,
)
from reconciler.profiles.profile import Profile
from reconciler.scim.attributes import name_path


def settle(applied: AppliedState, live: LiveState, profile: Profile) -> AppliedState:
    """The record with every announced value that is in place counted as brought about."""
    held = {entry.live_id for entry in applied.resources.values() if entry.live_id}
    unanswered = _Unanswered(live, profile, held)
    resources = {}
    for address, entry in applied.resources.items():
        if entry.live_id is None and entry.pending:
            found = unanswered.account_of(entry)
            entry = replace(entry, live_id=found.id) if found else entry
        resources[address] = entry
    given = {known_after_apply(address): entry.live_id for address, entry in resources.items() if entry.live_id}
    for address, entry in resources.items():
        resource = live.resources.get(entry.live_id) if entry.live_id else None
        if entry.pending and resource is not None:
            resources[address] = settle_entry(_with_ids(entry, given), resource, profile)
    return replace(applied, resources=resources)


def _with_ids(entry: AppliedResource, given: Mapping[str, str]) -> AppliedResource:
    """Members that were announced before they had an id, by the id they have now."""
    give = {
        name: {given.get(item, item): how for item, how in items.items()} for name, items in entry.pending.give.items()
    }
    return replace(entry, pending=replace(entry.pending, give=give))


def settle_entry(entry: AppliedResource, resource: LiveResource, profile: Profile) -> AppliedResource:
    """One entry against the account it names."""
    rules = profile.rules(resource.resource_type)
    arrived = {path: value for path, value in entry.pending.values.items() if rules.in_place(resource, path, value)}
    lists = {
        name: _settled_list(entry.lists.get(name, AppliedList()), entry.pending, name, resource)
        for name in {*entry.lists, *entry.pending.give, *entry.pending.take}
    }
    return replace(entry, values={**entry.values, **arrived}, lists=lists)


def _settled_list(applied: AppliedList, pending: Pending, name: str, resource: LiveResource) -> AppliedList:
    held = resource.items(name)
    if held is None:
        return applied
    items: dict[str, AppliedItem] = dict(applied.items)
    items |= {item: how for item, how in pending.give.get(name, {}).items() if item in held}
    for item in pending.take.get(name, frozenset()):
        if item not in held:
            items.pop(item, None)
    return replace(applied, items=items)


class _Unanswered:
    """Looks for accounts that a create without an answer may have made."""

    def __init__(self, live: LiveState, profile: Profile, held: set[str]) -> None:
        self._profile = profile
        self._by_name: dict[tuple[ResourceType, str], list[LiveResource]] = {}
        for resource in live.resources.values():
            if resource.id not in held:
                self._by_name.setdefault((resource.resource_type, resource.name.casefold()), []).append(resource)

    def account_of(self, entry: AppliedResource) -> LiveResource | None:
        """The one account that holds everything the create sent."""
        sent = entry.pending.values.get(name_path(entry.address.resource_type))
        if not isinstance(sent, str):
            return None
        candidates = self._by_name.get((entry.address.resource_type, sent.casefold()), [])
        alike = [each for each in candidates if self._holds(each, entry.pending)]
        return alike[0] if len(alike) == 1 else None

    def _holds(self, resource: LiveResource, sent: Pending) -> bool:
        rules = self._profile.rules(resource.resource_type)
        if not all(rules.in_place(resource, path, value) for path, value in sent.values.items()):
            return False
        names: Iterable[tuple[str, Mapping[str, AppliedItem]]] = sent.give.items()
        # a group is created empty; its members come by requests of their own
        return all(set(items) <= set(resource.items(name) or ()) for name, items in names if name != "members")
