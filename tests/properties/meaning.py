"""What declarations mean, worked out anew from the page about them, and whether a stored resource fulfils them.

Nothing of the tool's own resolution is used. A value is what the lines say in the end: templates in order, own lines,
then the overrides; maps merge, lists unite, null clears what came before it.
"""

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from reconciler.scim.attributes import CORE_USER, ENTERPRISE_USER, Attribute, Format, Kind
from tests.properties.drawn_lines import Declarations, Lines, table_of

CLEARED = "cleared"
Json = Any


@dataclass(frozen=True, kw_only=True)
class Person:
    """What is wanted of one person. `values`: attribute -> merged value (None or `CLEARED` parts are to be absent)."""

    key: str
    login: str
    values: Mapping[str, Json]
    manager: Json = ...
    number: str | None = None
    groups: frozenset[str] = frozenset()
    templates: tuple[str, ...] = ()
    formerly: tuple[str, ...] = ()
    active: bool | None = None
    starts: date | None = None
    ends: date | None = None
    delete_after: int | None = None

    @property
    def here(self) -> tuple[object, ...]:
        """The lines about her being here."""
        return (self.active, self.starts, self.ends, self.delete_after)

    def wanted_active(self, today: date) -> bool | None:
        """Whether the lines want her active today; None where they do not say."""
        if self.active is not None:
            return self.active
        if (self.starts is not None and today < self.starts) or (self.ends is not None and today > self.ends):
            return False
        return True if self.starts is not None else None

    def is_over(self, today: date) -> bool:
        """Whether her account is to be deleted by now."""
        if self.ends is None or self.delete_after is None:
            return False
        return today > self.ends + timedelta(days=self.delete_after)


@dataclass(frozen=True, kw_only=True)
class Team:
    """What is wanted of one group. `members`: ``user.KEY``, ``group.KEY`` or a login -> still to be there today.

    `listed`: whether any line speaks of members.
    """

    key: str
    name: str
    members: Mapping[str, bool] = field(default_factory=dict)
    listed: bool = False
    additive: bool = False


@dataclass(frozen=True, kw_only=True)
class Meaning:
    """Everything that is wanted of one organisation, by key."""

    people: Mapping[str, Person]
    teams: Mapping[str, Team]
    released: frozenset[str] = frozenset()


def meaning(said: Declarations, organisation: str, today: date, target: str = "here") -> Meaning:
    """What the declarations want of a target on a day."""
    people = {
        key: _person(key, own, said, organisation, target)
        for key, own in said.users.items()
        if target in own.get("targets", [target])
    }
    teams = {key: _team(key, own, people, today) for key, own in said.groups.items()}
    return Meaning(people=people, teams=teams, released=frozenset(said.released))


def _person(key: str, own: Lines, said: Declarations, organisation: str, target: str) -> Person:
    names = tuple(own.get("from", ()))
    layers = [*(said.templates[each] for each in names), own]
    values: dict[str, Json] = {}
    for attribute in table_of(organisation):
        merged = _merged(attribute, [each for each in layers if attribute.name in each or "without" in each])
        override = own.get("overrides", {}).get(target, {})
        if attribute.name in override:
            merged = _merged(attribute, [override])
        if merged is not ...:
            values[attribute.name] = merged
    return Person(
        key=key,
        login=own["userName"],
        values=values,
        manager=own.get("manager", ...),
        number=own.get("employeeNumber"),
        groups=frozenset(() if (groups := _united("groups", layers)) in (..., None) else groups),
        templates=names,
        formerly=tuple(own.get("formerly", ())),
        active=own.get("active"),
        starts=_day(own.get("startsOn")),
        ends=_day(own.get("endsOn")),
        delete_after=own.get("deleteAfter"),
    )


def _merged(attribute: Attribute, layers: list[Lines]) -> Json:
    """The value that the layers make of one attribute; ``...`` where none speaks of it."""
    if attribute.kind is Kind.NAMES:
        return _united(attribute.name, layers)
    found: Json = ...
    for layer in layers:
        if attribute.name in layer:
            found = _over(found, layer[attribute.name], attribute)
    return found


def _united(name: str, layers: list[Lines]) -> Json:
    found: Json = ...
    for layer in layers:
        out = layer.get("without", {}).get(name, ())
        if found is not ... and found is not None:
            found = [each for each in found if each not in out]
        if name in layer:
            later = layer[name]
            before = [] if found in (..., None) else found
            # nothing in brackets clears what came before, as null does
            found = [*before, *(each for each in later if each not in before)] if later else later
    return found


