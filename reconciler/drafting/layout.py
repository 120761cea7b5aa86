"""Which file a draft goes into: one for groups, and people by their department where there are many."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from reconciler.drafting.drafts import Draft
from reconciler.drafting.keys import slug
from reconciler.model import ResourceType, without_case

_FEW: Final = 50
"""So many people are read in one file as well as in several."""
_ENOUGH: Final = 5
"""So many people of one department have a file of their own."""
_SHARED: Final = ("department", "division")
_TEAMS: Final = "users"
_OTHERS: Final = "others"
_MOST: Final = 2_000
_MOST_CHARACTERS: Final = 2_000_000
"""Of one file, as what a person writes has to stay readable, and what a file may hold has an end."""


def laid_out(drafts: Sequence[Draft], folder: str, is_there: Callable[[str], bool]) -> dict[str, list[Draft]]:
    """Path -> who stands there, in order of names. A path that `is_there` gives way to the next number."""
    users = [each for each in drafts if each.resource.resource_type is ResourceType.USER]
    groups = [each for each in drafts if each.resource.resource_type is ResourceType.GROUP]
    found: dict[str, list[Draft]] = {}
    for name, own in (*_by_department(users).items(), ("groups", groups)):
        for part in _in_parts(sorted(own, key=lambda each: (without_case(each.key), each.resource.id))):
            found[_free(f"{folder}/{name}", lambda path: path in found or is_there(path))] = part
    return found


def _by_department(users: Sequence[Draft]) -> dict[str, list[Draft]]:
    if len(users) <= _FEW:
        return {"users": list(users)}
    for word in _SHARED:
        of = {each.resource.id: slug(str(each.data.get(word, ""))).lower() for each in users}
        sizes = Counter(each for each in of.values() if each)
        large = {name for name, size in sizes.items() if size >= _ENOUGH}
        if len(large) > 1:
            found: dict[str, list[Draft]] = {}
            for each in users:
                name = of[each.resource.id]
                found.setdefault(f"{_TEAMS}/{name if name in large else _OTHERS}", []).append(each)
            return dict(sorted(found.items()))
    return {"users": list(users)}


def is_team(path: str, folder: str) -> bool:
    """Whether a file holds the people of one department."""
    return path.startswith(f"{folder}/{_TEAMS}/") and not path.startswith(f"{folder}/{_TEAMS}/{_OTHERS}")


def _in_parts(drafts: Iterable[Draft]) -> Iterator[list[Draft]]:
    part: list[Draft] = []
    size = 0
    for each in drafts:
        more = len(repr(each.data))
        if part and (len(part) == _MOST or size + more > _MOST_CHARACTERS):
            yield part
            part, size = [], 0
        part.append(each)
        size += more
    if part:
        yield part


def _free(stem: str, is_there: Callable[[str], bool]) -> str:
    number, path = 1, f"{stem}.yaml"
    while is_there(path):
        number += 1
        path = f"{stem}-{number}.yaml"
    return path
