"""Broken safety rules as values, and what lifts them: a reviewed line, or the word of who starts the run. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from reconciler.model import Diagnostic, Severity, SourceLocation, Violation
from reconciler.planfile import violation_digest

ONE_RUN: Final = frozenset({"behind", "diverged", "dirty", "in-progress", "record-lost"})
"""The rules about a checkout or a record, not about what is declared."""


def violation(
    rule: str, summary: str, items: Iterable[str], limit: int, mend: str, *, actual: int | None = None
) -> Violation:
    """A violation with the digest that an acceptance has to name: it covers exactly these items of this rule.

    `actual`: how many there are, where that is not the number of items. What is about one run and no other cannot be
    accepted by a line of a file, only by who starts the run.
    """
    listed = tuple(sorted(items))
    accepted = violation_digest(rule, listed)
    if rule in ONE_RUN:
        mend = f"{mend}; to go on all the same, in this one run: --accept {rule}@{accepted}"
    return Violation(
        rule=rule,
        summary=summary,
        actual=len(listed) if actual is None else actual,
        limit=limit,
        items=listed,
        digest=accepted,
        mend=mend,
    )


def not_accepted(
    violations: Sequence[Violation], accepted: Collection[str], reviewed: Mapping[str, SourceLocation]
) -> tuple[tuple[Violation, ...], list[Diagnostic]]:
    """The violations that stand, and what is to be said of each reviewed line: what it lifts, or that it lifts nothing.

    `accepted`: ``RULE@DIGEST`` by who starts the run. `reviewed`: by a line, which stands at that place.
    """
    broken = {f"{each.rule}@{each.digest}": each for each in violations}
    lifting = {each for each in reviewed if each in broken and broken[each].rule not in ONE_RUN}
    unused = [_unused(each, place) for each, place in reviewed.items() if each not in lifting]
    lifted = [_lifted(broken[each], place) for each, place in reviewed.items() if each in lifting]
    left = tuple(each for key, each in broken.items() if key not in lifting and key not in accepted)
    return left, [*lifted, *unused]


def _lifted(broken: Violation, place: SourceLocation) -> Diagnostic:
    """A rule that does not stop the run must not be silent either: the line may be older than what it lifts now."""
    return Diagnostic(
        severity=Severity.WARNING,
        code="rule-accepted",
        summary=f"{broken.rule} is broken, and accepted by a line: {broken.summary}",
        mend="see that the line is meant for this change; take it out once that is applied",
        source=place,
    )


def _unused(key: str, place: SourceLocation) -> Diagnostic:
    rule = key.partition("@")[0]
    mend = "take the line out as soon as no other target needs it: it holds for items that are no longer these"
    if rule in ONE_RUN:
        mend = f"take the line out: {rule} is about one run, and is accepted where that is started, with --accept"
    return Diagnostic(
        severity=Severity.NOTICE,
        code="acceptance-unused",
        summary=f"the acceptance {key} lifts nothing here",
        mend=mend,
        source=place,
    )
