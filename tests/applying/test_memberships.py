"""Members of groups: deltas only, checked after each change, and never fewer than the plan said."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from reconciler.applying.memberships import added, is_member_delta, members_of, removed, still_needed, without_members
from reconciler.model import Failed, PatchOp, PatchOperation, PatchResource, Skipped, Succeeded
from tests.applying.performing_world import (
    Forward,
    World,
    create_group,
    create_user,
    delete_user,
    group_address,
    patch_members,
    patch_user,
)


@pytest.fixture
def world() -> Iterator[World]:
    opened = World()
    yield opened
    opened.service.close()


@pytest.fixture
def people(world: World) -> list[str]:
    return [world.user(f"u{each}@example.com") for each in range(5)]


def methods(world: World) -> list[str]:
    return [method for method, _ in world.requests]


# --- pure parts

ADD = PatchOperation(op=PatchOp.ADD, path="members", value=[{"value": "a"}, {"value": "b"}])
TAKE = PatchOperation(op=PatchOp.REMOVE, path='members[value eq "q\\"t\\\\"]')
RENAME = PatchOperation(op=PatchOp.REPLACE, path="displayName", value="x")


def test_reading_back_what_was_written() -> None:
    assert added([ADD, TAKE, RENAME]) == {"a", "b"}
    assert removed([ADD, TAKE, RENAME]) == {'q"t\\'}
    assert is_member_delta([ADD, TAKE])
    assert not is_member_delta([ADD, RENAME])
    assert without_members([ADD, TAKE], lambda each: each == "a") == (
        PatchOperation(op=PatchOp.ADD, path="members", value=[{"value": "b"}]),
        TAKE,
    )
    assert without_members([ADD], lambda _: True) == ()
    assert still_needed([ADD, TAKE], {"a", "b"}) == ()
    assert still_needed([ADD, TAKE], {'q"t\\', "a", "b"}) == (TAKE,)
    assert still_needed([RENAME], set()) == (RENAME,)


@pytest.mark.parametrize(
    ("body", "members"),
    [
        (None, None),
        ({}, None),
        ({"displayName": "x"}, None),
        ({"members": []}, set()),
        ({"members": None}, set()),
        ({"Members": [{"Value": "a"}, "b"]}, {"a", "b"}),
    ],
)
def test_what_a_group_shows(body: Any, members: set[str] | None) -> None:
    assert members_of(body) == members


# --- requests


def test_a_delta_is_one_patch_without_a_version(world: World, people: list[str]) -> None:
    ops = world.group("Ops", people[0], people[1])
    (done,) = world.run(patch_members(1, "ops", ops, add=people[2:4], take=[people[0]]), members={ops: people[:2]})
    assert done == Succeeded(number=1, live_id=ops)
    assert world.members(ops) == {people[1], people[2], people[3]}
    assert methods(world) == ["PATCH"]
    assert "If-Match" not in world.asked[0].headers


def test_members_that_nobody_passed_are_read_once_before(world: World, people: list[str]) -> None:
    ops = world.group("Ops", people[0])
    world.run(patch_members(1, "ops", ops, add=[people[1]]), patch_members(2, "ops", ops, add=[people[2]]))
    assert methods(world) == ["GET", "PATCH", "PATCH"]


def test_an_answer_without_a_body_is_read_back_once(world: World, people: list[str]) -> None:
    ops = world.group("Ops", people[0])

    def terse(request: httpx.Request, forward: Forward) -> httpx.Response:
        answer = forward(request)
        return httpx.Response(204) if request.method == "PATCH" else answer

    world.twist = terse
    (done,) = world.run(patch_members(1, "ops", ops, add=[people[1]]), members={ops: people[:1]})
    assert done == Succeeded(number=1, live_id=ops)
    assert methods(world) == ["PATCH", "GET"]


def test_a_chunk_loses_only_those_who_were_not_created(world: World, people: list[str]) -> None:
    world.user("bo@example.com")
    failed, created, group, chunk = world.run(
        create_user(1, "bo"),
        create_user(2, "ann"),
        create_group(3, "ops"),
        patch_members(4, "ops", None, add=["bulkId:user.bo", "bulkId:user.ann", people[0]], after=(1, 2, 3)),
    )
    assert isinstance(failed, Failed)
    assert isinstance(created, Succeeded)
    assert isinstance(group, Succeeded)
    assert chunk == Succeeded(number=4, live_id=group.live_id, note="without user.bo, not created")
    assert world.members(group.live_id) == {created.live_id, people[0]}


def test_a_chunk_with_nobody_left_is_skipped(world: World) -> None:
    world.user("bo@example.com")
    ops = world.group("Ops")
    _, chunk = world.run(create_user(1, "bo"), patch_members(2, "ops", ops, add=["bulkId:user.bo"], after=(1,)))
    assert chunk == Skipped(number=2, message="needs user.bo, which did not succeed", because=1)
    assert set(methods(world)) == {"POST", "GET"}


def test_a_chunk_needs_its_group(world: World, people: list[str]) -> None:
    world.twist = lambda request, forward: httpx.Response(403) if request.method == "POST" else forward(request)
    _, chunk = world.run(create_group(1, "ops"), patch_members(2, "ops", None, add=people[:1], after=(1,)))
    assert chunk == Skipped(number=2, message="needs group.ops, which did not succeed", because=1)


def test_a_removal_goes_on_where_the_person_could_not_be_switched_off(world: World, people: list[str]) -> None:
    ops = world.group("Ops", people[0])

    def stubborn(request: httpx.Request, forward: Forward) -> httpx.Response:
        return httpx.Response(403) if request.url.path.startswith("/Users") else forward(request)

    world.twist = stubborn
    failed, chunk = world.run(
        patch_user(1, "u0", people[0], active=False), patch_members(2, "ops", ops, take=[people[0]], after=(1,))
    )
    assert isinstance(failed, Failed)
    assert isinstance(chunk, Succeeded)
    world.twist = None
    assert world.members(ops) == set()


# --- already gone


def test_somebody_who_was_deleted_first_is_no_loss(world: World, people: list[str]) -> None:
    ops = world.group("Ops", *people[:3])
    deleted, chunk = world.run(
        delete_user(1, "u0", people[0]),
        patch_members(2, "ops", ops, take=[people[0]], add=[people[3]], after=(1,)),
        members={ops: people[:3]},
    )
    assert isinstance(deleted, Succeeded)
    assert isinstance(chunk, Succeeded)
    assert world.members(ops) == {people[1], people[2], people[3]}


def test_somebody_who_was_deleted_first_need_not_be_named(world: World, people: list[str]) -> None:
    ops = world.group("Ops", *people[:3])
    _, chunk = world.run(
        delete_user(1, "u0", people[0]), patch_members(2, "ops", ops, add=[people[3]]), members={ops: people[:3]}
    )
    assert chunk == Succeeded(number=2, live_id=ops)


def test_a_server_that_hides_inactive_members_is_not_accused(world: World, people: list[str]) -> None:
    ops = world.group("Ops", *people[:2])
    hidden = [{"value": people[1]}, {"value": people[2]}]
    world.twist = lambda request, forward: (
        httpx.Response(200, json={"id": ops, "members": hidden}) if "/Groups/" in request.url.path else forward(request)
    )
    _, chunk = world.run(
        patch_user(1, "u0", people[0], active=False),
        patch_members(2, "ops", ops, add=[people[2]]),
        members={ops: people[:2]},
    )
    assert chunk == Succeeded(number=2, live_id=ops)


@pytest.mark.parametrize(
    "refusal", [httpx.Response(404), httpx.Response(400, json={"scimType": "noTarget", "detail": "no such member"})]
)
def test_no_such_member_is_success_where_it_is_so(world: World, people: list[str], refusal: httpx.Response) -> None:
    ops = world.group("Ops", people[1])

    def strict(request: httpx.Request, forward: Forward) -> httpx.Response:
        return refusal if people[0].encode() in request.content else forward(request)

    world.twist = strict
    (done,) = world.run(patch_members(1, "ops", ops, take=[people[0]]), members={ops: people[:2]})
    # the other change of members was somebody else's: people[0] was asked for, nobody else is lost
    assert done == Succeeded(number=1, live_id=ops)
    assert methods(world) == ["PATCH", "GET"]


def test_the_rest_of_a_chunk_is_sent_once_more(world: World, people: list[str]) -> None:
    ops = world.group("Ops", people[1], people[2])

    def strict(request: httpx.Request, forward: Forward) -> httpx.Response:
        gone = request.method == "PATCH" and people[0].encode() in request.content
        return httpx.Response(400, json={"scimType": "noTarget"}) if gone else forward(request)

    world.twist = strict
    (done,) = world.run(patch_members(1, "ops", ops, take=people[:2], add=[people[3]]), members={ops: people[:3]})
    assert done == Succeeded(number=1, live_id=ops)
    assert methods(world) == ["PATCH", "GET", "PATCH"]
    world.twist = None
    assert world.members(ops) == {people[2], people[3]}


def test_no_such_member_is_a_failure_where_she_is_still_there(world: World, people: list[str]) -> None:
    ops = world.group("Ops", people[0])
    world.twist = lambda request, forward: (
        httpx.Response(400, json={"scimType": "noTarget"}) if request.method == "PATCH" else forward(request)
    )
    (failed,) = world.run(patch_members(1, "ops", ops, take=[people[0]]), members={ops: people[:1]})
    assert isinstance(failed, Failed)
    assert methods(world) == ["PATCH", "GET"]


def test_a_group_that_is_gone_is_a_failure(world: World) -> None:
    (failed,) = world.run(patch_members(1, "ops", "nowhere", add=["u1"]))
    assert isinstance(failed, Failed)
    assert failed.status == 404


# --- what a server does beyond what it was asked


def emptying(world: World, group_id: str, *keep: str) -> None:
    """From now on every PATCH of a group also loses its members but some."""

    def lossy(request: httpx.Request, forward: Forward) -> httpx.Response:
        answer = forward(request)
        if request.method == "PATCH" and "/Groups/" in request.url.path:
            for each in world.members(group_id) - set(keep):
                world.change("/Groups/" + group_id, {"op": "remove", "path": f'members[value eq "{each}"]'})
            return httpx.Response(204)
        return answer

    world.twist = lossy


@pytest.mark.parametrize("passed", [True, False])
def test_members_that_vanish_end_the_run(world: World, people: list[str], passed: bool) -> None:
    ops = world.group("Ops", *people[:3])
    emptying(world, ops, people[0])
    rename = PatchResource(
        number=1,
        address=group_address("ops"),
        live_id=ops,
        operations=(PatchOperation(op=PatchOp.REPLACE, path="displayName", value="Operations"),),
    )
    failed, rest = world.run(rename, create_user(2, "ann"), members={ops: people[:3]} if passed else {})
    assert isinstance(failed, Failed)
    assert "removed 2 members not in the plan" in failed.message
    assert all(each in failed.message for each in people[1:3])
    assert type(rest).__name__ == "NotTried"
    assert "POST" not in methods(world)


def test_a_group_that_stops_naming_its_members_has_lost_them(world: World, people: list[str]) -> None:
    ops = world.group("Ops", *people[:2])
    emptying(world, ops)
    (failed,) = world.run(patch_members(1, "ops", ops, add=[people[2]]), members={ops: people[:2]})
    assert isinstance(failed, Failed)
    assert "removed 2 members" in failed.message


def test_the_last_members_may_be_taken_on_purpose(world: World, people: list[str]) -> None:
    ops = world.group("Ops", *people[:2])
    (done,) = world.run(patch_members(1, "ops", ops, take=people[:2]), members={ops: people[:2]})
    assert isinstance(done, Succeeded)


def test_what_was_ignored_is_noted(world: World, people: list[str]) -> None:
    ops = world.group("Ops", people[0])
    world.twist = lambda request, forward: httpx.Response(204) if request.method == "PATCH" else forward(request)
    (done,) = world.run(patch_members(1, "ops", ops, add=[people[1]], take=[people[0]]), members={ops: people[:1]})
    assert isinstance(done, Succeeded)
    assert done.note == f"not kept by the server: {people[1]}; still there: {people[0]}"


def test_a_server_that_never_shows_members_is_not_accused(world: World, people: list[str]) -> None:
    ops = world.group("Ops", people[0])

    def hiding(request: httpx.Request, forward: Forward) -> httpx.Response:
        return httpx.Response(forward(request).status_code, json={"id": ops, "displayName": "Ops"})

    world.twist = hiding
    (done,) = world.run(patch_members(1, "ops", ops, add=[people[1]], take=[people[0]]))
    assert done == Succeeded(number=1, live_id=ops)


def test_members_that_cannot_be_read_back_are_noted(world: World, people: list[str]) -> None:
    ops = world.group("Ops", people[0])
    world.twist = lambda request, forward: (
        httpx.Response(500) if request.method == "GET" else httpx.Response(204, request=forward(request).request)
    )
    (done,) = world.run(patch_members(1, "ops", ops, add=[people[1]]), members={ops: people[:1]})
    assert isinstance(done, Succeeded)
    assert "could not be read back" in done.note


def test_where_a_group_can_never_be_read_the_change_still_counts(world: World, people: list[str]) -> None:
    ops = world.group("Ops", people[0])
    world.twist = lambda request, forward: httpx.Response(500) if request.method == "GET" else forward(request)
    (done,) = world.run(patch_members(1, "ops", ops, add=[people[1]]))
    assert done == Succeeded(number=1, live_id=ops)
    world.twist = lambda request, _: httpx.Response(500 if request.method == "GET" else 404)
    (failed,) = world.run(patch_members(1, "ops", ops, take=[people[1]]))
    assert isinstance(failed, Failed)


def test_an_unknown_outcome_is_not_taken_for_a_loss_later(world: World, people: list[str]) -> None:
    ops = world.group("Ops", *people[:2])

    def done_but_silent(request: httpx.Request, forward: Forward) -> httpx.Response:
        answer = forward(request)
        if request.method == "GET" or people[0].encode() in request.content:
            raise httpx.ReadTimeout("slow")
        return answer

    world.twist = done_but_silent
    failed, done = world.run(
        patch_members(1, "ops", ops, take=[people[0]]),
        patch_members(2, "ops", ops, add=[people[2]], after=(1,)),
        members={ops: people[:2]},
    )
    assert isinstance(failed, Failed)
    assert failed.unknown
    assert isinstance(done, Succeeded)


# --- not yet visible


def not_yet(world: World, times: int) -> None:
    left = iter(range(times))

    def late(request: httpx.Request, forward: Forward) -> httpx.Response:
        if request.method == "PATCH" and next(left, None) is not None:
            return httpx.Response(404)
        return forward(request)

    world.twist = late


def test_what_was_just_created_has_time_to_show(world: World) -> None:
    world.settling(5.0)
    ops = world.group("Ops")
    not_yet(world, 2)
    _, done = world.run(create_user(1, "ann"), patch_members(2, "ops", ops, add=["bulkId:user.ann"], after=(1,)))
    assert isinstance(done, Succeeded)
    assert world.time.slept == [0.5, 1.0]


def test_the_time_to_show_ends(world: World) -> None:
    world.settling(2.0)
    ops = world.group("Ops")
    not_yet(world, 99)
    _, failed = world.run(create_user(1, "ann"), patch_members(2, "ops", ops, add=["bulkId:user.ann"], after=(1,)))
    assert isinstance(failed, Failed)
    assert sum(world.time.slept) <= 2.0


def test_a_404_about_somebody_old_is_not_waited_for(world: World, people: list[str]) -> None:
    world.settling(5.0)
    ops = world.group("Ops")
    not_yet(world, 1)
    (failed,) = world.run(patch_members(1, "ops", ops, add=[people[0]]))
    assert isinstance(failed, Failed)
    assert world.time.slept == []
