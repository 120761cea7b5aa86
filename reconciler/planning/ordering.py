"""Which operation comes first.

All User operations come before all Group operations. Among users: what takes access away, then what frees a name
before what takes it, then creates, then updates, managers before the people they manage. Among groups: creates (empty),
changes of the group itself, members out, members in; deletions last.

What takes access away waits for nothing: whatever else a change holds that has to wait goes by a request of its own.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct, field

from reconciler.diffing.findings import awaited
from reconciler.model import (
    Action,
    Address,
    AttributeChange,
    Change,
    CreateResource,
    DeleteResource,
    Json,
    LiveState,
    Operation,
    PatchOp,
    PatchResource,
    ResourceType,
    known_after_apply,
    without_case,
)
from reconciler.planning.encoding import create_body, patch_operations
from reconciler.profiles.profile import AttributeRules, Profile
from reconciler.scim.attributes import ENTERPRISE_USER, Kind, name_path

MANAGER = f"{ENTERPRISE_USER}:manager"


class _Draft(Struct):
    """An operation without a number yet. `needs`: what it refers to that is created; `after`: what it waits for."""

    change: Change
    kind: str
    attribute_changes: tuple[AttributeChange, ...] = ()
    needs: frozenset[Address] = frozenset()
    after: list["_Draft"] = field(default_factory=list)


def order_operations(changes: Sequence[Change], live: LiveState, profile: Profile) -> tuple[Operation, ...]:
    """The operations of all changes, numbered from 1 in the order in which they are performed."""
    users = [each for each in changes if each.address.resource_type is ResourceType.USER]
    groups = [each for each in changes if each.address.resource_type is ResourceType.GROUP]
    drafts = [*_user_drafts(users, profile), *_group_drafts(groups, profile)]
    _link_names(drafts, live, profile)
    _link_managers(drafts, live)
    creates = {draft.change.address: draft for draft in drafts if draft.kind == "create"}
    for draft in drafts:
        draft.after += [creates[address] for address in sorted(draft.needs) if address in creates]
    ordered = list(_after_what_they_need(drafts))
    numbers = {id(draft): number for number, draft in enumerate(ordered, start=1)}
    return tuple(_operation(draft, numbers, live, profile) for draft in ordered)


def name_swaps(changes: Sequence[Change], profile: Profile) -> list[tuple[Change, ...]]:
    """Renames that want each other's names in a circle: no order of single steps can bring them about."""
    renames = [change for change in changes if Action.RENAME in change.actions]
    holders = {_name(change, "before", profile): change for change in renames}
    circles: list[tuple[Change, ...]] = []
    seen: set[Address] = set()
    for change in renames:
        chain: list[Change] = []
        current: Change | None = change
        while current is not None and current.address not in seen:
            seen.add(current.address)
            chain.append(current)
            current = holders.get(_name(current, "after", profile))
        if current is not None and current in chain:
            circles.append(tuple(chain[chain.index(current) :]))
    return circles


def _user_drafts(changes: Iterable[Change], profile: Profile) -> Iterator[_Draft]:
    rules = profile.users
    first: list[_Draft] = []
    creates: list[_Draft] = []
    later: list[_Draft] = []
    for change in changes:
        if Action.DELETE in change.actions:
            first.append(_Draft(change, "delete"))
        elif Action.CREATE in change.actions:
            creates.append(_draft(change, "create", change.attribute_changes, rules))
        else:
            urgent, rest = _split(change, rules)
            if urgent:
                first.append(_draft(change, "patch", urgent, rules))
            if rest:
                later.append(_draft(change, "patch", rest, rules))
    yield from first
    yield from creates
    yield from later


def _split(change: Change, rules: AttributeRules) -> tuple[tuple[AttributeChange, ...], tuple[AttributeChange, ...]]:
    """What takes access away goes ahead; one request serves for all where nothing in it has to wait."""
    changes = change.attribute_changes
    urgent = tuple(each for each in changes if _takes_access(each))
    if not urgent:
        return (), changes
    if any(_may_wait(each, rules) for each in changes):
        return urgent, tuple(each for each in changes if each not in urgent)
    return changes, ()


def _may_wait(change: AttributeChange, rules: AttributeRules) -> bool:
    """Whether it depends on another operation, or gives somebody back who should lose the rest before."""
    back = change.path == "active" and change.after is True
    return back or change.path in (MANAGER, name_path(ResourceType.USER)) or awaited(change, rules) is not None


def _takes_access(change: AttributeChange) -> bool:
    return (change.path == "active" and change.after is False) or (
        change.item is not None and change.op is PatchOp.REMOVE
    )


def _group_drafts(changes: Sequence[Change], profile: Profile) -> Iterator[_Draft]:
    members, rules = profile.membership, profile.groups
    removals: list[_Draft] = []
    additions: list[_Draft] = []
    deletions: list[_Draft] = []
    for change in changes:
        if Action.DELETE in change.actions:
            deletions.append(_Draft(change, "delete"))
            continue
        own = tuple(each for each in change.attribute_changes if each.item is None)
        if Action.CREATE in change.actions:
            yield _draft(change, "create", own, rules)
        elif own:
            yield _draft(change, "patch", own, rules)
        out = [e for e in change.attribute_changes if e.item is not None and e.op is PatchOp.REMOVE]
        new = [e for e in change.attribute_changes if e.item is not None and e.op is PatchOp.ADD]
        removals += [_draft(change, "patch", chunk, rules) for chunk in _chunks(out, members.remove_max)]
        additions += [_draft(change, "patch", chunk, rules) for chunk in _chunks(new, members.add_max)]
    yield from removals
    yield from additions
    yield from deletions


