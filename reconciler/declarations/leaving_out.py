"""Takes values of the wrong shape out of what was read, so that all the rest can be checked in the same run.

Whoever looks at the rest must know what is missing from it: these are the doubtful names of an entry.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from reconciler.declarations.declared import ANY
from reconciler.schemas import Finding, Where
from reconciler.yamlsource import Places

_SECTIONS: Final = ("templates", "users", "groups")
_HARMLESS: Final = frozenset({"bad-key", "repeated-item"})
"""Problems with values that mean something all the same."""


def leave_out(document: dict[str, Any], found: Sequence[Finding], places: Places) -> dict[Where, set[str]]:
    """Take out of a document, in place, the values that `found` is about; gives the doubtful names of each entry."""
    doubtful: dict[Where, set[str]] = {}
    doomed: dict[tuple[int, str | int], list[tuple[Any, str | int]]] = {}
    for each in found:
        where = each.where
        if len(where) < 2 or where[0] not in _SECTIONS:
            continue
        if each.diagnostic.code not in _HARMLESS:
            doubtful.setdefault(where[:2], set()).update(_names(each))
            if len(where) > 2:
                way = _way(document, where)
                doomed[id(way[-1][0]), way[-1][1]] = way
    # of two items of a list the later first: the places of earlier ones stay as they are
    for way in sorted(doomed.values(), key=lambda way: _index(way[-1][1]), reverse=True):
        places.remove(*way[-1])
    for way in doomed.values():
        _take_empty_out(way, places)
    return doubtful


def left_out(data: Any, places: Places) -> frozenset[str]:
    """The names of an entry of which something could not be read, and is reported."""
    if not isinstance(data, dict):
        return frozenset()
    own = {ANY if name is None else name for name in places.hidden(data)}
    return frozenset(own | {name for name, value in data.items() if any(map(places.has_hole, _containers(value)))})


def _names(finding: Finding) -> Iterator[str]:
    where = finding.where
    if len(where) == 2 and finding.meant is None:
        yield ANY
    # a line of an override stands for the name itself
    yield from (str(each) for each in where[2:5:2])
    if finding.meant is not None:
        yield finding.meant


def _way(document: Any, where: Where) -> list[tuple[Any, str | int]]:
    """Every container on the way to a value below an entry, with the key or index that leads on."""
    way = []
    value = document
    for depth, step in enumerate(where):
        if depth >= 2:
            way.append((value, step))
        value = value[step]
    return way


def _take_empty_out(way: list[tuple[Any, str | int]], places: Places) -> None:
    """A list or mapping that is empty only now does not say that something is to be cleared."""
    for (above, _), (container, _) in zip(reversed(way[:-1]), reversed(way[1:]), strict=True):
        if container:
            return
        keys = list(above) if isinstance(above, dict) else range(len(above))
        for key in [each for each in keys if above[each] is container]:
            places.remove(above, key)


def _index(key: str | int) -> int:
    return key if isinstance(key, int) else 0


def _containers(value: Any) -> Iterator[Any]:
    """A value and everything in it that holds values."""
    if isinstance(value, dict | list):
        yield value
        for each in value.values() if isinstance(value, dict) else value:
            yield from _containers(each)
