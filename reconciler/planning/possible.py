"""Leaves out what the provider has no request for, and says so: groups that cannot be changed in place. Pure.

A group is never replaced as a whole: whoever was added between reading and writing would be thrown out.
"""

from collections.abc import Sequence
from dataclasses import replace

from reconciler.model import Action, AttributeChange, Change, Diagnostic, PatchOp, ResourceType, Severity
from reconciler.profiles.profile import Profile
from reconciler.scim.paths import short_path


def without_impossible(
    changes: Sequence[Change], profile: Profile
) -> tuple[tuple[Change, ...], tuple[Diagnostic, ...]]:
    """The changes that can be made, and a diagnostic for each resource where something cannot."""
    if profile.lifecycle.group_update:
        return tuple(changes), ()
    possible: list[Change] = []
    refused: list[Diagnostic] = []
    for change in changes:
        left = _left(change)
        if left is not None:
            possible.append(left)
        impossible = _impossible(change)
        if impossible:
            refused.append(_refused(change, impossible))
    return tuple(possible), tuple(refused)


def _impossible(change: Change) -> tuple[AttributeChange, ...]:
    """What would need a PATCH of a group. A group is created without members: they would follow."""
    if change.address.resource_type is not ResourceType.GROUP:
        return ()
    whole = Action.CREATE in change.actions
    return tuple(each for each in change.attribute_changes if each.item is not None or not whole)


def _left(change: Change) -> Change | None:
    impossible = _impossible(change)
    if not impossible:
        return change
    left = tuple(each for each in change.attribute_changes if each not in impossible)
    whole = any(each in (Action.CREATE, Action.DELETE) for each in change.actions)
    return replace(change, attribute_changes=left) if left or whole else None


def _refused(change: Change, impossible: Sequence[AttributeChange]) -> Diagnostic:
    given = sum(1 for each in impossible if each.item is not None and each.op is PatchOp.ADD)
    taken = sum(1 for each in impossible if each.item is not None and each.op is PatchOp.REMOVE)
    values = dict.fromkeys(short_path(each.path) for each in impossible if each.item is None)
    members = [f"{count} {words}" for count, words in ((given, "to add"), (taken, "to remove")) if count]
    what = " and ".join([*(["its members"] if members else []), *values])
    count = f" ({', '.join(members)})" if members else ""
    return Diagnostic(
        severity=Severity.ERROR,
        code="group-cannot-be-changed",
        summary=f"{what} cannot be changed{count}: the server has no PATCH, and a group is never replaced as a whole",
        mend="change it on the server by hand; the plan is empty then",
        address=change.address,
        source=change.source,
    )
