"""What queries found, for as long as nothing changes: the pages of one listing need to look at everything only once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable

from reconciler.sandbox.store import Row, Store

_MOST = 8  # queries


class Results:
    """The rows of the latest queries; a change of the store forgets them all. Rows must not be changed."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._state: tuple[int, int] | None = None
        self._found: dict[Hashable, list[Row]] = {}

    def get(self, key: Hashable, find: Callable[[], list[Row]]) -> list[Row]:
        """Return the rows known under `key`, or what `find` returns; raises what `find` raises."""
        state = self._store.state()
        with self._lock:
            if state != self._state:
                self._state, self._found = state, {}
            known = self._found.get(key)
        if known is not None:
            return known
        rows = find()
        with self._lock:
            if state == self._state:
                while len(self._found) >= _MOST:
                    del self._found[next(iter(self._found))]
                self._found[key] = rows
        return rows
