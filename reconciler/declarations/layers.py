"""Layers of lines and how a later one lies over an earlier one (templates in order, then own lines, then overrides).

Maps merge key by key, lists unite, single values: the later wins. ``null`` in a later layer clears what came before it;
where it is the last word, it stays as "cleared". Values are canonical already; nothing here reads YAML.
"""

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from msgspec import Struct, field

from reconciler.model import DesiredItem, ItemKey, Origin, SourceLocation, Value
from reconciler.yamlsource import Places


class Spot(Struct, frozen=True):
    """Where a value was written, worked out only when somebody asks: most values are never shown.

    `key` is a key of the mapping or an index of the list `container`; `via` names the layer.
    """

    places: Places
    container: Any
    key: str | int
    via: str = ""

    @property
    def source(self) -> SourceLocation:
        """The place of the key, or of the list item."""
        return self.places.written(self.container, self.key)

    @property
    def origin(self) -> Origin:
        """The place and the layer."""
        return Origin(self.places.written(self.container, self.key), self.via)


class Origins(Mapping[str, Origin]):
    """Path -> where it was written, worked out when asked for."""

    __slots__ = ("_spots",)

    def __init__(self, spots: Mapping[str, Spot]) -> None:
        self._spots = spots

    def __getitem__(self, path: str) -> Origin:
        return self._spots[path].origin

    def get(self, path: str, default: Any = None) -> Any:
        """As of every mapping, and in half of the time: each value of a plan comes by here."""
        spot = self._spots.get(path)
        return default if spot is None else spot.origin

    def __iter__(self) -> Iterator[str]:
        return iter(self._spots)

    def __len__(self) -> int:
        return len(self._spots)

    def __repr__(self) -> str:
        return repr(dict(self))


class Single(Struct, frozen=True):
    """One value at one path; None clears it."""

    path: str
    value: Value
    spot: Spot


class Parts(Struct, frozen=True):
    """The parts of a complex value, of one element, or of an extension: path -> value and where it was written.

    `cleared`: the whole was written as null, and `cells` say so path by path.
    """

    cells: Mapping[str, tuple[Value, Spot]]
    cleared: bool = False

    def under(self, later: "Parts") -> "Parts":
        """The parts with a later layer's laid over."""
        if later.cleared or self.cleared:
            return later
        return Parts({**self.cells, **later.cells})


class Elements(Struct, frozen=True):
    """Elements told apart by a key (``emails``): key -> parts. `cleared`: null was written for all."""

    path: str
    elements: Mapping[str, Parts]
    spot: Spot
    cleared: bool = False

    def under(self, later: "Elements") -> "Elements":
        """The elements with a later layer's laid over."""
        if later.cleared or self.cleared:
            return later
        merged = dict(self.elements)
        for key, parts in later.elements.items():
            merged[key] = merged[key].under(parts) if key in merged else parts
        return Elements(later.path, merged, later.spot)


class Items(Struct, frozen=True):
    """A list of names, or of groups. `taken`: items that null takes out."""

    items: Mapping[ItemKey, DesiredItem]
    spot: Spot
    cleared: bool = False
    taken: frozenset[ItemKey] = frozenset()

    def under(self, later: "Items") -> "Items":
        """The items united with a later layer's."""
        if later.cleared:
            return later
        kept = {item: known for item, known in self.items.items() if item not in later.taken}
        return Items({**kept, **later.items}, later.spot)

    def without(self, names: frozenset[ItemKey]) -> "Items":
        """The items with some taken out."""
        return Items({item: known for item, known in self.items.items() if item not in names}, self.spot)


Compiled: TypeAlias = Single | Parts | Elements | Items


class Layer(Struct, kw_only=True):
    """The lines of one template, user or override. `without`: list -> items to take out of what came before.

    `doubtful`: names that have a mistake, so that something of them is left out.
    """

    lines: dict[str, Compiled] = field(default_factory=dict)
    without: dict[str, frozenset[ItemKey]] = field(default_factory=dict)
    doubtful: set[str] = field(default_factory=set)


def merge(layers: "list[Layer]", override: Layer | None) -> dict[str, Compiled]:
    """All layers on top of one another, and then whole attributes replaced by the override's."""
    merged = dict(layers[0].lines)
    for layer in layers[1:]:
        for name, names in layer.without.items():
            before = merged.get(name)
            if isinstance(before, Items):
                merged[name] = before.without(names)
        for name, later in layer.lines.items():
            merged[name] = _laid_over(merged.get(name), later)
    if override is not None:
        merged.update(override.lines)
    return merged


def _laid_over(before: Compiled | None, later: Compiled) -> Compiled:
    if isinstance(before, Parts) and isinstance(later, Parts):
        return before.under(later)
    if isinstance(before, Elements) and isinstance(later, Elements):
        return before.under(later)
    if isinstance(before, Items) and isinstance(later, Items):
        return before.under(later)
    return later
