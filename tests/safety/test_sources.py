"""Declarations that suddenly say less than was meant, and what others made on the server: whole runs remove nobody.

A folder that is empty or gone, a file that cannot be read among good ones, a bad merge, a template that puts everybody
off: the run stops before anything is written, whatever becomes of leavers by the policy. What was never declared here
is in no plan, whatever is asked for.
"""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.in_process import QuickFolder
from tests.cli.provider import Provider
from tests.safety.left_as_it_is import live
from tests.safety.rails import applied, apply, declared

PEOPLE = [f"p{number:02}" for number in range(20)]
FILES = {f"identities/f{number}.yaml": declared(*PEOPLE[number * 4 : number * 4 + 4]) for number in range(5)}
Office = tuple[QuickFolder, Provider]


@pytest.fixture(params=["deactivate", "delete"])
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    """Twenty people in five files, all of them ours."""
    with applied(tmp_path / "here", declared(*PEOPLE), f"removal: {{users: {request.param}}}") as (folder, running):
        (folder.path / "identities" / "a.yaml").unlink()
        for name, text in FILES.items():
            folder.write(name, text)
        assert folder.run("plan", "--detailed-exitcode").code == 0
        running.asked.clear()
        yield folder, running


def all_files_gone(folder: QuickFolder) -> None:
    for each in (folder.path / "identities").iterdir():
        each.unlink()


def folder_gone(folder: QuickFolder) -> None:
    shutil.rmtree(folder.path / "identities")


def other_suffix(folder: QuickFolder) -> None:
    for each in list((folder.path / "identities").iterdir()):
        each.rename(each.with_suffix(".yml"))


def hidden_names(folder: QuickFolder) -> None:
    for each in list((folder.path / "identities").iterdir()):
        each.rename(each.with_name(f".{each.name}"))


def one_file_empty(folder: QuickFolder) -> None:
    folder.write("identities/f3.yaml", "")


def one_file_of_remarks(folder: QuickFolder) -> None:
    folder.write("identities/f3.yaml", "# nobody here\n")


def one_file_broken(folder: QuickFolder) -> None:
    folder.write("identities/f3.yaml", FILES["identities/f3.yaml"] + "  p99: {userName: p99@x.example\n")


def one_file_cut(folder: QuickFolder) -> None:
    text = FILES["identities/f3.yaml"]
    folder.write("identities/f3.yaml", text[: text.index("p13@") + 2])


def conflict_markers(folder: QuickFolder) -> None:
    text = FILES["identities/f3.yaml"]
    folder.write("identities/f3.yaml", f"<<<<<<< ours\n{text}=======\nusers: {{}}\n>>>>>>> theirs\n")


def another_word(folder: QuickFolder) -> None:
    folder.write("identities/f3.yaml", FILES["identities/f3.yaml"].replace("users:", "user:"))


def nobody_in_any(folder: QuickFolder) -> None:
    for name in FILES:
        folder.write(name, "users: {}\n")


def only_a_group(folder: QuickFolder) -> None:
    all_files_gone(folder)
    folder.write("identities/g.yaml", "groups:\n  crew: {displayName: Crew}\n")


def all_for_another_target(folder: QuickFolder) -> None:
    settings = (folder.path / "reconciler.yaml").read_text()
    first = settings.partition("policy:")
    folder.write(
        "reconciler.yaml",
        f"defaultTarget: prod\n{first[0]}  lab: {{profile: rfc, url: 'sandbox:'}}\n{''.join(first[1:])}",
    )
    for name, text in FILES.items():
        folder.write(name, text.replace("}\n", ", targets: [lab]}\n"))


def most_files_gone(folder: QuickFolder) -> None:
    for number in range(1, 5):
        (folder.path / "identities" / f"f{number}.yaml").unlink()


def everybody_put_off(folder: QuickFolder) -> None:
    """Suspending is removing: one line in a template that all have."""
    folder.write("identities/t.yaml", "templates:\n  staff: {title: Agent}\n")
    for name, text in FILES.items():
        folder.write(name, text.replace("}\n", ", active: false}\n"))


