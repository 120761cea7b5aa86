"""What came of an operation."""

from typing import TypeAlias

from reconciler.lazy import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Succeeded:
    """The service provider did it. `live_id` of what was created or touched; `note`: what deserves a word."""

    number: int
    live_id: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The service provider refused, or gave no answer (`unknown`: it may have done it all the same)."""

    number: int
    message: str
    status: int | None = None
    unknown: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """Not done because something it needs failed (`because`: that operation's number)."""

    number: int
    message: str
    because: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NotTried:
    """The run ended before its turn."""

    number: int
    message: str


Result: TypeAlias = Succeeded | Failed | Skipped | NotTried
