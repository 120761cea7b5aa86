"""Where each wanted value of one user or group comes from, as text: layer by layer, line by line.

The user's or group's own lines come first, then those of templates, overrides, groups and rules.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeAlias

from msgspec import Struct

from reconciler.model import (
    Address,
    DesiredItem,
    DesiredList,
    DesiredResource,
    DesiredState,
    Lifecycle,
    ListMode,
    LiveReference,
    Origin,
    Phase,
    ResourceType,
    SourceLocation,
    Value,
    known_after_apply,
)
from reconciler.rendering.layout import cells
from reconciler.rendering.naming import Names, address_text, attribute_name, attribute_rank, shown
from reconciler.rendering.neutral import NAME_LIMIT, neutral, quoted
from reconciler.rendering.paper import Paper, paper
from reconciler.scim.attributes import AttributeTable

Touched: TypeAlias = Callable[[SourceLocation], str]
"""A place -> the commit that wrote it, in words; empty where that is not known."""

_MEMBERS: Final = "members"
_PHASES: Final = {
    Phase.BEFORE: "kept inactive until the first day",
    Phase.WITHIN: "active between the days",
    Phase.AFTER: "kept inactive after the last day",
    Phase.DELETION: "to be deleted, long after the last day",
}


class _Wanted(Struct, frozen=True, kw_only=True):
    """One wanted value, and where it was written."""

    text: str
    origin: Origin | None


def render_explanation(
    resource: DesiredResource,
    desired: DesiredState,
    table: AttributeTable,
    *,
    target: str,
    touched: Touched = lambda source: "",
    width: int,
    colour: bool,
) -> str:
    """What is wanted of one resource of a target: each value with its layer, its line, its dates and its commit."""
    on = paper(width, colour)
    names = _names(desired)
    wanted = [*_attributes(resource, names), *_lists(resource, table, names)]
    if resource.address.resource_type is ResourceType.USER:
        wanted += _groups(resource, desired)
    lines = [on.styled(f"{address_text(resource.address)} on target {quoted(target)}", "bold")]
    for layer, some in _layers(wanted, resource.source):
        lines += ["", layer, *_rows(some, touched, on)]
    return "\n".join([*lines, *_days(resource.lifecycle, desired, on)])


def places(resource: DesiredResource, desired: DesiredState) -> Iterator[SourceLocation]:
    """Every place that has a say in what is wanted of a resource."""
    wanted = [*_attributes(resource, {}), *_lists(resource, None, {}), *_groups(resource, desired)]
    yield from (each.origin.source for each in wanted if each.origin is not None and each.origin.source is not None)


def _names(desired: DesiredState) -> Names:
    return {
        known_after_apply(address): (address.key, str(each.attributes.get("displayName") or ""))
        for address, each in desired.resources.items()
    }


def _attributes(resource: DesiredResource, names: Names) -> Iterator[_Wanted]:
    for path in sorted(resource.attributes, key=attribute_rank):
        value = resource.attributes[path]
        text = "null, cleared" if value is None else shown(value, path, names)
        yield _Wanted(text=f"{attribute_name(path)} = {text}", origin=resource.origins.get(path))


def _lists(resource: DesiredResource, table: AttributeTable | None, names: Names) -> Iterator[_Wanted]:
    for name in sorted(resource.lists, key=attribute_rank):
        held = resource.lists[name]
        attribute = table.get(name) if table is not None else None
        path = attribute.path if attribute is not None else name
        said = attribute_name(path) + (" (additive)" if held.mode is ListMode.ADDITIVE else "")
        if not held.items and not held.expired:
            yield _Wanted(text=f"{said}: none", origin=resource.origins.get(path))
        for item, each in sorted(held.items.items(), key=lambda pair: _spelled(pair[0])):
            level = f" = {each.level:g}" if each.level is not None else ""
            yield _Wanted(text=f"{said}: {_item(item, path, names)}{level}{_until(each)}", origin=each.origin)
        yield from _expired(said, held, path, names, resource)


def _expired(said: str, held: DesiredList, path: str, names: Names, resource: DesiredResource) -> Iterator[_Wanted]:
    for item, day in sorted(held.expired.items(), key=lambda pair: _spelled(pair[0])):
        text = f"{said}: not {_item(item, path, names)}, whose last day was {day.isoformat()}"
        yield _Wanted(text=text, origin=resource.origins.get(path))


def _item(item: Value, path: str, names: Names) -> str:
    if isinstance(item, LiveReference):
        return f"{neutral(item.name, NAME_LIMIT)} (not declared here)"
    return neutral(item, NAME_LIMIT) if isinstance(item, str) else shown(item, path, names)


def _until(item: DesiredItem) -> str:
    return f" until {item.until.isoformat()}" if item.until else ""


def _spelled(item: Value) -> str:
    return item.key if isinstance(item, Address) else str(item)


def _groups(resource: DesiredResource, desired: DesiredState) -> Iterator[_Wanted]:
    """The groups that name the user as a direct member."""
    for address in sorted(desired.resources, key=str):
        held = desired.resources[address].lists.get(_MEMBERS)
        item = held.items.get(resource.address) if held is not None else None
        if item is not None:
            yield _Wanted(text=f"groups: {neutral(address.key, NAME_LIMIT)}{_until(item)}", origin=item.origin)


def _layers(wanted: Sequence[_Wanted], own: SourceLocation) -> list[tuple[str, list[_Wanted]]]:
    """The values by layer and file, in the order of first appearance; the resource's own file first."""
    found: dict[tuple[str, str], list[_Wanted]] = {("", own.path): []}
    for each in wanted:
        source = each.origin.source if each.origin is not None else None
        via = each.origin.via if each.origin is not None else ""
        found.setdefault((via, source.path if source is not None else ""), []).append(each)
    return [(_heading(via, path), some) for (via, path), some in found.items() if some]


def _heading(via: str, path: str) -> str:
    return ", ".join(neutral(each, NAME_LIMIT) for each in (via, path) if each) or "by itself"


def _rows(some: Sequence[_Wanted], touched: Touched, on: Paper) -> Iterator[str]:
    sources = [each.origin.source if each.origin is not None else None for each in some]
    digits = max(len(str(source.line)) if source else 0 for source in sources)
    order = sorted(zip(sources, some, strict=True), key=lambda pair: pair[0].line if pair[0] else 0)
    for source, each in order:
        left = f"  {str(source.line) if source else '':>{digits}}  {each.text}"
        yield from on.beside(left, cells(left), touched(source) if source else "", digits + 4)


def _days(found: Lifecycle, desired: DesiredState, on: Paper) -> list[str]:
    """What the dates make of a person on the day that was worked out."""
    if found.phase is Phase.UNDATED:
        return []
    days = (("startsOn", found.starts_on), ("endsOn", found.ends_on))
    span = ", ".join(f"{word} {day.isoformat()}" for word, day in days if day is not None)
    after = f", deleteAfter {found.delete_after} days" if found.delete_after is not None else ""
    return ["", *on.paragraph(f"On {desired.today.isoformat()}: {_PHASES[found.phase]} ({span}{after}).", 0)]
