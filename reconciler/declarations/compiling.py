"""The lines of one template, user, group or override -> a `Layer` of canonical values, by one profile's attributes.

Whatever the profile cannot take (unknown names and types, numbers out of range, phone numbers without a country) is
reported and left out. References are looked up, nothing is merged, and no date is compared with today.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date
from fnmatch import fnmatchcase
from typing import Any, Final, TypeAlias

from reconciler.declarations.declared import Entry, View
from reconciler.declarations.layers import Compiled, Elements, Items, Layer, Parts, Single, Spot
from reconciler.declarations.reporting import Reporter, quoted
from reconciler.declarations.zones import is_zone
from reconciler.model import Address, LiveReference, ResourceType, SourceLocation, Value
from reconciler.profiles.profile import Profile
from reconciler.scim.attributes import Attribute, Format, Kind
from reconciler.scim.paths import element_path, part_path
from reconciler.scim.values import canonical_json, canonical_number, canonical_phone, canonical_text
from reconciler.settings import Target
from reconciler.suggestions import suggestion
from reconciler.yamlsource import Places

DATES: Final = ("startsOn", "endsOn")
LIFECYCLE: Final = ("active", *DATES, "deleteAfter", "timeZone")
OWN_WORDS: Final = frozenset(
    {*LIFECYCLE, "from", "without", "targets", "formerly", "overrides", "groups"}
    | {"members", "memberRule", "membership"}
)
"""Words of these files that are no attributes of SCIM, or that are worked on elsewhere (`active`, `members`)."""

_EXTENSION: Final = re.compile(r"[0-9]{1,6}\Z").match
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z").match

_Read: TypeAlias = Callable[[Attribute, Any, "_Lines"], Compiled | None]


class _Lines:
    """The mapping being compiled, and where its values stand."""

    __slots__ = ("data", "name", "of", "places", "via")

    def __init__(self, data: dict[str, Any], places: Places, via: str, of: Address | None) -> None:
        self.data = data
        self.places = places
        self.via = via
        self.of = of
        self.name = ""

    def place(self) -> SourceLocation:
        """Where the value of the present line stands."""
        return self.places.value(self.data, self.name)

    def spot(self) -> Spot:
        """Where the present line stands, and in which layer."""
        return Spot(self.places, self.data, self.name, self.via)


class _Value:
    """One value inside a line, for messages."""

    __slots__ = ("key", "lines", "of", "raw")

    def __init__(self, raw: Any, key: str | int, lines: _Lines) -> None:
        self.raw = raw
        self.key = key
        self.lines = lines
        self.of = lines.of

    def place(self) -> SourceLocation:
        """Where it stands."""
        return self.lines.places.value(self.raw, self.key)


class Compiler:
    """Compiles for one target. Templates are compiled once, on first use."""

    def __init__(self, view: View, target: Target, profile: Profile, report: Reporter) -> None:
        self.view = view
        self.target = target
        self.profile = profile
        self.report = report
        self.left_out: dict[tuple[Address | None, SourceLocation], list[str]] = {}
        self._templates: dict[str, Layer] = {}
        self._paths: dict[tuple[str, str, str], str] = {}
        readers: Mapping[Kind, _Read] = {
            Kind.TEXT: self._single,
            Kind.BOOLEAN: self._single,
            Kind.NUMBER: self._single,
            Kind.DATE: self._single,
            Kind.REFERENCE: self._single,
            Kind.JSON: self._single,
            Kind.COMPLEX: self._complex,
            Kind.KEYED: self._keyed,
            Kind.NAMES: self._names,
            Kind.LEVELS: self._levels,
        }
        self._known = {
            kind: {
                each.name: (each, readers[each.kind])
                for each in profile.rules(kind).table.attributes
                if each.name not in profile.rules(kind).unsupported and each.kind in readers
            }
            for kind in ResourceType
        }

    def template(self, entry: Entry) -> Layer:
        """The layer of a template."""
        known = self._templates.get(entry.key)
        if known is None:
            known = self.layer(ResourceType.USER, entry.data, entry.places, via=f"template {entry.key}")
            self._templates[entry.key] = known
        return known

    def layer(
        self, kind: ResourceType, data: dict[str, Any], places: Places, *, via: str = "", of: Address | None = None
    ) -> Layer:
        """The layer of some lines; `of` is whose they are, for messages."""
        layer = Layer()
        lines = _Lines(data, places, via, of)
        for name, raw in data.items():
            lines.name = name
            if name in OWN_WORDS:
                self._own_word(name, raw, lines, layer)
                continue
            read = self._extension(raw, lines) if name.startswith("urn:") else self._attribute(kind, name, raw, lines)
            if read is not None:
                layer.lines[name] = read
        return layer

    # --- which attribute

    def _attribute(self, kind: ResourceType, name: str, raw: Any, lines: _Lines) -> Compiled | None:
        known = self._known[kind].get(name)
        if known is None:
            self.unsupported(kind, name, lines.places.key(lines.data, name), lines.of)
            return None
        attribute, read = known
        return read(attribute, raw, lines)

    def unsupported(self, kind: ResourceType, name: str, source: SourceLocation, of: Address | None) -> None:
        """Say that the profile has no such attribute, and why if it knows."""
        rules = self.profile.rules(kind)
        self.report.error(
            "unsupported-attribute",
            source,
            f"{self.profile.title} does not take {name}",
            why=rules.unsupported.get(name, "It is no attribute of its schemas."),
            mend="take the line out, or write it in the overrides of a target that takes it",
            of=of,
        )

    def _own_word(self, name: str, raw: Any, lines: _Lines, layer: Layer) -> None:
        if name == "groups":
            layer.lines[name] = self._groups(raw, lines)
        elif name == "without":
            layer.without = {each: self._taken(each, raw[each], lines) for each in raw}
        elif name in LIFECYCLE:
            read = self._lifecycle(name, raw, lines)
            if read is not None:
                layer.lines[name] = read

    # --- single values

    def _single(self, attribute: Attribute, raw: Any, lines: _Lines) -> Compiled | None:
        if raw is None:
            return Single(attribute.path, None, lines.spot())
        value: Value
        if attribute.kind is Kind.REFERENCE:
            value = self._manager(raw, lines)
        elif attribute.kind is Kind.DATE:
            day = self.day(attribute.name, raw, lines.place(), lines.of)
            value = day.isoformat() if day else None
        elif attribute.kind is Kind.NUMBER:
            value = canonical_number(raw)
        elif attribute.kind in (Kind.BOOLEAN, Kind.JSON):
            value = canonical_json(raw)
        else:
            value = self._text(attribute.name, raw, lines)
        return None if value is None else Single(attribute.path, value, lines.spot())

    def _text(self, name: str, raw: Any, spot: "_Lines | _Value") -> str | None:
        text = canonical_text(raw if type(raw) is str else str(raw))
        if text and not text.isspace():
            return text
        mend = "write null to clear, or take the line out"
        self.report.error("empty-text", spot.place(), f"{name} holds blanks only", mend=mend, of=spot.of)
        return None

    def _manager(self, raw: Any, lines: _Lines) -> Value:
        if isinstance(raw, dict):
            return self.live(raw, "live", lines.places, lines.of)
        entry = self.view.user(raw)
        if entry is None:
            near = self.view.near_user(raw)
            self.report.error(
                "unknown-manager",
                lines.place(),
                f"manager: nobody declared here has the key or userName {quoted(raw)}",
                mend=f"did you mean {near}?" if near else f"write {{live: {raw}}} for somebody who is not declared",
                of=lines.of,
            )
            return None
        if not entry.is_for(self.target.name):
            self.leave_out(lines.of, lines.place(), entry.key)
            return None
        return Address(ResourceType.USER, entry.key)

    def live(self, raw: dict[str, Any], key: str, places: Places, of: Address | None) -> LiveReference | None:
        """``{live: userName}``: somebody who must not be declared here."""
        name = canonical_text(str(raw[key]))
        entry = self.view.user(name)
        if entry is not None and entry.is_for(self.target.name):
            self.report.error(
                "live-but-declared",
                places.value(raw, key),
                f"{quoted(name)} is declared here as {entry.key}",
                why="live: is for people whom these files do not manage.",
                mend=f"write {entry.key}",
                of=of,
            )
            return None
        return LiveReference(ResourceType.USER, name)

    def leave_out(self, of: Address | None, source: SourceLocation, name: str) -> None:
        """Count a reference to somebody who is declared, but not for this target."""
        self.left_out.setdefault((of, source), []).append(name)

    def unknown_template(self, name: str, source: SourceLocation, of: Address | None) -> None:
        """Say that there is no such template."""
        self.report.error(
            "unknown-template",
            source,
            f"there is no template {quoted(name)}",
            mend=suggestion(name, [each.key for each in self.view.templates.values()]) or "declare it under templates:",
            of=of,
        )

    # --- complex and keyed values

    def _complex(self, attribute: Attribute, raw: Any, lines: _Lines) -> Compiled | None:
        if not raw:
            spot = lines.spot()
            return Parts({part_path(attribute, part): (None, spot) for part in attribute.parts}, cleared=True)
        cells: dict[str, tuple[Value, Spot]] = {}
        for part in raw:
            found = self._part(attribute, part, raw, lines)
            if found is not None:
                cells[part_path(attribute, part)] = found
        return Parts(cells)

    def _keyed(self, attribute: Attribute, raw: Any, lines: _Lines) -> Compiled | None:
        spot = lines.spot()
        if not raw:
            return Elements(attribute.path, {}, spot, cleared=True)
        elements: dict[str, Parts] = {}
        for key, value in raw.items():
            if not self._knows(attribute, key, raw, lines):
                continue
            name = canonical_text(key)
            if isinstance(value, dict) and value:
                cells = {
                    self._path(attribute, name, part): found
                    for part in value
                    if (found := self._part(attribute, part, value, lines)) is not None
                }
                elements[name] = Parts(cells)
            elif value is None or value == {}:
                elements[name] = self._cleared(attribute, name, Spot(lines.places, raw, key, lines.via))
            else:
                part = attribute.value or "value"
                found = self._part(attribute, part, raw, lines, key)
                elements[name] = Parts({self._path(attribute, name, part): found} if found else {})
        return Elements(attribute.path, elements, spot)

    def _cleared(self, attribute: Attribute, key: str, spot: Spot) -> Parts:
        parts = (attribute.value,) if attribute.value else attribute.parts
        return Parts({self._path(attribute, key, part): (None, spot) for part in parts}, cleared=True)

    def _knows(self, attribute: Attribute, key: str, raw: dict[str, Any], lines: _Lines) -> bool:
        rules = self.profile.users
        if any(fnmatchcase(key, each) for each in rules.read_only_elements.get(attribute.name, ())):
            self.report.error(
                "read-only-element",
                lines.places.key(raw, key),
                f"{attribute.name}.{key} belongs to {self.profile.title} and cannot be written",
                mend="take the line out",
                of=lines.of,
            )
            return False
        if attribute.keys and key not in attribute.keys:
            self.report.error(
                "unknown-type",
                lines.places.key(raw, key),
                f"{attribute.name} has no {attribute.key} {quoted(key)} in {self.profile.title}",
                mend=suggestion(key, attribute.keys),
                of=lines.of,
            )
            return False
        return True

    def _part(
        self, attribute: Attribute, part: str, raw: dict[str, Any], lines: _Lines, key: str | None = None
    ) -> tuple[Value, Spot] | None:
        """One part's value; it stands in `raw` under `key`, or under its own name."""
        written = part if key is None else key
        value = raw[written]
        if part not in attribute.parts:
            self.report.error(
                "unsupported-part",
                lines.places.key(raw, written),
                f"{self.profile.title} does not take {part} in {attribute.name}",
                mend="take it out",
                of=lines.of,
            )
            return None
        if value is not None and not isinstance(value, bool):
            name, spot = f"{attribute.name}.{written}", _Value(raw, written, lines)
            value = self._text(name, value, spot)
            if value is not None and part == "value":
                value = self._value(attribute, name, value, spot)
            if value is None:
                return None
        return value, Spot(lines.places, raw, written, lines.via)

    def _value(self, attribute: Attribute, name: str, text: str, spot: "_Value") -> Value:
        if attribute.format is Format.PHONE:
            return canonical_phone(text) or self._extension_only(name, text, spot)
        if attribute.name == "emails" and (" " in text or not all(text.partition("@"))):
            self.report.error("wrong-email", spot.place(), f"{name}: {quoted(text)} is no e-mail address", of=spot.of)
            return None
        return text

    def _extension_only(self, name: str, text: str, spot: "_Value") -> str | None:
        bare = self.profile.users.bare_extension
        if bare and _EXTENSION(text):
            return text
        self.report.error(
            "wrong-phone",
            spot.place(),
            f"{name}: {quoted(text)} is no international phone number",
            why="Without + and the country code nobody can tell the country."
            + (" An extension alone has 1 to 6 digits." if bare else ""),
            mend='write it like "+44 20 7946 0958" or "+44 20 7946 0958 x12"',
            of=spot.of,
        )
        return None

    def _path(self, attribute: Attribute, key: str, part: str) -> str:
        known = self._paths.get((attribute.name, key, part))
        if known is None:
            known = self._paths[attribute.name, key, part] = element_path(attribute, key, part)
        return known

    def _extension(self, raw: Any, lines: _Lines) -> Compiled | None:
        name = lines.name
        table = self.profile.users.table
        known = [each.name for each in table.attributes if each.schema.lower() == name.lower()]
        if known:
            self.report.error(
                "known-extension",
                lines.places.key(lines.data, name),
                f"the attributes of {name} are written without it",
                mend=f"write {next(iter(raw))}: … beside userName",
                of=lines.of,
            )
            return None
        return Parts(
            {
                f"{name}:{key}": (canonical_json(value), Spot(lines.places, raw, key, lines.via))
                for key, value in raw.items()
            }
        )

    # --- lists

    def _names(self, attribute: Attribute, raw: Any, lines: _Lines) -> Compiled | None:
        items: dict[str | Address, tuple[float | None, Spot]] = {}
        for index, each in enumerate(raw or ()):
            spot = Spot(lines.places, raw, index, lines.via)
            text = self._text(attribute.name, each, _Value(raw, index, lines))
            if text is not None and self._is_new(text, items, attribute.name, spot, lines):
                items[text] = (None, spot)
        return Items(items, lines.spot(), cleared=not raw)

    def _levels(self, attribute: Attribute, raw: Any, lines: _Lines) -> Compiled | None:
        items: dict[str | Address, tuple[float | None, Spot]] = {}
        taken: set[str] = set()
        for key, level in (raw or {}).items():
            name = canonical_text(key)
            if level is None:
                taken.add(name)
            elif self._in_range(attribute, key, level, raw, lines):
                items[name] = (canonical_number(level), Spot(lines.places, raw, key, lines.via))
        return Items(items, lines.spot(), cleared=not raw, taken=frozenset(taken))

    def _in_range(self, attribute: Attribute, key: str, level: float, raw: dict[str, Any], lines: _Lines) -> bool:
        low, high = attribute.minimum, attribute.maximum
        if level >= low and (high is None or level <= high):
            return True
        limits = f"from {low:g} to {high:g}" if high is not None else f"of at least {low:g}"
        summary = f"{attribute.name}.{key} must be a number {limits}, not {level:g}"
        self.report.error("out-of-range", lines.places.value(raw, key), summary, of=lines.of)
        return False

    def _is_new(self, item: str | Address, items: Mapping[Any, Any], name: str, spot: Spot, lines: _Lines) -> bool:
        if item not in items:
            return True
        first = items[item][1].source
        self.report.error(
            "repeated-item",
            spot.source,
            f"{name} names {quoted(item.key if isinstance(item, Address) else item)} twice, first in line {first.line}",
            mend="take one out",
            of=lines.of,
        )
        return False

    def _groups(self, raw: Any, lines: _Lines) -> Items:
        items: dict[str | Address, tuple[float | None, Spot]] = {}
        for index, each in enumerate(raw or ()):
            spot = Spot(lines.places, raw, index, lines.via)
            address = self.group(each, spot, lines.of)
            if address is not None and self._is_new(address, items, "groups", spot, lines):
                items[address] = (None, spot)
        return Items(items, lines.spot(), cleared=not raw)

    def group(self, name: Any, spot: Spot, of: Address | None) -> Address | None:
        """The address of a group by its key; None, and said so, if there is none for this target."""
        entry = self.view.group(name)
        if entry is None:
            near = self.view.near_group(name)
            self.report.error(
                "unknown-group",
                spot.source,
                f"no group has the key {quoted(name)}",
                mend=f"did you mean {near}?" if near else "declare it under groups:",
                of=of,
            )
            return None
        if not entry.is_for(self.target.name):
            self.leave_out(of, spot.source, f"group {entry.key}")
            return None
        return Address(ResourceType.GROUP, entry.key)

    def _taken(self, name: str, raw: Any, lines: _Lines) -> frozenset[str | Address]:
        if name != "groups":
            return frozenset(canonical_text(str(each)) for each in raw)
        places = lines.places
        found = [self.group(each, Spot(places, raw, index), lines.of) for index, each in enumerate(raw)]
        return frozenset(each for each in found if each is not None)

    # --- lifecycle

    def _lifecycle(self, name: str, raw: Any, lines: _Lines) -> Single | None:
        value: Value = raw
        if name in DATES and raw is not None:
            day = self.day(name, raw, lines.place(), lines.of)
            if day is None:
                return None
            value = day.isoformat()
        elif name == "timeZone" and raw is not None and not is_zone(raw):
            self.report.error(
                "unknown-time-zone",
                lines.place(),
                f"there is no time zone {quoted(raw)}",
                mend="write an IANA name such as Europe/Berlin",
                of=lines.of,
            )
            return None
        return Single(name, value, lines.spot())

    def day(self, name: str, raw: Any, source: SourceLocation, of: Address | None) -> date | None:
        """A calendar day; None, and said so, if there is no such day."""
        try:
            if _DAY(str(raw)):
                return date.fromisoformat(str(raw))
        except ValueError:
            pass
        mend = "write year-month-day, such as 2026-12-31"
        self.report.error("no-such-day", source, f"{name}: there is no day {quoted(raw)}", mend=mend, of=of)
        return None
