"""Starts SCIM servers that others wrote, each on a free port of this machine, and stops exactly what it started."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Foreign:
    """A running server: its base URL, and the token it takes."""

    url: str
    token: str


def require(path: Path, what: str) -> Path:
    """The file, or a skip with the reason; where servers are required, a failure."""
    if path.exists():
        return path
    reason = f"{what} is not installed ({path})"
    if os.environ.get("REQUIRE_SERVERS") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def started(command: Sequence[str], foreign: Foreign, log: Path) -> Iterator[Foreign]:
    """Run a server until the block ends; it has 20 seconds to answer."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        try:
            _wait(foreign, process, log)
            yield foreign
        finally:
            process.terminate()
            process.wait(10)


@contextmanager
def scim2_server(log: Path) -> Iterator[Foreign]:
    """scim2-server of the python-scim project, in memory."""
    program = require(Path(sys.executable).with_name("scim2-server"), "scim2-server")
    port = free_port()
    foreign = Foreign(f"http://127.0.0.1:{port}/v2", "tok")
    command = [str(program), "--port", str(port), "--bearer-token", foreign.token]
    with started(command, foreign, log) as running:
        yield running


def _wait(foreign: Foreign, process: "subprocess.Popen[bytes]", log: Path) -> None:
    request = urllib.request.Request(
        f"{foreign.url}/ServiceProviderConfig", headers={"Authorization": f"Bearer {foreign.token}"}
    )
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(request, timeout=2):
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"the server did not come up:\n{log.read_text(errors='replace')[-2000:]}")
