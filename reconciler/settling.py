"""Before anything is compared: what an earlier apply announced and the server now shows did arrive.

`settle` turns pending (P) into applied (A) where live equals it. P stays readable, as "announced before".
Pure: takes the record and the live state, gives a record.
"""

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from reconciler.model import (
    Address,
    AppliedItem,
    AppliedList,
    AppliedResource,
    AppliedState,
    LiveResource,
    LiveState,
    Pending,
    is_known,
    known_after_apply,
)
from reconciler.profiles.profile import Profile
from reconciler.situation import accounts_called, index_names


def settle(applied: AppliedState, live: LiveState, profile: Profile) -> AppliedState:
    """The record with every announced value that is in place counted as brought about.

    An announced deletion that live shows done is over: the entry is gone, and somebody declared again is new.
    """
    resources = {
        address: entry
        for address, entry in applied.resources.items()
        if not (entry.pending.delete and entry.live_id not in live.resources)
    }
    given = _find_unanswered(resources, live, profile)
    for address, entry in resources.items():
        resource = live.resources.get(entry.live_id) if entry.live_id else None
        if entry.pending:
            resources[address] = entry = _with_ids(entry, given)
        if entry.pending and resource is not None:
            resources[address] = settle_entry(entry, resource, profile)
    return replace(applied, resources=resources)


def _find_unanswered(resources: dict[Address, AppliedResource], live: LiveState, profile: Profile) -> dict[str, str]:
    """Give every unanswered create the account it made; the ids that were to come -> the ids that came.

    A create may refer to another one's account (`manager`), so what is found helps to find more.
    """
    unanswered = _Unanswered(live, profile, {entry.live_id for entry in resources.values() if entry.live_id})
    while True:
        given = {known_after_apply(each): entry.live_id for each, entry in resources.items() if entry.live_id}
        found = {
            address: replace(entry, live_id=account.id)
            for address, entry in resources.items()
            if entry.live_id is None and (account := unanswered.account_of(_with_ids(entry, given))) is not None
        }
        if not found:
            return given
        resources.update(found)


def _with_ids(entry: AppliedResource, given: Mapping[str, str]) -> AppliedResource:
    """Members and managers that were announced before they had an id, by the id they have now."""
    pending = entry.pending
    give = {name: {given.get(item, item): how for item, how in items.items()} for name, items in pending.give.items()}
    values = {
        path: given.get(value, value) if isinstance(value, str) and not is_known(value) else value
        for path, value in pending.values.items()
    }
    return replace(entry, pending=replace(pending, give=give, values=values))


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
        self._held = held
        self._index = index_names(live)

    def account_of(self, entry: AppliedResource) -> LiveResource | None:
        """The one account that holds everything the create sent."""
        called = accounts_called(entry, self._index)
        alike = [each for each in called if each.id not in self._held and self._holds(each, entry.pending)]
        return alike[0] if len(alike) == 1 else None

    def _holds(self, resource: LiveResource, sent: Pending) -> bool:
        rules = self._profile.rules(resource.resource_type)
        if not all(rules.in_place(resource, path, value) for path, value in sent.values.items()):
            return False
        names: Iterable[tuple[str, Mapping[str, AppliedItem]]] = sent.give.items()
        # a group is created empty; its members come by requests of their own
        return all(set(items) <= set(resource.items(name) or ()) for name, items in names if name != "members")
