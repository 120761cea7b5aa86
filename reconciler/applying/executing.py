"""Performs operations in the order of their numbers and says what came of each. Decides nothing.

A failure is a `Result`, never an exception. What depends on a failed operation is skipped with the reason; a group's
chunk of members loses only those who were not created. Once `sending` has halted, the rest is not tried.
"""

import time
from collections.abc import Callable, Collection, Sequence
from typing import assert_never

from reconciler.applying.memberships import is_member_delta
from reconciler.applying.performing import NOTHING_READ, UNKNOWN_MEMBERS, Live, Members, Performer
from reconciler.applying.references import Unresolved
from reconciler.applying.sending import Sending
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
    members: Members = UNKNOWN_MEMBERS,
    sleep: Callable[[float], None] = time.sleep,
    known: Collection[str] = (),
    live: Live = NOTHING_READ,
) -> tuple[Result, ...]:
    """Perform the operations of a plan; one result for each, in the order of their numbers.

    `stop` is asked before each operation; once it says yes the rest is not tried. `members`: group id -> member ids as
    they were last read, to notice losses; a group that is missing here is read before its first change. `sleep` waits
    for what was created to show, within the profile's `settles_within`. `known`: ids that accounts have or had before.
    `live`: id -> what the plan was made on; a conflict is judged by it.
    """
    sending = Sending(audit)
    run = _Run(operations, Performer(writer, profile, sending, members, sleep, known, live), sending)
    results: list[Result] = []
    for operation in sorted(operations, key=lambda each: each.number):
        if stop is not None and stop():
            sending.halt("the run was stopped")
        result = run.perform(operation)
        results.append(result)
        if progress is not None:
            progress(result)
    return tuple(results)


class _Run:
    """The operations of a run and their results so far."""

    def __init__(self, operations: Sequence[Operation], performer: Performer, sending: Sending) -> None:
        self._performer = performer
        self._sending = sending
        self._by_number = {each.number: each for each in operations}
        self._creates = {
            known_after_apply(each.address): each.number for each in operations if isinstance(each, CreateResource)
        }
        self._results: dict[int, Result] = {}

    def perform(self, operation: Operation) -> Result:
        """The result of one operation; those it depends on have had theirs."""
        if self._sending.halted is not None:
            result: Result = self._not_tried(operation)
        else:
            failed = self._failed_dependency(operation)
            result = self._tried(operation) if failed is None else self._skipped(operation, failed, None)
        self._results[operation.number] = result
        return result

    def _failed_dependency(self, operation: Operation) -> int | None:
        """What it needs and did not succeed. A chunk of members needs ids only, and loses those that there are not."""
        if isinstance(operation, PatchResource) and is_member_delta(operation.operations):
            return None
        for number in operation.depends_on:
            if number in self._results and not isinstance(self._results[number], Succeeded):
                return number
        return None

    def _tried(self, operation: Operation) -> Result:
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
