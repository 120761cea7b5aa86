"""One pass over the parser's events: documents as plain data, the places of everything, and what is wrong.

Nothing here opens a file or knows what data means.
"""

from collections.abc import Callable
from typing import Any, Final
from unicodedata import normalize

from yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from reconciler.yamlsource.events import SyntaxTrouble, events, scalars
from reconciler.yamlsource.places import SHIFT, Container, Marks, Places, column_of, line_of
from reconciler.yamlsource.problems import Trouble, close_look, odd_break, syntax_trouble, unprintable
from reconciler.yamlsource.scalars import UNCLEAR, WORDS, Quoted, looks_like_number

MAX_DEPTH: Final = 50
MAX_UNFOLDED: Final = 100_000
"""How many values all aliases and merges of one file may stand for together."""

_DROPPED: Final = "\0dropped"
_MERGE: Final = "\0merge"
"""In the place of a key. Told by identity: a quoted key of a file may be the same text."""


_UNUSUAL_KEYS: Final = frozenset(("", "<<"))
_UNUSUAL: Final = frozenset(("", *WORDS, *UNCLEAR))
_TWICE: Final = 2 * SHIFT


class _TooMuch(Exception):
    """Reading stops here: the trouble is noted."""


class Reader:
    """One pass over the parser's events; the stack holds what is open around the container being filled."""

    def __init__(self, text: str, places: Places) -> None:
        self.text = text
        self.places = places
        self.documents: list[Any] = []
        self.troubles: list[Trouble] = []
        self.root: Any = _DROPPED
        self.stack: list[tuple[Any, Any, str | None]] = []
        self.container: Any = None
        self.marks: Any = None
        self.key: str | None = None
        self.key_mark = 0
        self.anchors: dict[str, Any] = {}
        self.merges: dict[int, list[tuple[Any, int]]] = {}
        self.unfolded = 0
        self.sizes: dict[int, tuple[int, int]] = {}
        self.names: dict[str, str] = {}
        self.broken = False
        self.partial: Any = None

    def read(self) -> list[Trouble]:
        """Fills `documents`; returns what is wrong, in no order."""
        odd = odd_break(self.text)
        if odd is not None:
            return [odd]
        try:
            self._run()
        except _TooMuch:
            self.broken = True
            self._look()
        except SyntaxTrouble as error:
            if not self._look():
                self.troubles.append(syntax_trouble(self.text, error))
            self.broken = True
            self._break_off()
        else:
            self._look()
        return self.troubles

    def _run(self) -> None:
        handlers: dict[type, Callable[[Any], None]] = {
            MappingStartEvent: self._open,
            SequenceStartEvent: self._open,
            MappingEndEvent: self._close_mapping,
            SequenceEndEvent: self._close,
            AliasEvent: self._alias,
            DocumentStartEvent: self._open_document,
            DocumentEndEvent: self._close_document,
        }
        names = self.names
        for event in events(self.text):
            if type(event) is not ScalarEvent:
                if type(event) in handlers:
                    handlers[type(event)](event)
                continue
            # nearly all keys and values are usual ones; the methods for them know everything else as well
            mark: Any = event.start_mark
            text, container = event.value, self.container
            usual = event.tag is None and event.anchor is None
            if self.key is None and type(container) is dict:
                if usual and text not in container and text not in _UNUSUAL_KEYS and text.isascii():
                    self.key = names.setdefault(text, text)
                    self.key_mark = mark.line << SHIFT | mark.column
                else:
                    self._mapping_key(event)
            elif usual and not event.style and text not in _UNUSUAL:
                self._put(text, mark.line << SHIFT | mark.column)
            else:
                self._scalar(event)

    def _look(self) -> bool:
        """Find what the parser lets pass, or trips over without saying why; True if there was anything."""
        found = close_look(self.text, scalars)
        self.troubles.extend(found)
        return bool(found)

    def _break_off(self) -> None:
        """Keep what was read of the document up to an error.

        Nobody knows what is missing from what is still open, nor from what a wrong indentation has just closed.
        """
        if self.root is _DROPPED:
            return
        for container in (each for each, _, _ in self.stack if each is not None):
            self.places.leave_hole(container)
        last = self.container
        while isinstance(last, dict | list):
            self.places.leave_hole(last)
            items = list(last.values()) if isinstance(last, dict) else last
            last = items[-1] if items else None
        self.partial = self.root

    # --- documents

    def _open_document(self, event: DocumentStartEvent) -> None:
        self.root = _DROPPED
        self.anchors = {}

    def _close_document(self, event: DocumentEndEvent) -> None:
        if self.root is not _DROPPED:
            self.documents.append(self.root)
        self.root = _DROPPED

    # --- scalars

    def _mapping_key(self, event: Any) -> None:
        text, mark = event.value, event.start_mark
        if not text.isascii():
            text = normalize("NFC", text)
        if event.tag is not None:
            self._tag(event)
        if event.anchor is not None:
            self.anchors[event.anchor] = text
        self.key_mark = packed = mark.line << SHIFT | mark.column
        if text == "<<" and event.implicit[0]:
            self._merge_key(packed)
        elif text in self.container:
            self._repeated(text, packed)
        elif not text:
            self.key = _DROPPED
            self._trouble("empty-key", packed, "the key before this colon is missing", mend="write the key")
        else:
            self.key = self.names.setdefault(text, text)

    def _scalar(self, event: Any) -> None:
        mark = event.start_mark
        packed = mark.line << SHIFT | mark.column
        value: Any = event.value
        if event.tag is not None:
            self._tag(event)
        if event.implicit[0] and not event.style:
            if value in WORDS:
                value = WORDS[value]
            elif not value:
                return self._nothing(packed, mark.index)
            elif value in UNCLEAR:
                return self._unclear(value, packed)
        elif looks_like_number(value):
            value = Quoted(value)
        elif event.style == '"' and not value.isprintable() and unprintable(value):
            self._trouble(
                "control-character",
                packed,
                "this text holds a control character",
                "It would disturb logs and terminals, and no directory keeps it.",
                "take the escape sequence out",
            )
        if event.anchor is not None:
            self.anchors[event.anchor] = value
        return self._put(value, packed)

    def _nothing(self, packed: int, index: int) -> None:
        """A key, a dash or a document with nothing after it."""
        if self.container is None:
            return
        key, rest = self.key, self.text[index : index + 200].split("\n", 1)[0].strip()
        self._skip()
        if key is _DROPPED:
            return
        if rest.startswith("#") and rest[1:2].strip("# "):
            self.troubles.append(Trouble.glued(line_of(packed), column_of(packed)))
        elif key is None:
            self._trouble("empty-item", packed, "this list item is empty", mend="write a value, or take the dash out")
        else:
            name = "<<" if key is _MERGE else key
            why = "Nobody can tell whether it is forgotten or meant to be cleared."
            mend = "write null to clear, or take the line out"
            self._trouble("empty-value", self.key_mark, f"{name} has nothing after its colon", why, mend)

    def _unclear(self, word: str, packed: int) -> None:
        plain = word.lower()
        self._skip()
        self._trouble(
            "unclear-word",
            packed,
            f"{word} may be meant as {plain} or as text",
            "Only true, false, null and ~, spelled so, are special.",
            f'write {plain}, or "{word}" in quotes for the text',
        )

    # --- containers

    def _open(self, event: Any) -> None:
        new: Container = {} if type(event) is MappingStartEvent else []
        marks: Marks = {} if type(event) is MappingStartEvent else []
        mark = event.start_mark
        packed = mark.line << SHIFT | mark.column
        if event.tag is not None:
            self._tag(event)
        if len(self.stack) >= MAX_DEPTH:
            self._too_deep(packed)
        self.places.enter(new, packed, marks)
        if self.key is None and type(self.container) is dict:
            self._complex_key(packed)
        else:
            self._put(new, packed)
        if event.anchor is not None:
            self.anchors[event.anchor] = new
        self.stack.append((self.container, self.marks, self.key))
        self.container, self.marks, self.key = new, marks, None

    def _close_mapping(self, event: MappingEndEvent) -> None:
        if self.merges:
            self._apply_merges()
        self.container, self.marks, self.key = self.stack.pop()

    def _close(self, event: SequenceEndEvent) -> None:
        self.container, self.marks, self.key = self.stack.pop()

    def _put(self, value: Any, packed: int) -> None:
        """Store a value where the parser stands."""
        container, key = self.container, self.key
        if key is None:
            if container is None:
                self.root = value
            else:
                container.append(value)
                self.marks.append(packed)
            return
        self.key = None
        if key is _MERGE:
            self.merges.setdefault(id(container), []).append((value, packed))
        elif key is not _DROPPED:
            container[key] = value
            self.marks[key] = self.key_mark << _TWICE | packed

    # --- aliases and merges

    def _alias(self, event: Any) -> None:
        packed = event.start_mark.line << SHIFT | event.start_mark.column
        if type(self.container) is dict and self.key is None:
            return self._complex_key(packed)
        value = self.anchors.get(event.anchor, _DROPPED)
        if value is _DROPPED:
            self._trouble(
                "unknown-alias",
                packed,
                f"there is no anchor &{event.anchor} before this in the document",
                mend="write the anchor first; put a text that begins with * in quotes",
            )
            self._skip()
        elif isinstance(value, dict | list) and self._is_open(value):
            self._trouble(
                "recursive-alias", packed, f"*{event.anchor} stands inside of what it names", "", "take it out"
            )
            self._skip()
        else:
            self._charge(value, packed)
            self._put(value, packed)
        return None

    def _skip(self) -> None:
        """What stands here is left out; under a key that is left out itself, nothing more is missing."""
        if self.container is not None and self.key is not _DROPPED:
            self.places.leave_hole(self.container, None if self.key is _MERGE else self.key)
        self.key = None

    def _is_open(self, value: Container) -> bool:
        return value is self.container or any(each[0] is value for each in self.stack)

    def _charge(self, value: Any, packed: int) -> None:
        size, depth = self._extent(value)
        self.unfolded += size
        if len(self.stack) + depth > MAX_DEPTH:
            self._too_deep(packed)
        if self.unfolded > MAX_UNFOLDED:
            self._trouble(
                "too-many-aliases",
                packed,
                f"the aliases of this file stand for more than {MAX_UNFOLDED:,} values",
                mend="use templates instead of anchors",
            )
            raise _TooMuch

    def _extent(self, value: Any) -> tuple[int, int]:
        """How many values something stands for, and how deep it goes; every container is counted once."""
        if not isinstance(value, dict | list):
            return 1, 0
        known = self.sizes.get(id(value))
        if known is None:
            inside = [self._extent(each) for each in (value.values() if isinstance(value, dict) else value)]
            known = 1 + sum(size for size, _ in inside), 1 + max((depth for _, depth in inside), default=0)
            self.sizes[id(value)] = known
        return known

    def _merge_key(self, packed: int) -> None:
        seen = self.merges.get(id(self.container))
        if seen:
            self._repeated_at("<<", packed, seen[0][1])
        else:
            self.key = _MERGE

    def _apply_merges(self) -> None:
        """``<<``: keys of other mappings, where the mapping itself has none (the first of several wins)."""
        container, marks = self.container, self.marks
        for source, packed in self.merges.pop(id(container), ()):
            for each in source if isinstance(source, list) else [source]:
                theirs = self.places.marks(each) if isinstance(each, dict) else None
                if not isinstance(each, dict) or not isinstance(theirs, dict):
                    self._trouble(
                        "wrong-merge", packed, "<< takes a mapping, or a list of mappings", "", "write <<: *name"
                    )
                    continue
                for name in self.places.hidden(each):
                    self.places.leave_hole(container, name)
                for key, value in each.items():
                    if key not in container:
                        container[key] = value
                        marks[key] = theirs[key]

    # --- troubles

    def _repeated(self, key: str, packed: int) -> None:
        self._repeated_at(key, packed, self.marks[key] >> 2 * SHIFT)

    def _repeated_at(self, key: str, packed: int, first: int) -> None:
        self.key = _DROPPED
        self._trouble(
            "repeated-key",
            packed,
            f"{key} stands twice in this mapping: here and on line {line_of(first)}",
            "YAML would keep the last and drop the first without a word.",
            "keep one of them, or join what they hold",
        )

    def _complex_key(self, packed: int) -> None:
        self.key = _DROPPED
        mend = "put the text in quotes if it is meant as text"
        self._trouble("complex-key", packed, "a key must be text, not a list, a mapping or an alias", mend=mend)

    def _tag(self, event: Any) -> None:
        mark = event.start_mark
        packed = mark.line << SHIFT | mark.column
        mend = "take the tag out; put a text that begins with ! in quotes"
        self._trouble("tag", packed, "a YAML tag (!) stands here", "Tags could turn text into something else.", mend)

    def _too_deep(self, packed: int) -> None:
        self._trouble("too-deep", packed, f"mappings and lists are nested more than {MAX_DEPTH} levels deep")
        raise _TooMuch

    def _trouble(self, code: str, packed: int, summary: str, why: str = "", mend: str = "") -> None:
        self.troubles.append(Trouble(code, summary, why, mend, line_of(packed), column_of(packed)))
