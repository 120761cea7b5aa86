"""Whether a word names an IANA time zone, and which it may have meant. The database is the system's or tzdata's."""

from functools import cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from reconciler.suggestions import suggestion

_NO_ZONES: Final = ("localtime", "posixrules", "Factory")
"""Files of a time-zone database that are no zone, or another one on every machine."""


@cache
def is_zone(name: str) -> bool:
    """Whether the time zone database has it, and means the same by it on every machine."""
    if name in _NO_ZONES:
        return False
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def zone_mend(name: str) -> str:
    """What to do about a word that names none."""
    known = available_timezones().difference(_NO_ZONES)
    if not known:
        return "install the package tzdata"
    return suggestion(name, known) or "write an IANA name such as Europe/Berlin"
