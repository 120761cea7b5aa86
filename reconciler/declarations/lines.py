"""The mapping that is being compiled, and where its values stand."""

from typing import Any

from reconciler.declarations.layers import Spot
from reconciler.model import Address, SourceLocation
from reconciler.yamlsource import Places


class Lines:
    """The lines of one layer. `name` is the present one, `via` the layer, `of` whose lines they are."""

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

    def inside(self, container: Any, key: str | int) -> Spot:
        """The spot of a value further in."""
        return Spot(self.places, container, key, self.via)


class Inner:
    """One value somewhere inside a line, for messages about it."""

    __slots__ = ("container", "key", "of", "places")

    def __init__(self, container: Any, key: str | int, lines: Lines) -> None:
        self.container = container
        self.key = key
        self.of = lines.of
        self.places = lines.places

    def place(self) -> SourceLocation:
        """Where it stands."""
        return self.places.value(self.container, self.key)
