"""Leaves out what cannot be done, and says so: groups that have no PATCH, userNames that others keep. Pure.

A group is never replaced as a whole: whoever was added between reading and writing would be thrown out.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec.structs import replace

from reconciler.diffing.findings import part_of
from reconciler.model import (
    Action,
    Address,
    AttributeChange,
    Change,
    Diagnostic,
    LiveState,
    PatchOp,
    ResourceType,
    Severity,
    known_after_apply,
    without_case,
)
from reconciler.profiles.profile import Profile
from reconciler.scim.attributes import name_path
from reconciler.scim.paths import short_path

_USER_NAME: Final = name_path(ResourceType.USER)


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


def without_taken_names(
    changes: Sequence[Change], live: LiveState, profile: Profile
) -> tuple[tuple[Change, ...], tuple[Diagnostic, ...]]:
    """The changes without userNames (unique: RFC 7643 §4.1.1) that another account has and keeps; what was left out.

    Whoever keeps hers for that reason may be in the way of the next one, so it is looked again.
    """
    left, refused = tuple(changes), list[Diagnostic]()
    while taken := _taken(left, live, profile):
        refused += [_refused_name(change) for change in left if change.address in taken]
        left = tuple(each for change in left for each in _keeping_names(change, taken))
    return left, tuple(refused)


def _taken(changes: Sequence[Change], live: LiveState, profile: Profile) -> frozenset[Address]:
    """Whoever would be given a userName that another account keeps."""
    fold = profile.users.folds(_USER_NAME)
    leaving = {each.live_id for each in changes if Action.DELETE in each.actions or _new_name(each) is not None}
    kept = {_folded(each.name, fold): each.id for each in live.of(ResourceType.USER) if each.id not in leaving}
    wanted = ((change, _new_name(change)) for change in changes)
    return frozenset(
        change.address
        for change, name in wanted
        if name is not None and kept.get(_folded(name, fold), change.live_id) != change.live_id
    )


def _new_name(change: Change) -> str | None:
    if change.address.resource_type is not ResourceType.USER:
        return None
    names = (each.after for each in change.attribute_changes if each.path == _USER_NAME)
    return next((name for name in names if isinstance(name, str)), None)


def _folded(name: str, fold: bool) -> str:
    return without_case(name) if fold else name


def _keeping_names(change: Change, taken: frozenset[Address]) -> Iterator[Change]:
    """A change without what is refused: her own userName or creation, and whatever refers to who is not created."""
    if change.address in taken and Action.CREATE in change.actions:
        return
    ids = {known_after_apply(each) for each in taken}
    refused = {_USER_NAME} if change.address in taken else set()
    kept = [each for each in change.attribute_changes if each.path not in refused and not ids & {each.item, _id(each)}]
    if len(kept) == len(change.attribute_changes):
        yield change
    elif {Action.CREATE, Action.DELETE} & set(change.actions):
        yield replace(change, attribute_changes=tuple(kept))
    elif kept:
        yield part_of(change, kept, name_path(change.address.resource_type))


def _id(change: AttributeChange) -> str | None:
    return change.after if isinstance(change.after, str) else None


def _refused_name(change: Change) -> Diagnostic:
    return Diagnostic(
        severity=Severity.ERROR,
        code="name-taken",
        summary=f"another account has the userName {_new_name(change)} and keeps it",
        mend="give that account another userName, by its own line or on the server, or write another one here",
        address=change.address,
        source=change.source,
    )


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
