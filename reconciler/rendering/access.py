"""Who gains and who loses what, in words: one sentence for everybody, and one line for each person.

Names are neutral; nothing here is laid out.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import Final

from msgspec import Struct

from reconciler.model import AccessChange, AccessItem, AccessKind, without_case
from reconciler.rendering.neutral import NAME_LIMIT, neutral

_SHOWN: Final = 5
"""So many groups, roles and other values are counted by name in the sentence."""
_ACCOUNT: Final = "an account"
_EVERYTHING: Final = "everything"
_PRIVILEGED: Final = " (privileged)"


class AccessLine(Struct, frozen=True, kw_only=True):
    """One person. `whom`: key or login; `label`: what people call her, empty if that is the same; `does`: the rest."""

    whom: str
    label: str
    does: str
    privileged: bool


def access_summary(access: Sequence[AccessChange]) -> str:
    """``Access: 1 person gains (Support EMEA), 2 lose (Support EMEA 1, everything 1).``; empty for nobody."""
    gains = [_kinds_gained(each) for each in access if each.gains or each.starts]
    losses = [_kinds_lost(each) for each in access if each.loses or each.ends]
    others = {_named(each) for one in access for each in (*one.gains, *one.loses) if each.kind is AccessKind.VALUE}
    clauses: list[str] = []
    for people, one, many in ((gains, "gains", "gain"), (losses, "loses", "lose")):
        if people:
            noun = "" if clauses else " person" if len(people) == 1 else " people"
            clauses.append(f"{len(people):,}{noun} {one if len(people) == 1 else many} ({_counted(people, others)})")
    return f"Access: {', '.join(clauses)}." if clauses else ""


def access_lines(access: Iterable[AccessChange]) -> tuple[AccessLine, ...]:
    """Everybody, in the order of the plan: privileged ones first."""
    return tuple([_line(each) for each in access])


def _line(change: AccessChange) -> AccessLine:
    name, label = neutral(change.name, NAME_LIMIT), neutral(change.label, NAME_LIMIT)
    gains = _kinds_gained(change) if change.gains or change.starts else []
    loses = [_named(each) for each in change.loses]
    if change.ends:
        loses = [f"{_EVERYTHING}: {', '.join(loses)}" if loses else _EVERYTHING]
    does = [f"{verb} {', '.join(found)}" for verb, found in (("gains", gains), ("loses", loses)) if found]
    return AccessLine(
        whom=name, label="" if label == name else label, does="; ".join(does), privileged=change.privileged
    )


def _named(item: AccessItem) -> str:
    # a group goes by its name alone; of a role and of any other value it is said what it is
    kind = {AccessKind.GROUP: "", AccessKind.ROLE: "role "}.get(item.kind, f"{neutral(item.attribute, NAME_LIMIT)} ")
    return f"{kind}{neutral(item.name, NAME_LIMIT)}{_PRIVILEGED if item.privileged else ''}"


def _kinds_gained(change: AccessChange) -> list[str]:
    return [_named(each) for each in change.gains] or [_ACCOUNT]


def _kinds_lost(change: AccessChange) -> list[str]:
    return [_EVERYTHING] if change.ends else [_named(each) for each in change.loses]


def _counted(people: Sequence[Sequence[str]], others: Collection[str]) -> str:
    """``Support EMEA 1, everything 1``: privileged ones first, then groups and roles by their people, then all else."""
    counts = Counter(kind for kinds in people for kind in dict.fromkeys(kinds))
    order = sorted(counts, key=lambda kind: (kind in others, *_rank(kind, counts[kind])))
    if len(order) == 1:
        return order[0]
    shown = ", ".join(f"{kind} {counts[kind]:,}" for kind in order[:_SHOWN])
    return f"{shown} and {len(order) - _SHOWN:,} more" if len(order) > _SHOWN else shown


def _rank(kind: str, count: int) -> tuple[bool, int, bool, str]:
    return (not kind.endswith(_PRIVILEGED), -count, kind == _EVERYTHING, without_case(kind))
