"""Whether the policy will still know those whom it names: a rename or another key takes a guard away without a word.

The policy names people and groups by key, login or display name. Pure.
"""

from collections.abc import Collection, Iterable, Sequence

from reconciler.model import Change, ResourceType, without_case
from reconciler.scim.attributes import name_path
from reconciler.situation import Situation, protected_ids


def unguarded(situation: Situation, changes: Sequence[Change]) -> list[str]:
    """The addresses that `policy.protect` names now and would not after these changes, by key or by name."""
    return _losing_their_names(protected_ids(situation), situation.policy.protect, changes, situation)


def unguarded_groups(
    groups: Iterable[str], names: Collection[str], changes: Sequence[Change], situation: Situation
) -> list[str]:
    """The same for some groups that the policy names, with or without ``group.`` before the name: their addresses."""
    addresses = situation.matches.address_of
    declared = (each for each in groups if each in addresses and addresses[each].resource_type is ResourceType.GROUP)
    return _losing_their_names(
        declared, [without_case(each).removeprefix("group.") for each in names], changes, situation
    )


def _losing_their_names(
    ids: Iterable[str], names: Collection[str], changes: Sequence[Change], situation: Situation
) -> list[str]:
    """The addresses of declared users and groups who will be called nothing of `names`, with a type or without."""
    listed = {without_case(each) for each in names}
    to_be = {
        change.address: str(each.after)
        for change in changes
        for each in change.attribute_changes
        if each.path == name_path(change.address.resource_type)
    }
    found = []
    for live_id in ids:
        address = situation.matches.address_of.get(live_id)
        if address is not None:
            name = to_be.get(address, situation.live.resources[live_id].name)
            called = {str(address), address.key, name, f"{address.resource_type}.{name}"}
            if listed.isdisjoint(map(without_case, called)):
                found.append(str(address))
    return sorted(found)
