"""A plan made anew, cut down to what of a saved plan is left to do. Pure.

StalePlan, with everything that has moved, where the saved plan does not fit any more: something is neither as it was
nor as it is to be; it is not called for any more; or a day has come that calls for more.
"""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from reconciler.diffing.findings import part_of
from reconciler.errors import StalePlan
from reconciler.model import Cause, Change, Diagnostic, Severity, Violation
from reconciler.planfile import violation_digest
from reconciler.reconcile import Reconciliation, narrowed
from reconciler.rendering.naming import attribute_name, is_reference, person
from reconciler.saved.binding import day_differs
from reconciler.saved.file import SavedPlan
from reconciler.saved.judging import Judgement, Stage, ids_given, judge
from reconciler.saved.parts import Ids, Key, Part, is_whole, parts_of, same_part
from reconciler.scim.attributes import name_path

_SHOWN: Final = 40
"""So many moved parts are named."""


class Fit(Struct, frozen=True, kw_only=True):
    """What is left to do. `done` of `total` parts are in place; `more`: how many only the new plan has."""

    reconciliation: Reconciliation
    done: int
    total: int
    more: int


def cut_to(saved: SavedPlan, name: str, now: Reconciliation) -> Fit:
    """What of a saved plan (`name`: of its file) is left to do, as the new plan does it. Raises StalePlan."""
    ids = ids_given(saved.plan, now.situation)
    judgements = judge(saved.plan, now.situation)
    then, planned = parts_of(saved.plan.changes, ids), parts_of(now.plan.changes)
    moved = list(_moved(judgements, planned, ids, now))
    if any(each.stage is Stage.TO_DO for each in judgements.values()):
        moved += _more(then, planned, now, later=bool(day_differs(saved, now.situation.desired.today)))
    if moved:
        raise _stale(saved, name, moved, now)
    changes = [kept for each in now.plan.changes if (kept := _left(each, then)) is not None]
    left = narrowed(now, changes)
    left = replace(left, plan=replace(left.plan, violations=_violations(saved, left)))
    return Fit(
        reconciliation=left,
        done=sum(1 for each in judgements.values() if each.stage is Stage.DONE),
        total=len(judgements),
        more=sum(1 for key in planned if key not in then),
    )


def in_words(part: Part, names: Mapping[str, tuple[str, str]]) -> str:
    """What a part is about, without the address: ``title``, ``members carl.m (Carl Mora)``, ``the deletion``."""
    if part.detail is None:
        return "the creation" if part.creates else "the deletion"
    item = part.detail.item
    if item is None:
        return attribute_name(part.detail.path)
    return f"{attribute_name(part.detail.path)} {person(item, names) if is_reference(part.detail.path) else item}"


def diagnostics_of(judgements: Iterable[Judgement]) -> list[Diagnostic]:
    """A diagnostic for each part that has moved."""
    return [_diagnostic(each.part.change, each.what, each.found) for each in judgements if each.stage is Stage.MOVED]


def _moved(
    judgements: Mapping[Key, Judgement], planned: Mapping[Key, Part], ids: Ids, now: Reconciliation
) -> Iterator[Diagnostic]:
    yield from diagnostics_of(judgements.values())
    refused = {each.address: each.summary for each in now.plan.refused}
    drifted = parts_of(now.plan.drift)
    for key, judgement in judgements.items():
        if judgement.stage is not Stage.TO_DO:
            continue
        again = planned.get(key)
        if again is None or not same_part(judgement.part, again, ids):
            what = in_words(judgement.part, now.plan.names)
            if again is not None:
                why = "a plan made now does it otherwise"
            elif judgement.part.change.address in refused:
                why = f"left as it is now: {refused[judgement.part.change.address]}"
            elif key in drifted:
                why = "by the record it was in place since, and others have changed it back"
            else:
                why = "a plan made now does not do it"
            yield _diagnostic(judgement.part.change, what, why)


def _more(
    then: Mapping[Key, Part], planned: Mapping[Key, Part], now: Reconciliation, *, later: bool
) -> Iterator[Diagnostic]:
    """What a plan made now does beyond the saved one and cannot leave out. `later`: it is another day."""
    for key, part in planned.items():
        if key in then:
            continue
        what = in_words(part, now.plan.names)
        if later and (part.change if part.detail is None else part.detail).cause is Cause.DUE:
            yield _diagnostic(part.change, what, "it is due by now, and the saved plan does not have it")
        elif part.detail is not None and is_whole(part.change) and _whole_key(part.change) in then:
            yield _diagnostic(part.change, what, "a plan made now does it as well")


def _left(change: Change, then: Mapping[Key, Part]) -> Change | None:
    """What of a new change the saved plan holds."""
    if is_whole(change):
        return change if _whole_key(change) in then else None
    parts = [part.detail for key, part in parts_of([change]).items() if key in then and part.detail is not None]
    if not parts or len(parts) == len(change.attribute_changes):
        return change if parts else None
    return part_of(change, parts, name_path(change.address.resource_type))


def _whole_key(change: Change) -> Key:
    return next(key for key, part in parts_of([change]).items() if part.detail is None)


def _violations(saved: SavedPlan, left: Reconciliation) -> tuple[Violation, ...]:
    """What stops what is left: rules that it breaks beyond what was accepted for the whole, and those of the file."""
    if not left.plan.changes:
        return left.plan.violations
    accepted = [
        *(each for each in saved.binding.accepted if _named(each, left.context.reviewed)),
        *(each for each in saved.plan.violations if _named(each, left.context.accepted)),
    ]
    own = [each for each in saved.plan.violations if each not in accepted]
    broken = [each for each in left.plan.violations if not any(covers(one, each) for one in accepted)]
    return tuple({(each.rule, each.digest): each for each in (*broken, *own)}.values())


def _named(violation: Violation, by: Container[str]) -> bool:
    """Whether an acceptance that stands here, not in the file, names exactly these items."""
    key = f"{violation.rule}@{violation_digest(violation.rule, violation.items)}"
    return key == f"{violation.rule}@{violation.digest}" and key in by


def covers(accepted: Violation, broken: Violation) -> bool:
    """Whether who accepts the one has accepted the other: the same rule, and no item more."""
    return accepted.rule == broken.rule and set(broken.items) <= set(accepted.items)


def _stale(saved: SavedPlan, name: str, moved: Sequence[Diagnostic], now: Reconciliation) -> StalePlan:
    found = list(dict.fromkeys(moved))
    count = f"{len(found):,} thing{'s' if len(found) != 1 else ''} moved since"
    rest = f" (the first {_SHOWN} are named)" if len(found) > _SHOWN else ""
    day = day_differs(saved, now.situation.desired.today)
    return StalePlan(
        f"{name} is stale, nothing was written: {count}{rest}{day}",
        "plan again, review it, and apply the new plan",
        found[:_SHOWN],
    )


def _diagnostic(change: Change, what: str, found: str) -> Diagnostic:
    summary = f"{what} has moved: {found}"
    return Diagnostic(severity=Severity.ERROR, code="plan-stale", summary=summary, address=change.address)
