"""Whole resources as clients send them with POST and PUT: checked against the schema, in the schema's spelling.

What comes out is a document: the attributes of one resource by name, extensions as objects under their URN, without
`schemas`, `id` and `meta`, which the provider gives. Must not know storage or HTTP.
"""

from __future__ import annotations

from typing import Any

from reconciler.sandbox.errors import invalid_syntax, invalid_value
from reconciler.sandbox.schema import JsonObject, Mutability, ResourceType, Returned
from reconciler.sandbox.values import canonical_value, check_unchanged, folded_names, unknown_attribute


def read_document(
    body: Any, resource_type: ResourceType, *, schemas_needed: bool = True, as_provider: bool = False
) -> JsonObject:
    """Return the document that a POST or PUT body describes (RFC 7644 sections 3.3 and 3.5.1).

    Read-only attributes are ignored, unless the provider itself is the author (`as_provider`). Raises ScimError 400.
    """
    if not isinstance(body, dict):
        raise invalid_syntax("The body must be a JSON object.")
    members = folded_names(body, "")
    _check_schemas(members.pop("schemas", None), resource_type, needed=schemas_needed)
    document: JsonObject = {}
    for folded, (name, value) in members.items():
        urn = resource_type.extension_id(name)
        if urn is not None:
            extension = read_extension(value, resource_type, urn)
            if extension:
                document[urn] = extension
            continue
        attribute = resource_type.attributes.get(folded)
        if attribute is None:
            raise unknown_attribute(name)
        if attribute.read_only and not (as_provider and folded in resource_type.schema.attributes):
            continue
        canonical = canonical_value(attribute, value, attribute.name)
        if canonical is not None:
            document[attribute.name] = canonical
    return document


def read_extension(value: Any, resource_type: ResourceType, urn: str) -> JsonObject:
    """Return the attributes of one extension as they are kept, possibly none; raises ScimError 400."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise invalid_value(f"{urn} must be an object.")
    attributes = resource_type.extensions[urn].attributes
    kept: JsonObject = {}
    for folded, (name, member) in extension_members(value, urn).items():
        attribute = attributes.get(folded)
        if attribute is None:
            raise unknown_attribute(f"{urn}:{name}")
        if attribute.read_only:
            continue
        canonical = canonical_value(attribute, member, f"{urn}:{attribute.name}")
        if canonical is not None:
            kept[attribute.name] = canonical
    return kept


def extension_members(value: JsonObject, urn: str) -> dict[str, tuple[str, Any]]:
    """Return the attributes in an extension's object by folded name; a `schemas` that some clients add says nothing."""
    members = folded_names(value, urn)
    members.pop("schemas", None)
    return members


def require_attributes(document: JsonObject, resource_type: ResourceType) -> None:
    """Raise ScimError 400 invalidValue unless every required attribute that clients write has a value."""
    for attribute in resource_type.schema.attributes.values():
        if attribute.required and not attribute.read_only and not document.get(attribute.name):
            raise invalid_value(f"{attribute.name} is required.")


def replaced_document(
    before: JsonObject, sent: JsonObject, resource_type: ResourceType, keeps: frozenset[str] | None = None
) -> JsonObject:
    """Return the document after a PUT (RFC 7644 section 3.5.1).

    Attributes that were not sent are cleared; what clients cannot write stays; immutable ones must keep their value.
    With `keeps`, attributes that were not sent stay, but for those it names: `urn:attribute` in lower case.
    """
    after = dict(sent) if keeps is None else _merged(before, sent, keeps)
    for place in resource_type.top_level():
        attribute = place.attribute
        if attribute is None or attribute.mutability not in (Mutability.READ_ONLY, Mutability.IMMUTABLE):
            continue
        held = place.values(before)
        if not held:
            continue
        value = held if attribute.multi_valued else held[0]
        if attribute.mutability is Mutability.IMMUTABLE and place.values(after):
            check_unchanged(attribute, held, place.values(after), attribute.name)
        target = after if place.extension is None else after.setdefault(place.extension, {})
        target[attribute.name] = value
    return after


def emptied(body: JsonObject, resource_type: ResourceType) -> frozenset[str]:
    """Return the attributes to which a PUT body gives no value although it names them, as `replaced_document` asks."""
    empty: set[str] = set()
    for name, value in body.items():
        urn = resource_type.extension_id(name)
        if urn is not None and isinstance(value, dict):
            empty |= {f"{urn}:{part}".lower() for part, member in value.items() if member in _EMPTY}
        elif value in _EMPTY:
            empty.add(name.lower())
    return frozenset(empty)


_EMPTY: tuple[Any, ...] = (None, [], {}, "")


def _merged(before: JsonObject, sent: JsonObject, cleared: frozenset[str]) -> JsonObject:
    """Lay what was sent over what is there, extensions attribute by attribute."""
    after: JsonObject = {}
    for name in [*before, *(name for name in sent if name not in before)]:
        held, new = before.get(name), sent.get(name)
        if name.lower().startswith("urn:"):
            parts = {part: value for part, value in (held or {}).items() if f"{name}:{part}".lower() not in cleared}
            if name.lower() not in cleared and {**parts, **(new or {})}:
                after[name] = {**parts, **(new or {})}
        elif name in sent or name.lower() not in cleared:
            after[name] = new if name in sent else held
    return after


def forget_secrets(document: JsonObject, resource_type: ResourceType) -> bool:
    """Take what is never given back (passwords) out of a document; return whether there was any.

    The provider checks no logins, so it has no use for a secret and keeps none.
    """
    found = False
    for attribute in resource_type.attributes.values():
        if attribute.returned is Returned.NEVER and document.pop(attribute.name, None) is not None:
            found = True
    return found


def used_schemas(document: JsonObject, resource_type: ResourceType) -> list[str]:
    """Return the value of `schemas`: the core schema and the extensions that have values (RFC 7643 section 3)."""
    return [resource_type.schema.id, *(urn for urn in resource_type.extensions if document.get(urn))]


def _check_schemas(sent: tuple[str, Any] | None, resource_type: ResourceType, *, needed: bool) -> None:
    if sent is None or sent[1] is None:
        if needed:
            raise invalid_syntax(f"schemas is missing; it must name {resource_type.schema.id}.")
        return
    schemas = sent[1]
    if not isinstance(schemas, list) or not all(isinstance(urn, str) for urn in schemas):
        raise invalid_syntax("schemas must be a list of URNs.")
    if resource_type.schema.id.lower() not in [urn.lower() for urn in schemas]:
        raise invalid_syntax(f"schemas must name {resource_type.schema.id}.")
    for urn in schemas:
        if urn.lower() != resource_type.schema.id.lower() and resource_type.extension_id(urn) is None:
            raise invalid_value(f"schemas names {urn}, which {resource_type.name} does not have.")