def _chunks(changes: Sequence[AttributeChange], size: int) -> Iterator[tuple[AttributeChange, ...]]:
    for start in range(0, len(changes), size):
        yield tuple(changes[start : start + size])


def _draft(change: Change, kind: str, changes: tuple[AttributeChange, ...], rules: AttributeRules) -> _Draft:
    needs = {address for each in changes if (address := awaited(each, rules)) is not None}
    if kind == "patch" and change.live_id is None:
        needs.add(change.address)
    return _Draft(change, kind, changes, needs=frozenset(needs))


def _link_names(drafts: Sequence[_Draft], live: LiveState, profile: Profile) -> None:
    """Whoever takes a name waits for whoever frees it."""
    freed: dict[tuple[ResourceType, str], _Draft] = {}
    for draft in drafts:
        found = live.resources.get(draft.change.live_id or "")
        if found is not None and (draft.kind == "delete" or _renames(draft)):
            freed[_folded(found.name, found.resource_type, profile)] = draft
    for draft in drafts:
        name = _name(draft.change, "after", profile) if draft.kind == "create" or _renames(draft) else None
        holder = freed.get(name) if name is not None else None
        if holder is not None and holder is not draft:
            draft.after.append(holder)


def _link_managers(drafts: Sequence[_Draft], live: LiveState) -> None:
    """Whoever gets a manager waits for all changes above that manager: no tree is ever a circle in between.

    Nobody reports to a person who is only created, so a create needs nothing but its manager's own create.
    """
    moved = {
        draft.change.live_id: draft
        for draft in drafts
        if draft.change.live_id is not None and any(_is_manager(each) for each in draft.attribute_changes)
    }
    for draft in (each for each in drafts if each.kind == "patch"):
        for each in draft.attribute_changes:
            if _is_manager(each) and isinstance(each.after, str):
                above = _first_moved(each.after, moved, live)
                if above is not None and above is not draft:
                    draft.after.append(above)


def _first_moved(manager: str, moved: Mapping[str, _Draft], live: LiveState) -> _Draft | None:
    """The nearest change of a manager at or above somebody, through those whose manager stays."""
    seen: set[str] = set()
    current: object = manager
    while isinstance(current, str) and current not in seen:
        if current in moved:
            return moved[current]
        seen.add(current)
        found = live.resources.get(current)
        current = found.attributes.get(MANAGER) if found is not None else None
    return None


def _is_manager(change: AttributeChange) -> bool:
    return change.path == MANAGER


def _renames(draft: _Draft) -> bool:
    path = name_path(draft.change.address.resource_type)
    return draft.kind == "patch" and any(each.path == path for each in draft.attribute_changes)


def _name(change: Change, side: str, profile: Profile) -> tuple[ResourceType, str] | None:
    resource_type = change.address.resource_type
    named = (each for each in change.attribute_changes if each.path == name_path(resource_type))
    name = next((each.before if side == "before" else each.after for each in named), None)
    return _folded(name, resource_type, profile) if isinstance(name, str) else None


def _folded(name: str, resource_type: ResourceType, profile: Profile) -> tuple[ResourceType, str]:
    fold = profile.rules(resource_type).folds(name_path(resource_type))
    return (resource_type, without_case(name) if fold else name)


def _after_what_they_need(drafts: Sequence[_Draft]) -> Iterator[_Draft]:
    """A stable topological order: the given one, but nothing before what it needs."""
    done: set[int] = set()
    under_way: set[int] = set()

    def visit(draft: _Draft) -> Iterator[_Draft]:
        stack = [(draft, iter(draft.after))]
        under_way.add(id(draft))
        while stack:
            current, waiting = stack[-1]
            for needed in waiting:
                if id(needed) not in done and id(needed) not in under_way:
                    under_way.add(id(needed))
                    stack.append((needed, iter(needed.after)))
                    break
            else:
                stack.pop()
                done.add(id(current))
                yield current

    for draft in drafts:
        if id(draft) not in done:
            yield from visit(draft)


def _operation(draft: _Draft, numbers: Mapping[int, int], live: LiveState, profile: Profile) -> Operation:
    change = draft.change
    number = numbers[id(draft)]
    depends_on = tuple(sorted({numbers[id(each)] for each in draft.after if numbers[id(each)] < number}))
    live_id = change.live_id or known_after_apply(change.address)
    match draft.kind:
        case "create":
            body: Mapping[str, Json] = create_body(change, profile)
            return CreateResource(number=number, address=change.address, body=body, depends_on=depends_on)
        case "delete":
            return DeleteResource(number=number, address=change.address, live_id=live_id, depends_on=depends_on)
        case _:
            rules = profile.rules(change.address.resource_type)
            operations = patch_operations(draft.attribute_changes, live.resources.get(live_id), rules)
            return PatchResource(
                number=number,
                address=change.address,
                live_id=live_id,
                operations=operations,
                version=None if _only_members(draft, profile) else change.version,
                depends_on=depends_on,
            )


def _only_members(draft: _Draft, profile: Profile) -> bool:
    """Deltas of members commute, so a version would only get in their way."""
    table = profile.rules(draft.change.address.resource_type).table
    kinds = {attribute.kind for each in draft.attribute_changes if (attribute := table.by_path(each.path))}
    return kinds == {Kind.MEMBERS}
