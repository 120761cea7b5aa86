"""The rules that stop a run: what counts, how much is allowed, whose setting it is, and how to get past it. Pure.

*Due* changes do not count: their dates were reviewed, and counted when they were new. Deactivations count as removals.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from reconciler.accepting import violation
from reconciler.access import membership_after, membership_before
from reconciler.diffing.dated import Dated, newly_dated
from reconciler.guarding import unguarded, unguarded_groups
from reconciler.model import (
    Action,
    Address,
    Cause,
    Change,
    Diagnostic,
    Limit,
    Paired,
    PatchOp,
    Policy,
    ResourceType,
    Severity,
    Violation,
    without_case,
)
from reconciler.privileges import check_privileged
from reconciler.scim.attributes import name_path
from reconciler.situation import Situation, group_label, name_of, protected_ids

_PLURALS: Final = {"person": "people", "active person": "active people"}
_MANY: Final = 3
"""So many recorded people do not go all at once, while others stay, by chance."""
REMOVING = frozenset({Action.DEACTIVATE, Action.DELETE})


def check_policy(changes: Sequence[Change], situation: Situation) -> tuple[Violation, ...]:
    """Every rule that these changes break."""
    dated = newly_dated(situation)
    counted = (
        *_removals(changes, situation, dated),
        *_member_removals(changes, situation, dated),
        *(each for rule in (_role_removals, _updates, _creations) for each in rule(changes, situation)),
    )
    guarded = (each for rule in (_protected, _minimum) for each in rule(changes, situation))
    return (*counted, *guarded, *check_privileged(changes, situation, dated), *_vanished(changes, situation))


def nobody_named(situation: Situation) -> list[Diagnostic]:
    """A notice for each part of the policy that names somebody whom nothing here knows: it guards nobody."""
    policy = situation.policy
    guarded = {
        "protect": policy.protect,
        "privileged.groups": tuple(f"group.{each.removeprefix('group.')}" for each in policy.privileged_groups),
        "minimum": tuple(f"group.{each.removeprefix('group.')}" for each in policy.minimum),
    }
    if not any(guarded.values()):
        return []
    known = _all_names(situation)
    strange = {key: [each for each in names if without_case(each) not in known] for key, names in guarded.items()}
    return [_strange(key, names, policy) for key, names in strange.items() if names]


def _all_names(situation: Situation) -> set[str]:
    """What the policy may call anybody who is live, declared or recorded, without case."""
    names = {f"{each.resource_type}.{each.name}" for each in situation.live.resources.values()}
    for address, wanted in situation.desired.resources.items():
        name = wanted.attributes.get(name_path(address.resource_type))
        names |= {str(address), f"{address.resource_type}.{name}"}
    names |= {str(address) for address in situation.applied.resources}
    return {without_case(part) for each in names for part in (each, each.partition(".")[2])}


def _strange(key: str, names: Sequence[str], policy: Policy) -> Diagnostic:
    return Diagnostic(
        severity=Severity.NOTICE,
        code="policy-names-nobody",
        summary=f"policy.{key} names nobody here: {', '.join(names)}",
        mend="check the spelling; what is meant for one target stands better in its own policy",
        source=policy.sources.get(key),
    )


def _removals(changes: Sequence[Change], situation: Situation, dated: Dated) -> Iterator[Violation]:
    for resource_type, noun in ((ResourceType.USER, "person"), (ResourceType.GROUP, "group")):
        ours = _ours_and_live(situation, resource_type)
        removed = {
            each.address
            for each in changes
            if each.address.resource_type is resource_type
            and REMOVING & set(each.actions)
            and _cause_of_removal(each) is not Cause.DUE
        }
        days = {each: day for each, day in dated.people.items() if each.resource_type is resource_type}
        later = [f"{each} after {day}" for each, day in days.items() if each not in removed]
        what = f"of {_plural(ours, noun)} would be removed{_by_dates(len(later))}"
        items = [*map(str, removed), *later]
        yield from _over("removals", items, situation.policy.removals, ours, situation.policy, what)


def _member_removals(changes: Sequence[Change], situation: Situation, dated: Dated) -> Iterator[Violation]:
    now = {each.address: each for each in changes if each.live_id and each.address.resource_type is ResourceType.GROUP}
    for address in sorted({*now, *dated.members}):
        live_id = now[address].live_id if address in now else situation.matches.id_of(address)
        held = situation.live.resources[str(live_id)].items("members") or {}
        days = dated.members.get(address, {})
        taken = [each for each in _taken(now[address], "members") if each not in days] if address in now else []
        items = [f"{address} {name_of(each, situation)}" for each in taken]
        items += [f"{address} {name_of(each, situation)} after {day}" for each, day in days.items()]
        what = f"of {_plural(len(held), 'member')} would leave {address}{_by_dates(len(days))}"
        policy = situation.policy
        yield from _over("memberRemovals", items, policy.member_removals, len(held), policy, what)


def _by_dates(count: int) -> str:
    """What a day to come will do counts when its line is new: on that day it counts no more.

    It is counted with that day, so that who accepts it accepts neither an earlier one nor the same for today.
    """
    return f", {count:,} of them by dates that are new in their lines" if count else ""


def _role_removals(changes: Sequence[Change], situation: Situation) -> Iterator[Violation]:
    taken = [f"{change.address} {role}" for change in changes for role in _taken(change, "roles")]
    pairs = situation.matches.by_address.values()
    matched = sum(1 for each in pairs if isinstance(each, Paired) and each.address.resource_type is ResourceType.USER)
    policy, what = situation.policy, f"{'role' if len(taken) == 1 else 'roles'} would be taken"
    yield from _over("roleRemovals", taken, policy.role_removals, matched, policy, what, of=_plural(matched, "person"))


def _updates(changes: Sequence[Change], situation: Situation) -> Iterator[Violation]:
    updated = [
        str(each.address)
        for each in changes
        if {Action.UPDATE, Action.RENAME} & set(each.actions)
        and not all(one.cause is Cause.DUE for one in each.attribute_changes)
    ]
    matched = sum(1 for each in situation.matches.by_address.values() if isinstance(each, Paired))
    policy, what = situation.policy, f"of {matched:,} users and groups would be changed"
    yield from _over("updates", updated, policy.updates, matched, policy, what)


def _creations(changes: Sequence[Change], situation: Situation) -> Iterator[Violation]:
    created = [str(each.address) for each in changes if Action.CREATE in each.actions]
    policy, total = situation.policy, len(situation.live.resources)
    what = f"{'user or group' if len(created) == 1 else 'users and groups'} would be created beside {total:,}"
    yield from _over("creations", created, policy.creations, total, policy, what)


def _protected(changes: Sequence[Change], situation: Situation) -> Iterator[Violation]:
    """Nobody on the list loses being active, a role or a group, through nesting too; no group on it loses members."""
    protected = protected_ids(situation)
    if not protected:
        return
    losses: set[str] = set()
    for change in changes:
        guarded = change.live_id in protected
        if guarded and REMOVING & set(change.actions):
            losses.add(f"{change.address} {'deleted' if Action.DELETE in change.actions else 'deactivated'}")
        for each in change.attribute_changes:
            if each.item is not None and each.op is PatchOp.REMOVE and (guarded or each.item in protected):
                losses.add(f"{change.address} loses {_item_words(each.path, each.item, situation)}")
    losses.update(_lost_with_an_account(changes, protected, situation))
    losses.update(_lost_through_groups(changes, protected, situation))
    losses.update(f"{each} loses the name that policy.protect knows it by" for each in unguarded(situation, changes))
    if losses:
        what = "something would be taken from those whom policy.protect names"
        mend = f"leave it out, or take the line out of policy.protect{_place(situation.policy, 'protect')} in a change"
        yield violation("protect", what, losses, 0, f"{mend} of its own")


def _lost_with_an_account(changes: Sequence[Change], protected: frozenset[str], situation: Situation) -> Iterator[str]:
    """Members that a protected group loses because their account is deleted: servers take them out by themselves."""
    gone = {each.live_id for each in changes if Action.DELETE in each.actions and each.live_id}
    for group in sorted(protected) if gone else ():
        found = situation.live.resources.get(group)
        for member in gone.intersection(found.items("members") or ()) if found is not None else ():
            yield f"{group_label(group, situation)} loses {_item_words('members', member, situation)}"


def _lost_through_groups(changes: Sequence[Change], protected: frozenset[str], situation: Situation) -> Iterator[str]:
    """Memberships that protected people lose because a group in between is deleted or loses another group."""
    if not any(_taken_by_anybody(each) or Action.DELETE in each.actions for each in changes):
        return
    before = membership_before(situation)
    after = membership_after(changes, before)
    for group in sorted(before.members):
        for person in before.people(group) & protected - after.people(group):
            yield f"{group_label(group, situation)} loses {_item_words('members', person, situation)}"


def _minimum(changes: Sequence[Change], situation: Situation) -> Iterator[Violation]:
    """A group keeps at least so many active people, counted through the groups in it.

    Only a plan by which it loses somebody breaks the rule: one that adds people to a group of too few mends it.
    """
    if not situation.policy.minimum:
        return
    at_first = membership_before(situation)
    in_the_end = membership_after(changes, at_first)
    groups = {each: group for each in situation.policy.minimum if (group := _group_named(each, situation)) is not None}
    renamed = {*unguarded_groups(groups.values(), situation.policy.minimum, changes, situation)}
    for name, group in groups.items():
        least, where = situation.policy.minimum[name], _place(situation.policy, "minimum")
        address = str(situation.matches.address_of.get(group))
        unknown = [f"{name} names {address} no more"] if address in renamed else []
        before, left = at_first.active_people(group), in_the_end.active_people(group)
        if len(left) < least and before - left:
            kept = _plural(len(left), "active person") if left else "nobody who is active"
            summary = f"{name} would keep {kept}; at least {least:,} must stay"
            mend = f"keep somebody in it, or lower policy.minimum{where}"
            items = [f"{name} keeps {name_of(each, situation)}" for each in left] or [f"{name} keeps nobody"]
            yield violation("minimum", summary, [*items, *unknown], least, mend, actual=len(left))
        elif unknown:
            summary = f"{address} loses the name that policy.minimum knows it by"
            yield violation(
                "minimum", summary, unknown, least, f"write the other name into policy.minimum{where} first"
            )


def _vanished(changes: Sequence[Change], situation: Situation) -> Iterator[Violation]:
    """A source that suddenly declares nobody, and a target that suddenly holds nobody, are mishaps until proved."""
    released = {address.folded for address in situation.desired.released}
    entries = {
        address: entry
        for address, entry in situation.applied.resources.items()
        if entry.live_id and address.folded not in released
    }
    people = [address for address in entries if address.resource_type is ResourceType.USER]
    yield from _empty_source(people or list(entries), changes, situation)
    yield from _empty_target(people, situation)


def _empty_source(recorded: Sequence[Address], changes: Sequence[Change], situation: Situation) -> Iterator[Violation]:
    types = {address.resource_type for address in recorded}
    declared = {address.resource_type for address in situation.desired.resources}
    nobody = types.isdisjoint(declared) if ResourceType.USER in types else not declared
    if recorded and nobody and changes:
        summary = f"nobody is declared any more; the record holds {_how_many(recorded)}"
        mend = "check the folders of this target; to let everybody go, write them under `released`"
        yield violation("empty-source", summary, [str(each) for each in recorded], 0, mend)


def _empty_target(people: Sequence[Address], situation: Situation) -> Iterator[Violation]:
    """Nobody at all, or, from _MANY on, none of ours: another organisation, or a credential that sees nothing."""
    resources, pairs = situation.live.resources, situation.matches.by_address
    there = [
        each
        for each in people
        if situation.applied.resources[each].live_id in resources or isinstance(pairs.get(each), Paired)
    ]
    nobody = not situation.live.of(ResourceType.USER)
    if people and (nobody or (len(people) >= _MANY and not there)):
        shown = "nobody at all" if nobody else "none of ours"
        summary = f"the server shows {shown}; the record holds {_how_many(people)}"
        mend = "check the URL and the rights of the credential: it may be that of another organisation"
        yield violation("empty-target", summary, [str(each) for each in people], 0, mend)


def _over(
    rule: str, items: Sequence[str], limit: Limit | None, population: int, policy: Policy, what: str, *, of: str = ""
) -> Iterator[Violation]:
    """`what`: what would happen to so many; `of`: whom the share is taken of, where that does not say it."""
    if limit is None:
        return
    allowed = limit.of(population)
    if len(items) > allowed:
        most = f"at most {allowed:,} may" if allowed else "none may"
        summary = f"{len(items):,} {what}; {most}{_share(limit, population, of)}"
        mend = f"split the change, or raise policy.limits.{rule}{_place(policy, f'limits.{rule}')} in a reviewed change"
        yield violation(rule, summary, items, allowed, mend)


def _plural(count: int, noun: str) -> str:
    """``1 person``, ``287 people``."""
    return f"{count:,} {noun if count == 1 else _PLURALS.get(noun, f'{noun}s')}"


def _share(limit: Limit, population: int, of: str) -> str:
    """Of what a number came; nothing where it stands in the settings as it is."""
    if limit.share is None:
        return ""
    floor = f", or {limit.of(population)} if that is more" if limit.is_floor(population) else ""
    return f" ({limit}{f' of {of}' if of else ''}{floor})"


def _how_many(addresses: Sequence[Address]) -> str:
    users = sum(1 for each in addresses if each.resource_type is ResourceType.USER)
    return _plural(users, "person") if users else _plural(len(addresses), "group")


def _item_words(path: str, item: str, situation: Situation) -> str:
    """``role Agent``, ``member bo@x.io``; another list by its path."""
    word = {"roles": "role", "members": "member"}.get(path, path)
    return f"{word} {name_of(item, situation)}"


def _place(policy: Policy, key: str) -> str:
    source = policy.sources.get(key)
    return f" ({source})" if source else " (the default)"


def _taken(change: Change, name: str) -> list[str]:
    return [
        each.item
        for each in change.attribute_changes
        if each.path == name and each.item and each.op is PatchOp.REMOVE and each.cause is not Cause.DUE
    ]


def _cause_of_removal(change: Change) -> Cause:
    if Action.DELETE in change.actions:
        return change.cause
    return next(each.cause for each in change.attribute_changes if each.path == "active")


def _ours_and_live(situation: Situation, resource_type: ResourceType) -> int:
    return sum(
        1
        for address, entry in situation.applied.resources.items()
        if address.resource_type is resource_type and entry.live_id in situation.live.resources
    )


def _taken_by_anybody(change: Change) -> bool:
    return any(each.path == "members" and each.op is PatchOp.REMOVE for each in change.attribute_changes)


def _group_named(name: str, situation: Situation) -> str | None:
    """The live group of that key, or, if nothing is declared or recorded under it, of that display name."""
    plain = without_case(name.removeprefix("group."))
    for address, match in situation.matches.by_address.items():
        if address.resource_type is ResourceType.GROUP and without_case(address.key) == plain:
            return match.live_id if isinstance(match, Paired) else None
    for address, entry in situation.applied.resources.items():
        if address.folded == (ResourceType.GROUP, plain) and entry.live_id in situation.live.resources:
            return entry.live_id
    return next((each.id for each in situation.live.of(ResourceType.GROUP) if without_case(each.name) == plain), None)
