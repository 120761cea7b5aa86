"""What the next days bring by themselves: who starts, who ends, whose membership ends, who is deleted. Pure.

Nobody has to act on it; a reviewer should not be surprised when the day alone changes the plan.
"""

from collections.abc import Iterator
from datetime import date

from reconciler.declarations.people import shown_names
from reconciler.declarations.resolution import Resolution
from reconciler.diffing.dated import DAYS
from reconciler.model import Address, DesiredResource, Diagnostic, ItemKey, LiveReference, Phase, Severity


def coming_days(found: Resolution) -> tuple[Diagnostic, ...]:
    """A notice for each person and each group whose dates fall within the next days, by date."""
    events = [
        (day, address, words, resource)
        for address, resource in (*found.users.items(), *found.groups.items())
        for day, words in (*_of_person(resource), *_of_members(resource))
        if 0 <= day - found.today.toordinal() <= DAYS and day <= date.max.toordinal()
    ]
    return tuple(
        Diagnostic(
            severity=Severity.NOTICE,
            code="coming-days",
            summary=f"{words} {date.fromordinal(day).isoformat()}",
            address=address,
            source=resource.source,
        )
        for day, address, words, resource in sorted(events, key=lambda each: (each[0], each[2], str(each[1])))
    )


def _of_person(resource: DesiredResource) -> Iterator[tuple[int, str]]:
    """Ordinals, because a day far off may be none that a date can say."""
    lines = resource.lifecycle
    if lines.phase is Phase.BEFORE and lines.starts_on is not None:
        yield lines.starts_on.toordinal(), "starts on"
    if lines.ends_on is None:
        return
    if lines.phase is not Phase.AFTER:
        yield lines.ends_on.toordinal(), "the last day is"
    elif lines.delete_after is not None:
        yield lines.ends_on.toordinal() + lines.delete_after + 1, "will be deleted on"


def _of_members(resource: DesiredResource) -> Iterator[tuple[int, str]]:
    by_day: dict[date, list[str]] = {}
    for name in resource.lists:
        for item, how in resource.lists[name].items.items():
            if how.until is not None:
                by_day.setdefault(how.until, []).append(_name(item))
    for day, names in by_day.items():
        yield day.toordinal(), f"the membership of {shown_names(names)} ends after"


def _name(item: ItemKey) -> str:
    match item:
        case Address(key=name) | LiveReference(name=name):
            return name
        case _:
            return str(item)
