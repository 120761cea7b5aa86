"""What a run has learnt of the service provider by its own requests: ids, versions, bodies, members, who left.

Several threads may use it at once for operations that `side_by_side` lets go together: what is known of a resource is
then one thread's business, and ids are not looked through while others are given.
"""

from collections.abc import Collection, Mapping
from typing import TypeAlias

from msgspec import Struct

from reconciler.applying.memberships import Operations, added, is_member_delta, removed
from reconciler.applying.references import References
from reconciler.model import Json, PatchResource
from reconciler.transport.answers import Answer, Refusal

Members: TypeAlias = Mapping[str, Collection[str]]


class Compared(Struct, frozen=True, kw_only=True):
    """The members of a group beside what a PATCH asked for, by id. `lost`: whom nobody took out."""

    lost: frozenset[str]
    not_kept: frozenset[str]
    still_there: frozenset[str]


class Learnt:
    """`references`: the ids of what was created. `members`: group id -> member ids, as they were read before."""

    def __init__(self, members: Members) -> None:
        self.references = References()
        self._versions: dict[str, str | None] = {}
        self._bodies: dict[str, Mapping[str, Json] | None] = {}
        self._members: dict[str, frozenset[str] | None] = {key: frozenset(each) for key, each in members.items()}
        self._left: set[str] = set()

    def version(self, operation: PatchResource, live_id: str) -> str | None:
        """What goes into If-Match: the version as planned, or as it became by our own earlier change in this run."""
        if operation.version is None or is_member_delta(operation.operations):
            return None
        return self._versions.get(live_id, operation.version)

    def body(self, live_id: str) -> Mapping[str, Json] | None:
        """The resource as our own earlier change of this run left it, where the answer showed it."""
        return self._bodies.get(live_id)

    def created(self, live_id: str, answer: Answer | Refusal) -> None:
        """Its version as the last answer about it says; none where that was a refusal."""
        self._versions[live_id] = answer.version if isinstance(answer, Answer) else None

    def changed(self, live_id: str, answer: Answer) -> None:
        """Its version and what it looks like now."""
        self._versions[live_id], self._bodies[live_id] = answer.version, answer.body

    def forget(self, live_id: str) -> None:
        """A change may have happened or not: neither version nor members are anything to compare with."""
        self._versions[live_id] = None
        self._bodies.pop(live_id, None)
        self._members.pop(live_id, None)

    # --- members

    def knows_members(self, group_id: str) -> bool:
        """Whether they were read, or could not be."""
        return group_id in self._members

    def had_members(self, group_id: str) -> bool:
        """Whether it was seen with any."""
        return bool(self._members.get(group_id))

    def saw_members(self, group_id: str, members: frozenset[str] | None) -> None:
        """They are these; None: they are not shown."""
        self._members[group_id] = members

    def joined(self, group_id: str, shown: frozenset[str] | None) -> frozenset[str]:
        """Who is in it by now and was not when this run last saw it; nobody where either is not known."""
        before = self._members.get(group_id)
        return frozenset() if before is None or shown is None else shown - before

    def lost_sight_of(self, group_id: str) -> None:
        """Its members could not be read back: the next change looks first."""
        del self._members[group_id]

    def left(self, user_id: str) -> None:
        """Somebody was switched off or deleted, and may vanish from groups by that."""
        self._left.add(user_id)

    def compared(self, group_id: str, wanted: Operations, shown: frozenset[str] | None) -> Compared | None:
        """The members after a PATCH beside those before it; None where they are shown neither now nor then."""
        before = self._members.get(group_id)
        # A group without members may leave the attribute out (RFC 7643 §2.5); this one showed it before.
        after = frozenset() if shown is None and before is not None else shown
        self._members[group_id] = after
        if after is None:
            return None
        return Compared(
            lost=(before or frozenset()) - after - removed(wanted) - self._left,
            not_kept=added(wanted) - after,
            still_there=removed(wanted) & after,
        )
