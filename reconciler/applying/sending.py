"""One request of a run: where it goes, its two lines in the audit, and after which answers nothing more is tried."""

from collections.abc import Callable
from threading import Lock
from typing import Any, Final

from reconciler.audit import Audit, RequestLine
from reconciler.errors import RecordTrouble
from reconciler.model import Operation
from reconciler.profiles.profile import Profile
from reconciler.scim.paths import url_path
from reconciler.transport.answers import Answer, Refusal

_SILENT: Final = 3
"""Requests in a row without any answer, or with nothing but "later" to the last try: then nothing more is tried."""
_NO_CREDENTIAL: Final = 401


class Sending:
    """The requests of one run, from any thread. `halted`: why nothing more is to be tried, if it is so."""

    def __init__(self, audit: Audit | None) -> None:
        self._audit = audit
        self._silent = 0
        self._one = Lock()
        self.halted: str | None = None

    def halt(self, why: str) -> None:
        """Try nothing more; the first reason stays."""
        with self._one:
            self.halted = self.halted or why

    def send(
        self, operation: Operation, method: str, path: str, sent: Any, request: Callable[[], Answer | Refusal]
    ) -> Answer | Refusal:
        """One request. Raises RecordTrouble if the intent cannot be written; then nothing was sent."""
        line = RequestLine(operation=operation.number, address=str(operation.address), method=method, path=path)
        if self._audit is not None:
            self._audit.intent(line, sent)
        answer = request()
        with self._one:
            silent = self._silent = self._silent + 1 if _is_silence(answer) else 0
        if isinstance(answer, Refusal) and silent >= _SILENT:
            said = "kept asking to come back later" if answer.later else "gave no answer"
            self.halt(f"the server {said} {silent} times in a row")
        if isinstance(answer, Refusal) and answer.status == _NO_CREDENTIAL:
            self.halt("the credential is no longer accepted")
        if self._audit is not None:
            try:
                self._audit.result(line, answer)
            except RecordTrouble as trouble:
                # It has been done, so its result counts; nothing more is done without an audit.
                self.halt(trouble.summary)
        return answer


def path_of(operation: Operation, profile: Profile, live_id: str | None = None) -> str:
    """Where resources of its type are, or the one with that id."""
    return url_path(profile.wire.path_of(operation.address.resource_type), live_id)


def _is_silence(answer: Answer | Refusal) -> bool:
    """Whether the server gave no answer that counts; what we did not send says nothing of it."""
    return isinstance(answer, Refusal) and not answer.withheld and (answer.status is None or answer.later)
