"""A SCIM service provider that only lists, as fast as Python can: rows are JSON before the first request comes.

Honours ``startIndex`` and ``count``, counts requests, and answers ``filter=active eq false`` with nobody (everybody is
active here). ``GET /counts`` says how often each path was asked, and begins to count anew. One process, one thread,
loopback only. Prints its port, ends when its standard input does.
"""

import argparse
import asyncio
import sys
from collections import Counter
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import orjson

from benchmarks.company import Person, group_row, teams, user_row

STATES: Final = ("same", "empty", "retitled")


class Provider:
    """What can be listed."""

    def __init__(self, size: int, state: str, big: int) -> None:
        held = 0 if state == "empty" else size
        titles = [f"Title {number}" if state == "retitled" else None for number in range(held)]
        users = (user_row(Person(number), titles[number]) for number in range(held))
        # an empty provider has the groups all the same: they cannot be created over SCIM
        groups = (group_row(each, 0 if held else len(each.people)) for each in teams(size, big))
        self.lists = {"/users": _dumped(users), "/groups": _dumped(groups)}
        self.pages: dict[str, bytes] = {}
        self.counts: Counter[str] = Counter()

    def answer(self, target: str) -> bytes | None:
        """The body for a request target; None for what is not here, such as a vendor's own API beside SCIM."""
        split = urlsplit(target)
        if split.path == "/counts":
            counts, self.counts = dict(self.counts), Counter()
            return orjson.dumps(counts)
        query = {name: values[0] for name, values in parse_qs(split.query).items()}
        passes = f"{split.path}?filter" if "filter" in query else split.path
        self.counts[passes] += 1
        if split.path not in self.lists:
            return None
        page = f"{passes} {query.get('startIndex')} {query.get('count')}"
        if page not in self.pages:
            rows = [] if "filter" in query else self.lists[split.path]
            self.pages[page] = _page(rows, int(query.get("startIndex", 1)), int(query.get("count", 100)))
        return self.pages[page]


def _dumped(rows: Iterable[dict[str, Any]]) -> list[bytes]:
    return [orjson.dumps(each) for each in rows]


def _page(rows: list[bytes], start: int, count: int) -> bytes:
    shown = rows[start - 1 : start - 1 + count]
    head = b'{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"totalResults":%d,"startIndex":%d,'
    return (head + b'"itemsPerPage":%d,"Resources":[') % (len(rows), start, len(shown)) + b",".join(shown) + b"]}"


class Connection(asyncio.Protocol):
    """HTTP/1.1, GET only, kept open (RFC 9112)."""

    def __init__(self, provider: Provider, delay: float) -> None:
        self._provider = provider
        self._delay = delay
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where answers go."""
        self._transport: Any = transport

    def data_received(self, data: bytes) -> None:
        """Answer every request that is complete."""
        self._received += data
        while b"\r\n\r\n" in self._received:
            head, _, self._received = self._received.partition(b"\r\n\r\n")
            body = self._provider.answer(head.split(b" ", 2)[1].decode("ascii"))
            status = b"404 Not Found" if body is None else b"200 OK"
            body = body or b"{}"
            lines = b"HTTP/1.1 %b\r\nContent-Type: application/scim+json\r\nContent-Length: %d\r\n\r\n"
            lines %= (status, len(body))
            if self._delay:
                asyncio.get_running_loop().call_later(self._delay, self._transport.write, lines + body)
            else:
                self._transport.write(lines + body)


async def serve(provider: Provider, delay: float) -> None:
    """Answer, each request after `delay` seconds, until standard input ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(provider, delay), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await loop.run_in_executor(None, sys.stdin.read)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Serve the SCIM lists of a made-up company on loopback.")
    parser.add_argument("--users", type=int, required=True)
    parser.add_argument("--state", choices=STATES, default="same")
    parser.add_argument("--big", type=int, default=0, help="one more group, with so many members")
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before each answer")
    options = parser.parse_args()
    asyncio.run(serve(Provider(options.users, options.state, options.big), options.delay))


if __name__ == "__main__":
    main()
