"""One live user or group -> the lines that would declare it as it is; what cannot be written so is named."""

from collections.abc import Collection, Iterator, Mapping
from datetime import date
from typing import Any, Final, TypeAlias

from msgspec import Struct

from reconciler.model import ListMode, LiveResource, Value, without_case
from reconciler.profiles.profile import AttributeRules
from reconciler.scim.attributes import PRIMARY, Attribute, Format, Kind
from reconciler.scim.paths import element_of, part_path
from reconciler.scim.values import canonical_phone

Data: TypeAlias = dict[str, Any]
Names: TypeAlias = Mapping[str, Any]
"""Live id -> how a line names that user or group: by key, or as ``{live: userName}``, ``{group: key}``."""

Where: TypeAlias = tuple[str, ...]
"""A place in a draft: ``()`` is all of it, then the name of an attribute, then a key, a part, or a value of a list."""

_FIRST: Final = ("userName", "displayName")
_LONGEST: Final = 1_000_000
"""Characters of one attribute: no file of declarations could hold much more."""
_DEEPEST: Final = 40
"""Levels of an extension's value: a file has 50, and the way to the value needs some."""
_FORMATTED: Final = ("formatted", "givenName", "familyName")


class Draft(Struct, frozen=True, kw_only=True):
    """One user or group to be declared. `data`: name -> what is written behind it, in the order of writing.

    `items`: name of a list -> its values as the server has them, members by id, in the order of writing. `lost`: what
    the server holds and `data` does not -> why.
    """

    resource: LiveResource
    key: str
    data: Data
    items: Mapping[str, tuple[str, ...]]
    lost: Mapping[Where, str]


def drafted(
    resource: LiveResource,
    key: str,
    rules: AttributeRules,
    modes: Mapping[str, ListMode],
    names: Names,
    without: Collection[Where] = (),
    more: Data | None = None,
) -> Draft:
    """A user or group as it is, without the places that are named, and with `more` lines at its end.

    A list of which a value cannot be written is left out whole, or that value would be taken away one day; an additive
    one (`modes`) goes without it, and a group's `members` become additive.
    """
    pen = _Pen(resource, rules, modes, names, frozenset(without))
    return Draft(resource=resource, key=key, data={**pen.lines(), **(more or {})}, items=pen.items, lost=pen.lost)


