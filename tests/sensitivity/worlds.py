"""The organisations that the sensitivity tests run against: both embedded ones, and one with an unknown extension."""

from typing import Any

from msgspec.structs import replace

from reconciler.sandbox import SandboxService, open_sandbox
from reconciler.sandbox.directory import Directory
from reconciler.sandbox.organisation import organisation
from reconciler.sandbox.schema import Attribute, AttributeType, ResourceType, Schema
from reconciler.sandbox.store import Store

ACME = "urn:acme:params:scim:schemas:extension:badge:1.0:User"
"""An extension that no profile describes."""

NAMES = ("One", "Two", "Three")
"""Divisions, roles, skills and languages that every organisation knows."""


def open_world(profile: str, *, acme: bool = False) -> SandboxService:
    """A fresh organisation in memory; `acme`: its users have the unknown extension too."""
    service = _with_acme(profile) if acme else open_sandbox(None, profile)
    catalogues = ("divisions", "roles", "skills", "languages")
    service.seed({each: list(NAMES) for each in catalogues} | {"groups": ["Team"]})
    return service


def _with_acme(profile: str) -> SandboxService:
    """The organisation of a profile with one more schema for its users, founded in memory."""
    plain = organisation(profile)
    user, group = plain.resource_type("User"), plain.resource_type("Group")
    extensions = [*user.extensions.values(), _ACME_SCHEMA]
    extended = ResourceType(name="User", endpoint=user.endpoint, schema=user.schema, extensions=extensions)
    service = SandboxService(Directory(Store(None), replace(plain, resource_types=(extended, group))))
    service.seed(plain.founding)
    return service


def _attribute(name: str, kind: AttributeType, *parts: Attribute, many: bool = False) -> Attribute:
    within = {each.name.lower(): each for each in parts}
    return Attribute(name=name, type=kind, multi_valued=many, case_exact=True, sub_attributes=within)


def _document(attribute: Attribute) -> dict[str, Any]:
    """As /Schemas publishes it (RFC 7643 section 7)."""
    parts = [_document(each) for each in attribute.sub_attributes.values()]
    return {
        "name": attribute.name,
        "type": attribute.type.value,
        "multiValued": attribute.multi_valued,
        "description": attribute.name,
        "required": attribute.required,
        "caseExact": attribute.case_exact,
        "mutability": attribute.mutability.value,
        "returned": attribute.returned.value,
        "uniqueness": "none",
    } | ({"subAttributes": parts} if parts else {})


_INNER = (
    _attribute("colour", AttributeType.STRING),
    _attribute("size", AttributeType.INTEGER),
    _attribute("tags", AttributeType.STRING, many=True),
)
_DEEP = _attribute(
    "deep", AttributeType.COMPLEX, _attribute("a", AttributeType.STRING), _attribute("b", AttributeType.STRING)
)
_ATTRIBUTES = (
    _attribute("label", AttributeType.STRING),
    _attribute("level", AttributeType.DECIMAL),
    _attribute("valid", AttributeType.BOOLEAN),
    _attribute("tags", AttributeType.STRING, many=True),
    _attribute("badge", AttributeType.COMPLEX, *_INNER, _DEEP),
    _attribute("doors", AttributeType.COMPLEX, *_INNER, many=True),
)
_ACME_SCHEMA = Schema(
    id=ACME,
    name="Badge",
    attributes={each.name.lower(): each for each in _ATTRIBUTES},
    document={
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Schema"],
        "id": ACME,
        "name": "Badge",
        "description": "Every type that JSON has, nested and listed.",
        "attributes": [_document(each) for each in _ATTRIBUTES],
    },
)
