"""A key for everybody: short, free, and like the login or the name."""

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator
from typing import Final

from reconciler.model import LiveResource, ResourceType, without_case

_KEY: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}", re.ASCII)
_NO_KEY: Final = re.compile(r"[^A-Za-z0-9._@+-]+", re.ASCII)
_LONGEST: Final = 60
_LETTERS: Final = str.maketrans(
    {"ß": "ss", "ẞ": "SS", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L"}
    | {"đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "TH", "\u0131": "i"}
)
"""Letters of which nothing would be left, since they are no others with a mark."""


def keys_for(resources: Iterable[LiveResource], taken: Collection[str], logins: Collection[str] = ()) -> dict[str, str]:
    """Live id -> a key that is free: the login before its ``@`` where that will do, a group's name in small letters.

    `logins`: userNames, of which a key may be its own user's only.
    """
    used, others = {without_case(each) for each in taken}, {without_case(each) for each in logins}
    numbers: dict[str, int] = {}
    found: dict[str, str] = {}
    for each in resources:
        own = without_case(each.name)
        free = (key for key in _candidates(each, numbers) if without_case(key) not in used)
        key = next(key for key in free if without_case(key) == own or without_case(key) not in others)
        used.add(without_case(key))
        found[each.id] = key
    return found


def short_names(resource: LiveResource) -> tuple[str, ...]:
    """The keys that somebody would get if all were free, the best first."""
    whole = slug(resource.name if resource.resource_type is ResourceType.USER else resource.name.lower())
    whole = whole if _KEY.fullmatch(whole) else resource.resource_type.value
    head = whole.partition("@")[0]
    if resource.resource_type is ResourceType.USER and head != whole and _KEY.fullmatch(head):
        return head, whole
    return (whole,)


def slug(name: str) -> str:
    """A name without what a key may not have; may be empty."""
    plain = unicodedata.normalize("NFKD", name.translate(_LETTERS)).encode("ascii", "ignore").decode()
    return _NO_KEY.sub("-", plain).strip("-._+")[:_LONGEST]


def _candidates(resource: LiveResource, numbers: dict[str, int]) -> Iterator[str]:
    """`numbers`: the last number that was tried behind a name, so that a thousand alike are not counted from 2 each."""
    names = short_names(resource)
    yield from names
    whole = names[-1]
    while True:
        numbers[whole] = numbers.get(whole, 1) + 1
        yield f"{whole}-{numbers[whole]}"
