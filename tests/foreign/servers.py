"""Starts SCIM servers that others wrote, each on a free port of this machine, and stops exactly what it started."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
INSTALLED = HERE.parent.parent / ".foreign"
"""Where `install.sh` puts the packages of the servers that run on Node.js."""
TOKEN = "tok-0123456789abcdef0123456789abcdef"
_SECONDS = 20


@dataclass(frozen=True)
class Foreign:
    """A running server: its base URL, and the token it takes."""

    url: str
    token: str = TOKEN

    def request(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """One request past our client; the JSON it was answered with."""
        request = urllib.request.Request(
            self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/scim+json"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            text = answer.read()
        found = json.loads(text) if text else {}
        assert isinstance(found, dict)
        return found

    def all(self, kind: str) -> list[dict[str, Any]]:
        """Everything of a kind (``Users``, ``Groups``), asked for one by one so that no page hides anybody."""
        rows: dict[str, dict[str, Any]] = {}
        page = self.request("GET", f"/{kind}?count=100")
        while True:
            new = [row for row in page.get("Resources") or [] if row["id"] not in rows]
            rows |= {row["id"]: row for row in new}
            if not new or len(rows) >= page["totalResults"]:
                return list(rows.values())
            more = f"cursor={page['nextCursor']}" if page.get("nextCursor") else f"startIndex={len(rows) + 1}"
            page = self.request("GET", f"/{kind}?count=100&{more}")

    def users(self) -> dict[str, dict[str, Any]]:
        """All users by userName."""
        return {row["userName"]: row for row in self.all("Users")}

    def groups(self) -> dict[str, dict[str, Any]]:
        """All groups by displayName."""
        return {row["displayName"]: row for row in self.all("Groups")}


def require(path: Path | None, what: str) -> Path:
    """The file, or a skip with the reason; where servers are required, a failure."""
    if path is not None and path.exists():
        return path
    reason = f"{what} is not installed" + (f" ({path})" if path else "")
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
        process = subprocess.Popen(
            command,
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "SCIM_TOKEN": foreign.token},
        )
        try:
            _wait(foreign, process, log)
            yield foreign
        finally:
            process.terminate()
            process.wait(10)


@contextmanager
def scim2_server(log: Path, config: str | None = None, **overrides: Any) -> Iterator[Foreign]:
    """scim2-server of the python-scim project, in memory.

    `config`: what it says of itself and then keeps to, a file of `scim2/`; `overrides`: members of it that differ.
    """
    program = require(Path(sys.executable).with_name("scim2-server"), "scim2-server")
    port = free_port()
    foreign = Foreign(f"http://127.0.0.1:{port}/v2")
    command = [str(program), "--port", str(port), "--bearer-token", foreign.token]
    if config is not None:
        wanted = json.loads((HERE / "scim2" / f"{config}.json").read_text(encoding="utf-8")) | overrides
        written = log.with_suffix(".json")
        written.write_text(json.dumps(wanted), encoding="utf-8")
        command += ["--service-provider-config", str(written)]
    with started(command, foreign, log) as running:
        yield running


@contextmanager
def node_server(name: str, script: str, path: str, log: Path) -> Iterator[Foreign]:
    """A server of `node/`: its packages are those of `node/NAME`, its starter is `node/SCRIPT`, its base is `path`."""
    found = shutil.which("node")
    node = require(Path(found) if found else None, "node")
    modules = require(INSTALLED / name / "installed.json", f"{name} (tests/foreign/install.sh)").parent
    port = free_port()
    foreign = Foreign(f"http://127.0.0.1:{port}{path}")
    command = [str(node), str(HERE / "node" / script), str(port), str(modules)]
    with started(command, foreign, log) as running:
        yield running


@contextmanager
def server(name: str, log: Path) -> Iterator[Foreign]:
    """One of the servers that are tested against, by its name."""
    match name:
        case "scim2":
            running = scim2_server(log)
        case "scim2limited":
            running = scim2_server(log, "limited")
        case "scim2cursor":
            running = scim2_server(log, "cursor")
        case "betterauth":
            running = node_server(name, "betterauth.mjs", "/api/auth/scim/v2", log)
        case "scimmy4" | "scimmy5":
            running = node_server(name, "scimmy.mjs", "/scim/v2", log)
        case _:
            raise ValueError(name)
    with running as foreign:
        yield foreign


def _wait(foreign: Foreign, process: "subprocess.Popen[bytes]", log: Path) -> None:
    request = urllib.request.Request(
        f"{foreign.url}/ServiceProviderConfig", headers={"Authorization": f"Bearer {foreign.token}"}
    )
    deadline = time.monotonic() + _SECONDS
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
