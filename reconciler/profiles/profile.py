"""The profile of a service provider: every deviation that the client, the planner or a check needs to know.

Defaults are what RFC 7643 and RFC 7644 promise. A profile is data (`*.yaml`), read by `profiles.loading`.
"""

from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from typing import Final

from msgspec import Struct, field

from reconciler.model import ABSENT, NOT_READ, ListMode, LiveResource, ResourceType, Unset, Value
from reconciler.scim.attributes import GROUP_ATTRIBUTES, USER_ATTRIBUTES, Attribute, AttributeTable
from reconciler.scim.values import same_value

DOMAIN: Final = "{domain}"
"""Stands for a region's domain in `region_url` and `region_token_url`."""


class Paging(StrEnum):
    """How a listing is walked: by the number of the next row (RFC 7644 §3.4.2.4), or by cursor (RFC 9865)."""

    INDEX = "index"
    CURSOR = "cursor"


class UserUpdate(StrEnum):
    """How a user is changed: by PATCH (RFC 7644 §3.5.2), as a whole by PUT (§3.5.1), or by PUT where PATCH cannot."""

    PATCH = "patch"
    PUT = "put"
    PATCH_ELSE_PUT = "patch-else-put"


class WireRules(Struct, frozen=True, kw_only=True):
    """How requests look.

    `page_size`: rows asked for (None: the parameter is not sent). `requests_per_minute`: None where it is not known.
    `retry_statuses`: answers that mean "later". `timeout`: seconds for one request. `discovery`: whether the provider
    is asked what it can do (RFC 7644 §4), and this profile amended by what it says.
    """

    users_path: str = "/Users"
    groups_path: str = "/Groups"
    content_type: str = "application/scim+json"
    headers: Mapping[str, str] = field(default_factory=dict)
    discovery: bool = True
    paging: Paging = Paging.INDEX
    page_size: int | None = 100
    requests_per_minute: int | None = None
    retry_statuses: tuple[int, ...] = (429, 503)
    timeout: float = 60.0
    use_versions: bool = True
    user_list_filters: tuple[str | None, ...] = (None,)
    """One listing for each; several where a list without a filter leaves somebody out."""
    cut_lists: tuple[str, ...] = ()
    """Filters of listings whose later pages may be refused; then whoever is on these is in no listing."""
    list_attributes: bool = False
    """Whether a listing must name the attributes it wants."""
    least_page_size: int | None = None
    """A page that is answered "later" is asked for again with half the rows, down to so many. None: with as many."""
    other_bases: Mapping[str, str] = field(default_factory=dict)
    """End of a base URL -> the end of another that lists the same, for a listing without filter that is refused."""
    rate_headers: Mapping[str, str] = field(default_factory=dict)
    """What answers say of the rate -> header: ``allowed`` a minute, ``count`` so far, ``reset`` in seconds."""
    limits_path: str | None = None
    """Where the provider lists its limits, from the host on; None: nowhere."""
    limit_key: str | None = None
    """The end of the names under which that list has requests per minute; the lowest counts."""
    max_body: int | None = None
    """Bytes that a request may have."""
    rights_hint: str = ""
    """What to check where the provider says that a right is missing."""
    rights: Mapping[str, str] = field(default_factory=dict)
    """``users.read`` (``create``, ``update``, ``delete``; ``groups``), or an attribute: writing it -> the right."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """What the settings leave out -> the variable that says it: `region`, `bearer`, `clientId`, `clientSecret`."""
    regions: Mapping[str, str] = field(default_factory=dict)
    """Region -> domain, where the provider's hosts differ by region alone."""
    region_url: str | None = None
    """The SCIM base URL of a region, with `DOMAIN` where its domain stands."""
    region_token_url: str | None = None
    """Where a region gives tokens (RFC 6749 §3.2), with `DOMAIN` where its domain stands."""

    def path_of(self, resource_type: ResourceType) -> str:
        """Where resources of a type are, below the base URL (RFC 7644 §3.2)."""
        return self.users_path if resource_type is ResourceType.USER else self.groups_path


