"""The single values of a pair: `active` by `activity`'s table, every other attribute by `scalars`'.

A value that has no line any more stays as it is, and is named once. A reference that leads nowhere is left alone.
"""

from collections.abc import Mapping

from reconciler.diffing.activity import ACTIVE, compare_active, wish_of
from reconciler.diffing.findings import Finding
from reconciler.diffing.ground import Ground
from reconciler.diffing.references import Unresolved
from reconciler.diffing.scalars import NOTHING, Difference, Verdict, compare_scalar
from reconciler.model import (
    AppliedResource,
    AttributeChange,
    Cause,
    DesiredResource,
    LiveResource,
    PatchOp,
    ResourceType,
    Unset,
    Value,
)
from reconciler.scim.attributes import AttributeTable
from reconciler.scim.paths import short_path

MOVED = "changed on the server as well"


def compare_values(
    ground: Ground, wanted: DesiredResource, found: LiveResource, entry: AppliedResource | None, finding: Finding
) -> None:
    """Everything about a pair that is no list; what differs goes into the finding."""
    if wanted.address.resource_type is ResourceType.USER:
        _compare_active(ground, wanted, found, entry, finding)
    _compare_attributes(ground, wanted, found, entry, finding)
    _note_unmanaged(ground, wanted, entry.values if entry else {})
    _keep_name(ground, wanted, finding)


def _compare_active(
    ground: Ground, wanted: DesiredResource, found: LiveResource, entry: AppliedResource | None, finding: Finding
) -> None:
    situation = ground.situation
    new, whole = situation.is_new(wanted.address), situation.applied.whole
    change = compare_active(wanted.lifecycle, live=found.active, entry=entry, new=new, whole=whole)
    if change is not None:
        finding.changes.append(
            AttributeChange(path=ACTIVE, op=PatchOp.REPLACE, cause=change.cause, before=found.active, after=change.to)
        )
        if change.to and entry is None:
            finding.warnings.append(_takeover(found))
    elif not found.active and wish_of(wanted.lifecycle, entry).active is None:
        summary = "inactive on the server, left so"
        ground.notice("left-inactive", summary, "write active: true to bring the account back", wanted)


def _takeover(found: LiveResource) -> str:
    held = [f"{name} {', '.join(sorted(items))}" for name, items in sorted(found.lists.items()) if items]
    holds = f"; it still holds {'; '.join(held)}" if held else ""
    return f"an inactive account of this name comes back{holds}"


def _compare_attributes(
    ground: Ground, wanted: DesiredResource, found: LiveResource, entry: AppliedResource | None, finding: Finding
) -> None:
    rules = ground.rules(wanted.address)
    applied: Mapping[str, Value] = entry.values if entry else {}
    pending: Mapping[str, Value] = entry.pending.values if entry else {}
    for path, value in wanted.attributes.items():
        resolved = ground.resolved(wanted, path, value)
        if isinstance(resolved, str) and found.attributes.get(path) == resolved:
            continue  # equal in every table, and nearly all are
        if isinstance(resolved, Unresolved):
            finding.notes.append(f"{short_path(path)}: {resolved.reason}")
            continue
        live = rules.seen(found, path, resolved)
        known, announced = applied.get(path, NOTHING), pending.get(path, NOTHING)
        verdict = compare_scalar(resolved, live, known, announced, fold=rules.folds(path))
        if verdict is Verdict.NOT_COMPARED:
            ground.leave_uncompared(path)
        elif isinstance(verdict, Difference):
            cause = ground.cause_of_value(value, resolved, verdict.cause)
            finding.changes.append(_change(wanted, path, live, resolved, verdict, cause))


def _change(
    wanted: DesiredResource, path: str, live: Value | Unset, after: Value, verdict: Difference, cause: Cause
) -> AttributeChange:
    return AttributeChange(
        path=path,
        op=verdict.op,
        cause=cause,
        before=None if isinstance(live, Unset) else live,
        after=after,
        # drift is nothing but what moved on the server
        notes=(MOVED,) if verdict.moved and cause is not Cause.DRIFT else (),
        origin=wanted.origins.get(path),
    )


def _note_unmanaged(ground: Ground, wanted: DesiredResource, applied: Mapping[str, Value]) -> None:
    table = ground.rules(wanted.address).table
    # nearly every path has its own line, and levels are the business of their list
    rest = (path for path in applied if path not in wanted.attributes and path != ACTIVE)
    gone = (path for path in rest if not _is_level(table, path) and not _has_line(wanted, table, path))
    names = sorted(short_path(path) for path in gone)
    if names:
        summary = f"no longer managed: {', '.join(names)}"
        ground.notice("no-longer-managed", summary, wanted=wanted, detail="What the server holds stays as it is.")


def _has_line(wanted: DesiredResource, table: AttributeTable, path: str) -> bool:
    """Whether a line speaks of the path, of its element or of its whole attribute (``emails: null``)."""
    attribute = table.by_path(path)
    whole = attribute.path if attribute is not None else path
    element = path.rpartition("].")[0] + "]"
    return not wanted.attributes.keys().isdisjoint((path, element, whole))


def _is_level(table: AttributeTable, path: str) -> bool:
    attribute = table.by_path(path)
    return attribute is not None and attribute.is_list


def _keep_name(ground: Ground, wanted: DesiredResource, finding: Finding) -> None:
    """A group that cannot be renamed over SCIM keeps its name, and the reader is told."""
    lifecycle = ground.situation.profile.lifecycle
    if wanted.address.resource_type is not ResourceType.GROUP or lifecycle.group_rename:
        return
    renames = [each for each in finding.changes if each.path == finding.name_path]
    if renames:
        finding.changes = [each for each in finding.changes if each.path != finding.name_path]
        old, new = renames[0].before, renames[0].after
        reason = f"it is called {old!s} on the server, and groups cannot be renamed over SCIM"
        mend = f"name it {new!s} {lifecycle.group_place}, or write displayName: {old!s}"
        ground.refuse("group-cannot-be-renamed", wanted, reason, mend)
