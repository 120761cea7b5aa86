"""One list of one resource, all its values: each is looked up in the tables of `lists`, its level in that of `scalars`.

Left out before the tables: accounts that nothing may change about, names that the profile never removes, and what
others gave to people and groups that `policy.protect` names.
"""

from collections.abc import Collection, Iterator, Mapping

from msgspec.structs import replace

from reconciler.diffing.findings import Finding
from reconciler.diffing.ground import LOOK, Ground
from reconciler.diffing.lists import ListRecord, cause_to_give, cause_to_take
from reconciler.diffing.references import Unresolved
from reconciler.diffing.scalars import NOTHING, Difference, compare_scalar
from reconciler.diffing.values import MOVED
from reconciler.model import (
    ABSENT,
    AppliedResource,
    AttributeChange,
    Cause,
    DesiredItem,
    DesiredList,
    DesiredResource,
    ItemKey,
    LiveReference,
    LiveResource,
    PatchOp,
    without_case,
)
from reconciler.scim.attributes import Attribute, Kind
from reconciler.scim.paths import level_path


def claims(entry: AppliedResource, attribute: Attribute) -> bool:
    """Whether a list has to be looked at without a line: something of it is ours, or was announced to be taken."""
    applied = entry.lists.get(attribute.name)
    return bool(attribute.access and applied and applied.items) or attribute.name in entry.pending.take


def compare_list(
    ground: Ground,
    wanted: DesiredResource | None,
    attribute: Attribute,
    found: LiveResource,
    entry: AppliedResource | None,
    finding: Finding,
) -> None:
    """What is given, taken and put to another level; `wanted` is None where the resource is declared no more."""
    lines = wanted.lists.get(attribute.name) if wanted else None
    items = wanted_items(ground, wanted, attribute) if wanted and lines else {}
    held = found.items(attribute.name)
    if held is not None and _in_place(items, held):
        return
    record = ListRecord.of(entry, attribute.name)
    if held is None:
        _leave_unread(ground, wanted, attribute, finding, record.ours.keys() - items.keys())
        return
    changes: list[AttributeChange] = []
    moved = _moved(ground, lines, record) if lines else {}
    for item, how in items.items():
        if item not in held:
            cause = Cause.DRIFT if item in moved.values() else cause_to_give(item, record)
            changes.append(give_item(attribute, item, how, _cause_for(ground, attribute, item, cause)))
        elif how.level is not None:
            changes += _compare_level(attribute, item, how, held[item], entry)
    expired = _expired(ground, lines) if lines else {}
    for item, level in held.items():
        if item not in items and not _left_alone(ground, found, attribute, item, ours=item in record.ours):
            gone = _take(ground, attribute, item, level, record, lines, expired.get(item))
            changes += [replace(each, cause=Cause.DRIFT) if item in moved else each for each in gone]
    if changes:
        taken = sum(1 for each in changes if each.op is PatchOp.REMOVE)
        finding.kept[attribute.name] = len(held) - taken
    finding.changes += changes


def _moved(ground: Ground, lines: DesiredList, record: ListRecord) -> dict[str, str]:
    """Who was meant by a ``{live: …}`` line and is called otherwise now -> who bears that name instead.

    The line is as it was: others gave the name away, and with it goes no membership that nobody reviewed.
    """
    holders = {without_case(how.live): each for each, how in record.ours.items() if how.live is not None}
    moved: dict[str, str] = {}
    for key in lines.items if holders else ():
        before = holders.get(without_case(key.name)) if isinstance(key, LiveReference) else None
        now = _item_id(ground, key) if before is not None else None
        if before in ground.situation.live.resources and isinstance(now, str) and now not in record.ours:
            moved[str(before)] = now
    return moved


def _in_place(items: Mapping[str, DesiredItem], held: Mapping[str, float | None]) -> bool:
    """Whether live holds exactly the wanted items, which is so nearly always; levels that have no line may be any."""
    return items.keys() == held.keys() and all(
        how.level is None or how.level == held[item] for item, how in items.items()
    )


def given_on_create(
    ground: Ground, wanted: DesiredResource, attribute: Attribute, cause: Cause
) -> Iterator[AttributeChange]:
    """All wanted values of a list of a resource that is created."""
    members = attribute.kind is Kind.MEMBERS
    for item, how in wanted_items(ground, wanted, attribute).items():
        yield give_item(attribute, item, how, ground.cause_with_create(item, cause) if members else cause)


def give_item(attribute: Attribute, item: str, how: DesiredItem, cause: Cause) -> AttributeChange:
    """One value to give."""
    return AttributeChange(
        path=attribute.path,
        op=PatchOp.ADD,
        cause=cause,
        after=how.level,
        item=item,
        origin=how.origin,
        until=how.until.isoformat() if how.until else None,
    )


