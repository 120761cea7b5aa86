"""Whether those whom a listing left out are gone: what the record knows and no listing shows is read by id.

A listing may be short though its total agrees with it, and some servers hide accounts from lists. Either must not look
like a deletion. So is a member of a group whom nobody knows, before she is taken out: she may be somebody who is
declared. Writes nothing, decides nothing: who turns out to be there is put among the rest, and the reader told.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Final

from msgspec.structs import replace

from reconciler.decoding import NO_EXTENSIONS, Extensions
from reconciler.errors import IncompleteListing, TargetError
from reconciler.model import SAMPLE, AppliedState, Diagnostic, Json, LiveResource, LiveState, ResourceType, Severity
from reconciler.profiles.profile import Profile
from reconciler.refreshing import UNTRUSTED, decode_resource, is_cut, refresh
from reconciler.scim.paths import url_path
from reconciler.transport.answers import is_usable_id
from reconciler.transport.client import Reader

MANY: Final = 1_000
"""How many where one of them turned out to be there: deletions are many at times, and they must not stop a run."""
NOBODY: Final[Mapping[str, ResourceType]] = {}
_LEFT_OUT: Final = "the listings of this server leave people out; ask the provider why, or try another pageSize"


def refresh_proved(
    reader: Reader,
    profile: Profile,
    applied: AppliedState,
    *,
    extensions: Extensions = NO_EXTENSIONS,
    unasked: Collection[str] = (),
    also: Mapping[str, ResourceType] = NOBODY,
) -> LiveState:
    """`refresh`, in which nobody whom the record knows, nor `also`, is absent only because a listing left her out.

    Where somebody was left out, though no listing was cut, they are walked once more, to an empty page whatever their
    totals say; who is in none of them even then is read by id. That costs a request for each recorded id that no
    listing shows, those of `also` first, up to SAMPLE; up to MANY where somebody turns out to be there. Raises as
    `refresh` does, and IncompleteListing where more are left out than are read so.
    """

    def walked(*, to_the_end: bool) -> LiveState:
        return refresh(reader, profile, extensions=extensions, unasked=unasked, to_the_end=to_the_end)

    entries = {each.live_id: address.resource_type for address, each in applied.resources.items() if each.live_id}
    # who was in no listing before is looked for first: among many who were deleted meanwhile she would not be met
    recorded = {**also, **{each: entries[each] for each in sorted(entries)}}
    live = walked(to_the_end=False)
    hidden = _left_out(reader, profile, recorded, live, extensions)
    if hidden and live.totals_trusted and not is_cut(live):
        live = _walked_again(walked, hidden)
        hidden = _left_out(reader, profile, recorded, live, extensions)
    absent = len(recorded.keys() - live.resources.keys())
    if hidden and absent > MANY:
        raise IncompleteListing(
            f"{absent:,} of {len(recorded):,} recorded users and groups are in no listing, and {len(hidden)} of "
            f"{SAMPLE} that were read by id are there",
            _LEFT_OUT,
        )
    if hidden and absent > SAMPLE:
        hidden |= _left_out(reader, profile, recorded, live, extensions, range(SAMPLE, MANY))
    return _with_hidden(live, hidden)


def with_members(
    reader: Reader, profile: Profile, live: LiveState, members: Collection[str], extensions: Extensions = NO_EXTENSIONS
) -> LiveState:
    """`live` with those of `members`, ids that no listing shows, who are there all the same; itself if none is.

    Costs a request or two for each, up to SAMPLE; up to MANY where somebody turns out to be there. IncompleteListing
    where some are there and more are left to look for.
    """

    def there(numbers: range) -> dict[str, LiveResource]:
        hidden: dict[str, LiveResource] = {}
        for kind in (ResourceType.USER, *((ResourceType.GROUP,) if profile.membership.nested else ())):
            sought = {each: kind for each in sorted(members)[numbers.start : numbers.stop] if each not in hidden}
            hidden |= _left_out(reader, profile, sought, live, extensions, range(MANY))
        return hidden

    hidden = there(range(SAMPLE))
    if hidden and len(members) > MANY:
        raise IncompleteListing(
            f"{len(members):,} members who would be taken out are in no listing, and {len(hidden)} of {SAMPLE} that "
            "were read by id are there",
            _LEFT_OUT,
        )
    if hidden and len(members) > SAMPLE:
        hidden |= there(range(SAMPLE, MANY))
    return _with_hidden(live, hidden)


def with_created(
    reader: Reader, profile: Profile, live: LiveState, created: Mapping[str, ResourceType], extensions: Extensions
) -> tuple[LiveState, frozenset[str]]:
    """`live` with those of `created`, ids that creates were answered with, whom no listing shows and who are there.

    And the ids that are not there: at most SAMPLE are looked for, at one request each; of the others nothing is said.
    """
    sought = {each: created[each] for each in sorted(created.keys() - live.resources.keys())[:SAMPLE]}
    found = _left_out(reader, profile, sought, live, extensions)
    return _with_hidden(live, found), frozenset(sought.keys() - found.keys())


def denied(reader: Reader, profile: Profile, sought: Mapping[str, ResourceType]) -> frozenset[str]:
    """Those of some listed ids whom the server denies by id, as one does that lists the deleted for a while.

    At most SAMPLE are looked for, at one request each; who cannot be read is not denied.
    """
    usable = {each: sought[each] for each in sorted(sought)[:SAMPLE] if is_usable_id(each)}
    return frozenset(each for each, kind in usable.items() if _is_denied(reader, profile, each, kind))


def _is_denied(reader: Reader, profile: Profile, live_id: str, kind: ResourceType) -> bool:
    try:
        return _by_id(reader, profile, live_id, kind) is None
    except TargetError:
        return False


def _walked_again(walked: Callable[..., LiveState], hidden: Mapping[str, LiveResource]) -> LiveState:
    """A walk to an empty page. It tells of totals only where these turned out to be wrong."""
    live = walked(to_the_end=True)
    if hidden.keys().isdisjoint(live.resources):
        return replace(live, totals_trusted=True, notices=tuple(each for each in live.notices if each is not UNTRUSTED))
    return live


def _left_out(
    reader: Reader,
    profile: Profile,
    recorded: Mapping[str, ResourceType],
    live: LiveState,
    extensions: Extensions,
    numbers: range = range(SAMPLE),
) -> dict[str, LiveResource]:
    """Who is there by id and in no listing. `numbers`: which of the absent are asked for, in `recorded`'s order."""
    # whoever may push the record may write anything there; what is no id would be another address
    absent = [each for each in recorded if each not in live.resources and is_usable_id(each)]
    found: dict[str, LiveResource] = {}
    for each in absent[numbers.start : numbers.stop]:
        row = _by_id(reader, profile, each, recorded[each])
        if row is not None:
            found[each] = decode_resource(row, recorded[each], profile, extensions)
    return found


def _by_id(reader: Reader, profile: Profile, live_id: str, kind: ResourceType) -> Mapping[str, Json] | None:
    return reader.get(url_path(profile.wire.path_of(kind), live_id))


def _with_hidden(live: LiveState, hidden: Mapping[str, LiveResource]) -> LiveState:
    if not hidden:
        return live
    behind_the_cut = is_cut(live) and not any(each.active for each in hidden.values())
    names = ", ".join(sorted(each.name for each in hidden.values())[:5]) + (" …" if len(hidden) > 5 else "")
    is_one = len(hidden) == 1
    notice = Diagnostic(
        severity=Severity.WARNING,
        code="not-listed",
        summary=f"in no listing of the server, and there by id: {names}",
        detail=f"{'It was' if is_one else f'These {len(hidden)} were'} read by id. Others may be hidden from the "
        "listings too: whoever is new here may exist already.",
        mend="check what the credential may see",
    )
    return replace(
        live,
        resources={**live.resources, **hidden},
        unlisted=live.unlisted | hidden.keys(),
        notices=live.notices if behind_the_cut else (*live.notices, notice),
    )
