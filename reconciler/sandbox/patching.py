"""PATCH (RFC 7644 section 3.5.2): a document and a PatchOp body in, the document after it out.

The document that came in stays as it was, so a refused operation changes nothing. Where the RFC leaves a choice:

    path filter that matches nothing      400 noTarget, for all three operations (table 9)
    replace of values chosen by a filter  the whole value is replaced (3.5.2.3: "all matching record values")
    replace of a single complex value     sub-attributes that are not named stay
    value of a remove                     has no meaning and is not looked at
    sub-attribute of a multi-valued one   without filter, is written in all its values
"""

from __future__ import annotations

import copy
from enum import StrEnum
from typing import Any

from reconciler.sandbox.errors import invalid_syntax, invalid_value, no_target, not_mutable
from reconciler.sandbox.paths import PatchPath, parse_path
from reconciler.sandbox.resources import extension_members
from reconciler.sandbox.schema import Attribute, AttributeType, JsonObject, Mutability, Place, ResourceType
from reconciler.sandbox.values import (
    canonical_element,
    canonical_value,
    check_unchanged,
    distinct,
    folded_names,
    is_primary,
    unknown_attribute,
)

PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


class Verb(StrEnum):
    """What one operation does."""

    ADD = "add"
    REMOVE = "remove"
    REPLACE = "replace"


def apply_patch(document: JsonObject, body: Any, resource_type: ResourceType) -> JsonObject:
    """Return the document after all operations in their order; raises ScimError 400 at the first impossible one."""
    patched: JsonObject = copy.deepcopy(document)
    for operation in _operations(body):
        _apply(patched, operation, resource_type)
    return patched


def _operations(body: Any) -> list[JsonObject]:
    if not isinstance(body, dict):
        raise invalid_syntax("The body must be a JSON object.")
    members = {folded: value for folded, (_, value) in folded_names(body, "").items()}
    schemas = members.get("schemas")
    if not isinstance(schemas, list) or PATCH_OP not in schemas:
        raise invalid_syntax(f"schemas must name {PATCH_OP}.")
    operations = members.get("operations")
    if not isinstance(operations, list) or not operations:
        raise invalid_syntax("Operations must be a list of at least one operation.")
    return [_operation(operation) for operation in operations]


def _operation(operation: Any) -> JsonObject:
    if not isinstance(operation, dict):
        raise invalid_syntax("Every operation must be an object.")
    members = {folded: value for folded, (_, value) in folded_names(operation, "").items()}
    unknown = set(members) - {"op", "path", "value"}
    if unknown:
        raise invalid_syntax(f"An operation has op, path and value, not {', '.join(sorted(unknown))}.")
    return members


def _apply(document: JsonObject, operation: JsonObject, resource_type: ResourceType) -> None:
    name = operation.get("op")
    try:
        verb = Verb(name.lower() if isinstance(name, str) else "")
    except ValueError as error:
        raise invalid_syntax(f"op must be add, remove or replace, not {name!r}.") from error
    path = operation.get("path")
    if verb is Verb.REMOVE:
        if path is None:
            raise no_target("remove needs a path.")
        _remove(document, parse_path(path, resource_type))
        return
    if "value" not in operation or (verb is Verb.ADD and operation["value"] is None):
        raise invalid_value(f"{verb} needs a value.")
    if path is None:
        _write_members(document, operation["value"], verb, resource_type)
    else:
        _write(document, parse_path(path, resource_type), operation["value"], verb, resource_type)


def _write_members(document: JsonObject, value: Any, verb: Verb, resource_type: ResourceType) -> None:
    """Without a path, the value is a partial resource, written member by member; their names may be paths."""
    if not isinstance(value, dict):
        raise invalid_value(f"{verb} without a path needs an object of attributes.")
    for folded, (name, member) in folded_names(value, "").items():
        if folded == "schemas" or (member is None and verb is Verb.ADD):
            continue
        if folded.partition(".")[0] not in resource_type.attributes and not folded.startswith("urn:"):
            raise unknown_attribute(name)
        _write(document, parse_path(name, resource_type), member, verb, resource_type)


