"""The one walk over a plan: what a reader sees, in order and in words, before any format.

Each writer (text, Markdown, HTML) takes a `PlanView` and only lays it out. Every text in it is neutral already, so a
writer escapes its own syntax and nothing else. No colours, no widths, no I/O.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Final, TypedDict

from msgspec import Struct
from msgspec.structs import replace

from reconciler.model import Action, Cause, Change, Diagnostic, Plan, ResourceType, Severity, Split, Violation
from reconciler.planfile import digest
from reconciler.rendering import wording
from reconciler.rendering.access import AccessLine, access_lines, access_summary
from reconciler.rendering.folding import Group, Risk, folded, same_remarks
from reconciler.rendering.lines import Line, Mark, change_lines, drift_lines
from reconciler.rendering.naming import Names, address_text, department, place, plural
from reconciler.rendering.neutral import NAME_LIMIT, neutral

_NAMED: Final = 3
"""How many of many equal identities are named."""
_COUNTED: Final = 10
"""How many of the items that a safety rule counts, or of those with something privileged, are named."""
_SAID_WHOLE: Final = frozenset({"behind", "diverged", "in-progress"})
"""Rules whose sentence names all that they count."""


class People(Struct, frozen=True, kw_only=True):
    """Several identities: the first ones by name, `hidden` more that are not named."""

    named: tuple[str, ...] = ()
    hidden: int = 0


_NOBODY: Final = People()


class Identity(Struct, frozen=True, kw_only=True):
    """Whom one change concerns. `label`: what people call it, empty if that is its key.

    `department`: the one that the change itself sets or shows; `path` and `place`: the file and the line, if known.
    """

    address: str
    label: str = ""
    department: str = ""
    path: str = ""
    place: str = ""


class Block(Struct, frozen=True, kw_only=True):
    """One change, or many equal ones: whom it concerns, what happens, why or from where, and each difference.

    `identities` has an entry for each change, in order; `people` is how a line of text names them. `causes`: that of
    the change first, then those of single differences. `earlier`: it is left from earlier merges.
    """

    subject: str
    predicate: str
    mark: Mark
    risk: Risk
    resource_type: ResourceType
    actions: tuple[Action, ...]
    causes: tuple[Cause, ...]
    identities: tuple[Identity, ...]
    aside: str = ""
    lines: tuple[Line, ...] = ()
    people: People = _NOBODY
    notes: tuple[str, ...] = ()
    earlier: bool = False


class Remark(Struct, frozen=True, kw_only=True):
    """Something a reader should know: about whom, what, why, how to mend it, where it stands."""

    text: str
    about: People = _NOBODY
    detail: str = ""
    mend: str = ""
    place: str = ""


class BrokenRule(Struct, frozen=True, kw_only=True):
    """A safety rule that stops the run. `items`: what it counts, unless the summary has it all.

    `acceptance`: the line that lifts it; empty if `mend` says it all.
    """

    rule: str
    summary: str
    items: People
    mend: str
    acceptance: str


class PlanView(Struct, frozen=True, kw_only=True):
    """A plan as it is read. `header` and `requests` are empty when there is nothing to do.

    `counts`: ``1 to add, 288 to change, 0 to destroy``, which `summary` says in a whole sentence. `access`: who gains
    and loses what in the end, in a sentence, and `access_lines` by name; the first `access_open` are always shown.
    `divided`: what comes with a pull request and what is left from earlier merges, in a sentence; the blocks of the
    latter come last. Empty where nobody asked.
    """

    header: str
    counts: str
    warnings: tuple[Remark, ...]
    blocks: tuple[Block, ...]
    drift_header: str
    drift: tuple[Block, ...]
    refused: tuple[Remark, ...]
    violations: tuple[BrokenRule, ...]
    notices: tuple[Remark, ...]
    summary: str
    access: str
    access_lines: tuple[AccessLine, ...]
    access_open: int
    requests: str
    divided: str = ""


class Stamp(Struct, frozen=True, kw_only=True):
    """What tells a plan from every other, for outputs that are kept: `digest` and `commit` whole, or empty.

    `at_merge`: what happens when this is merged, in a sentence; empty if there are no changes.
    """

    target: str
    profile: str
    commit: str
    digest: str
    tool: str
    at_merge: str


def stamp(plan: Plan) -> Stamp:
    """Which plan it is. Apart from `view`, because the digest of a big plan takes its time."""
    return Stamp(
        target=neutral(plan.target, NAME_LIMIT),
        profile=neutral(plan.profile, NAME_LIMIT),
        commit=neutral(plan.commit or "", NAME_LIMIT),
        digest=digest(plan),
        tool=neutral(f"reconciler {plan.tool_version}".rstrip(), NAME_LIMIT),
        at_merge=wording.at_merge(plan),
    )


def view(plan: Plan, *, verbose: bool = False, split: Split | None = None) -> PlanView:
    """What there is to read in a plan.

    Order of the blocks: who is deleted or deactivated; what carries a warning (privileged roles and groups); who is
    reactivated; who loses a role, a skill or a membership; then the rest, users before groups, by address, equal ones
    in one block after the single ones. With a `split`, what comes with the pull request stands first, in that order.
    `verbose` names everybody and says of each value which layer it comes from.
    """
    alarms = [each for each in plan.notices if each.severity is not Severity.NOTICE]
    notices = [each for each in plan.notices if each.severity is Severity.NOTICE]
    privileged = sum(1 for each in plan.access if each.privileged)
    return PlanView(
        header=wording.header(plan),
        counts=wording.tally(plan.changes) if plan.changes else "no changes",
        warnings=(*_change_warnings(plan.changes), *remarks(alarms, whole=True)),
        blocks=_blocks(plan, split, verbose),
        drift_header=wording.DRIFT_HEADER if plan.drift else "",
        drift=tuple([_drift_block(each, plan.names, verbose) for each in folded(plan.drift)]),
        refused=tuple(remarks(plan.refused, whole=True)),
        violations=tuple(_broken_rule(each, verbose) for each in plan.violations),
        notices=tuple(remarks(notices, whole=verbose)),
        summary=wording.summary(plan),
        access=access_summary(plan.access),
        access_lines=access_lines(plan.access),
        access_open=len(plan.access) if verbose else min(privileged, _COUNTED),
        requests=wording.requests(plan),
        divided=wording.divided(split) if split is not None and plan.changes else "",
    )


# --- blocks


def _blocks(plan: Plan, split: Split | None, verbose: bool) -> tuple[Block, ...]:
    here, earlier = (plan.changes, ()) if split is None else (split.here, split.earlier)
    ours = [_block(each, plan.names, verbose) for each in folded(here)]
    theirs = [replace(_block(each, plan.names, verbose), earlier=True) for each in folded(earlier)]
    return (*ours, *theirs)


def _block(group: Group, names: Names, verbose: bool) -> Block:
    change = group.first
    facts = _facts(group)
    # all differences have the cause of the change, so that it is said once
    uniform = len(facts["causes"]) == 1
    whole = verbose or group.takes
    return Block(
        subject=_subject(group),
        predicate=wording.predicate(change.actions),
        mark=_block_mark(change.actions),
        **facts,
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
        **_facts(group),
        lines=() if gone else drift_lines(change, names),
        people=people([_key(each) for each in group.changes], verbose) if group.folds else _NOBODY,
        notes=tuple([neutral(each) for each in change.notes]),
    )


class _Facts(TypedDict):
    """What a writer sorts and filters by."""

    risk: Risk
    resource_type: ResourceType
    actions: tuple[Action, ...]
    causes: tuple[Cause, ...]
    identities: tuple[Identity, ...]


def _facts(group: Group) -> _Facts:
    change = group.first
    found = dict.fromkeys([change.cause, *[each.cause for each in change.attribute_changes]])
    return _Facts(
        risk=group.risk,
        resource_type=change.address.resource_type,
        actions=change.actions or (Action.UPDATE,),
        causes=tuple(found),
        identities=tuple([_identity(each) for each in group.changes]),
    )


def _identity(change: Change) -> Identity:
    return Identity(
        address=address_text(change.address),
        label=neutral(change.label, NAME_LIMIT) if change.label != change.address.key else "",
        department=department(change),
        path=neutral(change.source.path, NAME_LIMIT) if change.source else "",
        place=place(change.source),
    )


def _subject(group: Group) -> str:
    if group.folds:
        return plural(len(group.changes), group.first.address.resource_type)
    return address_text(group.first.address)


def _key(change: Change) -> str:
    return neutral(change.address.key, NAME_LIMIT)


@cache
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
    items = [neutral(each, NAME_LIMIT) for each in violation.items]
    return BrokenRule(
        rule=neutral(violation.rule, NAME_LIMIT),
        summary=neutral(violation.summary),
        items=_NOBODY if violation.rule in _SAID_WHOLE else people(items, verbose, _COUNTED),
        mend=neutral(violation.mend),
        acceptance=wording.acceptance(violation),
    )
