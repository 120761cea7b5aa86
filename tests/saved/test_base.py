"""`plan --base`: what comes with a pull request apart from what is left from earlier merges; else nothing changes."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from reconciler.schemas import schema
from tests.cli.in_process import quick
from tests.cli.provider import people, prepared
from tests.git.company import Company, said
from tests.record.git_world import git


@pytest.fixture
def branch(company: Company) -> Company:
    """Two are in place. Main has given one a title, which nobody has applied; a branch adds her department and Cem."""
    company.applied()
    company.declare("ann.lee", "bob.li", ann_lee="Lead")
    git(company.world.seed, "switch", "-qc", "change")
    lines = people("ann.lee", "bob.li", "cem.o", ann_lee="Lead").replace(
        "title: Lead", "title: Lead, department: Sales"
    )
    company.world.commit({"identities/a.yaml": lines}, push=False)
    return company


def plan(company: Company, *more: str) -> tuple[int, str]:
    ran = company.seed.run("plan", *more)
    return ran.code, said(ran)


def test_the_changes_are_divided(branch: Company) -> None:
    code, words = plan(branch, "--base", "main")
    assert code == 0
    here, _, earlier = words.partition("Left from earlier merges, whatever becomes of this pull request:")
    assert "This pull request: # user.ann.lee" in here
    assert "department" in here
    assert "user.cem.o will be created" in here
    assert "title" not in here
    assert 'title = "Lead"' in earlier
    assert "Against main: 2 changes come with this pull request, 1 is left from earlier merges." in earlier


def test_it_changes_nothing_of_what_is_planned(branch: Company) -> None:
    plain = json.loads(plan(branch, "--format", "json")[1])
    divided = json.loads(plan(branch, "--format", "json", "--base", "main")[1])
    base = divided.pop("base")
    assert divided == plain
    assert base["ref"] == "main"
    assert base["commit"] == git(branch.world.seed, "rev-parse", "main")
    assert base["earlier"] == [{"address": "user.ann.lee", "differences": [{"item": None, "path": "title"}]}]


def test_it_fits_the_schema(branch: Company) -> None:
    Draft202012Validator(schema("plan")).validate(json.loads(plan(branch, "--format", "json", "--base", "main")[1]))


@pytest.mark.parametrize("form", ["text", "markdown", "html", "json"])
def test_a_saved_plan_is_shown_as_it_was_printed(branch: Company, form: str) -> None:
    file = str(branch.world.folder / "plan.json")
    printed = " ".join(branch.seed.run("plan", "--base", "main", "--out", file, "--format", form).out.split())
    assert said(branch.seed.run("show", file, "--format", form)) == printed
    assert "earlier" in printed


def test_a_saved_plan_that_was_divided_is_applied_as_any(branch: Company) -> None:
    file = str(branch.world.folder / "plan.json")
    plan(branch, "--base", "main", "--out", file)
    ran = branch.seed.run("apply", file, "--auto-approve")
    assert ran.code == 0, ran.err
    assert "cem.o" in branch.active()


def test_a_pull_request_that_changes_nothing(branch: Company) -> None:
    git(branch.world.seed, "switch", "-q", "main")
    code, words = plan(branch, "--base", "HEAD")
    assert code == 0
    assert "Against HEAD: nothing comes with this pull request, 1 is left from earlier merges." in words
    assert "This pull request:" not in words


def test_nothing_is_left_from_earlier_merges(branch: Company) -> None:
    git(branch.world.seed, "switch", "-q", "main")
    branch.applied()
    git(branch.world.seed, "switch", "-q", "change")
    words = plan(branch, "--base", "main")[1]
    assert "Against main: 2 changes come with this pull request." in words
    assert "Left from" not in words


def test_where_nothing_changes_nothing_is_said(company: Company) -> None:
    company.applied()
    assert "Against" not in plan(company, "--base", "HEAD")[1]


def test_a_base_without_declarations(branch: Company) -> None:
    """The first pull request of a repository."""
    git(branch.world.seed, "switch", "-q", "--orphan", "empty")
    branch.world.commit({"notes.md": "of no weight"}, push=False)
    git(branch.world.seed, "switch", "-q", "change")
    assert "Against empty: " in plan(branch, "--base", "empty")[1]


def test_a_base_whose_declarations_are_broken(branch: Company) -> None:
    git(branch.world.seed, "switch", "-q", "main")
    branch.world.commit({"identities/a.yaml": "users:\n  ann.lee: {titel: x}\n"}, push=False)
    git(branch.world.seed, "switch", "-q", "change")
    code, words = plan(branch, "--base", "main")
    assert code == 0
    assert "the declarations of main cannot be used, so what comes with this checkout is not told apart" in words
    assert "identities/a.yaml:2:" in words
    assert "This pull request:" not in words


def test_what_somebody_is_created_with_stays_together(branch: Company) -> None:
    """Main declares Cem too, without a title: that he is created with one comes with the branch."""
    git(branch.world.seed, "switch", "-q", "main")
    branch.declare("ann.lee", "bob.li", "cem.o", push=False)
    git(branch.world.seed, "switch", "-q", "change")
    branch.declare("ann.lee", "bob.li", "cem.o", "dia.r", cem_o="Agent", push=False)
    words = plan(branch, "--base", "main")[1]
    assert words.count("user.cem.o will be created") == 1
    assert "Left from" not in words


@pytest.mark.parametrize("ref", ["nowhere", "-x", "main:identities"])
def test_a_reference_that_names_no_commit(branch: Company, ref: str) -> None:
    code, words = plan(branch, f"--base={ref}")
    assert code == 64
    assert f"--base {ref} is no commit that this clone has" in words


def test_outside_of_git(tmp_path: Path, company: Company) -> None:
    folder = prepared(quick(tmp_path / "plain"), company.running, people("ann.lee"))
    ran = folder.run("plan", "--base", "main")
    assert ran.code == 64
    assert "--base needs git" in ran.err


def test_several_targets(branch: Company) -> None:
    settings = branch.running.settings()
    two = settings + settings.partition("\n")[2].replace("prod:", "test:")
    branch.world.commit({"reconciler.yaml": f"defaultTarget: prod\n{two}"}, push=False)
    words = plan(branch, "--all-targets", "--base", "main")[1]
    assert words.count("Against main:") == 2
    both = json.loads(plan(branch, "--all-targets", "--base", "main", "--format", "json")[1])
    assert [each["plan"]["base"]["ref"] for each in both["targets"]] == ["main", "main"]
