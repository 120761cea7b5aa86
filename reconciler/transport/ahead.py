"""Asks for pages before a walk needs them, so that several answers are waited for at once.

The walk takes the pages one after the other all the same, and judges each as if it had just asked. A page that begins
where nobody guessed is asked for then, and nothing is guessed any more. Sends no request that the walk would not send
to a service provider that gives as many rows as it is asked for.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, Generic, TypeVar

Page = TypeVar("Page")

WORTH: Final = 4
"""Fewer pages than this are not worth threads."""


class Ahead(Generic[Page]):
    """Pages of `size` rows from `first` up to `total`, `threads` of them on their way; `ask` takes the first row."""

    def __init__(self, ask: Callable[[int], Page], *, first: int, size: int, total: int, threads: int) -> None:
        self._ask = ask
        self._starts: Iterator[int] = iter(range(first, total + 1, size))
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="listing")
        self._coming: dict[int, Future[Page]] = {}
        for _ in range(threads):
            self._send()

    def page(self, start: int) -> Page:
        """The page that begins at this row. Raises what asking for it raised."""
        coming = self._coming.pop(start, None)
        if coming is None:
            self.close()
            return self._ask(start)
        self._send()
        return coming.result()

    def close(self) -> None:
        """Ask for no more; what is on its way is waited for and dropped."""
        self._starts = iter(())
        self._coming.clear()
        self._pool.shutdown(cancel_futures=True)

    def _send(self) -> None:
        start = next(self._starts, None)
        if start is not None:
            self._coming[start] = self._pool.submit(self._ask, start)
