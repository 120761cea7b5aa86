from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.git.company import Company
from tests.record.conftest import _plain_git
from tests.record.git_world import World

__all__ = ["_plain_git", "company"]


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    with Company.founded(World(tmp_path)) as founded:
        yield founded
