"""What a service provider holds, in canonical form."""

from collections.abc import Mapping
from enum import Enum
from typing import Final

from msgspec import Struct, field

from reconciler.model.addresses import ResourceType, Value
from reconciler.model.diagnostics import Diagnostic


class Unset(Enum):
    """Why a live resource shows no value at a path: it has none, or nobody has read it."""

    ABSENT = "absent"
    NOT_READ = "not read"


ABSENT: Final = Unset.ABSENT


NOT_READ: Final = Unset.NOT_READ


class LiveResource(Struct, frozen=True, kw_only=True):
    """One resource as the service provider holds it, in canonical form.

    `attributes`: path -> value. `lists`: list name -> item -> level (None where the list has no levels; a level also
    stands in `attributes` under its own path).
    `not_read`: attribute names or paths that were not asked for, never come back, or cannot be told apart -> why.
    `several`: paths among those whose values cannot be told apart -> all of them.
    """

    resource_type: ResourceType
    id: str
    attributes: Mapping[str, Value]
    lists: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict)
    not_read: Mapping[str, str] = field(default_factory=dict)
    several: Mapping[str, tuple[Value, ...]] = field(default_factory=dict)
    version: str | None = None

    def at(self, path: str) -> Value | Unset:
        """The value at a path, or why there is none."""
        if path in self.attributes:
            return self.attributes[path]
        if self.not_read and (path in self.not_read or _attribute_of(path) in self.not_read):
            return NOT_READ
        return ABSENT

    def items(self, name: str) -> Mapping[str, float | None] | None:
        """The items of a list; None if the list was not read."""
        if name in self.not_read:
            return None
        return self.lists.get(name, {})

    @property
    def active(self) -> bool:
        """RFC 7643 §4.1.1: a user without the attribute is taken for active."""
        return self.attributes.get("active") is not False

    @property
    def name(self) -> str:
        """What people call it: userName of a user, displayName of a group."""
        path = "userName" if self.resource_type is ResourceType.USER else "displayName"
        return str(self.attributes.get(path, self.id))


def _attribute_of(path: str) -> str:
    head, bracket, _ = path.partition("[")
    if bracket:
        return head
    return path if ":" in path else path.partition(".")[0]


SAMPLE: Final = 50
"""How many whom no listing shows are read by id; where none of so many is there, the others are believed to be gone."""


class LiveState(Struct, frozen=True, kw_only=True):
    """Everything a target holds, read whole. `notices`: what a reader of the plan must know about the reading.

    `unlisted`: who is in no listing, and was there when read by id.
    """

    resources: Mapping[str, LiveResource]
    totals_trusted: bool = True
    unlisted: frozenset[str] = frozenset()
    notices: tuple[Diagnostic, ...] = ()

    def of(self, resource_type: ResourceType) -> list[LiveResource]:
        """All live users, or all live groups."""
        return [each for each in self.resources.values() if each.resource_type is resource_type]
