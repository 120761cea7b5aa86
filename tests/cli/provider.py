"""An organisation over HTTP in this process, which writes down what it is asked and can be told to misbehave."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from reconciler.sandbox import Access, Request, SandboxService, open_sandbox, serve
from reconciler.sandbox.messages import Response
from tests.conftest import Folder

WRITING = {"POST", "PATCH", "PUT", "DELETE"}

Before = Callable[[Request], Response | None]
"""Called before each request; an answer takes the place of the organisation's own."""


class Provider:
    """`asked`: method and path of every request, in the order of arrival. `before`: what to do first."""

    def __init__(self, service: SandboxService, organisation: str = "rfc") -> None:
        self.service = service
        self.organisation = organisation
        self.asked: list[tuple[str, str]] = []
        self.before: Before = lambda request: None
        self.url = ""
        self._lock = threading.Lock()

    def handle(self, request: Request) -> Response:
        with self._lock:
            self.asked.append((request.method, request.target.partition("?")[0]))
        return self.before(request) or self.service.handle(request)

    @property
    def writes(self) -> list[tuple[str, str]]:
        return [each for each in self.asked if each[0] in WRITING]

    def users(self) -> dict[str, dict[str, object]]:
        """What is stored, by userName."""
        return {user["userName"]: user for user in self.service.dump()["User"]}

    def settings(self, *, more: str = "", auth: str = "") -> str:
        """Settings whose only target is this organisation."""
        return f"targets:\n  prod:\n    profile: {self.organisation}\n    url: {self.base}\n{auth}{more}"

    @property
    def base(self) -> str:
        """Where its SCIM hangs."""
        return f"{self.url}{'/api/v2' if self.organisation == 'genesys' else ''}/scim/v2"


@contextmanager
def provider(organisation: str = "rfc", *, token: str | None = None) -> Iterator[Provider]:
    service = open_sandbox(None, organisation, access=Access(token=token))
    running = Provider(service, organisation)
    try:
        with serve(running) as server:  # type: ignore[arg-type]  # it has what a server needs: handle
            running.url = server.url
            yield running
    finally:
        service.close()


def answer(status: int, body: bytes = b"", kind: str = "application/scim+json") -> Response:
    return Response(status=status, headers={"Content-Type": kind}, body=body)


def people(*keys: str, **titles: str) -> str:
    """Declarations of people, with a title where one is given (dots of a key as underscores)."""
    lines = [
        f"  {key}: {{userName: {key}@example.com, displayName: {key.replace('.', ' ').title()}"
        + (f", title: {titles[key.replace('.', '_')]}" if key.replace(".", "_") in titles else "")
        + "}"
        for key in keys
    ]
    return "\n".join(["users:", *lines, ""])


F = TypeVar("F", bound=Folder)


def prepared(folder: F, running: Provider, declarations: str, **more: str) -> F:
    folder.write("reconciler.yaml", running.settings(**more))
    folder.write("identities/all.yaml", declarations)
    return folder
