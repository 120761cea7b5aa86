"""A member of a group who is in no listing is read by id before she may be taken out: she may be somebody declared."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from reconciler.model import SAMPLE
from reconciler.sandbox import Request
from reconciler.sandbox.messages import Response
from tests.cli.in_process import QuickFolder
from tests.cli.provider import Before, Provider
from tests.safety.left_as_it_is import live
from tests.safety.rails import applied, apply, crew, declared
from tests.sandbox.raw import stored

BOB = "bob@x.example"
OTHERS = crew("ann").replace("members", "membership: additive, members")
"""What others put into the crew is theirs, until the line says otherwise."""


def the_crew(running: Provider) -> dict[str, Any]:
    """The group as the server has it."""
    return stored(running.service, "Crew")


def without(running: Provider, hidden_id: str) -> Before:
    """A server whose listings of users leave one of them out, and count nobody whom they leave out."""

    def left_out(request: Request) -> Response | None:
        if request.method != "GET" or not request.target.startswith("/scim/v2/Users?"):
            return None
        found = running.service.handle(request)
        listing = json.loads(found.body)
        rows = [each for each in listing["Resources"] if each["id"] != hidden_id]
        listing |= {"Resources": rows, "totalResults": len(rows), "itemsPerPage": len(rows)}
        return replace(found, body=json.dumps(listing).encode())

    return left_out


@pytest.fixture
def hidden(tmp_path: Path) -> Iterator[tuple[QuickFolder, Provider, str]]:
    """Others made Bob and put him into the crew; the listings leave him out. Folder, server, his id."""
    with applied(tmp_path / "here", declared("ann") + OTHERS) as (folder, running):
        live(running, {"userName": BOB})
        bob = str(running.users()[BOB]["id"])
        group = the_crew(running)["id"]
        message = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
        body = {"schemas": [message], "Operations": [{"op": "add", "path": "members", "value": [{"value": bob}]}]}
        target = f"/scim/v2/Groups/{group}"
        running.service.handle(Request(method="PATCH", target=target, body=json.dumps(body).encode()))

        running.before = without(running, bob)
        running.asked.clear()
        yield folder, running, bob


def members(running: Provider) -> set[str]:
    by_id = {user["id"]: name for name, user in running.users().items()}
    return {str(by_id[each["value"]]) for each in the_crew(running)["members"]}


def test_who_is_declared_stays_and_is_not_created_again(hidden: tuple[QuickFolder, Provider, str]) -> None:
    folder, running, bob = hidden
    folder.write("identities/a.yaml", declared("ann", "bob") + crew("ann", "bob"))
    planned = folder.run("plan")
    assert planned.code == 0
    assert "will be created" not in planned.out
    assert "members" not in planned.out
    folder.write("identities/a.yaml", declared("ann", "bob") + crew("ann"))
    running.asked.clear()
    ran = apply(folder)
    assert ran.code == 0, ran.out
    assert ("GET", f"/scim/v2/Users/{bob}") in running.asked
    assert "in no listing of the server, and there by id: bob@x.example" in " ".join(ran.out.split())
    assert "- bob" in ran.out
    assert not [each for each in running.writes if each[0] == "POST"]
    assert members(running) == {"ann@x.example"}
    assert folder.run("plan", "--detailed-exitcode").code == 0


def test_who_is_nobody_here_is_taken_out_by_name(hidden: tuple[QuickFolder, Provider, str]) -> None:
    folder, running, bob = hidden
    folder.write("identities/a.yaml", declared("ann") + crew("ann"))
    planned = folder.run("plan")
    assert "- bob@x.example" in planned.out
    assert bob not in planned.out
    assert apply(folder).code == 0
    assert members(running) == {"ann@x.example"}
    assert folder.run("plan", "--detailed-exitcode").code == 0


def test_who_is_protected_is_not_taken_out(hidden: tuple[QuickFolder, Provider, str]) -> None:
    folder, running, _ = hidden
    folder.write("reconciler.yaml", running.settings() + f"policy: {{protect: [{BOB}]}}\n")
    folder.write("identities/a.yaml", declared("ann") + crew("ann"))
    assert apply(folder).code == 0
    assert members(running) == {"ann@x.example", BOB}


def test_whoever_is_gone_is_taken_out(hidden: tuple[QuickFolder, Provider, str]) -> None:
    folder, running, bob = hidden
    hiding = running.before

    def gone(request: Request) -> Response | None:
        target = request.target.partition("?")[0]
        if target == f"/scim/v2/Users/{bob}":
            return running.service.handle(replace(request, target="/scim/v2/Users/nobody"))
        return hiding(request)

    running.before = gone
    folder.write("identities/a.yaml", declared("ann") + crew("ann"))
    ran = apply(folder)
    assert ran.code == 0, ran.out
    assert "in no listing" not in ran.out
    assert members(running) == {"ann@x.example"}


def test_many_deletions_beside_somebody_hidden_are_verified_and_over(tmp_path: Path) -> None:
    """Each of those who were deleted is read by id then: they stop neither this run nor the next."""
    leavers = [f"u{number}" for number in range(SAMPLE + 5)]
    policy = "{removal: {users: delete}, limits: {removals: 100%}}"
    with applied(tmp_path / "here", declared("ann", *leavers)) as (folder, running):
        folder.write("reconciler.yaml", running.settings() + f"policy: {policy}\n")
        running.before = without(running, str(running.users()["ann@x.example"]["id"]))
        folder.write("identities/a.yaml", declared("ann"))
        ran = apply(folder)
        assert ran.code == 0, ran.out + ran.err
        assert f"{len(leavers)} destroyed" in ran.out
        assert "in no listing of the server, and there by id: ann@x.example" in " ".join(ran.out.split())
        planned = folder.run("plan", "--detailed-exitcode")
        assert planned.code == 0, planned.out + planned.err
