"""The audit file of one apply: JSON lines, the intent before each request and the result after it.

Holds what was sent (declared values and nothing else), never a credential and never what a server answered beyond
status, error type and request id. It is evidence for people; no run ever reads it.
"""

import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from io import RawIOBase
from pathlib import Path
from threading import Lock
from typing import Any, Self

from msgspec import Struct
from msgspec.structs import asdict

from reconciler.errors import RecordTrouble
from reconciler.transport.answers import Answer, Refusal
from reconciler.transport.client import write_json


def utc_now() -> datetime:
    """The time that stands in the lines."""
    return datetime.now(UTC)


class RequestLine(Struct, frozen=True, kw_only=True):
    """Which request a line is about: the operation's number and address, and where the request goes."""

    operation: int
    address: str
    method: str
    path: str


class Audit:
    """Writes one audit file, from any thread. Lines go to the operating system at once, to the disk at the end."""

    def __init__(self, stream: RawIOBase, path: Path, now: Callable[[], datetime] = utc_now) -> None:
        self._stream = stream
        self._path = path
        self._now = now
        self._one = Lock()

    @classmethod
    def open(cls, path: Path, *, head: Mapping[str, Any] | None = None, now: Callable[[], datetime] = utc_now) -> Self:
        """Open (or go on with) the file at `path`, readable for its owner only; `head` becomes a line of its own.

        Raises RecordTrouble where it cannot be written: a run without its audit must not begin.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            stream = open(path, "ab", buffering=0, opener=_private)  # noqa: SIM115 - closed by close()
        except OSError as error:
            raise _trouble(path, error) from error
        audit = cls(stream, path, now)
        if head is not None:
            audit._write("run", head)
        return audit

    def intent(self, request: RequestLine, sent: Any) -> None:
        """Before a request: what is about to be sent where. Raises RecordTrouble if it cannot be written."""
        self._write("intent", asdict(request) | {"sent": sent})

    def result(self, request: RequestLine, answer: Answer | Refusal) -> None:
        """After a request: how it ended. Raises RecordTrouble if it cannot be written."""
        members = {"status": answer.status, "attempts": answer.attempts, "requestId": answer.request_id}
        if isinstance(answer, Refusal):
            members |= {"scimType": answer.scim_type, "unknown": answer.unknown}
        self._write("result", asdict(request) | members)

    def close(self) -> None:
        """Bring everything to the disk and close. Raises RecordTrouble if that fails."""
        try:
            if not self._stream.closed:
                os.fsync(self._stream.fileno())
                self._stream.close()
        except OSError as error:
            raise _trouble(self._path, error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _write(self, event: str, members: Mapping[str, Any]) -> None:
        with self._one:  # lines are whole, and in the order of their times
            line = write_json({"at": self._now().isoformat(), "event": event, **members}) + b"\n"
            try:
                while line:
                    line = line[self._stream.write(line) or 0 :]
            except OSError as error:
                raise _trouble(self._path, error) from error


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _trouble(path: Path, error: OSError) -> RecordTrouble:
    return RecordTrouble(
        f"the audit file {path} cannot be written ({(error.strerror or 'no reason given').lower()})",
        "make room, or let the run write there",
    )
