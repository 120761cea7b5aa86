"""One value in many spellings: no spelling is a change, and a value that really differs is exactly one.

Each row: what is declared, what a server may answer for the same, what it answers for something else, and the one
difference that is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from reconciler.model import PatchOp
from reconciler.profiles.profile import Profile
from tests.declarations.declaring import GENESYS, RFC
from tests.normalisation.reading import ACME, ENTERPRISE, GENESYS_USER, Difference, seen

ADD, REPLACE, REMOVE = PatchOp.ADD, PatchOp.REPLACE, PatchOp.REMOVE


@dataclass(frozen=True, kw_only=True)
class Spelling:
    """`lines`: YAML. `same`, `other`: rows of the listing, by what is special about them."""

    lines: str
    same: list[dict[str, Any]]
    other: list[dict[str, Any]]
    difference: Difference
    profile: Profile = field(default=RFC)


def phone(value: Any) -> dict[str, Any]:
    return {"phoneNumbers": [{"type": "work", "value": value}]}


def mail(value: Any, **more: Any) -> dict[str, Any]:
    return {"emails": [{"type": "work", "value": value, **more}]}


def enterprise(**values: Any) -> dict[str, Any]:
    return {ENTERPRISE: values}


def skills(*values: Any) -> dict[str, Any]:
    return {GENESYS_USER: {"routingSkills": [{"name": "Billing", "proficiency": each} for each in values]}}


WORK_PHONE, WORK_MAIL = 'phoneNumbers[type eq "work"].value', 'emails[type eq "work"].value'
SKILL = f'{GENESYS_USER}:routingSkills[name eq "Billing"].proficiency'
DECOMPOSED, COMPOSED = "Zoe\u0308 Mu\u0308ller", "Zo\u00eb M\u00fcller"

SPELLINGS = {
    "inactive": Spelling(
        lines="active: false",
        same=[{"active": each} for each in (False, "False", "false", "FALSE", " false ", 0)],
        other=[{"active": each} for each in (True, "True", "true", 1, None)] + [{}],
        difference=("active", REPLACE),
    ),
    "active": Spelling(
        lines="active: true",
        same=[{"active": each} for each in (True, "True", "true", 1, None)] + [{}],
        other=[{"active": each} for each in (False, "False", "FALSE", 0)],
        difference=("active", REPLACE),
    ),
    "composed letters": Spelling(
        lines=f"displayName: {COMPOSED}",
        same=[{"displayName": COMPOSED}, {"displayName": DECOMPOSED}],
        other=[{"displayName": "Zoe Muller"}, {"displayName": COMPOSED.upper()}],
        difference=("displayName", REPLACE),
    ),
    "decomposed letters in git": Spelling(
        lines=f"name: {{givenName: {DECOMPOSED}}}",
        same=[{"name": {"givenName": COMPOSED}}, {"name": {"givenName": DECOMPOSED}}],
        other=[{"name": {"givenName": "Zoe"}}],
        difference=("name.givenName", REPLACE),
    ),
    "phone number": Spelling(
        lines='phoneNumbers: {work: "+1 (317) 418-1234"}',
        same=[
            phone(each)
            for each in (
                "+13174181234",
                "+1 (317) 418-1234",
                "+1-317-418-1234",
                "+1 317.418.1234",
                " +13174181234 ",
                "tel:+13174181234",
                "tel:+1-317-418-1234",
                "TEL:+13174181234",
            )
        ],
        other=[phone(each) for each in ("+13174181235", "tel:+13174181234;ext=1", "3174181234", "+1 317 418 123")],
        difference=(WORK_PHONE, REPLACE),
    ),
    "phone number with an extension": Spelling(
        lines='phoneNumbers: {work: "+44 20 7946 0958 x12"}',
        same=[
            phone(each)
            for each in (
                "tel:+442079460958;ext=12",
                "tel:+442079460958; ext=12",
                "tel:+44-20-7946-0958;ext=12",
                "+442079460958;ext=12",
                "+44 20 7946 0958 ext. 12",
                "+44 (0)20 7946 0958 x12",
                "TEL:+442079460958;EXT=12",
            )
        ],
        other=[phone(each) for each in ("tel:+442079460958;ext=13", "+442079460958", "12")],
        difference=(WORK_PHONE, REPLACE),
    ),
    "bare extension": Spelling(
        lines="phoneNumbers: {work: 9001}",
        same=[phone("9001"), phone(9001)],
        other=[phone(each) for each in ("9002", "09001", "+19001", "+13174189001")],
        difference=(WORK_PHONE, REPLACE),
        profile=GENESYS,
    ),
    "order of elements": Spelling(
        lines="emails: {work: w@x.example, home: h@x.example}",
        same=[
            {"emails": [{"type": "work", "value": "w@x.example"}, {"type": "home", "value": "h@x.example"}]},
            {"emails": [{"type": "home", "value": "h@x.example"}, {"type": "work", "value": "w@x.example"}]},
            {"emails": [{"value": "h@x.example", "type": "home"}, {"value": "w@x.example", "type": "work"}] * 2},
        ],
        other=[
            {"emails": [{"type": "home", "value": "h@x.example"}, {"type": "work", "value": "h@x.example"}]},
        ],
        difference=(WORK_MAIL, REPLACE),
    ),
    "read-only twin of the login": Spelling(
        lines="emails: {work: w@x.example}",
        same=[
            {"emails": [twin, {"type": "work", "value": "w@x.example"}][::step]}
            for step in (1, -1)
            for twin in [{"type": "other", "value": "ann@x.example", "primary": True}]
        ],
        other=[{"emails": [{"type": "other", "value": "w@x.example", "primary": True}]}],
        difference=(WORK_MAIL, ADD),
        profile=GENESYS,
    ),
    "case of a type": Spelling(
        lines="emails: {work: w@x.example}",
        same=[{"emails": [{"type": each, "value": "w@x.example"}]} for each in ("work", "Work", "WORK")],
        other=[{"emails": [{"type": "Home", "value": "w@x.example"}]}],
        difference=(WORK_MAIL, ADD),
    ),
    "case of a declared type": Spelling(
        lines="emails: {Work: w@x.example}",
        same=[{"emails": [{"type": each, "value": "w@x.example"}]} for each in ("work", "Work")],
        other=[mail("x@x.example")],
        difference=(WORK_MAIL, REPLACE),
    ),
    "not preferred": Spelling(
        lines="emails: {work: {value: w@x.example, primary: false}}",
        same=[mail("w@x.example"), *(mail("w@x.example", primary=each) for each in (False, None, "false"))],
        other=[mail("w@x.example", primary=each) for each in (True, "True")],
        difference=('emails[type eq "work"].primary', REMOVE),
    ),
    "preferred": Spelling(
        lines="emails: {work: {value: w@x.example, primary: true}}",
        same=[mail("w@x.example", primary=each) for each in (True, "True", 1)],
        other=[mail("w@x.example"), mail("w@x.example", primary=False)],
        difference=('emails[type eq "work"].primary', ADD),
    ),
    "login": Spelling(
        lines="userName: Ann.Lee@Example.COM",
        same=[{"userName": each} for each in ("Ann.Lee@Example.COM", "ann.lee@example.com")],
        other=[],
        difference=("userName", REPLACE),
    ),
    "e-mail address": Spelling(
        lines="emails: {work: Ann.Lee@Example.COM}",
        same=[mail("Ann.Lee@Example.COM"), mail("ann.lee@example.com")],
        other=[mail("ann.lee@example.org")],
        difference=(WORK_MAIL, REPLACE),
    ),
    "case of a title counts": Spelling(
        lines="title: Agent",
        same=[{"title": "Agent"}],
        other=[{"title": "agent"}],
        difference=("title", REPLACE),
    ),
    "case of a shown e-mail address counts": Spelling(
        lines="emails: {work: {value: a@x.example, display: Ann}}",
        same=[mail("A@X.example", display="Ann")],
        other=[mail("A@X.example", display="ann")],
        difference=('emails[type eq "work"].display', REPLACE),
    ),
    "numbers as text": Spelling(
        lines="routingSkills: {Billing: 4}",
        same=[skills(4), skills(4.0), skills("4"), skills("4.0"), skills(4, 4.0)],
        other=[skills(4.5), skills("5"), skills(0)],
        difference=(SKILL, REPLACE),
        profile=GENESYS,
    ),
    "a number that is missing": Spelling(
        lines="routingSkills: {Billing: 4.0}",
        same=[skills(4)],
        other=[skills(None), {GENESYS_USER: {"routingSkills": ["Billing"]}}],
        difference=(SKILL, ADD),
        profile=GENESYS,
    ),
    "day": Spelling(
        lines="dateHire: 2026-01-31",
        same=[
            enterprise(dateHire=each)
            for each in (
                "2026-01-31",
                "2026-01-31T00:00:00Z",
                "2026-01-31T00:00:00.000Z",
                "2026-01-31T23:30:00-05:00",
                "2026-01-31T00:30:00+09:00",
                "2026-01-31T12:00:00",
            )
        ],
        other=[enterprise(dateHire=each) for each in ("2026-02-01", "2026-01-30T23:00:00Z", "January")],
        difference=(f"{ENTERPRISE}:dateHire", REPLACE),
        profile=GENESYS,
    ),
    "text that looks like a number": Spelling(
        lines="employeeNumber: 000142",
        same=[enterprise(employeeNumber="000142")],
        other=[enterprise(employeeNumber=each) for each in ("142", 142)],
        difference=(f"{ENTERPRISE}:employeeNumber", REPLACE),
    ),
    "a number where text is": Spelling(
        lines="employeeNumber: 142",
        same=[enterprise(employeeNumber="142"), enterprise(employeeNumber=142)],
        other=[enterprise(employeeNumber="0142")],
        difference=(f"{ENTERPRISE}:employeeNumber", REPLACE),
    ),
    "manager": Spelling(
        lines="manager: bob",
        same=[
            enterprise(manager=each)
            for each in (
                "u2",
                {"value": "u2"},
                {"Value": "u2", "$ref": "../Users/u2", "displayName": "Somebody else"},
            )
        ],
        other=[enterprise(manager=each) for each in ("u1", {"value": "u9", "displayName": "Bob"})],
        difference=(f"{ENTERPRISE}:manager", REPLACE),
    ),
    "names of attributes": Spelling(
        lines="title: Lead\ndepartment: Ops\nname: {givenName: Ann}\nemails: {work: w@x.example}",
        same=[
            {
                "TITLE": "Lead",
                ENTERPRISE.upper(): {"DEPARTMENT": "Ops"},
                "Name": {"GIVENNAME": "Ann"},
                "EMAILS": [{"TYPE": "work", "VALUE": "w@x.example"}],
            },
            {
                "title": "Lead",
                f"{ENTERPRISE}:department": "Ops",
                "name": {"givenName": "Ann"},
                "emails": {"type": "work", "value": "w@x.example"},
            },
        ],
        other=[
            {
                "TITLE": "lead",
                ENTERPRISE.upper(): {"DEPARTMENT": "Ops"},
                "Name": {"GIVENNAME": "Ann"},
                "EMAILS": [{"TYPE": "work", "VALUE": "w@x.example"}],
            }
        ],
        difference=("title", REPLACE),
    ),
    "names of an unknown extension": Spelling(
        lines=f"{ACME}: {{level: 4, badge: {{colour: red}}}}",
        same=[
            {ACME: {"level": 4.0, "badge": {"colour": "red"}}},
            {ACME.upper(): {"LEVEL": 4, "Badge": {"colour": "red", "size": None, "tags": [], "deep": {}}}},
            {f"{ACME}:level": 4, ACME.lower(): {"badge": {"colour": "red"}}},
        ],
        other=[{ACME: {"level": each, "badge": {"colour": "red"}}} for each in (5, "4", 4.5, True)],
        difference=(f"{ACME}:level", REPLACE),
    ),
    "members of an unknown extension": Spelling(
        lines=f"{ACME}: {{badge: {{size: 1, tags: [x, y], deep: {{a: null}}}}}}",
        same=[{ACME: {"badge": {"tags": ["x", "y"], "size": 1.0}}}],
        other=[
            {ACME: {"badge": each}}
            for each in (
                {"size": True, "tags": ["x", "y"]},
                {"size": "1", "tags": ["x", "y"]},
                {"size": 1, "tags": ["y", "x"]},
                {"size": 1, "tags": ["x", "y"], "deep": {"a": "1"}},
                {"size": 1},
            )
        ],
        difference=(f"{ACME}:badge", REPLACE),
    ),
    "what nobody declared": Spelling(
        lines="title: Lead",
        same=[
            {"title": "Lead", **each}
            for each in (
                {"favouriteColour": "blue", "nested": {"a": [1, {"b": None}]}},
                {"urn:other:2.0:User": {"x": 1}, "urn:other:2.0:User:y": 2},
                {"name": {"formatted": "Ann Lee", "givenName": "Ann"}, "nickName": "An"},
                {"emails": [{"type": "work", "value": "w@x.example", "primary": True, "display": "Ann"}]},
                {"groups": [{"value": "g9"}], "meta": {"version": "1"}, "schemas": ["x"], "password": "x"},
                {"roles": [{"value": "Admin"}], "entitlements": ["E"], "active": True},
            )
        ],
        other=[{"title": "Agent"}],
        difference=("title", REPLACE),
    ),
    "what the server fills in": Spelling(
        lines="name: {givenName: Ann}\nemails: {work: w@x.example}",
        same=[
            {"name": {"givenName": "Ann", "formatted": "Ann Lee"}, **mail("w@x.example", primary=True, display="Ann")},
        ],
        other=[{"name": {"givenName": "Anne", "formatted": "Ann"}, **mail("w@x.example", primary=True, display="Ann")}],
        difference=("name.givenName", REPLACE),
    ),
}

SAME = [
    pytest.param(each, row, id=f"{name}-{n}") for name, each in SPELLINGS.items() for n, row in enumerate(each.same)
]
OTHER = [
    pytest.param(each, row, id=f"{name}-{n}") for name, each in SPELLINGS.items() for n, row in enumerate(each.other)
]


@pytest.mark.parametrize(("spelling", "row"), SAME)
def test_equal_spellings_are_no_change(spelling: Spelling, row: dict[str, Any], tmp_path: Path) -> None:
    found = seen(tmp_path, spelling.lines, row, spelling.profile)
    assert found.differences == []
    assert found.not_compared == ()
    assert found.refused == ()


@pytest.mark.parametrize(("spelling", "row"), OTHER)
def test_a_different_value_is_one_change(spelling: Spelling, row: dict[str, Any], tmp_path: Path) -> None:
    found = seen(tmp_path, spelling.lines, row, spelling.profile)
    assert found.differences == [spelling.difference]
    assert found.not_compared == ()


NOTHING: list[Any] = [None, [], "", {}, [None]]
NO_BADGE: list[Any] = [None, {}, {"badge": None}, {"badge": {}}, {"badge": {"colour": None}}]
CLEARED: dict[str, tuple[Sequence[dict[str, Any]], dict[str, Any], str]] = {
    "title: null": ([{"title": None}, {"title": ""}, {}], {"title": "Agent"}, "title"),
    "department: ~": (
        [{ENTERPRISE: None}, enterprise(department=None), enterprise(department=""), {}],
        enterprise(department="Ops"),
        f"{ENTERPRISE}:department",
    ),
    "manager: null": (
        [enterprise(manager=each) for each in (None, "", {}, {"value": ""}, {"value": None, "displayName": None})],
        enterprise(manager={"value": "u2"}),
        f"{ENTERPRISE}:manager",
    ),
    "emails: null": (
        [
            *({"emails": each} for each in NOTHING),
            *({"emails": [{"type": "work", "value": each}]} for each in (None, "")),
        ],
        mail("w@x.example"),
        "emails",
    ),
    "emails: {work: null}": (
        [{"emails": None}, {"emails": [{"type": "work"}]}, {"emails": [{"type": "home", "value": "h@x.example"}]}],
        mail("w@x.example"),
        WORK_MAIL,
    ),
    "name: {givenName: null}": (
        [{"name": each} for each in (None, {}, "", {"givenName": None}, {"givenName": ""}, {"familyName": "Lee"})],
        {"name": {"givenName": "Ann"}},
        "name.givenName",
    ),
    "addresses: {work: null}": (
        [{"addresses": each} for each in (None, [], [{"type": "work"}], [{"type": "work", "primary": True}])],
        {"addresses": [{"type": "work", "locality": "Leeds"}]},
        'addresses[type eq "work"].locality',
    ),
    f"{ACME}: {{badge: null}}": (
        [{ACME: each} for each in NO_BADGE],
        {ACME: {"badge": {"colour": "red"}}},
        f"{ACME}:badge",
    ),
}


@pytest.mark.parametrize("lines", CLEARED)
def test_null_and_empty_are_absent(lines: str, tmp_path: Path) -> None:
    rows, held, path = CLEARED[lines]
    for row in rows:
        assert seen(tmp_path, lines, row).differences == []
    assert seen(tmp_path, lines, held).differences == [(path, REMOVE)]
    assert seen(tmp_path, "nickName: An", {"nickName": "An", **held}).differences == []


NOT_READABLE = {
    "title: Lead": ("title", {"title": "Agent"}),
    "department: Ops": ("department", enterprise(department="Other")),
    "emails: {work: w@x.example}": ("emails", mail("h@x.example")),
    "roles: [Admin]": ("roles", {"roles": [{"value": "Agent"}]}),
    f"{ACME}: {{level: 4}}": (f"{ACME}:level", {ACME: {"level": 5}}),
}


@pytest.mark.parametrize("lines", NOT_READABLE)
def test_what_the_server_does_not_keep_is_named_and_not_compared(lines: str, tmp_path: Path) -> None:
    name, row = NOT_READABLE[lines]
    less = replace(RFC, users=replace(RFC.users, not_stored=(name,)))
    for each in (row, {}):
        found = seen(tmp_path, lines, each, less)
        assert found.differences == []
        assert len(found.not_compared) == 1
    assert len(seen(tmp_path, lines, row).differences) in (1, 2)
