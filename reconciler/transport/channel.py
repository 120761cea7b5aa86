"""One connection to one service provider: sends single requests, patiently, and only where and how it may.

A channel is opened for certain HTTP methods, and its `guard` refuses all others at the last step before the wire,
whoever asks; the same step keeps every request (and with it the credential) to the base URL's host and the token URL.
It follows no redirect, trusts no address that a server names, and reads no more than a bounded answer.
"""

import re
import threading
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, urlencode

import httpx
from msgspec import Struct

from reconciler import __version__
from reconciler.lazy import pattern
from reconciler.profiles.profile import WireRules
from reconciler.transport.answers import MAX_BODY, one_line
from reconciler.transport.auth import Signer
from reconciler.transport.bounds import CODINGS, too_large
from reconciler.transport.guard import Guard, origin
from reconciler.transport.throttle import (
    MAX_TRIES,
    MAX_WAITING,
    Clock,
    RateBudget,
    Turn,
    Withheld,
    shared_budget,
    wait_before_retry,
)
from reconciler.transport.wording import no_answer

_READ_TRIES: Final = 3
"""Tries of a GET that gets no answer; a write without an answer is never sent again (RFC 9110 §9.2.2)."""
_GATEWAY_TROUBLE: Final = (502, 504)
_NOT_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_TOO_MANY: Final = pattern(rb"rate[ _-]?limit|request[ _-]limit|too many requests|throttl", re.IGNORECASE)
_SAID: Final = 4096
"""Bytes of an error in which its reason is looked for."""


class Reply(Struct, frozen=True, kw_only=True):
    """An answer as it came. `url` is the address that was asked."""

    url: httpx.URL
    status: int
    headers: httpx.Headers
    body: bytes
    attempts: int

    @property
    def is_redirect(self) -> bool:
        """Whether it points somewhere else (RFC 9110 §15.4)."""
        return 300 <= self.status < 400


class Silence(Struct, frozen=True, kw_only=True):
    """No answer. `sent`: the request may have reached the server all the same."""

    summary: str
    mend: str
    sent: bool
    attempts: int


