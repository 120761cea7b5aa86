"""Users of one target, resolved: their layers merged, in the form of `DesiredResource` and indexed for member rules."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from msgspec import Struct, field

from reconciler.declarations.compiling import LIFECYCLE, Compiler
from reconciler.declarations.declared import ANY, Entry, fold
from reconciler.declarations.layers import Compiled, Elements, Items, Layer, Origins, Parts, Single, Spot, merge
from reconciler.model import (
    Address,
    DesiredItem,
    DesiredList,
    DesiredResource,
    ItemKey,
    Lifecycle,
    ListMode,
    Phase,
    ResourceType,
    Value,
)

Clock = Callable[[str], date]
"""IANA time zone -> what day it is there."""


class Person(Struct, frozen=True, kw_only=True):
    """One user of the target. `layers`: templates in order, then her own lines. `templates`: folded names."""

    entry: Entry
    address: Address
    layers: tuple[Layer, ...]
    merged: Mapping[str, Compiled]
    templates: tuple[str, ...]

    @property
    def groups(self) -> Mapping[ItemKey, DesiredItem]:
        """The groups her lines name."""
        found = self.merged.get("groups")
        return found.items if isinstance(found, Items) else {}


def people_of(compiler: Compiler) -> dict[Address, Person]:
    """Every user for the compiler's target, in order of declaration; of two with one key the first."""
    found: dict[Address, Person] = {}
    for entry in compiler.view.users:
        if entry.is_for(compiler.target.name):
            person = _person(entry, compiler)
            if compiler.view.user(entry.key) is entry:
                found[person.address] = person
    return found


def desired_user(person: Person, modes: Mapping[str, ListMode], today: date, clock: Clock | None) -> DesiredResource:
    """One user as desired state on one day."""
    out = _Out(modes)
    for name, compiled in person.merged.items():
        if name != "groups":
            out.write(name, compiled)
    zone = out.lifecycle.get("timeZone")
    day = clock(str(zone)) if clock is not None and zone is not None else today
    return DesiredResource(
        address=person.address,
        attributes=out.attributes,
        source=person.entry.source,
        lists=out.lists,
        lifecycle=_lifecycle(out.lifecycle, day),
        formerly=tuple(str(each) for each in person.entry.data.get("formerly", ())),
        origins=Origins(out.spots),
    )


def _person(entry: Entry, compiler: Compiler) -> Person:
    address = Address(ResourceType.USER, entry.key)
    templates = _templates(entry, address, compiler)
    own = compiler.layer(ResourceType.USER, entry.data, entry.places, of=address)
    layers = [*(compiler.template(each) for each in templates), own]
    override = override_layer(entry, address, compiler)
    for each in (*layers, *((override,) if override is not None else ())):
        compiler.doubt(address, each.doubtful)
    for declared in (entry, *templates):
        compiler.doubt(address, declared.doubtful)
    return Person(
        entry=entry,
        address=address,
        layers=tuple(layers),
        merged=merge(layers, override),
        templates=tuple(fold(each.key) for each in templates),
    )


def _templates(entry: Entry, address: Address, compiler: Compiler) -> list[Entry]:
    names: Sequence[str] = entry.data.get("from", ())
    found = []
    for index, name in enumerate(names):
        template = compiler.view.template(name)
        if template is None:
            compiler.references.unknown_template(name, entry.places.value(names, index), address)  # type: ignore[arg-type]
            compiler.doubt(address, (ANY,))
        else:
            found.append(template)
    return found


def override_layer(entry: Entry, address: Address, compiler: Compiler) -> Layer | None:
    """What `overrides` says for the compiler's target."""
    name = compiler.target.name
    lines = entry.data.get("overrides", {}).get(name)
    if lines is None:
        return None
    return compiler.layer(address.resource_type, lines, entry.places, via=f"override {name}", of=address)


