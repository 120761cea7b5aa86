"""Privileged roles and groups: no change of one goes by itself, in either direction, direct or through nesting. Pure.

*Due* changes do not count: their dates were reviewed, and counted when they were new. They are warned of all the same.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import Final

from msgspec.structs import replace

from reconciler.accepting import violation
from reconciler.access import Membership, id_of, membership_after, membership_before, privileged_groups, privileged_role
from reconciler.diffing.dated import Dated
from reconciler.guarding import unguarded_groups
from reconciler.model import Action, AttributeChange, Cause, Change, PatchOp, ResourceType, Violation
from reconciler.situation import Situation, group_label, name_of

_PRIVILEGED: Final = "privileged: "


def check_privileged(changes: Sequence[Change], situation: Situation, dated: Dated) -> Iterator[Violation]:
    """The violation that names every privilege which these changes would give or take; none if they touch none.

    `dated`: what dates that are new will take.
    """
    policy = situation.policy
    groups = privileged_groups(situation)
    touched = {f"{each.address} {what}" for each in changes for what in _direct(each, groups, situation, due=False)}
    touched.update(_through_groups(changes, groups, situation))
    touched.update(_comebacks(changes, groups, situation))
    touched.update(_departures(changes, groups, situation))
    touched.update(_ending(groups, situation, dated))
    renamed = unguarded_groups(groups, policy.privileged_groups, changes, situation)
    touched.update(f"{each} loses the name that policy.privileged knows it by" for each in renamed)
    if touched:
        what = "role or membership" if len(touched) == 1 else "roles or memberships"
        summary = f"{len(touched):,} privileged {what} would change; none may unless it is accepted by name"
        places = [policy.sources.get(each) for each in ("privileged.roles", "privileged.groups")]
        where = " and ".join(dict.fromkeys(str(each) for each in places if each))
        mend = f"leave it out of this change; policy.privileged{f' ({where})' if where else ''} says what is privileged"
        yield violation("privileged", summary, touched, 0, mend)


def _ending(groups: Collection[str], situation: Situation, dated: Dated) -> Iterator[str]:
    """Privileges that get a last day, or an earlier one, by dates of their own or of the account.

    On that day nobody will be asked.
    """
    if not groups and not situation.policy.privileged_roles:
        return
    for address, leaving in dated.members.items():
        if situation.matches.id_of(address) in groups:
            for member, day in leaving.items():
                yield f"{address} loses member {name_of(member, situation)} after {day}"
    if groups and dated.members:
        yield from _ending_through_groups(groups, situation, dated)
    if not dated.people:
        return
    ending = {str(situation.matches.id_of(address)): address for address in dated.people}
    for live_id, address in ending.items():
        for role in sorted(situation.live.resources[live_id].items("roles") or ()):
            if privileged_role(role, situation.policy):
                yield f"{address} leaves with role {role} after {dated.people[address]}"
    before = membership_before(situation)
    for group in groups:
        label = group_label(group, situation)
        for live_id in before.people(group) & ending.keys():
            address = ending[live_id]
            yield f"{address} leaves {label} with the account after {dated.people[address]}"


def _ending_through_groups(groups: Collection[str], situation: Situation, dated: Dated) -> Iterator[str]:
    """Who is to leave a privileged group by a date in a group that is in it."""
    before, days = membership_before(situation), dict[str, str]()
    members = dict(before.members)
    for address, leaving in dated.members.items():
        group = str(situation.matches.id_of(address))
        members[group] = members.get(group, set()) - leaving.keys()
        for member, day in leaving.items():
            days[member] = min(day, days.get(member, day))
    after = Membership(members=members, active=before.active)
    for group in groups:
        label = group_label(group, situation)
        for each in before.people(group) - after.people(group):
            when = f"after {days[each]}" if each in days else "by a new date"
            yield f"{label} loses member {name_of(each, situation)} {when}"


def warned(changes: Sequence[Change], situation: Situation) -> tuple[Change, ...]:
    """The changes with a warning for each privileged role or membership that one gives or takes, and for no other."""
    groups = privileged_groups(situation)
    return tuple([_warned(each, groups, situation) for each in changes])


def _warned(change: Change, groups: Collection[str], situation: Situation) -> Change:
    found = (*_direct(change, groups, situation, due=True), *_with_the_account(change, situation, due=True))
    privileges = sorted(f"{_PRIVILEGED}{what}" for what in found)
    warnings = (*(each for each in change.warnings if not each.startswith(_PRIVILEGED)), *privileges)
    return replace(change, warnings=warnings) if warnings != change.warnings else change


def _direct(change: Change, groups: Collection[str], situation: Situation, *, due: bool) -> Iterator[str]:
    guarded = change.address.resource_type is ResourceType.GROUP and id_of(change) in groups
    if not guarded and not situation.policy.privileged_roles:
        return
    for each in change.attribute_changes:
        if each.item is None or (each.cause is Cause.DUE and not due):
            continue
        word = "gains" if each.op is PatchOp.ADD else "loses"
        if each.path == "roles" and privileged_role(each.item, situation.policy):
            yield f"{word} role {each.item}"
        if each.path == "members" and guarded:
            yield f"{word} member {name_of(each.item, situation)}"


def _through_groups(changes: Sequence[Change], groups: Collection[str], situation: Situation) -> Iterator[str]:
    """Who comes into a privileged group, or out of it, because she does so in a group that is in it."""
    if not groups or not any(_moves_members(each) for each in changes):
        return
    before = membership_before(situation)
    after = membership_after(_reviewed_now(changes), before)
    for group in groups:
        had, has = before.people(group), after.people(group)
        for word, some in (("gains", has - had), ("loses", had - has)):
            yield from (f"{group_label(group, situation)} {word} member {name_of(each, situation)}" for each in some)


def _moves_members(change: Change) -> bool:
    deleted = Action.DELETE in change.actions and change.address.resource_type is ResourceType.GROUP
    return deleted or any(each.path == "members" and each.cause is not Cause.DUE for each in change.attribute_changes)


def _reviewed_now(changes: Sequence[Change]) -> list[Change]:
    """The changes without what only the day brings."""
    return [
        replace(each, attribute_changes=tuple(one for one in each.attribute_changes if one.cause is not Cause.DUE))
        for each in changes
    ]


def _comebacks(changes: Sequence[Change], groups: Collection[str], situation: Situation) -> Iterator[str]:
    """What an account that is active again has anew, though nothing about that changes."""
    back = {each.live_id: each for each in changes if each.live_id and any(map(_brings_back, each.attribute_changes))}
    if not back:
        return
    after = membership_after(changes, membership_before(situation))
    inside = {group: after.people(group) for group in groups}
    for live_id, change in back.items():
        for role in sorted(situation.live.resources[live_id].items("roles") or ()):
            if privileged_role(role, situation.policy):
                yield f"{change.address} comes back with role {role}"
        for group, people in inside.items():
            if live_id in people:
                yield f"{change.address} comes back into {group_label(group, situation)}"


def _departures(changes: Sequence[Change], groups: Collection[str], situation: Situation) -> Iterator[str]:
    """What an account that is put off or deleted had, though nothing about that changes: nobody can use it any more."""
    gone = {each.live_id: each for each in changes if each.live_id and _takes_the_account(each, due=False)}
    if not gone:
        return
    for change in gone.values():
        yield from (f"{change.address} {what}" for what in _with_the_account(change, situation, due=False))
    # whoever is taken out of a group as well is named there
    after = membership_after(_reviewed_now(changes), membership_before(situation))
    for group in groups:
        label = group_label(group, situation)
        for live_id in after.people(group) & gone.keys():
            yield f"{gone[live_id].address} leaves {label} with the account"


def _with_the_account(change: Change, situation: Situation, *, due: bool) -> Iterator[str]:
    """The privileged roles that an account has when it goes, but for those that are taken from it."""
    if change.live_id is None or not situation.policy.privileged_roles or not _takes_the_account(change, due=due):
        return
    taken = {each.item for each in change.attribute_changes if each.path == "roles"}
    for role in sorted(situation.live.resources[change.live_id].items("roles") or ()):
        if role not in taken and privileged_role(role, situation.policy):
            yield f"leaves with role {role}"


def _takes_the_account(change: Change, *, due: bool) -> bool:
    """Whether a person cannot use her account any more after that."""
    if change.address.resource_type is not ResourceType.USER:
        return False
    if Action.DELETE in change.actions:
        return due or change.cause is not Cause.DUE
    off = (each for each in change.attribute_changes if each.path == "active" and each.after is False)
    return any(due or each.cause is not Cause.DUE for each in off)


def _brings_back(change: AttributeChange) -> bool:
    return change.path == "active" and change.after is True and change.cause is not Cause.DUE
