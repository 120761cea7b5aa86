"""Changes one resource in the way that its provider takes: by PATCH, as a whole by PUT, or in smaller parts.

Users may be replaced as a whole, with everything that was read of them sent back; groups never are: whoever joined
between reading and writing would be lost. Knows requests and their answers; what they mean for a run is `performing`'s.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from reconciler.applying.judging import (
    is_version_conflict,
    may_concern_a_part,
    same_version,
    takes_no_patch,
    takes_no_such_patch,
)
from reconciler.applying.memberships import Operations, halves, is_member_delta
from reconciler.applying.replacing import carried_out
from reconciler.errors import TargetError
from reconciler.model import Operation, ResourceType
from reconciler.profiles.profile import Profile, UserUpdate
from reconciler.transport.answers import Answer, Refusal, version_of
from reconciler.transport.client import Writer

Send: TypeAlias = Callable[[Operation, str, str, Any, Callable[[], Answer | Refusal]], Answer | Refusal]
"""(operation, method, path, what is noted in the audit, the request) -> its answer."""

_STALE: Final = 412
_MOVED: Final = "changed meanwhile by somebody else; plan again"
_MOST_PARTS: Final = 40
"""Requests that may be spent on finding out which part of one change is refused."""
_FIRST_PARTS: Final = 8
"""The same while every part is refused: then it is probably not about a part."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InParts:
    """What came of a change that was sent in parts: the last success, and the parts that were refused."""

    answer: Answer | None = None
    refused: tuple[tuple[Operations, Refusal], ...] = ()


class Changer:
    """Sends changes of single resources. `send` is how a request gets out."""

    def __init__(self, writer: Writer, profile: Profile, send: Send) -> None:
        self._writer = writer
        self._profile = profile
        self._send = send

    def change(self, operation: Operation, path: str, wanted: Operations, version: str | None) -> Answer | Refusal:
        """All of it at once. `version` is the one it was planned on, None for any."""
        user = operation.address.resource_type is ResourceType.USER
        way = self._profile.lifecycle.user_update if user else UserUpdate.PATCH
        if way is UserUpdate.PUT:
            return self._put(operation, path, wanted, version)
        answer = self._patched(operation, path, wanted, version)
        if isinstance(answer, Refusal) and way is UserUpdate.PATCH_ELSE_PUT and takes_no_such_patch(answer):
            instead = self._put(operation, path, wanted, version)
            not_sent = isinstance(instead, Refusal) and instead.status is None and not instead.unknown
            return answer if not_sent else instead
        if isinstance(answer, Refusal) and not user and takes_no_patch(answer):
            said = "this server does not change groups in place, and a group is never replaced as a whole"
            return replace(answer, detail=f"{said} ({answer.detail})" if answer.detail else said)
        return answer

    def in_parts(self, operation: Operation, path: str, wanted: Operations, refusal: Refusal) -> InParts:
        """After a refusal of the whole: whatever is not refused by itself. Does not guard the version any more."""
        members = is_member_delta(wanted)
        answer: Answer | None = None
        refused: list[tuple[Operations, Refusal]] = []
        waiting, sent = [(wanted, refusal)], 0
        while waiting:
            part, why = waiting.pop()
            hopeless = sent >= (_MOST_PARTS if answer is not None else _FIRST_PARTS)
            two = halves(part) if may_concern_a_part(why, members=members) and not hopeless else None
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

    def _patched(self, operation: Operation, path: str, wanted: Operations, version: str | None) -> Answer | Refusal:
        """PATCH with If-Match; a conflict counts only if the version did move (RFC 7644 §3.14)."""
        sent = _shown(wanted)
        answer = self._send(operation, "PATCH", path, sent, lambda: self._writer.patch(path, wanted, version))
        if version is None or not is_version_conflict(answer):
            return answer
        try:
            now = self._writer.get(path)
        except TargetError as trouble:
            return Refusal(status=_STALE, detail=f"changed meanwhile, and it cannot be read: {trouble.summary}")
        if now is None:
            return Refusal(status=404, detail="it was deleted meanwhile")
        if not same_version(version_of(now), version):
            return Refusal(status=_STALE, detail=_MOVED)
        return self._send(operation, "PATCH", path, sent, lambda: self._writer.patch(path, wanted, None))

    def _put(self, operation: Operation, path: str, wanted: Operations, version: str | None) -> Answer | Refusal:
        """PUT of the whole resource as it is read now, with only our paths changed (RFC 7644 §3.5.1)."""
        try:
            held = self._writer.get(path)
        except TargetError as trouble:
            return Refusal(status=None, detail=f"it cannot be read, so it cannot be replaced: {trouble.summary}")
        if held is None:
            return Refusal(status=404, detail="it was deleted meanwhile")
        now = version_of(held)
        if version is not None and now is not None and not same_version(now, version):
            return Refusal(status=_STALE, detail=_MOVED)
        guard = now if self._profile.wire.use_versions else None
        body = carried_out(held, wanted)
        # the audit says what was changed; the rest of the resource is nobody's business there
        answer = self._send(operation, "PUT", path, _shown(wanted), lambda: self._writer.replace(path, body, guard))
        if guard is not None and is_version_conflict(answer):
            return Refusal(status=_STALE, detail=_MOVED)
        return answer


def _shown(operations: Operations) -> list[dict[str, Any]]:
    return [{"op": each.op.value, "path": each.path, "value": each.value} for each in operations]
