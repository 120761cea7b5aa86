"""Finds a person by login where a create has met her: refused as taken, or left without an answer. Reads only.

Rows are checked against the login that was asked for: a filter may be ignored, or not know the inactive.
"""

from collections.abc import Iterator, Mapping

from reconciler.errors import TargetError
from reconciler.model import Json, ResourceType, without_case
from reconciler.profiles.profile import Profile
from reconciler.scim.attributes import name_path
from reconciler.scim.paths import equals_filter, url_path
from reconciler.transport.answers import member
from reconciler.transport.client import Reader
from reconciler.transport.listing import PageRefused, Row, row_id

_LOGIN = name_path(ResourceType.USER)


def user_called(reader: Reader, profile: Profile, login: str) -> Mapping[str, Json] | None:
    """The one user of that login, read whole; None where there is none, where there are several, or none can be read.

    Of the passes that a full listing takes each is asked for her alone, or walked where it cannot be asked so.
    """
    path = profile.wire.users_path
    try:
        found = {
            row_id(row, path)
            for only in profile.wire.user_list_filters
            for row in _rows(reader, profile, login, only)
            if without_case(str(member(row, _LOGIN))) == without_case(login)
        }
        live_id = found.pop() if len(found) == 1 else None
        body = reader.get(url_path(path, live_id)) if live_id is not None else None
    except TargetError:
        return None
    # whatever the server calls its id: who it is was asked for
    return None if body is None else {**body, "id": live_id}


def _rows(reader: Reader, profile: Profile, login: str, only: str | None) -> Iterator[Row]:
    path, attributes = profile.wire.users_path, ("id", _LOGIN) if profile.wire.list_attributes else ()
    her = equals_filter(_LOGIN, login)
    try:
        listing = reader.listing(path, filter=f"{her} and {only}" if only else her, attributes=attributes)
    except PageRefused:
        listing = reader.listing(path, filter=only, attributes=attributes)
    yield from listing.rows
