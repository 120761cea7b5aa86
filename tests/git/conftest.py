import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.git.company import Company
from tests.record.git_world import World, scrub


@pytest.fixture(autouse=True)
def _plain_git(monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings of this machine; an identity for the commits that the tests themselves make."""
    for name in scrub(os.environ):
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Tess Ting")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "tess@example.com")


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    with Company.founded(World(tmp_path)) as founded:
        yield founded