def everybody_over(folder: QuickFolder) -> None:
    for name, text in FILES.items():
        folder.write(name, text.replace("}\n", ", endsOn: 2020-01-01, deleteAfter: 1}\n"))


LESS: dict[Callable[[QuickFolder], None], tuple[int, str]] = {
    all_files_gone: (1, "identities holds no YAML file"),
    folder_gone: (1, "there is no folder identities"),
    other_suffix: (1, "must end in .yaml"),
    hidden_names: (1, "identities holds no YAML file"),
    one_file_empty: (3, "identities/f3.yaml says nothing"),
    one_file_of_remarks: (3, "identities/f3.yaml says nothing"),
    one_file_broken: (1, "identities/f3.yaml:"),
    one_file_cut: (1, "identities/f3.yaml:"),
    conflict_markers: (1, "identities/f3.yaml:"),
    another_word: (1, "identities/f3.yaml:"),
    nobody_in_any: (3, "empty-source: nobody is declared any more; the record holds 20 people"),
    only_a_group: (3, "empty-source: nobody is declared any more; the record holds 20 people"),
    all_for_another_target: (3, "empty-source: nobody is declared any more; the record holds 20 people"),
    most_files_gone: (3, "removals: 16 of 20 people would be removed; at most 3 may (5%, or 3 if that is more)"),
    everybody_put_off: (3, "removals: 20 of 20 people would be removed"),
    everybody_over: (3, "removals: 20 of 20 people would be removed"),
}


@pytest.mark.parametrize("change", LESS, ids=lambda each: each.__name__)
def test_a_source_that_says_less_than_was_meant_removes_nobody(
    change: Callable[[QuickFolder], None], office: Office
) -> None:
    folder, running = office
    before = running.users()
    settings = (folder.path / "reconciler.yaml").read_text()
    change(folder)
    code, words = LESS[change]
    for ran in (folder.run("plan"), apply(folder), apply(folder, "--drift")):
        assert ran.code == code, ran.out + ran.err
        assert words in " ".join((ran.out + ran.err).split())
    assert not running.writes
    assert running.users() == before
    # once it is mended nothing has happened
    shutil.rmtree(folder.path / "identities", ignore_errors=True)
    for name, text in {**FILES, "reconciler.yaml": settings}.items():
        folder.write(name, text)
    assert folder.run("plan", "--detailed-exitcode").code == 0


# --- what others made


@pytest.mark.parametrize("drift", [False, True])
def test_what_was_never_declared_here_is_in_no_plan(drift: bool, tmp_path: Path) -> None:
    """Vendors own some groups and accounts; they look like ours in all but the record."""
    policy = "removal: {users: delete, groups: delete}\n  drift: correct"
    ours = declared("p0", "p1") + "groups:\n  crew: {displayName: Crew, members: [p0, p1]}\n"
    with applied(tmp_path / "here", ours, policy) as (folder, running):
        live(running, {"userName": "robot@vendor.example", "displayName": "Robot", "roles": [{"value": "Boss"}]})
        robot = running.users()["robot@vendor.example"]
        team = {"displayName": "AWSControlTowerAdmins", "members": [{"value": robot["id"]}]}
        live(running, team, kind="Group")
        before = running.service.dump()
        folder.write("identities/a.yaml", ours.replace("members: [p0, p1]", "members: [p0]"))
        ran = apply(folder, *(["--drift"] if drift else []))
        assert ran.code == 0, ran.out + ran.err
        assert "AWSControlTowerAdmins" not in ran.out
        assert "robot" not in ran.out
        after = running.service.dump()
        for kind, name in (("User", "robot@vendor.example"), ("Group", "AWSControlTowerAdmins")):
            found = [
                [each for each in state[kind] if name in (each.get("userName"), each.get("displayName"))]
                for state in (before, after)
            ]
            assert found[0] == found[1]
            assert len(found[0]) == 1
        assert "live identities are not ours" in " ".join(folder.run("plan").out.split())
