"""Group members in requests and answers: what a PATCH adds and takes, what an answer shows, what is still to be done.

Pure. Paths are read back only in the one form that `scim.paths.item_path` writes (RFC 7644 §3.5.2.2).
"""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from msgspec.structs import replace

from reconciler.model import Json, PatchOp, PatchOperation
from reconciler.transport.answers import folded

Operations: TypeAlias = tuple[PatchOperation, ...]

MEMBERS = "members"
_FILTER = f"{MEMBERS}[value eq "


def is_member_delta(operations: Iterable[PatchOperation]) -> bool:
    """Whether a PATCH does nothing but add and take members."""
    return all(_adds(each) or _takes(each) for each in operations)


def added(operations: Iterable[PatchOperation]) -> frozenset[str]:
    """The ids that a PATCH adds as members."""
    return frozenset(_id(entry) for each in operations if _adds(each) for entry in _entries(each))


def removed(operations: Iterable[PatchOperation]) -> frozenset[str]:
    """The ids that a PATCH takes out of the members."""
    return frozenset(_taken(each) for each in operations if _takes(each))


def without_members(operations: Iterable[PatchOperation], drop: Callable[[str], bool]) -> Operations:
    """The same PATCH without the additions of certain ids; an operation that adds nobody any more is left out."""
    return tuple(_without(operations, drop))


def still_needed(operations: Iterable[PatchOperation], present: Collection[str]) -> Operations:
    """What of a PATCH is not in place already in a group that has these members."""
    left = without_members(operations, lambda member: member in present)
    return tuple(each for each in left if not (_takes(each) and _taken(each) not in present))


def except_for(operations: Iterable[PatchOperation], refused: Collection[PatchOperation]) -> Operations:
    """The same PATCH without the parts of it that were refused."""
    nobody = added(refused)
    left = without_members(operations, lambda member: member in nobody)
    return tuple(each for each in left if each not in refused)


def halves(
    operations: Sequence[PatchOperation],
) -> tuple[Operations, Operations] | None:
    """A PATCH in two, each half by itself; None if it asks for one thing only. Added members can be told apart."""
    single = tuple(_single(operations))
    middle = len(single) // 2
    return (_together(single[:middle]), _together(single[middle:])) if middle else None


def members_of(body: Mapping[str, Json] | None) -> frozenset[str] | None:
    """The member ids that a group's representation shows; None where it does not name the attribute."""
    members = folded(body) if body else {}
    if MEMBERS not in members:
        return None
    shown = members[MEMBERS]
    return frozenset(_id(each) for each in (shown if isinstance(shown, list) else [shown] if shown else []))


def _single(operations: Iterable[PatchOperation]) -> Iterator[PatchOperation]:
    for each in operations:
        if _adds(each):
            yield from (replace(each, value=[entry]) for entry in _entries(each))
        else:
            yield each


def _together(single: Iterable[PatchOperation]) -> Operations:
    """Additions of one member each, side by side, as one addition."""
    joined: list[PatchOperation] = []
    for each in single:
        if joined and _adds(each) and _adds(joined[-1]):
            joined[-1] = replace(each, value=[*_entries(joined[-1]), *_entries(each)])
        else:
            joined.append(each)
    return tuple(joined)


def _without(operations: Iterable[PatchOperation], drop: Callable[[str], bool]) -> Iterator[PatchOperation]:
    for each in operations:
        if not _adds(each):
            yield each
            continue
        kept = [entry for entry in _entries(each) if not drop(_id(entry))]
        if kept:
            yield replace(each, value=kept)


def _adds(operation: PatchOperation) -> bool:
    return operation.op is PatchOp.ADD and operation.path == MEMBERS


def _takes(operation: PatchOperation) -> bool:
    return operation.op is PatchOp.REMOVE and operation.path.startswith(_FILTER)


def _taken(operation: PatchOperation) -> str:
    return str(json.loads(operation.path.removeprefix(_FILTER).removesuffix("]")))


def _entries(operation: PatchOperation) -> Sequence[Any]:
    return operation.value if isinstance(operation.value, list | tuple) else [operation.value]


def _id(entry: Any) -> str:
    return str(folded(entry).get("value", "")) if isinstance(entry, Mapping) else str(entry)
