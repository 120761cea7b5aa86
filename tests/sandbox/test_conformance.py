"""Two conformance suites written by others, run over HTTP against the embedded provider.

They live in virtual environments of their own: SCIM2_TESTER_PYTHON is the Python of one with scim2-tester,
SCIM_SANITY the executable of the other. Without them the tests are skipped, unless REQUIRE_SERVERS=1.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.sandbox import Access, SandboxServer, open_sandbox, serve

TOKEN = "conformance"
ENTERPRISE_USER = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
RUNNER = Path(__file__).with_name("run_scim2_tester.py")


def tool(variable: str) -> str:
    """Return the tool an environment variable names."""
    path = os.environ.get(variable, "")
    if path and Path(path).exists():
        return path
    reason = f"{variable} names no file"
    if os.environ.get("REQUIRE_SERVERS") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(params=["rfc", "rfc-lenient"])
def server(request: pytest.FixtureRequest) -> Iterator[SandboxServer]:
    service = open_sandbox(None, request.param, access=Access(token=TOKEN))
    with serve(service) as running:
        yield running
    service.close()


def test_scim2_tester_finds_nothing_wrong(server: SandboxServer) -> None:
    python = tool("SCIM2_TESTER_PYTHON")
    done = subprocess.run(
        [python, RUNNER, f"{server.url}/scim/v2", TOKEN], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    outcome = json.loads(done.stdout)
    assert outcome["bad"] == []
    assert outcome["counts"]["SUCCESS"] >= 100
    assert outcome["by_type"]["User"] >= 60
    assert outcome["by_type"]["Group"] >= 10
    assert f"{ENTERPRISE_USER}:manager" in outcome["checked"]
    assert ENTERPRISE_USER in outcome["checked"]


def sanity(url: str) -> dict[str, object]:
    command = [tool("SCIM_SANITY"), "probe", f"{url}/scim/v2", "--token", TOKEN, "--i-accept-side-effects"]
    done = subprocess.run([*command, "--json-output"], capture_output=True, text=True, timeout=120, check=False)
    return dict(json.loads(done.stdout))


def failures(report: dict[str, object]) -> list[tuple[str, str]]:
    results = report["results"]
    assert isinstance(results, list)
    assert len(results) >= 25
    return [(it["name"], it.get("message", "")) for it in results if it["status"] in ("fail", "error", "warn")]


def test_scim_sanity_finds_nothing_wrong_where_ids_are_not_checked() -> None:
    service = open_sandbox(None, "rfc-lenient", access=Access(token=TOKEN))
    with serve(service) as running:
        assert failures(sanity(running.url)) == []
    service.close()


def test_scim_sanity_finds_nothing_wrong_when_the_member_it_adds_exists() -> None:
    """The probe adds a member with the id fake-member-id; here somebody has it, so ids can be checked all the same."""
    service = open_sandbox(None, "rfc", access=Access(token=TOKEN))
    service.seed({"users": [{"id": "fake-member-id", "userName": "probe@example.com"}]})
    with serve(service) as running:
        assert failures(sanity(running.url)) == []
    service.close()


def test_scim_sanity_only_misses_that_unknown_members_are_taken() -> None:
    service = open_sandbox(None, "rfc", access=Access(token=TOKEN))
    with serve(service) as running:
        found = failures(sanity(running.url))
    service.close()
    assert found == [("PATCH /Groups/{id} add member", "Expected 200, got 400")]