class Channel:
    """Requests to `base_url` by the given `methods`. Safe to share between threads."""

    def __init__(
        self,
        base_url: str,
        wire: WireRules,
        signer: httpx.Auth | None,
        *,
        methods: frozenset[str],
        transport: httpx.BaseTransport | None,
        clock: Clock,
    ) -> None:
        self._base = httpx.URL(base_url.rstrip("/"))
        self._wire = wire
        self._signer = signer
        self._clock = clock
        self._budget = self._shared_budget()
        self._counting = threading.Lock()
        self._requests = 0
        self._turn: Turn | None = None
        self._client = Guard(self._base, signer, methods, clock).client(wire, transport)

    @property
    def per_minute(self) -> int | None:
        """How many requests a minute may hold, as far as that is known by now."""
        return self._budget.per_minute

    def take_turns(self, turn: Turn) -> None:
        """Ask `turn` before each write, and let it know while a request or a token is waited for."""
        self._turn = turn
        if isinstance(self._signer, Signer):
            self._signer.turn = turn

    def allow(self, per_minute: int) -> None:
        """Keep to a limit that the service provider has named."""
        self._budget.allow(per_minute)

    @property
    def requests(self) -> int:
        """How many SCIM requests have been sent, retries included, requests for tokens not."""
        return self._requests

    def exchange(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        base: httpx.URL | None = None,
        patient: bool = True,
    ) -> Reply | Silence:
        """Send one request until it has an answer, or no more tries.

        "Later" (429, 503) is tried again for every method; no answer and gateway trouble for GET only. `base`: another
        base URL of the same host. `patient` False: a "later" is returned, once everybody has been made to wait.
        Raises NotScim for an answer without end, SignInFailed where signing fails, Withheld if `turn` says so.
        """
        request = self._request(base or self._base, method, path, params, body, headers)
        waited, attempt = 0.0, 0
        while True:
            attempt += 1
            outcome = self._once(request, attempt)
            wait = self._wait_after(outcome, method, attempt)
            if wait is None or waited + wait > MAX_WAITING:
                return outcome
            waited += wait
            if not (isinstance(outcome, Reply) and self.means_later(outcome)):
                self._clock.sleep(wait)
                continue
            self._budget.pause(wait)
            if not patient:
                return outcome

    def means_later(self, reply: Reply) -> bool:
        """429 and its like, or an error of the server's own whose words say that it is about too many requests."""
        if reply.status in self._wire.retry_statuses:
            return True
        return reply.status >= httpx.codes.INTERNAL_SERVER_ERROR and bool(_TOO_MANY.search(reply.body[:_SAID]))

    @property
    def root(self) -> httpx.URL:
        """The host alone."""
        return httpx.URL(f"{self._base.scheme}://{self._base.netloc.decode('ascii')}")

    def with_end(self, ends: Mapping[str, str]) -> httpx.URL | None:
        """The base URL with another end in place of its own, if it has one of these."""
        url = str(self._base)
        other = next((url.removesuffix(end) + new for end, new in ends.items() if url.endswith(end)), None)
        return httpx.URL(other) if other is not None else None

    def redact(self, text: str) -> str:
        """A server's text on one line, without secrets of ours that it may quote."""
        return one_line(self._signer.redact(text) if isinstance(self._signer, Signer) else text)

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def _shared_budget(self) -> RateBudget:
        """One budget for everything that this process sends to a host with one credential: that is what hosts count."""
        per_minute = self._wire.requests_per_minute
        credential = self._signer.fingerprint() if isinstance(self._signer, Signer) else None
        if credential is None:
            return RateBudget(per_minute, self._clock)
        return shared_budget((credential, *origin(self._base)), per_minute, self._clock)

    def _request(
        self,
        base: httpx.URL,
        method: str,
        path: str,
        params: Mapping[str, str] | None,
        body: bytes | None,
        headers: Mapping[str, str] | None,
    ) -> httpx.Request:
        url = str(base) + path
        if params:
            # %20 and %2B, not "+": servers disagree about "+" (RFC 3986 §3.4 gives it no meaning).
            url += "?" + urlencode(params, quote_via=quote, safe="")
        own = {
            "User-Agent": f"reconciler/{__version__}",
            "Accept": f"{self._wire.content_type}, application/json",
            "Accept-Encoding": CODINGS,
        }
        if body is not None:
            own["Content-Type"] = self._wire.content_type
        return self._client.build_request(
            method, url, content=body, headers=own | {**self._wire.headers, **(headers or {})}
        )

    def _once(self, request: httpx.Request, attempt: int) -> Reply | Silence:
        self._take_turn(writes=request.method != "GET")
        with self._counting:
            self._requests += 1
        try:
            response = self._client.send(request, stream=True)
            try:
                body = _bounded(response)
            finally:
                response.close()
        except httpx.RequestError as error:
            summary, mend = no_answer(request.url, error, self._wire.timeout)
            return Silence(summary=summary, mend=mend, sent=not isinstance(error, _NOT_SENT), attempts=attempt)
        self._learn(response.headers)
        headers = httpx.Headers([(name, self._scrubbed(value)) for name, value in response.headers.raw])
        return Reply(
            url=request.url,
            status=response.status_code,
            headers=headers,
            body=self._scrubbed(body),
            attempts=attempt,
        )

    def _take_turn(self, *, writes: bool) -> None:
        """Wait as long as it takes. Raises Withheld where nothing may be sent in the end."""
        self._budget.acquire(self._turn, writes=writes)
        # after the waiting: what was allowed before it may not be any more
        refusal = self._turn.refusal() if self._turn is not None and writes else None
        if refusal is not None:
            raise Withheld(refusal)

    def _scrubbed(self, content: bytes) -> bytes:
        return self._signer.scrubbed(content) if isinstance(self._signer, Signer) else content

    def _learn(self, headers: httpx.Headers) -> None:
        """What an answer says of the rate of requests; others may use the same budget, so the count is the server's."""
        said = {what: _number(headers.get(name)) for what, name in self._wire.rate_headers.items()}
        allowed, count, reset = (said.get(what) for what in ("allowed", "count", "reset"))
        if allowed:
            self._budget.allow(allowed)
            if count is not None and reset is not None and count >= allowed:
                self._budget.pause(float(reset))

    def _wait_after(self, outcome: Reply | Silence, method: str, attempt: int) -> float | None:
        """Seconds until the next try, None if there is none."""
        if isinstance(outcome, Reply) and self.means_later(outcome):
            if attempt >= MAX_TRIES:
                return None
            return wait_before_retry(attempt, outcome.headers.get("Retry-After"), self._clock)
        trouble = isinstance(outcome, Silence) or outcome.status in _GATEWAY_TROUBLE
        if trouble and method == "GET" and attempt < _READ_TRIES and not _hopeless(outcome):
            return wait_before_retry(attempt, None, self._clock)
        return None


def _bounded(response: httpx.Response) -> bytes:
    parts, size = [], 0
    for part in response.iter_bytes():
        size += len(part)
        if size > MAX_BODY:
            raise too_large(response.request, MAX_BODY)
        parts.append(part)
    return b"".join(parts)


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 10 else None


def _hopeless(outcome: Reply | Silence) -> bool:
    """A certificate does not become trusted by asking again."""
    return isinstance(outcome, Silence) and "TLS" in outcome.summary
