"""Drafts as text, and the way back: whose line, and which value, stands at a place of it."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, TypeAlias

from msgspec import Struct

from reconciler.drafting.drafts import Draft, Where
from reconciler.model import ResourceType, SourceLocation
from reconciler.yamlsource import Places, read_yaml, rows, written

_Owner: TypeAlias = tuple[Draft, Where]

_WORDS = {ResourceType.USER: "users", ResourceType.GROUP: "groups"}


class File(Struct, frozen=True, kw_only=True, dict=True):
    """Drafts of one kind as text. `rows`: number of a row, from 1 -> the draft and the line of it that stands there."""

    text: str
    drafts: Sequence[Draft]
    rows: Mapping[int, _Owner]

    @property
    def kind(self) -> ResourceType:
        """What stands in it; a file has one draft at least."""
        return self.drafts[0].resource.resource_type

    def at(self, place: SourceLocation) -> _Owner | None:
        """The draft that a place belongs to, and what of it stands there, as near as it can be told."""
        return self._spots.get((place.line, place.column)) or self.rows.get(place.line)

    @cached_property
    def _spots(self) -> Mapping[tuple[int, int], _Owner]:
        """Line and column of every key and every value -> the same. The end is missing if it cannot be read."""
        file = read_yaml(self.text.encode("utf-8", "surrogatepass"), "")
        found: dict[tuple[int, int], _Owner] = {}
        for document in file.documents:
            for draft in self.drafts:
                data = document[_WORDS[draft.resource.resource_type]].get(draft.key)
                for place, where in _within(data, (), file.places, draft):
                    found.setdefault((place.line, place.column), (draft, where))
        return found


def file_of(drafts: Sequence[Draft], head: Sequence[str]) -> File:
    """Drafts of one kind as a file; `head`: comments at its top, each a line."""
    lines = [*head, f"{_WORDS[drafts[0].resource.resource_type]}:"]
    owners: dict[int, _Owner] = {}
    for draft in drafts:
        lines.append(f"  {written(draft.key)}:")
        owners[len(lines)] = draft, ()
        for name, value in draft.data.items():
            items = draft.items.get(name, ())
            for number, row in enumerate(rows(name, value, 4)):
                lines.append(row)
                owners[len(lines)] = draft, (name, items[number - 1]) if 0 < number <= len(items) else (name,)
    return File(text="\n".join(lines) + "\n", drafts=drafts, rows=owners)


def _within(data: Any, where: Where, places: Places, draft: Draft) -> Iterator[tuple[SourceLocation, Where]]:
    """Every place inside of what was read, with what stands there; the key of a value before the value."""
    if isinstance(data, dict):
        for key, value in data.items():
            inner = (*where, key)
            yield places.key(data, key), inner
            yield places.value(data, key), inner
            yield from _within(value, inner, places, draft)
    elif isinstance(data, list):
        items = draft.items.get(where[0], ()) if len(where) == 1 else ()
        for number, value in enumerate(data):
            inner = (*where, items[number]) if number < len(items) else where
            yield places.value(data, number), inner
            for place, _ in _within(value, inner, places, draft):
                yield place, inner
