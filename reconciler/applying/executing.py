"""Performs operations in the order of their numbers and says what came of each. Decides nothing.

A failure is a `Result`, never an exception. What depends on a failed operation is skipped with the reason; a group's
chunk of members loses only those who were not created. Once `sending` has halted, the rest is not tried.
"""

import time
from collections.abc import Callable, Collection, Sequence
from typing import assert_never

from reconciler.applying.learnt import Members
from reconciler.applying.memberships import is_member_delta
from reconciler.applying.performing import Live, Performer
from reconciler.applying.references import Unresolved
from reconciler.applying.sending import Sending
from reconciler.applying.side_by_side import SideBySide
from reconciler.audit import Audit
from reconciler.errors import RecordTrouble
from reconciler.model import (
    BULK_ID,
    CreateResource,
    DeleteResource,
    NotTried,
    Operation,
    PatchResource,
    Result,
    Skipped,
    Succeeded,
    known_after_apply,
)
from reconciler.profiles.profile import Profile
from reconciler.transport.client import Writer


def execute(
    operations: Sequence[Operation],
    writer: Writer,
    profile: Profile,
    *,
    audit: Audit | None,
    progress: Callable[[Result], None] | None = None,
    stop: Callable[[], bool] | None = None,
    members: Members | None = None,
    sleep: Callable[[float], None] = time.sleep,
    known: Collection[str] = (),
    live: Live | None = None,
    at_once: int = 1,
) -> tuple[Result, ...]:
    """Perform the operations of a plan; one result for each, in the order of their numbers.

    `stop` is asked before each operation; once it says yes the rest is not tried. `progress` is told each result, in
    the order of numbers. Both are called in the caller's thread. `members`: group id -> member ids as they were last
    read, to notice losses; a group that is missing here is read before its first change. `sleep` waits for what was
    created to show, within the profile's `settles_within`. `known`: ids that accounts have or had before. `live`: id ->
    what the plan was made on, None where nobody has looked; a conflict is judged by it. `at_once`: how many operations
    may be on their way; those that are when a run halts end and count.
    """
    sending = Sending(audit)
    performer = Performer(writer, profile, sending, members or {}, sleep, known, live)
    run = _Run(operations, performer, sending, progress, stop)
    ordered = sorted(operations, key=lambda each: each.number)
    if at_once > 1:
        SideBySide(at_once, untried=run.untried, tried=run.tried, note=run.note).perform(ordered)
    else:
        for operation in ordered:
            run.note(run.untried(operation) or run.tried(operation))
    return run.results


class _Run:
    """The operations of a run and their results so far."""

    def __init__(
        self,
        operations: Sequence[Operation],
        performer: Performer,
        sending: Sending,
        progress: Callable[[Result], None] | None,
        stop: Callable[[], bool] | None,
    ) -> None:
        self._performer = performer
        self._sending = sending
        self._progress = progress
        self._stop = stop
        self._by_number = {each.number: each for each in operations}
        self._creates = {
            known_after_apply(each.address): each.number for each in operations if isinstance(each, CreateResource)
        }
        self._results: dict[int, Result] = {}

    @property
    def results(self) -> tuple[Result, ...]:
        """All that were noted, in that order."""
        return tuple(self._results.values())

    def note(self, result: Result) -> None:
        """It counts from now on."""
        self._results[result.number] = result
        if self._progress is not None:
            self._progress(result)

    def untried(self, operation: Operation) -> Result | None:
        """The result of one that is not to be tried; None if it is. Those it depends on have been noted."""
        if self._stop is not None and self._stop():
            self._sending.halt("the run was stopped")
        if self._sending.halted is not None:
            return self._not_tried(operation)
        failed = self._failed_dependency(operation)
        return self._skipped(operation, failed, None) if failed is not None else None

    def _failed_dependency(self, operation: Operation) -> int | None:
        """What it needs and did not succeed. A chunk of members needs ids only, and loses those that there are not."""
        if isinstance(operation, PatchResource) and is_member_delta(operation.operations):
            return None
        for number in operation.depends_on:
            if number in self._results and not isinstance(self._results[number], Succeeded):
                return number
        return None

    def tried(self, operation: Operation) -> Result:
        """Perform it: what came of it."""
        try:
            match operation:
                case CreateResource():
                    return self._performer.create(operation)
                case PatchResource():
                    return self._performer.patch(operation)
                case DeleteResource():
                    return self._performer.delete(operation)
                case _:
                    assert_never(operation)
        except Unresolved as missing:
            because = self._creates.get(missing.bulk_id, operation.number)
            return self._skipped(operation, because, missing.bulk_id.removeprefix(BULK_ID))
        except RecordTrouble as trouble:
            self._sending.halt(trouble.summary)
            return self._not_tried(operation)

    def _skipped(self, operation: Operation, because: int, needed: str | None) -> Skipped:
        name = needed or self._by_number[because].address
        return Skipped(number=operation.number, message=f"needs {name}, which did not succeed", because=because)

    def _not_tried(self, operation: Operation) -> NotTried:
        return NotTried(number=operation.number, message=str(self._sending.halted))
