"""Changes as SCIM messages: the body of a POST (RFC 7644 §3.3) and the operations of a PATCH (§3.5.2).

One operation a path. Elements are added whole and removed by filter; members and names are never replaced as a list.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from reconciler.model import (
    Address,
    AttributeChange,
    Change,
    Json,
    LiveReference,
    LiveResource,
    PatchOp,
    PatchOperation,
    ResourceType,
    Value,
)
from reconciler.planning.replacing import replace_value
from reconciler.profiles.profile import AttributeRules, Profile
from reconciler.scim.attributes import CORE_GROUP, CORE_USER, PRIMARY, Attribute, Format, Kind
from reconciler.scim.paths import element_of, element_path, item_path
from reconciler.scim.values import wire_phone


def create_body(change: Change, profile: Profile) -> dict[str, Json]:
    """The whole wanted resource. A group is created empty; its members follow by PATCH."""
    resource_type = change.address.resource_type
    rules = profile.rules(resource_type)
    core = CORE_USER if resource_type is ResourceType.USER else CORE_GROUP
    body: dict[str, Any] = {}
    for each in change.attribute_changes:
        if each.path != "members":
            _put(body, each, rules)
    if resource_type is ResourceType.USER:
        body.setdefault("active", True)
    return {"schemas": [core, *(key for key in body if key.startswith("urn:"))], **body}


def patch_operations(
    changes: Sequence[AttributeChange], live: LiveResource | None, rules: AttributeRules
) -> tuple[PatchOperation, ...]:
    """The operations that bring about the changes, in their order; items of one list are added together."""
    operations: list[PatchOperation] = []
    done: set[str] = set()
    for each in changes:
        if each.path in done and each.item is None:
            continue
        attribute = rules.table.by_path(each.path)
        element = element_of(each.path)
        if each.item is not None and attribute is not None:
            operations.append(_item_operation(each, attribute))
        elif element is not None and attribute is not None and attribute.kind is Kind.KEYED:
            operations += _element_operations(attribute, element[1], changes, live, done)
        else:
            operations += _scalar_operations(each, attribute, rules)
    return tuple(_joined(operations))


def _put(body: dict[str, Any], change: AttributeChange, rules: AttributeRules) -> None:
    attribute = rules.table.by_path(change.path)
    if attribute is None:
        schema, _, name = change.path.rpartition(":")
        body.setdefault(schema, {})[name] = change.after
        return
    home = body if attribute.core else body.setdefault(attribute.schema, {})
    if change.item is not None:
        home.setdefault(attribute.name, []).append(_item_value(attribute, change.item, change.after))
        return
    element = element_of(change.path)
    if element is not None and element[2] is not None:
        elements = home.setdefault(attribute.name, [])
        found = next((each for each in elements if each.get(attribute.key) == element[1]), None)
        if found is None:
            elements.append(found := {attribute.key: element[1]})
        found[element[2]] = _wire(attribute, element[2], change.after)
    elif attribute.kind is Kind.COMPLEX:
        home.setdefault(attribute.name, {})[change.path.rpartition(".")[2]] = change.after
    else:
        home[attribute.name] = _wire(attribute, None, change.after)


def _scalar_operations(
    change: AttributeChange, attribute: Attribute | None, rules: AttributeRules
) -> Iterable[PatchOperation]:
    if change.op is PatchOp.REMOVE:
        paths = _cleared_paths(change, attribute, rules)
        return [PatchOperation(op=PatchOp.REMOVE, path=each) for each in paths]
    value = _json(_wire(attribute, None, change.after) if attribute else change.after)
    if change.op is PatchOp.REPLACE and (attribute is None or attribute.kind is Kind.JSON):
        return replace_value(change.path, change.before, value)
    return [PatchOperation(op=change.op, path=change.path, value=value)]


def _cleared_paths(change: AttributeChange, attribute: Attribute | None, rules: AttributeRules) -> Iterable[str]:
    """Where the provider owns some elements, clearing all of them means each of the others."""
    if attribute is None or attribute.name not in rules.read_only_elements or not isinstance(change.before, Sequence):
        return [change.path]
    keys = [each[attribute.key] for each in change.before if isinstance(each, Mapping) and attribute.key in each]
    return [element_path(attribute, str(key)) for key in dict.fromkeys(keys)]


def _item_operation(change: AttributeChange, attribute: Attribute) -> PatchOperation:
    assert change.item is not None  # noqa: S101 - the caller looked
    if change.op is PatchOp.REMOVE:
        return PatchOperation(op=PatchOp.REMOVE, path=item_path(attribute, change.item))
    value = _item_value(attribute, change.item, change.after)
    return PatchOperation(op=PatchOp.ADD, path=attribute.path, value=[value])


def _item_value(attribute: Attribute, item: str, level: Value) -> dict[str, Json]:
    if attribute.kind is not Kind.LEVELS:
        return {"value": item}
    return {attribute.key: item} if level is None else {attribute.key: item, str(attribute.value): _json(level)}


def _element_operations(
    attribute: Attribute,
    key: str,
    changes: Sequence[AttributeChange],
    live: LiveResource | None,
    done: set[str],
) -> list[PatchOperation]:
    """All changes of one element: added whole where live has none, removed whole where nothing is left of it."""
    prefix = element_path(attribute, key)
    parts = {each.path: each for each in changes if each.path.startswith(prefix + ".")}
    done.update(parts)
    held = {path for path in (live.attributes if live else {}) if path.startswith(prefix + ".")}
    if not held:
        values = {path.rpartition(".")[2]: each.after for path, each in parts.items()}
        element = {part: _json(_wire(attribute, part, value)) for part, value in values.items()}
        return [PatchOperation(op=PatchOp.ADD, path=attribute.path, value=[{attribute.key: key, **element}])]
    removed = {path for path, each in parts.items() if each.op is PatchOp.REMOVE}
    # an element that is only marked as preferred says nothing
    said = held - {f"{prefix}.{PRIMARY}"}
    if removed == parts.keys() and (said <= removed or f"{prefix}.{attribute.value}" in removed):
        return [PatchOperation(op=PatchOp.REMOVE, path=prefix)]
    # what is set comes before what is removed, so that the element is never empty in between
    ordered = sorted(parts.items(), key=lambda part: part[0] in removed)
    return [_part_operation(attribute, path.rpartition(".")[2], each) for path, each in ordered]


def _part_operation(attribute: Attribute, part: str, change: AttributeChange) -> PatchOperation:
    if change.op is not PatchOp.REMOVE:
        return PatchOperation(op=change.op, path=change.path, value=_json(_wire(attribute, part, change.after)))
    if part == PRIMARY:
        # false is the same as none (RFC 7643 §2.4), and a removal inside an element asks more of a server
        return PatchOperation(op=PatchOp.REPLACE, path=change.path, value=False)
    return PatchOperation(op=PatchOp.REMOVE, path=change.path)


def _wire(attribute: Attribute, part: str | None, value: Value) -> Value:
    if attribute.kind is Kind.REFERENCE:
        return {"value": _json(value)}
    if attribute.format is Format.PHONE and part == "value" and isinstance(value, str):
        return wire_phone(value)
    return value


def _json(value: Value) -> Json:
    if isinstance(value, Address | LiveReference):
        raise TypeError(f"a reference was not resolved: {value}")
    return value


def _joined(operations: Iterable[PatchOperation]) -> Iterable[PatchOperation]:
    """Adds to one list side by side become one operation with several values (RFC 7644 §3.5.2.1)."""
    for (op, path), group in groupby(operations, key=lambda each: (each.op, each.path)):
        same = list(group)
        if op is PatchOp.ADD and len(same) > 1:
            values = [value for each in same if isinstance(each.value, list) for value in each.value]
            yield PatchOperation(op=op, path=path, value=values)
        else:
            yield from same
