"""Which changes a reader sees as one, and in which order. Pure; no words."""

from collections.abc import Iterable
from enum import IntEnum
from typing import Final

from msgspec import Struct

from reconciler.model import Action, Address, AttributeChange, Change, Diagnostic, PatchOp, ResourceType, without_case

FOLDED_FROM: Final = 3
"""So many equal changes are one block, and so many equal diagnostics one remark."""


class Risk(IntEnum):
    """How much a change may cost somebody; what costs most comes first. `REST` takes and gives back no access."""

    DELETES = 0
    DEACTIVATES = 1
    PRIVILEGED = 2
    REACTIVATES = 3
    TAKES = 4
    REST = 5


class Group(Struct, frozen=True):
    """A change, or at least three that are equal but for whom they concern."""

    changes: tuple[Change, ...]
    risk: Risk

    @property
    def first(self) -> Change:
        """The change whose lines stand for all of them."""
        return self.changes[0]

    @property
    def folds(self) -> bool:
        """Whether it stands for several."""
        return len(self.changes) > 1

    @property
    def takes(self) -> bool:
        """Whether somebody may lose access, or get it back: then everybody is named."""
        return self.risk is not Risk.REST


def folded(changes: Iterable[Change]) -> list[Group]:
    """The changes in the order in which they are read: see `view`. Each stands in exactly one group."""
    alike: dict[object, list[tuple[int, Change]]] = {}
    for position in enumerate(sorted(changes, key=lambda change: _by_address(change.address))):
        alike.setdefault(_likeness(position[1]), []).append(position)
    groups: list[tuple[Risk, bool, int, Group]] = []
    for some in alike.values():
        risk = _risk(some[0][1])
        if len(some) >= FOLDED_FROM:
            groups.append((risk, True, some[0][0], Group(tuple([each for _, each in some]), risk)))
        else:
            groups += [(risk, False, index, Group((each,), risk)) for index, each in some]
    return [group for *_, group in sorted(groups, key=lambda entry: entry[:3])]


def same_remarks(diagnostics: Iterable[Diagnostic]) -> list[list[Diagnostic]]:
    """Diagnostics that differ only in whom they concern and where, together from three on; in their order."""
    alike: dict[object, list[Diagnostic]] = {}
    for index, each in enumerate(diagnostics):
        likeness = (each.severity, each.code, each.summary, each.detail, each.mend) if each.address else index
        alike.setdefault(likeness, []).append(each)
    return [
        part for some in alike.values() for part in ([some] if len(some) >= FOLDED_FROM else [[each] for each in some])
    ]


def _risk(change: Change) -> Risk:
    if Action.DELETE in change.actions:
        return Risk.DELETES
    if Action.DEACTIVATE in change.actions:
        return Risk.DEACTIVATES
    if change.warnings:
        return Risk.PRIVILEGED
    if Action.REACTIVATE in change.actions:
        return Risk.REACTIVATES
    if any(each.item is not None and each.op is PatchOp.REMOVE for each in change.attribute_changes):
        return Risk.TAKES
    return Risk.REST


def _by_address(address: Address) -> tuple[bool, str, str]:
    return address.resource_type is not ResourceType.USER, without_case(address.key), address.key


def _likeness(change: Change) -> object:
    """Equal for two changes that differ in nothing but whom they concern. A creation or a warning stands alone."""
    if change.warnings or Action.CREATE in change.actions:
        return change.address
    return (
        change.address.resource_type,
        change.actions,
        change.cause,
        change.reason,
        change.notes,
        tuple(
            [
                # repr, because a value may be a list; it also keeps 1 and true apart
                (each.path, each.op, each.item, repr(each.before), repr(each.after), each.cause, *_beside(each))
                for each in change.attribute_changes
            ]
        ),
    )


def _beside(change: AttributeChange) -> tuple[object, ...]:
    return change.notes, change.origin, change.until
