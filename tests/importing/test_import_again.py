"""`reconciler import` where people are declared already: who is new goes into a new file, and no line changes."""

from pathlib import Path

import pytest

from tests.cli.in_process import quick
from tests.importing.import_place import ANN, BOB, ENT, SETTINGS, Place

CY = {"userName": "cy@example.com", "displayName": "Cy", "title": "Agent", ENT: {"division": "EMEA"}}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(quick(tmp_path / "here"))


def two_targets(folders: str) -> str:
    return f"defaultTarget: office\n{SETTINGS}  other: {{profile: rfc, url: 'sandbox:', identities: [{folders}]}}\n"


def texts(place: Place) -> dict[str, str]:
    folder = place.folder.path / "identities"
    return {str(path.relative_to(folder)): path.read_text("utf-8") for path in sorted(folder.rglob("*.yaml"))}


def test_who_was_made_by_hand_goes_into_a_new_file_with_the_groups_she_is_in(place: Place) -> None:
    ids = place.holds(ANN, BOB, groups={"Support": [0], "Others": [1]})
    assert place.folder.run("import").code == 0
    assert place.folder.run("apply", "--auto-approve").code == 0
    before = texts(place)
    (cy,) = place.holds({**CY, ENT: {"manager": {"value": ids[0]}}})
    place.joins(ids[2], cy)
    place.joins(ids[3], cy)
    assert place.folder.run("drift").code == 2
    ran = place.folder.run("import")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("1 user and 0 groups written to identities/users-2.yaml.\n6 are declared already.\n")
    after = texts(place)
    assert after == {**before, "users-2.yaml": after["users-2.yaml"]}
    written = place.written()["users"]["cy"]
    assert written == {
        "userName": "cy@example.com",
        "displayName": "Cy",
        "title": "Agent",
        "manager": "ann.lee",
        "groups": ["others", "support"],
    }
    plan = place.plan()
    assert (plan.code, "No changes." in plan.out, "other hands" in plan.out) == (0, True, False), plan.out
    assert place.folder.run("drift").code == 0
    assert place.folder.run("import").out.startswith("0 users and 0 groups written.\n7 are declared already.\n")


def test_a_group_whose_members_nobody_manages_gets_no_line_through_somebody_new(place: Place) -> None:
    place.folder.write("identities/here.yaml", "groups:\n  support: {displayName: Support}\n")
    place.holds(ANN, CY, groups={"Support": [0, 1]})
    users = place.imported()["users"]
    assert "groups" not in users["cy"]
    assert place.plan().code == 0


SPOKEN_OF = {
    "released": ("released: [cy]\n", '"cy@example.com" is left out: here it is released', 1),
    "released, by login": ("released: [cy@example.com]\n", '"cy@example.com" is left out: here it is released', 1),
    "released group": ("released: [group.team]\n", '"Team" is left out: here it is released', 1),
    "an earlier name": (
        "users:\n  bob: {userName: bob@example.com, formerly: [CY@example.com]}\n",
        '"cy@example.com" is left out: here it is an earlier name of bob',
        2,
    ),
    "an earlier group": (
        "groups:\n  others: {displayName: Others, formerly: [team]}\n",
        '"Team" is left out: here it is an earlier name of others',
        2,
    ),
    "a key": (
        "users:\n  cy@example.com: {userName: bob@example.com}\n",
        '"cy@example.com" is left out: here it is the key of somebody else',
        2,
    ),
    "live, as a manager": (
        "users:\n  bob: {userName: bob@example.com, manager: {live: cy@example.com}}\n",
        '"cy@example.com" is left out: here it is named as live',
        2,
    ),
    "live, in an override": (
        "groups:\n  x: {displayName: X, overrides: {office: {members: [{live: cy@example.com}]}}}\n",
        '"cy@example.com" is left out: here it is named as live',
        2,
    ),
    "declared for another target": (
        "users:\n  cyril: {userName: cy@example.com, targets: [other]}\n",
        '"cy@example.com" is left out: here it is declared, for other targets',
        2,
    ),
    "a group of another target": (
        "groups:\n  crew: {displayName: TEAM, targets: [other]}\n",
        '"Team" is left out: here it is declared, for other targets',
        2,
    ),
}


