"""Values that clients send, checked against the schema and brought into its spelling.

Reads one attribute at a time. Unassigned values (null, empty lists, objects without members) come out as None
(RFC 7643 section 2.5); sub-attributes that are read-only are left out (RFC 7644 section 3.5.1).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any

from reconciler.sandbox.errors import ScimError, invalid_syntax, invalid_value, not_mutable
from reconciler.sandbox.schema import Attribute, AttributeType, JsonObject, instant


def canonical_value(attribute: Attribute, value: Any, path: str) -> Any:
    """Return the value as it is kept, or None when it is unassigned.

    Raises ScimError 400: invalidValue for a wrong type or a missing required sub-attribute, invalidSyntax for a name
    that the schema does not have. `path` is only used to say where.
    """
    if value is None:
        return None
    if not attribute.multi_valued:
        return canonical_element(attribute, value, path)
    if not isinstance(value, list):
        raise invalid_value(f"{path} is multi-valued: a list is needed, not {_kind(value)}.")
    elements = [canonical_element(attribute, element, f"{path}[{index}]") for index, element in enumerate(value)]
    kept = distinct(attribute, [element for element in elements if element is not None])
    if sum(1 for element in kept if is_primary(element)) > 1:
        raise invalid_value(f"{path} has more than one value marked primary.")
    return kept or None


def canonical_element(attribute: Attribute, value: Any, path: str) -> Any:
    """Return one value of a multi-valued attribute, or the value of any other, as it is kept; None if unassigned."""
    if value is None:
        return None
    if attribute.type is AttributeType.COMPLEX:
        return _canonical_object(attribute, value, path)
    check_simple(attribute, value, path)
    return value


def distinct(attribute: Attribute, elements: list[Any]) -> list[Any]:
    """Drop values that are there already: links by their id, others when they are equal throughout."""
    if not attribute.links:
        kept: list[Any] = []
        for element in elements:
            if element not in kept:
                kept.append(element)
        return kept
    by_id: dict[str, Any] = {}
    for element in elements:
        by_id.setdefault(element["value"], element)
    return list(by_id.values())


def is_primary(element: Any) -> bool:
    """Whether a value of a multi-valued attribute is marked as the preferred one."""
    return isinstance(element, dict) and element.get("primary") is True


def check_simple(attribute: Attribute, value: Any, path: str) -> None:
    """Raise ScimError 400 invalidValue unless the value is of the attribute's simple type (RFC 7643 section 2.3)."""
    if not _FITS[attribute.type](value):
        raise invalid_value(f"{path} needs a value of type {attribute.type}, not {_kind(value)}.")


def folded_names(value: JsonObject, path: str) -> dict[str, tuple[str, Any]]:
    """Return the members of an object by folded name, each with the name as it was sent.

    Names compare without case (RFC 7643 section 2.1), so two that differ in case only are refused.
    """
    members: dict[str, tuple[str, Any]] = {}
    for name, member in value.items():
        if name.lower() in members:
            raise invalid_syntax(f"{path or 'The resource'} names {name} twice.")
        members[name.lower()] = (name, member)
    return members


def _canonical_object(attribute: Attribute, value: Any, path: str) -> Any:
    if not isinstance(value, dict):
        raise invalid_value(f"{path} is complex: an object is needed, not {_kind(value)}.")
    kept: JsonObject = {}
    for folded, (name, member) in folded_names(value, path).items():
        sub_attribute = attribute.sub_attributes.get(folded)
        if sub_attribute is None:
            raise unknown_attribute(f"{path}.{name}")
        if sub_attribute.read_only:
            continue
        canonical = canonical_value(sub_attribute, member, f"{path}.{sub_attribute.name}")
        if canonical is not None:
            kept[sub_attribute.name] = canonical
    if not kept:
        return None
    _require(attribute, kept, path)
    return _without_reference(kept, path) if attribute.links else kept


def _require(attribute: Attribute, kept: JsonObject, path: str) -> None:
    for sub_attribute in attribute.sub_attributes.values():
        if sub_attribute.required and sub_attribute.name not in kept:
            raise invalid_value(f"{path}.{sub_attribute.name} is required.")


def _without_reference(element: JsonObject, path: str) -> JsonObject:
    """Keep the id of a link; `$ref` is worked out anew for every answer, because it depends on the host asked."""
    reference = element.pop("$ref", None)
    if "value" not in element and reference is not None:
        element["value"] = reference.rstrip("/").rsplit("/", 1)[-1]
    if not element.get("value"):
        raise invalid_value(f"{path}.value is needed: the id of a resource.")
    return element


def unknown_attribute(path: str) -> ScimError:
    """Return the refusal of a name that the schema does not have."""
    return invalid_syntax(f"{path} is not an attribute of this resource type; /Schemas lists those that are.")


def check_unchanged(attribute: Attribute, before: Any, after: Any, path: str) -> None:
    """Raise ScimError 400 mutability when an immutable attribute that has a value would get another one."""
    if before is not None and before != after:
        raise not_mutable(f"{path} cannot change once it is set ({attribute.mutability}).")


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_date_time(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    try:
        instant(value)
    except ValueError:
        return False
    return "T" in value


def _is_binary(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    try:
        base64.b64decode(value, validate=True)
    except binascii.Error:
        return False
    return True


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "a boolean"
    names = {str: "text", int: "a number", float: "a number", list: "a list", dict: "an object"}
    return names.get(type(value), "null")


_FITS: dict[AttributeType, Callable[[Any], bool]] = {
    AttributeType.STRING: _is_text,
    AttributeType.REFERENCE: _is_text,
    AttributeType.DATE_TIME: _is_date_time,
    AttributeType.BINARY: _is_binary,
    AttributeType.BOOLEAN: lambda value: isinstance(value, bool),
    AttributeType.INTEGER: lambda value: isinstance(value, int) and not isinstance(value, bool),
    AttributeType.DECIMAL: lambda value: isinstance(value, int | float) and not isinstance(value, bool),
}
