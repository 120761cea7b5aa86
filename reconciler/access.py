"""Who gains and who loses what in the end, once every change is made: what a reviewer asks first. Pure.

It counts groups, roles, and the values of every other list of users that the profile marks with `access`. In the end
means: through nested groups, and only for people who are active. Somebody who is in a group by two ways and
loses one has lost nothing; somebody who is deactivated or deleted loses everything.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final, TypeAlias

from msgspec import Struct

from reconciler.model import (
    AccessChange,
    AccessItem,
    AccessKind,
    Action,
    Change,
    OnlyDesired,
    Paired,
    PatchOp,
    Policy,
    ResourceType,
    known_after_apply,
    without_case,
)
from reconciler.situation import Situation, names_of

Thing: TypeAlias = tuple[str, str]
"""A list and what stands in it: ``members`` and a group's live id, ``roles`` and a role."""
MEMBERS: Final = "members"
ROLES: Final = "roles"


class Membership(Struct, frozen=True, kw_only=True):
    """At one moment: group id -> the ids of its members, and person id -> whether she is active."""

    members: Mapping[str, set[str]]
    active: Mapping[str, bool]

    def people(self, group: str) -> set[str]:
        """Everybody in a group and in the groups in it; circles end where they close."""
        people: set[str] = set()
        seen, open_ = {group}, [group]
        while open_:
            for each in self.members.get(open_.pop(), ()):
                if each not in self.members:
                    people.add(each)
                elif each not in seen:
                    seen.add(each)
                    open_.append(each)
        return people

    def active_people(self, group: str) -> set[str]:
        """Those of them who are active."""
        return {each for each in self.people(group) if self.active.get(each, False)}

    def around(self, starts: Iterable[str]) -> set[str]:
        """The groups that hold any of these people or groups, directly or through others."""
        holders: dict[str, list[str]] = {}
        for group, held in self.members.items():
            for each in held:
                holders.setdefault(each, []).append(group)
        found: set[str] = set()
        open_ = list(starts)
        while open_:
            for group in holders.get(open_.pop(), ()):
                if group not in found:
                    found.add(group)
                    open_.append(group)
        return found


def membership_before(situation: Situation) -> Membership:
    """As the server shows it."""
    return Membership(
        members={each.id: set(each.items("members") or ()) for each in situation.live.of(ResourceType.GROUP)},
        active={each.id: each.active for each in situation.live.of(ResourceType.USER)},
    )


def membership_after(changes: Sequence[Change], before: Membership) -> Membership:
    """As it would be when all changes are made; `before` stays as it is."""
    members, active = dict(before.members), dict(before.active)
    for change in changes:
        live_id = id_of(change)
        deleted = Action.DELETE in change.actions
        if change.address.resource_type is ResourceType.USER:
            active.setdefault(live_id, True)
            for each in change.attribute_changes:
                if each.path == "active":
                    active[live_id] = each.after is True
            active[live_id] = active[live_id] and not deleted
            continue
        held = members[live_id] = set(members.get(live_id, ()))
        for each in change.attribute_changes:
            if each.item is not None:
                (held.add if each.op is PatchOp.ADD else held.discard)(each.item)
        if deleted:
            held.clear()
    return Membership(members=members, active=active)


def id_of(change: Change) -> str:
    """The live id of what changes, or the one that stands for it until it is created."""
    return change.live_id or known_after_apply(change.address)


def privileged_role(name: str, policy: Policy) -> bool:
    """Whether `policy.privileged` names the role."""
    return without_case(name) in {without_case(each) for each in policy.privileged_roles}


def privileged_groups(situation: Situation) -> frozenset[str]:
    """The ids of the groups that `policy.privileged` names: by display name, or by a key, present or recorded.

    A group that is called something else in a change is privileged in that change all the same.
    """
    listed = {without_case(each).removeprefix("group.") for each in situation.policy.privileged_groups}
    if not listed:
        return frozenset()
    found = {each.id for each in situation.live.of(ResourceType.GROUP) if without_case(each.name) in listed}
    for address, match in situation.matches.by_address.items():
        if address.resource_type is ResourceType.GROUP and isinstance(match, Paired | OnlyDesired):
            name = str(situation.desired.resources[address].attributes.get("displayName", ""))
            if listed & {without_case(address.key), without_case(name)}:
                found.add(match.live_id if isinstance(match, Paired) else known_after_apply(address))
    for address, entry in situation.applied.resources.items():
        if address.resource_type is ResourceType.GROUP and entry.live_id and without_case(address.key) in listed:
            found.add(entry.live_id)
    return frozenset(found)


