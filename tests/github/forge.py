"""A GitHub of its own for the scripts: comments, statuses, pull requests and issues of one repository, over HTTP."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

BOT = "github-actions[bot]"


class Forge:
    """`rows`: path of a list -> its rows, newest first where GitHub does so. `refused`: path pattern -> status."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.comments: dict[int, list[dict[str, Any]]] = {}
        self.issues: list[dict[str, Any]] = []
        self.statuses: dict[str, list[dict[str, Any]]] = {}
        self.pulls: dict[str, list[dict[str, Any]]] = {}
        self.refused: dict[str, int] = {}
        self.tokens: set[str] = set()
        self.url = ""
        self._ids = iter(range(500_000, 600_000))

    def answer(self, method: str, path: str, query: dict[str, list[str]], body: Any) -> tuple[int, Any]:
        for pattern, status in self.refused.items():
            if re.search(pattern, f"{method} {path}"):
                return status, {"message": "Resource not accessible by integration\n::error::x"}
        for pattern, action in self._actions():
            found = re.fullmatch(pattern, f"{method} {path}")
            if found:
                answer = action(*found.groups(), body)
                if method == "GET" and isinstance(answer, list):
                    size, page = int(query["per_page"][0]), int(query["page"][0])
                    answer = answer[(page - 1) * size : page * size]
                return (201 if method == "POST" else 200), answer
        return 404, {"message": "Not Found"}

    def _actions(self) -> list[tuple[str, Callable[..., Any]]]:
        root = "/repos/acme/people"
        return [
            (rf"GET {root}/issues/(\d+)/comments", lambda number, _: self.comments.get(int(number), [])),
            (rf"POST {root}/issues/(\d+)/comments", self._comment),
            (rf"PATCH {root}/issues/comments/(\d+)", self._edit),
            (rf"POST {root}/statuses/(\w+)", self._status),
            (rf"GET {root}/commits/(\w+)/statuses", lambda commit, _: self.statuses.get(commit, [])),
            (rf"GET {root}/commits/(\w+)/pulls", lambda commit, _: self.pulls.get(commit, [])),
            (rf"GET {root}/issues", lambda _: [each for each in self.issues if each["state"] == "open"]),
            (rf"POST {root}/issues", self._open),
            (rf"PATCH {root}/issues/(\d+)", self._change),
        ]

    def _comment(self, number: str, body: Any) -> Any:
        row = {"id": next(self._ids), "user": {"login": BOT}, **body}
        self.comments.setdefault(int(number), []).append(row)
        return row

    def _edit(self, number: str, body: Any) -> Any:
        (row,) = [each for rows in self.comments.values() for each in rows if each["id"] == int(number)]
        return row.update(body) or row

    def _status(self, commit: str, body: Any) -> Any:
        assert len(body["description"]) <= 140
        row = {"creator": {"login": BOT}, **body}
        self.statuses.setdefault(commit, []).insert(0, row)
        return row

    def _open(self, body: Any) -> Any:
        row = {"number": next(self._ids), "state": "open", "user": {"login": BOT}, **body}
        self.issues.append(row)
        return row

    def _change(self, number: str, body: Any) -> Any:
        (row,) = [each for each in self.issues if each["number"] == int(number)]
        return row.update(body) or row


@contextmanager
def forge(running: Forge | None = None) -> Iterator[Forge]:
    running = running or Forge()

    class Handler(BaseHTTPRequestHandler):
        def _any(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            where = urlsplit(self.path)
            running.asked.append((self.command, where.path))
            running.tokens.add(self.headers.get("Authorization") or self.headers.get("PRIVATE-TOKEN", ""))
            status, answer = running.answer(self.command, where.path, parse_qs(where.query), body)
            data = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PATCH = do_PUT = _any

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    running.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield running
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
