"""The changes of a plan, divided into what comes with this checkout and what is left from earlier merges. Pure.

Left from earlier merges is what a plan of the base's declarations, against the same live state, does in just the same
way. Who is created or deleted stands on one side only: a creation of which anything differs comes with this checkout.
"""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from reconciler.codecs import TEXT, at, optional, record, several
from reconciler.diffing.findings import part_of
from reconciler.model import Change, Json, Plan, Split
from reconciler.privileges import warned
from reconciler.reconcile import Reconciliation
from reconciler.saved.parts import Key, Part, is_whole, parts_of, same_part
from reconciler.scim.attributes import name_path

BASE: Final = "base"


def split(planned: Reconciliation, against: Plan, base: str, commit: str) -> Split:
    """The changes of a plan, divided by a plan of the declarations of `base`."""
    theirs = parts_of(against.changes)
    here: list[Change] = []
    earlier: list[Change] = []
    for change in planned.plan.changes:
        ours = parts_of([change])
        common = {key for key, part in ours.items() if key in theirs and same_part(part, theirs[key])}
        if is_whole(change):
            (earlier if _all_of(change, ours, common, theirs) else here).append(change)
            continue
        for some, side in ((common, earlier), (ours.keys() - common, here)):
            if some:
                side.append(_only(change, ours, some))
    here_now, earlier_now = (warned(some, planned.situation) for some in (here, earlier))
    return Split(base=base, commit=commit, here=here_now, earlier=earlier_now)


def _all_of(change: Change, ours: Mapping[Key, Part], common: set[Key], theirs: Mapping[Key, Part]) -> bool:
    count = sum(1 for key in theirs if key[0] == change.address.folded)
    return len(common) == len(ours) == count


def _only(change: Change, ours: Mapping[Key, Part], some: set[Key]) -> Change:
    if len(some) == len(ours):
        return change
    details = [part.detail for key, part in ours.items() if key in some and part.detail is not None]
    return part_of(change, details, name_path(change.address.resource_type))


# --- as JSON


class _Difference(Struct, frozen=True, kw_only=True):
    path: str
    item: str | None


class _Earlier(Struct, frozen=True, kw_only=True):
    address: str
    differences: tuple[_Difference, ...]


class _Written(Struct, frozen=True, kw_only=True):
    ref: str
    commit: str
    earlier: tuple[_Earlier, ...]


_WRITTEN: Final = record(
    _Written,
    ref=TEXT,
    commit=TEXT,
    earlier=several(
        record(_Earlier, address=TEXT, differences=several(record(_Difference, path=TEXT, item=optional(TEXT))))
    ),
)


def encoded(found: Split) -> Json:
    """What a plan file says of it: what is left from earlier merges, by address and difference."""
    earlier = tuple(
        _Earlier(
            address=str(change.address),
            differences=tuple(_Difference(path=each.path, item=each.item) for each in change.attribute_changes),
        )
        for change in found.earlier
    )
    return _WRITTEN.encode(_Written(ref=found.base, commit=found.commit, earlier=earlier))


def split_in(document: Mapping[str, Json], plan: Plan) -> Split | None:
    """The division of a plan that stands beside it in a file; None if there is none. Malformed if it is of no plan."""
    if BASE not in document:
        return None
    written = at(BASE, _WRITTEN.decode, document[BASE])
    left = {each.address: {(one.path, one.item) for one in each.differences} for each in written.earlier}
    here: list[Change] = []
    earlier: list[Change] = []
    for change in plan.changes:
        some = left.get(str(change.address), set())
        theirs = [each for each in change.attribute_changes if (each.path, each.item) in some]
        ours = [each for each in change.attribute_changes if (each.path, each.item) not in some]
        if is_whole(change) or not theirs or not ours:
            whole = str(change.address) in left and not ours
            (earlier if whole else here).append(change)
            continue
        path = name_path(change.address.resource_type)
        earlier.append(part_of(change, theirs, path))
        here.append(part_of(change, ours, path))
    return Split(base=written.ref, commit=written.commit, here=tuple(here), earlier=tuple(earlier))
