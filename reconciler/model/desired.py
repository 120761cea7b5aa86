"""What a commit declares for one target on one day."""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum

from msgspec import Struct, field

from reconciler.model.addresses import Address, ItemKey, Value
from reconciler.model.diagnostics import Diagnostic, Origin, SourceLocation


class ListMode(StrEnum):
    """Whether a list holds exactly what is declared, or at least that."""

    AUTHORITATIVE = "authoritative"
    ADDITIVE = "additive"


class DesiredItem(Struct, frozen=True, kw_only=True):
    """One wanted value of a list. `level` is the proficiency of a skill; `until` the last day of a membership."""

    origin: Origin
    level: float | None = None
    until: date | None = None


class DesiredList(Struct, frozen=True, kw_only=True):
    """A list that has a line. `expired` keeps memberships whose last day has passed: the same as no line, but *due*."""

    mode: ListMode
    items: Mapping[ItemKey, DesiredItem]
    expired: Mapping[ItemKey, date] = field(default_factory=dict)


class Phase(StrEnum):
    """Where today stands against the dates of a user."""

    UNDATED = "undated"
    BEFORE = "before"
    WITHIN = "within"
    AFTER = "after"
    DELETION = "deletion"


class Lifecycle(Struct, frozen=True, kw_only=True):
    """The lines about a person's being here. Days are in the target's (or the user's) time zone, ends included."""

    active: bool | None = None
    starts_on: date | None = None
    ends_on: date | None = None
    delete_after: int | None = None
    phase: Phase = Phase.UNDATED


class DesiredResource(Struct, frozen=True, kw_only=True):
    """One declared resource, resolved for one target and one day.

    `attributes`: path -> wanted value, None = cleared; a path that is missing is not managed.
    `lists`: list name -> wanted items; a list that is missing has no line.
    `formerly`: earlier userNames or keys, as written. `origins`: path -> where it was written.
    """

    address: Address
    attributes: Mapping[str, Value]
    source: SourceLocation
    lists: Mapping[str, DesiredList] = field(default_factory=dict)
    lifecycle: Lifecycle = Lifecycle()
    formerly: tuple[str, ...] = ()
    origins: Mapping[str, Origin] = field(default_factory=dict)


class DesiredState(Struct, frozen=True, kw_only=True):
    """What this commit declares for one target on one day. `diagnostics` are notices about it, never errors."""

    resources: Mapping[Address, DesiredResource]
    released: frozenset[Address] = frozenset()
    today: date
    files: int = 0
    diagnostics: tuple[Diagnostic, ...] = ()
