"""Whether a word names an IANA time zone, and which it may have meant. The database is the system's or tzdata's."""

from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from reconciler.suggestions import nearest


@cache
def is_zone(name: str) -> bool:
    """Whether the time zone database has it."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def near_zone(name: str) -> str | None:
    """The zone whose name is most like this one."""
    return nearest(name, sorted(available_timezones()))
