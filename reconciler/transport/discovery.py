"""What a service provider says it can do, laid over what its profile says (RFC 7643 §5, RFC 9865 §4).

Its words are hints: only a plain "no" to PATCH and a plain wish for cursors are taken, everything else is left to the
profile. An answer that is missing or cannot be read changes nothing.
"""

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from reconciler.model import Json
from reconciler.profiles.profile import Paging, Profile, UserUpdate, WireRules
from reconciler.scim.values import canonical_boolean
from reconciler.transport.answers import member
from reconciler.transport.client import Reader


def discovered(reader: Reader, profile: Profile) -> Profile:
    """The profile as it is for this service provider: one request, unless the profile says it need not be asked.

    The reader walks listings by it from now on. Limits are asked for where the profile knows that they are listed.
    Raises Unreachable, SignInFailed.
    """
    reader.ask_limits()
    said = reader.service_provider_config() if profile.wire.discovery else None
    if said is None:
        return profile
    found = amended(profile, said)
    reader.page_by(found.wire)
    return found


def amended(profile: Profile, said: Mapping[str, Json]) -> Profile:
    """The profile with what a ServiceProviderConfig says laid over it."""
    pagination = member(said, "pagination")
    wire = _paged(profile.wire, pagination) if isinstance(pagination, Mapping) else profile.wire
    lifecycle = profile.lifecycle
    if _says(member(said, "patch"), "supported") is False:
        lifecycle = replace(lifecycle, user_update=UserUpdate.PUT, group_update=False)
    return replace(profile, wire=wire, lifecycle=lifecycle)


def _paged(wire: WireRules, pagination: Mapping[str, Any]) -> WireRules:
    """By cursor where that is the provider's own way, or its only one; never more rows than it gives at once."""
    prefers = member(pagination, "defaultPaginationMethod") == Paging.CURSOR.value
    if _says(pagination, "cursor") and (prefers or _says(pagination, "index") is False):
        wire = replace(wire, paging=Paging.CURSOR)
    most = member(pagination, "maxPageSize")
    if isinstance(most, int) and most > 0 and wire.page_size is not None:
        wire = replace(wire, page_size=min(wire.page_size, most))
    return wire


def _says(feature: object, name: str) -> bool | None:
    return canonical_boolean(member(feature, name)) if isinstance(feature, Mapping) else None
