"""Schemas as RFC 7643 section 7 describes them, read from the documents that are also published at /Schemas.

A resource type joins a core schema with its extensions and finds the place that an attribute path names.
Must not look at resources: it knows what may be there, never what is.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from importlib import resources
from typing import Any

import orjson
from msgspec import Struct, field
from msgspec.structs import replace

JsonObject = dict[str, Any]

CORE = "urn:ietf:params:scim:schemas:core:2.0:"
USER = CORE + "User"
GROUP = CORE + "Group"
ENTERPRISE_USER = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

_NAME = re.compile(r"[A-Za-z$][A-Za-z0-9_$-]*")


class AttributeType(StrEnum):
    """Data types of RFC 7643 section 2.3."""

    STRING = "string"
    BOOLEAN = "boolean"
    DECIMAL = "decimal"
    INTEGER = "integer"
    DATE_TIME = "dateTime"
    REFERENCE = "reference"
    BINARY = "binary"
    COMPLEX = "complex"


class Mutability(StrEnum):
    """Who may write an attribute, RFC 7643 section 7."""

    READ_ONLY = "readOnly"
    READ_WRITE = "readWrite"
    IMMUTABLE = "immutable"
    WRITE_ONLY = "writeOnly"


class Returned(StrEnum):
    """When an attribute is given back, RFC 7643 section 7."""

    ALWAYS = "always"
    NEVER = "never"
    DEFAULT = "default"
    REQUEST = "request"


class PathError(ValueError):
    """An attribute path names nothing in the schemas of a resource type."""


class Attribute(Struct, frozen=True, kw_only=True, eq=False):
    """One attribute or sub-attribute; `sub_attributes` is keyed by folded name."""

    name: str
    type: AttributeType = AttributeType.STRING
    multi_valued: bool = False
    required: bool = False
    case_exact: bool = False
    mutability: Mutability = Mutability.READ_WRITE
    returned: Returned = Returned.DEFAULT
    unique: bool = False
    reference_types: tuple[str, ...] = ()
    sub_attributes: Mapping[str, Attribute] = field(default_factory=dict)

    @property
    def read_only(self) -> bool:
        """Whether clients can never write it."""
        return self.mutability is Mutability.READ_ONLY

    @property
    def links(self) -> bool:
        """Whether its values point to other resources by id and are written by clients (members, manager)."""
        reference = self.sub_attributes.get("$ref")
        if reference is None or self.read_only:
            return False
        return not {"external", "uri"} & set(reference.reference_types)

    @property
    def linked_types(self) -> tuple[str, ...]:
        """Names of the resource types its values may point to."""
        return self.sub_attributes["$ref"].reference_types


class Schema(Struct, frozen=True, kw_only=True, eq=False):
    """A schema with its attributes by folded name; `document` is what /Schemas publishes."""

    id: str
    name: str
    attributes: Mapping[str, Attribute]
    document: JsonObject


class Place(Struct, frozen=True, kw_only=True, eq=False):
    """Where an attribute path leads: an attribute, one of its sub-attributes, or an extension as a whole."""

    extension: str | None
    attribute: Attribute | None
    sub_attribute: Attribute | None = None

    @property
    def leaf(self) -> Attribute | None:
        """The definition of what stands at the end of the path; None for a whole extension."""
        return self.sub_attribute or self.attribute

    def values(self, resource: Mapping[str, Any]) -> list[Any]:
        """Return the values found there, none of them None; multi-valued attributes give all of theirs."""
        holder: Mapping[str, Any] | None = resource if self.extension is None else resource.get(self.extension)
        if not holder:
            return []
        if self.attribute is None:
            return [holder]
        found = holder.get(self.attribute.name)
        if found is None:
            return []
        values = found if self.attribute.multi_valued else [found]
        if self.sub_attribute is None:
            return list(values)
        name = self.sub_attribute.name
        return [value[name] for value in values if name in value]


class ResourceType:
    """A kind of resource (RFC 7643 section 6): its endpoint, its core schema and the schemas that extend it.

    `links` are the places whose values point to other resources by id, `always` names common attributes that every
    answer holds, whatever was asked for.
    """

    def __init__(
        self,
        *,
        name: str,
        endpoint: str,
        schema: Schema,
        extensions: Iterable[Schema] = (),
        always: Iterable[str] = (),
    ) -> None:
        self.name = name
        self.endpoint = endpoint
        self.schema = schema
        self.extensions = {extension.id: extension for extension in extensions}
        self.always = tuple(always)
        self.attributes: dict[str, Attribute] = {**COMMON_ATTRIBUTES, **schema.attributes}
        for common in self.always:
            self.attributes[common] = replace(self.attributes[common], returned=Returned.ALWAYS)
        self.unique_attribute = _only_unique(schema)
        self._extension_ids = {urn.lower(): urn for urn in self.extensions}
        self._places: dict[str, Place] = {}
        self.links = tuple(it for it in self.top_level() if it.attribute is not None and it.attribute.links)

    def place(self, path: str) -> Place:
        """Return where `path` leads (RFC 7644 section 3.10: URN, colon, attribute, dot, sub-attribute).

        Raises PathError when the schemas have no such attribute.
        """
        known = self._places.get(path)
        if known is None:
            known = self._find(path)
            if len(self._places) < 1000:
                self._places[path] = known
        return known

    def extension_id(self, urn: str) -> str | None:
        """Return the URN of an extension in the schema's own spelling, or None when there is no such extension."""
        return self._extension_ids.get(urn.lower())

    def top_level(self) -> Iterator[Place]:
        """Give the place of every attribute, the common ones first, then the core schema's, then the extensions'."""
        for attribute in self.attributes.values():
            yield Place(extension=None, attribute=attribute)
        for urn, extension in self.extensions.items():
            for attribute in extension.attributes.values():
                yield Place(extension=urn, attribute=attribute)

    def _find(self, path: str) -> Place:
        urn, rest = self._split(path)
        attributes = self.attributes if urn is None else self.extensions[urn].attributes
        if not rest:
            return Place(extension=urn, attribute=None)
        name, dot, sub_name = rest.partition(".")
        attribute = attributes.get(name.lower()) if _NAME.fullmatch(name) else None
        if attribute is None:
            raise PathError(f"{self.name} has no attribute {path!r}")
        if not dot:
            return Place(extension=urn, attribute=attribute)
        sub_attribute = attribute.sub_attributes.get(sub_name.lower())
        if sub_attribute is None:
            raise PathError(f"{attribute.name} of {self.name} has no sub-attribute {sub_name!r}")
        return Place(extension=urn, attribute=attribute, sub_attribute=sub_attribute)

    def _split(self, path: str) -> tuple[str | None, str]:
        lowered = path.lower()
        if not lowered.startswith("urn:"):
            return None, path
        for urn in (self.schema.id, *self.extensions):
            if lowered == urn.lower() and urn != self.schema.id:
                return urn, ""
            if lowered.startswith(urn.lower() + ":") and len(path) > len(urn) + 1:
                return (None if urn == self.schema.id else urn), path[len(urn) + 1 :]
        raise PathError(f"{self.name} has no schema that {path!r} could belong to")


