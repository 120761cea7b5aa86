"""What a comparison looks at: the three states of a target, what was matched, and the rules that hold there."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import TypeAlias

from msgspec import Struct

from reconciler.model import (
    BULK_ID,
    Address,
    AppliedResource,
    AppliedState,
    DesiredState,
    LiveResource,
    LiveState,
    Matches,
    Paired,
    Policy,
    Removal,
    ResourceType,
    Standing,
    is_known,
    without_case,
)
from reconciler.profiles.profile import Profile
from reconciler.scim.attributes import name_path


class Situation(Struct, frozen=True, kw_only=True, dict=True):
    """Desired, live and applied (settled) of one target, with `matches` between them.

    `stood`: folded address -> how git shows that it was declared once; None where the record is not kept in git.
    """

    desired: DesiredState
    live: LiveState
    applied: AppliedState
    matches: Matches
    profile: Profile
    policy: Policy
    stood: Mapping[tuple[ResourceType, str], Standing] | None = None

    @cached_property
    def _recorded(self) -> frozenset[tuple[ResourceType, str]]:
        return frozenset(each.folded for each in self.applied.resources)

    def removal(self, resource_type: ResourceType) -> Removal:
        """What becomes of a resource that is ours and no longer declared, as far as the provider can."""
        if resource_type is ResourceType.USER:
            return self.policy.removal_users
        return self.policy.removal_groups if self.profile.lifecycle.group_delete else Removal.KEEP

    def is_new(self, address: Address) -> bool:
        """Whether a declared account is new: nothing is known of it although the record is whole."""
        match = self.matches.by_address.get(address)
        found = isinstance(match, Paired) and match.by == "name" and address not in self.matches.entries
        return found and self.applied.whole and address.folded not in self._recorded


NameIndex: TypeAlias = Mapping[tuple[ResourceType, str], Sequence[LiveResource]]
"""Resource type and name without case -> the live resources that bear it."""


def index_names(live: LiveState) -> NameIndex:
    """Who is called what on the server, whatever the case."""
    index: dict[tuple[ResourceType, str], list[LiveResource]] = {}
    for resource in live.resources.values():
        index.setdefault((resource.resource_type, without_case(resource.name)), []).append(resource)
    return index


def accounts_called(entry: AppliedResource, index: NameIndex) -> Sequence[LiveResource]:
    """The live resources that bear the name which an unanswered create sent, in any case."""
    sent = entry.pending.values.get(name_path(entry.address.resource_type))
    if entry.live_id is not None or not isinstance(sent, str):
        return ()
    return index.get((entry.address.resource_type, without_case(sent)), ())


def released_ids(situation: Situation) -> frozenset[str]:
    """The live ids of those whom the declarations let go, unless they are declared again under another key."""
    released = {each.folded for each in situation.desired.released}
    entries = situation.applied.resources.items()
    gone = {entry.live_id for address, entry in entries if address.folded in released and entry.live_id}
    return frozenset(gone - situation.matches.address_of.keys())


def protected_ids(situation: Situation) -> frozenset[str]:
    """The live ids of people and groups that `policy.protect` names: by address, key, login or display name."""
    names = {without_case(each) for each in situation.policy.protect}
    if not names:
        return frozenset()
    return frozenset(
        live_id
        for live_id, found in situation.live.resources.items()
        if names & _names_of(found, situation.matches.address_of.get(live_id))
    ) | frozenset(
        entry.live_id
        for address, entry in situation.applied.resources.items()
        if entry.live_id and names & {without_case(str(address)), without_case(address.key)}
    )


def names_of(ids: Iterable[str], situation: Situation) -> dict[str, tuple[str, str]]:
    """Key (or login) and display name of ids, as far as anybody knows them."""
    keys = {entry.live_id: address for address, entry in situation.applied.resources.items() if entry.live_id}
    keys |= situation.matches.address_of
    return {each: name for each in ids if (name := _known_as(each, keys, situation)) is not None}


def _known_as(resource_id: str, keys: Mapping[str, Address], situation: Situation) -> tuple[str, str] | None:
    """How people know it: by the key it has or had, and by the display name it is about to have, if it can have it."""
    address = keys.get(resource_id)
    if not is_known(resource_id):
        address = Address.parse(resource_id.removeprefix(BULK_ID))
    wanted = situation.desired.resources.get(address) if address else None
    found = situation.live.resources.get(resource_id)
    renamed = found is None or found.resource_type is ResourceType.USER or situation.profile.lifecycle.group_rename
    shown = wanted.attributes.get("displayName") if wanted and renamed else None
    if found is None:
        return (address.key, str(shown or "")) if address else None
    return (address.key if address else found.name, str(shown or found.attributes.get("displayName", "")))


def _names_of(found: LiveResource, address: Address | None) -> set[str]:
    names = {found.name, f"{found.resource_type}.{found.name}"}
    if address is not None:
        names |= {str(address), address.key}
    return {without_case(each) for each in names}


def name_of(live_id: str, situation: Situation) -> str:
    """What it is called on the server, or will be: the same before and after it is created."""
    found = situation.live.resources.get(live_id)
    if found is not None or is_known(live_id):
        return found.name if found else live_id
    address = Address.parse(live_id.removeprefix(BULK_ID))
    return str(situation.desired.resources[address].attributes.get(name_path(address.resource_type), address))


def group_label(group: str, situation: Situation) -> str:
    """The address of a group that is declared or ours, by its id; else its name."""
    if not is_known(group):
        return group.removeprefix(BULK_ID)
    address = situation.matches.address_of.get(group)
    known = (entry.address for entry in situation.applied.resources.values() if entry.live_id == group)
    return str(address or next(known, name_of(group, situation)))
