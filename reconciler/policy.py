"""The rules that stop a run: what counts, how much is allowed, whose setting it is, and how to get past it. Pure.

*Due* changes do not count: their dates were reviewed. Deactivations count as removals.
"""

from collections.abc import Iterable, Iterator, Sequence

from reconciler.model import (
    Action,
    Cause,
    Change,
    Limit,
    LiveResource,
    Paired,
    PatchOp,
    Policy,
    ResourceType,
    Violation,
)
from reconciler.planfile import violation_digest
from reconciler.situation import Situation

REMOVING = frozenset({Action.DEACTIVATE, Action.DELETE})


def check_policy(changes: Sequence[Change], situation: Situation) -> tuple[Violation, ...]:
    """Every rule that these changes break."""
    rules = (_removals, _member_removals, _role_removals, _updates, _creations, _protected, _minimum, _vanished)
    return tuple(violation for rule in rules for violation in rule(changes, situation))


def violation(rule: str, summary: str, items: Iterable[str], limit: int, mend: str) -> Violation:
    """A violation with the digest that an acceptance has to name: it covers exactly these items of this rule."""
    listed = tuple(sorted(items))
    return Violation(
        rule=rule,
        summary=summary,
        actual=len(listed),
        limit=limit,
        items=listed,
        digest=violation_digest(rule, listed),
        mend=mend,
    )


def _removals(changes: Sequence[Change], situation: Situation) -> Iterator[Violation]:
    for resource_type, noun in ((ResourceType.USER, "people"), (ResourceType.GROUP, "groups")):
        ours = _ours_and_live(situation, resource_type)
        removed = [
            str(each.address)
            for each in changes
            if each.address.resource_type is resource_type
            and REMOVING & set(each.actions)
            and _cause_of_removal(each) is not Cause.DUE
        ]
        yield from _over(
            "removals", removed, situation.policy.removals, ours, situation.policy, f"{noun} would be removed"
        )


def _member_removals(changes: Sequence[Change], situation: Situation) -> Iterator[Violation]:
    for change in changes:
        if change.address.resource_type is ResourceType.GROUP and change.live_id:
            held = situation.live.resources[change.live_id].items("members") or {}
            taken = [f"{change.address} {each}" for each in _taken(change, "members")]
            what = f"members would leave {change.address}"
            policy = situation.policy
            yield from _over("memberRemovals", taken, policy.member_removals, len(held), policy, what)


def _role_removals(changes: Sequence[Change], situation: Situation) -> Iterator[Violation]:
    taken = [f"{change.address} {role}" for change in changes for role in _taken(change, "roles")]
    matched = sum(1 for each in situation.matches.by_address.values() if isinstance(each, Paired))
    policy = situation.policy
    yield from _over("roleRemovals", taken, policy.role_removals, matched, policy, "roles would be taken away")


def _updates(changes: Sequence[Change], situation: Situation) -> Iterator[Violation]:
    updated = [str(each.address) for each in changes if {Action.UPDATE, Action.RENAME} & set(each.actions)]
    matched = sum(1 for each in situation.matches.by_address.values() if isinstance(each, Paired))
    policy = situation.policy
    yield from _over("updates", updated, policy.updates, matched, policy, "resources would be changed")


def _creations(changes: Sequence[Change], situation: Situation) -> Iterator[Violation]:
    created = [str(each.address) for each in changes if Action.CREATE in each.actions]
    policy = situation.policy
    total = len(situation.live.resources)
    yield from _over("creations", created, policy.creations, total, policy, "resources would be created")


def _protected(changes: Sequence[Change], situation: Situation) -> Iterator[Violation]:
    """Nobody on the list loses being active, a role or a group; no group on it loses members."""
    protected = {each.casefold() for each in situation.policy.protect}
    if not protected:
        return
    losses: list[str] = []
    for change in changes:
        found = situation.live.resources.get(change.live_id or "")
        guarded = _is_protected(str(change.address), found, protected)
        if guarded and REMOVING & set(change.actions):
            losses.append(f"{change.address} {'deleted' if Action.DELETE in change.actions else 'deactivated'}")
        for each in change.attribute_changes:
            if each.item is None or each.op is not PatchOp.REMOVE:
                continue
            member = situation.live.resources.get(each.item) if each.path == "members" else None
            address = str(situation.matches.address_of.get(each.item, "")) if member else ""
            if guarded or _is_protected(address, member, protected):
                losses.append(f"{change.address} {each.path} {member.name if member else each.item}")
    if losses:
        mend = f"take the line out of policy.protect{_place(situation.policy, 'protect')} in a change of its own"
        yield violation("protect", "protected identities would lose access", losses, 0, mend)