def read_schema(name: str, change: Callable[[JsonObject], None] | None = None) -> Schema:
    """Read one of the packaged schema documents, e.g. `rfc/user`; `change` may alter it before it is understood."""
    text = resources.files(__package__).joinpath("schemas", *f"{name}.json".split("/")).read_bytes()
    document: JsonObject = orjson.loads(text)
    if change is not None:
        change(document)
    return schema_of(document)


def schema_of(document: JsonObject) -> Schema:
    """Return the schema that a document of RFC 7643 section 7 describes."""
    return Schema(
        id=document["id"],
        name=document["name"],
        attributes=_attributes(document["attributes"]),
        document=document,
    )


def instant(text: str) -> datetime:
    """Return the moment a SCIM dateTime names, in UTC where it gives no offset; raises ValueError."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def normal(text: str) -> str:
    """Return text as it compares: composed and decomposed letters are the same."""
    return unicodedata.normalize("NFC", text)


def fold(text: str) -> str:
    """Return text as it compares where letter case does not count."""
    return normal(text).casefold()


def _attributes(definitions: list[JsonObject]) -> dict[str, Attribute]:
    return {definition["name"].lower(): _attribute(definition) for definition in definitions}


def _attribute(definition: JsonObject) -> Attribute:
    return Attribute(
        name=definition["name"],
        type=AttributeType(definition["type"]),
        multi_valued=definition["multiValued"],
        required=definition["required"],
        case_exact=definition["caseExact"],
        mutability=Mutability(definition["mutability"]),
        returned=Returned(definition["returned"]),
        unique=definition["uniqueness"] != "none",
        reference_types=tuple(definition.get("referenceTypes", ())),
        sub_attributes=_attributes(definition.get("subAttributes", [])),
    )


def _only_unique(schema: Schema) -> Attribute | None:
    unique = [attribute for attribute in schema.attributes.values() if attribute.unique]
    if len(unique) > 1:
        raise ValueError(f"the store keeps one unique attribute a resource type, {schema.id} has {len(unique)}")
    return unique[0] if unique else None


def _read_only(name: str, kind: AttributeType = AttributeType.STRING, *, exact: bool = False) -> Attribute:
    return Attribute(name=name, type=kind, case_exact=exact, mutability=Mutability.READ_ONLY)


# RFC 7643 section 3.1 gives every resource these; schema documents do not repeat them.
COMMON_ATTRIBUTES: Mapping[str, Attribute] = {
    "schemas": Attribute(
        name="schemas",
        type=AttributeType.REFERENCE,
        multi_valued=True,
        case_exact=True,
        mutability=Mutability.READ_ONLY,
        returned=Returned.ALWAYS,
    ),
    "id": Attribute(name="id", case_exact=True, mutability=Mutability.READ_ONLY, returned=Returned.ALWAYS),
    "externalid": Attribute(name="externalId", case_exact=True),
    "meta": Attribute(
        name="meta",
        type=AttributeType.COMPLEX,
        mutability=Mutability.READ_ONLY,
        sub_attributes={
            "resourcetype": _read_only("resourceType", exact=True),
            "created": _read_only("created", AttributeType.DATE_TIME),
            "lastmodified": _read_only("lastModified", AttributeType.DATE_TIME),
            "location": _read_only("location", AttributeType.REFERENCE, exact=True),
            "version": _read_only("version", exact=True),
        },
    ),
}