def _over(before: Json, later: Json, attribute: Attribute) -> Json:
    if attribute.kind in (Kind.TEXT, Kind.DATE):
        return later
    if attribute.kind is Kind.KEYED and later is not None:
        later = {kind: _element(attribute, each) for kind, each in later.items()}
    if not isinstance(before, dict) or not isinstance(later, dict):
        return later
    merged = dict(before)
    for name, each in later.items():
        both = isinstance(each, dict) and isinstance(merged.get(name), dict)
        merged[name] = {**merged[name], **each} if both else each
    return merged


def _element(attribute: Attribute, value: Json) -> Json:
    return value if isinstance(value, dict) or value is None else {attribute.value: value}


def _team(key: str, own: Lines, people: Mapping[str, Person], today: date) -> Team:
    members: dict[str, bool] = {}
    for each in own.get("members", ()):
        line = {"user": each} if isinstance(each, str) else each
        until = _day(line.get("until"))
        stays = until is None or today <= until
        if "user" in line and line["user"] in people:
            members[f"user.{line['user']}"] = stays
        elif "group" in line:
            members[f"group.{line['group']}"] = stays
        elif "live" in line:
            members[line["live"]] = stays
    rule = own.get("memberRule")
    for person in people.values():
        if key in person.groups or (rule is not None and _fits(person, rule)):
            members[f"user.{person.key}"] = True
    listed = "members" in own or rule is not None or any(key in person.groups for person in people.values())
    return Team(key=key, name=own["displayName"], members=members, listed=listed,
                additive=own.get("membership") == "additive")  # fmt: skip


def _fits(person: Person, rule: Mapping[str, list[str]]) -> bool:
    return all(person.values.get(name) in wanted for name, wanted in rule.items())


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text is not None else None


# --- what is stored


def missing(person: Person, stored: Mapping[str, Json], organisation: str) -> Iterator[str]:
    """Every wanted value that the stored person does not have, in words; `active` and the manager are others' work."""
    if _plain(stored["userName"]) != _plain(person.login):
        yield f"userName is {stored['userName']}"
    if person.number is not None and held(stored, "employeeNumber", ENTERPRISE_USER) != person.number:
        yield f"employeeNumber is not {person.number}"
    for attribute in table_of(organisation):
        if attribute.name in person.values:
            value = person.values[attribute.name]
            found = held(stored, attribute.name, attribute.schema)
            if not _is_there(attribute, value, found):
                yield f"{attribute.name} is {found!r}, not {value!r}"


def held(stored: Mapping[str, Json], name: str, schema: str = CORE_USER) -> Json:
    """What is stored of an attribute; None for nothing."""
    return (stored if schema == CORE_USER else stored.get(schema, {})).get(name)


def names_in(attribute: Attribute, found: Json) -> set[str]:
    """The names in a stored list."""
    key = "value" if attribute.kind is Kind.NAMES else attribute.key
    return {nfc(each[key]) for each in found or ()}


def _is_there(attribute: Attribute, value: Json, found: Json) -> bool:
    match attribute.kind:
        case Kind.TEXT | Kind.DATE:
            return _same(value, found)
        case Kind.COMPLEX:
            parts = dict.fromkeys(attribute.parts) if value is None else value
            return all(_same(each, (found or {}).get(part)) for part, each in parts.items())
        case Kind.NAMES:
            return {nfc(each) for each in value or ()} <= names_in(attribute, found)
        case Kind.LEVELS:
            levels = {each[attribute.key]: each.get(attribute.value) for each in found or ()}
            return all(levels.get(name) == level for name, level in (value or {}).items() if level is not None)
        case Kind.KEYED:
            return _elements_are_there(attribute, value, found or ())
    raise AssertionError(attribute.kind)


def _elements_are_there(attribute: Attribute, value: Json, found: Json) -> bool:
    by_kind = {str(each.get(attribute.key)).casefold(): each for each in found}
    if value is None:
        return not by_kind
    for kind, parts in value.items():
        element = by_kind.get(kind.casefold(), {})
        if parts is None:
            if element:
                return False
            continue
        for part, each in parts.items():
            same = _digits(each) == _digits(element.get(part, "")) if _is_phone(attribute, part) else None
            if not (same if same is not None else _same(each, element.get(part))):
                return False
    return True


def _is_phone(attribute: Attribute, part: str) -> bool:
    return attribute.format is Format.PHONE and part == "value"


def _digits(text: str) -> str:
    return "".join(each for each in text if each.isdigit())


def _same(one: Json, other: Json) -> bool:
    return nfc(one) == nfc(other)


def nfc(value: Json) -> Json:
    return unicodedata.normalize("NFC", value) if isinstance(value, str) else value


def _plain(text: str) -> str:
    return nfc(text).casefold()
