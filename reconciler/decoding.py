"""Turns one resource as a service provider answered it into its canonical form: the border where values are read.

Lenient about spelling (names and URNs in any case, plain text where an object is usual, booleans as text), strict about
meaning: what cannot be told apart or understood is *not read*, never guessed and never taken for absent.
null, "" and empty lists are absent (RFC 7643 §2.5). Pure.
"""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from msgspec import Struct, field

from reconciler.model import AppliedState, DesiredState, Json, LiveResource, Policy, ResourceType, Value
from reconciler.profiles.profile import AttributeRules, Profile
from reconciler.scim.attributes import CORE_GROUP, CORE_USER, PRIMARY, Attribute, Kind
from reconciler.scim.paths import element_path, level_path, part_path
from reconciler.scim.values import canonical_json, canonical_number, canonical_text, live_value, unassigned
from reconciler.transport.answers import folded, is_usable_id, member, version_of
from reconciler.transport.listing import row_id

Extensions: TypeAlias = Mapping[ResourceType, Mapping[str, Collection[str]]]
"""URN of a schema -> the names that are declared under it and that no profile describes; for users and for groups."""
NO_EXTENSIONS: Final[Extensions] = MappingProxyType({})

_IGNORED: Final = frozenset({"id", "meta", "schemas", "groups", "password"})
_NOT_STORED: Final = "this server does not keep it (notStored)"
_NOT_ASKED: Final = "nothing that is declared needs it, and reading it costs much"
_SEVERAL: Final = "the server answers several values where there is one"

_Content: TypeAlias = dict[str, Any]
"""The parts of one element -> canonical value."""


def undescribed(desired: DesiredState, profile: Profile) -> Extensions:
    """What is declared under URNs that the profile does not describe: only who knows it can ask for it and spell it."""
    found: dict[ResourceType, dict[str, dict[str, None]]] = {}
    for resource_type in ResourceType:
        table = profile.rules(resource_type).table
        resources = (each for address, each in desired.resources.items() if address.resource_type is resource_type)
        for path in {path: None for each in resources for path in each.attributes if path.startswith("urn:")}:
            if table.by_path(path) is None:
                urn, _, name = path.rpartition(":")
                found.setdefault(resource_type, {}).setdefault(urn, {})[name] = None
    return {each: {urn: tuple(names) for urn, names in theirs.items()} for each, theirs in found.items()}


def unasked(
    desired: DesiredState, applied: AppliedState, policy: Policy, profile: Profile, also: Iterable[str] = ()
) -> frozenset[str]:
    """The costly attributes of people of which nothing speaks: no line, no record, no rule, no path of `also`."""
    costly = set(profile.users.costly)
    if not costly:
        return frozenset()
    if policy.privileged_roles:
        costly.discard("roles")
    entries = [each for address, each in applied.resources.items() if address.resource_type is ResourceType.USER]
    people = [each for address, each in desired.resources.items() if address.resource_type is ResourceType.USER]
    paths = {path for each in people for path in (*each.attributes, *each.lists)}
    paths |= {path for each in entries for path in (*each.values, *each.lists, *each.pending.values)}
    paths |= {path for each in entries for path in (*each.pending.give, *each.pending.take)}
    paths |= set(also)
    table = profile.users.table
    spoken_of = (table.by_path(path) or table.get(path) for path in paths)
    return frozenset(costly - {each.name for each in spoken_of if each is not None})


class _Reading(Struct):
    """What has been read of one resource so far."""

    attributes: dict[str, Value] = field(default_factory=dict)
    lists: dict[str, dict[str, float | None]] = field(default_factory=dict)
    not_read: dict[str, str] = field(default_factory=dict)
    several: dict[str, tuple[Value, ...]] = field(default_factory=dict)

    def leave_out(self, attribute: Attribute, why: str) -> None:
        """Nothing is said about an attribute; lists go by their name, paths may begin with a URN."""
        self.not_read[attribute.name] = why
        self.not_read[attribute.path] = why


