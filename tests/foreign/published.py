"""Declarations made of what a server itself publishes under /Schemas, and whether the server holds them afterwards.

Compares plain JSON with plain JSON: nothing of the reconciler's own reading is used.
"""

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.foreign.servers import Foreign

CORE_USER = "urn:ietf:params:scim:schemas:core:2.0:User"
CORE_GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

IDENTIFYING = ("userName", "active", "displayName")
NAMES = ("roles", "entitlements", "x509Certificates")
"""Lists of which only the values are declared."""
PARTS = ("value", "formatted", "streetAddress", "locality", "region", "postalCode", "country")
"""Sub-attributes of an element that are declared."""
FITTING: Mapping[str, Sequence[str]] = {
    "locale": ("en-GB", "de-DE"),
    "preferredLanguage": ("en-GB", "de-DE"),
    "timezone": ("Europe/London", "Europe/Berlin"),
    "country": ("GB", "DE"),
    "emails": ("mail{}-1@example.com", "mail{}-2@example.com"),
    "phoneNumbers": ("+4420794600{:02}", "+4989636480{:02}"),
}
"""Values that fit what the attribute means, on the first and the second turn; `{}` is a number of its own."""


@dataclass(frozen=True)
class Published:
    """One attribute that the server offers for writing."""

    name: str
    kind: str
    multiple: bool
    extension: bool
    parts: tuple[str, ...]
    types: tuple[str, ...]


def offered(foreign: Foreign) -> list[Published]:
    """The attributes of users that the server says can be written and read, without those that everybody has."""
    found = []
    for schema in foreign.request("GET", "/Schemas")["Resources"]:
        if schema["id"] in (CORE_USER, ENTERPRISE):
            found += [_published(each, schema["id"]) for each in schema["attributes"] if _writable(each)]
    assert found
    return found


def nests(foreign: Foreign) -> bool:
    """Whether the server says that a group may be a member of a group."""
    for schema in foreign.request("GET", "/Schemas")["Resources"]:
        for attribute in schema["attributes"] if schema["id"] == CORE_GROUP else ():
            if attribute["name"] == "members":
                kinds = next(each for each in attribute["subAttributes"] if each["name"] == "type")
                return "Group" in kinds.get("canonicalValues", ())
    return False


def values(attributes: Sequence[Published], turn: int, manager: str) -> dict[str, Any]:
    """Lines for every attribute, other ones on turn 0 and on turn 1."""
    return {each.name: _value(each, turn, manager) for each in attributes}


def cleared(attributes: Sequence[Published]) -> dict[str, Any]:
    """The line that clears, for every attribute."""
    return {each.name: None for each in attributes}


def differences(
    attributes: Sequence[Published], lines: Mapping[str, Any], row: Mapping[str, Any], ids: Mapping[str, str]
) -> list[str]:
    """Where the server's row is not what the lines say. `ids`: key -> id, for managers."""
    found = []
    for each in attributes:
        home = row.get(ENTERPRISE, {}) if each.extension else row
        held, wanted = home.get(each.name), lines[each.name]
        if not _same(each, wanted, held, ids):
            found.append(f"{each.name}: wanted {wanted}, the server holds {held}")
    return found


def _writable(attribute: Mapping[str, Any]) -> bool:
    return attribute["mutability"] == "readWrite" and attribute["name"] not in (*IDENTIFYING, "groups")


def _published(attribute: Mapping[str, Any], schema: str) -> Published:
    parts = {each["name"]: each for each in attribute.get("subAttributes") or ()}
    return Published(
        name=attribute["name"],
        kind=attribute["type"],
        multiple=attribute["multiValued"],
        extension=schema == ENTERPRISE,
        parts=tuple(parts),
        types=tuple(parts["type"].get("canonicalValues") or ()) if "type" in parts else (),
    )


def _value(each: Published, turn: int, manager: str) -> Any:
    if each.name == "manager":
        return manager
    if each.name == "x509Certificates":
        return [base64.b64encode(f"certificate {turn} {n}".encode()).decode() for n in range(2)]
    if each.name in NAMES:
        # one stays, one comes or goes
        return [f"{each.name} kept", f"{each.name} {turn}"]
    if each.multiple:
        first, second, *_ = (*each.types, "work", "home")
        return {kind: _element(each, turn, n) for n, kind in enumerate((first, second))}
    if each.kind == "complex":
        return {part: f"{part} {turn}" for part in each.parts}
    if each.kind == "reference":
        return f"https://example.com/{each.name}/{turn}"
    return _text(each.name, turn, 0)


def _element(each: Published, turn: int, number: int) -> Any:
    if "value" not in each.parts:
        return {part: _text(part, turn, number) for part in each.parts if part in PARTS}
    if each.name == "photos":
        return f"https://example.com/{number}/{turn}.png"
    text = _text(each.name, turn, number)
    # the mark of the preferred one moves from the first to the second
    return {"value": text, "primary": number == turn} if "primary" in each.parts else text


def _text(name: str, turn: int, number: int) -> str:
    if name in FITTING:
        return FITTING[name][turn].format(number)
    return f"{name} {number}-{turn}"


def _same(each: Published, wanted: Any, held: Any, ids: Mapping[str, str]) -> bool:
    if wanted is None:
        return not held
    if each.name == "manager":
        return isinstance(held, dict) and held.get("value") == ids[wanted]
    if each.name in NAMES:
        return sorted(element["value"] for element in held or ()) == sorted(wanted)
    if not each.multiple:
        return all(held.get(part) == wanted[part] for part in wanted) if isinstance(wanted, dict) else held == wanted
    return sorted(_flat(wanted.items())) == sorted(_flat((one.get("type"), one) for one in held or ()))


def _flat(elements: Any) -> Iterator[tuple[str, str, str]]:
    for kind, element in elements:
        parts = element if isinstance(element, dict) else {"value": element}
        for part in (*PARTS, "primary"):
            if parts.get(part):
                yield str(kind), part, str(parts[part])
