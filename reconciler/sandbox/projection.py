"""Which attributes of a resource go into an answer: `attributes` and `excludedAttributes` (RFC 7644 section 3.9)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from reconciler.sandbox.errors import invalid_path, invalid_value
from reconciler.sandbox.schema import JsonObject, PathError, Place, ResourceType, Returned

Projection = Callable[[JsonObject], JsonObject]


def projection(
    attributes: Sequence[str], excluded: Sequence[str], resource_types: Sequence[ResourceType]
) -> dict[str, Projection]:
    """Return, per resource type name, the function that cuts a resource down to what was asked for.

    The functions give new top-level objects and leave their input alone. Names that no resource type of the query has
    are refused, ScimError 400 invalidPath; both lists at once are refused, 400 invalidValue.
    """
    if attributes and excluded:
        raise invalid_value("attributes and excludedAttributes exclude each other.")
    places = {kind.name: _places([*attributes, *excluded], kind) for kind in resource_types}
    for path in (*attributes, *excluded):
        if not any(path in found for found in places.values()):
            raise invalid_path(f"{path!r} is not an attribute of {' or '.join(places)}.")
    if attributes:
        return {kind.name: _including(list(places[kind.name].values()), kind) for kind in resource_types}
    if excluded:
        return {kind.name: _excluding(list(places[kind.name].values())) for kind in resource_types}
    return {kind.name: dict for kind in resource_types}


def _places(paths: Sequence[str], resource_type: ResourceType) -> dict[str, Place]:
    found: dict[str, Place] = {}
    for path in paths:
        if path.lower() == resource_type.schema.id.lower():
            found |= {name: Place(extension=None, attribute=it) for name, it in resource_type.schema.attributes.items()}
            found[path] = Place(extension=None, attribute=resource_type.attributes["id"])
            continue
        try:
            found[path] = resource_type.place(path)
        except PathError:
            continue
    return found


def _including(places: list[Place], resource_type: ResourceType) -> Projection:
    partial = [place for place in places if place.sub_attribute is not None]
    always = [it.name for it in resource_type.attributes.values() if it.returned is Returned.ALWAYS]

    def include(resource: JsonObject) -> JsonObject:
        kept = {name: resource[name] for name in always if name in resource}
        for place in places:
            _copy(place, resource, kept)
        for place in partial:
            _drop_empty(place, kept)
        return kept

    return include


def _copy(place: Place, resource: JsonObject, kept: JsonObject) -> None:
    holder = resource if place.extension is None else resource.get(place.extension)
    if not holder:
        return
    if place.attribute is None:
        kept[place.extension or ""] = dict(holder)
        return
    name = place.attribute.name
    if name not in holder:
        return
    target = kept if place.extension is None else kept.setdefault(place.extension, {})
    if place.sub_attribute is None:
        target[name] = holder[name]
        return
    sub_name = place.sub_attribute.name
    if not place.attribute.multi_valued:
        if sub_name in holder[name]:
            target[name] = {**target.get(name, {}), sub_name: holder[name][sub_name]}
        return
    copies = target.setdefault(name, [{} for _ in holder[name]])
    target[name] = [
        {**before, **({sub_name: value[sub_name]} if sub_name in value else {})}
        for before, value in zip(copies, holder[name], strict=True)
    ]


def _excluding(places: list[Place]) -> Projection:
    removable = [place for place in places if place.leaf is None or place.leaf.returned is not Returned.ALWAYS]

    def exclude(resource: JsonObject) -> JsonObject:
        kept = dict(resource)
        for place in removable:
            _drop(place, kept)
        return kept

    return exclude


def _drop(place: Place, kept: JsonObject) -> None:
    if place.attribute is None:
        kept.pop(place.extension or "", None)
        return
    holder = kept
    if place.extension is not None:
        if place.extension not in kept:
            return
        holder = kept[place.extension] = dict(kept[place.extension])
    name = place.attribute.name
    if name not in holder:
        return
    if place.sub_attribute is None:
        del holder[name]
    else:
        holder[name] = _without(holder[name], place.sub_attribute.name)
        _drop_empty(place, kept)
    if place.extension is not None and not holder:
        kept.pop(place.extension, None)


def _drop_empty(place: Place, kept: JsonObject) -> None:
    """Take out values of which no sub-attribute is left, and what then holds nothing more."""
    holder = kept if place.extension is None else kept.get(place.extension, {})
    attribute = place.attribute
    if attribute is None or attribute.name not in holder:
        return
    if attribute.multi_valued:
        holder[attribute.name] = [value for value in holder[attribute.name] if value]
    if not holder[attribute.name]:
        del holder[attribute.name]
    if place.extension is not None and not holder:
        kept.pop(place.extension, None)


def _without(value: JsonObject | list[JsonObject], name: str) -> JsonObject | list[JsonObject]:
    if isinstance(value, list):
        return [{key: part for key, part in element.items() if key != name} for element in value]
    return {key: part for key, part in value.items() if key != name}
