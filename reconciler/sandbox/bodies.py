"""What is done to the body of a write before it is read: parts of it may be refused or lost, by switch.

Works on bodies as they were sent, of POST and PUT as well as of PATCH, and leaves to `resources` and `patching` what is
wrong with them: what is not shaped as expected passes through.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from reconciler.sandbox.errors import ScimError
from reconciler.sandbox.organisation import Organisation
from reconciler.sandbox.patching import PATCH_OP
from reconciler.sandbox.schema import Attribute, JsonObject, PathError, ResourceType
from reconciler.sandbox.switches import Treatment

_FILTER = re.compile(r'\[(?:[^"\]]|"(?:[^"\\]|\\.)*")*\]')
_LOST = object()
# What an operation that is lost leaves behind: one that does nothing, so that the others keep their places.
_NOTHING: JsonObject = {"op": "add", "value": {}}

# path (without filter), value, whether the value is all that is written there -> the value to go on with, or _LOST
_Rewrite = Callable[[str, Any], Any]


def rewritten(body: Any, resource_type: ResourceType, organisation: Organisation) -> Any:
    """Return the body that is read in place of the one sent; raises ScimError 403 for a forbidden attribute."""
    switches = organisation.switches
    steps: list[_Rewrite] = []
    if switches.forbidden:
        ignored = switches.forbidden_writes is Treatment.IGNORE
        steps.append(_dropping(switches.forbidden) if ignored else _forbidding(switches.forbidden))
    if switches.dropped:
        steps.append(_dropping(switches.dropped))
    display = resource_type.attributes["displayname"]
    if display.read_only and switches.group_rename is Treatment.IGNORE:
        steps.append(_dropping((display.name,)))
    if switches.empty_values_ignored:
        steps.append(lambda _, value: _without_empty(value))
    if organisation.tolerated or switches.unknown_attributes is Treatment.IGNORE:
        steps.append(_tolerating(resource_type, organisation))
    if not steps or not isinstance(body, dict):
        return body

    def rewrite(path: str, value: Any) -> Any:
        for step in steps:
            value = step(path, value)
            if value is _LOST:
                break
        return value

    if switches.unknown_attributes is Treatment.IGNORE:
        body = _with_known_schemas(body, resource_type)
    operations = next((value for name, value in body.items() if name.lower() == "operations"), None)
    if isinstance(operations, list):
        patched = [_operation(each, rewrite, resource_type) for each in operations]
        return {**{name: value for name, value in body.items() if name.lower() != "operations"}, "Operations": patched}
    return _resource(body, rewrite, resource_type)


def bare_name(path: str) -> str:
    """Return the attribute a path leads to, without URN, filter and sub-attribute, in lower case."""
    plain = _FILTER.sub("", path)
    return (plain.rsplit(":", 1)[-1] if plain.lower().startswith("urn:") else plain).partition(".")[0].lower()


def _operation(operation: Any, rewrite: _Rewrite, resource_type: ResourceType) -> Any:
    if not isinstance(operation, dict):
        return operation
    members = {name.lower(): (name, value) for name, value in operation.items()}
    value_name, value = members.get("value", ("value", None))
    path = members.get("path", ("", None))[1]
    removes = str(members.get("op", ("", ""))[1]).lower() == "remove"
    if not isinstance(path, str):
        if not isinstance(value, dict):
            return operation
        return {**operation, value_name: _resource(value, rewrite, resource_type)}
    if resource_type.extension_id(path) is not None and isinstance(value, dict):
        return {**operation, value_name: _members(value, rewrite, f"{path}:")}
    result = rewrite(path, _REMOVAL if removes else value)
    if result is _LOST:
        return _NOTHING
    return operation if removes else {**operation, value_name: result}


# Stands for the value of a remove, so that it is never taken for an empty one.
_REMOVAL = "removed"


def _resource(body: JsonObject, rewrite: _Rewrite, resource_type: ResourceType) -> JsonObject:
    kept: JsonObject = {}
    for name, value in body.items():
        if name.lower() == "schemas":
            kept[name] = value
        elif resource_type.extension_id(name) is not None and isinstance(value, dict):
            kept[name] = _members(value, rewrite, f"{name}:")
        elif (result := rewrite(name, value)) is not _LOST:
            kept[name] = result
    return kept


def _members(value: JsonObject, rewrite: _Rewrite, prefix: str) -> JsonObject:
    results = {name: rewrite(prefix + name, member) for name, member in value.items()}
    return {name: result for name, result in results.items() if result is not _LOST}


def _with_known_schemas(body: JsonObject, resource_type: ResourceType) -> JsonObject:
    schemas = body.get("schemas")
    if not isinstance(schemas, list):
        return body
    core = resource_type.schema.id.lower()
    known = [
        urn
        for urn in schemas
        if not isinstance(urn, str)
        or urn.lower() == core
        or resource_type.extension_id(urn) is not None
        or urn == PATCH_OP
    ]
    return {**body, "schemas": known}


def _forbidding(names: tuple[str, ...]) -> _Rewrite:
    folded = {name.lower() for name in names}

    def refuse(path: str, value: Any) -> Any:
        if bare_name(path) in folded:
            raise ScimError(403, f"The token may not write {path}.", gateway=True)
        return value

    return refuse


def _dropping(names: tuple[str, ...]) -> _Rewrite:
    folded = {name.lower() for name in names}
    return lambda path, value: _LOST if bare_name(path) in folded else value


def _without_empty(value: Any) -> Any:
    """Take out everything empty, from the inside outwards; what is empty then is lost as a whole."""
    if isinstance(value, dict):
        parts = {name: _without_empty(part) for name, part in value.items()}
        value = {name: part for name, part in parts.items() if part is not _LOST}
    elif isinstance(value, list):
        value = [part for part in map(_without_empty, value) if part is not _LOST]
    return _LOST if value in (None, "", [], {}) else value


def _tolerating(resource_type: ResourceType, organisation: Organisation) -> _Rewrite:
    everything = organisation.switches.unknown_attributes is Treatment.IGNORE

    def tolerate(path: str, value: Any) -> Any:
        if not everything and bare_name(path) not in organisation.tolerated:
            return value
        try:
            place = resource_type.place(_FILTER.sub("", path))
        except PathError:
            return _LOST if everything else value
        return value if place.leaf is None else _pruned(place.leaf, value)

    return tolerate


def _pruned(attribute: Attribute, value: Any) -> Any:
    """Leave out members of objects that the attribute does not have."""
    if isinstance(value, list):
        return [_pruned(attribute, each) for each in value]
    if not isinstance(value, dict) or not attribute.sub_attributes:
        return value
    return {name: part for name, part in value.items() if name.lower() in attribute.sub_attributes}
