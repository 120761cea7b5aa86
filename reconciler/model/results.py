"""What came of an operation."""

from typing import TypeAlias

from msgspec import Struct


class Succeeded(Struct, frozen=True, kw_only=True):
    """The service provider did it. `live_id` of what was created or touched; `note`: what deserves a word."""

    number: int
    live_id: str
    note: str = ""


class Failed(Struct, frozen=True, kw_only=True):
    """The service provider refused, or gave no answer (`unknown`: it may have done it all the same)."""

    number: int
    message: str
    status: int | None = None
    unknown: bool = False


class Skipped(Struct, frozen=True, kw_only=True):
    """Not done because something it needs failed (`because`: that operation's number)."""

    number: int
    message: str
    because: int


class NotTried(Struct, frozen=True, kw_only=True):
    """The run ended before its turn."""

    number: int
    message: str


Result: TypeAlias = Succeeded | Failed | Skipped | NotTried
