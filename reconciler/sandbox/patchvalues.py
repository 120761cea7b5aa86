"""What one PATCH operation does to the values of one attribute (RFC 7644 section 3.5.2.1 to 3.5.2.3).

The functions change the document they are given; `patching` decides which one a path and a verb need.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from reconciler.sandbox.errors import invalid_value, no_target, not_mutable
from reconciler.sandbox.paths import PatchPath
from reconciler.sandbox.schema import Attribute, AttributeType, JsonObject, Mutability
from reconciler.sandbox.values import (
    canonical_element,
    canonical_value,
    check_unchanged,
    distinct,
    folded_names,
    is_primary,
)


class Verb(StrEnum):
    """What one operation does."""

    ADD = "add"
    REMOVE = "remove"
    REPLACE = "replace"


def write_list(document: JsonObject, path: PatchPath, value: Any, verb: Verb) -> None:
    """Add values to a multi-valued attribute, or set all of them; raises ScimError 400."""
    attribute = _attribute(path)
    sent = value if isinstance(value, list) or value is None else [value]
    new = canonical_value(attribute, sent, path.text) or []
    if verb is Verb.REPLACE:
        assign(document, path, new)
        return
    held = _held(document, path) or []
    known = distinct(attribute, [*held, *new])
    assign(document, path, _one_primary(held, known, path))


def write_object(document: JsonObject, path: PatchPath, value: Any) -> None:
    """Write the sub-attributes of a complex attribute that are named; null clears it. Raises ScimError 400."""
    if value is None:
        assign(document, path, None)
        return
    attribute = _attribute(path)
    assign(document, path, _merged(attribute, _held(document, path) or {}, value, path))


def write_sub_attribute(document: JsonObject, path: PatchPath, value: Any) -> None:
    """Write one sub-attribute, in all values of a multi-valued attribute; raises ScimError 400."""
    attribute, sub_attribute = _attribute(path), path.sub_attribute
    name = sub_attribute.name if sub_attribute else ""
    held = _held(document, path)
    if not attribute.multi_valued:
        assign(document, path, _merged(attribute, held or {}, {name: value}, path))
        return
    if not held:
        raise no_target(f"{attribute.name} has no values, so {path.text} cannot be written.")
    written = [_merged(attribute, element, {name: value}, path) for element in held]
    assign(document, path, _one_primary(held, written, path))


def write_selected(document: JsonObject, path: PatchPath, value: Any, verb: Verb, *, creates: bool) -> None:
    """Write to the values a filter picks; with `creates`, to a new one when it picks none. Raises ScimError 400."""
    attribute = _attribute(path)
    held = _held(document, path) or []
    chosen = _chosen(path, held)
    if not chosen and creates and path.described is not None:
        written = {path.sub_attribute.name: value} if path.sub_attribute else value
        new = _merged(attribute, dict(path.described), written, path)
        assign(document, path, _one_primary(held, [*held, new], path))
        return
    if not chosen:
        raise no_target(f"{path.text} matches no value.")
    elements = [
        _written_element(attribute, element, value, path, verb) if index in chosen else element
        for index, element in enumerate(held)
    ]
    kept = [element for element in _one_primary(held, elements, path) if element]
    assign(document, path, distinct(attribute, kept))


def _written_element(attribute: Attribute, element: Any, value: Any, path: PatchPath, verb: Verb) -> Any:
    if path.sub_attribute is not None:
        return _merged(attribute, element, {path.sub_attribute.name: value}, path)
    if verb is Verb.ADD and attribute.type is AttributeType.COMPLEX:
        return _merged(attribute, element, value, path)
    replaced = canonical_element(attribute, value, path.text)
    if isinstance(element, dict) and isinstance(replaced, dict):
        for sub_attribute in attribute.sub_attributes.values():
            if sub_attribute.mutability is Mutability.IMMUTABLE and sub_attribute.name in replaced:
                before = element.get(sub_attribute.name)
                check_unchanged(sub_attribute, before, replaced[sub_attribute.name], path.text)
    return replaced


def _merged(attribute: Attribute, held: JsonObject, value: Any, path: PatchPath) -> JsonObject:
    """Return a complex value with some sub-attributes written: null clears one, the others stay."""
    if not isinstance(value, dict):
        raise invalid_value(f"{path.text} is complex: an object is needed.")
    merged = {**held, **(canonical_element(attribute, value, path.text) or {})}
    for folded, (_, member) in folded_names(value, path.text).items():
        sub_attribute = attribute.sub_attributes[folded]
        if member is None or member == []:
            _check_removable(sub_attribute, path.text)
            merged.pop(sub_attribute.name, None)
        elif sub_attribute.mutability is Mutability.IMMUTABLE:
            before = held.get(sub_attribute.name)
            check_unchanged(sub_attribute, before, merged.get(sub_attribute.name), path.text)
    return merged


def remove(document: JsonObject, path: PatchPath) -> None:
    """Remove what a path leads to; raises ScimError 400."""
    attribute = path.attribute
    if attribute is None:
        document.pop(path.place.extension or "", None)
        return
    check_writable(path)
    held = _held(document, path)
    if path.selects is not None:
        _remove_selected(document, path, held or [])
    elif path.sub_attribute is not None:
        _check_removable(path.sub_attribute, path.text)
        elements = held if attribute.multi_valued else [held]
        kept = [_without(attribute, element, path.sub_attribute) for element in elements or [] if element]
        assign(document, path, kept if attribute.multi_valued else next(iter(kept), None))
    else:
        _check_removable(attribute, path.text)
        assign(document, path, None)


def _remove_selected(document: JsonObject, path: PatchPath, held: list[Any]) -> None:
    chosen = _chosen(path, held)
    if not chosen:
        raise no_target(f"{path.text} matches no value.")
    if path.sub_attribute is None:
        assign(document, path, [element for index, element in enumerate(held) if index not in chosen])
        return
    _check_removable(path.sub_attribute, path.text)
    attribute = _attribute(path)
    elements = [
        _without(attribute, element, path.sub_attribute) if index in chosen else element
        for index, element in enumerate(held)
    ]
    assign(document, path, distinct(attribute, [element for element in elements if element]))


def _without(attribute: Attribute, element: JsonObject, sub_attribute: Attribute) -> JsonObject:
    """Return a complex value without one sub-attribute; a link that loses its id comes out empty."""
    if attribute.links and sub_attribute.name in ("value", "$ref"):
        return {}
    return {name: value for name, value in element.items() if name != sub_attribute.name}


def _chosen(path: PatchPath, held: list[Any]) -> set[int]:
    selects = path.selects
    return {index for index, element in enumerate(held) if selects is not None and selects(element)}


def _one_primary(before: list[Any], after: list[Any], path: PatchPath) -> list[Any]:
    """Marking one value as primary takes the mark from all others (RFC 7644 section 3.5.2).

    `after` has the values of `before` in their places, changed or not, and new ones behind them.
    """
    marked = [
        index
        for index, element in enumerate(after)
        if is_primary(element) and not (index < len(before) and is_primary(before[index]))
    ]
    if len(marked) > 1:
        raise invalid_value(f"{path.text} would mark more than one value as primary.")
    if not marked:
        return after
    return [
        {**element, "primary": False} if is_primary(element) and index != marked[0] else element
        for index, element in enumerate(after)
    ]


def check_writable(path: PatchPath) -> None:
    """Raise ScimError 400 mutability when a path leads to or through something read-only."""
    for attribute in (path.attribute, path.sub_attribute):
        if attribute is not None and attribute.read_only:
            raise not_mutable(f"{path.text} cannot be changed by clients (readOnly).")


def _check_removable(attribute: Attribute, text: str) -> None:
    if attribute.required:
        raise not_mutable(f"{text} is required and cannot be removed.")
    if attribute.mutability is Mutability.IMMUTABLE:
        raise not_mutable(f"{text} cannot be removed once it is set (immutable).")


def _attribute(path: PatchPath) -> Attribute:
    if path.attribute is None:
        raise AssertionError("only called for paths that name an attribute")
    return path.attribute


def _held(document: JsonObject, path: PatchPath) -> Any:
    holder = document if path.place.extension is None else document.get(path.place.extension, {})
    return holder.get(_attribute(path).name)


def assign(document: JsonObject, path: PatchPath, value: Any) -> None:
    """Put a value in its place; an unassigned one leaves no trace, nor does an extension without values."""
    attribute, urn = _attribute(path), path.place.extension
    held = _held(document, path)
    if attribute.mutability is Mutability.IMMUTABLE:
        check_unchanged(attribute, held, value, path.text)
    if value is not None and value not in ([], {}):
        holder = document if urn is None else document.setdefault(urn, {})
        holder[attribute.name] = value
        return
    if attribute.required:
        raise not_mutable(f"{path.text} is required and cannot be removed.")
    if urn is None:
        document.pop(attribute.name, None)
    elif urn in document:
        document[urn].pop(attribute.name, None)
        if not document[urn]:
            del document[urn]
