"""What was found about one resource, before anybody decides which causes are acted on."""

from collections.abc import Iterable, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from reconciler.model import (
    BULK_ID,
    Action,
    Address,
    AttributeChange,
    Cause,
    Change,
    Diagnostic,
    PatchOp,
    ResourceType,
    SourceLocation,
    is_known,
)
from reconciler.profiles.profile import AttributeRules

_WEIGHT = (Cause.DECLARED, Cause.LEFTOVER, Cause.DUE, Cause.DRIFT)


class Finding(Struct, kw_only=True):
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


class Differences(Struct):
    """What was found, what is refused (an identity that cannot be planned), and what a reader should know."""

    findings: list[Finding] = field(default_factory=list)
    refused: list[Diagnostic] = field(default_factory=list)
    notices: list[Diagnostic] = field(default_factory=list)


def members_taken(changes: Iterable[Change]) -> frozenset[str]:
    """The ids of all who are taken out of a group."""
    return frozenset(
        one.item
        for each in changes
        if each.address.resource_type is ResourceType.GROUP
        for one in each.attribute_changes
        if one.path == "members" and one.item is not None and one.op is PatchOp.REMOVE
    )


def awaited(change: AttributeChange, rules: AttributeRules) -> Address | None:
    """The resource that has to be created before the change can be made: the one whose id it refers to.

    Only where an id stands: a title may be any text.
    """
    if change.path not in rules.table.references:
        return None
    value = change.item if change.item is not None else change.after
    if not isinstance(value, str) or is_known(value):
        return None
    return Address.parse(value.removeprefix(BULK_ID))


def change_of(finding: Finding, parts: Sequence[AttributeChange], *, whole: bool) -> Change | None:
    """Some parts of a finding as one change; `whole`: with its creation or deletion, if it is one."""
    acted = finding.whole if whole else None
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
        attribute_changes=tuple(parts),
        reason=finding.reason,
        source=finding.source,
        notes=tuple(finding.notes),
        kept=finding.kept,
        warnings=tuple(finding.warnings) if Action.REACTIVATE in actions else (),
    )


def part_of(change: Change, parts: Sequence[AttributeChange], name_path: str) -> Change:
    """A change of which only some differences are left; not for a creation or a deletion, which are whole."""
    causes = [each.cause for each in parts]
    actions = _actions(parts, name_path)
    warnings = change.warnings if Action.REACTIVATE in actions or Action.REACTIVATE not in change.actions else ()
    return replace(
        change,
        attribute_changes=tuple(parts),
        actions=actions,
        cause=min(causes, key=_WEIGHT.index),
        warnings=warnings,
    )


def _actions(changes: Sequence[AttributeChange], name_path: str) -> tuple[Action, ...]:
    actions: dict[Action, None] = {}
    for change in changes:
        if change.path == "active" and change.op is not PatchOp.REMOVE:
            actions[Action.REACTIVATE if change.after is True else Action.DEACTIVATE] = None
        elif change.path == name_path:
            actions[Action.RENAME] = None
        else:
            actions[Action.UPDATE] = None
    return tuple(sorted(actions, key=list(Action).index))
