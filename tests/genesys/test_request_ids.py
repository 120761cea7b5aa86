"""Whatever fails is told with the id under which the organisation's support finds that request."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.sandbox import Access, Request
from reconciler.sandbox.messages import Response
from tests.genesys.company import CORRELATION, Company, company
from tests.genesys.life import BOB, CHE

ANN = {"userName": "ann@example.com", "displayName": "Ann", "title": "Agent"}
GROUPS = {"support": {"displayName": "Support", "members": ["bob"]}}
BODIES = {
    "platform": {"message": "Not now.", "code": "no", "status": 500, "contextId": "c", "details": [], "errors": []},
    "scim": {"schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"], "status": "500", "detail": "Not now."},
}
Refused = Callable[[Request], bool]


def refusing(org: Company, status: int, shape: str, which: Refused, times: int = 99) -> None:
    """Answer requests of a kind with an error, each with an id of its own."""
    left = [times]

    def before(request: Request) -> Response | None:
        if not which(request) or not left[0]:
            return None
        left[0] -= 1
        headers = {"Content-Type": "application/json", CORRELATION: f"asked-{left[0]}"}
        return Response(status=status, headers=headers, body=json.dumps(BODIES[shape]).encode())

    org.before = before


def users(request: Request) -> bool:
    return "/users" in request.target


def groups(request: Request) -> bool:
    return "/groups" in request.target


def of(method: str, kind: Refused) -> Refused:
    return lambda request: request.method == method and kind(request)


def ends_a_run() -> Iterator[Any]:
    for status in (400, 401, 403, 404, 409, 500):
        yield pytest.param(status, of("GET", users), id=f"people {status}")
        yield pytest.param(status, of("GET", groups), id=f"groups {status}")


@pytest.mark.parametrize("shape", BODIES)
@pytest.mark.parametrize(("status", "which"), [*ends_a_run()])
def test_a_request_that_ends_the_run(org: Company, status: int, which: Refused, shape: str) -> None:
    org.settings(auth={"bearer": "env:TOKEN"})
    org.declare({"bob": BOB}, GROUPS)
    refusing(org, status, shape, which)
    ran = org.run("plan", TOKEN="t")
    assert ran.code == 1
    said = {each.request_id for each in org.asked if each.status == status and each.request_id in ran.err}
    assert len(said) == 1, ran.err


@pytest.mark.parametrize(("status", "words"), [(401, "refused the client credentials"), (503, "gives no token now")])
def test_a_token_that_is_not_given(tmp_path: Path, status: int, words: str) -> None:
    with company(tmp_path, access=Access(client=("id", "s3cr3t"))) as org:
        client = {"clientId": "env:ID", "clientSecret": "env:SECRET", "tokenUrl": f"{org.url}/oauth/token"}
        org.settings(auth={"clientCredentials": client})
        org.declare({"bob": BOB})

        def before(request: Request) -> Response | None:
            headers = {CORRELATION: "asked-1", "Retry-After": "0"}
            return Response(status=status, headers=headers, body=b"{}") if "token" in request.target else None

        org.before = before
        ran = org.run("plan", ID="id", SECRET="s3cr3t")
        said = " ".join(ran.err.split())
        assert ran.code == 1
        assert words in said
        assert "request asked-1)" in said


@pytest.mark.parametrize("shape", BODIES)
@pytest.mark.parametrize(
    ("status", "which", "lines", "members"),
    [
        (500, of("POST", users), {"cy": CHE}, ["bob"]),
        (403, of("PATCH", users), {"ann": ANN | {"title": "Lead"}}, ["bob"]),
        (500, of("DELETE", users), {}, ["bob"]),
        (400, of("PATCH", groups), {"ann": ANN}, ["bob", "ann"]),
    ],
    ids=["create", "change", "delete", "members"],
)
def test_a_write_that_is_refused(
    org: Company, status: int, which: Refused, lines: Any, members: list[str], shape: str
) -> None:
    org.settings(policy={"removal": {"users": "delete"}})
    org.declare({"bob": BOB, "ann": ANN}, GROUPS)
    assert org.apply().said == []
    org.declare({"bob": BOB, **lines}, {"support": GROUPS["support"] | {"members": members}})
    refusing(org, status, shape, which)
    org.asked.clear()
    ran = org.run("apply", "--auto-approve")
    assert ran.code == 5
    refused = {each.request_id for each in org.asked if each.status == status}
    assert refused
    assert all(f"request {each})" in " ".join(ran.out.split()) for each in refused), ran.out


@pytest.mark.parametrize("status", [400, 409, 412])
def test_who_was_deleted_while_she_was_changed(tmp_path: Path, status: int) -> None:
    with company(tmp_path, conflict=status) as org:
        org.declare({"ann": ANN, "bob": BOB})
        org.apply()
        org.declare({"ann": ANN | {"title": "Lead"}, "bob": BOB})
        org.asked.clear()

        def deleted(request: Request) -> Response | None:
            if request.method == "GET" and request.target.endswith(ann):
                org.before = lambda _: None
                org.elsewhere("DELETE", f"/Users/{ann}")
            return None

        ann = org.stored("ann@example.com")["id"]
        org.before = deleted
        done = org.apply(
            meanwhile=lambda: org.change("ann@example.com", {"op": "replace", "path": "title", "value": "x"})
        )
        (refused,) = [each for each in org.writes if each.status == status]
        assert f"it was deleted meanwhile (request {refused.request_id})" in done.said[-1]


def test_an_account_that_was_met_and_could_not_be_changed(org: Company) -> None:
    org.declare({"bob": BOB})
    org.apply()
    org.declare({"bob": BOB, "ann": ANN})

    def meanwhile() -> None:
        org.elsewhere("POST", "/Users", ANN | {"title": "Old"})
        refusing(org, 403, "platform", of("PATCH", users))

    done = org.apply(meanwhile=meanwhile)
    (refused,) = [each for each in org.asked if each.status == 403]
    assert f"could not be changed to what was sent: 403: Not now (request {refused.request_id})" in done.notes
