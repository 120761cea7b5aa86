"""Progress of an apply on a terminal, and a polite stop: what has been sent is finished, the rest is not tried."""

import signal
from types import FrameType
from typing import Self, TextIO

from reconciler.model import Result, Succeeded


class Progress:
    """Counts results on one line of a terminal; silent elsewhere. While it is open, Ctrl-C asks for a stop."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._shows = stream.isatty()
        self._total = 0
        self.results: list[Result] = []
        self._failed = 0
        self._stop = False
        self._handlers: dict[int, object] = {}

    def begin(self, total: int) -> None:
        """From now on there are so many operations to come, and an interrupt stops between two of them."""
        self._total = total
        for number in (signal.SIGINT, signal.SIGTERM):
            self._handlers[number] = signal.signal(number, self._interrupted)

    def advance(self, result: Result) -> None:
        """One more result."""
        self.results.append(result)
        self._failed += not isinstance(result, Succeeded)
        if self._shows:
            failed = f", {self._failed} failed or skipped" if self._failed else ""
            self._stream.write(f"\r\x1b[K{len(self.results)} of {self._total}{failed}")
            self._stream.flush()

    def stopped(self) -> bool:
        """Whether somebody asked to stop."""
        return self._stop

    def _interrupted(self, number: int, frame: FrameType | None) -> None:
        self._stop = True
        if self._shows:
            self._stream.write("\r\x1b[Kstopping: what has been sent is finished\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        if self._shows and len(self.results):
            self._stream.write("\r\x1b[K")
            self._stream.flush()
