"""Garbage collection waits while many small values are made that all stay alive: looking for garbage finds none."""

import atexit
import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_SELDOM: Final = 50_000
"""New objects between two looks; with Python's own number, 700, they take a tenth or more of a short run."""


def seldom_collected() -> None:
    """For a process that ends soon: garbage is looked for seldom, and not at all in what is left at the end."""
    gc.set_threshold(_SELDOM)
    atexit.register(gc.freeze)


@contextmanager
def no_collection() -> Iterator[None]:
    """Put the cyclic garbage collector off for a while; it would take half of the time.

    Afterwards what was made counts as old (frozen and thawed at once), so it is not all looked at again straight away.
    """
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if gc.get_freeze_count() == 0:
            gc.freeze()
            gc.unfreeze()
        if was:
            gc.enable()
