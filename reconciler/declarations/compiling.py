"""The lines of one template, user, group or override -> a `Layer` of canonical values, by one profile's attributes.

Whatever the profile cannot take (unknown names and types, numbers out of range, phone numbers without a country) is
reported and left out. References are looked up, nothing is merged, and no date is compared with today.
"""

from collections.abc import Callable, Collection, Mapping
from fnmatch import fnmatchcase
from typing import Any, Final, TypeAlias

from reconciler.declarations.declared import ANY, Entry, View
from reconciler.declarations.layers import Compiled, Elements, Items, Layer, Parts, Single, Spot
from reconciler.declarations.lines import Inner, Lines
from reconciler.declarations.references import References
from reconciler.declarations.reporting import Reporter, quoted
from reconciler.declarations.texts import Texts, clean, holds_bulk_id
from reconciler.model import Address, DesiredItem, ItemKey, ResourceType, SourceLocation, Value
from reconciler.profiles.profile import Profile
from reconciler.scim.attributes import CORE_GROUP, CORE_USER, PRIMARY, Attribute, Kind, name_path
from reconciler.scim.paths import element_path, part_path
from reconciler.scim.values import canonical_json, canonical_number, canonical_text, unassigned
from reconciler.settings import Target
from reconciler.suggestions import suggestion
from reconciler.yamlsource import Places

DATES: Final = ("startsOn", "endsOn")
LIFECYCLE: Final = frozenset({"active", *DATES, "deleteAfter", "timeZone"})
OWN_WORDS: Final = frozenset(
    {*LIFECYCLE, "from", "without", "targets", "formerly", "overrides", "groups"}
    | {"members", "memberRule", "membership"}
)
"""Words of these files that are no attributes of SCIM, or that are worked on elsewhere (`active`, `members`)."""

_CORE: Final = frozenset({CORE_USER.lower(), CORE_GROUP.lower()})

_Read: TypeAlias = Callable[[Attribute, Any, Lines], Compiled | None]


