"""The same for several targets: side by side where it only reads; no failure of one stops another; printed together."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from threading import Semaphore
from types import MappingProxyType
from typing import Final, Generic, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from reconciler.beside import begun
from reconciler.cli import masking
from reconciler.cli.exits import Exit
from reconciler.cli.output import plan_document
from reconciler.cli.printing import show_text
from reconciler.errors import ReconcilerError
from reconciler.model import Diagnostic, Json, Plan, Severity, Split
from reconciler.planfile import written

T = TypeVar("T")

NO_SPLITS: Final[Mapping[str, Split | None]] = MappingProxyType({})
_AT_ONCE: Final = 8
"""Targets that are read at the same time."""


class Attempt(Struct, Generic[T], frozen=True, kw_only=True):
    """What came of one target: a value, or why there is none."""

    target: str
    made: T | None = None
    failure: Exception | None = None

    def told(self) -> Exit:
        """Print the failure, and say with which code it ends."""
        if self.failure is None:
            return Exit.DONE
        # only where something went wrong
        from reconciler.cli.failures import report_failure

        sys.stdout.flush()  # in a log both streams are one: it stands where it happened
        return report_failure(self.failure, self.target)


def side_by_side(names: Sequence[str], work: Callable[[str], T], *, several: bool) -> Iterator[Attempt[T]]:
    """The work for every target at the same time; what comes of it in the order of the names.

    Unless `several` were asked for it is done here and now, and its failure is raised as it is.
    """
    if not several:
        yield Attempt(target=names[0], made=work(names[0]))
        return
    free = Semaphore(_AT_ONCE)

    def in_turn(name: str) -> T:
        with free:
            return work(name)

    under_way = [(name, begun(partial(in_turn, name), f"target {name}")) for name in names]
    for name, future in under_way:
        yield attempt(name, future.result)


def attempt(name: str, work: Callable[[], T]) -> Attempt[T]:
    """The work for one of several targets; whatever goes wrong with it is kept for its place in the output."""
    try:
        return Attempt(target=name, made=work())
    except Exception as error:
        return Attempt(target=name, failure=error)


class SaidOnce:
    """What is said of one line of a file that several targets share is said with the first of them."""

    def __init__(self) -> None:
        self._said: set[Diagnostic] = set()

    def plan(self, plan: Plan) -> Plan:
        """The plan of the target that is printed next, without what was said already."""
        shared = {
            each
            for each in plan.notices
            if each.severity is Severity.NOTICE and each.source is not None and each.address is None
        }
        repeated, self._said = shared & self._said, shared | self._said
        return replace(plan, notices=tuple(each for each in plan.notices if each not in repeated))


def show_each(
    attempts: Sequence[Attempt[Plan]],
    form: str,
    show: Callable[[Plan], None],
    splits: Mapping[str, Split | None] = NO_SPLITS,
) -> list[Exit]:
    """Print the plans of several targets one after another, in JSON as one value; codes for those without a plan."""
    if form == "json":
        targets: list[Json] = [_as_json(each, splits.get(each.target)) for each in attempts]
        show_text(written({"format_version": 1, "targets": targets}).decode())
    codes = []
    for each in attempts:
        if each.made is None:
            codes.append(each.told())
        elif form != "json":
            show(each.made)
            show_text("")
    return codes


def _as_json(attempt: Attempt[Plan], split: Split | None) -> dict[str, Json]:
    if attempt.made is not None:
        return {"target": attempt.target, "plan": plan_document(attempt.made, split)}
    summary, mend = in_short(attempt.failure)
    return {"target": attempt.target, "error": {"summary": summary, "mend": mend}}


def in_short(error: Exception | None) -> tuple[str, str]:
    """What happened, and how to mend it."""
    if isinstance(error, ReconcilerError):
        return masking.text(error.summary), masking.text(error.mend)
    if error is None:
        return "cancelled: nothing was written", ""
    return f"this is a fault of reconciler ({type(error).__name__})", "see standard error"