def _minimum(changes: Sequence[Change], situation: Situation) -> Iterator[Violation]:
    """A group keeps at least so many active people, counted through the groups in it."""
    if not situation.policy.minimum:
        return
    members, active = _after(changes, situation)
    for name, least in situation.policy.minimum.items():
        group = _group_named(name, situation)
        if group is None:
            continue
        left = {each for each in _people(group, members, frozenset()) if active.get(each, False)}
        touched = any(
            each.live_id == group or REMOVING & set(each.actions) or _taken(each, "members") for each in changes
        )
        if touched and len(left) < least:
            summary = f"{name} would keep {len(left)} active people of at least {least}"
            mend = f"keep somebody in it, or lower policy.minimum{_place(situation.policy, 'minimum')}"
            yield violation("minimum", summary, [f"{name} {each}" for each in left] or [f"{name} nobody"], least, mend)


def _vanished(changes: Sequence[Change], situation: Situation) -> Iterator[Violation]:
    """A source that suddenly declares nobody, and a target that suddenly holds nobody, are mishaps until proved."""
    entries = {
        address: entry
        for address, entry in situation.applied.resources.items()
        if entry.live_id and address not in situation.desired.released
    }
    people = [str(address) for address in entries if address.resource_type is ResourceType.USER]
    recorded = people or [str(address) for address in entries]
    declared = situation.desired.resources
    nobody = not any(address.resource_type is ResourceType.USER for address in declared) if people else not declared
    if recorded and nobody and changes:
        summary = f"nobody is declared any more; the record holds {len(recorded)}"
        mend = "check the folders of this target; to let everybody go, write them under `released`"
        yield violation("empty-source", summary, recorded, 0, mend)
    if people and not situation.live.of(ResourceType.USER):
        summary = f"the server shows nobody at all; the record holds {len(people)} people"
        mend = "check the URL and the rights of the credential: an empty listing is believed only where it can be"
        yield violation("empty-target", summary, people, 0, mend)


def _over(
    rule: str, items: Sequence[str], limit: Limit | None, population: int, policy: Policy, what: str
) -> Iterator[Violation]:
    if limit is None:
        return
    allowed = limit.of(population)
    if len(items) > allowed:
        share = f" of {population}" if population else ""
        summary = f"{len(items)}{share} {what}; at most {allowed} may ({limit})"
        mend = f"split the change, or raise policy.limits.{rule}{_place(policy, f'limits.{rule}')} in a reviewed change"
        yield violation(rule, summary, items, allowed, mend)


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


def _is_protected(address: str, found: LiveResource | None, protected: set[str]) -> bool:
    names = {address.casefold(), address.partition(".")[2].casefold()}
    if found is not None:
        names |= {found.name.casefold(), f"{found.resource_type}.{found.name}".casefold()}
    return bool(names & protected)


def _group_named(name: str, situation: Situation) -> str | None:
    plain = name.removeprefix("group.").casefold()
    for address, match in situation.matches.by_address.items():
        if address.resource_type is ResourceType.GROUP and address.key.casefold() == plain:
            return match.live_id if isinstance(match, Paired) else None
    return next((each.id for each in situation.live.of(ResourceType.GROUP) if each.name.casefold() == plain), None)


def _after(changes: Sequence[Change], situation: Situation) -> tuple[dict[str, set[str]], dict[str, bool]]:
    """Members of every group, and who is active, as they would be when all changes are made."""
    members = {each.id: set(each.items("members") or ()) for each in situation.live.of(ResourceType.GROUP)}
    active = {each.id: each.active for each in situation.live.of(ResourceType.USER)}
    for change in changes:
        live_id = change.live_id or f"bulkId:{change.address}"
        if change.address.resource_type is ResourceType.USER:
            if Action.CREATE in change.actions:
                active[live_id] = True
            for each in change.attribute_changes:
                if each.path == "active":
                    active[live_id] = each.after is True
            if Action.DELETE in change.actions:
                active[live_id] = False
            continue
        held = members.setdefault(live_id, set())
        for each in change.attribute_changes:
            if each.item is not None:
                (held.add if each.op is PatchOp.ADD else held.discard)(each.item)
    return members, active


def _people(group: str, members: dict[str, set[str]], above: frozenset[str]) -> set[str]:
    people: set[str] = set()
    for each in members.get(group, ()):
        if each in members:
            people |= _people(each, members, above | {group}) if each not in above else set()
        else:
            people.add(each)
    return people
