"""The people and groups of one organisation: every change is checked against schema, organisation and store at once.

Between HTTP above and rows below. Each public method that changes something is one transaction.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import orjson

from reconciler.sandbox.checking import check_links, check_names, check_renaming, drop_link
from reconciler.sandbox.errors import ScimError, ScimType
from reconciler.sandbox.faults import Faults
from reconciler.sandbox.messages import Asker
from reconciler.sandbox.organisation import Organisation
from reconciler.sandbox.patching import apply_patch
from reconciler.sandbox.representing import Representer
from reconciler.sandbox.resources import (
    emptied,
    forget_secrets,
    read_document,
    replaced_document,
    require_attributes,
)
from reconciler.sandbox.results import Results
from reconciler.sandbox.schema import JsonObject, ResourceType, fold, normal
from reconciler.sandbox.store import Row, Store, UniqueKeyTakenError

Precondition = Callable[[Row], None]
PROVIDER = Asker(base="")
_FOUNDED = uuid.UUID("6f1c5a52-3d0e-4d8e-9a54-4b1f0f4f6c11")


class Directory:
    """One organisation's resources in one store."""

    def __init__(self, store: Store, organisation: Organisation) -> None:
        self.store = store
        self.organisation = organisation
        self.faults = Faults(organisation.switches)
        self.representer = Representer(organisation)
        self.results = Results(store)

    def find(self, resource_type: ResourceType, identifier: str) -> Row:
        """Return one resource; raises ScimError 404."""
        row = self.store.get(resource_type.name, identifier)
        if row is None:
            raise ScimError(404, f"There is no {resource_type.name} with id {identifier!r}.")
        return row

    def read(self, resource_type: ResourceType, identifier: str) -> Row:
        """Return one resource to a client, who may have to wait for a new one; raises ScimError 404."""
        if self.faults.hides and self.faults.unseen([identifier]):
            raise ScimError(404, f"There is no {resource_type.name} with id {identifier!r}.")
        return self.find(resource_type, identifier)

    def create(self, resource_type: ResourceType, body: Any, asker: Asker) -> tuple[Row, bool]:
        """Add a resource (RFC 7644 section 3.3), or bring back one that was deleted, then the second value is True.

        Raises ScimError 400 or 409.
        """
        organisation = self.organisation
        document = read_document(body, resource_type, schemas_needed=organisation.schemas_needed)
        require_attributes(document, resource_type)
        with self.store.transaction():
            before = self._retired(resource_type, document)
            if before is None:
                row = self._add(resource_type, document, str(uuid.uuid4()), asker)
            else:
                row = self._bring_back(resource_type, before, document, asker)
        if resource_type.name == "User":
            self.faults.hide(row.id)
        return row, before is not None

    def found(self, resource_type: ResourceType, body: Any, identifier: str | None) -> Row:
        """Add a resource as the provider itself: read-only attributes count, and the id may be chosen.

        Else it follows from what was there before and from the name, so that two fresh organisations are the same: a
        plan for one has the digest of a plan for the other.
        """
        needed = self.organisation.schemas_needed
        document = read_document(body, resource_type, schemas_needed=needed, as_provider=True)
        require_attributes(document, resource_type)
        with self.store.transaction():
            chosen = identifier or self._next_id(resource_type, document)
            return self._add(resource_type, document, chosen, PROVIDER)

    def replace(
        self, resource_type: ResourceType, identifier: str, body: Any, check: Precondition, asker: Asker
    ) -> Row:
        """Replace a resource by PUT (RFC 7644 section 3.5.1); raises ScimError 400, 404, 409 or what `check` raises."""
        with self.store.transaction():
            before = self.find(resource_type, identifier)
            check(before)
            sent = read_document(body, resource_type, schemas_needed=self.organisation.schemas_needed)
            held = before.document()
            if resource_type.attributes["displayname"].read_only:
                check_renaming(held, body, self.organisation)
            kept = emptied(body, resource_type) if self.organisation.switches.put_keeps_omitted else None
            after = replaced_document(held, sent, resource_type, kept)
            return self._change(resource_type, before, after, asker)

    def patch(self, resource_type: ResourceType, identifier: str, body: Any, check: Precondition, asker: Asker) -> Row:
        """Change a resource by PATCH (RFC 7644 section 3.5.2); raises as `replace` does."""
        organisation = self.organisation
        with self.store.transaction():
            before = self.find(resource_type, identifier)
            check(before)
            shown = self.representer.document(before, asker)
            needed = organisation.schemas_needed
            after = apply_patch(shown, body, resource_type, organisation.switches, schemas_needed=needed)
            return self._change(resource_type, before, after, asker)

    def delete(self, resource_type: ResourceType, identifier: str, check: Precondition) -> None:
        """Remove a resource and every reference to it; raises ScimError 404 or what `check` raises."""
        with self.store.transaction():
            row = self.find(resource_type, identifier)
            check(row)
            if resource_type.name == "User" and self.organisation.switches.delete_deactivates:
                self._save(resource_type, row, {**row.document(), "active": False}, identifier)
                return
            for source, attribute in self.store.linked_from(identifier):
                if source.id != identifier:
                    self._unlink(source, attribute, identifier)
            if self.organisation.soft_delete:
                self.store.retire(identifier)
            else:
                self.store.delete(identifier)

    def key(self, resource_type: ResourceType, value: str) -> str:
        """Return a value of the unique attribute as the store compares it."""
        unique = resource_type.unique_attribute
        return normal(value) if unique is not None and unique.case_exact else fold(value)

    def dump(self) -> dict[str, list[JsonObject]]:
        """Return everything the store holds, by resource type, oldest first, read anew and past all caches."""
        return {
            kind.name: [
                {**row.document(), "id": row.id, "meta": {"version": row.version, "lastModified": row.modified}}
                for row in self.store.all(kind.name)
            ]
            for kind in self.organisation.resource_types
        }

    def _next_id(self, resource_type: ResourceType, document: JsonObject) -> str:
        name = document.get("userName") or document.get("displayName")
        place = self.store.count(resource_type.name)
        return str(uuid.uuid5(_FOUNDED, f"{resource_type.name} {place} {name}"))

    def _add(self, resource_type: ResourceType, document: JsonObject, identifier: str, asker: Asker) -> Row:
        check_names(document, {}, resource_type, self.organisation, self.store)
        if resource_type.name == "User":
            self._fill_defaults(document, resource_type, set())
        self._take_in(resource_type, document, {}, identifier, asker)
        return self._save(resource_type, None, document, identifier)

    def _retired(self, resource_type: ResourceType, document: JsonObject) -> Row | None:
        """Return the deleted person whose userName a new one has, where such come back, unless it is taken."""
        unique = resource_type.unique_attribute
        if unique is None or not self.organisation.soft_delete or not self.organisation.switches.restore:
            return None
        key = self.key(resource_type, document[unique.name])
        if self.store.by_unique_key(resource_type.name, key) is not None:
            return None
        return self.store.retired(resource_type.name, key)

    def _bring_back(self, resource_type: ResourceType, before: Row, sent: JsonObject, asker: Asker) -> Row:
        """Write what was sent over what is left of a deleted person, which is never the roles."""
        left = before.document() if self.organisation.switches.restore_keeps else {}
        for name in ("roles", "active"):
            left.pop(name, None)
        self._drop_dangling(resource_type, left)
        after = replaced_document(left, sent, resource_type, frozenset())
        check_names(after, left, resource_type, self.organisation, self.store)
        self._fill_defaults(after, resource_type, {"roles"})
        self._take_in(resource_type, after, left, before.id, asker)
        self.store.forget(before.id)
        return self._save(resource_type, None, after, before.id, before.version + 1)

    def _drop_dangling(self, resource_type: ResourceType, left: JsonObject) -> None:
        """Take out references to whoever was deleted while this person was."""
        for place in resource_type.links:
            targets = [value["value"] for value in place.values(left)]
            for target in set(targets) - self.store.types_of(targets).keys():
                drop_link(left, place, target)

    def _change(self, resource_type: ResourceType, before: Row, after: JsonObject, asker: Asker) -> Row:
        require_attributes(after, resource_type)
        held = before.document()
        check_names(after, held, resource_type, self.organisation, self.store)
        self._take_in(resource_type, after, held, before.id, asker)
        return self._save(resource_type, before, after, before.id)

    def _take_in(
        self, resource_type: ResourceType, document: JsonObject, held: JsonObject, identifier: str, asker: Asker
    ) -> None:
        if resource_type.name != "User":
            return
        if self.organisation.switches.user_name_lowered:
            document["userName"] = document["userName"].lower()
        if self.organisation.person is not None:
            self.organisation.person.take_in(document, held, identifier, asker.client)

    def _save(
        self, resource_type: ResourceType, before: Row | None, document: JsonObject, identifier: str, version: int = 1
    ) -> Row:
        """Check a document and write it, unless it is what is there already (then the version stays)."""
        secret = forget_secrets(document, resource_type)
        held = before.document() if before else {}
        check_links(document, held, resource_type, identifier, self.organisation, self.store)
        if before is not None and document == held and not secret:
            return before
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        row = Row(
            type=resource_type.name,
            id=identifier,
            version=before.version + 1 if before else version,
            created=before.created if before else now,
            modified=now,
            body=orjson.dumps(document),
        )
        self._write(resource_type, row, document, is_new=before is None)
        return row

    def _write(self, resource_type: ResourceType, row: Row, document: JsonObject, *, is_new: bool) -> None:
        unique = resource_type.unique_attribute
        key = self.key(resource_type, document[unique.name]) if unique is not None and unique.name in document else None
        links = [
            (place.attribute.name, value["value"])
            for place in resource_type.links
            if place.attribute is not None
            for value in place.values(document)
        ]
        try:
            if is_new:
                self.store.insert(row, key, links)
            else:
                self.store.update(row, key, links)
        except UniqueKeyTakenError as error:
            name = unique.name if unique else "id"
            detail = f"{name} {document.get(name)!r} is taken by another {resource_type.name}."
            raise ScimError(409, detail, ScimType.UNIQUENESS) from error

    def _fill_defaults(self, document: JsonObject, resource_type: ResourceType, but: set[str]) -> None:
        for path, value in self.organisation.defaults.items():
            place = resource_type.place(path)
            if path not in but and place.attribute is not None and not place.values(document):
                holder = document if place.extension is None else document.setdefault(place.extension, {})
                holder[place.attribute.name] = value

    def _unlink(self, source: Row, attribute: str, target: str) -> None:
        """Take the reference to `target` out of another resource."""
        resource_type = self.organisation.resource_type(source.type)
        document = source.document()
        for place in resource_type.links:
            if place.attribute is not None and place.attribute.name == attribute:
                drop_link(document, place, target)
        self._save(resource_type, source, document, source.id)
