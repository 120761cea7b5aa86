"""The whole life of a small team on a service provider that nobody here wrote, over real HTTP."""

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.in_process import QuickFolder
from tests.conftest import Folder, Ran
from tests.foreign.servers import Foreign, scim2_server

SETTINGS = """\
defaultTarget: team
targets:
  team:
    profile: rfc
    url: {url}
    auth: {{bearer: env:SCIM_TOKEN}}
    policy: {{removal: {{users: {removal}, groups: delete}}, limits: {{removals: 10, memberRemovals: 10}}}}
"""

FIRST = """\
users:
  ann.lee:
    userName: ann.lee@example.com
    displayName: Ann Lee
    name: {givenName: Ann, familyName: Lee}
    title: Agent
    emails: {work: ann.lee@example.com}
    phoneNumbers: {work: "+44 20 7946 0958", mobile: "+44 7700 900123"}
    addresses: {work: {locality: Leeds, country: GB}}
    department: Support
    employeeNumber: "000142"
    manager: bob.li
    roles: [agent]
  bob.li:
    userName: bob.li@example.com
    displayName: Bob Li
    title: Lead
  zoe.muller:
    userName: zoe.müller@example.com
    displayName: Zoë Müller
  o.brien: {userName: "o'brien+x@example.com", displayName: "O'Brien \\"Q\\""}
groups:
  support: {displayName: Support, members: [ann.lee, bob.li, zoe.muller]}
  everybody: {displayName: Everybody, members: [{group: support}, o.brien]}
"""

SECOND = """\
users:
  ann.lee:
    userName: ann.ng@example.com
    displayName: Ann Ng
    name: {givenName: Ann, familyName: Ng}
    title: null
    emails: {work: ann.ng@example.com, home: {value: ann@home.example, primary: true}}
    phoneNumbers: {work: "+44 20 7946 0999", mobile: null}
    addresses: {work: {locality: York, country: GB}}
    department: Care
    employeeNumber: "000142"
    manager: zoe.muller
    roles: [agent, lead]
  bob.li:
    userName: bob.li@example.com
    displayName: Bob Li
    active: false
  zoe.muller:
    userName: zoe.müller@example.com
    displayName: Zoë Müller
    title: Lead
groups:
  support: {displayName: Customer Support, members: [ann.lee, zoe.muller]}
  everybody: {displayName: Everybody, members: [{group: support}]}
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Foreign]:
    with scim2_server(tmp_path / "server.log") as running:
        yield running


class Team(QuickFolder):
    """A project whose one target is the running server."""

    def reconciler(self, server: Foreign, *arguments: str) -> Ran:
        return self.run(*arguments, SCIM_TOKEN=server.token)


def team(folder: Folder, server: Foreign, removal: str) -> Team:
    folder.write("reconciler.yaml", SETTINGS.format(url=server.url, removal=removal))
    return Team(folder.path)


def resources(server: Foreign, kind: str) -> dict[str, dict[str, Any]]:
    """What the server holds, read past our client."""
    request = urllib.request.Request(
        f"{server.url}/{kind}?count=100", headers={"Authorization": f"Bearer {server.token}"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        rows = json.load(answer).get("Resources", [])
    name = "userName" if kind == "Users" else "displayName"
    return {row[name]: row for row in rows}


def settled(project: Team, server: Foreign) -> None:
    plan = project.reconciler(server, "plan", "--detailed-exitcode")
    assert plan.code == 0, plan.out + plan.err
    assert "No changes." in plan.out


@pytest.mark.parametrize("removal", ["delete", "deactivate"])
def test_from_nothing_to_nothing(folder: Folder, server: Foreign, removal: str) -> None:
    project = team(folder, server, removal)

    project.write("identities/team.yaml", FIRST)
    applied = project.reconciler(server, "apply", "--auto-approve")
    assert applied.code == 0, applied.out + applied.err
    settled(project, server)
    users, groups = resources(server, "Users"), resources(server, "Groups")
    assert set(users) == {
        "ann.lee@example.com",
        "bob.li@example.com",
        "zoe.müller@example.com",
        "o'brien+x@example.com",
    }
    ids = {name: row["id"] for name, row in users.items()}
    assert {each["value"] for each in groups["Support"]["members"]} == {
        ids["ann.lee@example.com"],
        ids["bob.li@example.com"],
        ids["zoe.müller@example.com"],
    }

    project.write("identities/team.yaml", SECOND)
    applied = project.reconciler(server, "apply", "--auto-approve")
    assert applied.code == 0, applied.out + applied.err
    settled(project, server)
    users, groups = resources(server, "Users"), resources(server, "Groups")
    ann = users["ann.ng@example.com"]
    assert ann["id"] == ids["ann.lee@example.com"], "renamed in place"
    assert "title" not in ann
    assert [each["value"] for each in ann["phoneNumbers"]] == ["+442079460999"]
    assert sorted(each["value"] for each in ann["emails"]) == ["ann.ng@example.com", "ann@home.example"]
    assert sorted(each["value"] for each in ann["roles"]) == ["agent", "lead"]
    assert ann["addresses"][0]["locality"] == "York"
    assert users["bob.li@example.com"]["active"] is False
    gone = users.get("o'brien+x@example.com")
    assert gone is None if removal == "delete" else gone is not None and gone["active"] is False
    assert {each["value"] for each in groups["Customer Support"]["members"]} == {
        ids["ann.lee@example.com"],
        ids["zoe.müller@example.com"],
    }

    project.write("identities/team.yaml", "released: []\nusers: {zoe.muller: {userName: zoe.müller@example.com}}\n")
    applied = project.reconciler(server, "apply", "--auto-approve")
    assert applied.code == 0, applied.out + applied.err
    settled(project, server)
    users, groups = resources(server, "Users"), resources(server, "Groups")
    assert groups == {}
    left = {name for name, row in users.items() if row.get("active", True)}
    assert left == {"zoe.müller@example.com"}
