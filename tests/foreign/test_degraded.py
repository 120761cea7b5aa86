"""Service providers that can do less: no PATCH, pages by cursor only, pages that never move on."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.cli.in_process import quick
from tests.conftest import Folder
from tests.foreign import published
from tests.foreign.servers import scim2_server, server
from tests.foreign.team import Team
from tests.foreign.test_whole_life import ids, members, user


def people(count: int) -> dict[str, Any]:
    return {f"p{n:02}": user(f"p{n:02}") for n in range(count)}


# --- no PATCH


def test_without_patch_users_are_replaced_and_groups_are_left_alone(folder: Folder, tmp_path: Path) -> None:
    with server("scim2limited", tmp_path / "server.log") as foreign:
        team = Team(folder, foreign)
        team.settings(removal="delete")
        offered = published.offered(foreign)
        others = people(30)
        group = {"displayName": "Support", "members": ["p00", "ann"]}
        steps: list[dict[str, Any]] = [
            published.values(offered, 0, "p00"),
            published.values(offered, 1, "p01"),
            published.cleared(offered),
        ]
        for lines in steps:
            team.declare({**others, "ann": user("ann", **lines)})
            team.brought_about()
            assert published.differences(offered, lines, foreign.users()["ann@example.com"], ids(foreign)) == []

        team.declare({**others, "ann": user("ann", userName="ann.ng@example.com", active=False)}, {"support": group})
        applied = team.apply(5)
        assert "group.support" in applied.out
        assert re.search(r"members cannot be changed \(2 to add\): the server has no PATCH", _one_line(applied.out))
        ann = foreign.users()["ann.ng@example.com"]
        assert ann["active"] is False
        assert members(foreign, "Support") == set()
        team.settled(5)

        by_hand = {**foreign.groups()["Support"], "members": [{"value": ids(foreign)["p00"]}, {"value": ann["id"]}]}
        foreign.request("PUT", f"/Groups/{by_hand['id']}", by_hand)
        team.brought_about()

        team.declare({"p00": others["p00"]}, {"support": {**group, "members": ["p00"]}})
        assert "(1 to remove)" in _one_line(team.apply(5).out)
        # who is switched off already has nothing left that could be taken
        assert set(ids(foreign)) == {"p00", "ann.ng"}


def _one_line(text: str) -> str:
    return " ".join(text.split())


# --- by cursor


@pytest.mark.parametrize(
    "pagination",
    [
        {},
        {"index": True},
        {"index": True, "defaultPaginationMethod": "index"},
    ],
    ids=["cursor-only", "cursor-first", "index-first"],
)
def test_paged_by_cursor(tmp_path: Path, pagination: dict[str, Any]) -> None:
    base = {"cursor": True, "index": False, "defaultPaginationMethod": "cursor"}
    sizes = {"defaultPageSize": 10, "maxPageSize": 50}
    with scim2_server(tmp_path / "server.log", "cursor", pagination={**base, **sizes, **pagination}) as foreign:
        team = Team(quick(tmp_path / "team"), foreign)
        team.settings(removal="delete", pageSize=20)
        users = people(60)
        team.declare(users, {"all": {"displayName": "All", "members": list(users)}})
        team.brought_about()
        assert len(foreign.users()) == 60
        assert members(foreign, "All") == set(users)
        for key in list(users)[::2]:
            del users[key]
        team.declare(users, {"all": {"displayName": "All", "members": list(users)}})
        team.brought_about()
        assert set(ids(foreign)) == set(users)


# --- pages that never move on


def test_a_server_that_always_answers_its_first_page_is_refused(folder: Folder, tmp_path: Path) -> None:
    with server("scimmy5", tmp_path / "server.log") as foreign:
        team = Team(folder, foreign)
        team.settings()
        for n in range(25):
            foreign.request("POST", "/Users", {"schemas": [published.CORE_USER], "userName": f"p{n:02}@example.com"})
        team.declare(people(25))
        for command in (["plan"], ["apply", "--auto-approve"], ["drift"]):
            done = team.run(*command)
            assert done.code == 1
            assert re.search(r"first page again .*20 of 25 rows", _one_line(done.err)), done.err
        assert foreign.request("GET", "/Users?count=100")["totalResults"] == 25
