"""Names that present lines speak of, so that nobody new may bear them before the line changes. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from reconciler.declarations.declared import Entry, View, fold, logins
from reconciler.drafting.keys import short_names
from reconciler.model import LiveResource, ResourceType, SourceLocation


class Claim(Struct, frozen=True):
    """A line that stands in the way of an import, and what has to happen to it first."""

    reason: str
    source: SourceLocation
    mend: str


class Claims(Struct, frozen=True, kw_only=True):
    """Resource type and folded name -> the line. `released`: by key, of which nobody knows the login any more."""

    names: Mapping[tuple[ResourceType, str], Claim]
    released: Mapping[tuple[ResourceType, str], Claim]

    def on(self, resource: LiveResource) -> Claim | None:
        """The line that speaks of a live user or group who is not declared."""
        kind = resource.resource_type
        found = self.names.get((kind, fold(resource.name)))
        keys = (self.released.get((kind, fold(key))) for key in (*short_names(resource), resource.name))
        return found or next((each for each in keys if each is not None), None)


def claims_of(view: View, target: str) -> Claims:
    """Every name that the lines of a target speak of, without declaring for it who bears the name."""
    names: dict[tuple[ResourceType, str], Claim] = {}
    for entry in (*view.users, *view.groups, *view.all_templates):
        for name, source in _live(entry):
            mend = "take it out here, import, and write the key"
            claim = Claim("here it is named as live, for people who are not declared", source, mend)
            names.setdefault((ResourceType.USER, fold(name)), claim)
    for kind, entries in ((ResourceType.USER, view.users), (ResourceType.GROUP, view.groups)):
        for entry in entries:
            for name in () if entry.is_for(target) else _names(kind, entry):
                claim = Claim("here it is declared, for other targets", entry.source, f"add {target} to its targets")
                names.setdefault((kind, fold(name)), claim)
            for name, source in _formerly(entry):
                claim = Claim(f"here it is an earlier name of {entry.key}", source, "take it out here, if that is over")
                names.setdefault((kind, fold(name)), claim)
    for entry in view.users:
        claim = Claim("here it is the key of somebody else", entry.source, "give this user another key")
        names.setdefault((ResourceType.USER, fold(entry.key)), claim)
    released = {
        (each.address.resource_type, fold(each.address.key)): Claim(
            "here it is released", each.source, "take it out here to have it declared again"
        )
        for each in view.released
    }
    return Claims(names=names, released=released)


def _live(entry: Entry) -> Iterator[tuple[str, SourceLocation]]:
    """Every ``{live: name}`` of an entry and its overrides."""
    for layer in _layers(entry):
        members = layer.get("members")
        for each in (layer.get("manager"), *(members if isinstance(members, list) else ())):
            if isinstance(each, dict) and "live" in each:
                yield str(each["live"]), entry.places.value(each, "live")


def _formerly(entry: Entry) -> Iterator[tuple[str, SourceLocation]]:
    names: Any = entry.data.get("formerly", ())
    for index, name in enumerate(names):
        yield str(name), entry.places.value(names, index)


def _names(kind: ResourceType, entry: Entry) -> list[str]:
    return logins(entry) if kind is ResourceType.USER else [str(entry.data.get("displayName", ""))]


def _layers(entry: Entry) -> Iterator[dict[str, Any]]:
    overrides = entry.data.get("overrides")
    yield entry.data
    for each in overrides.values() if isinstance(overrides, dict) else ():
        if isinstance(each, dict):
            yield each
