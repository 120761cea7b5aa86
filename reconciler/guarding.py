"""Whether the policy will still know those whom it names: a rename or another key takes a guard away without a word.

The policy names people and groups by key, login or display name. Pure.
"""

from collections.abc import Collection, Sequence

from reconciler.model import Change, ResourceType, without_case
from reconciler.scim.attributes import name_path
from reconciler.situation import Situation, protected_ids


def unguarded(situation: Situation, changes: Sequence[Change]) -> list[str]:
    """The addresses that `policy.protect` names now and would not after these changes, by key or by name."""
    listed = {without_case(each) for each in situation.policy.protect}
    return sorted(
        str(situation.matches.address_of[each])
        for each in protected_ids(situation)
        if loses_its_name(each, listed, changes, situation)
    )


def loses_its_name(live_id: str, listed: Collection[str], changes: Sequence[Change], situation: Situation) -> bool:
    """Whether a declared user or group will be called nothing that is listed (without case, with a type or without)."""
    address = situation.matches.address_of.get(live_id)
    if address is None:
        return False
    path = name_path(address.resource_type)
    own = (one for each in changes if each.address == address for one in each.attribute_changes)
    name = str(next((each.after for each in own if each.path == path), situation.live.resources[live_id].name))
    kind = address.resource_type
    called = {str(address), address.key, name, f"{kind}.{name}"}
    return not any(without_case(each) in listed for each in called)


def unguarded_groups(
    groups: Collection[str], names: Collection[str], changes: Sequence[Change], situation: Situation
) -> list[str]:
    """The same for some groups that the policy names, with or without ``group.`` before the name: their addresses."""
    listed = {without_case(each).removeprefix("group.") for each in names}
    addresses = situation.matches.address_of
    return sorted(
        str(addresses[each])
        for each in groups
        if each in addresses
        and addresses[each].resource_type is ResourceType.GROUP
        and loses_its_name(each, listed, changes, situation)
    )
