"""One value of a list (a role, a skill, a member): given, taken, or left.

A declared value, in both modes:

====================  =========  =======================
A declared value      L has it   L has it not
====================  =========  =======================
ours                  ·          give, drift
not ours, P "give"    ·          give, leftover
not ours, no P        ·          give, declared
====================  =========  =======================

A value that is not declared (the whole list may have no line):

=======================================  =======================  ===================
L has it                                 additive, or no line     authoritative
=======================================  =======================  ===================
ours, its recorded last day has passed   take, due                take, due
ours, P "take"                           take, leftover           take, leftover
ours otherwise                           take, declared           take, declared
not ours, P "take"                       ·                        take, leftover
not ours, no record of the resource      ·                        take, drift
not ours, recorded as authoritative      ·                        take, drift
not ours, recorded otherwise             ·                        take, declared
=======================================  =======================  ===================

*Due* stands before *leftover*: what only the day has changed stays due when it failed and is tried again.
"""

from msgspec import Struct

from reconciler.model import AppliedItem, AppliedList, AppliedResource, Cause, ListMode


class ListRecord(Struct, frozen=True):
    """What the record knows of one list of one resource. `known`: whether it has an entry for the resource at all."""

    known: bool
    mode: ListMode | None
    ours: "dict[str, AppliedItem]"
    give: frozenset[str]
    take: frozenset[str]

    @classmethod
    def of(cls, entry: AppliedResource | None, name: str) -> "ListRecord":
        """The record of list `name` in an entry; empty without one."""
        if entry is None:
            return cls(False, None, {}, frozenset(), frozenset())
        applied = entry.lists.get(name, AppliedList())
        pending = entry.pending
        give = frozenset(pending.give.get(name, ()))
        return cls(True, applied.mode, dict(applied.items), give, pending.take.get(name, frozenset()))


def cause_to_give(item: str, record: ListRecord) -> Cause:
    """Why a declared value that live lacks is given: the first table."""
    if item in record.ours:
        return Cause.DRIFT
    return Cause.LEFTOVER if item in record.give else Cause.DECLARED


def cause_to_take(item: str, record: ListRecord, mode: ListMode | None, expired: str | None) -> Cause | None:
    """Why an undeclared value that live has is taken, or None if it is not: the second table.

    `mode`: how the list is declared, None without a line. `expired`: the last day that the line gives, if it is over.
    """
    if item in record.ours:
        if expired is not None and record.ours[item].until == expired:
            return Cause.DUE
        return Cause.LEFTOVER if item in record.take else Cause.DECLARED
    if mode is not ListMode.AUTHORITATIVE:
        return None
    if item in record.take:
        return Cause.LEFTOVER
    if not record.known or record.mode is ListMode.AUTHORITATIVE:
        return Cause.DRIFT
    return Cause.DECLARED
