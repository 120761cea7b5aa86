"""Drafts as text, and the way back: whose line, and which value, stands at a place of it."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Final, TypeAlias

from msgspec import Struct

from reconciler.drafting.drafts import Data, Draft, Where
from reconciler.model import ResourceType, SourceLocation
from reconciler.yamlsource import Places, read_yaml, rows, written

_Owner: TypeAlias = tuple[Draft, Where]

_WORDS: Final = {ResourceType.USER: "users", ResourceType.GROUP: "groups"}
_SHARED: Final = frozenset(
    [
        *("title", "userType", "preferredLanguage", "locale", "timezone", "organization", "costCenter", "division"),
        *("department", "manager", "roles", "entitlements", "routingSkills", "routingLanguages", "groups"),
    ]
)
"""What people of a team have in common, and a template may say."""
_WORTHWHILE: Final = 2
"""A template of one line saves nothing: who is in it needs a line for that."""


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


def shared_by(drafts: Sequence[Draft]) -> Data:
    """The lines that everybody has, as they are, and that a template can say for all; none where it is not worth it."""
    if drafts[0].resource.resource_type is not ResourceType.USER:
        return {}
    first, *others = (each.data for each in drafts)
    shared = {name: value for name, value in first.items() if name in _SHARED}
    shared = {name: value for name, value in shared.items() if all(each.get(name) == value for each in others)}
    return shared if len(shared) >= _WORTHWHILE else {}


def file_of(drafts: Sequence[Draft], head: Sequence[str], template: str | None = None) -> File:
    """Drafts of one kind as a file; `head`: comments at its top, each a line.

    `template`: the name of one that holds what is `shared_by` all of them, so that it stands once.
    """
    shared = shared_by(drafts) if template is not None else {}
    lines = list(head)
    if template is not None and shared:
        said = ["templates:", "  # what everybody in this file has in common", f"  {written(template)}:"]
        lines += [*said, *(row for name, value in shared.items() for row in rows(name, value, 4)), ""]
    lines.append(f"{_WORDS[drafts[0].resource.resource_type]}:")
    owners: dict[int, _Owner] = {}
    for draft in drafts:
        lines += [""] if draft is not drafts[0] else []
        lines.append(f"  {written(draft.key)}:")
        owners[len(lines)] = draft, ()
        data = {name: value for name, value in draft.data.items() if name not in shared}
        for name, value in ({"from": [template]} | data if shared else data).items():
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
