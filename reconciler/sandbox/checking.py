"""Whether a document fits the organisation: names it must know, and ids of resources that must be there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.sandbox.errors import invalid_value, not_mutable
from reconciler.sandbox.organisation import Organisation
from reconciler.sandbox.schema import Attribute, JsonObject, Place, ResourceType
from reconciler.sandbox.store import Store
from reconciler.sandbox.switches import Treatment


def check_names(
    document: JsonObject, held: JsonObject, resource_type: ResourceType, organisation: Organisation, store: Store
) -> None:
    """Refuse names that a user did not have before and the organisation lacks, or take them out of the document.

    Raises ScimError 400 invalidValue.
    """
    if resource_type.name != "User":
        return
    for rule in organisation.name_rules:
        place = resource_type.place(rule.path)
        before = place.values(held)
        wanted = [name for name in place.values(document) if name not in before]
        unknown = set(wanted) - store.catalogue(rule.catalogue) if wanted else set()
        if not unknown:
            continue
        if organisation.switches.unknown_names is Treatment.REFUSE:
            raise invalid_value(f"{rule.path} names {min(unknown)!r}, which is none of the {rule.catalogue} here.")
        _take_out(document, held, place, unknown)


def check_links(
    document: JsonObject,
    held: JsonObject,
    resource_type: ResourceType,
    own_id: str,
    organisation: Organisation,
    store: Store,
) -> None:
    """Refuse new references to resources that do not exist, and give references their true `type`."""
    for place in resource_type.links:
        attribute = place.attribute
        if attribute is None:
            continue
        known = {value["value"]: value.get("type") for value in place.values(held)}
        new = [value["value"] for value in place.values(document) if value["value"] not in known]
        types = store.types_of(new) if new else {}
        if own_id in new:
            raise invalid_value(f"{attribute.name} of {own_id} cannot hold {own_id} itself.")
        _refuse_unknown(attribute, new, types, organisation)
        if "type" in attribute.sub_attributes:
            _set_types(place.values(document), {**known, **types})


def check_renaming(document: JsonObject, body: Any, organisation: Organisation) -> None:
    """Refuse a PUT that gives a group another name, where only administrators may, unless that is passed over."""
    sent = next((value for name, value in body.items() if name.lower() == "displayname"), None)
    renames = sent is not None and sent != document.get("displayName")
    if renames and organisation.switches.group_rename is Treatment.REFUSE:
        raise not_mutable("displayName of a group cannot be changed by clients (readOnly).")


def drop_link(document: JsonObject, place: Place, target: str) -> None:
    """Take the reference to `target` out of a document; nothing left leaves no trace."""
    holder = document if place.extension is None else document[place.extension]
    attribute = place.attribute
    if attribute is None or attribute.name not in holder:
        return
    kept = [value for value in place.values(document) if value["value"] != target]
    _put(document, place, kept if kept and attribute.multi_valued else None)


def _take_out(document: JsonObject, held: JsonObject, place: Place, unknown: set[str]) -> None:
    """Take out values with unknown names; a single value falls back to what is there already."""
    attribute, part = place.attribute, place.sub_attribute
    if attribute is None:
        return
    whole = Place(extension=place.extension, attribute=attribute)
    if part is None:
        _put(document, place, next(iter(place.values(held)), None))
    else:
        _put(document, place, [each for each in whole.values(document) if each.get(part.name) not in unknown] or None)


def _put(document: JsonObject, place: Place, value: Any) -> None:
    attribute = place.attribute
    holder = document if place.extension is None else document.setdefault(place.extension, {})
    if attribute is None:
        return
    if value is not None:
        holder[attribute.name] = value
        return
    holder.pop(attribute.name, None)
    if place.extension is not None and not holder:
        del document[place.extension]


def _refuse_unknown(
    attribute: Attribute, targets: list[str], types: Mapping[str, str], organisation: Organisation
) -> None:
    for target in targets:
        kind = types.get(target)
        if kind not in attribute.linked_types and (kind is not None or not organisation.unknown_links):
            kinds = " or ".join(attribute.linked_types)
            raise invalid_value(f"{attribute.name} needs the id of a {kinds}; {target!r} is none.")


def _set_types(values: list[JsonObject], types: Mapping[str, str | None]) -> None:
    for value in values:
        kind = types.get(value["value"])
        if kind is not None:
            value["type"] = kind
