"""Two pieces of work at the same time."""

from threading import Event

import pytest

from reconciler.beside import both

LONG = 30.0
"""Seconds after which two that wait for each other would have waited in vain."""


def refused() -> str:
    raise ValueError("refused")


def test_neither_waits_for_the_other() -> None:
    """One after the other, in whatever order, the first would wait for ever."""
    one, other = Event(), Event()

    def here() -> bool:
        one.set()
        return other.wait(LONG)

    def aside() -> bool:
        other.set()
        return one.wait(LONG)

    assert both(here, aside) == (True, True)


def test_an_error_aside_is_raised() -> None:
    with pytest.raises(ValueError, match="refused"):
        both(lambda: 1, refused)


@pytest.mark.parametrize("error", [KeyError, KeyboardInterrupt])
def test_an_error_here_is_raised_at_once(error: type[BaseException]) -> None:
    release, ended = Event(), Event()

    def here() -> None:
        raise error

    def aside() -> str:
        release.wait(LONG)
        ended.set()
        return refused()

    with pytest.raises(error):
        both(here, aside)
    assert not ended.is_set()
    release.set()
    assert ended.wait(LONG)
