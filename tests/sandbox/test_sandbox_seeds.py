"""What seeds add to an organisation, and what they leave alone for good."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from reconciler.sandbox import SandboxError, SandboxService, SandboxTransport, open_sandbox

PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"

SEED = """
divisions: [EMEA]
roles: [Night Shift]
skills: [Claims]
languages: [Dutch]
groups:
  - Tier 2
  - {displayName: Support EMEA, members: [seeded@example.com]}
users:
  - userName: seeded@example.com
    displayName: Seeded
    roles: [{value: Night Shift}]
    phoneNumbers: [{type: work, value: "+442079460958"}]
    urn:ietf:params:scim:schemas:extension:enterprise:2.0:User: {division: EMEA}
"""


def names(service: SandboxService) -> tuple[list[str], list[str]]:
    dumped = service.dump()
    return [it["userName"] for it in dumped["User"]], [it["displayName"] for it in dumped["Group"]]


def test_a_seed_adds_what_is_missing_and_nothing_twice(tmp_path: Path) -> None:
    seed = tmp_path / "seed.yaml"
    seed.write_text(SEED)
    expected = (
        ["breakglass@example.com", "seeded@example.com"],
        ["Administrators", "All Agents", "Tier 2", "Support EMEA"],
    )
    service = open_sandbox(tmp_path, "genesys", seed)
    assert names(service) == expected
    assert service.dump()["Group"][3]["members"] == [{"value": service.dump()["User"][1]["id"], "type": "User"}]
    before = service.dump()
    service.close()
    seed.write_text(SEED + "  - {userName: later@example.com, displayName: Later}\n")
    service = open_sandbox(tmp_path, "genesys", seed)
    assert names(service) == ([*expected[0], "later@example.com"], expected[1])
    assert service.dump()["User"][:2] == before["User"]
    assert service.dump()["Group"] == before["Group"]
    service.close()


@pytest.mark.parametrize("profile", ["genesys", "rfc"])
def test_two_fresh_organisations_of_one_seed_have_the_same_ids(profile: str, tmp_path: Path) -> None:
    """So a plan for one has the digest of a plan for the other, wherever it was made."""
    seed = tmp_path / "seed.yaml"
    seed.write_text("groups: [Tier 2, Tier 3]\nusers: [{userName: a@example.com, displayName: A}]\n")

    def ids(folder: str) -> list[object]:
        service = open_sandbox(tmp_path / folder, profile, seed)
        try:
            return [row["id"] for rows in service.dump().values() for row in rows]
        finally:
            service.close()

    found = ids("one")
    assert found == ids("other")
    assert len(set(found)) == len(found) >= 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- x", "mapping"),
        ("{", "cannot be read"),
        ("persons: []", "persons"),
        ("users: ann", "users"),
        ("users: [ann]", "userName"),
        ("roles: [{a: b}]", "roles"),
        ("groups: [{members: []}]", "displayName"),
        ("groups: [{displayName: G, members: [nobody]}]", "nobody"),
        ("users: [{userName: a, displayName: A, roles: [{value: Nope}]}]", "Nope"),
        ("users: [{userName: a, displayName: A, phoneNumbers: [{value: 5}]}]", "phoneNumbers"),
        ("users: [{userName: a, displayName: A, id: x}, {userName: b, displayName: B, id: x}]", "second resource"),
        ("users: [{userName: a, displayName: A, id: 5}]", "must be text"),
    ],
)
def test_seeds_that_do_not_fit_are_refused_with_the_reason(tmp_path: Path, text: str, message: str) -> None:
    seed = tmp_path / "seed.yaml"
    seed.write_text(text)
    with pytest.raises(SandboxError, match=message):
        open_sandbox(None, "genesys", seed)


def test_a_seed_may_give_ids(genesys: SandboxService, genesys_client: httpx.Client) -> None:
    genesys.seed({"users": [{"id": "known", "userName": "k@example.com", "displayName": "K"}]})
    assert genesys_client.get("/users/known").json()["userName"] == "k@example.com"
    assert "id" not in genesys.directory.store.all("User")[1].document()


FIRST = """
groups: [{displayName: Wardens, members: [ann@example.com, bob@example.com]}, Spare]
users:
  - {userName: ann@example.com, displayName: Ann}
  - {userName: bob@example.com, displayName: Bob}
  - {userName: cleo@example.com, displayName: Cleo}
