"""A whole resource with the operations of a PATCH carried out on it, for providers that are changed by PUT only.

Pure. Understands the forms of path that `planning.encoding` writes, and no others. Whatever the operations do not name
stays as it was read: somebody else gave it.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from typing import Any, Final

from reconciler.model import Json, PatchOp, PatchOperation, without_case
from reconciler.scim.attributes import PRIMARY, Attribute
from reconciler.transport.answers import member

_PATH: Final = re.compile(
    r"(?:(?P<urn>urn:.*):)?(?P<name>[A-Za-z$][\w$-]*)"
    r'(?:\[(?P<by>\w+) eq (?P<key>"(?:[^"\\]|\\.)*")\])?(?:\.(?P<part>[A-Za-z$][\w$-]*))?',
    re.DOTALL,
)
_SERVERS_OWN: Final = ("meta", "groups")
"""Read-only attributes of a user: what is sent of them is ignored (RFC 7644 §3.5.1), or refused by some."""


def carried_out(resource: Mapping[str, Json], operations: Iterable[PatchOperation]) -> dict[str, Any]:
    """The body of a PUT (RFC 7644 §3.5.1): the resource as it was read, with what the operations make of it."""
    body: dict[str, Any] = deepcopy(dict(resource))
    for each in operations:
        _carry_out(body, each)
    return {name: value for name, value in body.items() if name.lower() not in _SERVERS_OWN}


def with_whole_lists(
    resource: Mapping[str, Json], operations: Iterable[PatchOperation], lists: Sequence[Attribute]
) -> tuple[PatchOperation, ...]:
    """The same PATCH with one operation for each of these lists that it changes: the list as read, with its changes."""
    operations = tuple(operations)
    found: list[PatchOperation] = []
    for attribute in lists:
        own = [each for each in operations if _is_about(each, attribute)]
        if own:
            body = carried_out(resource, own)
            home = body if attribute.path == attribute.name else member(body, attribute.schema) or {}
            elements = member(home, attribute.name)
            op = PatchOp.REPLACE if elements else PatchOp.REMOVE
            found.append(PatchOperation(op=op, path=attribute.path, value=elements or None))
    others = [each for each in operations if not any(_is_about(each, attribute) for attribute in lists)]
    return (*others, *found)


def _is_about(operation: PatchOperation, attribute: Attribute) -> bool:
    return operation.path == attribute.path or operation.path.startswith(f"{attribute.path}[")


def _carry_out(body: dict[str, Any], operation: PatchOperation) -> None:
    found = _PATH.fullmatch(operation.path)
    if found is None:
        raise ValueError(f"not a path of ours: {operation.path}")
    urn, by, part = found["urn"], found["by"], found["part"]
    home = body if urn is None else _extension(body, urn)
    name = _spelling(home, found["name"])
    if by is not None:
        _change_elements(home, name, by, json.loads(found["key"]), part, operation)
    elif part is not None:
        inner = home.get(name)
        home[name] = _with_part(inner if isinstance(inner, dict) else {}, part, operation)
    elif operation.op is PatchOp.ADD and isinstance(operation.value, list):
        home[name] = _joined(_elements(home.get(name)), operation.value)
    else:
        home[name] = None if operation.op is PatchOp.REMOVE else operation.value
    _drop_if_empty(home, name)
    if urn is not None and not home:
        _leave_extension(body, urn)


def _change_elements(
    home: dict[str, Any], name: str, by: str, key: str, part: str | None, operation: PatchOperation
) -> None:
    """The elements that a filter finds: taken out, or one of their parts set or taken."""
    elements = _elements(home.get(name))
    found = _found(elements, by, key)
    if part is None:
        home[name] = [each for each in elements if each not in found]
        return
    if not found and operation.op is not PatchOp.REMOVE:
        found = [{by: key}]
        elements = [*elements, *found]
    if part == PRIMARY and operation.value is True:
        # at most one element is the preferred one (RFC 7643 §2.4)
        elements = [each if each in found else _without(each, PRIMARY) for each in elements]
    home[name] = [_with_part(each, part, operation) if each in found else each for each in elements]


def _found(elements: list[Any], by: str, key: str) -> list[Any]:
    """The elements whose sub-attribute has the value: exactly so, else without regard to case (types are like that)."""
    values = [(each, each.get(_spelling(each, by))) for each in elements if isinstance(each, dict)]
    exact = [each for each, value in values if value == key]
    plain = without_case(key)
    return exact or [each for each, value in values if isinstance(value, str) and without_case(value) == plain]


def _with_part(element: dict[str, Any], part: str, operation: PatchOperation) -> dict[str, Any]:
    left = {name: value for name, value in element.items() if name.lower() != part.lower()}
    return left if operation.op is PatchOp.REMOVE else left | {_spelling(element, part): operation.value}


def _without(element: Any, part: str) -> Any:
    if not isinstance(element, dict):
        return element
    return {name: value for name, value in element.items() if name.lower() != part.lower()}


def _joined(elements: list[Any], more: list[Any]) -> list[Any]:
    """Appended (RFC 7644 §3.5.2.1); a new preferred element takes the mark from the others."""
    if any(isinstance(each, dict) and each.get(PRIMARY) is True for each in more):
        elements = [_without(each, PRIMARY) for each in elements]
    return [*elements, *(each for each in more if each not in elements)]


def _elements(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [] if value is None else [value]


def _extension(body: dict[str, Any], urn: str) -> dict[str, Any]:
    """The object of an extension, which is announced in `schemas` (RFC 7643 §3.3)."""
    schemas = body.setdefault(_spelling(body, "schemas"), [])
    if not any(each.lower() == urn.lower() for each in schemas):
        schemas.append(urn)
    home = body.get(_spelling(body, urn))
    if not isinstance(home, dict):
        home = body[_spelling(body, urn)] = {}
    return home


def _leave_extension(body: dict[str, Any], urn: str) -> None:
    body.pop(_spelling(body, urn), None)
    schemas = _spelling(body, "schemas")
    body[schemas] = [each for each in body[schemas] if each.lower() != urn.lower()]


def _drop_if_empty(home: dict[str, Any], name: str) -> None:
    """Unassigned is left out; null and empty lists mean the same and are refused by some (RFC 7643 §2.5)."""
    if home.get(name) is None or home[name] in ([], {}):
        home.pop(name, None)


def _spelling(mapping: Mapping[str, Any], name: str) -> str:
    """How the mapping spells a name: attribute names compare without case (RFC 7643 §2.1)."""
    return name if name in mapping else next((each for each in mapping if each.lower() == name.lower()), name)
