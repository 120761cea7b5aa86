"""Whole targets read into a LiveState: passes, members that a listing leaves out, worlds that cannot be believed."""

from collections.abc import Callable, Mapping
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from reconciler.errors import IncompleteListing, NotScim
from reconciler.model import Json, ResourceType, Severity
from reconciler.profiles.loading import load_profile
from reconciler.profiles.profile import RFC, Profile
from reconciler.refreshing import refresh
from reconciler.sandbox import open_sandbox
from reconciler.sandbox.transport import SandboxTransport
from reconciler.scim.attributes import CORE_GROUP, CORE_USER
from reconciler.transport.client import Reader, Writer
from tests.transport.serving import FakeTime, reader

Rows = list[dict[str, Any]]


def world(
    users: Rows | Callable[[str | None], Rows] = (),  # type: ignore[assignment]
    groups: Rows = (),  # type: ignore[assignment]
    alone: Mapping[str, dict[str, Any]] | None = None,
) -> tuple[Callable[[httpx.Request], httpx.Response], list[str]]:
    """A server: rows of the two listings (those of users may depend on the filter), and groups read by id."""
    asked: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path.removeprefix("/v2"))
        kind, _, resource_id = asked[-1].strip("/").partition("/")
        if resource_id:
            found = (alone or {}).get(resource_id)
            return httpx.Response(404) if found is None else httpx.Response(200, json=found)
        listed = users if kind == "Users" else groups
        rows = listed(request.url.params.get("filter")) if callable(listed) else listed
        return httpx.Response(200, json={"totalResults": len(rows), "Resources": list(rows)})

    return handle, asked


def members_of(state: Any, group_id: str) -> set[str] | None:
    items = state.resources[group_id].items("members")
    return None if items is None else set(items)


def test_the_embedded_provider_is_read_whole_with_the_fewest_requests() -> None:
    service = open_sandbox(None, "rfc")
    transport = SandboxTransport(service)
    here: dict[str, Any] = {"base_url": "http://sandbox.localhost", "wire": RFC.wire, "signer": None}
    client = Writer(transport=transport, **here)
    for each in range(248):
        body: dict[str, Json] = {"schemas": [CORE_USER], "userName": f"u{each}@example.com", "active": each % 2 == 0}
        assert client.create("/Users", body).status == 201
    assert client.create("/Groups", {"schemas": [CORE_GROUP], "displayName": "Empty"}).status == 201
    fresh = Reader(transport=transport, **here)
    state = refresh(fresh, RFC)
    stored = service.dump()
    assert {each.id for each in state.of(ResourceType.USER)} == {each["id"] for each in stored["User"]}
    assert {each.id for each in state.of(ResourceType.GROUP)} == {each["id"] for each in stored["Group"]}
    assert sum(not each.active for each in state.of(ResourceType.USER)) == 124
    # 3 pages of users, 1 of groups, and the empty group once more if its row does not name the members
    assert fresh.requests in (4, 5)
    assert state.totals_trusted
    assert state.notices == ()
    assert all(each.version for each in state.resources.values())
    service.close()


def test_only_what_is_asked_for_is_read() -> None:
    handle, asked = world([{"id": "u1"}], [{"id": "g1", "members": []}])
    assert set(refresh(reader(handle), RFC, groups=False).resources) == {"u1"}
    assert set(refresh(reader(handle), RFC, users=False).resources) == {"g1"}
    assert asked == ["/Users", "/Groups"]


# --- passes

TWO_PASSES = replace(RFC, wire=replace(RFC.wire, user_list_filters=(None, "active eq false")))
ANN, BO = {"id": "u1", "active": True}, {"id": "u2", "active": False}


def test_all_passes_are_united() -> None:
    handle, asked = world(lambda wanted: [ANN] if wanted is None else [BO])
    state = refresh(reader(handle), TWO_PASSES)
    assert set(state.resources) == {"u1", "u2"}
    assert asked == ["/Users", "/Users", "/Groups"]


def test_somebody_in_two_passes_is_walked_again() -> None:
    answers = iter([[ANN], [{**ANN, "active": False}], [], [{**ANN, "active": False}]])
    handle, asked = world(lambda _: next(answers))
    state = refresh(reader(handle), TWO_PASSES)
    assert state.resources["u1"].active is False
    assert asked.count("/Users") == 4