"""
# the same people, one more of them, and members for a group that every fresh organisation has
SECOND = (
    FIRST.replace("Spare]", "Spare, {displayName: all agents, members: [cleo@example.com, dora@example.com]}]")
    + "  - {userName: dora@example.com, displayName: Dora}\n"
)


@contextmanager
def seeded(folder: Path, text: str) -> Iterator[tuple[SandboxService, httpx.Client]]:
    """The organisation in a folder, opened with a seed file of this text."""
    (folder / "seed.yaml").write_text(text)
    service = open_sandbox(folder, "genesys", folder / "seed.yaml")
    with httpx.Client(transport=SandboxTransport(service), base_url="http://sandbox") as client:
        yield service, client
    service.close()


def who(service: SandboxService) -> dict[str, str]:
    return {it["userName"].partition("@")[0]: it["id"] for it in service.dump()["User"]}


def members(service: SandboxService, group: str) -> list[str]:
    people = {identifier: name for name, identifier in who(service).items()}
    held = next(it for it in service.dump()["Group"] if it["displayName"] == group)
    return [people[it["value"]] for it in held.get("members", [])]


def change(client: httpx.Client, target: str, **operation: Any) -> None:
    answer = client.patch(target, json={"schemas": [PATCH_OP], "Operations": [operation]})
    assert answer.status_code == 200, answer.text


def test_a_seed_that_did_not_change_is_applied_once(tmp_path: Path) -> None:
    with seeded(tmp_path, FIRST) as (service, client):
        client.delete(f"/users/{who(service)['ann']}")
        change(client, f"/users/{who(service)['bob']}", op="replace", path="userName", value="robert@example.com")
        wardens = next(it["id"] for it in service.dump()["Group"] if it["displayName"] == "Wardens")
        change(client, f"/groups/{wardens}", op="remove", path="members")
        before = service.dump()
    with seeded(tmp_path, FIRST) as (service, _):
        assert service.dump() == before
        assert set(who(service)) == {"breakglass", "robert", "cleo"}


def test_a_changed_seed_adds_what_is_new_and_brings_nobody_back(tmp_path: Path) -> None:
    with seeded(tmp_path, FIRST) as (service, client):
        client.delete(f"/users/{who(service)['ann']}")
        change(client, f"/users/{who(service)['bob']}", op="replace", path="userName", value="robert@example.com")
    with seeded(tmp_path, SECOND) as (service, client):
        assert set(who(service)) == {"breakglass", "robert", "cleo", "dora"}
        assert members(service, "Wardens") == ["robert"]
        assert members(service, "All Agents") == ["cleo", "dora"]
        agents = next(it["id"] for it in service.dump()["Group"] if it["displayName"] == "All Agents")
        change(client, f"/groups/{agents}", op="remove", path=f'members[value eq "{who(service)["cleo"]}"]')
    with seeded(tmp_path, SECOND + "\n# a remark\n") as (service, _):
        assert members(service, "All Agents") == ["dora"]


def test_a_seed_fills_a_group_that_is_there(genesys: SandboxService) -> None:
    genesys.seed({"groups": [{"displayName": "ADMINISTRATORS", "members": ["ann@example.com"]}], "users": [ANN]})
    assert members(genesys, "Administrators") == ["breakglass", "ann"]
    before = genesys.dump()
    genesys.seed({"groups": [{"displayName": "Administrators", "members": ["ANN@example.com"]}]})
    assert genesys.dump() == before


ANN = {"userName": "ann@example.com", "displayName": "Ann"}
