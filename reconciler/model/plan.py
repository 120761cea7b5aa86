"""A plan as a value, and who gains and loses what by it."""

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct, field

from reconciler.model.addresses import ResourceType
from reconciler.model.changes import Change, Operation
from reconciler.model.diagnostics import Diagnostic
from reconciler.model.policy import Violation


class AccessKind(StrEnum):
    """What somebody may have: she is in a group, holds a role, or has a value of another list that gives access."""

    GROUP = "group"
    ROLE = "role"
    VALUE = "value"


class AccessItem(Struct, frozen=True, kw_only=True):
    """One group (by display name), role, or value of another list.

    `attribute`: the list that has it: ``members``, ``roles``, ``entitlements``. `privileged`: the policy names it so.
    """

    kind: AccessKind
    attribute: str
    name: str
    privileged: bool = False


class AccessChange(Struct, frozen=True, kw_only=True):
    """What one person gains and loses in the end. `person`: her live id; `name`: key or login; `label`: display name.

    `starts`: she becomes active, with all that she gains. `ends`: she is active no longer, and loses everything.
    """

    person: str
    name: str
    label: str
    gains: tuple[AccessItem, ...] = ()
    loses: tuple[AccessItem, ...] = ()
    starts: bool = False
    ends: bool = False

    @property
    def privileged(self) -> bool:
        """Whether anything privileged is among it."""
        return any(each.privileged for each in (*self.gains, *self.loses))


class Plan(Struct, frozen=True, kw_only=True):
    """What an apply would do, as a value: comparable, printable, savable. No functions inside, no clock.

    `drift`: differences that others made and that this plan leaves. `refused`: identities that cannot be planned.
    `names`: id -> (key or login, display name) of all that changes mention. `matched`: how many declared ones are live.
    `access`: who gains and loses what in the end.
    """

    target: str
    profile: str
    changes: tuple[Change, ...]
    drift: tuple[Change, ...] = ()
    operations: tuple[Operation, ...] = ()
    violations: tuple[Violation, ...] = ()
    refused: tuple[Diagnostic, ...] = ()
    notices: tuple[Diagnostic, ...] = ()
    names: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    matched: Mapping[ResourceType, int] = field(default_factory=dict)
    unmanaged: int = 0
    requests: int = 0
    requests_per_minute: int | None = None
    access: tuple[AccessChange, ...] = ()
    commit: str | None = None
    tool_version: str = ""
    format_version: int = 1


class Split(Struct, frozen=True, kw_only=True):
    """The changes of a plan, divided for reading. Nothing of what is planned depends on it.

    `base`: a git reference, as given, and its `commit`. `here`: what comes with this checkout alone. `earlier`: what
    the declarations of the base would bring about as well. A change of which both is true stands in both, in part.
    """

    base: str
    commit: str
    here: tuple[Change, ...]
    earlier: tuple[Change, ...]
