"""Servers that are functions, servers on this machine, and a clock in which minutes pass at once."""

import json
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from math import inf
from typing import Any

import httpx

from reconciler.profiles.profile import WireRules
from reconciler.transport.client import Reader, Writer
from reconciler.transport.throttle import Clock

BASE = "https://scim.example.com/v2"
Handler = Callable[[httpx.Request], httpx.Response]


class FakeTime:
    """A clock that only moves when somebody sleeps; `slept` holds every wait."""

    def __init__(self, now: float = 1_000_000.0) -> None:
        self.now = now
        self.slept: list[float] = []
        self.clock = Clock(monotonic=lambda: self.now, wall=lambda: self.now, sleep=self.sleep, jitter=lambda: 1.0)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


class Turns:
    """Whose turn it is, as a run hears of it; `over_at`: from then on somebody else's; `end_at`: it is to end."""

    def __init__(self, time: FakeTime, over_at: float = inf, end_at: float = inf) -> None:
        self.time, self.over_at, self.end_at = time, over_at, end_at
        self.kept: list[float] = []

    def keep(self) -> None:
        self.kept.append(self.time.now)

    def refusal(self) -> str | None:
        return "somebody else may write" if self.time.now > self.over_at else None

    def stopped(self) -> bool:
        return self.time.now >= self.end_at


class SharedTime(FakeTime):
    """The same for several threads: it moves on to the next who wakes once all `busy()` of them are asleep."""

    def __init__(self, busy: Callable[[], int]) -> None:
        super().__init__()
        self._busy = busy
        self._moved = threading.Condition()
        self._asleep: list[float] = []

    def sleep(self, seconds: float) -> None:
        with self._moved:
            wakes, patience = self.now + seconds, 3000
            self._asleep.append(wakes)
            while self.now < wakes:
                if len(self._asleep) >= self._busy() and min(self._asleep) > self.now:
                    self.now = min(self._asleep)
                    self._moved.notify_all()
                    continue
                # nobody says when a thread has ended, so it is looked for now and then
                self._moved.wait(0.02)
                patience -= 1
                assert patience, "fewer threads are at work than ought to be"
            self._asleep.remove(wakes)


def reader(handler: Handler, wire: WireRules | None = None, time: FakeTime | None = None, **more: Any) -> Reader:
    """A Reader whose server is a function."""
    more = {"base_url": BASE, "signer": None} | more
    clock = (time or FakeTime()).clock
    return Reader(wire=wire or WireRules(), transport=httpx.MockTransport(handler), clock=clock, **more)


def writer(handler: Handler, wire: WireRules | None = None, time: FakeTime | None = None, **more: Any) -> Writer:
    """A Writer whose server is a function."""
    more = {"base_url": BASE, "signer": None} | more
    clock = (time or FakeTime()).clock
    return Writer(wire=wire or WireRules(), transport=httpx.MockTransport(handler), clock=clock, **more)


def answering(*answers: httpx.Response | Exception) -> tuple[Handler, list[httpx.Request]]:
    """A server that gives these answers one after the other, the last one for ever; and what it was asked."""
    asked: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        answer = answers[min(len(asked), len(answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    return handle, asked


@contextmanager
def loopback(
    handle: Callable[[str, str, Mapping[str, str], bytes], tuple[int, Mapping[str, str], bytes]],
    tls: ssl.SSLContext | None = None,
) -> Iterator[str]:
    """A real HTTP server on this machine; yields its base URL."""

    class Requests(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, headers, content = handle(self.command, self.path, dict(self.headers.items()), body)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(content)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = answer

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """A client that hangs up is part of the test."""

    server = Server(("127.0.0.1", 0), Requests)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def json_answer(document: Any, status: int = 200) -> tuple[int, dict[str, str], bytes]:
    """What a loopback handler returns for a JSON document."""
    return status, {"Content-Type": "application/scim+json"}, json.dumps(document).encode()
