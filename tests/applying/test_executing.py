"""Operations in, results out: order, ids, dependencies, versions, and when a run goes no further."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from reconciler.model import (
    CreateResource,
    DeleteResource,
    Failed,
    Json,
    NotTried,
    ResourceType,
    Result,
    Skipped,
    Succeeded,
    known_after_apply,
)
from reconciler.profiles.profile import RFC
from reconciler.refreshing import decode_resource
from reconciler.scim.attributes import CORE_USER, ENTERPRISE_USER
from tests.applying.performing_world import (
    Forward,
    World,
    create_group,
    create_user,
    delete_user,
    group_address,
    patch_members,
    patch_user,
    user_address,
)

MANAGER = f"{ENTERPRISE_USER}:manager"


@pytest.fixture
def world() -> Iterator[World]:
    opened = World()
    yield opened
    opened.service.close()


def kinds(results: tuple[Result, ...]) -> list[str]:
    return [type(each).__name__ for each in results]


def answer(status: int, **members: Any) -> httpx.Response:
    return httpx.Response(status, json=members)


# --- what is done


def test_a_whole_run_in_the_order_of_numbers(world: World) -> None:
    old = world.user("old@example.com")
    seen: list[Result] = []
    results = world.run(
        patch_members(5, "ops", None, add=[known_after_apply(user_address("bo"))], after=(2, 4)),
        delete_user(1, "old", old),
        create_user(2, "bo"),
        create_user(3, "ann", after=(2,), **{ENTERPRISE_USER: {"manager": {"value": "bulkId:user.bo"}}}),
        create_group(4, "ops"),
        patch_user(6, "ann", None, after=(3,), title="Lead"),
        progress=seen.append,
    )
    assert kinds(results) == ["Succeeded"] * 6
    assert [each.number for each in results] == [1, 2, 3, 4, 5, 6]
    assert tuple(seen) == results
    _, bo, ann, ops, *_ = (each.live_id for each in results if isinstance(each, Succeeded))
    assert world.stored_user(ann)[ENTERPRISE_USER]["manager"]["value"] == bo
    assert world.stored_user(ann)["title"] == "Lead"
    assert world.members(ops) == {bo}
    assert not world.exists("/Users/" + old)
    assert [method for method, _ in world.requests] == [
        "GET",
        "DELETE",
        "POST",
        "POST",
        "POST",
        "PATCH",
        "PATCH",
    ]


def test_nothing_to_do_asks_nothing(world: World) -> None:
    assert world.run() == ()
    assert world.asked == []


@pytest.mark.parametrize(
    ("twist", "live_id"),
    [
        (lambda _: answer(201, id="x1"), "x1"),
        (lambda _: answer(201, ID="x1"), "x1"),
        (lambda _: httpx.Response(201, headers={"Location": "/scim/v2/Users/a%2Fb/"}), "a/b"),
        (lambda _: httpx.Response(201, headers={"Location": "https://other.example.com/Users/x1?v=1"}), "x1"),
        (lambda _: answer(200, id="x1"), "x1"),
    ],
)
def test_the_id_of_what_was_created(world: World, twist: Callable[[Any], httpx.Response], live_id: str) -> None:
    world.twist = lambda request, _: twist(request)
    (result,) = world.run(create_user(1, "ann"))
    assert isinstance(result, Succeeded)
    assert result.live_id == live_id
    assert len(world.asked) == 1


@pytest.mark.parametrize(
    "response",
    [
        httpx.Response(201),
        *(answer(201, id=each) for each in ("", "..", 7, "bulkId:user.bob", "x\n1", "x" * 2000)),
    ],
    ids=str,
)
def test_a_create_without_an_id_is_unknown(world: World, response: httpx.Response) -> None:
    world.twist = lambda *_: httpx.Response(response.status_code, content=response.content)
    (result,) = world.run(create_user(1, "ann"))
    assert isinstance(result, Failed)
    assert result.unknown


def test_a_create_that_brings_an_earlier_one_back_says_so(world: World) -> None:
    world.twist = lambda *_: answer(200, id="x1")
    (result,) = world.run(create_user(1, "ann"))
    assert isinstance(result, Succeeded)
    assert "earlier" in result.note


def test_gone_already_is_deleted(world: World) -> None:
    for status in (404, 410):
        world.twist = lambda *_, status=status: httpx.Response(status)
        (result,) = world.run(delete_user(1, "ann", "x1"))
        assert isinstance(result, Succeeded)
        assert "gone" in result.note


# --- what fails, and what that stops


def test_a_conflict_names_whom_it_is_about(world: World) -> None:
    world.user("ann@example.com")
    (result,) = world.run(create_user(1, "ann"))
    assert isinstance(result, Failed)
    assert (result.status, result.unknown) == (409, False)
    assert result.message.startswith("ann@example.com exists already")


def test_what_depends_on_a_failure_is_skipped_and_the_rest_goes_on(world: World) -> None:
    world.user("bo@example.com")
    results = world.run(
        create_user(1, "bo"),
        create_user(2, "ann", after=(1,), **{ENTERPRISE_USER: {"manager": {"value": "bulkId:user.bo"}}}),
        patch_user(3, "ann", None, after=(2,), title="Lead"),
        create_user(4, "cleo"),
    )
    assert kinds(results) == ["Failed", "Skipped", "Skipped", "Succeeded"]
    assert results[1] == Skipped(number=2, message="needs user.bo, which did not succeed", because=1)
    assert results[2] == Skipped(number=3, message="needs user.ann, which did not succeed", because=2)
    assert [each.method for each in world.asked if each.method != "GET"] == ["POST", "POST"]


def test_a_reference_that_nobody_gave_an_id_is_never_sent(world: World) -> None:
    ann = world.user("ann@example.com")
    results = world.run(patch_user(1, "ann", ann, after=(), version=None, **{MANAGER: {"value": "bulkId:user.bo"}}))
    assert results == (Skipped(number=1, message="needs user.bo, which did not succeed", because=1),)
    assert world.asked == []


@pytest.mark.parametrize(
    ("response", "status", "unknown"),
    [
        (answer(403, detail="no right"), 403, False),
        (answer(400, scimType="invalidValue", detail="no such role"), 400, False),
        (httpx.Response(500, html="<html>"), 500, False),
        (httpx.Response(501), 501, False),
        (httpx.Response(502), 502, True),
        (httpx.Response(202), 202, True),
        (httpx.Response(302, headers={"Location": "https://other.example.com/"}), 302, False),
        (httpx.Response(200, html="<html>Sign in</html>"), 200, True),
        (httpx.ReadTimeout("slow"), None, True),
        (httpx.ConnectError("refused"), None, False),
    ],
)
def test_one_failure_is_a_result_and_the_run_goes_on(
    world: World, response: httpx.Response | Exception, status: int | None, unknown: bool
) -> None:
    ann, bo = world.user("ann@example.com"), world.user("bo@example.com")

    def twist(request: httpx.Request, forward: Forward) -> httpx.Response:
        if not request.url.path.endswith(ann):
            return forward(request)
        if isinstance(response, Exception):
            raise response
        return response

    world.twist = twist
    failed, done = world.run(patch_user(1, "ann", ann, title="Lead"), patch_user(2, "bo", bo, title="Lead"))
    assert isinstance(failed, Failed)
    assert (failed.status, failed.unknown) == (status, unknown)
    assert isinstance(done, Succeeded)
    assert [method for method, _ in world.requests if method != "GET"] == ["PATCH", "PATCH"]


def test_a_request_id_is_kept_for_the_provider(world: World) -> None:
    world.twist = lambda *_: httpx.Response(400, headers={"X-Request-ID": "r-17"}, json={"detail": "no"})
    (failed,) = world.run(create_user(1, "ann"))
    assert isinstance(failed, Failed)
    assert failed.message == "no (request r-17)"


def test_a_credential_that_is_not_accepted_ends_the_run(world: World) -> None:
    world.twist = lambda *_: answer(401, detail="expired")
    results = world.run(create_user(1, "ann"), create_user(2, "bo"), create_user(3, "cleo"))
    assert kinds(results) == ["Failed", "NotTried", "NotTried"]
    assert len(world.asked) == 1
    assert results[1] == NotTried(number=2, message="the credential is no longer accepted")


def test_a_server_that_has_fallen_silent_ends_the_run(world: World) -> None:
    def silent(*_: object) -> httpx.Response:
        raise httpx.ConnectError("refused")

    world.twist = silent
    results = world.run(*(create_user(each, f"u{each}") for each in range(1, 7)))
    assert kinds(results) == ["Failed"] * 3 + ["NotTried"] * 3
    assert len(world.asked) == 3


def test_single_silences_do_not_end_the_run(world: World) -> None:
    def flaky(request: httpx.Request, forward: Forward) -> httpx.Response:
        if request.method == "POST" and sum(each.method == "POST" for each in world.asked) % 2:
            raise httpx.ReadTimeout("slow")
        return forward(request)

    world.twist = flaky
    results = world.run(*(create_user(each, f"u{each}") for each in range(1, 9)))
    assert kinds(results) == ["Failed", "Succeeded"] * 4


@pytest.mark.parametrize("after", [0, 1, 2])
def test_stop_finishes_the_current_request_and_no_more(world: World, after: int) -> None:
    results = world.run(
        *(create_user(each, f"u{each}") for each in range(1, 4)), stop=lambda: len(world.asked) >= after
    )
    assert kinds(results) == ["Succeeded"] * after + ["NotTried"] * (3 - after)
    assert len(world.asked) == after


# --- versions


def test_a_planned_version_goes_along_and_the_next_change_takes_the_new_one(world: World) -> None:
    ann = world.user("ann@example.com")
    version = world.version(ann)
    results = world.run(
        patch_user(1, "ann", ann, version=version, title="Lead"),
        patch_user(2, "ann", ann, version=version, nickName="Annie"),
    )
    assert kinds(results) == ["Succeeded", "Succeeded"]
    sent = [each.headers["If-Match"] for each in world.asked]
    assert sent[0] == version
    assert len(set(sent)) == 2
    assert len(world.asked) == 2


def test_after_an_answer_without_a_version_none_is_sent(world: World) -> None:
    world.twist = lambda *_: httpx.Response(204, headers={"ETag": '"hash"'})
    world.run(
        patch_user(1, "ann", "x1", version='W/"1"', title="a"), patch_user(2, "ann", "x1", version='W/"1"', title="b")
    )
    assert ["If-Match" in each.headers for each in world.asked] == [True, False]


def test_what_was_changed_meanwhile_is_not_overwritten(world: World) -> None:
    ann = world.user("ann@example.com")
    version = world.version(ann)
    world.change("/Users/" + ann, {"op": "replace", "path": "title", "value": "Theirs"})
    (failed,) = world.run(patch_user(1, "ann", ann, version=version, title="Ours"))
    assert isinstance(failed, Failed)
    assert (failed.status, failed.unknown) == (412, False)
    assert "changed meanwhile" in failed.message
    assert world.stored_user(ann)["title"] == "Theirs"
    assert [method for method, _ in world.requests] == ["PATCH", "GET"]


@pytest.mark.parametrize("refusal", [answer(412), answer(409, detail="version"), answer(400, scimType="invalidVers")])
def test_a_conflict_about_a_version_that_did_not_move_is_none(world: World, refusal: httpx.Response) -> None:
    ann = world.user("ann@example.com")

    def fussy(request: httpx.Request, forward: Forward) -> httpx.Response:
        return refusal if "If-Match" in request.headers else forward(request)

    world.twist = fussy
    (done,) = world.run(patch_user(1, "ann", ann, version=world.version(ann), title="Lead"))
    assert isinstance(done, Succeeded)
    assert [method for method, _ in world.requests] == ["PATCH", "GET", "PATCH"]
    assert world.stored_user(ann)["title"] == "Lead"


@pytest.mark.parametrize(
    "refusal", [answer(409, scimType="uniqueness"), answer(400, scimType="invalidValue"), answer(500)]
)
def test_other_refusals_are_no_matter_of_versions(world: World, refusal: httpx.Response) -> None:
    world.twist = lambda *_: refusal
    (failed,) = world.run(patch_user(1, "ann", "x1", version='W/"1"', title="Lead"))
    assert isinstance(failed, Failed)
    assert len(world.asked) == 1


def test_deleted_meanwhile(world: World) -> None:
    world.twist = lambda request, _: httpx.Response(412 if request.method == "PATCH" else 404)
    (failed,) = world.run(patch_user(1, "ann", "x1", version='W/"1"', title="Lead"))
    assert isinstance(failed, Failed)
    assert "deleted meanwhile" in failed.message


def test_a_conflict_that_cannot_be_looked_into_is_a_failure(world: World) -> None:
    world.twist = lambda request, _: httpx.Response(412 if request.method == "PATCH" else 500)
    (failed,) = world.run(patch_user(1, "ann", "x1", version='W/"1"', title="Lead"))
    assert isinstance(failed, Failed)
    assert "cannot be read" in failed.message


def test_a_delete_that_is_refused(world: World) -> None:
    ann = world.user("ann@example.com")
    world.twist = lambda request, forward: (
        answer(403, detail="not yours") if request.method == "DELETE" else forward(request)
    )
    (failed,) = world.run(delete_user(1, "ann", ann))
    assert isinstance(failed, Failed)
    assert failed.message == "not yours; the credential may have no right to delete users"


def test_who_cannot_be_read_is_not_deleted(world: World) -> None:
    ann = world.user("ann@example.com")
    world.twist = lambda request, forward: answer(500) if request.method == "GET" else forward(request)
    (failed,) = world.run(delete_user(1, "ann", ann))
    assert isinstance(failed, Failed)
    assert "so it is not deleted" in failed.message
    world.twist = None
    assert world.exists("/Users/" + ann)


@pytest.mark.parametrize(
    ("at_first", "by_now", "said"),
    [
        ({"active": False}, {"active": True}, "active "),
        ({}, {"userName": "bo@example.com"}, "name "),
        ({}, {"userName": "ANN@example.com", "title": "Lead"}, None),
        ({}, {"active": False}, None),
    ],
    ids=["came back", "bears another name", "is the same", "was put off"],
)
def test_who_is_not_as_the_plan_saw_her_is_not_deleted(
    world: World, at_first: dict[str, Json], by_now: dict[str, Json], said: str | None
) -> None:
    ann = world.user("ann@example.com", **at_first)
    live = {ann: decode_resource(world.stored_user(ann), ResourceType.USER, RFC)}
    world.change("/Users/" + ann, {"op": "replace", "value": by_now})
    (result,) = world.run(delete_user(1, "ann", ann), live=live)
    assert world.exists("/Users/" + ann) is (said is not None)
    if said is not None:
        assert isinstance(result, Failed)
        assert result.message == f"{said}changed meanwhile by somebody else; plan again"


@pytest.mark.parametrize("active", [True, False])
def test_what_a_server_does_not_show_by_id_is_no_change(world: World, active: bool) -> None:
    ann = world.user("ann@example.com", active=active)
    live = {ann: decode_resource(world.stored_user(ann), ResourceType.USER, RFC)}
    world.twist = lambda request, forward: answer(200, id=ann) if request.method == "GET" else forward(request)
    (result,) = world.run(delete_user(1, "ann", ann), live=live)
    assert isinstance(result, Succeeded)
    world.twist = None
    assert not world.exists("/Users/" + ann)


def test_who_is_listed_and_denied_by_id_is_deleted(world: World) -> None:
    ann = world.user("ann@example.com")
    world.twist = lambda request, forward: answer(404) if request.method == "GET" else forward(request)
    (result,) = world.run(delete_user(1, "ann", ann))
    assert isinstance(result, Succeeded)
    assert result.note == ""
    world.twist = None
    assert not world.exists("/Users/" + ann)


def test_who_was_deleted_by_others_may_be_missing_in_a_group(world: World) -> None:
    ann, bo = world.user("ann@example.com"), world.user("bo@example.com")
    ops = world.group("ops", ann)
    world.remove("/Users/" + ann)
    results = world.run(
        delete_user(1, "ann", ann), patch_members(2, "ops", ops, add=[bo]), members={ops: [ann]}, live={}
    )
    assert kinds(results) == ["Succeeded", "Succeeded"]
    assert world.members(ops) == {bo}


def test_a_group_that_somebody_joined_meanwhile_is_not_deleted(world: World) -> None:
    ann, bo = world.user("ann@example.com"), world.user("bo@example.com")
    for joined in (None, bo):
        ops = world.group(f"ops {joined}", ann)
        if joined is not None:
            world.change("/Groups/" + ops, {"op": "add", "path": "members", "value": [{"value": joined}]})
        deletion = DeleteResource(number=1, address=group_address("ops"), live_id=ops)
        (result,) = world.run(deletion, members={ops: [ann]}, live={})
        assert world.exists("/Groups/" + ops) is (joined is not None)
        if joined is not None:
            assert isinstance(result, Failed)
            assert result.message == f"members {bo} changed meanwhile by somebody else; plan again"


def test_a_profile_may_do_without_versions(world: World) -> None:
    from msgspec.structs import replace

    world.profile = replace(RFC, wire=replace(RFC.wire, use_versions=False))
    ann = world.user("ann@example.com")
    world.run(patch_user(1, "ann", ann, version='W/"old"', title="Lead"))
    assert "If-Match" not in world.asked[0].headers


# --- ids in addresses


def test_an_id_becomes_one_part_of_the_address(world: World) -> None:
    world.twist = lambda *_: httpx.Response(204)
    world.run(delete_user(1, "ann", "a/b?c#d e%"))
    assert world.asked[0].url.raw_path == b"/Users/a%2Fb%3Fc%23d%20e%25"


def test_what_is_sent_holds_no_reference(world: World) -> None:
    world.run(
        create_user(1, "bo"),
        create_user(2, "ann", after=(), **{ENTERPRISE_USER: {"manager": {"value": "bulkId:user.bo"}}}),
    )
    assert "bulkId" not in json.dumps([each.content.decode() for each in world.asked])


def test_a_create_that_is_refused_takes_no_account_of_a_name_that_is_only_like_hers(world: World) -> None:
    """The server says that weiß is taken by weiss; for us these are two people."""
    other = world.user("weiss@example.com")
    body = {"schemas": [CORE_USER], "userName": "weiß@example.com", "title": "Lead"}
    (result,) = world.run(CreateResource(number=1, address=user_address("weiss"), body=body), live={})
    assert isinstance(result, Failed)
    assert "title" not in world.stored_user(other)


def test_whoever_the_plan_knew_is_known_however_the_server_spells_its_id(world: World) -> None:
    ann = world.user("ann@example.com")
    live = {ann: decode_resource(world.stored_user(ann), ResourceType.USER, RFC)}

    def spelled(request: httpx.Request, forward: Forward) -> httpx.Response:
        response = forward(request)
        response.read()
        body = response.content.replace(b'"id"', b'"ID"')
        return httpx.Response(response.status_code, headers={"content-type": "application/scim+json"}, content=body)

    world.twist = spelled
    (result,) = world.run(create_user(1, "ann", title="Lead"), live=live)
    assert isinstance(result, Failed)
    world.twist = None
    assert "title" not in world.stored_user(ann)
    world.twist = spelled
    (result,) = world.run(create_user(1, "ann", title="Lead"), live={})
    assert isinstance(result, Succeeded)
    assert result.live_id == ann
