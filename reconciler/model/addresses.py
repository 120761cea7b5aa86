"""How resources and values are named: addresses, references, the ids of what does not exist yet.

A *path* is a SCIM path (RFC 7644 §3.10) and names one comparable thing: ``title``, ``name.givenName``,
``emails[type eq "work"].value``, ``urn:…:enterprise:2.0:User:department``. A *list* (``roles``, ``members``,
``routingSkills``) is compared value by value: its items are keyed by name, or by live id for members.

Ids that the service provider has not given yet are spelled ``bulkId:user.alice.ng`` (RFC 7644 §3.7.2); RFC 7643 §3.1
reserves that word, so no real id can collide with it.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final, TypeAlias

from msgspec import Struct

Json: TypeAlias = str | bool | int | float | Sequence["Json"] | Mapping[str, "Json"] | None


class ResourceType(StrEnum):
    """The two resource types that are declared (RFC 7643 §4.1, §4.2)."""

    USER = "user"
    GROUP = "group"

    # Enum's own is written in Python, and every look-up by address takes it
    __hash__ = str.__hash__


_TYPES: Final = {str(each): each for each in ResourceType}


def without_case(name: str) -> str:
    """The form in which keys and names are compared, wherever that is done.

    Not casefold(): ß is no other case of ss, and who is called weiss not the one called weiß.
    """
    return name.lower()


class Address(Struct, frozen=True, order=True):
    """The lasting name of a declared resource: ``user.alice.ng``. Keys compare without case."""

    resource_type: ResourceType
    key: str

    def __str__(self) -> str:
        return self.resource_type + "." + self.key

    @property
    def folded(self) -> tuple[ResourceType, str]:
        """What two addresses are compared by."""
        return (self.resource_type, without_case(self.key))

    @classmethod
    def parse(cls, text: str) -> "Address":
        """``group.support-emea`` -> Address; ValueError if the part before the first dot is no resource type."""
        kind, _, key = text.partition(".")
        resource_type = _TYPES.get(kind)
        if not key or resource_type is None:
            raise ValueError(f"not an address: {text!r}")
        return cls(resource_type, key)


BULK_ID: Final = "bulkId:"


def known_after_apply(address: Address) -> str:
    """The id of a resource that does not exist yet (RFC 7644 §3.7.2)."""
    return BULK_ID + str(address)


def is_known(resource_id: str) -> bool:
    """Whether the service provider has given this id already."""
    return not resource_id.startswith(BULK_ID)


class LiveReference(Struct, frozen=True):
    """``{live: breakglass@example.com}``: a resource that is not declared, looked up by userName or displayName."""

    resource_type: ResourceType
    name: str

    def __str__(self) -> str:
        return f"live {self.resource_type} {self.name}"


Reference: TypeAlias = Address | LiveReference
ItemKey: TypeAlias = str | Address | LiveReference
"""A name (roles, skills) or a reference (members)."""

Value: TypeAlias = Json | Address | LiveReference
"""A canonical attribute value. In desired state None means "cleared"; a reference stands where SCIM wants an id."""
