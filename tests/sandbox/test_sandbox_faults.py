"""Faults that clients have to live with: each switch with its default and at least one other answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from reconciler.sandbox import open_sandbox, serve
from tests.sandbox.switch_world import (
    ENT,
    Trial,
    World,
    cases,
    from_settings,
    operation,
    sandbox,
    trial,
    values,
)


def total(world: World) -> Any:
    people(world)
    page = world.client.get("/Users", params={"count": 2}).json()
    return page["totalResults"], page["itemsPerPage"]


def page_sizes(world: World) -> Any:
    people(world)
    sizes = [world.client.get("/Users", params={"count": count}).json()["itemsPerPage"] for count in (0, 1, 5)]
    return [*sizes, world.client.get("/Users", params={"count": 5}).json()["totalResults"]]


def past_the_end(world: World) -> Any:
    people(world)
    return world.names(startIndex=7, count=2)


def paging(world: World) -> Any:
    people(world)
    return [" ".join(world.names(startIndex=start, count=2) for start in (1, 3, 5)) for _ in range(2)]


def people(world: World) -> None:
    for name in "abcde":
        world.person(name)


def filled(world: World) -> tuple[str, list[str]]:
    ids = [world.person(name) for name in ("ann", "bob", "cleo")]
    path = world.group()
    world.client.put(path, json={**world.client.get(path).json(), "members": [{"value": it} for it in ids[:2]]})
    assert values(world.client.get(path).json(), "members") == ids[:2]
    return path, ids


def delta(*operations: tuple[str, str, str]) -> Callable[[World], Any]:
    """Return a trial that patches a group with members A and B; names of people stand for their ids."""

    def act(world: World) -> Any:
        path, ids = filled(world)
        letters = dict(zip("ABC", ids, strict=True))
        sent = []
        for verb, target, who in operations:
            chosen = [{"value": letters[each]} for each in who]
            if target == "filter":
                sent.append(operation(verb, f'members[value eq "{letters[who]}"]'))
            else:
                sent.append(operation(verb, target or None, chosen if target else {"members": chosen}))
        after = world.members(path, *sent)
        back = {identifier: letter for letter, identifier in letters.items()}
        return "".join(back[each] for each in after) if isinstance(after, list) else after

    return act


def dropped(world: World) -> Any:
    created = world.post(title="Lead", **{ENT: {"department": "Sales", "employeeNumber": "1"}})
    path = f"/Users/{created.json()['id']}"
    operations = [operation("replace", "title", "x"), operation("add", f"{ENT}:department", "y")]
    patched = world.patch(path, *operations, operation("add", None, {"title": "z", "active": False}))
    return [(it.json().get("title"), it.json()[ENT].get("department")) for it in (created, patched)]


def delete_and_look(world: World) -> Any:
    path = f"/Users/{world.person()}"
    assert world.client.delete(path).status_code == 204
    left = world.client.get(path)
    return left.status_code, left.json().get("active")


def booleans(world: World) -> Any:
    body = world.post(emails=[{"type": "work", "value": "w", "primary": False}]).json()
    row = world.client.get("/Users", params={"filter": "displayName eq Ann and active eq true"}).json()["Resources"][0]
    config = world.client.get("/ServiceProviderConfig").json()["patch"]["supported"]
    return body["active"], body["emails"][-1]["primary"], row["active"], config


def mixed_case(world: World) -> Any:
    return world.post("Ann.NG").json()["userName"], world.names(filter='userName eq "ANN.ng@example.com"')


def failing_writes(world: World) -> Any:
    seen: list[Any] = []
    for name in ("ann", "ann", "ann"):
        try:
            answer = world.post(name)
        except httpx.ReadError:
            seen.append("dropped")
            continue
        seen.append((answer.status_code, answer.headers.get("content-type"), answer.headers.get("retry-after")))
    return seen, world.names(filter='userName sw "ann"')


def failing_reads(world: World) -> Any:
    return [world.client.get("/Users").status_code for _ in range(2)], world.post().status_code


# --- what comes of it -----------------------------------------------------------------------------------------------

SCIM_JSON, JSON, TEXT, HTML = "application/scim+json", "application/json", "text/plain", "text/html; charset=utf-8"
UNIQUE = (409, SCIM_JSON, None)
MADE = (201, SCIM_JSON, None)

TRIALS: dict[str, Trial] = {
    "totals of lists": trial(total, ({}, (6, 2)), ({"totals": "page"}, (2, 2)), everywhere=True),
    "sizes of pages": trial(page_sizes, ({}, [0, 1, 5, 6]), ({"page_cap": 2}, [0, 1, 2, 6]), everywhere=True),
    "behind the last page": trial(
        past_the_end,
        ({}, ""),
        ({"beyond_end": "first-page"}, "{first} a"),
        everywhere=True,
    ),
    "rows between pages": trial(
        paging,
        ({}, ["{first} a b c d e"] * 2),
        ({"moving_rows": 2}, ["{first} a c d e {first}", "{first} a b c d e"]),
        everywhere=True,
    ),
    "adding members": trial(
        delta(("add", "members", "C")), ({}, "ABC"), ({"member_add": "replaces"}, "C"), everywhere=True
    ),
    "adding members without path": trial(
        delta(("add", "", "C")), ({}, "ABC"), ({"member_add": "replaces"}, "C"), everywhere=True
    ),
    "removing one member": trial(
        delta(("remove", "filter", "A")),
        ({}, "B"),
        ({"member_remove": "ignored"}, "AB"),
        ({"member_remove": "refused"}, (400, "invalidPath")),
        everywhere=True,
    ),
    "replacing members": trial(
        delta(("replace", "members", "BC")), ({}, "BC"), ({"member_replace": "empties"}, ""), everywhere=True
    ),
    "attributes that get lost": trial(
        dropped,
        ({}, [("Lead", "Sales"), ("z", "y")]),
        ({"dropped": ("title", "Department")}, [(None, None), (None, None)]),
        everywhere=True,
    ),
    "deleting that does something else": trial(
        delete_and_look, ({}, (404, None)), ({"delete_deactivates": True}, (200, False)), everywhere=True
    ),
    "booleans": trial(
        booleans,
        ({}, (True, False, True, True)),
        ({"booleans_as_text": True}, ("True", "False", "True", True)),
    ),
    "user names with capitals": trial(
        mixed_case,
        ({}, ("Ann.NG@example.com", "Ann.NG")),
        ({"user_name_lowered": True}, ("ann.ng@example.com", "ann.ng")),
        everywhere=True,
    ),
    "writes that fail": trial(
        failing_writes,
        ({}, ([MADE, UNIQUE, UNIQUE], "ann")),
        ({"failure": "rate-text"}, ([(500, TEXT, None), MADE, UNIQUE], "ann")),
        ({"failure": "html", "failures": 3}, ([(502, HTML, None)] * 3, "")),
        ({"failure": "too-many", "failures": 2}, ([(429, JSON, "1")] * 2 + [MADE], "ann")),
        ({"failure": "conflict"}, ([UNIQUE, MADE, UNIQUE], "ann")),
        ({"failure": "drop"}, (["dropped", UNIQUE, UNIQUE], "ann")),
    ),
    "reads that fail": trial(
        failing_reads,
        ({}, ([200, 200], 201)),
        ({"failure": "html", "failing_methods": ("GET",)}, ([502, 200], 201)),
        everywhere=True,
    ),
}


@pytest.mark.parametrize(("each", "profile", "settings", "expected"), cases(TRIALS))
def test_each_switch_has_its_answers(each: Trial, profile: str, settings: dict[str, Any], expected: Any) -> None:
    with sandbox(from_settings(settings), profile) as world:
        assert each.act(world) == expected


def test_a_dropped_connection_over_http_leaves_the_change() -> None:
    service = open_sandbox(None, "genesys", switches=from_settings({"failure": "drop"}))
    body = {"userName": "ann@example.com", "displayName": "Ann"}
    with serve(service) as server, httpx.Client(base_url=server.url) as client:
        with pytest.raises(httpx.RemoteProtocolError):
            client.post("/users", json=body)
        assert client.post("/users", json=body).status_code == 409
    service.close()
