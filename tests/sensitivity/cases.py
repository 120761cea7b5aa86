"""What there is to declare, taken from the attribute tables, so that a new attribute is covered by itself.

A `Case` is one place that holds one value: an attribute, a part of one, or a part of one element. It says how that
place is written in YAML, what change a plan must show, how another administrator reaches it, and where the store keeps
it. Paths are spelled here anew, as RFC 7644 section 3.10 has them, and not by the code under test.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.model import ResourceType
from reconciler.profiles.loading import load_profile
from reconciler.profiles.profile import Profile
from reconciler.scim.attributes import CORE_GROUP, CORE_USER, Attribute, Format, Kind
from tests.sensitivity.worlds import ACME, NAMES

Json = Any

PEOPLE = {
    "bob": {"userName": "bob@x.example"},
    "cy": {"userName": "cy@x.example"},
    "dee": {"userName": "dee@x.example"},
}
LISTS = (Kind.NAMES, Kind.LEVELS, Kind.MEMBERS)


@dataclass(frozen=True, kw_only=True)
class Spelled:
    """One value: as it is written in YAML, as a plan shows it, and as the store holds it.

    Where a text begins with ``@`` it stands for the id of that person.
    """

    yaml: Json
    plan: Json
    held: Json


def same(value: Json) -> Spelled:
    """A value that looks the same everywhere."""
    return Spelled(yaml=value, plan=value, held=value)


@dataclass(frozen=True, kw_only=True)
class Case:
    """One place for one value. `around`: what is declared beside it the whole time, in YAML.

    `element`: attribute that tells elements apart, and its value. `part`: sub-attribute. `required`: always there.
    """

    profile: str
    resource: ResourceType
    attribute: str
    schema: str | None
    values: tuple[Spelled, Spelled, Spelled]
    element: tuple[str, str] | None = None
    part: str | None = None
    around: Mapping[str, Json] = field(default_factory=dict)
    bare: bool = False
    required: bool = False
    acme: bool = False

    def __str__(self) -> str:
        key = f".{self.element[1]}" if self.element else ""
        part = f".{self.part}" if self.part else ""
        return f"{self.profile}-{self.resource}-{self.attribute}{key}{part}"

    @property
    def path(self) -> str:
        """The SCIM path of the place."""
        name = f"{self.schema}:{self.attribute}" if self.schema else self.attribute
        selected = f'[{self.element[0]} eq "{self.element[1]}"]' if self.element else ""
        return f"{name}{selected}" + (f".{self.part}" if self.part else "")

    @property
    def whole(self) -> str:
        """The path of what goes when the place is emptied: the element, where it is nothing without this part."""
        return self.path.rpartition(".")[0] if self.bare else self.path

    def lines(self, value: Json) -> dict[str, Json]:
        """The lines that declare a value there; None clears."""
        if self.acme:
            return {ACME: {self.attribute: value}}
        if self.part is None:
            return {self.attribute: value}
        if self.element is None:
            return {self.attribute: {**self.around.get(self.attribute, {}), self.part: value}}
        elements = self.around.get(self.attribute, {})
        key = self.element[1]
        inside = value if self.bare else {**elements.get(key, {}), self.part: value}
        return {self.attribute: {**elements, key: inside}}

    def found_in(self, resource: Mapping[str, Json]) -> Json:
        """What the store holds at the place; None for nothing."""
        holder = resource.get(self.schema, {}) if self.schema else resource
        found = holder.get(self.attribute)
        if self.element is not None:
            name, key = self.element
            elements = [each for each in found or () if each.get(name) == key]
            assert len(elements) < 2
            found = elements[0] if elements else None
        return found if self.part is None or found is None else found.get(self.part)

    def filled(self, value: Json) -> dict[str, Json]:
        """Another administrator's operation that gives the place a value it does not have yet."""
        if self.bare and self.element is not None:
            head = self.path.partition("[")[0]
            return {"op": "add", "path": head, "value": [{self.element[0]: self.element[1], self.part: value}]}
        return {"op": "add", "path": self.path, "value": value}


def scalar_cases(profile_name: str) -> Iterator[Case]:
    """Every place of a profile that holds one value, but for `active` and `primary`, which have rules of their own."""
    profile = load_profile(profile_name)
    for resource_type in ResourceType:
        rules = profile.rules(resource_type)
        for attribute in rules.table.attributes:
            if attribute.name in rules.unsupported or attribute.kind in (*LISTS, Kind.BOOLEAN):
                continue
            is_name = (resource_type, attribute.name) == (ResourceType.GROUP, "displayName")
            if is_name and not profile.lifecycle.group_rename:
                continue
            yield from _of_attribute(profile, resource_type, attribute)


def primary_cases(profile_name: str) -> Iterator[Case]:
    """Every `primary` of a profile."""
    for attribute in load_profile(profile_name).users.table.attributes:
        if attribute.name not in load_profile(profile_name).users.unsupported and "primary" in attribute.parts:
            yield from _keyed(load_profile(profile_name), attribute, only="primary")


def list_attributes(profile_name: str) -> Iterator[tuple[ResourceType, Attribute]]:
    """Every list of a profile that is compared value by value."""
    profile = load_profile(profile_name)
    for resource_type in ResourceType:
        rules = profile.rules(resource_type)
        for attribute in rules.table.attributes:
            if attribute.kind in LISTS and attribute.name not in rules.unsupported:
                yield resource_type, attribute


