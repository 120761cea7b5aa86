"""The embedded provider over HTTP, with habits that other service providers were seen to have."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from msgspec.structs import replace

from reconciler.sandbox import Request, Response, SandboxService, Switches, open_sandbox, serve
from tests.foreign.servers import Foreign

PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"

Before = Callable[[Request], Request | Response]
"""Called with each request; gives the request to be carried out, or an answer in its place."""
After = Callable[[Request, Response], Response]
"""Called with each request and its answer; gives the answer that goes out."""


class Odd:
    """`asked`: what was sent, in order: method, path, body."""

    def __init__(self, service: SandboxService, before: Before, after: After) -> None:
        self.asked: list[tuple[str, str, Any]] = []
        self.foreign = Foreign("")
        self._service = service
        self._before = before
        self._after = after
        self._lock = threading.Lock()

    def handle(self, request: Request) -> Response:
        with self._lock:
            body = json.loads(request.body) if request.body else None
            self.asked.append((request.method, request.target.partition("?")[0], body))
        given = self._before(request)
        answer = given if isinstance(given, Response) else self._service.handle(given)
        return self._after(request, answer)

    def sent(self, method: str) -> list[Any]:
        """The bodies of all requests of a method."""
        return [body for verb, _, body in self.asked if verb == method]

    def patched(self) -> list[tuple[str, str]]:
        """Verb and path of every PATCH operation."""
        return [(each["op"], each["path"]) for body in self.sent("PATCH") for each in body["Operations"]]

    def patch(self, path: str, op: str, where: str, value: Any = None) -> None:
        """A change by other hands."""
        change = {"op": op, "path": where} | ({} if value is None else {"value": value})
        self.foreign.request("PATCH", path, {"schemas": [PATCH_OP], "Operations": [change]})


def as_it_is(request: Request) -> Request:
    return request


def unchanged(request: Request, answer: Response) -> Response:
    return answer


@contextmanager
def odd(*, profile: str = "rfc", before: Before = as_it_is, after: After = unchanged, **switches: Any) -> Iterator[Odd]:
    service = open_sandbox(None, profile, switches=Switches(**switches))
    running = Odd(service, before, after)
    try:
        with serve(running) as server:  # type: ignore[arg-type]  # it has what a server needs: handle
            base = "/api/v2/scim/v2" if profile == "genesys" else "/scim/v2"
            running.foreign = Foreign(server.url + base)
            yield running
    finally:
        service.close()


def refusal(status: int, detail: str, scim_type: str | None = None) -> Response:
    """An error as RFC 7644 §3.12 has it."""
    error = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"], "status": str(status), "detail": detail}
    return plain(status, json.dumps(error | ({"scimType": scim_type} if scim_type else {})), "application/scim+json")


def plain(status: int, text: str, kind: str = "text/html") -> Response:
    return Response(status=status, headers={"Content-Type": kind}, body=text.encode())


def rewritten(answer: Response, change: Callable[[Any], Any]) -> Response:
    """The same answer with another body."""
    return replace(answer, body=json.dumps(change(answer.json())).encode()) if answer.body else answer


def each_row(document: Any, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:
    """A listing or a single resource with every resource changed."""
    if "Resources" in document:
        return {**document, "Resources": [change(row) for row in document["Resources"]]}
    return change(document)
