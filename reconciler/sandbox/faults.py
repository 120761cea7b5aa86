"""Faults that come and go: what a service has still to do wrong, counted, and safe to call from many threads."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any

from reconciler.sandbox.schema import JsonObject
from reconciler.sandbox.switches import Failure, Switches


class Faults:
    """The counted switches of one service: failing requests, moving rows, people who are not to be seen yet."""

    def __init__(self, switches: Switches) -> None:
        self._switches = switches
        self._lock = threading.Lock()
        self._failures = switches.failures if switches.failure is not Failure.NONE else 0
        self._moves = switches.moving_rows
        self._hidden: dict[str, int] = {}

    def next_failure(self, method: str) -> Failure:
        """Return what happens to this request."""
        if not self._failures or method not in self._switches.failing_methods:
            return Failure.NONE
        with self._lock:
            if not self._failures:
                return Failure.NONE
            self._failures -= 1
        return self._switches.failure

    def moved(self) -> bool:
        """Whether the rows of the page asked for have moved since the page before."""
        if not self._moves:
            return False
        with self._lock:
            moving = self._moves > 0
            self._moves -= moving
        return moving

    def hide(self, identifier: str) -> None:
        """Begin the time in which a new resource is not to be seen."""
        if self._switches.visibility_delay:
            with self._lock:
                self._hidden[identifier] = self._switches.visibility_delay

    @property
    def hides(self) -> bool:
        """Whether anything is not to be seen at the moment."""
        return bool(self._hidden)

    def unseen(self, identifiers: Iterable[str] | None = None) -> set[str]:
        """Return which of these (None: of all) cannot be seen, and count this as one read of each."""
        with self._lock:
            found = set(self._hidden) if identifiers is None else set(self._hidden).intersection(identifiers)
            for identifier in found:
                self._hidden[identifier] -= 1
                if not self._hidden[identifier]:
                    del self._hidden[identifier]
        return found


def with_booleans_as_text(resource: JsonObject) -> JsonObject:
    """Return a resource in which every boolean is the text True or False."""
    return {name: _as_text(value) for name, value in resource.items()}


def _as_text(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, dict):
        return with_booleans_as_text(value)
    if isinstance(value, list):
        return [_as_text(each) for each in value]
    return value
