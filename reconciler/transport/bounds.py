"""What an answer may cost, whoever sends it: how it is coded, how many bytes, how long it may take to arrive.

httpx reads some answers as a whole by itself, so this stands where they arrive, before anything is decoded.
"""

from collections.abc import Iterator
from typing import Final

import httpx

from reconciler.errors import NotScim
from reconciler.transport.answers import MAX_BODY
from reconciler.transport.throttle import MAX_WAITING, Clock
from reconciler.transport.wording import shown_url

CODINGS: Final = "gzip, deflate"
"""What is asked for (RFC 9110 §12.5.3). None of them makes a thousandfold more of a byte than there was."""
_KNOWN: Final = frozenset({"", "gzip", "deflate", "identity"})
_MOST_UNREAD: Final = 64 * 1024
"""Bytes, before decompression, of an answer that is about signing in."""


def bound(response: httpx.Response, *, signing_in: bool, clock: Clock) -> None:
    """Make an answer that has just begun end in time. Raises NotScim for a coding that nobody asked for.

    One coding over another is what a bomb is made of: each makes a thousand of one.
    """
    coding = response.headers.get("Content-Encoding", "").strip().lower()
    if coding not in _KNOWN:
        raise NotScim(
            f"{shown_url(response.request.url)}: the answer is coded in a way that nobody asked for",
            "ask the provider, or whoever runs a proxy in between",
        )
    if isinstance(response.stream, httpx.SyncByteStream):
        most = _MOST_UNREAD if signing_in else MAX_BODY
        response.stream = _Bounded(response.stream, response.request, most, clock)


class _Bounded(httpx.SyncByteStream):
    """The bytes as they come over the wire: so many, and for so long."""

    def __init__(self, stream: httpx.SyncByteStream, request: httpx.Request, most: int, clock: Clock) -> None:
        self._stream = stream
        self._request = request
        self._most = most
        self._clock = clock

    def __iter__(self) -> Iterator[bytes]:
        began, size = self._clock.monotonic(), 0
        for part in self._stream:
            size += len(part)
            if size > self._most:
                raise too_large(self._request, self._most)
            if self._clock.monotonic() - began > MAX_WAITING:
                raise httpx.ReadTimeout("the answer does not come to an end", request=self._request)
            yield part

    def close(self) -> None:
        """Give the connection back."""
        self._stream.close()


def too_large(request: httpx.Request, most: int) -> NotScim:
    """The error for an answer that is larger than `most` bytes."""
    whole = most >= 2**20
    size = f"{most // 2**20} MiB" if whole else f"{most // 2**10} KiB"
    mend = "lower pageSize in the settings" if whole else "check the url and the token URL: nobody signs in like that"
    return NotScim(f"{shown_url(request.url)}: the answer is larger than {size}", mend)
