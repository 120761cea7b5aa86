"""What was found about one resource, before anybody decides which causes are acted on."""

from collections.abc import Callable
from dataclasses import dataclass, field

from reconciler.model import (
    Action,
    Address,
    AttributeChange,
    Cause,
    Change,
    PatchOp,
    SourceLocation,
)

_WEIGHT = (Cause.DECLARED, Cause.LEFTOVER, Cause.DUE, Cause.DRIFT)


@dataclass(slots=True, kw_only=True)
class Finding:
    """All differences of one resource, each with its cause. `whole`: it is created or deleted, and why."""

    address: Address
    label: str
    name_path: str
    live_id: str | None = None
    version: str | None = None
    source: SourceLocation | None = None
    reason: str = ""
    whole: tuple[Action, Cause] | None = None
    changes: list[AttributeChange] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    kept: dict[str, int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return self.whole is not None or bool(self.changes)


def change_of(finding: Finding, chosen: Callable[[AttributeChange], bool], *, whole: bool) -> Change | None:
    """The part of a finding that `chosen` takes, as one change; `whole`: take the creation or deletion too."""
    acted = finding.whole if whole else None
    parts = tuple(each for each in finding.changes if chosen(each))
    if acted is None and (not parts or finding.whole is not None):
        return None
    causes = [each.cause for each in parts] + ([acted[1]] if acted else [])
    actions = (acted[0],) if acted else _actions(parts, finding.name_path)
    return Change(
        address=finding.address,
        actions=actions,
        cause=acted[1] if acted else min(causes, key=_WEIGHT.index),
        label=finding.label,
        live_id=finding.live_id,
        version=finding.version,
        attribute_changes=parts,
        reason=finding.reason,
        source=finding.source,
        notes=tuple(finding.notes),
        kept=finding.kept,
        warnings=tuple(finding.warnings),
    )


def _actions(changes: tuple[AttributeChange, ...], name_path: str) -> tuple[Action, ...]:
    actions: dict[Action, None] = {}
    for change in changes:
        if change.path == "active" and change.op is not PatchOp.REMOVE:
            actions[Action.REACTIVATE if change.after is True else Action.DEACTIVATE] = None
        elif change.path == name_path:
            actions[Action.RENAME] = None
        else:
            actions[Action.UPDATE] = None
    return tuple(sorted(actions, key=list(Action).index))
