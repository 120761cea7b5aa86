"""What a target allows a run to do, and which rule one would break."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from msgspec import Struct, field

from reconciler.model.diagnostics import SourceLocation


class Removal(StrEnum):
    """What happens to somebody (or a group) that is ours and no longer declared."""

    DEACTIVATE = "deactivate"
    DELETE = "delete"
    KEEP = "keep"


_FLOOR: Final = 3
"""No limit that is a share allows fewer."""


class Limit(Struct, frozen=True):
    """A cap: a number, or a share (0.05 = 5 %) of what it concerns, never below 3."""

    number: int | None = None
    share: float | None = None

    def of(self, population: int) -> int:
        """How many are allowed among `population`."""
        if self.number is not None:
            return self.number
        return max(_FLOOR, self._share_of(population))

    def is_floor(self, population: int) -> bool:
        """Whether the share alone would allow fewer."""
        return self.number is None and self._share_of(population) < _FLOOR

    def _share_of(self, population: int) -> int:
        # 0.29 * 100 is 28.999999999999996 in binary; 29 % of a hundred people are 29 people
        return int((self.share or 0.0) * population + 1e-9)

    def __str__(self) -> str:
        return str(self.number) if self.number is not None else f"{(self.share or 0) * 100:g}%"


class Policy(Struct, frozen=True, kw_only=True):
    """The `policy` of a target, defaults filled in (settings.schema.json). `setting`: where it stands, for messages."""

    removal_users: Removal = Removal.DEACTIVATE
    removal_groups: Removal = Removal.KEEP
    drift_correct: bool = False
    removals: Limit = Limit(share=0.05)
    member_removals: Limit = Limit(share=0.20)
    role_removals: Limit = Limit(share=0.20)
    updates: Limit | None = None
    creations: Limit | None = None
    protect: tuple[str, ...] = ()
    minimum: Mapping[str, int] = field(default_factory=dict)
    privileged_roles: tuple[str, ...] = ()
    privileged_groups: tuple[str, ...] = ()
    sources: Mapping[str, SourceLocation] = field(default_factory=dict)


class Violation(Struct, frozen=True, kw_only=True):
    """A safety rule that stops the run. `items` are what it counts, in words; `digest` covers exactly those."""

    rule: str
    summary: str
    actual: int
    limit: int
    items: tuple[str, ...]
    digest: str
    mend: str
