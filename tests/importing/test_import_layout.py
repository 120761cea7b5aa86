"""Which files an import writes, and what stands in them once for all."""

from pathlib import Path

import pytest

from reconciler.drafting import Draft, drafted, file_of, laid_out
from reconciler.drafting.keys import slug
from reconciler.model import ResourceType
from reconciler.profiles.loading import load_profile
from reconciler.refreshing import decode_resource
from reconciler.transport.listing import Row
from reconciler.yamlsource import read_yaml
from tests.cli.in_process import quick
from tests.importing.import_place import ENT, Place

RULES = load_profile("rfc").rules(ResourceType.USER)


def person(number: int, **more: str) -> Draft:
    row: Row = {"id": f"{number:04}", "userName": f"u{number:04}@example.com", ENT: more}
    live = decode_resource(row, ResourceType.USER, load_profile("rfc"))
    return drafted(live, f"u{number:04}", RULES, {}, {})


def laid(drafts: list[Draft], *there: str) -> dict[str, int]:
    return {path: len(own) for path, own in laid_out(drafts, "identities", lambda path: path in there).items()}


def people(**departments: int) -> list[Draft]:
    names = [name for name, number in departments.items() for _ in range(number)]
    return [person(number, department=name) for number, name in enumerate(names)]


@pytest.mark.parametrize(
    ("departments", "files"),
    [
        ({"Sales": 30, "Support": 20}, {"users": 50}),
        ({"Sales": 30, "Support": 21}, {"users/sales": 30, "users/support": 21}),
        ({"Sales": 60}, {"users": 60}),
        ({"Sales": 60, "IT": 4}, {"users": 64}),
        ({"Sales": 30, "IT": 4, "Support": 30}, {"users/others": 4, "users/sales": 30, "users/support": 30}),
        ({"Sales": 30, "SALES": 30, "Zoë & Co": 9}, {"users/sales": 60, "users/zoe-co": 9}),
        ({"Sales": 30, "李": 30, "Support": 30}, {"users/others": 30, "users/sales": 30, "users/support": 30}),
        ({"Sales": 30, "others": 30, "IT": 1}, {"users/others": 31, "users/sales": 30}),
        ({"Sales": 4_100, "IT": 5}, {"users/it": 5, "users/sales": 2000, "users/sales-2": 2000, "users/sales-3": 100}),
    ],
)
def test_many_people_stand_by_department(departments: dict[str, int], files: dict[str, int]) -> None:
    assert laid(people(**departments)) == {f"identities/{path}.yaml": number for path, number in files.items()}


def test_where_nobody_has_a_department_divisions_count() -> None:
    drafts = [person(number, division="A" if number % 2 else "B") for number in range(60)]
    assert laid(drafts) == {"identities/users/a.yaml": 30, "identities/users/b.yaml": 30}


def test_what_is_there_is_passed_over() -> None:
    there = ("identities/users.yaml", "identities/users-2.yaml")
    assert laid(people(Sales=2), *there) == {"identities/users-3.yaml": 2}


def test_no_file_grows_beyond_what_may_be_read() -> None:
    drafts = [person(number, costCenter="x" * 900_000) for number in range(7)]
    assert list(laid(drafts).values()) == [2, 2, 2, 1]


def test_what_a_team_has_in_common_stands_once() -> None:
    drafts = [person(number, department="Sales", division="EMEA", costCenter=str(number % 2)) for number in range(3)]
    text = file_of(drafts, [], "sales").text
    assert read_yaml(text.encode(), "").documents == (
        {
            "templates": {"sales": {"division": "EMEA", "department": "Sales"}},
            "users": {
                f"u000{number}": {
                    "from": ["sales"],
                    "userName": f"u000{number}@example.com",
                    "costCenter": str(number % 2),
                }
                for number in range(3)
            },
        },
    )
    one = [person(number, department="Sales", division=str(number)) for number in range(3)]
    assert "templates" not in file_of(one, [], "sales").text


def test_a_large_organisation_is_written_by_team_and_a_plan_leaves_it_as_it_is(tmp_path: Path) -> None:
    place = Place(quick(tmp_path / "here"))
    place.folder.write("schemas/identities.schema.json", "{}")
    place.folder.write("identities/old.yaml", "templates:\n  Billing: {title: Agent}\n")
    departments = ["Sales", "Support", "Billing"]
    place.holds(
        *(
            {
                "userName": f"u{number:02}@example.com",
                "roles": [{"value": "agent"}],
                ENT: {"department": departments[number % 3], "employeeNumber": f"{number:06}"},
            }
            for number in range(60)
        ),
        groups={"All": [*range(60)]},
    )
    ran = place.folder.run("import")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines()[:5] == [
        "61 users and 2 groups written to 5 files:",
        "  identities/users/billing.yaml  20 users",
        "  identities/users/others.yaml   1 user",
        "  identities/users/sales.yaml    20 users",
        "  identities/users/support.yaml  20 users",
    ]
    sales = (place.folder.path / "identities/users/sales.yaml").read_text("utf-8")
    assert sales.startswith(
        "# yaml-language-server: $schema=../../schemas/identities.schema.json\n"
        '# What target "office" held and nobody had declared, written by reconciler import.\n'
        "templates:\n"
        "  # what everybody in this file has in common\n"
        "  sales:\n"
        "    roles: [agent]\n"
        "    department: Sales\n"
        "\n"
        "users:\n"
        "  u00:\n"
        "    from: [sales]\n"
        "    userName: u00@example.com\n"
        "    employeeNumber: '000000'\n"
        "\n"
        "  u03:\n"
    )
    assert "templates" not in (place.folder.path / "identities/users/billing.yaml").read_text("utf-8")
    assert place.plan().code == 0


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Łukasz Y\u0131ld\u0131z", "Lukasz-Yildiz"),
        ("Søren Weiß", "Soren-Weiss"),
        ("Zoë Æbelø", "Zoe-AEbelo"),
        ("李", ""),
    ],
)
def test_names_lose_their_marks_and_not_their_letters(name: str, expected: str) -> None:
    assert slug(name) == expected
