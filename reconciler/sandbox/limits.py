"""How many requests a minute are answered, what the answers say of it, and the pages that name the limit."""

from __future__ import annotations

import email.utils
import math
import threading
import time
from collections.abc import Callable, Mapping

from msgspec import Struct

from reconciler.sandbox.schema import JsonObject
from reconciler.sandbox.switches import RetryAfter, Switches

WINDOW = 60.0  # seconds
LIMITS_PATH = "/api/v2/organizations/limits/namespaces/scim"
_DEFAULT_LIMIT = 300


class Rate(Struct, frozen=True, kw_only=True):
    """One key's use of its budget: requests in this window, how many there may be, seconds until the next window."""

    count: int
    allowed: int
    reset: int

    @property
    def exceeded(self) -> bool:
        """Whether this request is one too many."""
        return self.count > self.allowed

    def headers(self) -> dict[str, str]:
        """Return what every answer says of it."""
        return {
            "inin-ratelimit-count": str(self.count),
            "inin-ratelimit-allowed": str(self.allowed),
            "inin-ratelimit-reset": str(self.reset),
        }


class RateLimiter:
    """Counts requests in windows of one minute, each key for itself; the window begins with the first request."""

    def __init__(self, allowed: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._allowed = allowed
        self._clock = clock
        self._lock = threading.Lock()
        self._windows: dict[str, tuple[float, int]] = {}

    def take(self, key: str) -> Rate:
        """Count one request."""
        with self._lock:
            now = self._clock()
            begun, count = self._windows.get(key, (now, 0))
            if now >= begun + WINDOW:
                begun, count = now, 0
            self._windows[key] = (begun, count + 1)
        return Rate(count=count + 1, allowed=self._allowed, reset=math.ceil(begun + WINDOW - now))


def retry_headers(switches: Switches, seconds: int) -> Mapping[str, str]:
    """Return Retry-After in the form the switches ask for; a date is never sooner than the seconds."""
    if switches.retry_after is RetryAfter.SECONDS:
        return {"Retry-After": str(seconds)}
    return {"Retry-After": email.utils.formatdate(math.ceil(time.time()) + seconds, usegmt=True)}


def limits_document(switches: Switches, *, defaults: bool) -> JsonObject:
    """Return the limits of the namespace `scim` as they are in effect, or as they are without a switch."""
    value = _DEFAULT_LIMIT if defaults or switches.rate_limit is None else switches.rate_limit
    return {"entities": [{"key": f"{switches.rate_scope}.rate.per.minute", "namespace": "scim", "value": value}]}
