"""Values that a contact centre writes in its own way: equal is equal, and one digit more or less is one change."""

import json
from dataclasses import replace
from typing import Any

import pytest

from reconciler.sandbox import Request
from reconciler.sandbox.messages import Response
from tests.genesys.company import ENT, Company
from tests.genesys.life import CHE


def held(org: Company, **attributes: Any) -> None:
    """The person is there already, made by others."""
    org.elsewhere("POST", "/Users", {**CHE, **attributes})


@pytest.mark.parametrize(
    ("live", "declared"),
    [
        ("+13174181234", "+1 (317) 418-1234"),
        ("tel:+13174181234", "+1 317 418 1234"),
        ("tel:+13174181234; ext=7", "+1 317 418 1234 x7"),
        ("9001", "9001"),
    ],
)
def test_a_number_is_the_same_in_every_spelling(org: Company, live: str, declared: str) -> None:
    held(org, phoneNumbers=[{"type": "work", "value": live}])
    org.declare({"che": CHE | {"phoneNumbers": {"work": declared}}})
    assert org.plan(drift=True).changes == ()


@pytest.mark.parametrize(
    ("live", "declared"),
    [
        ("+13174181234", "+1 317 418 1235"),
        ("tel:+13174181234; ext=7", "+1 317 418 1234 x8"),
        ("tel:+13174181234; ext=7", "+1 317 418 1234"),
        ("9001", "9002"),
        ("+13174189001", "9001"),
    ],
)
def test_another_number_is_one_change(org: Company, live: str, declared: str) -> None:
    held(org, phoneNumbers=[{"type": "work", "value": live}])
    org.declare({"che": CHE | {"phoneNumbers": {"work": declared}}})
    (change,) = org.plan().changes
    assert [each.path for each in change.attribute_changes] == ['phoneNumbers[type eq "work"].value']
    assert org.apply().said == []
    assert org.plan(drift=True).changes == ()


@pytest.mark.parametrize("turned", [False, True], ids=["as-answered", "turned-round"])
@pytest.mark.parametrize("live", ["che.work@example.com", "other@example.com"])
def test_the_mirror_of_the_login_is_never_touched_in_whatever_order(org: Company, turned: bool, live: str) -> None:
    held(org, emails=[{"type": "work", "value": live}])

    def turn(request: Request) -> Response | None:
        if request.method != "GET" or "/users" not in request.target:
            return None
        answer = org.service.handle(request)
        document = json.loads(answer.body)
        for row in document.get("Resources", [document]):
            if "emails" in row:
                row["emails"].reverse()
        return Response(status=answer.status, headers=answer.headers, body=json.dumps(document).encode())

    if turned:
        org.before = turn
    org.declare({"che": CHE | {"emails": {"work": "che.work@example.com"}}})
    assert org.apply().said == []
    assert org.plan(drift=True).changes == ()
    touched = [each["path"] for write in org.writes for each in write.operations]
    assert touched == ([] if live == "che.work@example.com" else ['emails[type eq "work"].value'])


@pytest.mark.parametrize("written", ["2024-03-01", "2024-03-01T00:00:00Z"])
def test_a_date_is_read_back_as_a_day(org: Company, written: str) -> None:
    held(org, **{ENT: {"dateHire": written}})
    org.declare({"che": CHE | {"dateHire": "2024-03-01"}})
    assert org.plan(drift=True).changes == ()


def test_an_external_id_that_lists_leave_out_is_asked_for_and_compared(org: Company) -> None:
    org.service.switch(replace(org.service.directory.organisation.switches, listed_without=("externalId",)))
    held(org, externalId="x-1")
    org.declare({"che": CHE | {"externalId": "x-1"}})
    assert org.apply().said == []
    assert not org.writes
    org.declare({"che": CHE | {"externalId": "X-1"}})
    assert len(org.plan().changes) == 1
