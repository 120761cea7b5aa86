"""What a service provider says of its schemas (RFC 7643 §7), as rows of a profile: a beginning for who writes one.

A proposal and no more: a schema tells shapes, not which values give access or must exist. Its words are a server's, so
a name or a URN that could be no part of a profile is passed over. Pure.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from reconciler.lazy import pattern
from reconciler.model import Json, ResourceType
from reconciler.profiles.checks import RESERVED
from reconciler.profiles.profile import Profile
from reconciler.transport.answers import member

_NAME: Final = pattern(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
_URN: Final = pattern(r"urn:[A-Za-z0-9:._-]{1,200}")
_PLAIN: Final = {"string": "text", "boolean": "boolean", "integer": "number", "decimal": "number", "reference": "text"}
_NEVER: Final = frozenset({"readonly", "immutable"})


def unknown_attributes(
    schemas: Mapping[str, Json], types: Mapping[str, Json] | None, profile: Profile
) -> dict[ResourceType, list[str]]:
    """Resource type -> rows of ``attributes`` for what can be written there and no row of the profile is about.

    `schemas`, `types`: the answers of /Schemas and /ResourceTypes (RFC 7644 §4); without the latter the URN tells.
    """
    found: dict[ResourceType, list[str]] = {}
    owners = dict(_owners(types)) if types is not None else {}
    for schema in _resources(schemas):
        urn = member(schema, "id")
        if not isinstance(urn, str) or not _URN.fullmatch(urn):
            continue
        guessed = ResourceType.GROUP if urn.lower().endswith(":group") else ResourceType.USER
        resource_type = owners.get(urn.lower(), None if owners else guessed)
        if resource_type is None:
            continue
        table = profile.rules(resource_type).table
        reserved = {each.lower() for each in RESERVED}
        for attribute in _mappings(member(schema, "attributes")):
            name = member(attribute, "name")
            if not isinstance(name, str) or not _NAME.fullmatch(name) or name.lower() in reserved:
                continue
            if table.get(name) is None and str(member(attribute, "mutability")).lower() not in _NEVER:
                found.setdefault(resource_type, []).append(_row(name, urn, attribute))
    return found


def _owners(types: Mapping[str, Json]) -> Iterator[tuple[str, ResourceType]]:
    """Schema, in lower case -> the type of resource that has it."""
    for each in _resources(types):
        called = str(member(each, "name") or member(each, "id")).lower()
        extensions = [member(one, "schema") for one in _mappings(member(each, "schemaExtensions"))]
        if called in tuple(ResourceType):
            for urn in (member(each, "schema"), *extensions):
                yield str(urn).lower(), ResourceType(called)


def _row(name: str, urn: str, attribute: Mapping[str, Json]) -> str:
    return f'- {{name: {name}, {_shape(attribute)}, schema: "{urn}"}}'


def _shape(attribute: Mapping[str, Json]) -> str:
    kind, several = str(member(attribute, "type")).lower(), member(attribute, "multiValued") is True
    names = [str(member(each, "name")) for each in _mappings(member(attribute, "subAttributes"))]
    parts = [each for each in names if _NAME.fullmatch(each) and each not in ("$ref", "type")]
    if kind != "complex" or not parts:
        return "kind: json" if several or kind not in _PLAIN else f"kind: {_PLAIN[kind]}"
    if not several:
        return f"kind: complex, parts: [{', '.join(parts)}]"
    if "type" in names:
        value = "" if "value" in parts else ", value: null"
        return f"kind: keyed, parts: [{', '.join(parts)}]{value}"
    return "kind: names" if "value" in parts else "kind: json"


def _resources(document: Mapping[str, Json]) -> Iterator[Mapping[str, Json]]:
    return _mappings(member(document, "Resources"))


def _mappings(value: object) -> Iterator[Mapping[str, Json]]:
    yield from (each for each in value if isinstance(each, Mapping)) if isinstance(value, list | tuple) else ()