def effective_access(changes: Sequence[Change], situation: Situation) -> tuple[AccessChange, ...]:
    """One entry for each person who gains or loses something; privileged ones first, then by name."""
    if not changes:
        return ()
    before = membership_before(situation)
    after = membership_after(changes, before)
    gains: dict[str, set[Thing]] = {}
    losses: dict[str, set[Thing]] = {}
    for group in _touched(changes, before, after):
        had, has = before.active_people(group), after.active_people(group)
        for person in has - had:
            gains.setdefault(person, set()).add((MEMBERS, group))
        for person in had - has:
            losses.setdefault(person, set()).add((MEMBERS, group))
    lists = {each.path: each.name for each in situation.profile.users.table.lists if each.access}
    for change in changes:
        if change.address.resource_type is ResourceType.USER:
            person = id_of(change)
            held, holds = _values(change, lists, situation, before, after)
            gains.setdefault(person, set()).update(holds - held)
            losses.setdefault(person, set()).update(held - holds)
    return _worded(gains, losses, before, after, situation)


def _touched(changes: Sequence[Change], before: Membership, after: Membership) -> list[str]:
    """The groups whose active people may differ."""
    starts: set[str] = set()
    groups: set[str] = set()
    for change in changes:
        live_id = id_of(change)
        if change.address.resource_type is ResourceType.GROUP:
            if Action.DELETE in change.actions or any(each.item is not None for each in change.attribute_changes):
                groups.add(live_id)
        elif before.active.get(live_id, False) is not after.active.get(live_id, False):
            starts.add(live_id)
    if not starts and not groups:
        return []
    around = before.around(starts | groups) | after.around(starts | groups)
    return sorted(groups | around)


def _values(
    change: Change, lists: Mapping[str, str], situation: Situation, before: Membership, after: Membership
) -> tuple[set[Thing], set[Thing]]:
    """What she has while active in the lists that give access, before and after. `lists`: path -> name."""
    person = id_of(change)
    found = situation.live.resources.get(person)
    held = {(name, item) for name in lists.values() for item in (found.items(name) or ())} if found else set()
    kept = set(held)
    for each in change.attribute_changes:
        if each.item is not None and each.path in lists:
            (kept.add if each.op is PatchOp.ADD else kept.discard)((lists[each.path], each.item))
    return held if before.active.get(person, False) else set(), kept if after.active.get(person, False) else set()


def _worded(
    gains: Mapping[str, set[Thing]],
    losses: Mapping[str, set[Thing]],
    before: Membership,
    after: Membership,
    situation: Situation,
) -> tuple[AccessChange, ...]:
    people = {each for each in {**gains, **losses} if each in before.active or each in after.active}
    things = {each for some in (gains, losses) for found in some.values() for each in found}
    groups = {name for attribute, name in things if attribute == MEMBERS}
    names, privileged = names_of(people | groups, situation), privileged_groups(situation)
    items = {each: _item(*each, names, privileged, situation.policy) for each in things}
    # privileged ones first, then groups and roles by name, then all else, list by list
    ranks = {each: _rank(item) for each, item in items.items()}
    found = []
    for person in people:
        was, is_ = before.active.get(person, False), after.active.get(person, False)
        gained, lost = (sorted(some.get(person, ()), key=ranks.__getitem__) for some in (gains, losses))
        if gained or lost or was is not is_:
            name, label = names.get(person, (person, ""))
            change = AccessChange(
                person=person,
                name=name,
                label=label,
                gains=tuple([items[each] for each in gained]),
                loses=tuple([items[each] for each in lost]),
                starts=is_ and not was,
                ends=was and not is_,
            )
            found.append(change)
    return tuple(sorted(found, key=lambda each: (not each.privileged, without_case(each.name), each.person)))


def _item(
    attribute: str, name: str, names: Mapping[str, tuple[str, str]], privileged: Collection[str], policy: Policy
) -> AccessItem:
    """A group by its live id, a role or another value by its name."""
    if attribute == MEMBERS:
        key, label = names.get(name, (name, ""))
        kind = AccessKind.GROUP
        return AccessItem(kind=kind, attribute=attribute, name=label or key, privileged=name in privileged)
    if attribute == ROLES:
        kind = AccessKind.ROLE
        return AccessItem(kind=kind, attribute=attribute, name=name, privileged=privileged_role(name, policy))
    return AccessItem(kind=AccessKind.VALUE, attribute=attribute, name=name)


def _rank(item: AccessItem) -> tuple[bool, str, str, str]:
    other = item.attribute if item.kind is AccessKind.VALUE else ""
    return (not item.privileged, other, without_case(item.name), item.kind)