class _Pen:
    """Writes one resource."""

    def __init__(
        self,
        resource: LiveResource,
        rules: AttributeRules,
        modes: Mapping[str, ListMode],
        names: Names,
        without: frozenset[Where],
    ) -> None:
        self._resource, self._found = resource, resource.attributes
        self._rules, self._modes, self._names, self._without = rules, modes, names, without
        self.items: dict[str, tuple[str, ...]] = {}
        self.lost: dict[Where, str] = {}

    def lines(self) -> Data:
        """Everything that is written, in order."""
        data: Data = {}
        table = self._rules.table
        for attribute in sorted(table.attributes, key=lambda each: each.name not in _FIRST):
            name = attribute.name
            if name in self._rules.unsupported or (name,) in self._without or self._is_hidden(attribute):
                continue
            data[name] = self._value(attribute)
            if attribute.kind is Kind.MEMBERS and (name,) in self.lost and not self._is_additive(attribute):
                data["membership"] = ListMode.ADDITIVE.value
        if data.get("active") is not False:
            data.pop("active", None)
        for path, value in sorted(self._found.items()):
            if path.startswith("urn:") and table.by_path(path) is None:
                self._extension(data, path, value)
        return {name: each for name, each in data.items() if each not in (None, {}, []) and self._fits(name, each)}

    def _is_hidden(self, attribute: Attribute) -> bool:
        """Whether the server did not show the attribute so that it can be told; that it drops it is known."""
        why = self._resource.not_read.get(attribute.name)
        if why is not None and self._rules.stores(attribute, attribute.path):
            self.lost[(attribute.name,)] = why
        return why is not None

    def _fits(self, name: str, value: Any) -> bool:
        if not isinstance(value, list) and len(repr(value)) > _LONGEST:
            self.lost[(name,)] = f"it has more than {_LONGEST:,} characters"
        return (name,) not in self.lost or name == "members"

    def _value(self, attribute: Attribute) -> Any:
        """What stands behind the name of an attribute; None for nothing."""
        match attribute.kind:
            case Kind.COMPLEX:
                return self._parts(attribute)
            case Kind.KEYED:
                return dict(self._elements(attribute))
            case Kind.LEVELS:
                return self._levels(attribute)
            case Kind.NAMES:
                never = {without_case(each) for each in self._rules.never_removed.get(attribute.name, ())}
                kept = [each for each in self._live(attribute) if without_case(each) not in never]
                return self._listed(attribute, kept)
            case Kind.MEMBERS:
                return self._members(attribute)
            case Kind.REFERENCE:
                return self._reference(attribute)
            case Kind.DATE:
                return self._day(attribute, self._found.get(attribute.path))
            case _:
                return self._found.get(attribute.path)

    # --- several values

    def _parts(self, attribute: Attribute) -> Data:
        parts = {part: self._found.get(part_path(attribute, part)) for part in attribute.parts}
        for part in attribute.parts:
            self._unread((attribute.name, part), part_path(attribute, part), attribute)
        if parts.get("formatted") and parts["formatted"] == " ".join(str(parts.get(each)) for each in _FORMATTED[1:]):
            del parts["formatted"]
        kept = {part: each for part, each in parts.items() if (attribute.name, part) not in self._without}
        return {part: each for part, each in kept.items() if each is not None}

    def _elements(self, attribute: Attribute) -> Iterator[tuple[str, Any]]:
        """Key -> its value alone, or its parts where there are more."""
        elements: dict[str, Data] = {}
        for path in (*self._found, *self._resource.not_read):
            element = element_of(path) if path.startswith(attribute.path) else None
            if element is None or element[0] != attribute.path:
                continue
            _, key, part = element
            if not key:
                self.lost[attribute.name, ""] = f"a value without {attribute.key} cannot be told apart"
            elif path in self._found and part:
                elements.setdefault(key, {})[part] = self._found[path]
            else:
                self._unread((attribute.name, key), path, attribute)
        alone = len(elements) == 1
        for key, parts in sorted(elements.items()):
            at = (attribute.name, key)
            kept = {part: parts[part] for part in attribute.parts if part in parts and (*at, part) not in self._without}
            if at in self._without or not set(kept) - {PRIMARY}:
                continue
            if attribute.format is Format.PHONE and isinstance(kept.get("value"), str):
                kept["value"] = _phone(kept["value"])
            if alone and kept.get(PRIMARY) is True:
                del kept[PRIMARY]  # of one value it says nothing
            yield key, kept[attribute.value] if attribute.value and list(kept) == [attribute.value] else kept

    def _unread(self, at: Where, path: str, attribute: Attribute) -> None:
        why = self._resource.not_read.get(path)
        if why is not None and self._rules.stores(attribute, path):
            self.lost[at] = why

    def _extension(self, data: Data, path: str, value: Value) -> None:
        urn, _, name = path.rpartition(":")
        if (urn,) in self._without or (urn, name) in self._without:
            return
        if _too_deep(value):
            self.lost[urn, name] = f"it has more than {_DEEPEST} levels"
        else:
            data.setdefault(urn, {})[name] = value

    # --- lists

    def _is_additive(self, attribute: Attribute) -> bool:
        return self._modes.get(attribute.name) is ListMode.ADDITIVE

    def _live(self, attribute: Attribute) -> list[str]:
        return sorted(self._resource.lists.get(attribute.name, {}))

    def _listed(self, attribute: Attribute, live: list[str]) -> list[str] | None:
        """The values that may be written; none at all where one is missing and the list is authoritative."""
        kept = [each for each in live if (attribute.name, each) not in self._without]
        if len(kept) < len(live) and not self._is_additive(attribute):
            self.lost[(attribute.name,)] = "one of its values cannot be written, and without that the others cannot be"
            return None
        self.items[attribute.name] = tuple(kept)
        return kept

    def _levels(self, attribute: Attribute) -> Data | None:
        live = self._resource.lists.get(attribute.name, {})
        if any(level is None for level in live.values()):
            self.lost[(attribute.name,)] = "one of its values has no number"
            return None
        return {name: live[name] for name in self._listed(attribute, self._live(attribute)) or ()}

    def _members(self, attribute: Attribute) -> list[Any]:
        live = self._resource.lists.get(attribute.name, {})
        kept = [each for each in live if each in self._names and (attribute.name, each) not in self._without]
        kept.sort(key=lambda each: (not isinstance(self._names[each], str), str(self._names[each])))
        if len(kept) < len(live):
            number = len(live) - len(kept)
            what = "one" if number == 1 else f"{number:,}"
            self.lost[(attribute.name,)] = f"{what} cannot be named here, so the others are written as additive"
        self.items[attribute.name] = tuple(kept)
        return [self._names[each] for each in kept]

    # --- single values

    def _reference(self, attribute: Attribute) -> Any:
        who = self._found.get(attribute.path)
        if who is not None and str(who) not in self._names:
            self.lost[(attribute.name,)] = "whoever it is, is in no listing or shares her login with somebody"
        return self._names.get(str(who))

    def _day(self, attribute: Attribute, value: Value) -> Any:
        try:
            return None if value is None else date.fromisoformat(str(value))
        except ValueError:
            self.lost[(attribute.name,)] = "it is no day"
            return None


def _phone(number: str) -> str:
    """A number as people write it: ``+442079460958 x12``, where that is read as the same."""
    shown = number.replace(";ext=", " x")
    return shown if shown == number or canonical_phone(shown) == number else number


def _too_deep(value: Value) -> bool:
    level: list[Any] = [value]
    for _ in range(_DEEPEST):
        level = [
            inner
            for each in level
            if isinstance(each, dict | list)
            for inner in (each.values() if isinstance(each, dict) else each)
        ]
    return bool(level)
