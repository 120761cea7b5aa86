"""Garbage collection waits while many small values are made that all stay alive: looking for garbage finds none."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


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
