"""Dates that are new in somebody's lines, as against those that the record holds: what a day to come will take.

What only the day brings about counts against no limit and needs nobody's word: it was reviewed. So it has to be seen,
and to count, when its line comes, though nothing changes on the server yet.
"""

from collections.abc import Iterator, Mapping
from datetime import date

from msgspec import Struct

from reconciler.diffing.activity import dates_of
from reconciler.diffing.ground import Ground
from reconciler.diffing.references import References
from reconciler.model import (
    Address,
    AppliedDates,
    AppliedList,
    AppliedResource,
    DesiredResource,
    LiveResource,
    Paired,
    Phase,
    ResourceType,
)
from reconciler.situation import Situation

DAYS = 14
"""So many days ahead, today and the last one included, a plan names whatever dates bring, new or not."""
_MEMBERS = "members"
_NO_DATES = AppliedDates()


class Dated(Struct, frozen=True, kw_only=True):
    """`people`: who is to lose the account -> the day, in ISO form, after which; new, or earlier than before.

    `members`: group -> live id of whoever is to leave it -> the last day there; new or earlier likewise.
    """

    people: Mapping[Address, str]
    members: Mapping[Address, Mapping[str, str]]


def newly_dated(situation: Situation) -> Dated:
    """Whom dates that are new in these declarations will cost something."""
    people: dict[Address, str] = {}
    members: dict[Address, Mapping[str, str]] = {}
    references: References | None = None
    for wanted, found, entry in _known(situation):
        if wanted.address.resource_type is ResourceType.USER:
            if day := _ends_earlier(wanted, found, entry):
                people[wanted.address] = day
            continue
        # it takes everybody's name to make them
        references = references or References(situation.matches, situation.live)
        if ending := dict(_leaving_earlier(wanted, found, entry, references)):
            members[wanted.address] = ending
    return Dated(people=people, members=members)


def speak_of_dates(ground: Ground) -> None:
    """A notice for each person and group with other dates than before, as far off as they may be."""
    situation, references = ground.situation, ground.references
    near = situation.desired.today.toordinal() + DAYS
    for wanted, found, entry in _known(situation):
        if wanted.address.resource_type is ResourceType.USER:
            if changed := list(_changed(wanted, found, entry)):
                ground.notice("dates-changed", f"dates change: {', '.join(changed)}", "", wanted)
            continue
        by_day: dict[str, int] = {}
        for until in dict(_leaving_earlier(wanted, found, entry, references)).values():
            by_day[until] = by_day.get(until, 0) + 1
        for until, count in sorted(by_day.items()):
            if date.fromisoformat(until).toordinal() > near:
                who = "1 membership ends" if count == 1 else f"{count:,} memberships end"
                ground.notice("dates-changed", f"{who} after {until}, which is new", "", wanted)


def _known(situation: Situation) -> Iterator[tuple[DesiredResource, LiveResource, AppliedResource]]:
    """Who has dates, or had some, with what the record says of the account; nothing of who becomes ours only now.

    Without a whole record nothing is new, so nobody is looked at whom it does not know.
    """
    matches, whole = situation.matches, situation.applied.whole
    # nearly nobody has dates: to look everybody up would take longer than all the rest
    dated = [address for address, wanted in situation.desired.resources.items() if _has_dates(wanted)]
    had = [address for address, entry in matches.entries.items() if entry.dates != _NO_DATES]
    for address in dict.fromkeys((*dated, *had)):
        match, entry = matches.by_address[address], matches.entries.get(address)
        if not isinstance(match, Paired) or match.live_id in matches.frozen:
            continue
        if entry is None and whole:
            entry = AppliedResource(address=address, live_id=match.live_id)
        if entry is not None:
            yield situation.desired.resources[address], situation.live.resources[match.live_id], entry


def _has_dates(wanted: DesiredResource) -> bool:
    if wanted.address.resource_type is ResourceType.USER:
        return wanted.lifecycle.ends_on is not None
    lines = wanted.lists.get(_MEMBERS)
    return lines is not None and any(how.until is not None for how in lines.items.values())


def _ends_earlier(wanted: DesiredResource, found: LiveResource, entry: AppliedResource) -> str | None:
    """Her last day, or that of the account, whichever is new and the first; None if neither is."""
    lines = wanted.lifecycle
    if lines.ends_on is None or lines.phase is Phase.DELETION:
        return None
    had, has = entry.dates, dates_of(lines)
    if found.active and lines.phase is not Phase.AFTER and _is_earlier(has.ends_on, had.ends_on):
        return has.ends_on
    deleted = _deleted_on(has)
    return deleted if _is_earlier(deleted, _deleted_on(had)) else None


def _is_earlier(new: str | None, old: str | None) -> bool:
    return new is not None and (old is None or new < old)


def _deleted_on(dates: AppliedDates) -> str | None:
    """Roughly, as a day that dates cannot say is as far off as any."""
    if dates.ends_on is None or dates.delete_after is None:
        return None
    day = date.fromisoformat(dates.ends_on).toordinal() + dates.delete_after
    return date.fromordinal(min(day, date.max.toordinal())).isoformat()


def _changed(wanted: DesiredResource, found: LiveResource, entry: AppliedResource) -> Iterator[str]:
    """What of her dates is new, where the record will hold it after this run."""
    lines, had = wanted.lifecycle, entry.dates
    settled = found.active if lines.phase in (Phase.WITHIN, Phase.UNDATED) else not found.active
    has = dates_of(lines)
    if not settled or has == had:
        return
    for name, old, new in (
        ("endsOn", had.ends_on, has.ends_on),
        ("deleteAfter", had.delete_after, has.delete_after),
    ):
        if old != new:
            yield f"{name} {'none' if old is None else old} -> {'none' if new is None else new}"


def _leaving_earlier(
    wanted: DesiredResource, found: LiveResource, entry: AppliedResource, references: References
) -> Iterator[tuple[str, str]]:
    """Live id and last day of each member who was to stay longer."""
    ours, held = entry.lists.get(_MEMBERS, AppliedList()).items, found.items(_MEMBERS) or {}
    for item, until in _last_days(wanted, references).items():
        if until and item in held and _is_earlier(until, ours[item].until if item in ours else None):
            yield item, until


def _last_days(wanted: DesiredResource, references: References) -> dict[str, str]:
    """Live id -> last day; empty for no end. Two lines may name one account: the longer one counts."""
    days: dict[str, str] = {}
    for key, how in wanted.lists[_MEMBERS].items.items():
        item = key if isinstance(key, str) else references.id_of(key)
        if isinstance(item, str):
            until = how.until.isoformat() if how.until else ""
            days[item] = "" if "" in (until, days.get(item, until)) else max(until, days.get(item, until))
    return days