_Read: TypeAlias = Callable[[Attribute, Any, _Reading], None]


class Decoder:
    """Reads resources of one type from one service provider. Made once for many rows."""

    def __init__(
        self,
        resource_type: ResourceType,
        profile: Profile,
        extensions: Extensions = NO_EXTENSIONS,
        unasked: Collection[str] = (),
    ) -> None:
        self._resource_type = resource_type
        self._rules: AttributeRules = profile.rules(resource_type)
        self._by_schema: dict[str, dict[str, Attribute]] = {CORE_USER.lower(): {}, CORE_GROUP.lower(): {}}
        for each in self._rules.table.attributes:
            self._by_schema.setdefault(each.schema.lower(), {})[each.name.lower()] = each
        self._core = self._by_schema[CORE_USER.lower()] | self._by_schema[CORE_GROUP.lower()]
        own = extensions.get(resource_type, {})
        self._spelling = {urn.lower(): urn for urn in (*self._rules.table.extensions, *own)}
        self._declared = {urn.lower(): {name.lower(): name for name in names} for urn, names in own.items()}
        self._kept: dict[tuple[str, str], tuple[_Part, ...]] = {}
        left_out = [(name, _NOT_STORED) for name in self._rules.not_stored] + [(name, _NOT_ASKED) for name in unasked]
        self._left_out = [(name, self._attribute(name), why) for name, why in left_out]
        readers: Mapping[Kind, _Read] = {
            Kind.TEXT: self._text,
            Kind.COMPLEX: self._complex,
            Kind.KEYED: self._keyed,
            Kind.NAMES: self._names,
            Kind.LEVELS: self._names,
            Kind.MEMBERS: self._names,
            Kind.REFERENCE: self._reference,
        }
        self._readers = {each.name: readers.get(each.kind, self._single) for each in self._rules.table.attributes}

    def _attribute(self, name: str) -> Attribute | None:
        """The attribute of a name or a path."""
        table = self._rules.table
        return table.get(name) or next((each for each in table.attributes if each.path == name), None)

    def decode(self, row: Mapping[str, Json]) -> LiveResource:
        """One resource. Raises IncompleteListing if it has no usable id."""
        reading = _Reading()
        for name, value in row.items():
            if unassigned(value):
                continue
            lower = name.lower()
            attribute = self._core.get(lower)
            if attribute is not None:
                self._readers[attribute.name](attribute, value, reading)
            elif ":" in lower and lower not in _IGNORED:
                self._extension(name, value, reading)
        for name, attribute, why in self._left_out:
            self._leave_out(name, attribute, why, reading)
        return LiveResource(
            resource_type=self._resource_type,
            id=row_id(row, self._resource_type.value),
            attributes=reading.attributes,
            lists=reading.lists,
            not_read=reading.not_read,
            several=reading.several,
            version=version_of(row),
        )

    def _text(self, attribute: Attribute, value: Any, reading: _Reading) -> None:
        if isinstance(value, str):
            reading.attributes[attribute.path] = canonical_text(value)
        else:
            self._single(attribute, value, reading)

    def _single(self, attribute: Attribute, value: Any, reading: _Reading) -> None:
        if attribute.kind is not Kind.JSON and isinstance(value, list | dict):
            reading.leave_out(attribute, _SEVERAL)
        else:
            reading.attributes[attribute.path] = live_value(attribute, None, value)

    def _extension(self, name: str, value: Any, reading: _Reading) -> None:
        """The attributes under a URN (RFC 7643 §3.3); some servers write ``urn:…:User:department`` as one name."""
        if not isinstance(value, dict):
            name, _, single = name.rpartition(":")
            value = {single: value}
        urn = name.lower()
        described, declared = self._by_schema.get(urn, {}), self._declared.get(urn, {})
        for each, content in value.items():
            if unassigned(content):
                continue
            lower = each.lower()
            attribute = described.get(lower)
            if attribute is not None:
                self._readers[attribute.name](attribute, content, reading)
            elif not unassigned(plain := canonical_json(content)):
                path = f"{self._spelling.get(urn, name)}:{declared.get(lower, each)}"
                reading.attributes[path] = plain

    def _complex(self, attribute: Attribute, value: Any, reading: _Reading) -> None:
        if not isinstance(value, dict):
            reading.leave_out(attribute, "the server answers one value where there are several parts")
            return
        members = folded(value)
        for part in attribute.parts:
            _read_part(attribute, part, part_path(attribute, part), members.get(part.lower()), reading)

    def _reference(self, attribute: Attribute, value: Any, reading: _Reading) -> None:
        """Another resource's id, bare or as `value` (RFC 7643 §4.3 `manager`)."""
        found = member(value, "value") if isinstance(value, dict) else value
        if isinstance(found, list | dict):
            reading.leave_out(attribute, "the server answers several values where there is one id")
        elif unassigned(found) and isinstance(value, dict) and not all(map(unassigned, value.values())):
            reading.leave_out(attribute, "the server answers somebody without an id")
        elif not unassigned(found) and not is_usable_id(str(found)):
            reading.leave_out(attribute, "the server answers somebody whose id cannot be used")
        elif not unassigned(found):
            reading.attributes[attribute.path] = str(found)

    def _names(self, attribute: Attribute, value: Any, reading: _Reading) -> None:
        """A list of names, of names with a number, or of members: bare text, or objects that hold it."""
        name_part = attribute.key if attribute.kind is Kind.LEVELS else "value"
        level_part = attribute.value if attribute.kind is Kind.LEVELS else None
        items: dict[str, float | None] = {}
        for element in value if isinstance(value, list) else [value]:
            members = element if isinstance(element, dict) else {name_part: element}
            name = member(members, name_part)
            if unassigned(name):
                if any(not unassigned(each) for part, each in members.items() if part.lower() not in ("type", PRIMARY)):
                    reading.leave_out(attribute, f"the server answers an element without {name_part}")
                continue
            item = str(name) if attribute.kind is Kind.MEMBERS else canonical_text(str(name))
            if attribute.kind is Kind.MEMBERS and not is_usable_id(item):
                reading.leave_out(attribute, "the server answers a member whose id cannot be used")
            if self._read_only(attribute, item):
                continue
            level = canonical_number(member(members, level_part)) if level_part else None
            if item in items and items[item] != level:
                reading.leave_out(attribute, f"the server answers {item} twice, with different numbers")
            items[item] = level
            if level is not None:
                reading.attributes[level_path(attribute, item)] = level
        if items:
            reading.lists[attribute.name] = items

    def _keyed(self, attribute: Attribute, value: Any, reading: _Reading) -> None:
        """Elements told apart by one sub-attribute. Two unequal ones with one key cannot be told apart: not read."""
        by_key: dict[str, list[_Content]] = {}
        for members in _elements(value, attribute.value or "formatted"):
            content = _content(attribute, members)
            key = self._key(attribute, members.get(attribute.key.lower()))
            if not _says_something(attribute, content) or self._read_only(attribute, key):
                continue
            distinct = by_key.setdefault(key, [])
            if content not in distinct:
                distinct.append(content)
        for key, distinct in by_key.items():
            self._read_element(attribute, key, distinct, reading)
        if by_key:
            reading.attributes[attribute.path] = _summary(attribute, by_key)

    def _read_element(self, attribute: Attribute, key: str, distinct: list[_Content], reading: _Reading) -> None:
        parts = self._parts(attribute, key)
        if len(distinct) > 1:
            why = f"{len(distinct)} values of {attribute.key} {key}" if key else f"values without {attribute.key}"
            reading.not_read[element_path(attribute, key)] = why
            reading.not_read.update({each.path: why for each in parts})
            if attribute.value is not None:
                values = sorted((content[attribute.value] for content in distinct), key=str)
                reading.several[element_path(attribute, key, attribute.value)] = tuple(values)
            return
        content = distinct[0]
        for each in parts:
            if not each.stored:
                reading.not_read[each.path] = _NOT_STORED
            elif isinstance(content.get(each.name), list | dict):
                reading.not_read[each.path] = _SEVERAL
            elif each.name in content:
                reading.attributes[each.path] = content[each.name]

    def _parts(self, attribute: Attribute, key: str) -> "tuple[_Part, ...]":
        known = self._kept.get((attribute.path, key))
        if known is None:
            paths = {part: element_path(attribute, key, part) for part in attribute.parts}
            known = tuple(_Part(part, path, self._rules.stores(attribute, path)) for part, path in paths.items())
            self._kept[attribute.path, key] = known
        return known

    def _key(self, attribute: Attribute, raw: Any) -> str:
        """The key of an element; "" for none."""
        if unassigned(raw) or isinstance(raw, list | dict):
            return ""
        return attribute.spelled(canonical_text(str(raw)))

    def _read_only(self, attribute: Attribute, key: str) -> bool:
        """Whether the provider owns the element; a pattern may end in ``*``."""
        patterns = self._rules.read_only_elements.get(attribute.name)
        return patterns is not None and any(
            key.startswith(each[:-1]) if each.endswith("*") else key == each for each in patterns
        )

    def _leave_out(self, name: str, attribute: Attribute | None, why: str, reading: _Reading) -> None:
        """What a server drops, or was not asked for, is not read, even if something of that name comes back."""
        if attribute is None:
            reading.attributes.pop(name, None)
            reading.not_read[name] = why
            return
        reading.lists.pop(attribute.name, None)
        inside = (f"{attribute.path}.", f"{attribute.path}[")
        for path in [each for each in reading.attributes if each == attribute.path or each.startswith(inside)]:
            del reading.attributes[path]
        reading.leave_out(attribute, why)


