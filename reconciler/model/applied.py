"""What the record says: what was brought about before, and what was announced and never verified."""

from collections.abc import Mapping

from msgspec import Struct, field

from reconciler.model.addresses import Address, Value
from reconciler.model.desired import ListMode


class AppliedItem(Struct, frozen=True, kw_only=True):
    """A list value that is ours; `until` as it was declared (ISO date).

    `live`: the name by which a line looked it up on the server (``{live: …}``), if no declared key led to it.
    """

    until: str | None = None
    live: str | None = None


class AppliedList(Struct, frozen=True, kw_only=True):
    """Which values of a list are ours, and how the list was declared when that was announced (None: it had no line)."""

    mode: ListMode | None = None
    items: Mapping[str, AppliedItem] = field(default_factory=dict)


class Pending(Struct, frozen=True, kw_only=True):
    """What an apply announced and nobody has verified.

    `values`: path -> value to set, None = to clear. `give`: list -> item -> as it will be recorded.
    `take`: list -> items. `delete`: the resource itself. `leaving`: it was no longer declared, so ``active: false`` is
    a departure and not a line.
    """

    values: Mapping[str, Value] = field(default_factory=dict)
    give: Mapping[str, Mapping[str, AppliedItem]] = field(default_factory=dict)
    take: Mapping[str, frozenset[str]] = field(default_factory=dict)
    delete: bool = False
    leaving: bool = False

    def __bool__(self) -> bool:
        return bool(self.values or self.give or self.take or self.delete)


class AppliedDates(Struct, frozen=True, kw_only=True):
    """The date lines as they were when last brought about (ISO dates; days for `delete_after`)."""

    starts_on: str | None = None
    ends_on: str | None = None
    delete_after: int | None = None


class AppliedResource(Struct, frozen=True, kw_only=True):
    """The record's entry of one address: what we brought about (A) and what we announced (P).

    `live_id` None: only announced (a create without an answer). `source`: the commit whose declarations held it.
    `seen`: entered only so that the address does not count as new later.
    """

    address: Address
    live_id: str | None
    source: str | None = None
    values: Mapping[str, Value] = field(default_factory=dict)
    lists: Mapping[str, AppliedList] = field(default_factory=dict)
    dates: AppliedDates = AppliedDates()
    pending: Pending = Pending()
    seen: bool = False


class AppliedState(Struct, frozen=True, kw_only=True):
    """The record of a target. `commit`: newest commit an apply set out for; `whole`: an apply has reached its end."""

    commit: str | None = None
    whole: bool = False
    resources: Mapping[Address, AppliedResource] = field(default_factory=dict)
    exists: bool = False


class Standing(Struct, frozen=True, kw_only=True):
    """How an address stood in the declarations of a commit. `names`: what it was to be called; `path`: its file."""

    names: frozenset[str]
    path: str
