import os
from pathlib import Path

import pytest

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
def world(tmp_path: Path) -> World:
    return World(tmp_path)