class _Part(Struct, frozen=True):
    """One part of an element: its name, its path, and whether the provider keeps it."""

    name: str
    path: str
    stored: bool


def _read_part(attribute: Attribute, part: str, path: str, value: Any, reading: _Reading) -> None:
    if unassigned(value):
        return
    if isinstance(value, list | dict):
        reading.not_read[path] = _SEVERAL
    else:
        reading.attributes[path] = live_value(attribute, part, value)


def _elements(value: Any, bare: str) -> Iterator[dict[str, Any]]:
    """The elements with lower-case member names; a bare value stands for its part `bare`, nothing stands for none."""
    for each in value if isinstance(value, list) else [value]:
        if isinstance(each, dict):
            yield folded(each)
        elif not unassigned(each):
            yield {bare.lower(): each}


def _says_something(attribute: Attribute, content: Mapping[str, Any]) -> bool:
    """Placeholders (``{"type": "work", "value": null}``) are no elements."""
    if attribute.value is not None:
        return attribute.value in content
    return any(part != PRIMARY for part in content)


def _content(attribute: Attribute, members: Mapping[str, Any]) -> _Content:
    """The parts that an element has, canonical; a part that is itself a list or an object stays JSON."""
    content: _Content = {}
    for part in attribute.parts:
        value = members.get(part.lower())
        if unassigned(value):
            continue
        read = canonical_json(value) if isinstance(value, list | dict) else live_value(attribute, part, value)
        if part != PRIMARY or read is not False:
            content[part] = read
    return content


def _summary(attribute: Attribute, by_key: Mapping[str, list[_Content]]) -> Json:
    """All elements as one JSON value, in an order of their own, so that the whole attribute can be compared."""
    elements: list[Any] = []
    for key in sorted(by_key):
        distinct = by_key[key]
        if len(distinct) > 1:
            distinct = sorted(distinct, key=lambda each: json.dumps(each, sort_keys=True))
        elements += [({attribute.key: key} if key else {}) | each for each in distinct]
    return elements
