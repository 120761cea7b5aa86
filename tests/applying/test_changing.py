"""Ways to change a resource: PUT where there is no PATCH, never for groups, and in parts where the whole is refused."""

import json
from collections.abc import Callable

import httpx
import pytest
from msgspec.structs import replace

from reconciler.model import Failed, PatchOp, PatchOperation, PatchResource, Succeeded
from reconciler.profiles.profile import RFC, UserUpdate
from tests.applying.performing_world import (
    Forward,
    World,
    create_user,
    patch_members,
    patch_user,
    user_address,
)


@pytest.fixture
def world() -> World:
    return World()


def without_patch(status: int) -> Callable[[httpx.Request, Forward], httpx.Response]:
    def twist(request: httpx.Request, forward: Forward) -> httpx.Response:
        return httpx.Response(status) if request.method == "PATCH" else forward(request)

    return twist


def by(world: World, way: UserUpdate) -> World:
    world.profile = replace(RFC, lifecycle=replace(RFC.lifecycle, user_update=way))
    return world


@pytest.mark.parametrize("status", [405, 501])
def test_put_where_patch_is_refused(world: World, status: int) -> None:
    ann = world.user("ann@example.com", nickName="A", roles=[{"value": "agent"}])
    world.twist = without_patch(status)
    (done,) = world.run(patch_user(1, "ann", ann, title="Lead"))
    assert isinstance(done, Succeeded)
    assert [method for method, _ in world.requests] == ["PATCH", "GET", "PUT"]
    stored = world.stored_user(ann)
    assert (stored["title"], stored["nickName"]) == ("Lead", "A")
    assert [each["value"] for each in stored["roles"]] == ["agent"]


def test_put_at_once_where_the_profile_says_so_with_the_version_that_was_read(world: World) -> None:
    ann = world.user("ann@example.com")
    version = world.version(ann)
    (done,) = by(world, UserUpdate.PUT).run(patch_user(1, "ann", ann, version=version, title="Lead"))
    assert isinstance(done, Succeeded)
    assert [method for method, _ in world.requests] == ["GET", "PUT"]
    assert world.asked[-1].headers["If-Match"] == version
    body = json.loads(world.asked[-1].content)
    assert "meta" not in body
    assert "groups" not in body


def test_no_put_where_the_profile_forbids_it(world: World) -> None:
    ann = world.user("ann@example.com")
    world.twist = without_patch(501)
    (failed,) = by(world, UserUpdate.PATCH).run(patch_user(1, "ann", ann, title="Lead"))
    assert isinstance(failed, Failed)
    assert failed.status == 501
    assert [method for method, _ in world.requests] == ["PATCH"]


def test_a_put_does_not_undo_what_others_did_since_the_plan(world: World) -> None:
    ann = world.user("ann@example.com", title="Agent")
    version = world.version(ann)
    world.change(f"/Users/{ann}", {"op": "replace", "path": "title", "value": "Boss"})
    (failed,) = by(world, UserUpdate.PUT).run(patch_user(1, "ann", ann, version=version, nickName="A"))
    assert isinstance(failed, Failed)
    assert failed.message == "changed meanwhile by somebody else; plan again"
    assert world.stored_user(ann)["title"] == "Boss"


def test_a_put_that_loses_the_race_for_the_version_fails(world: World) -> None:
    ann = world.user("ann@example.com", title="Agent")

    def twist(request: httpx.Request, forward: Forward) -> httpx.Response:
        if request.method == "PUT":
            world.change(f"/Users/{ann}", {"op": "replace", "path": "title", "value": "Boss"})
        return forward(request)

    world.twist = twist
    (failed,) = by(world, UserUpdate.PUT).run(patch_user(1, "ann", ann, nickName="A"))
    assert isinstance(failed, Failed)
    assert failed.message == "changed meanwhile by somebody else; plan again"
    assert world.stored_user(ann)["title"] == "Boss"


def test_a_put_of_somebody_who_is_gone(world: World) -> None:
    (failed,) = by(world, UserUpdate.PUT).run(patch_user(1, "ann", "nobody", title="Lead"))
    assert isinstance(failed, Failed)
    assert (failed.status, failed.message) == (404, "it was deleted meanwhile")


def test_a_put_of_somebody_who_cannot_be_read(world: World) -> None:
    ann = world.user("ann@example.com")
    world.twist = lambda request, forward: httpx.Response(500) if request.method == "GET" else forward(request)
    (failed,) = by(world, UserUpdate.PUT).run(patch_user(1, "ann", ann, title="Lead"))
    assert isinstance(failed, Failed)
    assert "cannot be read, so it cannot be replaced" in failed.message
    assert [method for method, _ in world.requests if method == "PUT"] == []


def test_a_group_is_never_replaced(world: World) -> None:
    ann = world.user("ann@example.com")
    team = world.group("Team", ann)
    bo = world.user("bo@example.com")
    world.twist = without_patch(405)
    (failed,) = by(world, UserUpdate.PUT).run(patch_members(1, "team", team, add=[bo]))
    assert isinstance(failed, Failed)
    assert "a group is never replaced as a whole" in failed.message
    assert "PUT" not in [method for method, _ in world.requests]
    assert world.members(team) == {ann}


