"""Commands that only look never send anything but GET: each is run as a process against a server that writes down what
it is asked. A new command is in the registry and therefore in here."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from reconciler.cli.main import COMMANDS
from reconciler.sandbox import Request, SandboxService, open_sandbox
from tests.conftest import Folder

NEEDED = {"explain": ["ann.lee"], "show": ["plan.json"], "schema": ["settings"]}
"""Arguments without which a command says nothing."""


class Recorder:
    """The embedded provider over HTTP, with a list of the methods it was asked for."""

    def __init__(self, service: SandboxService) -> None:
        self.methods: list[str] = []
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _any(self) -> None:
                recorder.methods.append(self.command)
                length = int(self.headers.get("Content-Length", 0))
                answer = service.handle(
                    Request(
                        method=self.command,
                        target=self.path,
                        headers=dict(self.headers.items()),
                        body=self.rfile.read(length),
                    )
                )
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = _any

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/scim/v2"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    service = open_sandbox(None, "rfc")
    running = Recorder(service)
    yield running
    running.close()
    service.close()


@pytest.fixture
def project(folder: Folder, recorder: Recorder) -> Folder:
    folder.write(
        "reconciler.yaml",
        f"defaultTarget: here\ntargets:\n  here: {{profile: rfc, url: '{recorder.url}'}}\n",
    )
    folder.write(
        "identities/all.yaml",
        "users:\n  ann.lee: {userName: ann.lee@example.com, displayName: Ann Lee}\n"
        "groups:\n  ops: {displayName: Ops, members: [ann.lee]}\n",
    )
    assert folder.run("plan", "--out", "plan.json").code == 0
    recorder.methods.clear()
    return folder


READING = [name for name, entry in COMMANDS.items() if not entry.writes]


@pytest.mark.parametrize("name", READING)
def test_a_command_that_looks_does_not_write(name: str, project: Folder, recorder: Recorder) -> None:
    ran = project.run(name, *NEEDED.get(name, []))
    # `sandbox` serves data of its own and refuses a target that is somebody else's
    assert ran.code in ((64,) if name == "sandbox" else (0, 2)), ran.err
    assert set(recorder.methods) <= {"GET"}


def test_the_recorder_sees_writes(project: Folder, recorder: Recorder) -> None:
    ran = project.run("apply", "--auto-approve")
    assert ran.code == 0, ran.err
    assert {"POST", "PATCH"} <= set(recorder.methods)
