"""Two things at the same time: one that computes, and one that mostly waits."""

from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")


def begun(work: Callable[[], A], name: str) -> "Future[A]":
    """The work in a thread of that name, which an interrupt does not wait for: only for work that reads."""
    future: Future[A] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:
            future.set_exception(error)

    Thread(target=run, name=name, daemon=True).start()
    return future


def both(here: Callable[[], A], aside: Callable[[], B]) -> tuple[A, B]:
    """What comes of two pieces of work, the second of which is done in a thread and only reads.

    Raises at once what `here` raises, and otherwise what `aside` does.
    """
    coming = begun(aside, "aside")
    return here(), coming.result()
