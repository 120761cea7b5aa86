"""One mapping of the settings file together with where it stands, and the list that collects what is wrong with it.

Getters give None for a value of another type: the schema has said so already, and a second complaint would be noise.
"""

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from reconciler.model import Diagnostic, Severity, SourceLocation
from reconciler.yamlsource import Places


class Section(Struct, frozen=True, kw_only=True):
    """`words` is how messages name it: ``targets.production``; empty for the whole file."""

    data: dict[str, Any]
    places: Places
    problems: list[Diagnostic]
    words: str = ""

    def __contains__(self, key: str) -> bool:
        return key in self.data

    @property
    def incomplete(self) -> bool:
        """Whether a value in it could not be read, which has been said: a missing key may be that one."""
        return self.places.has_hole(self.data)

    def name_of(self, key: str) -> str:
        """The key with everything above it: ``targets.production.url``."""
        return f"{self.words}.{key}" if self.words else key

    def text(self, key: str) -> str | None:
        """The text that stands there."""
        value = self.data.get(key)
        return str(value) if isinstance(value, str) and value else None

    def section(self, key: str) -> "Section | None":
        """The mapping that stands there."""
        value = self.data.get(key)
        if not isinstance(value, dict):
            return None
        return Section(data=value, places=self.places, problems=self.problems, words=self.name_of(key))

    def sections(self) -> "Iterator[tuple[str, Section]]":
        """Every mapping in this one, with its key."""
        for key in self.data:
            below = self.section(key)
            if below is not None:
                yield str(key), below

    def texts(self, key: str) -> list[tuple[str, SourceLocation]]:
        """The texts of a list, each with its place."""
        items = self.data.get(key)
        if not isinstance(items, list):
            return []
        return [
            (str(each), self.places.value(items, index))
            for index, each in enumerate(items)
            if isinstance(each, str) and each
        ]

    def start(self) -> SourceLocation:
        """Where the mapping begins."""
        return self.places.of(self.data)

    def key_place(self, key: str) -> SourceLocation:
        """Where the key stands."""
        return self.places.key(self.data, key)

    def place(self, key: str) -> SourceLocation:
        """Where the value stands."""
        return self.places.value(self.data, key)

    def error(self, code: str, source: SourceLocation, summary: str, mend: str = "", detail: str = "") -> None:
        """Note one problem."""
        self.problems.append(
            Diagnostic(severity=Severity.ERROR, code=code, summary=summary, detail=detail, mend=mend, source=source)
        )