class Compiler:
    """Compiles for one target. Templates are compiled once, on first use."""

    def __init__(self, view: View, target: Target, profile: Profile, report: Reporter) -> None:
        self.view = view
        self.target = target
        self.profile = profile
        self.report = report
        self.references = References(view, target, profile, report)
        self.texts = Texts(profile, report)
        self._templates: dict[str, Layer] = {}
        self._doubtful: dict[Address, set[str]] = {}
        self._paths: dict[tuple[str, str, str], str] = {}
        self._known_keys: set[tuple[str, str]] = set()
        self._spelling: dict[str, str] = {}
        readers: Mapping[Kind, _Read] = {
            Kind.TEXT: self._text,
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

    def doubt(self, address: Address, names: Collection[str]) -> None:
        """Note names of which nobody knows what they would be without the mistakes that are reported."""
        if names:
            self._doubtful.setdefault(address, set()).update(names)

    def may_hold(self, address: Address, name: str) -> bool:
        """Whether the lines of a user or group, without the mistakes in them, may say something else about a name."""
        doubtful = self._doubtful.get(address, ())
        return name in doubtful or ANY in doubtful

    @property
    def doubts(self) -> bool:
        """Whether anything is doubtful."""
        return bool(self._doubtful)

    def layer(
        self, kind: ResourceType, data: dict[str, Any], places: Places, *, via: str = "", of: Address | None = None
    ) -> Layer:
        """The layer of some lines; `of` is whose they are, for messages."""
        layer = Layer()
        lines = Lines(data, places, via, of)
        report = self.report
        for name, raw in data.items():
            lines.name = name
            errors = report.errors
            if name in OWN_WORDS:
                self._own_word(name, raw, lines, layer)
            else:
                extension = name.startswith("urn:")
                read = self._extension(kind, raw, lines) if extension else self._attribute(kind, name, raw, lines)
                if read is not None:
                    layer.lines[name] = read
            if report.errors != errors:
                layer.doubtful.add(name)
        return layer

    # --- which attribute

    def _attribute(self, kind: ResourceType, name: str, raw: Any, lines: Lines) -> Compiled | None:
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
            why=_sentence(rules.unsupported.get(name, "It is no attribute of its schemas")),
            mend="take the line out, or write it in the overrides of a target that takes it",
            of=of,
        )

    def _own_word(self, name: str, raw: Any, lines: Lines, layer: Layer) -> None:
        if name == "groups":
            layer.lines[name] = self._groups(raw, lines)
        elif name == "without":
            layer.without = {each: self._taken(each, raw[each], lines) for each in raw}
        elif name in LIFECYCLE:
            read = self._lifecycle(name, raw, lines)
            if read is not None:
                layer.lines[name] = read

    # --- single values

    def _text(self, attribute: Attribute, raw: Any, lines: Lines) -> Compiled | None:
        value = None if raw is None else clean(raw) or self.texts.text(attribute.name, raw, lines)
        return None if value is None and raw is not None else Single(attribute.path, value, lines.spot())

    def _single(self, attribute: Attribute, raw: Any, lines: Lines) -> Compiled | None:
        if raw is None:
            return Single(attribute.path, None, lines.spot())
        value: Value
        if attribute.kind is Kind.REFERENCE:
            value = self.references.manager(raw, lines)
        elif attribute.kind is Kind.DATE:
            day = self.texts.day(attribute.name, raw, lines.place(), lines.of)
            value = day.isoformat() if day else None
        elif attribute.kind is Kind.NUMBER:
            value = canonical_number(raw)
        elif holds_bulk_id(raw):
            self.texts.bulk_id(attribute.name, lines)
            return None
        else:
            value = canonical_json(raw)
        return None if value is None else Single(attribute.path, value, lines.spot())

    # --- complex and keyed values

    def _complex(self, attribute: Attribute, raw: Any, lines: Lines) -> Compiled | None:
        if not raw:
            spot = lines.spot()
            return Parts({part_path(attribute, part): (None, spot) for part in attribute.parts}, cleared=True)
        cells: dict[str, tuple[Value, Spot]] = {}
        for part in raw:
            found = self._part(attribute, part, raw, lines)
            if found is not None:
                cells[part_path(attribute, part)] = found
        return Parts(cells)

    def _keyed(self, attribute: Attribute, raw: Any, lines: Lines) -> Compiled | None:
        spot = lines.spot()
        if not raw:
            return Elements(attribute.path, {}, spot, cleared=True)
        elements: dict[str, Parts] = {}
        for key, value in raw.items():
            if (attribute.name, key) not in self._known_keys and not self._knows(attribute, key, raw, lines):
                continue
            name = attribute.spelled(canonical_text(key))
            if name in elements:
                self._twice(attribute, key, raw, lines)
            if isinstance(value, dict) and value:
                cells = {
                    self._path(attribute, name, part): found
                    for part in value
                    if (found := self._part(attribute, part, value, lines)) is not None
                }
                elements[name] = Parts(cells)
            elif value is None or value == {}:
                elements[name] = self._cleared(attribute, name, lines.inside(raw, key))
            else:
                part = attribute.value or "value"
                found = self._part(attribute, part, raw, lines, key)
                elements[name] = Parts({self._path(attribute, name, part): found} if found else {})
        return Elements(attribute.path, elements, spot)

    def _twice(self, attribute: Attribute, key: str, raw: dict[str, Any], lines: Lines) -> None:
        self.report.error(
            "repeated-item",
            lines.places.key(raw, key),
            f"{attribute.name} has the {attribute.key} {quoted(key)} twice, in another case",
            mend="take one out",
            of=lines.of,
        )

    def _cleared(self, attribute: Attribute, key: str, spot: Spot) -> Parts:
        parts = (attribute.value,) if attribute.value else attribute.parts
        return Parts({self._path(attribute, key, part): (None, spot) for part in parts}, cleared=True)

    def _knows(self, attribute: Attribute, key: str, raw: dict[str, Any], lines: Lines) -> bool:
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
        self._known_keys.add((attribute.name, key))
        return True

    def _part(
        self, attribute: Attribute, part: str, raw: dict[str, Any], lines: Lines, key: str | None = None
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
            name, at = f"{attribute.name}.{written}", Inner(raw, written, lines)
            if part == "value":
                value = self.texts.value(attribute, name, value, at)
            else:
                value = self.texts.text(name, value, at)
            if value is None:
                return None
        if part == PRIMARY and value is False:
            value = None
        return value, lines.inside(raw, written)

    def _path(self, attribute: Attribute, key: str, part: str) -> str:
        known = self._paths.get((attribute.name, key, part))
        if known is None:
            known = self._paths[attribute.name, key, part] = element_path(attribute, key, part)
        return known

    def _extension(self, kind: ResourceType, raw: Any, lines: Lines) -> Compiled | None:
        """What the profile does not describe, under the URN of its schema; the profile may describe its neighbours."""
        table = self.profile.rules(kind).table
        core = lines.name.lower() in _CORE
        same = [each for each in table.attributes if (each.core if core else each.schema.lower() == lines.name.lower())]
        urn = same[0].schema if same else lines.name
        described = {each.name.lower(): each for each in same}
        cells: dict[str, tuple[Value, Spot]] = {}
        for key, value in raw.items():
            known = described.get(_head(key).lower())
            if known is not None or core:
                self._written_flat(kind, known, key, lines.places.key(raw, key), lines)
                continue
            if isinstance(value, str) and self.texts.text(key, value, Inner(raw, key, lines)) is None:
                continue
            if holds_bulk_id({key: value}):
                self.texts.bulk_id(key, Inner(raw, key, lines))
                continue
            plain = canonical_json(value)
            path = self._spelling.setdefault(f"{urn}:{key}".lower(), f"{urn}:{key}")
            cells[path] = (None if unassigned(plain) else plain, lines.inside(raw, key))
        return Parts(cells)

    def _written_flat(
        self, kind: ResourceType, known: Attribute | None, key: str, source: SourceLocation, lines: Lines
    ) -> None:
        """Report an attribute that stands under a URN and has a name of its own, or none."""
        if known is None or known.name in self.profile.rules(kind).unsupported:
            self.unsupported(kind, known.name if known else key, source, lines.of)
            return
        self.report.error(
            "known-extension",
            source,
            f"{known.name} is written without {lines.name}",
            mend=f"write {known.name}: … beside {name_path(kind)}",
            of=lines.of,
        )

    # --- lists

    def _names(self, attribute: Attribute, raw: Any, lines: Lines) -> Compiled | None:
        items: dict[ItemKey, DesiredItem] = {}
        for index, each in enumerate(raw or ()):
            spot = lines.inside(raw, index)
            text = clean(each) or self.texts.text(attribute.name, each, Inner(raw, index, lines))
            if text is not None and self._is_new(text, items, attribute.name, spot, lines):
                items[text] = DesiredItem(origin=spot.origin)
        return Items(items, lines.spot(), cleared=not raw)

    def _levels(self, attribute: Attribute, raw: Any, lines: Lines) -> Compiled | None:
        items: dict[ItemKey, DesiredItem] = {}
        taken: set[ItemKey] = set()
        for key, level in (raw or {}).items():
            name = canonical_text(key)
            if holds_bulk_id(name):
                self.texts.bulk_id(attribute.name, Inner(raw, key, lines))
            elif level is None:
                taken.add(name)
            elif self._in_range(attribute, key, level, raw, lines):
                spot = lines.inside(raw, key)
                items[name] = DesiredItem(origin=spot.origin, level=canonical_number(level))
        return Items(items, lines.spot(), cleared=not raw, taken=frozenset(taken))

    def _in_range(self, attribute: Attribute, key: str, level: float, raw: dict[str, Any], lines: Lines) -> bool:
        low, high = attribute.minimum, attribute.maximum
        if level >= low and (high is None or level <= high):
            return True
        limits = f"from {low:g} to {high:g}" if high is not None else f"of at least {low:g}"
        summary = f"{attribute.name}.{key} must be a number {limits}, not {level:g}"
        self.report.error("out-of-range", lines.places.value(raw, key), summary, of=lines.of)
        return False

    def _is_new(self, item: ItemKey, items: Mapping[ItemKey, DesiredItem], name: str, spot: Spot, lines: Lines) -> bool:
        if item not in items:
            return True
        first = items[item].origin.source
        self.report.error(
            "repeated-item",
            spot.source,
            f"{name} names {quoted(item.key if isinstance(item, Address) else item)} twice, first at {first}",
            mend="take one out",
            of=lines.of,
        )
        return False

    def _groups(self, raw: Any, lines: Lines) -> Items:
        items: dict[ItemKey, DesiredItem] = {}
        for index, each in enumerate(raw or ()):
            spot = lines.inside(raw, index)
            address = self.references.group(each, spot.source, lines.of)
            if address is not None and self._is_new(address, items, "groups", spot, lines):
                items[address] = DesiredItem(origin=spot.origin)
        return Items(items, lines.spot(), cleared=not raw)

    def _taken(self, name: str, raw: Any, lines: Lines) -> frozenset[ItemKey]:
        if name != "groups":
            return frozenset(canonical_text(str(each)) for each in raw)
        group, places = self.references.group, lines.places
        found = [group(each, places.value(raw, index), lines.of) for index, each in enumerate(raw)]
        return frozenset(each for each in found if each is not None)

    # --- lifecycle

    def _lifecycle(self, name: str, raw: Any, lines: Lines) -> Single | None:
        value: Value = raw
        if name in DATES and raw is not None:
            day = self.texts.day(name, raw, lines.place(), lines.of)
            if day is None:
                return None
            value = day.isoformat()
        elif name == "timeZone" and raw is not None:
            value = self.texts.zone(raw, lines)
            if value is None:
                return None
        return Single(name, value, lines.spot())


def _sentence(text: str) -> str:
    return text if text.endswith(".") else f"{text}."


def _head(key: str) -> str:
    """The attribute that a path begins with: ``manager`` of ``manager.displayName``."""
    return key.partition("[")[0].partition(".")[0]