class _Out:
    """Collects merged lines in the form of desired state."""

    def __init__(self, modes: Mapping[str, ListMode]) -> None:
        self.modes = modes
        self.attributes: dict[str, Value] = {}
        self.spots: dict[str, Spot] = {}
        self.lists: dict[str, DesiredList] = {}
        self.lifecycle: dict[str, Value] = {}

    def write(self, name: str, compiled: Compiled) -> None:
        """Enter one attribute."""
        if isinstance(compiled, Single):
            into = self.lifecycle if name in LIFECYCLE else self.attributes
            into[compiled.path] = compiled.value
            self.spots[compiled.path] = compiled.spot
        elif isinstance(compiled, Parts):
            self._cells(compiled)
        elif isinstance(compiled, Elements):
            if compiled.cleared:
                self.attributes[compiled.path] = None
                self.spots[compiled.path] = compiled.spot
            for parts in compiled.elements.values():
                self._cells(parts)
        else:
            mode = self.modes.get(name, ListMode.AUTHORITATIVE)
            self.lists[name] = DesiredList(mode=mode, items=compiled.items)
            self.spots[name] = compiled.spot

    def _cells(self, parts: Parts) -> None:
        for path, (value, spot) in parts.cells.items():
            self.attributes[path] = value
            self.spots[path] = spot


def _lifecycle(lines: Mapping[str, Value], today: date) -> Lifecycle:
    if not lines:
        return Lifecycle()
    active, after = lines.get("active"), lines.get("deleteAfter")
    starts, ends = _day(lines.get("startsOn")), _day(lines.get("endsOn"))
    delete_after = after if isinstance(after, int) else None
    return Lifecycle(
        active=active if isinstance(active, bool) else None,
        starts_on=starts,
        ends_on=ends,
        delete_after=delete_after,
        phase=_phase(starts, ends, delete_after, today),
    )


def _phase(starts: date | None, ends: date | None, delete_after: int | None, today: date) -> Phase:
    """Both ends are active days; deletion comes when more than `delete_after` days have passed since the last."""
    if starts is None and ends is None:
        return Phase.UNDATED
    if starts is not None and today < starts:
        return Phase.BEFORE
    if ends is None or today <= ends:
        return Phase.WITHIN
    late = delete_after is not None and today.toordinal() > ends.toordinal() + delete_after
    return Phase.DELETION if late else Phase.AFTER


def _day(value: Value) -> date | None:
    return date.fromisoformat(value) if isinstance(value, str) else None


class Index(Struct):
    """Who has which value, built as far as member rules ask."""

    people: Mapping[Address, Person]
    resources: Mapping[Address, DesiredResource]
    _values: dict[str, dict[Any, list[Address]]] = field(default_factory=dict)
    _items: dict[str, dict[Any, list[Address]]] = field(default_factory=dict)
    _templates: dict[str, list[Address]] | None = None

    def with_value(self, path: str, value: Value) -> Sequence[Address]:
        """Users whose wanted value at a path is this."""
        known = self._values.get(path)
        if known is None:
            known = self._values[path] = {}
            for address, resource in self.resources.items():
                if resource.attributes.get(path) is not None:
                    known.setdefault(resource.attributes[path], []).append(address)
        return known.get(value, ())

    def with_item(self, name: str, item: str) -> Sequence[Address]:
        """Users whose list of this name holds an item."""
        known = self._items.get(name)
        if known is None:
            known = self._items[name] = {}
            for address, resource in self.resources.items():
                for each in resource.lists[name].items if name in resource.lists else ():
                    known.setdefault(each, []).append(address)
        return known.get(item, ())

    def with_template(self, name: str) -> Sequence[Address]:
        """Users who have this template in ``from``."""
        if self._templates is None:
            self._templates = {}
            for address, person in self.people.items():
                for each in person.templates:
                    self._templates.setdefault(each, []).append(address)
        return self._templates.get(fold(name), ())


def shown_names(names: Sequence[str]) -> str:
    """A few names for a message."""
    few = ", ".join(names[:5])
    return few if len(names) <= 5 else f"{few} and {len(names) - 5} more"
