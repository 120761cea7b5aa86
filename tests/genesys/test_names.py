"""Names that the organisation must have: what looks like a slip is said in the plan, before anybody is refused."""

from typing import Any

import pytest

from tests.genesys.company import ENT, GEN, Company
from tests.genesys.life import BOB, CHE

THERE = {
    "roles": [{"value": "Night Lead"}],
    ENT: {"division": "EMEA"},
    GEN: {
        "routingSkills": [{"name": "Technical Support", "proficiency": 1}],
        "routingLanguages": [{"name": "German", "proficiency": 1}],
    },
}


@pytest.fixture
def here(org: Company) -> Company:
    """Somebody has one name of each kind; nobody else has any."""
    org.elsewhere("POST", "/Users", {"userName": "ann@example.com", "displayName": "Ann", **THERE})
    return org


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ({"roles": ["Night Laed"]}, 'roles: nobody on the server has "Night Laed", and somebody has "Night Lead"'),
        ({"roles": ["night-lead"]}, 'roles: nobody on the server has "night-lead", and somebody has "Night Lead"'),
        ({"division": "Emea"}, 'division: nobody on the server has "Emea", and somebody has "EMEA"'),
        (
            {"routingSkills": {"technical support": 1}},
            'routingSkills: nobody on the server has "technical support", and somebody has "Technical Support"',
        ),
        (
            {"routingLanguages": {"Germann": 1}},
            'routingLanguages: nobody on the server has "Germann", and somebody has "German"',
        ),
        ({"roles": ["Night Lead"]}, ""),
        ({"roles": ["Night Lead 2"]}, ""),
        ({"roles": ["Agent"]}, ""),
        ({"division": "APAC"}, ""),
        ({"routingSkills": {"Technical Support": 3}}, ""),
        ({"title": "Night Laed", "department": "Emea"}, ""),
    ],
)
@pytest.mark.parametrize("new", [True, False], ids=["new", "changed"])
def test_a_slip_is_said_with_its_line_and_stops_nothing(here: Company, lines: Any, said: str, new: bool) -> None:
    if not new:
        here.declare({"che": CHE})
        here.apply()
    here.declare({"bob": BOB, "che": CHE | lines})
    plan = here.plan()
    slips = [each for each in plan.notices if each.code == "name-like-another"]
    assert [each.summary for each in slips] == ([said] if said else [])
    assert all(str(each.source).startswith("identities/all.yaml:") and each.mend for each in slips)
    assert {str(each.address) for each in plan.changes} >= {"user.bob", "user.che"}


def test_one_slip_of_many_is_said_once_and_no_more_when_it_is_there(here: Company) -> None:
    people = {f"p{each}": {"userName": f"p{each}@example.com", "displayName": "P"} for each in range(3)}
    here.declare({key: lines | {"roles": ["Night Leed"]} for key, lines in people.items()})
    (slip,) = [each for each in here.plan().notices if each.code == "name-like-another"]
    assert str(slip.address) == "user.p0"
    here.service.seed({"roles": ["Night Leed"]})
    assert here.apply().said == []
    assert [each for each in here.plan().notices if each.code == "name-like-another"] == []
