"""The attributes that can be declared, as data: RFC 7643 §4.1 (User), §4.2 (Group) and §4.3 (enterprise User).

A profile adds its provider's extensions in the same form. Nothing here does I/O or knows a provider.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import cached_property
from typing import Final

from msgspec import Struct

from reconciler.model import ResourceType

CORE_USER: Final = "urn:ietf:params:scim:schemas:core:2.0:User"
CORE_GROUP: Final = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE_USER: Final = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


PRIMARY: Final = "primary"
"""Marks the preferred element. Not specified means false (§2.4), so false is written, read and compared as absent."""


class Kind(StrEnum):
    """The shape of an attribute, which decides how it is written, compared and sent."""

    TEXT = "text"
    BOOLEAN = "boolean"
    NUMBER = "number"
    DATE = "date"
    REFERENCE = "reference"
    """Another user's id (`manager`)."""
    COMPLEX = "complex"
    """Named parts, each compared by itself (`name`)."""
    KEYED = "keyed"
    """Several elements told apart by one sub-attribute (`emails` by type): key -> parts."""
    NAMES = "names"
    """A list of names (`roles`), compared name by name."""
    LEVELS = "levels"
    """A list of names with a number each (`routingSkills`)."""
    MEMBERS = "members"
    """The members of a group, compared by id."""
    JSON = "json"
    """Anything: an attribute of an extension that nobody describes, compared whole."""


class Format(StrEnum):
    """What a text means, where that decides which spellings are equal."""

    PLAIN = "plain"
    PHONE = "phone"


class Attribute(Struct, frozen=True, kw_only=True, dict=True):
    """One attribute.

    `parts`: sub-attributes of COMPLEX and KEYED. `key`: the sub-attribute that tells elements apart. `value`: for
    KEYED the part that a bare value means (None: there is none), for LEVELS the part that holds the number.
    `keys`: the keys a provider knows (empty: any). `types`: keys that have a canonical spelling, whatever their case.
    `access`: losing the line takes away what it gave.
    """

    name: str
    kind: Kind
    schema: str = CORE_USER
    parts: tuple[str, ...] = ()
    key: str = "type"
    value: str | None = "value"
    keys: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    format: Format = Format.PLAIN
    access: bool = False
    minimum: float = 0.0
    maximum: float | None = None
    max_values: int | None = None

    # asked for once per value of every resource, so worked out once per attribute
    @cached_property
    def path(self) -> str:
        """The SCIM path of the whole attribute (RFC 7644 §3.10)."""
        return self.name if self.core else f"{self.schema}:{self.name}"

    @cached_property
    def core(self) -> bool:
        """Whether it belongs to no extension."""
        return self.schema in (CORE_USER, CORE_GROUP)

    @cached_property
    def is_list(self) -> bool:
        """Whether it is compared value by value, with claims on single values."""
        return self.kind in (Kind.NAMES, Kind.LEVELS, Kind.MEMBERS)

    @cached_property
    def refers(self) -> bool:
        """Whether its values are ids of users or groups."""
        return self.kind in (Kind.REFERENCE, Kind.MEMBERS)

    def spelled(self, key: str) -> str:
        """A key in its canonical spelling, if it has one: `type` is compared without case (RFC 7643 §8.7.1)."""
        known = self.keys or self.types
        return key if key in known else next((each for each in known if each.lower() == key.lower()), key)


