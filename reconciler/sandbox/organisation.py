"""What an organisation served by the embedded provider is like, as data: the provider itself asks and never assumes.

    rfc          plain RFC 7643 and RFC 7644; groups come and go, may hold groups; takes members and managers whose ids
                 it does not know, as the RFC allows and many providers do
    rfc-strict   the same, but the ids of members and managers must exist
    genesys      a contact centre: names of roles, divisions, skills and languages must exist, groups are only filled

An organisation never starts empty: `founding` is in the form of a seed file, see `seeding`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from reconciler.sandbox.errors import SandboxError
from reconciler.sandbox.schema import ENTERPRISE_USER, ResourceType, read_schema

GENESYS_USER = "urn:ietf:params:scim:schemas:extension:genesys:purecloud:2.0:User"


@dataclass(frozen=True, slots=True, kw_only=True)
class NameRule:
    """The values at `path` of a user must be names from one catalogue of the organisation; letter case counts."""

    path: str
    catalogue: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """One kind of organisation; page sizes are in resources, `defaults` are written into new users by path.

    `implied_filters`: resource type -> the filter of a listing that names none.
    """

    profile: str
    resource_types: tuple[ResourceType, ...]
    base_paths: tuple[str, ...]
    paths_ignore_case: bool = False
    default_page: int = 100
    max_page: int = 200
    schemas_needed: bool = True
    unknown_links: bool = False
    refused: frozenset[tuple[str, str]] = frozenset()
    implied_filters: Mapping[str, str] = field(default_factory=dict)
    name_rules: tuple[NameRule, ...] = ()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    founding: Mapping[str, Any] = field(default_factory=dict)

    def resource_type(self, name: str) -> ResourceType:
        """Return a resource type by its name; raises KeyError."""
        return {kind.name: kind for kind in self.resource_types}[name]


def organisation(profile: str) -> Organisation:
    """Return the kind of organisation a profile name stands for; raises SandboxError for an unknown one."""
    build = _BUILDERS.get(profile)
    if build is None:
        raise SandboxError(f"There is no embedded organisation of profile {profile!r}; try {', '.join(_BUILDERS)}.")
    return build()


@cache
def _rfc() -> Organisation:
    user = ResourceType(
        name="User", endpoint="/Users", schema=read_schema("rfc/user"), extensions=[read_schema("rfc/enterprise_user")]
    )
    group = ResourceType(name="Group", endpoint="/Groups", schema=read_schema("rfc/group"))
    return Organisation(
        profile="rfc",
        resource_types=(user, group),
        base_paths=("/scim/v2", "/v2", ""),
        unknown_links=True,
        founding={
            "users": [{"userName": "root@example.com", "displayName": "Root Account", "active": True}],
            "groups": [{"displayName": "Built-in Administrators", "members": ["root@example.com"]}],
        },
    )


@cache
def _rfc_strict() -> Organisation:
    return replace(_rfc(), profile="rfc-strict", unknown_links=False)


@cache
def _genesys() -> Organisation:
    extensions = [read_schema("genesys/enterprise_user"), read_schema("genesys/genesys_user")]
    user = ResourceType(name="User", endpoint="/Users", schema=read_schema("genesys/user"), extensions=extensions)
    group = ResourceType(name="Group", endpoint="/Groups", schema=read_schema("genesys/group"))
    return Organisation(
        profile="genesys",
        resource_types=(user, group),
        base_paths=("/api/v2/scim/v2", "/api/v2/scim", ""),
        paths_ignore_case=True,
        default_page=25,
        max_page=100,
        schemas_needed=False,
        refused=frozenset({("Group", "POST"), ("Group", "DELETE")}),
        implied_filters={"User": "active eq true"},
        name_rules=(
            NameRule(path="roles.value", catalogue="roles"),
            NameRule(path=f"{ENTERPRISE_USER}:division", catalogue="divisions"),
            NameRule(path=f"{GENESYS_USER}:routingSkills.name", catalogue="skills"),
            NameRule(path=f"{GENESYS_USER}:routingLanguages.name", catalogue="languages"),
        ),
        defaults={"active": True, "roles": [{"value": "employee"}], f"{ENTERPRISE_USER}:division": "Home"},
        founding=_GENESYS_FOUNDING,
    )


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

_BUILDERS: Mapping[str, Callable[[], Organisation]] = {
    "rfc": _rfc,
    "rfc-strict": _rfc_strict,
    "genesys": _genesys,
}