def wanted_items(ground: Ground, wanted: DesiredResource, attribute: Attribute) -> Mapping[str, DesiredItem]:
    """The wanted items by name or live id. A reference that leads nowhere is refused or left alone, and named."""
    lines = wanted.lists[attribute.name].items
    if attribute.kind is not Kind.MEMBERS:
        return {item: how for item, how in lines.items() if isinstance(item, str)}
    resolved: dict[str, DesiredItem] = {}
    for key, how in lines.items():
        item = _item_id(ground, key)
        if not isinstance(item, Unresolved):
            resolved[item] = _longest(resolved.get(item), how)
        elif item.refuse:
            ground.refuse("unknown-live-member", wanted, item.reason, LOOK)
        elif not item.quiet:
            ground.notice("member-left-alone", item.reason, "", wanted)
    return resolved


def _longest(one: DesiredItem | None, other: DesiredItem) -> DesiredItem:
    """Two lines may name one account; the membership lasts as long as the longer of them."""
    if one is None or other.until is None:
        return other
    return other if one.until is not None and one.until < other.until else one


def _item_id(ground: Ground, key: ItemKey) -> str | Unresolved:
    return key if isinstance(key, str) else ground.references.id_of(key)


def _cause_for(ground: Ground, attribute: Attribute, item: str, cause: Cause) -> Cause:
    return ground.cause_with_create(item, cause) if attribute.kind is Kind.MEMBERS else cause


def _expired(ground: Ground, lines: DesiredList) -> dict[str, str]:
    """Item -> the latest last day that is over."""
    latest: dict[str, str] = {}
    for key, day in lines.expired.items():
        item = _item_id(ground, key)
        if isinstance(item, str):
            latest[item] = max(latest.get(item, ""), day.isoformat())
    return latest


def _left_alone(ground: Ground, found: LiveResource, attribute: Attribute, item: str, *, ours: bool) -> bool:
    situation = ground.situation
    never = situation.profile.rules(found.resource_type).never_removed
    if item in situation.matches.frozen or item in never.get(attribute.name, ()):
        return True
    # what a line of ours gave is different: that loss stands in the plan, and the policy refuses it aloud
    return not ours and not ground.protected.isdisjoint((found.id, item))


def _take(
    ground: Ground,
    attribute: Attribute,
    item: str,
    level: float | None,
    record: ListRecord,
    lines: DesiredList | None,
    expired: str | None,
) -> Iterator[AttributeChange]:
    mode = lines.mode if lines else None
    notes: tuple[str, ...] = ()
    if attribute.kind is Kind.MEMBERS and item in ground.released:
        cause = cause_to_take(item, ListRecord.of(None, attribute.name), mode, None)
        resource = ground.situation.live.resources.get(item)
        notes = (f"released; write {{live: {resource.name if resource else item}}} to keep the line",)
    elif attribute.kind is Kind.MEMBERS and item in ground.going and item in record.ours:
        cause = ground.going[item]
    else:
        cause = cause_to_take(item, record, mode, expired)
    if cause is not None:
        yield AttributeChange(
            path=attribute.path, op=PatchOp.REMOVE, cause=cause, before=level, item=item, notes=notes, until=expired
        )


def _compare_level(
    attribute: Attribute, item: str, how: DesiredItem, live: float | None, entry: AppliedResource | None
) -> Iterator[AttributeChange]:
    path = level_path(attribute, item)
    applied = entry.values.get(path, NOTHING) if entry else NOTHING
    pending = entry.pending.values.get(path, NOTHING) if entry else NOTHING
    verdict = compare_scalar(how.level, ABSENT if live is None else live, applied, pending)
    if isinstance(verdict, Difference):
        notes = (MOVED,) if verdict.moved else ()
        yield AttributeChange(
            path=path,
            op=verdict.op,
            cause=verdict.cause,
            before=live,
            after=how.level,
            notes=notes,
            origin=how.origin,
        )


def _leave_unread(
    ground: Ground, wanted: DesiredResource | None, attribute: Attribute, finding: Finding, lost: Collection[str]
) -> None:
    """A list that cannot be read: nothing changes, claims stay, and a line that left is named."""
    if wanted and attribute.name in wanted.lists:
        ground.leave_uncompared(attribute.path)
    if lost:
        summary = f"{finding.address}: {len(lost)} of {attribute.name} cannot be taken: not readable here"
        ground.notice("cannot-be-taken", summary, "take them away on the server, or make the list readable", wanted)
