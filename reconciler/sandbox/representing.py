"""How stored resources look to those who ask: with id, meta, references, groups and what the organisation adds."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.sandbox.faults import with_booleans_as_text
from reconciler.sandbox.messages import Asker
from reconciler.sandbox.organisation import Organisation
from reconciler.sandbox.resources import used_schemas
from reconciler.sandbox.schema import JsonObject, Place
from reconciler.sandbox.store import Membership, Row


class Representer:
    """Turns rows of one organisation into resources; keeps what it worked out until the version changes."""

    def __init__(self, organisation: Organisation) -> None:
        self._organisation = organisation
        self._kinds = {kind.name: kind for kind in organisation.resource_types}
        self._endpoints = {kind.name: kind.endpoint for kind in organisation.resource_types}
        self._views: dict[tuple[str, str], tuple[int, JsonObject]] = {}

    def document(self, row: Row, asker: Asker) -> JsonObject:
        """Return a fresh document with everything a client can write to, as it is shown to this one."""
        person = self._organisation.person
        if person is None or row.type != "User":
            return row.document()
        return person.shown(row.document(), row.id, asker.client)

    def view(self, row: Row, asker: Asker) -> JsonObject:
        """Return a resource as clients see it, but for what depends on the base asked and on other resources.

        Shared between requests: it must not be changed.
        """
        client = asker.client if self._organisation.switches.external_id_per_client else ""
        known = self._views.get((row.id, client))
        if known is not None and known[0] == row.version:
            return known[1]
        document = self.document(row, asker)
        meta = {"resourceType": row.type, "created": row.created, "lastModified": row.modified}
        if not self._organisation.tells_creation:
            del meta["created"]
        if self._organisation.supports("etag"):
            meta["version"] = self._organisation.version(row.version)
        view = {
            "schemas": used_schemas(document, self._kinds[row.type]),
            "id": row.id,
            **document,
            "meta": meta,
        }
        self._views[(row.id, client)] = (row.version, view)
        return view

    def resource(self, row: Row, asker: Asker, memberships: Iterable[Membership] = ()) -> JsonObject:
        """Return a resource as filters look at it: the view with location, references and groups."""
        kind = self._kinds[row.type]
        resource = dict(self.view(row, asker))
        resource["meta"] = {**resource["meta"], "location": self.location(row, asker)}
        for place in kind.links:
            self._add_references(resource, place, asker.base)
        groups = kind.attributes.get("groups")
        values = [self._group_value(membership, asker.base) for membership in memberships] if groups else []
        if groups and values:
            parts = {part.name for part in groups.sub_attributes.values()}
            resource["groups"] = [{name: part for name, part in value.items() if name in parts} for value in values]
        return resource

    def location(self, row: Row, asker: Asker) -> str:
        """Return `meta.location`, an absolute URL or a path as the organisation has it."""
        return f"{asker.base}{self._endpoints[row.type]}/{row.id}"

    def answer(self, resource: JsonObject) -> JsonObject:
        """Return a resource as it goes out, after all that is asked of it has been looked at."""
        return with_booleans_as_text(resource) if self._organisation.switches.booleans_as_text else resource

    def _add_references(self, resource: JsonObject, place: Place, base: str) -> None:
        attribute = place.attribute
        values = place.values(resource)
        if attribute is None or not values:
            return
        only = attribute.linked_types[0]
        referenced = [
            {**value, "$ref": f"{base}{self._endpoints.get(value.get('type', only), '')}/{value['value']}"}
            for value in values
        ]
        holder = resource
        if place.extension is not None:
            holder = resource[place.extension] = dict(resource[place.extension])
        holder[attribute.name] = referenced if attribute.multi_valued else referenced[0]

    def _group_value(self, membership: Membership, base: str) -> JsonObject:
        return {
            "value": membership.group_id,
            "$ref": f"{base}{self._endpoints['Group']}/{membership.group_id}",
            "display": membership.display,
            "type": "direct" if membership.direct else "indirect",
        }
