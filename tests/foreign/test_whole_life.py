"""The whole life of a small team on service providers that nobody here wrote, over real HTTP.

The lines are made of what each server publishes under /Schemas; what it holds is read past our client.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.in_process import quick
from tests.conftest import Folder
from tests.foreign import published
from tests.foreign.servers import Foreign, server
from tests.foreign.team import Team

SERVERS = ("betterauth", "scimmy4", "scim2")

NOT_STORED = {"betterauth": ["name.formatted"]}
"""What a server fills in where nothing is: it cannot be cleared."""
NEVER_EMPTY = {"betterauth": ("emails",)}
"""What a server refuses to clear."""
NAMES = {
    "betterauth": ("o'brien+x@example.com", "a_b-c.d@example.com", "c.d-e@sub.example.com"),
    "": ("o'brien+x@example.com", "zoë.müller@example.com", 'a"b\\c@example.com', "per%2Fcent&amp@example.com"),
}
"""Logins that need care on the way; one server takes e-mail addresses only, in lower case."""
NAME_STAYS_TAKEN = ("betterauth",)
"""Servers where the login of somebody who was deleted cannot be given again."""


@pytest.fixture(params=SERVERS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def here(tmp_path: Path) -> Folder:
    """A folder where the command runs in this process: a new one for each of hundreds of commands takes its time."""
    return quick(tmp_path / "here")


@pytest.fixture
def foreign(name: str, tmp_path: Path) -> Iterator[Foreign]:
    with server(name, tmp_path / "server.log") as running:
        yield running


def user(key: str, **more: Any) -> dict[str, Any]:
    return {"userName": f"{key}@example.com", "displayName": key.title(), **more}


def ids(foreign: Foreign) -> dict[str, str]:
    return {name.partition("@")[0]: row["id"] for name, row in foreign.users().items()}


def members(foreign: Foreign, group: str) -> set[str]:
    """The keys (or group names) of who is in a group, by what the server says."""
    names = {each: key for key, each in ids(foreign).items()}
    groups = foreign.groups()
    names |= {row["id"]: name for name, row in groups.items()}
    return {names[each["value"]] for each in groups[group].get("members") or ()}


def test_every_attribute_is_set_changed_and_cleared(folder: Folder, foreign: Foreign, name: str) -> None:
    team = Team(folder, foreign)
    team.settings()
    offered = published.offered(foreign)
    clearable = [each for each in offered if each.name not in NEVER_EMPTY.get(name, ())]
    others = {"bob": user("bob"), "cleo": user("cleo")}
    steps = [
        published.values(offered, 0, "bob"),
        published.values(offered, 1, "cleo"),
        {**published.values(offered, 1, "cleo"), **published.cleared(clearable)},
        published.values(offered, 0, "cleo"),
    ]
    for lines in steps:
        team.declare({**others, "ann": user("ann", **lines)})
        if name in NOT_STORED and lines["title"] is None:
            not_kept_is_named(team, NOT_STORED[name])
            clearable.remove(next(each for each in clearable if each.name == "name"))
            lines = {each.name: lines[each.name] for each in clearable}
        else:
            team.brought_about()
        row = foreign.users()["ann@example.com"]
        compared = [each for each in offered if each.name in lines]
        assert published.differences(compared, lines, row, ids(foreign)) == []


def not_kept_is_named(team: Team, paths: list[str]) -> None:
    """What the server does not do is said, with the line that makes the plan empty; and it does."""
    applied = team.apply(5)
    assert f"notStored: [{', '.join(paths)}] in the target's settings" in " ".join(applied.out.split())
    left = team.run("plan", "--detailed-exitcode")
    assert left.code == 2, left.out
    team.settings(notStored=paths)
    team.settled()
    team.settings()


def test_what_is_refused_does_not_hold_up_the_rest(here: Folder, tmp_path: Path) -> None:
    with server("betterauth", tmp_path / "server.log") as foreign:
        team = Team(here, foreign)
        team.settings()
        team.declare({"ann": user("ann", title="Agent", emails={"work": "ann@example.com"})})
        team.brought_about()
        team.declare({"ann": user("ann", title="Lead", emails=None, roles=["agent"])})
        applied = team.apply(5)
        assert "emails: invalidValue: emails cannot be removed" in " ".join(applied.out.split())
        row = foreign.users()["ann@example.com"]
        assert (row["title"], row["roles"][0]["value"]) == ("Lead", "agent")


def test_what_a_server_does_not_know_is_named(here: Folder, tmp_path: Path) -> None:
    """Attributes that it does not publish: dropped, or refused with the whole request."""
    with server("betterauth", tmp_path / "server.log") as foreign:
        team = Team(here, foreign)
        team.settings()
        team.declare({"ann": user("ann", title="Agent")})
        team.brought_about()
        team.declare(
            {"ann": user("ann", title="Lead", nickName="Annie", photos={"photo": "https://example.com/a.png"})}
        )
        applied = " ".join(team.apply(5).out.split())
        assert "nickName" in applied
        assert "photos" in applied
        assert foreign.users()["ann@example.com"]["title"] == "Lead"
        team.settings(notStored=["nickName", "photos"])
        team.settled()


def test_lines_that_leave_change_nothing_but_access(here: Folder, foreign: Foreign) -> None:
    team = Team(here, foreign)
    team.settings()
    offered = published.offered(foreign)
    lines = published.values(offered, 0, "bob")
    team.declare({"bob": user("bob"), "ann": user("ann", **lines)})
    team.brought_about()
    team.declare({"bob": user("bob"), "ann": user("ann")})
    team.brought_about()
    access = {"roles": None, "entitlements": None}
    row = foreign.users()["ann@example.com"]
    assert published.differences(offered, {**lines, **access}, row, ids(foreign)) == []


def test_members_come_and_go(here: Folder, foreign: Foreign) -> None:
    team = Team(here, foreign)
    team.settings()
    users = {key: user(key) for key in ("ann", "bob", "cleo", "dora")}
    steps = [["ann", "bob"], ["bob", "cleo", "dora"], [], ["ann", "dora"]]
    for wanted in steps:
        team.declare(users, {"support": {"displayName": "Support", "members": wanted}})
        team.brought_about()
        assert members(foreign, "Support") == set(wanted)


def test_others_members_stay_in_an_additive_group(here: Folder, foreign: Foreign) -> None:
    team = Team(here, foreign)
    team.settings()
    users = {key: user(key) for key in ("ann", "bob", "cleo")}

    def declare(wanted: list[str]) -> None:
        group = {"displayName": "Support", "members": wanted, "membership": "additive"}
        team.declare(users, {"support": group})

    declare(["ann"])
    team.brought_about()
    group, cleo = foreign.groups()["Support"]["id"], ids(foreign)["cleo"]
    patch = {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "add", "path": "members", "value": [{"value": cleo}]}],
    }
    foreign.request("PATCH", f"/Groups/{group}", patch)
    declare(["bob"])
    team.brought_about()
    assert members(foreign, "Support") == {"bob", "cleo"}


def test_a_group_in_a_group_where_the_server_takes_one(here: Folder, foreign: Foreign) -> None:
    if not published.nests(foreign):
        pytest.skip("this server says that only users are members")
    team = Team(here, foreign)
    team.settings()
    users = {key: user(key) for key in ("ann", "bob")}
    inner = {"displayName": "Inner", "members": ["ann"]}
    for wanted, held in [([{"group": "inner"}, "bob"], {"Inner", "bob"}), (["bob"], {"bob"})]:
        team.declare(users, {"inner": inner, "outer": {"displayName": "Outer", "members": wanted}})
        team.brought_about()
        assert members(foreign, "Outer") == held


def test_renames_happen_in_place(folder: Folder, foreign: Foreign) -> None:
    team = Team(folder, foreign)
    team.settings()
    group = {"displayName": "Support", "members": ["ann"]}
    team.declare({"ann": user("ann")}, {"support": group})
    team.brought_about()
    before, group_before = ids(foreign)["ann"], foreign.groups()["Support"]["id"]

    renamed = user("ann", userName="ann.ng@example.com")
    team.declare({"ann": renamed}, {"support": {**group, "displayName": "Customer Support"}})
    team.brought_about()
    assert {name: row["id"] for name, row in foreign.users().items()} == {"ann.ng@example.com": before}
    assert {name: row["id"] for name, row in foreign.groups().items()} == {"Customer Support": group_before}
    assert members(foreign, "Customer Support") == {"ann.ng"}


def test_deactivated_and_reactivated(here: Folder, foreign: Foreign) -> None:
    team = Team(here, foreign)
    team.settings()
    for active in (None, False, True):
        team.declare({"ann": user("ann", **({} if active is None else {"active": active}))})
        team.brought_about()
        assert foreign.users()["ann@example.com"].get("active", True) is (active is not False)


@pytest.mark.parametrize("removal", ["deactivate", "delete"])
def test_whoever_leaves_is_removed(folder: Folder, foreign: Foreign, name: str, removal: str) -> None:
    team = Team(folder, foreign)
    team.settings(removal=removal)
    users = {key: user(key, roles=["agent"]) for key in ("ann", "bob")}
    groups = {"support": {"displayName": "Support", "members": ["ann", "bob"]}}
    team.declare(users, {**groups, "other": {"displayName": "Other", "members": ["bob"]}})
    team.brought_about()

    team.declare({"ann": users["ann"]}, {"support": {"displayName": "Support", "members": ["ann"]}})
    team.brought_about()
    assert set(foreign.groups()) == {"Support"}
    assert members(foreign, "Support") == {"ann"}
    gone = foreign.users().get("bob@example.com")
    if removal == "delete":
        assert gone is None
    else:
        assert gone is not None
        assert gone["active"] is False
        assert not gone.get("roles")

    # somebody removed by an earlier apply is new when declared again
    team.declare(users, groups)
    if removal == "delete" and name in NAME_STAYS_TAKEN:
        assert "bob@example.com exists already on the server" in " ".join(team.apply(5).out.split())
        return
    team.brought_about()
    assert foreign.users()["bob@example.com"].get("active", True) is True
    assert members(foreign, "Support") == {"ann", "bob"}


def test_names_that_need_care_on_the_way(here: Folder, foreign: Foreign, name: str) -> None:
    team = Team(here, foreign)
    team.settings(removal="delete")
    names = NAMES.get(name, NAMES[""])
    users = {f"u{n}": {"userName": each, "displayName": f"«{each}» \\ /"} for n, each in enumerate(names)}
    groups = {"odd": {"displayName": 'R&D "50%" / Ω', "members": list(users)}}
    team.declare(users, groups)
    team.brought_about()
    assert set(foreign.users()) == set(names)
    team.declare({"u0": users["u0"]}, {"odd": {**groups["odd"], "members": ["u0"]}})
    team.brought_about()
    assert set(foreign.users()) == {names[0]}
