"""Two conformance suites written by others, run over HTTP against the embedded provider as it is.

Both are development dependencies and are looked for beside the running interpreter. Where they are not installed the
tests are skipped, unless REQUIRE_SERVERS=1.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from reconciler.sandbox import Access, SandboxServer, open_sandbox, serve

TOKEN = "conformance"
ENTERPRISE_USER = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
RUNNER = Path(__file__).with_name("run_scim2_tester.py")
SANITY = Path(sys.executable).with_name("scim-sanity")


def missing(reason: str) -> NoReturn:
    """Skip, or fail where everything has to be installed."""
    if os.environ.get("REQUIRE_SERVERS") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


def running(profile: str, seed: dict[str, object] | None = None) -> Iterator[SandboxServer]:
    service = open_sandbox(None, profile, access=Access(token=TOKEN))
    service.seed(seed or {})
    with serve(service) as server:
        yield server
    service.close()


@pytest.fixture(params=["rfc", "rfc-strict"])
def server(request: pytest.FixtureRequest) -> Iterator[SandboxServer]:
    yield from running(request.param)


@pytest.fixture
def plain() -> Iterator[SandboxServer]:
    yield from running("rfc")


@pytest.fixture
def strict_with_the_member() -> Iterator[SandboxServer]:
    """The probe adds a member with the id fake-member-id; here somebody has it, so ids can be checked all the same."""
    yield from running("rfc-strict", {"users": [{"id": "fake-member-id", "userName": "probe@example.com"}]})


def test_scim2_tester_finds_nothing_wrong(server: SandboxServer) -> None:
    for module in ("scim2_tester", "httpx2"):
        if importlib.util.find_spec(module) is None:
            missing(f"{module} is not installed for {sys.executable}")
    command = [sys.executable, str(RUNNER), f"{server.url}/scim/v2", TOKEN]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    outcome = json.loads(done.stdout)
    assert outcome["bad"] == []
    assert outcome["counts"]["SUCCESS"] >= 100
    assert outcome["by_type"]["User"] >= 60
    assert outcome["by_type"]["Group"] >= 10
    assert f"{ENTERPRISE_USER}:manager" in outcome["checked"]
    assert ENTERPRISE_USER in outcome["checked"]


def complaints(server: SandboxServer) -> list[tuple[str, str]]:
    if not SANITY.exists():
        missing(f"there is no {SANITY}")
    command = [
        str(SANITY),
        "probe",
        f"{server.url}/scim/v2",
        "--token",
        TOKEN,
        "--i-accept-side-effects",
        "--json-output",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    results = json.loads(done.stdout)["results"]
    assert len(results) >= 25
    return [(it["name"], it.get("message", "")) for it in results if it["status"] in ("fail", "error", "warn")]


def test_scim_sanity_finds_nothing_wrong(plain: SandboxServer) -> None:
    assert complaints(plain) == []


def test_scim_sanity_finds_nothing_wrong_when_ids_are_checked_and_known(strict_with_the_member: SandboxServer) -> None:
    assert complaints(strict_with_the_member) == []
