"""A served organisation for every test that takes one, without switches."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.genesys.company import Company, company


@pytest.fixture
def org(tmp_path: Path) -> Iterator[Company]:
    with company(tmp_path) as here:
        yield here