class AttributeRules(Struct, frozen=True, kw_only=True):
    """What the provider does with the attributes of one resource type.

    `unsupported`: name -> why; declaring it is an error. `required`: paths a create needs. `case_insensitive`:
    ``userName``, ``emails.value``. `read_only_elements`: attribute -> keys that the provider owns. `not_stored`: names
    or paths it drops. `modes`: list -> mode where nobody says otherwise. `never_removed`: list -> names that are never
    taken. `bare_extension`: a phone number may be an extension alone.
    """

    table: AttributeTable
    unsupported: Mapping[str, str] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    case_insensitive: tuple[str, ...] = ("userName", "emails.value")
    read_only_elements: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    not_stored: tuple[str, ...] = ()
    modes: Mapping[str, ListMode] = field(default_factory=dict)
    never_removed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    bare_extension: bool = False
    costly: tuple[str, ...] = ()
    """Attributes that a listing is asked for only where something needs them; else they count as not read."""
    given_at_create: tuple[str, ...] = ()
    """Attributes that every new account gets by itself."""
    whole_lists: tuple[str, ...] = ()
    """Lists that may be replaced as a whole, as just read, where the provider finds no single value of them."""
    existing: tuple[str, ...] = ()
    """Attributes whose values are names of what must exist on the provider's side already."""

    def folds(self, path: str) -> bool:
        """Whether values at this path are equal whatever their case."""
        return _plain(path) in self.case_insensitive

    def seen(self, resource: LiveResource, path: str, wanted: Value) -> Value | Unset:
        """What live shows at a path to somebody who wants a value: that one, if it is among several."""
        found = resource.at(path)
        if found is NOT_READ:
            fold = self.folds(path)
            return next((each for each in resource.several.get(path, ()) if same_value(each, wanted, fold=fold)), found)
        return found

    def in_place(self, resource: LiveResource, path: str, wanted: Value) -> bool:
        """Whether live holds the wanted value at a path; None is wanted absence."""
        found = self.seen(resource, path, wanted)
        if isinstance(found, Unset):
            return wanted is None and found is ABSENT
        return wanted is not None and same_value(found, wanted, fold=self.folds(path))

    def stores(self, attribute: Attribute, path: str) -> bool:
        """Whether a value sent at this path is kept by the provider."""
        dropped = self.not_stored
        return not dropped or (path not in dropped and attribute.name not in dropped and _plain(path) not in dropped)


@lru_cache(maxsize=65536)
def _plain(path: str) -> str:
    """``emails.value`` for ``emails[type eq "work"].value``: what a rule says about every element."""
    head, bracket, rest = path.partition("[")
    return f"{head}.{rest.rpartition('].')[2]}" if bracket else head


class MembershipRules(Struct, frozen=True, kw_only=True):
    """How members are changed: how many per PATCH, groups in groups. Adds and removes go apart."""

    add_max: int = 100
    remove_max: int = 100
    nested: bool = True


class LifecycleRules(Struct, frozen=True, kw_only=True):
    """What can be done to a resource as a whole. `settles_within`: seconds until a write shows in a read.

    `group_update`: whether groups can be changed by PATCH, members included; they are never replaced as a whole.
    `restores`: whether a create may bring a deleted account back, with what it had.
    """

    user_update: UserUpdate = UserUpdate.PATCH_ELSE_PUT
    group_update: bool = True
    group_create: bool = True
    group_rename: bool = True
    group_delete: bool = True
    group_place: str = "on the server"
    """Where people make, rename and delete the groups that SCIM cannot, for messages."""
    restores: bool = False
    settles_within: float = 0.0


class Profile(Struct, frozen=True, kw_only=True):
    """One service provider's deviations. `title` is how people call it; `extends`: the profile it began with."""

    name: str
    title: str
    extends: str | None = None
    wire: WireRules = WireRules()
    users: AttributeRules = AttributeRules(table=USER_ATTRIBUTES, required=("userName",))
    groups: AttributeRules = AttributeRules(
        table=GROUP_ATTRIBUTES, required=("displayName",), case_insensitive=("displayName",)
    )
    membership: MembershipRules = MembershipRules()
    lifecycle: LifecycleRules = LifecycleRules()

    def rules(self, resource_type: ResourceType) -> AttributeRules:
        """The attribute rules of users, or of groups."""
        return self.users if resource_type is ResourceType.USER else self.groups


RFC: Profile = Profile(name="rfc", title="SCIM 2.0 service provider (RFC 7643, RFC 7644)")