@pytest.mark.parametrize(("text", "words", "line"), SPOKEN_OF.values(), ids=SPOKEN_OF)
def test_whom_a_line_speaks_of_is_left_out_until_the_line_changes(
    text: str, words: str, line: int, place: Place
) -> None:
    place.folder.write("reconciler.yaml", two_targets("identities"))
    place.folder.write("identities/here.yaml", text)
    place.holds(BOB, CY, groups={"Team": [0, 1], "Others": []})
    ran = place.folder.run("import", "--out", "identities/more")
    assert ran.code == 5, ran.err
    said = " ".join(ran.err.split())
    assert words in said
    assert f"identities/here.yaml:{line}:" in said
    assert place.folder.run("validate").code == 0
    assert place.plan().code in (0, 2)


def test_who_is_on_the_way_out_is_not_brought_back(place: Place) -> None:
    place.holds(ANN, CY)
    assert place.folder.run("import").code == 0
    assert place.folder.run("apply", "--auto-approve").code == 0
    file = place.folder.path / "identities" / "users.yaml"
    lines = file.read_text("utf-8").split("  cy:\n")
    file.write_text(lines[0] + "  root:" + lines[1].split("  root:")[1], "utf-8")
    ran = place.folder.run("import")
    assert ran.code == 5
    said = '"cy@example.com" is left out: it was declared as user.cy, and an apply that is still to come lets it go'
    assert said in " ".join(ran.err.split())
    assert place.folder.run("apply", "--auto-approve").code == 0
    assert "1 inactive user left out; --inactive takes them too." in place.folder.run("import").out


def test_of_whom_it_cannot_be_told_whether_she_is_declared_is_named(place: Place) -> None:
    place.folder.write("identities/here.yaml", "users:\n  cy: {userName: cy@example.com, employeeNumber: 1}\n")
    place.holds({**CY, "active": False, ENT: {"employeeNumber": "2"}})
    ran = place.folder.run("import", "--inactive")
    assert ran.code == 5
    said = " ".join(ran.err.split())
    assert '"cy@example.com" is left out: whether it is declared cannot be told mend: run `reconciler plan`' in said
    assert place.folder.run("validate").code == 0


def test_a_rule_that_takes_in_somebody_new_is_named(place: Place) -> None:
    place.folder.write("identities/here.yaml", "groups:\n  agents: {displayName: Agents, memberRule: {title: Agent}}\n")
    place.holds(CY, ANN, groups={"Agents": [0]})
    ran = place.folder.run("import")
    assert ran.code == 0
    said = " ".join(ran.err.split())
    assert (
        "here.yaml:2:3: notice[import-changes]: group.agents will be changed by the next plan: members + ann.lee"
        in said
    )
    assert "members + cy" not in said
    assert "+ ann.lee (Ann Lee)" in place.plan().out


def test_no_key_is_taken_that_another_target_has(place: Place) -> None:
    place.folder.write("reconciler.yaml", two_targets("identities, elsewhere"))
    place.folder.write("elsewhere/here.yaml", "users:\n  Cy: {userName: cy@other.example}\n")
    place.holds(CY)
    assert place.folder.run("import").code == 0
    assert place.written()["users"]["cy@example.com"]["targets"] == ["office"]
    assert place.folder.run("validate").code == 0


def test_mistakes_of_another_target_are_its_own(place: Place) -> None:
    place.folder.write("reconciler.yaml", two_targets("elsewhere"))
    place.folder.write("elsewhere/here.yaml", "users:\n  cy: {userName: cy@other.example, manager: nobody}\n")
    place.holds(CY)
    assert place.folder.run("import").code == 0
    assert place.folder.run("validate", "--target", "office").code == 0
    assert place.folder.run("validate", "--target", "other").code == 1
