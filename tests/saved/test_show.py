"""`show FILE`, what an apply has left beside it, and `show --live`."""

import json
from pathlib import Path

import pytest

from tests.git.company import Company, said
from tests.saved.hands import apply_file, make, patch, saved


@pytest.fixture
def file(company: Company) -> Path:
    """Two people are in place; the plan gives one a title and adds a third: five differences and a creation."""
    company.applied()
    company.declare("ann.lee", "bob.li", "cem.o", ann_lee="Lead")
    return saved(company)


def show(company: Company, file: Path, *more: str) -> tuple[int, str]:
    company.running.asked.clear()
    ran = company.seed.run("show", str(file), *more)
    return ran.code, said(ran)


def test_it_asks_nobody(company: Company, file: Path) -> None:
    assert show(company, file)[0] == 0
    assert not company.running.asked


def test_word_of_an_apply_that_did_all_of_it(company: Company, file: Path) -> None:
    apply_file(company, file)
    code, words = show(company, file)
    assert code == 0
    assert "an apply of this plan ended at 20" in words
    assert "nothing of it is left to do" in words


@pytest.mark.parametrize("form", ["markdown", "html", "json"])
def test_word_of_an_apply_in_every_format(company: Company, file: Path, form: str) -> None:
    apply_file(company, file)
    assert "an apply of this plan ended at" in show(company, file, "--format", form)[1]


def test_word_of_another_plan_is_not_taken_for_this_one(company: Company, file: Path) -> None:
    apply_file(company, file)
    company.declare("ann.lee", "bob.li", "cem.o", ann_lee="Boss")
    saved(company)
    assert "ended at" not in show(company, file)[1]


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"plan": 1}'])
def test_damaged_word_is_none(company: Company, file: Path, text: str) -> None:
    file.with_name("plan.json.result.json").write_text(text)
    code, words = show(company, file)
    assert code == 0
    assert "an apply of this plan" not in words


def test_words_in_that_file_do_nothing(company: Company, file: Path) -> None:
    apply_file(company, file)
    beside = file.with_name("plan.json.result.json")
    word = json.loads(beside.read_text())
    beside.write_text(json.dumps({**word, "at": "\x1b[31m::error::"}))
    assert "\x1b" not in show(company, file)[1]


# --- live


def test_all_of_it_is_still_to_do(company: Company, file: Path) -> None:
    code, words = show(company, file, "--live")
    assert (code, words) == (0, "Of 4 differences 4 are still to do, 0 are in place, 0 moved.")
    assert {method for method, _ in company.running.asked} == {"GET"}


def test_some_is_done_and_some_has_moved(company: Company, file: Path) -> None:
    patch(company.running, "ann.lee", "title", "Boss")
    make(company.running, "cem.o")
    code, words = show(company, file, "--live")
    assert code == 4
    assert "An apply of it would refuse." in words
    assert 'user.ann.lee: title has moved: the server has "Boss"' in words
    assert "user.cem.o: the account has moved: it exists by now" in words


def test_other_files_are_named(company: Company, file: Path) -> None:
    company.declare("ann.lee", "bob.li")
    code, words = show(company, file, "--live")
    assert code == 4
    assert "identities/a.yaml has changed since the plan was made" in words


def test_it_tells_what_is_in_place(company: Company, file: Path) -> None:
    apply_file(company, file)
    assert show(company, file, "--live") == (0, "Of 4 differences 0 are still to do, 4 are in place, 0 moved.")