def test_a_filter_that_is_ignored_stops() -> None:
    handle, asked = world(lambda _: [ANN, BO])
    with pytest.raises(IncompleteListing) as stopped:
        refresh(reader(handle), TWO_PASSES)
    assert "2 of 4 rows came twice" in stopped.value.summary
    assert "active eq false" in stopped.value.mend
    assert asked == ["/Users"] * 8


def test_a_listing_that_must_be_told_names_every_attribute() -> None:
    profile = load_profile("genesys")
    wanted: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        wanted.append(request.url.params["attributes"])
        return httpx.Response(200, json={"totalResults": 0})

    declared = {ResourceType.USER: {"urn:acme:badge": ("level",)}, ResourceType.GROUP: {"urn:acme:team": ("floor",)}}
    refresh(reader(handle, profile.wire), profile, extensions=declared)
    users = set(wanted[0].split(","))
    assert wanted[0] == wanted[1]
    assert {"id", "meta", "userName", "roles", "urn:acme:badge:level"} <= users
    for each in profile.users.table.attributes:
        assert (each.path in users) is (each.name not in profile.users.unsupported)
    assert set(wanted[2].split(",")) == {"id", "meta", "displayName", "externalId", "members", "urn:acme:team:floor"}


# --- members

SHOWN = {"id": "g1", "displayName": "Ops", "members": [{"value": "u1"}]}
HIDDEN = {"id": "g2", "displayName": "Dev"}


@pytest.mark.parametrize(
    ("alone", "users", "members"),
    [
        ({"members": [{"value": "u1"}]}, [], {"u1"}),
        ({"MEMBERS": ["u1", "u2"]}, [], {"u1", "u2"}),
        ({"members": []}, [], set()),
        ({"members": None}, [], set()),
        # neither the list nor the group names the attribute: empty, unless a user says otherwise
        ({}, [{"id": "u1"}], set()),
        ({}, [{"id": "u1", "groups": [{"value": "g9"}]}], set()),
        ({}, [{"id": "u1", "groups": [{"value": "g2", "type": "indirect"}]}], set()),
        ({}, [{"id": "u1", "groups": [{"value": "g2"}]}], None),
        ({}, [{"id": "u1", "Groups": [{"Value": "g2", "type": "direct"}]}], None),
        ({"members": [{"$ref": "../Users/u1"}]}, [], None),
    ],
)
def test_members_that_the_list_leaves_out_are_read_from_the_group(
    alone: dict[str, Any], users: Rows, members: set[str] | None
) -> None:
    handle, asked = world(users, [SHOWN, HIDDEN], {"g2": HIDDEN | alone})
    state = refresh(reader(handle), RFC)
    assert members_of(state, "g1") == {"u1"}
    assert members_of(state, "g2") == members
    assert asked == ["/Users", "/Groups", "/Groups/g2"]


def test_a_group_that_went_away_while_it_was_read_stops() -> None:
    handle, _ = world([], [HIDDEN])
    with pytest.raises(IncompleteListing, match="g2 went away"):
        refresh(reader(handle), RFC)


# --- worlds that cannot be believed


def test_low_totals_are_said() -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        rows = [{"id": "u1"}, {"id": "u2"}] if "startIndex=1&" in str(request.url) + "&" else []
        path = request.url.path.rpartition("/")[2]
        rows = rows if path == "Users" else []
        return httpx.Response(200, json={"totalResults": 1 if path == "Users" else 0, "Resources": rows})

    state = refresh(reader(handle), RFC)
    assert not state.totals_trusted
    assert [(each.severity, each.code) for each in state.notices] == [(Severity.WARNING, "totals-not-trusted")]


def test_a_user_and_a_group_with_one_id_stop() -> None:
    handle, _ = world([{"id": "1"}], [{"id": "1", "members": []}])
    with pytest.raises(NotScim, match="same id '1'"):
        refresh(reader(handle), RFC)


@pytest.mark.parametrize("bad", [None, {"userName": "x"}, {"id": 3}])
@pytest.mark.parametrize("profile", [RFC, TWO_PASSES])
def test_one_bad_row_stops(bad: Any, profile: Profile) -> None:
    handle, _ = world([{"id": "u1"}, bad])
    with pytest.raises(IncompleteListing):
        refresh(reader(handle), profile)


def test_nothing_is_concluded_from_a_listing_that_does_not_arrive_whole() -> None:
    time = FakeTime()

    def handle(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"totalResults": 3, "Resources": []})

    with pytest.raises(IncompleteListing, match="says 3, 0 rows came"):
        refresh(reader(handle, time=time), RFC)
