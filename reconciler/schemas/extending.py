"""The schema of declarations with the attributes that the profiles of a repository add, each by its kind.

Declarations are judged by it, and editors can be given it.
"""

from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

from reconciler.scim.attributes import Attribute, Kind

_TEXT: Final = {"type": ["string", "number", "boolean", "null"], "minLength": 1, "errorMessage": "must be text"}
_SET_TEXT: Final = {"type": ["string", "number", "boolean"], "minLength": 1, "errorMessage": "must be text"}
_TRUTH: Final = {"type": ["boolean", "null"], "errorMessage": "must be true or false"}
_TRUTHS: Final = ("primary",)
"""Parts that are true or false (RFC 7643 §2.4); all others are text."""
_USERS: Final = ("template", "user", "userOverride")
_GROUPS: Final = ("group", "groupOverride")


class Own(Struct, frozen=True, kw_only=True):
    """The attributes that the profiles of a repository add, of users and of groups; each name once."""

    users: tuple[Attribute, ...] = ()
    groups: tuple[Attribute, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.users or self.groups)


def extended(identities: dict[str, Any], own: Own) -> dict[str, Any]:
    """The schema of declarations, in place, with more properties; what it has already it keeps."""
    nodes = identities["$defs"]
    for attribute in own.users:
        for name in _USERS:
            nodes[name]["properties"].setdefault(attribute.name, _property(attribute))
        if attribute.kind in (Kind.NAMES, Kind.LEVELS):
            node = {"description": f"Names to take out of {attribute.name}.", "$ref": "#/$defs/someItems"}
            nodes["without"]["properties"].setdefault(attribute.name, _titled(attribute, node))
        if attribute.kind in (Kind.TEXT, Kind.NAMES, Kind.LEVELS):
            node = {"description": f"Has this {attribute.name}.", "$ref": "#/$defs/alternatives"}
            nodes["memberRule"]["properties"].setdefault(attribute.name, _titled(attribute, node))
    for attribute in own.groups:
        for name in _GROUPS:
            nodes[name]["properties"].setdefault(attribute.name, _property(attribute))
    return identities


def _property(attribute: Attribute) -> dict[str, Any]:
    return _titled(
        attribute, {"description": f"Of {attribute.schema}, by a profile of this repository.", **_shape(attribute)}
    )


def _titled(attribute: Attribute, node: Mapping[str, Any]) -> dict[str, Any]:
    return {"title": attribute.name, **node}


def _shape(attribute: Attribute) -> dict[str, Any]:
    match attribute.kind:
        case Kind.TEXT:
            return dict(_TEXT)
        case Kind.BOOLEAN:
            return dict(_TRUTH)
        case Kind.NUMBER:
            return {"type": ["number", "null"], "errorMessage": "must be a number"}
        case Kind.DATE:
            day = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
            return {"type": ["string", "null"], "pattern": day, "errorMessage": "must be a date such as 2026-12-31"}
        case Kind.REFERENCE:
            return {"$ref": "#/$defs/manager"}
        case Kind.COMPLEX:
            parts = {part: _part(part, _TEXT) for part in attribute.parts}
            return _mapping(f"must be a mapping of {_listed(attribute.parts)}", properties=parts, closed=True)
        case Kind.KEYED:
            words = f"must be a mapping: {attribute.key} -> {'value' if attribute.value else 'parts'}"
            return _mapping(words, additionalProperties=_element(attribute))
        case Kind.NAMES:
            return {"type": ["array", "null"], "errorMessage": "must be a list", "items": {"$ref": "#/$defs/item"}}
        case Kind.LEVELS:
            return _mapping("must be a mapping: name -> number", additionalProperties=_level(attribute))
        case _:
            return {}


def _element(attribute: Attribute) -> dict[str, Any]:
    """One element of several: its parts, or a value alone where a part is what a bare value means."""
    parts = {part: _part(part, _SET_TEXT if part == attribute.value else _TEXT) for part in attribute.parts}
    listed = _listed(attribute.parts)
    if attribute.value is None:
        return _mapping(f"must be a mapping of {listed}", properties=parts, closed=True)
    bare = _mapping(f"must be text, or a mapping with {listed}", properties=parts, closed=True)
    return {**bare, "type": ["string", "number", "boolean", "object", "null"], "minLength": 1}


def _level(attribute: Attribute) -> dict[str, Any]:
    low, high = attribute.minimum, attribute.maximum
    words = f"must be a number from {low:g} to {high:g}" if high is not None else f"must be a number from {low:g} on"
    most = {"maximum": high} if high is not None else {}
    return {"type": ["number", "null"], "minimum": low, **most, "errorMessage": words}


def _part(name: str, text: Mapping[str, Any]) -> dict[str, Any]:
    return {"title": name, "description": f"The {name}.", **(_TRUTH if name in _TRUTHS else text)}


def _mapping(words: str, *, closed: bool = False, **more: Any) -> dict[str, Any]:
    return {
        "type": ["object", "null"],
        "errorMessage": words,
        **({"additionalProperties": False} if closed else {}),
        **more,
    }


def _listed(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
