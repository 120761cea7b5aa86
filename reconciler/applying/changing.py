"""Changes one resource in the way that its provider takes: by PATCH, as a whole by PUT, or in smaller parts.

Users may be replaced as a whole, with everything that was read of them sent back; groups never are: whoever joined
between reading and writing would be lost. Knows requests and their answers; what they mean for a run is `performing`'s.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from reconciler.applying.judging import (
    is_collision,
    is_version_conflict,
    may_concern_a_part,
    same_version,
    takes_no_patch,
    takes_no_such_patch,
)
from reconciler.applying.meanwhile import Left, left_to_do
from reconciler.applying.memberships import Operations, halves, is_member_delta, members_of, removed, still_needed
from reconciler.applying.replacing import carried_out, with_whole_lists
from reconciler.errors import TargetError
from reconciler.model import Json, LiveResource, Operation, PatchOperation, ResourceType
from reconciler.profiles.profile import Profile, UserUpdate
from reconciler.transport.answers import Answer, Refusal, version_of
from reconciler.transport.client import Writer

Send: TypeAlias = Callable[[Operation, str, str, Any, Callable[[], Answer | Refusal]], Answer | Refusal]
"""(operation, method, path, what is noted in the audit, the request) -> its answer."""

_STALE: Final = 412
_MOVED: Final = "changed meanwhile by somebody else; plan again"
_ROUNDS: Final = 4
"""How often one change is sent where others keep coming first."""
_PAUSE: Final = 0.5
"""Seconds before the second round; longer before each later one."""
_MOST_PARTS: Final = 40
"""Requests that may be spent on finding out which part of one change is refused, two for each operation at least."""
_FIRST_PARTS: Final = 8
"""The same while every part is refused, if that does not end at single operations: then it is not about a part."""


class InParts(Struct, frozen=True, kw_only=True):
    """What came of a change that was sent in parts: the last success, and the parts that were refused."""

    answer: Answer | None = None
    refused: tuple[tuple[Operations, Refusal], ...] = ()


class Changer:
    """Sends changes of single resources. `send` is how a request gets out, `sleep` waits between two tries."""

    def __init__(self, writer: Writer, profile: Profile, send: Send, sleep: Callable[[float], None]) -> None:
        self._writer = writer
        self._profile = profile
        self._send = send
        self._sleep = sleep

    def change(
        self,
        operation: Operation,
        path: str,
        wanted: Operations,
        version: str | None,
        before: LiveResource | None = None,
    ) -> Answer | Refusal:
        """All of it at once. `version` is the one it was planned on, None for any; `before` what was planned on."""
        user = operation.address.resource_type is ResourceType.USER
        way = self._profile.lifecycle.user_update if user else UserUpdate.PATCH
        if way is UserUpdate.PUT:
            return self._put(operation, path, wanted, version, before)
        answer = self._patched(operation, path, wanted, version, before)
        if isinstance(answer, Refusal) and user and takes_no_such_patch(answer):
            answer = self._by_whole_lists(operation, path, wanted, answer)
        if isinstance(answer, Refusal) and way is UserUpdate.PATCH_ELSE_PUT and takes_no_such_patch(answer):
            instead = self._put(operation, path, wanted, version, before)
            not_sent = isinstance(instead, Refusal) and instead.status is None and not instead.unknown
            return answer if not_sent else instead
        if isinstance(answer, Refusal) and not user and takes_no_patch(answer):
            said = "this server does not change groups in place, and a group is never replaced as a whole"
            return _with_reason(answer, said)
        if isinstance(answer, Refusal) and not user and removed(wanted) and takes_no_such_patch(answer):
            said = "this server takes no single member out of a group, and a group is never replaced as a whole"
            return _with_reason(answer, f"{said}; take them out there")
        return answer

    def in_parts(self, operation: Operation, path: str, wanted: Operations, refusal: Refusal) -> InParts:
        """After a refusal of the whole: whatever is not refused by itself. Does not guard the version any more."""
        members = is_member_delta(wanted)
        answer: Answer | None = None
        refused: list[tuple[Operations, Refusal]] = []
        waiting, sent = [(wanted, refusal)], 0
        most, first = max(_MOST_PARTS, 2 * len(wanted)), max(_FIRST_PARTS, 2 * len(wanted).bit_length())
        while waiting:
            part, why = waiting.pop()
            hopeless = sent >= (most if answer is not None else first)
            two = _two_parts(part) if may_concern_a_part(why, members=members) and not hopeless else None
            if two is None:
                refused.append((part, why))
                continue
            for half in two:
                came = self.change(operation, path, half, None)
                sent += 1
                if isinstance(came, Refusal):
                    waiting.append((half, came))
                else:
                    answer = came
        return InParts(answer=answer, refused=tuple(refused))

    def _patched(
        self, operation: Operation, path: str, wanted: Operations, version: str | None, before: LiveResource | None
    ) -> Answer | Refusal:
        """PATCH with If-Match (RFC 7644 §3.14), again where somebody was quicker and has left what it touches alone.

        A conflict counts only if the version did move; what an unanswered request has done is looked for.
        """
        left, guard = wanted, version
        for tried in range(1, _ROUNDS + 1):
            answer = self._sent_patch(operation, path, left, guard)
            if not isinstance(answer, Refusal) or not _looks_again(answer, guard):
                return answer
            now = self.read(path)
            if isinstance(now, Refusal):
                return answer if answer.unknown else replace(now, request_id=answer.request_id)
            if answer.unknown:
                rest = self._left(operation, left, None, now)
                return answer if rest.operations else _done_already(now)
            if tried == _ROUNDS:
                return answer
            if guard is not None and not same_version(version_of(now), guard):
                rest = self._left(operation, left, before, now)
                if before is None or rest.stale:
                    return stale_refusal(rest.stale, answer.request_id)
                left, guard = rest.operations, version_of(now)
            else:
                left = still_needed(left, members_of(now) or ()) if is_member_delta(left) else left
                self._sleep(_PAUSE * tried if guard is None else 0.0)
                guard = None
            if not left:
                return _done_already(now)
        raise AssertionError("the last round returns")

    def _sent_patch(self, operation: Operation, path: str, wanted: Operations, guard: str | None) -> Answer | Refusal:
        return self._send(operation, "PATCH", path, _shown(wanted), lambda: self._writer.patch(path, wanted, guard))

    def _by_whole_lists(
        self, operation: Operation, path: str, wanted: Operations, refusal: Refusal
    ) -> Answer | Refusal:
        """The same with some lists set as a whole, where the server finds no single value in them."""
        names = self._profile.users.whole_lists
        lists = [each for each in self._profile.users.table.lists if each.name in names]
        if not any(each.path.startswith(attribute.path) for attribute in lists for each in wanted):
            return self._by_hand(wanted, refusal)
        now = self.read(path)
        if isinstance(now, Refusal):
            return refusal
        guard = version_of(now) if self._profile.wire.use_versions else None
        return self._sent_patch(operation, path, with_whole_lists(now, wanted, lists), guard)

    def _by_hand(self, wanted: Operations, refusal: Refusal) -> Refusal:
        """Say what cannot be done at all: to take one value out of a list that may not be set as a whole."""
        lists = [each for each in self._profile.users.table.lists if each.name not in self._profile.users.whole_lists]
        if len(wanted) != 1 or not any(wanted[0].path.startswith(f"{each.path}[") for each in lists):
            return refusal
        said = (
            "this server takes no single value out of a list, and the list is never set as a whole; take it out there"
        )
        return _with_reason(refusal, said)

    def _put(
        self, operation: Operation, path: str, wanted: Operations, version: str | None, before: LiveResource | None
    ) -> Answer | Refusal:
        """PUT of the whole resource as it is read now, with only our paths changed (RFC 7644 §3.5.1)."""
        held = self.read(path, "so it cannot be replaced")
        if isinstance(held, Refusal):
            return held
        now = version_of(held)
        if version is not None and now is not None and not same_version(now, version):
            rest = self._left(operation, wanted, before, held)
            if before is None or rest.stale:
                return stale_refusal(rest.stale)
            wanted = rest.operations
            if not wanted:
                return _done_already(held)
        guard = now if self._profile.wire.use_versions else None
        body = carried_out(held, wanted)
        # the audit says what was changed; the rest of the resource is nobody's business there
        answer = self._send(operation, "PUT", path, _shown(wanted), lambda: self._writer.replace(path, body, guard))
        if isinstance(answer, Refusal) and guard is not None and is_version_conflict(answer):
            return Refusal(status=_STALE, detail=_MOVED, request_id=answer.request_id)
        return answer

    def read(self, path: str, why: str = "so it cannot be told who changed it") -> Mapping[str, Json] | Refusal:
        """The resource as it is now, or why it cannot be had: 404 where it is gone."""
        try:
            now = self._writer.get(path)
        except TargetError as trouble:
            return Refusal(status=None, detail=f"it cannot be read, {why}: {trouble.summary}")
        return Refusal(status=404, detail="it was deleted meanwhile") if now is None else now

    def _left(
        self, operation: Operation, wanted: Operations, before: LiveResource | None, now: Mapping[str, Json]
    ) -> Left:
        kind = operation.address.resource_type
        return left_to_do(wanted, before, now, resource_type=kind, profile=self._profile)


def _looks_again(refusal: Refusal, guard: str | None) -> bool:
    """Whether the resource itself has to tell: it may have been changed by others, or by this very request."""
    return refusal.unknown or (is_version_conflict(refusal) if guard is not None else is_collision(refusal))


def _with_reason(refusal: Refusal, said: str) -> Refusal:
    """A refusal in our words, with the server's behind them."""
    return replace(refusal, detail=f"{said} ({refusal.detail})" if refusal.detail else said)


def _done_already(now: Mapping[str, Json]) -> Answer:
    return Answer(status=200, body=now, version=version_of(now))


def stale_refusal(stale: Sequence[str], request_id: str | None = None) -> Refusal:
    """What others changed, as people read it; `request_id`: of the request that was refused for it, if one was."""
    what = f"{', '.join(stale)} " if stale else ""
    return Refusal(status=_STALE, detail=what + _MOVED, request_id=request_id)


def _two_parts(operations: Operations) -> tuple[Operations, Operations] | None:
    """Halves; but switching somebody off comes first, by itself: nothing that is refused may hold it up."""
    off = tuple(each for each in operations if switches_off(each))
    if off and len(off) < len(operations):
        return off, tuple(each for each in operations if each not in off)
    return halves(operations)


def switches_off(operation: PatchOperation) -> bool:
    """Whether it takes somebody's account."""
    return operation.path == "active" and operation.value is False


def _shown(operations: Operations) -> list[dict[str, Any]]:
    return [{"op": each.op.value, "path": each.path, "value": each.value} for each in operations]
