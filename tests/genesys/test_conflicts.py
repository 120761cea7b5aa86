"""Two hands at once: what comes of a change where somebody else was quicker, or the answer got lost."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reconciler.model import Failed
from reconciler.sandbox import Request
from reconciler.sandbox.messages import Response
from reconciler.sandbox.switches import Failure
from tests.genesys.company import ENT, Company, company

ANN = {"userName": "ann@example.com", "displayName": "Ann", "title": "Agent", "department": "Support"}
BOB = {"userName": "bob@example.com", "displayName": "Bob"}
STATUSES = (400, 409, 412)


def replace(path: str, value: Any) -> dict[str, Any]:
    return {"op": "replace", "path": path, "value": value}


def in_place(org: Company) -> None:
    org.declare({"ann": ANN, "bob": BOB}, {"support": {"displayName": "Support", "members": ["ann"]}})
    assert org.apply().said == []


def promoted(org: Company, **more: Any) -> None:
    ann = ANN | {"title": "Lead"} | more
    org.declare({"ann": ann, "bob": BOB}, {"support": {"displayName": "Support", "members": ["ann"]}})


@pytest.mark.parametrize("status", STATUSES)
def test_somebody_else_changed_something_else(tmp_path: Path, status: int) -> None:
    with company(tmp_path, conflict=status) as org:
        in_place(org)
        promoted(org)
        done = org.apply(meanwhile=lambda: org.change("ann@example.com", replace("displayName", "Ann Lee")))
        assert done.said == []
        ann = org.stored("ann@example.com")
        assert (ann["title"], ann["displayName"]) == ("Lead", "Ann Lee")
        assert [each.status for each in org.writes[-2:]] == [status, 200]
        assert [each.headers.get("if-match") for each in org.writes[-2:]] == ["1", "2"]


@pytest.mark.parametrize("shape", ["mixed", "platform", "scim"])
@pytest.mark.parametrize("status", STATUSES)
def test_both_kinds_of_error_bodies_tell_of_a_conflict(tmp_path: Path, status: int, shape: str) -> None:
    with company(tmp_path, conflict=status, errors=shape) as org:
        in_place(org)
        promoted(org)
        done = org.apply(meanwhile=lambda: org.change("ann@example.com", replace("displayName", "Ann Berg")))
        assert done.said == []
        assert [each.status for each in org.writes[-2:]] == [status, 200]
        assert org.stored("ann@example.com")["displayName"] == "Ann Berg"


@pytest.mark.parametrize("shape", ["mixed", "platform", "scim"])
@pytest.mark.parametrize("status", STATUSES)
def test_both_kinds_tell_of_a_decision_of_somebody_else(tmp_path: Path, status: int, shape: str) -> None:
    with company(tmp_path, conflict=status, errors=shape) as org:
        in_place(org)
        promoted(org)
        done = org.apply(meanwhile=lambda: org.change("ann@example.com", replace("title", "Director")))
        (refused,) = [each for each in org.writes if each.status == status]
        assert done.said == [f"title changed meanwhile by somebody else; plan again (request {refused.request_id})"]
        assert org.stored("ann@example.com")["title"] == "Director"


@pytest.mark.parametrize("status", STATUSES)
def test_somebody_else_did_the_same(tmp_path: Path, status: int) -> None:
    with company(tmp_path, conflict=status) as org:
        in_place(org)
        promoted(org)
        done = org.apply(meanwhile=lambda: org.change("ann@example.com", replace("title", "Lead")))
        assert done.said == []
        assert org.plan().changes == ()
        assert org.writes[-1].status == status


@pytest.mark.parametrize("status", STATUSES)
def test_somebody_else_did_one_half(tmp_path: Path, status: int) -> None:
    with company(tmp_path, conflict=status) as org:
        in_place(org)
        promoted(org, department="Sales")
        assert org.apply(meanwhile=lambda: org.change("ann@example.com", replace("title", "Lead"))).said == []
        assert [each["path"].rpartition(":")[2] for each in org.writes[-1].operations] == ["department"]
        assert org.plan().changes == ()


@pytest.mark.parametrize("status", STATUSES)
def test_somebody_else_decided_otherwise(tmp_path: Path, status: int) -> None:
    with company(tmp_path, conflict=status) as org:
        in_place(org)
        org.declare({"ann": ANN | {"title": "Lead"}, "bob": BOB | {"title": "Agent"}})
        done = org.apply(meanwhile=lambda: org.change("ann@example.com", replace("title", "Director")))
        (failed,) = done.failed
        assert isinstance(failed, Failed)
        (refused,) = [each for each in org.writes if each.status == status]
        assert failed.message == f"title changed meanwhile by somebody else; plan again (request {refused.request_id})"
        assert org.stored("ann@example.com")["title"] == "Director"
        assert org.stored("bob@example.com")["title"] == "Agent"


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize(
    ("before", "after", "meanwhile"),
    [
        ({"emails": {"work": "a@x.example"}}, {"emails": None}, replace("title", "Boss")),
        ({"phoneNumbers": {"work": "+44 20 7946 0958"}}, {"phoneNumbers": {"work": "9001"}}, replace("title", "Boss")),
        ({"roles": ["Agent"]}, {"roles": ["Supervisor"]}, replace("title", "Boss")),
        ({"routingSkills": {"Billing": 1}}, {"routingSkills": {"Billing": 2, "Sales": 3}}, replace("title", "Boss")),
        ({"externalIds": {"ringcentral": "a"}}, {"externalIds": {"ringcentral": "b"}}, replace("title", "Boss")),
        ({"manager": "bob"}, {"manager": None}, replace("title", "Boss")),
        ({"dateHire": "2024-01-02"}, {"dateHire": "2024-01-03"}, replace("title", "Boss")),
        ({}, {"externalId": "new"}, replace("title", "Boss")),
    ],
    ids=lambda each: next(iter(each), "nothing") if isinstance(each, dict) else str(each),
)
def test_every_kind_of_value_survives_a_conflict(
    tmp_path: Path, status: int, before: Any, after: Any, meanwhile: Any
) -> None:
    ann = {"userName": "ann@example.com", "displayName": "Ann"}
    with company(tmp_path, conflict=status) as org:
        org.declare({"ann": ann | before, "bob": BOB})
        assert org.apply().said == []
        org.declare({"ann": ann | after, "bob": BOB})
        assert org.apply(meanwhile=lambda: org.change("ann@example.com", meanwhile)).said == []
        assert org.plan().changes == ()
        assert org.stored("ann@example.com")["title"] == "Boss"


def once(status: int, body: bytes, method: str) -> Callable[[Request], Response | None]:
    left = [1]

    def before(request: Request) -> Response | None:
        if request.method == method and left:
            left.pop()
            return Response(status=status, headers={"Content-Type": "application/json"}, body=body)
        return None

    return before


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (412, b"{}"),
        (409, b'{"message": "conflict", "status": 409}'),
        (400, b'{"scimType": "invalidVers"}'),
        (400, b'{"message": "The version does not match the current version.", "code": "bad.request", "status": 400}'),
    ],
)
def test_a_conflict_about_a_version_that_did_not_move_is_none(org: Company, status: int, body: bytes) -> None:
    in_place(org)
    promoted(org)
    org.before = once(status, body, "PATCH")
    assert org.apply().said == []
    assert org.stored("ann@example.com")["title"] == "Lead"


def test_members_are_changed_without_a_version_and_nobody_is_lost(org: Company) -> None:
    in_place(org)
    bob = org.stored("bob@example.com")["id"]
    org.declare({"ann": ANN, "bob": BOB}, {"support": {"displayName": "Support", "members": []}})
    addition = {"op": "add", "path": "members", "value": [{"value": bob}]}
    assert org.apply(meanwhile=lambda: org.change("Support", addition)).said == []
    assert org.members("Support") == ["bob@example.com"]
    (write,) = [each for each in org.writes if "groups" in each.path.lower() and each.operations[0]["op"] == "remove"]
    assert "if-match" not in write.headers


def test_two_changes_of_one_person_carry_the_newest_version(org: Company) -> None:
    in_place(org)
    org.declare(
        {"ann": ANN | {"roles": ["Agent"]}, "bob": BOB}, {"support": {"displayName": "Support", "members": ["ann"]}}
    )
    org.apply()
    new = {"userName": "cy@example.com", "displayName": "Cy"}
    org.declare({"ann": ANN | {"roles": [], "manager": "cy"}, "bob": BOB, "cy": new})
    org.asked.clear()
    assert org.apply().said == []
    patches = [each for each in org.writes if each.method == "PATCH" and "users" in each.path.lower()]
    assert [each.headers.get("if-match") for each in patches] == ["2", "3"]


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
@pytest.mark.parametrize("failure", ["conflict", "drop", "too-many", "rate-text"])
def test_a_request_that_fails_once_is_brought_to_its_end(tmp_path: Path, method: str, failure: str) -> None:
    with company(tmp_path) as org:
        in_place(org)
        org.settings(policy={"removal": {"users": "delete"}})
        new = {"userName": "cy@example.com", "displayName": "Cy"}
        org.declare({"ann": ANN | {"title": "Lead"}, "cy": new}, {"support": {"displayName": "Support", "members": []}})
        switches = org.service.directory.organisation.switches
        org.service.switch(dataclasses.replace(switches, failure=Failure(failure), failing_methods=(method,)))
        org.asked.clear()
        done = org.apply()
        assert done.said == []
        assert org.plan().changes == ()
        assert len([each for each in org.writes if each.method == "POST"]) <= 2
        assert {each["userName"] for each in org.service.dump()["User"]} >= {"ann@example.com", "cy@example.com"}
        assert "bob@example.com" not in {each["userName"] for each in org.service.dump()["User"]}


def test_a_create_without_an_answer_is_not_sent_again(tmp_path: Path) -> None:
    with company(tmp_path, failure="drop", failingMethods=["POST"]) as org:
        org.declare({"ann": ANN})
        done = org.apply()
        assert done.said == []
        assert done.notes == "confirmed: it was made, although no answer came"
        assert len(org.writes) == 1
        assert org.plan().changes == ()


@pytest.mark.parametrize("shape", ["mixed", "platform", "scim"])
def test_a_failure_is_told_with_what_the_provider_can_find_it_by(tmp_path: Path, shape: str) -> None:
    with company(tmp_path, errors=shape, forbidden=["title"]) as org:
        org.declare({"ann": ANN, "bob": BOB})
        ran = org.run("apply", "--auto-approve")
        assert ran.code == 5
        said = " ".join(ran.out.split())
        assert "may not write title" in said
        assert "(request " in said


@pytest.mark.parametrize(
    ("held", "reason"),
    [
        ({"active": True}, ""),
        ({"active": False}, ""),
        ({"active": False, "roles": [{"value": "Supervisor"}]}, "still holds roles that nobody declared"),
        ({"active": False, ENT: {"employeeNumber": "7"}}, "belongs to another employeeNumber"),
        ({"active": False, ENT: {"employeeNumber": "8"}}, ""),
        ({"active": True, ENT: {"employeeNumber": "7"}}, "belongs to another employeeNumber"),
        ({"active": True, ENT: {"employeeNumber": "8"}}, ""),
    ],
)
def test_an_account_that_no_listing_showed_is_taken_over_only_if_nothing_comes_back_with_it(
    org: Company, held: dict[str, object], reason: str
) -> None:
    def made_meanwhile() -> None:
        org.elsewhere("POST", "/Users", {"userName": "cy@example.com", "displayName": "Old", **held})

    org.declare({"bob": BOB})
    org.apply()
    org.declare({"bob": BOB, "cy": {"userName": "cy@example.com", "displayName": "Cy", "employeeNumber": "8"}})
    done = org.apply(meanwhile=made_meanwhile)
    stored = org.stored("cy@example.com")
    if reason:
        assert reason in " ".join(done.said)
        assert (stored["active"], stored["displayName"]) == (held["active"], "Old")
    else:
        assert done.said == []
        assert (stored["active"], stored["displayName"]) == (True, "Cy")
