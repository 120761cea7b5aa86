"""The one walk over a plan: what a reader sees, in order and in words, before any format.

Each writer (text, Markdown, HTML) takes a `PlanView` and only lays it out. Every text in it is neutral already, so a
writer escapes its own syntax and nothing else. No colours, no widths, no I/O.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from reconciler.model import Action, Change, Diagnostic, Plan, Severity, Violation
from reconciler.rendering import wording
from reconciler.rendering.folding import Group, folded, same_remarks
from reconciler.rendering.lines import Line, Mark, change_lines, drift_lines
from reconciler.rendering.naming import (
    Names,
    address_text,
    place,
    plural,
)
from reconciler.rendering.neutral import NAME_LIMIT, neutral

_NAMED: Final = 3
"""How many of many equal identities are named."""
_COUNTED: Final = 10
"""How many of the items that a safety rule counts are named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """Several identities: the first ones by name, `hidden` more that are not named."""

    named: tuple[str, ...] = ()
    hidden: int = 0


_NOBODY: Final = People()


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One change, or many equal ones: whom it concerns, what happens, why or from where, and each difference."""

    subject: str
    predicate: str
    mark: Mark
    aside: str = ""
    lines: tuple[Line, ...] = ()
    people: People = _NOBODY
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """Something a reader should know: about whom, what, why, how to mend it, where it stands."""

    text: str
    about: People = _NOBODY
    detail: str = ""
    mend: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenRule:
    """A safety rule that stops the run. `acceptance`: the line that lifts it; empty if `mend` says it all."""

    rule: str
    summary: str
    counts: str
    items: People
    mend: str
    acceptance: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanView:
    """A plan as it is read. `header` and `requests` are empty when there is nothing to do."""

    header: str
    warnings: tuple[Remark, ...]
    blocks: tuple[Block, ...]
    drift_header: str
    drift: tuple[Block, ...]
    refused: tuple[Remark, ...]
    violations: tuple[BrokenRule, ...]
    notices: tuple[Remark, ...]
    summary: str
    requests: str


def view(plan: Plan, *, verbose: bool = False) -> PlanView:
    """What there is to read in a plan.

    Order of the blocks: who is deleted or deactivated; what carries a warning (privileged roles and groups); who is
    reactivated; who loses a role, a skill or a membership; then the rest, users before groups, by address, equal ones
    in one block after the single ones. `verbose` names everybody and says of each value which layer it comes from.
    """
    alarms = [each for each in plan.notices if each.severity is not Severity.NOTICE]
    notices = [each for each in plan.notices if each.severity is Severity.NOTICE]
    return PlanView(
        header=wording.header(plan),
        warnings=(*_change_warnings(plan.changes), *remarks(alarms, whole=True)),
        blocks=tuple([_block(each, plan.names, verbose) for each in folded(plan.changes)]),
        drift_header=wording.DRIFT_HEADER if plan.drift else "",
        drift=tuple([_drift_block(each, plan.names, verbose) for each in folded(plan.drift)]),
        refused=tuple(remarks(plan.refused, whole=True)),
        violations=tuple(_broken_rule(each, verbose) for each in plan.violations),
        notices=tuple(remarks(notices, whole=verbose)),
        summary=wording.summary(plan),
        requests=wording.requests(plan),
    )


# --- blocks


def _block(group: Group, names: Names, verbose: bool) -> Block:
    change = group.first
    uniform = wording.uniform_cause(change)
    whole = verbose or group.takes
    return Block(
        subject=_subject(group),
        predicate=wording.predicate(change.actions),
        mark=_block_mark(change.actions),
        aside=wording.aside(group, uniform),
        lines=change_lines(change, names, kept=not group.folds, cause=not uniform, verbose=verbose),
        people=people([_key(each) for each in group.changes], whole) if group.folds else _NOBODY,
        notes=tuple([neutral(each) for each in change.notes]),
    )


def _drift_block(group: Group, names: Names, verbose: bool) -> Block:
    """What others did: the opposite of what would put it right."""
    change = group.first
    gone = Action.CREATE in change.actions
    return Block(
        subject=_subject(group),
        predicate="deleted on the server" if gone else "",
        mark=Mark.REMOVE if gone else Mark.CHANGE,
        lines=() if gone else drift_lines(change, names),
        people=people([_key(each) for each in group.changes], verbose) if group.folds else _NOBODY,
        notes=tuple([neutral(each) for each in change.notes]),
    )


def _subject(group: Group) -> str:
    if group.folds:
        return plural(len(group.changes), group.first.address.resource_type)
    return address_text(group.first.address)


def _key(change: Change) -> str:
    return neutral(change.address.key, NAME_LIMIT)


def _block_mark(actions: tuple[Action, ...]) -> Mark:
    match wording.main_action(actions):
        case Action.DELETE | Action.DEACTIVATE:
            return Mark.REMOVE
        case Action.CREATE | Action.REACTIVATE:
            return Mark.ADD
        case _:
            return Mark.CHANGE


def people(names: Sequence[str], whole: bool, shown_first: int = _NAMED) -> People:
    """Several identities; all of them by name if `whole`."""
    if whole or len(names) <= shown_first:
        return People(named=tuple(names))
    return People(named=tuple(names[:shown_first]), hidden=len(names) - shown_first)


# --- remarks


def _change_warnings(changes: Iterable[Change]) -> list[Remark]:
    return [
        Remark(text=neutral(warning), about=People(named=(address_text(each.address),)), place=place(each.source))
        for each in sorted(changes, key=lambda change: change.address)
        for warning in each.warnings
    ]


def remarks(diagnostics: Iterable[Diagnostic], *, whole: bool) -> list[Remark]:
    """Diagnostics that say the same of several identities are one remark, which names all of them if `whole`."""
    return [_remark(some, whole) for some in same_remarks(diagnostics)]


def _remark(same: Sequence[Diagnostic], whole: bool) -> Remark:
    first = same[0]
    return Remark(
        text=neutral(first.summary),
        about=people([address_text(each.address) for each in same if each.address], whole),
        detail=neutral(first.detail),
        mend=neutral(first.mend),
        place=place(first.source) if len(same) == 1 else "",
    )


def _broken_rule(violation: Violation, verbose: bool) -> BrokenRule:
    return BrokenRule(
        rule=neutral(violation.rule, NAME_LIMIT),
        summary=neutral(violation.summary),
        counts=wording.counts(violation),
        items=people([neutral(each, NAME_LIMIT) for each in violation.items], verbose, _COUNTED),
        mend=neutral(violation.mend),
        acceptance=wording.acceptance(violation),
    )
