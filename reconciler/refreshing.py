"""Reads everything that a target holds into a `LiveState`: whole, or an error. Writes nothing, decides nothing.

Listings are walked by `transport`; this module adds what a single listing cannot know: several passes that must not
overlap, groups whose members a listing leaves out, and what a reader of the plan must be told about the reading.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from msgspec.structs import replace

from reconciler.decoding import NO_EXTENSIONS, Decoder, Extensions
from reconciler.errors import IncompleteListing, NotScim
from reconciler.memory import no_collection
from reconciler.model import Diagnostic, Json, LiveResource, LiveState, ResourceType, Severity, without_case
from reconciler.profiles.profile import Profile
from reconciler.scim.paths import url_path
from reconciler.transport.answers import folded
from reconciler.transport.client import Reader
from reconciler.transport.listing import WALKS_AGAIN, Listing, Row, row_id

_Found: TypeAlias = dict[str, LiveResource]

_NO_ROWS: Final[tuple[Row, ...]] = ()
_ALWAYS: Final = ("id", "meta")
_MEMBERS: Final = "members"
_NAMED: Final = "the server shows logins where the ids of members belong"
_HIDDEN: Final = "the server shows the members of this group neither in the list nor in the group itself"


@no_collection()
def refresh(
    reader: Reader,
    profile: Profile,
    *,
    extensions: Extensions = NO_EXTENSIONS,
    unasked: Collection[str] = (),
    users: bool = True,
    groups: bool = True,
    to_the_end: bool = False,
) -> LiveState:
    """All users and groups of a target, in canonical form.

    `extensions`: URN -> names of the attributes that are declared under it though no profile describes them. `unasked`:
    attributes of people that nothing needs: where a listing names what it wants they are left out, and count as not
    read (a filtered listing has them all: whoever is at rest may come back, with what must be known then). `users` and
    `groups` say what to read; `to_the_end`: trust no total, and walk every listing to an empty page. Raises
    IncompleteListing where a listing cannot be believed, TargetError where the service provider cannot be worked with.
    """
    resources: _Found = {}
    trusted, user_rows = True, _NO_ROWS
    notices: list[Diagnostic] = []
    if users:
        for filtered, listing in _passes(reader, profile, ResourceType.USER, extensions, unasked, to_the_end).items():
            decoder = Decoder(ResourceType.USER, profile, extensions, _left_out(profile, filtered, unasked))
            resources |= {each.id: each for each in map(decoder.decode, listing.rows)}
            trusted, user_rows = trusted and listing.totals_trusted, (*user_rows, *listing.rows)
            notices += [_cut(listing, filtered)] if listing.cut else []
    if groups:
        listing = _passes(reader, profile, ResourceType.GROUP, extensions, (), to_the_end)[None]
        trusted = trusted and listing.totals_trusted
        found = _groups(reader, profile, listing.rows, user_rows, Decoder(ResourceType.GROUP, profile, extensions))
        _refuse_shared_ids(resources, found)
        resources |= _without_names_for_ids(found, resources)
    notices += [] if trusted else [UNTRUSTED]
    return LiveState(resources=resources, totals_trusted=trusted, notices=tuple(notices))


def is_cut(live: LiveState) -> bool:
    """Whether the server refused the end of a listing."""
    return any(each.code == "list-cut" for each in live.notices)


def decode_resource(
    row: Mapping[str, Json], resource_type: ResourceType, profile: Profile, extensions: Extensions = NO_EXTENSIONS
) -> LiveResource:
    """One resource as a service provider answered it, in canonical form. Raises IncompleteListing without an id."""
    return Decoder(resource_type, profile, extensions).decode(row)


UNTRUSTED: Final = Diagnostic(
    severity=Severity.WARNING,
    code="totals-not-trusted",
    summary="the server's totals are lower than what it holds",
    detail="Its listings were read until an empty page; whether they are whole cannot be checked by their totals.",
    mend="nothing to do here; absences that would cost something are read by id",
)


def _cut(listing: Listing, filtered: str | None) -> Diagnostic:
    total = "an unknown number" if listing.total is None else f"{listing.total:,}"
    return Diagnostic(
        severity=Severity.WARNING,
        code="list-cut",
        summary=f"of {total} users with {filtered} the server lists {len(listing.rows):,} and refuses the pages behind",
        detail="Of the others, those whom the record knows are read by id. Whoever is new here and has the login of "
        "one of them is found when she is created.",
        mend="nothing to do here; who has left for good may be deleted on the server",
    )


def _passes(
    reader: Reader,
    profile: Profile,
    resource_type: ResourceType,
    extensions: Extensions,
    unasked: Collection[str],
    to_the_end: bool,
) -> dict[str | None, Listing]:
    """Filter -> listing, for one resource type; all walked again while somebody turns up in two of them."""
    wire = profile.wire
    is_user = resource_type is ResourceType.USER
    path = wire.path_of(resource_type)
    twice: list[str] = []
    for _ in range(WALKS_AGAIN + 1):
        listings: dict[str | None, Listing] = {}
        for each in wire.user_list_filters if is_user else (None,):
            left_out = _left_out(profile, each, unasked)
            wanted = _wanted(profile, resource_type, extensions, left_out) if wire.list_attributes else ()
            listings[each] = reader.listing(
                path, filter=each, attributes=wanted, to_the_end=to_the_end, may_be_cut=each in wire.cut_lists
            )
        received = sum(len(listing.rows) for listing in listings.values())
        repeated = received - len({row_id(row, path) for listing in listings.values() for row in listing.rows})
        if not repeated:
            return listings
        twice.append(f"{repeated} of {received}")
    raise IncompleteListing(
        f"{path}: {twice[-1]} rows came twice, in listings that must not overlap (walked {len(twice)} times)",
        "run again when nobody else is changing users; if it stays so, the server ignores the filter "
        f"{' and '.join(each for each in wire.user_list_filters if each)}",
    )


def _left_out(profile: Profile, filtered: str | None, unasked: Collection[str]) -> Collection[str]:
    return unasked if profile.wire.list_attributes and filtered is None else ()


def _wanted(
    profile: Profile, resource_type: ResourceType, extensions: Extensions, unasked: Collection[str]
) -> list[str]:
    """What can be declared and is needed, by name, for a server whose listings must be told (RFC 7644 §3.4.2.5)."""
    rules = profile.rules(resource_type)
    left_out = {*rules.unsupported, *unasked}
    described = [each.path for each in rules.table.attributes if each.name not in left_out]
    declared = [f"{urn}:{name}" for urn, names in extensions.get(resource_type, {}).items() for name in names]
    return [*_ALWAYS, *described, *declared]


def _groups(reader: Reader, profile: Profile, rows: Sequence[Row], users: Sequence[Row], decoder: Decoder) -> _Found:
    """The groups, each with its members: a row that does not name the attribute is read again by id.

    A group without members may leave the attribute out (RFC 7643 §2.5), and so may a server that does not list
    members: only the group itself can tell. Where it does not either but some user says to be in it, its members
    count as not read.
    """
    found: _Found = {}
    claimed: Collection[str] | None = None
    for row in rows:
        group = decoder.decode(row)
        if not _shows_members(row):
            alone = reader.get(url_path(profile.wire.groups_path, group.id))
            if alone is None:
                raise IncompleteListing(f"group {group.id} went away while it was read", "run again")
            if _shows_members(alone):
                shown = decoder.decode(alone)
                group = replace(group, lists=shown.lists, not_read={**group.not_read, **shown.not_read})
            else:
                claimed = set(_claimed_groups(users)) if claimed is None else claimed
                group = replace(group, not_read={**group.not_read, _MEMBERS: _HIDDEN}) if group.id in claimed else group
        found[group.id] = group
    return found


def _without_names_for_ids(groups: _Found, users: Mapping[str, LiveResource]) -> _Found:
    """Members count as not read where the server shows a login in place of an id.

    Nobody would ever be found there by id, and whoever is shown would look like somebody else's member.
    """
    logins: frozenset[str] | None = None
    found: _Found = {}
    for group in groups.values():
        # not by subtraction of the keys: that would go through everybody for each group
        strangers = [each for each in group.lists.get(_MEMBERS, ()) if each not in users and each not in groups]
        if strangers:
            logins = frozenset(without_case(each.name) for each in users.values()) if logins is None else logins
            if not logins.isdisjoint(map(without_case, strangers)):
                group = replace(group, not_read={**group.not_read, _MEMBERS: _NAMED})
        found[group.id] = group
    return found


def _shows_members(row: Row) -> bool:
    return _MEMBERS in row or any(name.lower() == _MEMBERS for name in row)


def _claimed_groups(users: Sequence[Row]) -> Iterator[str]:
    """The ids of groups that users say to be direct members of (RFC 7643 §4.1.2 `groups`); evidence only."""
    for row in users:
        claims = folded(row).get("groups")
        for each in claims if isinstance(claims, list) else ():
            members = folded(each) if isinstance(each, Mapping) else {}
            if isinstance(members.get("value"), str) and members.get("type") != "indirect":
                yield members["value"]


def _refuse_shared_ids(users: Mapping[str, LiveResource], groups: Mapping[str, LiveResource]) -> None:
    shared = sorted(users.keys() & groups.keys())
    if shared:
        raise NotScim(
            f"a user and a group have the same id {shared[0]!r}",
            "RFC 7643 §3.1 wants ids unique across all resources; members cannot be told apart here",
        )
