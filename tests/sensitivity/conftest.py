"""A chain for a case: its own organisation, its own folder."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reconciler.profiles.loading import load_profile
from tests.sensitivity.chain import Chain
from tests.sensitivity.worlds import open_world


@pytest.fixture
def open_chain(tmp_path: Path) -> Iterator[Callable[..., Chain]]:
    """Opens a chain by the name of a profile; closed after the test."""
    opened: list[Chain] = []

    def opening(profile: str, *, acme: bool = False) -> Chain:
        folder = tmp_path / str(len(opened))
        folder.mkdir()
        opened.append(Chain(folder, load_profile(profile), open_world(profile, acme=acme)))
        return opened[-1]

    yield opening
    for each in opened:
        each.close()
