from collections.abc import Iterator

import pytest

from tests.cli.provider import Provider, provider


@pytest.fixture
def running() -> Iterator[Provider]:
    """An organisation over HTTP."""
    with provider() as started:
        yield started
