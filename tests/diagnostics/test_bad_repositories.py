"""Over a hundred repositories with mistakes, and what an administrator reads about each: exactly this, in one run."""

from pathlib import Path

import pytest

from tests.conftest import Folder
from tests.diagnostics.repositories import HERE, Repository, blessing, repositories, write
from tests.diagnostics.running import Said

FILES = sorted(HERE.glob("*.txt"))
ALL = [(path, each) for path in FILES for each in repositories(path)]


@pytest.mark.parametrize(("path", "repository"), ALL, ids=[f"{path.stem}: {each.name}" for path, each in ALL])
def test_what_is_said(path: Path, repository: Repository, tmp_path: Path) -> None:
    """Set BLESS=1 to take what is said now."""
    heard = repository.heard(repository.run(tmp_path), tmp_path)
    if blessing():
        write(path, [heard if each.name == repository.name else each for each in repositories(path)])
    else:
        assert heard.said == repository.said


def test_names_are_unique_and_there_are_many() -> None:
    names = [each.name for _, each in ALL]
    assert len(set(names)) == len(names) >= 112
    assert len(repositories(HERE / "several.txt")) >= 12


BY_PROCESS = ("a colon in a title", "five in one person", "a misspelled flag", "settings and declarations")


@pytest.mark.parametrize("name", BY_PROCESS)
def test_a_process_of_its_own_says_the_same(name: str, tmp_path: Path) -> None:
    (repository,) = (each for _, each in ALL if each.name == name)
    repository.lay_out(tmp_path)
    ran = Folder(tmp_path).run(*repository.call.split())
    assert repository.heard(Said(ran.code, ran.out, ran.err), tmp_path).said == repository.said
