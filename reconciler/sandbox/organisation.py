"""What an organisation served by the embedded provider is like, as data: the provider itself asks and never assumes.

    rfc          plain RFC 7643 and RFC 7644; groups come and go, may hold groups; takes members and managers whose ids
                 it does not know, as the RFC allows and many providers do
    rfc-strict   the same, but the ids of members and managers must exist
    genesys      a contact centre: names of roles, divisions, skills and languages must exist, groups are only filled,
                 deleted people can come back, errors come in two shapes (see `contact_centre`)

An organisation never starts empty: `founding` is in the form of a seed file, see `seeding`. `Switches` change single
answers of any of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from msgspec import Struct, field
from msgspec.structs import replace

from reconciler.sandbox.contact_centre import GENESYS_USER, Person
from reconciler.sandbox.errors import SandboxError
from reconciler.sandbox.schema import ENTERPRISE_USER, JsonObject, ResourceType, Schema, read_schema, schema_of
from reconciler.sandbox.switches import ErrorShape, Switches


class NameRule(Struct, frozen=True, kw_only=True):
    """The values at `path` of a user must be names from one catalogue of the organisation; letter case counts."""

    path: str
    catalogue: str


class Organisation(Struct, frozen=True, kw_only=True):
    """One kind of organisation; page sizes are in resources, `defaults` are written into new users by path.

    `implied_filters`: resource type -> the filter of a listing that names none. `aliases`: lower-case name in a filter
    -> the path it stands for. `untrimmed_page`: the most rows of a page when a query chooses no attributes. `max_body`
    in bytes. `tolerated`: attributes whose unknown sub-attributes are passed over. `person`: what becomes of the values
    of a user beyond what the schema says, None for nothing. `schemas`: resource type -> schemas of its own besides.
    """

    profile: str
    resource_types: tuple[ResourceType, ...]
    base_paths: tuple[str, ...]
    switches: Switches
    paths_ignore_case: bool = False
    default_page: int = 100
    max_page: int = 200
    untrimmed_page: int | None = None
    max_body: int | None = None
    schemas_needed: bool = True
    unknown_links: bool = False
    searchable: bool = True
    bare_operands: bool = False
    plain_versions: bool = False
    relative_locations: bool = False
    tells_creation: bool = True
    soft_delete: bool = False
    platform: bool = False
    error_shape: ErrorShape = ErrorShape.SCIM
    refused: frozenset[tuple[str, str]] = frozenset()
    filter_needed: frozenset[tuple[str, str]] = frozenset()
    tolerated: frozenset[str] = frozenset()
    aliases: Mapping[str, str] = field(default_factory=dict)
    implied_filters: Mapping[str, str] = field(default_factory=dict)
    name_rules: tuple[NameRule, ...] = ()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    founding: Mapping[str, Any] = field(default_factory=dict)
    person: Person | None = None
    schemas: Mapping[str, tuple[JsonObject, ...]] = field(default_factory=dict)

    def resource_type(self, name: str) -> ResourceType:
        """Return a resource type by its name; raises KeyError."""
        return {kind.name: kind for kind in self.resource_types}[name]

    def supports(self, feature: str) -> bool:
        """Whether a feature that a service provider may lack is there (see `switches.FEATURES`)."""
        return feature not in self.switches.unsupported

    def version(self, number: int) -> str:
        """Return `meta.version` of a resource that was written so many times."""
        return str(number) if self.plain_versions else f'W/"{number}"'

    def etag(self, number: int) -> str:
        """Return the ETag for the same (RFC 7644 section 3.14)."""
        return f'"{number}"' if self.plain_versions else f'W/"{number}"'


def organisation(
    profile: str, switches: Switches | None = None, schemas: Mapping[str, Sequence[JsonObject]] | None = None
) -> Organisation:
    """Return the kind of organisation a profile name stands for; raises SandboxError for an unknown one.

    `schemas`: resource type -> documents of RFC 7643 section 7 that it has besides. One with the URN of a schema that
    is there adds the attributes which that one lacks.
    """
    build = _BUILDERS.get(profile)
    if build is None:
        raise SandboxError(f"There is no embedded organisation of profile {profile!r}; try {', '.join(_BUILDERS)}.")
    built = build(switches or Switches())
    if not schemas:
        return built
    kinds = tuple(_widened(each, schemas.get(each.name, ())) for each in built.resource_types)
    return replace(built, resource_types=kinds, schemas={name: tuple(each) for name, each in schemas.items()})


def _widened(kind: ResourceType, documents: Sequence[JsonObject]) -> ResourceType:
    found = {schema.id: schema for schema in (kind.schema, *kind.extensions.values())}
    for document in documents:
        there = found.get(document["id"])
        found[document["id"]] = schema_of(document if there is None else _with_more(there, document))
    core = found.pop(kind.schema.id)
    return ResourceType(
        name=kind.name, endpoint=kind.endpoint, schema=core, extensions=found.values(), always=kind.always
    )


def _with_more(schema: Schema, document: JsonObject) -> JsonObject:
    more = [each for each in document["attributes"] if each["name"].lower() not in schema.attributes]
    return {**schema.document, "attributes": [*schema.document["attributes"], *more]}


def _plain(profile: str, switches: Switches, *, unknown_links: bool) -> Organisation:
    user = ResourceType(
        name="User", endpoint="/Users", schema=read_schema("rfc/user"), extensions=[read_schema("rfc/enterprise_user")]
    )
    group = ResourceType(name="Group", endpoint="/Groups", schema=read_schema("rfc/group"))
    return Organisation(
        profile=profile,
        resource_types=(user, group),
        base_paths=("/scim/v2", "/v2", ""),
        switches=switches,
        unknown_links=unknown_links,
        founding={
            "users": [{"userName": "root@example.com", "displayName": "Root Account", "active": True}],
            "groups": [{"displayName": "Built-in Administrators", "members": ["root@example.com"]}],
        },
    )


@lru_cache(maxsize=16)
def _rfc(switches: Switches) -> Organisation:
    return _plain("rfc", switches, unknown_links=True)


@lru_cache(maxsize=16)
def _rfc_strict(switches: Switches) -> Organisation:
    return _plain("rfc-strict", switches, unknown_links=False)


@lru_cache(maxsize=16)
def _genesys(switches: Switches) -> Organisation:
    return Organisation(
        profile="genesys",
        resource_types=_genesys_types(switches),
        base_paths=("/api/v2/scim/v2", "/api/v2/scim", ""),
        switches=switches,
        paths_ignore_case=True,
        default_page=25,
        max_page=100,
        untrimmed_page=25,
        max_body=512_000,
        schemas_needed=False,
        searchable=False,
        bare_operands=True,
        plain_versions=True,
        relative_locations=True,
        tells_creation=False,
        soft_delete=True,
        platform=True,
        error_shape=switches.errors,
        refused=frozenset({("Group", "POST"), ("Group", "DELETE")}),
        filter_needed=frozenset({("/api/v2/scim/v2", "Group")}) if switches.groups_need_filter else frozenset(),
        tolerated=frozenset({"roles"}),
        aliases=_genesys_aliases(switches),
        implied_filters={"User": "active eq true"},
        name_rules=(
            NameRule(path="roles.value", catalogue="roles"),
            NameRule(path=f"{ENTERPRISE_USER}:division", catalogue="divisions"),
            NameRule(path=f"{GENESYS_USER}:routingSkills.name", catalogue="skills"),
            NameRule(path=f"{GENESYS_USER}:routingLanguages.name", catalogue="languages"),
        ),
        defaults={"active": True, "roles": [{"value": "employee"}], f"{ENTERPRISE_USER}:division": "Home"},
        founding=_GENESYS_FOUNDING,
        person=Person(switches),
    )


def _genesys_types(switches: Switches) -> tuple[ResourceType, ResourceType]:
    exact = {name.lower() for name in switches.case_exact}
    kinds = ["User", "Group"] if switches.nested_groups else ["User"]

    def letter_case(document: JsonObject) -> None:
        for definition in document["attributes"]:
            definition["caseExact"] = definition["caseExact"] or definition["name"].lower() in exact

    def group_changes(document: JsonObject) -> None:
        letter_case(document)
        for definition in document["attributes"]:
            for part in definition.get("subAttributes", ()):
                for key in ("referenceTypes", "canonicalValues"):
                    if key in part:
                        part[key] = kinds

    user = ResourceType(
        name="User",
        endpoint="/users",
        schema=read_schema("genesys/user", letter_case),
        extensions=[read_schema("genesys/enterprise_user"), read_schema("genesys/genesys_user")],
        always=["meta"],
    )
    group = ResourceType(
        name="Group", endpoint="/groups", schema=read_schema("genesys/group", group_changes), always=["meta"]
    )
    return user, group


def _genesys_aliases(switches: Switches) -> Mapping[str, str]:
    """Return the names that its filters know besides the schemas' own: attributes of extensions without their URN."""
    names = {name.lower(): f"{ENTERPRISE_USER}:{name}" for name in _ENTERPRISE_NAMES}
    names |= {name.lower(): f"{GENESYS_USER}:{name}" for name in _GENESYS_NAMES}
    return {**names, "email": "userName" if switches.email_is_user_name else "emails.value"}


_ENTERPRISE_NAMES = ("division", "department", "manager", "employeeNumber", "dateHire")
_GENESYS_NAMES = ("routingSkills", "routingLanguages", "externalIds")
_GENESYS_FOUNDING: Mapping[str, Any] = {
    "divisions": ["Home"],
    "roles": [
        "employee",
        "Communicate - User",
        "Agent",
        "Supervisor",
        "Quality Evaluator",
        "Admin",
        "Master Admin",
    ],
    "skills": ["Billing", "Refunds", "Sales", "Technical Support"],
    "languages": ["English", "French", "German", "Spanish"],
    "users": [
        {
            "userName": "breakglass@example.com",
            "displayName": "Break Glass",
            "active": True,
            "roles": [{"value": "employee"}, {"value": "Master Admin"}],
        }
    ],
    "groups": [{"displayName": "Administrators", "members": ["breakglass@example.com"]}, "All Agents"],
}

_BUILDERS: Mapping[str, Callable[[Switches], Organisation]] = {
    "rfc": _rfc,
    "rfc-strict": _rfc_strict,
    "genesys": _genesys,
}
KINDS: Final = frozenset(_BUILDERS)
"""The profile names that an organisation of their own stands for."""
