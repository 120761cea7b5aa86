"""How fast and how patiently requests are sent: one rate budget, and the waits between tries.

Knows nothing of HTTP clients. Time comes in through `Clock`, so that a test can let minutes pass at once.
"""

import random
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final, Protocol

from msgspec import Struct

from reconciler.errors import Unreachable

MAX_TRIES: Final = 8
"""Tries of one request that is answered with "later" (429, 503)."""
MAX_WAITING: Final = 300.0
"""Seconds that one request may wait in all before it counts as failed."""
_MINUTE: Final = 60.0
_FIRST_WAIT: Final = 1.0
_LONGEST_WAIT: Final = 60.0
_NAP: Final = 0.5
"""Seconds after which whoever waits looks up: so soon a wish to stop is heard."""


class Clock(Struct, frozen=True, kw_only=True):
    """Where time comes from. `monotonic` and `wall` give seconds, `jitter` a number from 0 to 1."""

    monotonic: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = random.random


class Turn(Protocol):
    """Whether it is still this run's turn to write; others may be waiting for theirs."""

    def keep(self) -> None:
        """Say that the run is alive; called now and then while a request waits."""
        ...

    def refusal(self) -> str | None:
        """Why nothing may be written at this moment; None if it may."""
        ...

    def stopped(self) -> bool:
        """Whether somebody has asked the run to end."""
        ...


class Withheld(Unreachable):
    """What we did not send: it is not this run's turn any more, or the run is to end. No word about the server."""


class RateBudget:
    """At most so many requests in any 60 seconds, and a common pause when the service provider asks for one.

    Shared by all threads of a run. Below the limit nothing ever waits.
    """

    def __init__(self, per_minute: int | None, clock: Clock) -> None:
        self._per_minute = per_minute or None
        self._clock = clock
        self._lock = threading.Lock()
        self._sent: deque[float] = deque(maxlen=per_minute or 1)
        self._resume = 0.0

    @property
    def per_minute(self) -> int | None:
        """How many requests a minute may hold, None where nobody has said."""
        return self._per_minute

    def allow(self, per_minute: int) -> None:
        """Keep to another limit from now on: the service provider has said one."""
        with self._lock:
            if per_minute != self._per_minute:
                self._per_minute = per_minute
                self._sent = deque(self._sent, maxlen=per_minute)

    def acquire(self, turn: Turn | None = None, *, writes: bool = False) -> None:
        """Wait until one more request may be sent; `turn` hears meanwhile that the run is alive.

        Raises Withheld where the run has been asked to end: for what writes, and in a pause that the service provider
        has asked for. What reads back keeps to the limit until it is done, so that the record says what is there.
        """
        while (wait := self._reserve()) > 0:
            if turn is None:
                self._clock.sleep(wait)
            else:
                nap(wait, self._clock, turn, may_end=writes or self._is_paused())

    def pause(self, seconds: float) -> None:
        """Let nobody send anything for so many seconds: a "later" is meant for the client, not for one thread."""
        with self._lock:
            self._resume = max(self._resume, self._clock.monotonic() + seconds)

    def _is_paused(self) -> bool:
        with self._lock:
            return self._resume > self._clock.monotonic()

    def _reserve(self) -> float:
        """Take the next slot and return 0, or return the seconds until there may be one."""
        with self._lock:
            now = self._clock.monotonic()
            free_at = self._resume
            if self._per_minute and len(self._sent) == self._per_minute:
                free_at = max(free_at, self._sent[0] + _MINUTE)
            if free_at > now:
                return free_at - now
            self._sent.append(now)
            return 0.0


def nap(wait: float, clock: Clock, turn: Turn, *, may_end: bool = True) -> float:
    """A part of a wait, short enough to hear of a wish to stop; what is left of it. Raises Withheld for such a wish."""
    if may_end and turn.stopped():
        raise Withheld("the run was stopped while requests had to wait", "apply again: it goes on from there")
    clock.sleep(min(wait, _NAP))
    turn.keep()
    return wait - _NAP


_shared: Final[dict[tuple[Hashable, Clock], RateBudget]] = {}
_sharing: Final = threading.Lock()


def shared_budget(key: Hashable, per_minute: int | None, clock: Clock) -> RateBudget:
    """The one budget of this process for a key; the first to ask says what a minute may hold.

    It outlives its users: what was sent within the last minute counts for whoever comes next, too.
    """
    with _sharing:
        return _shared.setdefault((key, clock), RateBudget(per_minute, clock))


def wait_before_retry(attempt: int, retry_after: str | None, clock: Clock) -> float:
    """Seconds to wait after try number `attempt`: as the server says, else exponential with jitter.

    ``Retry-After`` is seconds or an HTTP date (RFC 9110 §10.2.3); one that cannot be read counts as missing.
    """
    asked = _asked_wait(retry_after, clock)
    if asked is not None:
        return asked
    longest = min(_LONGEST_WAIT, _FIRST_WAIT * 2.0 ** (attempt - 1))
    return float(longest * (0.5 + clock.jitter() / 2))


def _asked_wait(retry_after: str | None, clock: Clock) -> float | None:
    text = (retry_after or "").strip()
    if text.isascii() and text.isdigit() and len(text) < 10:
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, moment.timestamp() - clock.wall())
