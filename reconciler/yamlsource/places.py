"""Where the keys and values of a file stand. A line and a column are packed into one number, because there are many."""

from typing import Any, Final, TypeAlias

from reconciler.model import SourceLocation

Container: TypeAlias = dict[str, Any] | list[Any]
Marks: TypeAlias = dict[str, int] | list[int]
"""Key -> place of the key and of its value; or the places of the items."""

SHIFT: Final = 24
_HALF: Final = (1 << SHIFT) - 1


class Places:
    """Where things stand in one file. Containers are told apart by identity, so hand in the ones that were read."""

    __slots__ = ("_holes", "_marks", "path")

    def __init__(self, path: str) -> None:
        self.path = path
        self._marks: dict[int, tuple[Container, int, Marks]] = {}
        self._holes: dict[int, set[str | None]] = {}

    def of(self, container: Container) -> SourceLocation:
        """Where a mapping or a list begins."""
        found = self._marks.get(id(container))
        return self._location(found[1] if found else 0)

    def key(self, container: dict[str, Any], key: str) -> SourceLocation:
        """Where a key stands."""
        return self._location(self._mark(container, key) >> 2 * SHIFT)

    def value(self, container: Container, key: str | int) -> SourceLocation:
        """Where the value of a key, or the item of a list, stands."""
        return self._location(self._mark(container, key))

    def written(self, container: Container, key: str | int) -> SourceLocation:
        """Where a key of a mapping, or an item of a list, stands."""
        mark = self._mark(container, key)
        mark = mark >> 2 * SHIFT if isinstance(container, dict) else mark
        return SourceLocation(self.path, (mark >> SHIFT & _HALF) + 1, (mark & _HALF) + 1)

    def has_hole(self, container: Container) -> bool:
        """Whether something in it was left out because of an error that is reported already."""
        return id(container) in self._holes

    def may_hide(self, container: Container, key: str) -> bool:
        """Whether what was left out of it may have been this key."""
        names = self._holes.get(id(container), ())
        return key in names or None in names

    def hidden(self, container: Container) -> frozenset[str | None]:
        """The keys that were left out of it; None stands for any."""
        return frozenset(self._holes.get(id(container), ()))

    def enter(self, container: Container, mark: int, marks: Marks) -> None:
        """Remember a container; `marks` is filled while it is read."""
        self._marks[id(container)] = (container, mark, marks)

    def leave_hole(self, container: Container, key: str | None = None) -> None:
        """Note that something of this container is left out: what stood under `key`, or nobody knows what (None)."""
        self._holes.setdefault(id(container), set()).add(key)

    def remove(self, container: Container, key: str | int) -> None:
        """Take a value and its place out, and leave a hole."""
        marks = self.marks(container)
        if isinstance(container, dict) and isinstance(key, str):
            del container[key]
            if isinstance(marks, dict):
                marks.pop(key, None)
            self.leave_hole(container, key)
        elif isinstance(container, list) and isinstance(key, int):
            del container[key]
            if isinstance(marks, list):
                del marks[key]
            self.leave_hole(container)

    def marks(self, container: Container) -> Marks | None:
        """The packed places of a container's contents."""
        found = self._marks.get(id(container))
        return found[2] if found else None

    def _mark(self, container: Container, key: str | int) -> int:
        found = self._marks.get(id(container))
        if found is None:
            return 0
        _, start, marks = found
        if isinstance(marks, dict):
            mark = marks.get(key) if isinstance(key, str) else None
            return start << 2 * SHIFT | start if mark is None else mark
        return marks[key] if isinstance(key, int) and key < len(marks) else start

    def _location(self, mark: int) -> SourceLocation:
        return SourceLocation(self.path, (mark >> SHIFT & _HALF) + 1, (mark & _HALF) + 1)


def line_of(packed: int) -> int:
    """The line of a packed place, from 1."""
    return (packed >> SHIFT & _HALF) + 1


def column_of(packed: int) -> int:
    """The column of a packed place, from 1."""
    return (packed & _HALF) + 1
