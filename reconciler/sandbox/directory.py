"""The people and groups of one organisation: every change is checked against schema, organisation and store at once.

Between HTTP above and rows below. Each public method that changes something is one transaction.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from reconciler.sandbox.errors import ScimError, ScimType, invalid_value
from reconciler.sandbox.organisation import Organisation
from reconciler.sandbox.patching import apply_patch
from reconciler.sandbox.resources import (
    forget_secrets,
    read_document,
    replaced_document,
    require_attributes,
    used_schemas,
)
from reconciler.sandbox.schema import Attribute, JsonObject, Place, ResourceType, fold
from reconciler.sandbox.store import Membership, Row, Store, UniqueKeyTakenError

Precondition = Callable[[Row], None]


class Directory:
    """One organisation's resources in one store."""

    def __init__(self, store: Store, organisation: Organisation) -> None:
        self.store = store
        self.organisation = organisation
        self._views: dict[str, tuple[int, JsonObject]] = {}

    def find(self, resource_type: ResourceType, identifier: str) -> Row:
        """Return one resource; raises ScimError 404."""
        row = self.store.get(resource_type.name, identifier)
        if row is None:
            raise ScimError(404, f"There is no {resource_type.name} with id {identifier!r}.")
        return row

    def create(self, resource_type: ResourceType, body: Any) -> Row:
        """Add a resource (RFC 7644 section 3.3); raises ScimError 400 or 409."""
        return self._create(resource_type, body, str(uuid.uuid4()), as_provider=False)

    def found(self, resource_type: ResourceType, body: Any, identifier: str | None) -> Row:
        """Add a resource as the provider itself: read-only attributes count, and the id may be chosen."""
        return self._create(resource_type, body, identifier or str(uuid.uuid4()), as_provider=True)

    def replace(self, resource_type: ResourceType, identifier: str, body: Any, check: Precondition) -> Row:
        """Replace a resource by PUT (RFC 7644 section 3.5.1); raises ScimError 400, 404, 409 or what `check` raises."""
        with self.store.transaction():
            before = self.find(resource_type, identifier)
            check(before)
            sent = read_document(body, resource_type, schemas_needed=self.organisation.schemas_needed)
            after = replaced_document(before.document(), sent, resource_type)
            return self._save(resource_type, before, after, identifier)

    def patch(self, resource_type: ResourceType, identifier: str, body: Any, check: Precondition) -> Row:
        """Change a resource by PATCH (RFC 7644 section 3.5.2); raises as `replace` does."""
        with self.store.transaction():
            before = self.find(resource_type, identifier)
            check(before)
            after = apply_patch(before.document(), body, resource_type)
            return self._save(resource_type, before, after, identifier)

    def delete(self, resource_type: ResourceType, identifier: str, check: Precondition) -> None:
        """Remove a resource and every reference to it; raises ScimError 404 or what `check` raises."""
        with self.store.transaction():
            check(self.find(resource_type, identifier))
            for source, attribute in self.store.linked_from(identifier):
                if source.id != identifier:
                    self._unlink(source, attribute, identifier)
            self.store.delete(identifier)
            self._views.pop(identifier, None)

    def view(self, row: Row) -> JsonObject:
        """Return a resource as clients see it, but for what depends on the host asked and on other resources.

        Shared between requests: it must not be changed.
        """
        known = self._views.get(row.id)
        if known is not None and known[0] == row.version:
            return known[1]
        resource_type = self.organisation.resource_type(row.type)
        document = row.document()
        view = {
            "schemas": used_schemas(document, resource_type),
            "id": row.id,
            **document,
            "meta": {
                "resourceType": row.type,
                "created": row.created,
                "lastModified": row.modified,
                "version": version_tag(row),
            },
        }
        self._views[row.id] = (row.version, view)
        return view

    def represent(self, row: Row, base: str, memberships: Iterable[Membership] = ()) -> JsonObject:
        """Return a resource as the answer to a request at `base` shows it: with location, references and groups."""
        resource_type = self.organisation.resource_type(row.type)
        resource = dict(self.view(row))
        resource["meta"] = {**resource["meta"], "location": f"{base}{resource_type.endpoint}/{row.id}"}
        for place in resource_type.links:
            self._add_references(resource, place, base)
        groups = [_group_value(membership, base) for membership in memberships]
        if groups and "groups" in resource_type.attributes:
            resource["groups"] = groups
        return resource

    def dump(self) -> dict[str, list[JsonObject]]:
        """Return everything the store holds, by resource type, oldest first, read anew and past all caches."""
        return {
            kind.name: [
                {**row.document(), "id": row.id, "meta": {"version": row.version, "lastModified": row.modified}}
                for row in self.store.all(kind.name)
            ]
            for kind in self.organisation.resource_types
        }

    def _create(self, resource_type: ResourceType, body: Any, identifier: str, *, as_provider: bool) -> Row:
        document = read_document(
            body, resource_type, schemas_needed=self.organisation.schemas_needed, as_provider=as_provider
        )
        if resource_type.name == "User":
            self._fill_defaults(document, resource_type)
        with self.store.transaction():
            return self._save(resource_type, None, document, identifier)

    def _save(self, resource_type: ResourceType, before: Row | None, document: JsonObject, identifier: str) -> Row:
        """Check a document and write it, unless it is what is there already (then the version stays)."""
        secret = forget_secrets(document, resource_type)
        held = before.document() if before else {}
        require_attributes(document, resource_type)
        self._check_names(document, held, resource_type)
        self._check_links(document, held, resource_type, identifier)
        if before is not None and document == held and not secret:
            return before
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        row = Row(
            type=resource_type.name,
            id=identifier,
            version=before.version + 1 if before else 1,
            created=before.created if before else now,
            modified=now,
            body=orjson.dumps(document),
        )
        self._write(resource_type, row, document, is_new=before is None)
        return row

    def _write(self, resource_type: ResourceType, row: Row, document: JsonObject, *, is_new: bool) -> None:
        unique = resource_type.unique_attribute
        key = fold(document[unique.name]) if unique is not None and unique.name in document else None
        links = [(place.attribute.name, target) for place, target in _links(document, resource_type) if place.attribute]
        try:
            if is_new:
                self.store.insert(row, key, links)
            else:
                self.store.update(row, key, links)
        except UniqueKeyTakenError as error:
            name = unique.name if unique else "id"
            detail = f"{name} {document.get(name)!r} is taken by another {resource_type.name}."
            raise ScimError(409, detail, ScimType.UNIQUENESS) from error

    def _check_names(self, document: JsonObject, held: JsonObject, resource_type: ResourceType) -> None:
        if resource_type.name != "User":
            return
        for rule in self.organisation.name_rules:
            place = resource_type.place(rule.path)
            wanted = [name for name in place.values(document) if name not in place.values(held)]
            unknown = sorted(set(wanted) - self.store.catalogue(rule.catalogue)) if wanted else []
            if unknown:
                raise invalid_value(f"{rule.path} names {unknown[0]!r}, which is none of the {rule.catalogue} here.")

    def _check_links(self, document: JsonObject, held: JsonObject, resource_type: ResourceType, own_id: str) -> None:
        """Refuse new references to resources that do not exist, and give references their true `type`."""
        for place in resource_type.links:
            attribute = place.attribute
            if attribute is None:
                continue
            known = {value["value"]: value.get("type") for value in place.values(held)}
            new = [value["value"] for value in place.values(document) if value["value"] not in known]
            types = self.store.types_of(new) if new else {}
            if own_id in new:
                raise invalid_value(f"{attribute.name} of {own_id} cannot hold {own_id} itself.")
            self._refuse_unknown(attribute, new, types)
            if "type" in attribute.sub_attributes:
                _set_types(place.values(document), {**known, **types})

    def _refuse_unknown(self, attribute: Attribute, targets: list[str], types: dict[str, str]) -> None:
        for target in targets:
            kind = types.get(target)
            if kind not in attribute.linked_types and (kind is not None or not self.organisation.unknown_links):
                kinds = " or ".join(attribute.linked_types)
                raise invalid_value(f"{attribute.name} needs the id of a {kinds}; {target!r} is none.")

    def _fill_defaults(self, document: JsonObject, resource_type: ResourceType) -> None:
        for path, value in self.organisation.defaults.items():
            place = resource_type.place(path)
            if place.attribute is not None and not place.values(document):
                holder = document if place.extension is None else document.setdefault(place.extension, {})
                holder[place.attribute.name] = value

    def _unlink(self, source: Row, attribute: str, target: str) -> None:
        """Take the reference to `target` out of another resource."""
        resource_type = self.organisation.resource_type(source.type)
        document = source.document()
        for place in resource_type.links:
            if place.attribute is not None and place.attribute.name == attribute:
                _drop_link(document, place, target)
        self._save(resource_type, source, document, source.id)

    def _add_references(self, resource: JsonObject, place: Place, base: str) -> None:
        attribute = place.attribute
        values = place.values(resource)
        if attribute is None or not values:
            return
        endpoints = {kind.name: kind.endpoint for kind in self.organisation.resource_types}
        only = attribute.linked_types[0]
        referenced = [
            {**value, "$ref": f"{base}{endpoints.get(value.get('type', only), '')}/{value['value']}"}
            for value in values
        ]
        holder = resource
        if place.extension is not None:
            holder = resource[place.extension] = dict(resource[place.extension])
        holder[attribute.name] = referenced if attribute.multi_valued else referenced[0]


def version_tag(row: Row) -> str:
    """Return `meta.version`, which is also the ETag (RFC 7644 section 3.14)."""
    return f'W/"{row.version}"'


def _links(document: JsonObject, resource_type: ResourceType) -> list[tuple[Place, str]]:
    return [(place, value["value"]) for place in resource_type.links for value in place.values(document)]


def _set_types(values: list[JsonObject], types: Mapping[str, str | None]) -> None:
    for value in values:
        kind = types.get(value["value"])
        if kind is not None:
            value["type"] = kind


def _drop_link(document: JsonObject, place: Place, target: str) -> None:
    holder = document if place.extension is None else document[place.extension]
    attribute = place.attribute
    if attribute is None or attribute.name not in holder:
        return
    kept = [value for value in place.values(document) if value["value"] != target]
    if kept:
        holder[attribute.name] = kept
        return
    del holder[attribute.name]
    if place.extension is not None and not holder:
        del document[place.extension]


def _group_value(membership: Membership, base: str) -> JsonObject:
    return {
        "value": membership.group_id,
        "$ref": f"{base}/Groups/{membership.group_id}",
        "display": membership.display,
        "type": "direct" if membership.direct else "indirect",
    }
