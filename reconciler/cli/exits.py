"""Exit codes. Scripts depend on them; when several hold, the first of `ORDER` wins."""

from collections.abc import Iterable
from enum import IntEnum
from typing import Final


class Exit(IntEnum):
    """What a run ended with."""

    DONE = 0
    """Done, or nothing to do."""
    FAILED = 1
    """Nothing could be planned or done."""
    CHANGES = 2
    """There are changes (`plan --detailed-exitcode`) or drift (`drift`)."""
    REFUSED = 3
    """A safety rule stopped it."""
    STALE = 4
    """A saved or reviewed plan is not what would be done now."""
    PARTLY = 5
    """Done, except for the identities named."""
    USAGE = 64
    """The command line is wrong, or a question could not be asked."""


ORDER: Final = (Exit.USAGE, Exit.FAILED, Exit.REFUSED, Exit.STALE, Exit.PARTLY, Exit.CHANGES, Exit.DONE)

EXIT_CODES: Final = {
    Exit.DONE: "done, or no changes",
    Exit.FAILED: "nothing could be planned or done",
    Exit.CHANGES: "changes present (plan --detailed-exitcode, drift)",
    Exit.REFUSED: "refused by a safety rule",
    Exit.STALE: "the saved or reviewed plan is not what would be done now",
    Exit.PARTLY: "done, except for the identities named",
    Exit.USAGE: "wrong usage",
}


def worst(codes: Iterable[Exit]) -> Exit:
    """The code that a run of several parts ends with."""
    return min(codes, key=ORDER.index, default=Exit.DONE)
