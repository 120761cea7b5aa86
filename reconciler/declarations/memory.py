"""Garbage collection waits while many small values are made that all stay alive: looking for garbage finds none."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_collection() -> Iterator[None]:
    """Put the cyclic garbage collector off for a while, and spare it what was made; else it takes half of the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was:
            gc.enable()