class AttributeTable(Struct, frozen=True, dict=True):
    """The attributes of one resource type, by name without regard to case (RFC 7643 §2.1)."""

    resource_type: ResourceType
    attributes: tuple[Attribute, ...]

    @cached_property
    def lists(self) -> tuple[Attribute, ...]:
        """The attributes that are compared value by value."""
        return tuple(each for each in self.attributes if each.is_list)

    @cached_property
    def references(self) -> frozenset[str]:
        """The paths of the attributes whose values are ids of users or groups."""
        return frozenset(each.path for each in self.attributes if each.refers)

    @cached_property
    def _by_name(self) -> Mapping[str, Attribute]:
        return {each.name.lower(): each for each in self.attributes}

    @cached_property
    def _by_path(self) -> Mapping[str, Attribute]:
        return {each.path: each for each in self.attributes}

    @cached_property
    def _found(self) -> dict[str, Attribute | None]:
        """What was asked for by path before, as in `_places`: there are few paths and many people."""
        return dict(self._by_path)

    @cached_property
    def _places(self) -> dict[str, int]:
        return {each.path: place for place, each in enumerate(self.attributes)}

    def get(self, name: str) -> Attribute | None:
        """The attribute of that name, in any case."""
        return self._by_name.get(name.lower())

    def by_path(self, path: str) -> Attribute | None:
        """The attribute that a path belongs to; None for a path inside an undescribed extension."""
        try:
            return self._found[path]
        except KeyError:
            found = self._found[path] = self._attribute_of(path)
            return found

    def _attribute_of(self, path: str) -> Attribute | None:
        head = path.partition("[")[0]
        # a dot begins a part (``name.givenName``), but URNs have dots of their own
        while head and head not in self._by_path:
            head = head.rpartition(".")[0]
        return self._by_path.get(head)

    def place(self, path: str) -> int:
        """How many attributes of the table stand before the one that a path belongs to; undescribed ones come last."""
        try:
            return self._places[path]
        except KeyError:
            found = self.by_path(path)
            place = self._places[path] = len(self.attributes) if found is None else self._places[found.path]
            return place

    @property
    def extensions(self) -> tuple[str, ...]:
        """The extension schemas in the table, in order of appearance."""
        core = (CORE_USER, CORE_GROUP)
        return tuple(dict.fromkeys(each.schema for each in self.attributes if each.schema not in core))

    def extended(self, more: Iterable[Attribute]) -> "AttributeTable":
        """The same table with more attributes; one with a known name replaces it."""
        merged = {each.name: each for each in self.attributes} | {each.name: each for each in more}
        return AttributeTable(self.resource_type, tuple(merged.values()))


def _text(*names: str, schema: str = CORE_USER) -> tuple[Attribute, ...]:
    return tuple(Attribute(name=name, kind=Kind.TEXT, schema=schema) for name in names)


_PARTS = ("value", "display", "primary")
_ADDRESS_PARTS = ("formatted", "streetAddress", "locality", "region", "postalCode", "country", "primary")

USER_ATTRIBUTES: Final = AttributeTable(
    ResourceType.USER,
    (
        *_text("userName", "externalId", "displayName", "nickName", "profileUrl", "title", "userType"),
        *_text("preferredLanguage", "locale", "timezone"),
        Attribute(
            name="name",
            kind=Kind.COMPLEX,
            parts=("formatted", "familyName", "givenName", "middleName", "honorificPrefix", "honorificSuffix"),
        ),
        Attribute(name="active", kind=Kind.BOOLEAN),
        Attribute(name="emails", kind=Kind.KEYED, parts=_PARTS, types=("work", "home", "other")),
        Attribute(
            name="phoneNumbers",
            kind=Kind.KEYED,
            parts=_PARTS,
            types=("work", "home", "mobile", "fax", "pager", "other"),
            format=Format.PHONE,
        ),
        Attribute(
            name="ims",
            kind=Kind.KEYED,
            parts=_PARTS,
            types=("aim", "gtalk", "icq", "xmpp", "msn", "skype", "qq", "yahoo"),
        ),
        Attribute(name="photos", kind=Kind.KEYED, parts=_PARTS, types=("photo", "thumbnail")),
        Attribute(name="addresses", kind=Kind.KEYED, parts=_ADDRESS_PARTS, value=None, types=("work", "home", "other")),
        Attribute(name="entitlements", kind=Kind.NAMES, access=True),
        Attribute(name="roles", kind=Kind.NAMES, access=True),
        Attribute(name="x509Certificates", kind=Kind.NAMES),
        *_text("employeeNumber", "costCenter", "organization", "division", "department", schema=ENTERPRISE_USER),
        Attribute(name="manager", kind=Kind.REFERENCE, schema=ENTERPRISE_USER),
    ),
)

GROUP_ATTRIBUTES: Final = AttributeTable(
    ResourceType.GROUP,
    (
        Attribute(name="displayName", kind=Kind.TEXT, schema=CORE_GROUP),
        Attribute(name="externalId", kind=Kind.TEXT, schema=CORE_GROUP),
        Attribute(name="members", kind=Kind.MEMBERS, schema=CORE_GROUP, access=True),
    ),
)


def name_path(resource_type: ResourceType) -> str:
    """The attribute that tells resources of a type apart: userName (RFC 7643 §4.1), displayName (§4.2)."""
    return "userName" if resource_type is ResourceType.USER else "displayName"