def test_an_unsupported_path_goes_by_put_and_a_bad_value_does_not(world: World) -> None:
    ann = world.user("ann@example.com")

    def twist(request: httpx.Request, forward: Forward) -> httpx.Response:
        if request.method != "PATCH":
            return forward(request)
        kind = "invalidPath" if b"title" in request.content else "invalidValue"
        return httpx.Response(400, json={"status": "400", "scimType": kind, "detail": "no"})

    world.twist = twist
    done, failed = world.run(patch_user(1, "ann", ann, title="Lead"), patch_user(2, "ann", ann, nickName="A"))
    assert isinstance(done, Succeeded)
    assert isinstance(failed, Failed)
    stored = world.stored_user(ann)
    assert stored["title"] == "Lead"
    assert "nickName" not in stored


def test_access_is_taken_even_if_something_beside_it_is_refused(world: World) -> None:
    ann = world.user("ann@example.com", roles=[{"value": "admin"}])

    def twist(request: httpx.Request, forward: Forward) -> httpx.Response:
        bad = request.method == "PATCH" and b"title" in request.content
        return httpx.Response(400, json={"scimType": "invalidValue", "detail": "no title"}) if bad else forward(request)

    world.twist = twist
    operations = (
        PatchOperation(op=PatchOp.REPLACE, path="active", value=False),
        PatchOperation(op=PatchOp.REPLACE, path="title", value="x"),
        PatchOperation(op=PatchOp.REMOVE, path='roles[value eq "admin"]'),
    )
    (failed,) = world.run(PatchResource(number=1, address=user_address("ann"), live_id=ann, operations=operations))
    assert isinstance(failed, Failed)
    assert failed.message == "title: invalidValue: no title; the rest of the change is done"
    stored = world.stored_user(ann)
    assert stored["active"] is False
    assert not stored.get("roles")


def test_a_stale_version_is_not_tried_in_parts(world: World) -> None:
    ann = world.user("ann@example.com")
    version = world.version(ann)
    world.change(f"/Users/{ann}", {"op": "replace", "path": "title", "value": "Boss"})
    (failed,) = world.run(patch_user(1, "ann", ann, version=version, nickName="A", userType="x"))
    assert isinstance(failed, Failed)
    assert [method for method, _ in world.requests] == ["PATCH", "GET"]
    assert "nickName" not in world.stored_user(ann)


@pytest.mark.parametrize("known", [True, False])
def test_an_id_that_was_known_before_is_an_earlier_account(world: World, known: bool) -> None:
    old = {"id": "u-1", "userName": "ann@example.com", "title": "Boss", "meta": {"version": 'W/"9"'}}

    def twist(request: httpx.Request, forward: Forward) -> httpx.Response:
        if request.method == "POST":
            return httpx.Response(201, json=old)
        return httpx.Response(204)

    world.twist = twist
    (done,) = world.run(create_user(1, "ann", nickName="A"), known=["u-1"] if known else [])
    assert isinstance(done, Succeeded)
    assert done.live_id == "u-1"
    assert done.note == (
        "restored: the server brought an earlier user back; it came with what nobody declared: title" if known else ""
    )
    sent = [json.loads(each.content)["Operations"] for each in world.asked if each.method == "PATCH"]
    assert sent == ([[{"op": "add", "path": "nickName", "value": "A"}]] if known else [])


@pytest.mark.parametrize(
    ("meta", "old"),
    [
        ({"created": "2020-01-01T00:00:00Z", "lastModified": "2026-01-01T00:00:00Z"}, True),
        ({"created": "2026-01-01T00:00:00Z", "lastModified": "2026-01-01T00:00:01Z"}, False),
        ({"created": "2020-01-01T00:00:00", "lastModified": "2026-01-01T00:00:01Z"}, False),
        ({"created": "yesterday", "lastModified": "2026-01-01T00:00:01Z"}, False),
        ({"lastModified": "2026-01-01T00:00:01Z"}, False),
    ],
)
def test_an_account_that_was_made_long_before_is_an_earlier_one(world: World, meta: dict[str, str], old: bool) -> None:
    answer = {"id": "u-1", "userName": "ann@example.com", "meta": meta}
    world.twist = lambda request, forward: httpx.Response(201, json=answer)
    (done,) = world.run(create_user(1, "ann"))
    assert isinstance(done, Succeeded)
    assert done.note == ("restored: the server brought an earlier user back" if old else "")


def test_an_amendment_that_is_refused_is_told(world: World) -> None:
    def twist(request: httpx.Request, forward: Forward) -> httpx.Response:
        if request.method == "POST":
            return httpx.Response(200, json={"id": "u-1", "userName": "ann@example.com", "title": "Old"})
        return httpx.Response(400, json={"scimType": "mutability", "detail": "fixed"})

    world.twist = twist
    (done,) = world.run(create_user(1, "ann", title="New"))
    assert isinstance(done, Succeeded)
    assert "it could not be changed to what was sent: 400 mutability: fixed" in done.note
