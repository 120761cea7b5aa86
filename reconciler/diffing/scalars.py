"""One attribute, or one part of one element: what changes, and why.

D is desired, L is live, A is what we last brought about, P what was announced and not verified.

==============  ==========  =================  ====  ==================  ==================
D = null        L NotRead   L absent                 L any value y
==============  ==========  =================  ====  ==================  ==================
no A            note        ·                        remove, declared
A null          ·           ·                        remove, drift
A v             note        ·                        remove, declared (y ≠ v: note)
==============  ==========  =================  ====  ==================  ==================

==============  ==========  =================  ====  ==================  ==================
D = v           L NotRead   L absent           L v   L w                 L x
==============  ==========  =================  ====  ==================  ==================
no A            note        add, declared      ·     replace, declared   replace, declared
A null          note        add, declared      ·     replace, declared*  replace, declared*
A v             ·           add, drift         ·     replace, drift      replace, drift
A w             note        add, declared*     ·     replace, declared   replace, declared*
==============  ==========  =================  ====  ==================  ==================

``*`` with the note "on the server: …". Where P equals D, *declared* reads *leftover*.
"""

from enum import Enum

from msgspec import Struct

from reconciler.model import ABSENT, NOT_READ, Cause, PatchOp, Unset, Value
from reconciler.scim.values import same_value


class Unknown(Enum):
    """The record holds nothing for this path."""

    NOTHING = "nothing"


NOTHING = Unknown.NOTHING


class Difference(Struct, frozen=True):
    """`op` and `cause` of a change; `moved`: live is neither what we want nor what we last brought about."""

    op: PatchOp
    cause: Cause
    moved: bool = False


class Verdict(Enum):
    """No change: because both sides agree, or because live could not be read."""

    EQUAL = "equal"
    NOT_COMPARED = "not compared"


def compare_scalar(
    desired: Value,
    live: Value | Unset,
    applied: Value | Unknown,
    pending: Value | Unknown,
    *,
    fold: bool = False,
) -> Difference | Verdict:
    """The table above; `fold` compares text without case."""
    if live is NOT_READ:
        return Verdict.EQUAL if _same(applied, desired, fold) else Verdict.NOT_COMPARED
    found = None if live is ABSENT else live
    if _same(found, desired, fold):
        return Verdict.EQUAL
    op = PatchOp.REMOVE if desired is None else PatchOp.ADD if found is None else PatchOp.REPLACE
    if _same(applied, desired, fold):
        return Difference(op, Cause.DRIFT)
    cause = Cause.LEFTOVER if _same(pending, desired, fold) else Cause.DECLARED
    moved = applied is not NOTHING and not _same(found, applied, fold)
    return Difference(op, cause, moved)


def _same(one: Value | Unknown, other: Value, fold: bool) -> bool:
    return one is not NOTHING and same_value(one, other, fold=fold)