def acme_cases(profile_name: str) -> Iterator[Case]:
    """Attributes of an extension that no profile describes, of every type that JSON has."""
    for name, values in _ACME.items():
        yield Case(
            profile=profile_name,
            resource=ResourceType.USER,
            attribute=name,
            schema=ACME,
            values=values,
            acme=True,
        )


_ACME: Mapping[str, tuple[Spelled, Spelled, Spelled]] = {
    "label": (same("One"), same("Two"), same("Three")),
    "level": (same(4), same(3.5), Spelled(yaml=5.0, plan=5, held=5)),
    "valid": (same(True), same(False), same(False)),
    "tags": (same(["a", "b"]), same(["b"]), same(["c", "b"])),
    "badge": (
        Spelled(
            yaml={"colour": "red", "size": 1.0, "tags": ["x"], "deep": {"a": "1", "b": "2"}},
            plan={"colour": "red", "size": 1, "tags": ["x"], "deep": {"a": "1", "b": "2"}},
            held={"colour": "red", "size": 1, "tags": ["x"], "deep": {"a": "1", "b": "2"}},
        ),
        # a member goes, one comes, one changes; inside of another, one goes
        same({"colour": "blue", "tags": ["x", "y"], "deep": {"a": "1"}}),
        same({"size": 2}),
    ),
    "doors": (
        same([{"colour": "red", "size": 1}, {"colour": "blue"}]),
        same([{"colour": "red", "size": 2}, {"colour": "blue"}]),
        same([{"colour": "blue"}]),
    ),
}


def _of_attribute(profile: Profile, resource_type: ResourceType, attribute: Attribute) -> Iterator[Case]:
    match attribute.kind:
        case Kind.TEXT | Kind.DATE | Kind.REFERENCE:
            rules = profile.rules(resource_type)
            yield Case(
                profile=profile.name,
                resource=resource_type,
                attribute=attribute.name,
                schema=_schema(attribute),
                values=_values(attribute),
                required=attribute.path in rules.required,
            )
        case Kind.COMPLEX:
            for part in attribute.parts:
                other = next(each for each in attribute.parts if each != part)
                yield Case(
                    profile=profile.name,
                    resource=resource_type,
                    attribute=attribute.name,
                    schema=_schema(attribute),
                    part=part,
                    values=_texts(),
                    around={attribute.name: {other: "Around"}},
                )
        case Kind.KEYED:
            yield from _keyed(profile, attribute)
        case _:
            raise AssertionError(f"{attribute.name}: how is a value of kind {attribute.kind} written?")


def _keyed(profile: Profile, attribute: Attribute, only: str | None = None) -> Iterator[Case]:
    """Every part of an element, under each of two keys; the element under the other key stands beside it."""
    keys = (*attribute.keys, "work", "home")[:2] if len(attribute.keys) != 1 else attribute.keys
    for key in keys:
        for part in attribute.parts:
            if (part == "primary") != (only == "primary"):
                continue
            anchor = attribute.value or next(each for each in attribute.parts if each != part)
            around = {each: {anchor: _anchor(attribute, each)} for each in keys}
            bare = part == attribute.value
            if bare:
                del around[key]
            yield Case(
                profile=profile.name,
                resource=ResourceType.USER,
                attribute=attribute.name,
                schema=_schema(attribute),
                element=(attribute.key, key),
                part=part,
                values=_values(attribute) if bare else _texts(),
                around={attribute.name: around},
                bare=bare,
            )


def _schema(attribute: Attribute) -> str | None:
    return None if attribute.schema in (CORE_USER, CORE_GROUP) else attribute.schema


def _anchor(attribute: Attribute, key: str) -> str:
    """The value that an element has the whole time, another one for each key."""
    if attribute.format is Format.PHONE:
        return f"+4420794609{len(key):02}"
    if attribute.name == "emails":
        return f"{key}@anchor.example"
    return f"https://x.example/{key}" if attribute.name == "photos" else f"Anchor {key}"


def _values(attribute: Attribute) -> tuple[Spelled, Spelled, Spelled]:
    """Three different values that the attribute can have."""
    if attribute.kind is Kind.REFERENCE:
        one, two, three = (Spelled(yaml=each, plan=f"@{each}", held={"value": f"@{each}"}) for each in PEOPLE)
        return one, two, three
    if attribute.kind is Kind.DATE:
        return same("2024-02-29"), same("2026-01-31"), same("2026-02-01")
    if attribute.format is Format.PHONE:
        return _phone("0001"), _phone("0002"), _phone("0003")
    if attribute.name in ("emails", "userName"):
        return same("one@x.example"), same("two@x.example"), same("three@x.example")
    if attribute.name in ("photos", "profileUrl"):
        return same("https://x.example/1"), same("https://x.example/2"), same("https://x.example/3")
    return _texts()


def _phone(digits: str) -> Spelled:
    canonical = f"+44207946{digits}"
    return Spelled(yaml=f"+44 (0)20 7946-{digits}", plan=canonical, held=canonical)


def _texts() -> tuple[Spelled, Spelled, Spelled]:
    one, two, three = (same(each) for each in NAMES)
    return one, two, three


def resolved(value: Json, ids: Mapping[str, str]) -> Json:
    """A value with ids where it names people by ``@key``."""
    text = json.dumps(value)
    for key, each in ids.items():
        text = text.replace(f'"@{key}"', f'"{each}"')
    return json.loads(text)
