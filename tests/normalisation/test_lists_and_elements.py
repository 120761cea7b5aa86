"""Values that come in numbers: lists of names and members, and several elements of one type."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import phonenumbers
import pytest

from reconciler.model import ListMode, PatchOp
from reconciler.scim import values
from tests.declarations.declaring import GENESYS, RFC, problems
from tests.normalisation.reading import ACME, ENTERPRISE, seen, seen_group

ADD, REPLACE, REMOVE = PatchOp.ADD, PatchOp.REPLACE, PatchOp.REMOVE
WORK_PHONE = 'phoneNumbers[type eq "work"].value'


# --- several elements of one type


def phones(*numbers: str) -> dict[str, Any]:
    return {"phoneNumbers": [{"type": "work", "value": each} for each in numbers]}


@pytest.mark.parametrize("wanted", ["+44 20 7946 0001", "+44 20 7946 0002"])
def test_one_of_several_values_is_in_place(wanted: str, tmp_path: Path) -> None:
    row = phones("+442079460001", "tel:+44-20-7946-0002")
    found = seen(tmp_path, f'phoneNumbers: {{work: "{wanted}"}}', row)
    assert (found.differences, found.not_compared) == ([], ())


def test_an_extension_with_a_number_that_the_server_derived(tmp_path: Path) -> None:
    row = phones("9001", "+13174189001")
    assert seen(tmp_path, "phoneNumbers: {work: 9001}", row, GENESYS).differences == []


@pytest.mark.parametrize("lines", ['phoneNumbers: {work: "+442079460003"}', "phoneNumbers: {work: null}"])
def test_none_of_several_values_is_named_and_nothing_is_touched(lines: str, tmp_path: Path) -> None:
    found = seen(tmp_path, lines, phones("+442079460001", "+442079460002"))
    assert found.differences == []
    (named,) = found.not_compared
    assert "phoneNumbers" in named
    assert "work" in named


def test_other_types_are_compared_all_the_same(tmp_path: Path) -> None:
    row = {
        "phoneNumbers": [*phones("+442079460001", "+442079460002")["phoneNumbers"], {"type": "home", "value": "+49301"}]
    }
    lines = 'phoneNumbers: {work: "+442079460003", home: "+442079460004"}'
    found = seen(tmp_path, lines, row)
    assert found.differences == [('phoneNumbers[type eq "home"].value', REPLACE)]
    assert len(found.not_compared) == 1


def test_equal_values_of_one_type_are_one(tmp_path: Path) -> None:
    row = phones("+442079460001", "+44 20 7946 0001")
    assert seen(tmp_path, 'phoneNumbers: {work: "+442079460001"}', row).differences == []
    assert seen(tmp_path, 'phoneNumbers: {work: "+442079460002"}', row).differences == [(WORK_PHONE, REPLACE)]


# --- shapes that are not understood


@pytest.mark.parametrize(
    ("lines", "row"),
    [
        ("title: Lead", {"title": ["Lead", "Agent"]}),
        ("name: {givenName: Ann}", {"name": "Ann Lee"}),
        ("manager: bob", {ENTERPRISE: {"manager": [{"value": "u2"}]}}),
        ("manager: bob", {ENTERPRISE: {"manager": {"$ref": "../Users/u2"}}}),
        ("manager: null", {ENTERPRISE: {"manager": {"displayName": "Bob"}}}),
        ("roles: [Admin]", {"roles": [{"display": "Admin"}]}),
    ],
)
def test_what_is_not_understood_is_not_compared(lines: str, row: dict[str, Any], tmp_path: Path) -> None:
    found = seen(tmp_path, lines, row)
    assert found.differences == []
    assert len(found.not_compared) == 1


# --- names


@pytest.mark.parametrize(
    "roles",
    [
        [{"value": "Agent"}, {"value": "Zoe\u0308"}],
        [{"value": "Zo\u00eb", "display": "x", "primary": True}, {"value": "Agent", "type": "y"}],
        ["Agent", "Zo\u00eb", "Agent"],
        [{"VALUE": "Agent"}, {"value": "Zo\u00eb"}, {"value": None}, {}, None],
    ],
)
def test_names_have_no_order_and_one_spelling(roles: list[Any], tmp_path: Path) -> None:
    assert seen(tmp_path, "roles: [Zo\u00eb, Agent]", {"roles": roles}).differences == []


@pytest.mark.parametrize(
    ("roles", "difference"),
    [
        (["Agent"], ("Zo\u00eb", ADD)),
        (["Agent", "Zo\u00eb", "Admin"], ("Admin", REMOVE)),
    ],
)
def test_one_name_is_one_change(roles: list[str], difference: tuple[str, PatchOp], tmp_path: Path) -> None:
    found = seen(tmp_path, "roles: [Zo\u00eb, Agent]", {"roles": roles})
    assert [(each.path, each.item, each.op) for each in (*found.changes, *found.drift)] == [("roles", *difference)]


def test_case_of_a_name_counts(tmp_path: Path) -> None:
    found = seen(tmp_path, "roles: [Agent]", {"roles": ["agent"]})
    assert {(each.item, each.op) for each in (*found.changes, *found.drift)} == {("Agent", ADD), ("agent", REMOVE)}


@pytest.mark.parametrize("empty", [None, [], "", {}, [{"value": None}], [None]])
def test_an_empty_list_is_none(empty: Any, tmp_path: Path) -> None:
    assert seen(tmp_path, "roles: []", {"roles": empty}).differences == []
    assert seen(tmp_path, "roles: [Agent]", {"roles": empty}).differences == [("roles", ADD)]
    assert seen(tmp_path, "roles: []", {"roles": ["Agent"]}).differences == [("roles", REMOVE)]


def test_names_that_are_never_removed_are_no_difference(tmp_path: Path) -> None:
    mode = {"roles": ListMode.AUTHORITATIVE}
    row = {"roles": [{"value": "employee"}, {"value": "Agent"}]}
    assert seen(tmp_path, "roles: [Agent]", row, GENESYS, **mode).differences == []
    assert seen(tmp_path, "roles: [Agent, employee]", row, GENESYS, **mode).differences == []
    assert seen(tmp_path, "roles: []", row, GENESYS, **mode).differences == [("roles", REMOVE)]
    missing = {"roles": [{"value": "Agent"}]}
    assert seen(tmp_path, "roles: [Agent, employee]", missing, GENESYS, **mode).differences == [("roles", ADD)]


# --- members


@pytest.mark.parametrize(
    "members",
    [
        [{"value": "u1"}, {"value": "u2"}],
        [{"value": "u2", "display": "Ann", "type": "User", "$ref": "../Users/u2"}, {"value": "u1"}],
        ["u2", "u1"],
        [{"value": "u1"}, {"value": "u2"}, {"VALUE": "u1"}],
    ],
)
def test_members_have_no_order_and_are_told_apart_by_id(members: list[Any], tmp_path: Path) -> None:
    assert seen_group(tmp_path, "members: [ann, bob]", {"members": members}).differences == []
    assert seen_group(tmp_path, "members: [bob@x.example, ann]", {"Members": members}).differences == []
    found = seen_group(tmp_path, "members: [ann, bob, cy]", {"members": members})
    assert [(each.item, each.op) for each in found.changes] == [("u3", ADD)]
    found = seen_group(tmp_path, "members: [ann]", {"members": members})
    assert [(each.item, each.op) for each in found.drift] == [("u2", REMOVE)]


@pytest.mark.parametrize("empty", [None, []])
def test_a_group_without_members(empty: Any, tmp_path: Path) -> None:
    assert seen_group(tmp_path, "members: []", {"members": empty}).differences == []
    assert seen_group(tmp_path, "members: [ann]", {"members": empty}).differences == [("members", ADD)]


def test_the_name_of_a_group_compares_without_case(tmp_path: Path) -> None:
    assert seen_group(tmp_path, "externalId: x", {"displayName": "TEAM", "externalId": "x"}).differences == []


def test_external_ids_compare_with_case(tmp_path: Path) -> None:
    assert seen_group(tmp_path, "externalId: x", {"externalId": "X"}).differences == [("externalId", REPLACE)]


def test_an_unknown_extension_of_a_group(tmp_path: Path) -> None:
    lines = f"{ACME}: {{level: 4}}"
    assert seen_group(tmp_path, lines, {ACME.upper(): {"Level": 4.0}}).differences == []
    assert seen_group(tmp_path, lines, {ACME: {"level": 5}}).differences == [(f"{ACME}:level", REPLACE)]
    assert seen_group(tmp_path, lines, {}).differences == [(f"{ACME}:level", ADD)]


# --- what is written


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ('phoneNumbers: {work: "9001"}', "wrong-phone"),
        ('phoneNumbers: {work: "020 7946 0958"}', "wrong-phone"),
        ('active: "False"', "wrong-type"),
        ("title: ''", "empty-text"),
        ("emails: {work: w@x.example, Work: w@x.example}", "repeated-item"),
        (f"{ACME}: {{label: ''}}", "empty-text"),
        (f"{ACME}: {{label: ' '}}", "empty-text"),
    ],
)
def test_what_has_no_meaning_is_refused(lines: str, code: str, tmp_path: Path) -> None:
    found = problems(tmp_path, f"users:\n  ann:\n    userName: ann@x.example\n    {lines}\n", RFC)
    assert code in {each.code for each in found}


# --- the expensive reading


CANONICAL = [
    "+442079460958",
    "+13174181234",
    "tel:+442079460958;ext=12",
    "tel:+442079460958; ext=12",
    "+442079460958;ext=7",
]


def test_canonical_numbers_never_reach_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    parse = phonenumbers.parse

    def counting(number: str, *more: Any, **named: Any) -> Any:
        asked.append(number)
        return parse(number, *more, **named)

    monkeypatch.setattr(phonenumbers, "parse", counting)
    values._parsed_phone.cache_clear()
    for each in CANONICAL:
        assert values.canonical_phone(each)
        assert values.canonical_phone(str(values.canonical_phone(each))) == values.canonical_phone(each)
    assert asked == []
    for _ in range(3):
        assert values.canonical_phone("+44 20 7946 0958") == "+442079460958"
    assert asked == ["+44 20 7946 0958"]


def test_the_library_is_not_even_imported_for_canonical_numbers() -> None:
    script = (
        "import sys; from reconciler.scim.values import canonical_phone; "
        f"print([canonical_phone(each) for each in {CANONICAL}], 'phonenumbers' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("] False")
