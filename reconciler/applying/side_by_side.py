"""Performs operations side by side: several requests on their way at once, and still every promise of their order.

Operations begin in the order of their numbers. One begins beside others only if all of them are of one kind (creates of
users, changes that take access away, …), on different resources, and if it needs none of them; else it waits until they
have ended. So what takes access away has ended before anything is given, a name is free before it is taken, and a group
is empty before it is filled. What one needs through a third has ended too, as the third has.
"""

from collections import deque
from collections.abc import Callable, Hashable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack

from reconciler.applying.changing import switches_off
from reconciler.applying.memberships import is_member_delta
from reconciler.applying.references import references_in
from reconciler.model import (
    CreateResource,
    Operation,
    PatchOp,
    PatchOperation,
    PatchResource,
    Result,
    known_after_apply,
)
from reconciler.scim.paths import element_of


def may_go_beside(operation: Operation, begun: Operation) -> bool:
    """Whether `operation` may be sent before the answer to `begun`, which has a smaller number, is there. Pure."""
    if _kind(operation) != _kind(begun) or operation.address == begun.address:
        return False
    if begun.number in operation.depends_on:
        return False
    if isinstance(operation, CreateResource):
        return known_after_apply(begun.address) not in references_in(operation.body)
    return isinstance(begun, CreateResource) or operation.live_id != begun.live_id


def _kind(operation: Operation) -> Hashable:
    """Operations that stand together in the order of a plan, as far as that can be told from themselves."""
    changes = operation.operations if isinstance(operation, PatchResource) else ()
    takes = any(_takes_access(each) for each in changes)
    return type(operation), operation.address.resource_type, takes, bool(changes) and is_member_delta(changes)


def _takes_access(change: PatchOperation) -> bool:
    """An account is switched off, or a value leaves a list; an entry of an address book counts too, which harms not."""
    element = element_of(change.path) if change.op is PatchOp.REMOVE else None
    return switches_off(change) or (element is not None and element[2] is None)


class SideBySide:
    """At most `at_once` operations on their way, each in a thread of its own.

    `untried` gives the result of an operation that is not to be tried, else None; `tried` performs one; `note` is told
    each result, in the order of numbers. Only `tried` is called in another thread than the caller's.
    """

    def __init__(
        self,
        at_once: int,
        *,
        untried: Callable[[Operation], Result | None],
        tried: Callable[[Operation], Result],
        note: Callable[[Result], None],
    ) -> None:
        self._at_once = at_once
        self._untried = untried
        self._tried = tried
        self._note = note
        self._pool = ThreadPoolExecutor(at_once, thread_name_prefix="applying")
        self._begun: deque[tuple[Operation, Future[Result]]] = deque()

    def perform(self, operations: Iterable[Operation]) -> None:
        """Perform them all, given in the order of their numbers. Raises what `note` or `tried` raises.

        However it ends: what has begun is waited for and noted, because it was sent.
        """
        try:
            for operation in operations:
                self._wait_for_room(operation)
                self._begun.append((operation, self._beginning(operation)))
        finally:
            self._end()
            self._pool.shutdown()

    def _wait_for_room(self, operation: Operation) -> None:
        while True:
            while self._begun and self._begun[0][1].done():
                self._note_first()
            busy = [future for _, future in self._begun if not future.done()]
            if len(busy) < self._at_once and all(may_go_beside(operation, each) for each, _ in self._begun):
                return
            wait(busy, return_when=FIRST_COMPLETED)

    def _beginning(self, operation: Operation) -> Future[Result]:
        result = self._untried(operation)
        if result is None:
            return self._pool.submit(self._tried, operation)
        known: Future[Result] = Future()
        known.set_result(result)
        return known

    def _end(self) -> None:
        with ExitStack() as whatever_is_raised:
            for _ in self._begun:
                whatever_is_raised.callback(self._note_first)

    def _note_first(self) -> None:
        _, future = self._begun.popleft()
        self._note(future.result())