def _write(document: JsonObject, path: PatchPath, value: Any, verb: Verb, resource_type: ResourceType) -> None:
    attribute = path.attribute
    if attribute is None:
        _write_extension(document, path, value, verb, resource_type)
        return
    _check_writable(path)
    if path.selects is not None:
        _write_selected(document, path, value, verb)
    elif path.sub_attribute is not None:
        _write_sub_attribute(document, path, value)
    elif attribute.multi_valued:
        _write_list(document, path, value, verb)
    elif attribute.type is AttributeType.COMPLEX:
        _write_object(document, path, value)
    else:
        _assign(document, path, canonical_value(attribute, value, path.text))


def _write_extension(
    document: JsonObject, path: PatchPath, value: Any, verb: Verb, resource_type: ResourceType
) -> None:
    urn = path.place.extension or ""
    if value is None:
        document.pop(urn, None)
        return
    if not isinstance(value, dict):
        raise invalid_value(f"{urn} needs an object of attributes.")
    for folded, (name, member) in extension_members(value, urn).items():
        attribute = resource_type.extensions[urn].attributes.get(folded)
        if attribute is None:
            raise unknown_attribute(f"{urn}:{name}")
        if attribute.read_only or (member is None and verb is Verb.ADD):
            continue
        place = Place(extension=urn, attribute=attribute)
        _write(document, PatchPath(text=f"{urn}:{attribute.name}", place=place), member, verb, resource_type)


def _write_list(document: JsonObject, path: PatchPath, value: Any, verb: Verb) -> None:
    attribute = _attribute(path)
    sent = value if isinstance(value, list) or value is None else [value]
    new = canonical_value(attribute, sent, path.text) or []
    if verb is Verb.REPLACE:
        _assign(document, path, new)
        return
    held = _held(document, path) or []
    known = distinct(attribute, [*held, *new])
    _assign(document, path, _one_primary(held, known, path))


def _write_object(document: JsonObject, path: PatchPath, value: Any) -> None:
    if value is None:
        _assign(document, path, None)
        return
    attribute = _attribute(path)
    _assign(document, path, _merged(attribute, _held(document, path) or {}, value, path))


def _write_sub_attribute(document: JsonObject, path: PatchPath, value: Any) -> None:
    attribute, sub_attribute = _attribute(path), path.sub_attribute
    name = sub_attribute.name if sub_attribute else ""
    held = _held(document, path)
    if not attribute.multi_valued:
        _assign(document, path, _merged(attribute, held or {}, {name: value}, path))
        return
    if not held:
        raise no_target(f"{attribute.name} has no values, so {path.text} cannot be written.")
    written = [_merged(attribute, element, {name: value}, path) for element in held]
    _assign(document, path, _one_primary(held, written, path))


def _write_selected(document: JsonObject, path: PatchPath, value: Any, verb: Verb) -> None:
    attribute = _attribute(path)
    held = _held(document, path) or []
    chosen = _chosen(path, held)
    if not chosen:
        raise no_target(f"{path.text} matches no value.")
    elements = [
        _written_element(attribute, element, value, path, verb) if index in chosen else element
        for index, element in enumerate(held)
    ]
    kept = [element for element in _one_primary(held, elements, path) if element]
    _assign(document, path, distinct(attribute, kept))


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


def _remove(document: JsonObject, path: PatchPath) -> None:
    attribute = path.attribute
    if attribute is None:
        document.pop(path.place.extension or "", None)
        return
    _check_writable(path)
    held = _held(document, path)
    if path.selects is not None:
        _remove_selected(document, path, held or [])
    elif path.sub_attribute is not None:
        _check_removable(path.sub_attribute, path.text)
        elements = held if attribute.multi_valued else [held]
        kept = [_without(attribute, element, path.sub_attribute) for element in elements or [] if element]
        _assign(document, path, kept if attribute.multi_valued else next(iter(kept), None))
    else:
        _check_removable(attribute, path.text)
        _assign(document, path, None)


def _remove_selected(document: JsonObject, path: PatchPath, held: list[Any]) -> None:
    chosen = _chosen(path, held)
    if not chosen:
        raise no_target(f"{path.text} matches no value.")
    if path.sub_attribute is None:
        _assign(document, path, [element for index, element in enumerate(held) if index not in chosen])
        return
    _check_removable(path.sub_attribute, path.text)
    attribute = _attribute(path)
    elements = [
        _without(attribute, element, path.sub_attribute) if index in chosen else element
        for index, element in enumerate(held)
    ]
    _assign(document, path, distinct(attribute, [element for element in elements if element]))


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


def _check_writable(path: PatchPath) -> None:
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


def _assign(document: JsonObject, path: PatchPath, value: Any) -> None:
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
