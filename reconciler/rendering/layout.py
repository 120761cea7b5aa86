"""Rows of characters on a screen of some width: how wide a text is, and where to break it. No colours."""

import re
import unicodedata
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from reconciler.rendering.view import People

_NARROWEST: Final = 20
"""Text is not squeezed into less than this, even if the row then leaves the screen."""
_WORDS: Final = re.compile(r"\S+\s*|\s+")


def cells(text: str) -> int:
    """How many columns a text takes: two for a wide East Asian character, none for a mark on a letter."""
    if text.isascii():
        return len(text)
    return sum(map(_cell, text))


def padded(text: str, columns: int) -> str:
    """A text filled up with spaces."""
    return text + " " * (columns - cells(text))


def wrapped(text: str, columns: int) -> list[str]:
    """A text in rows of at most `columns`, broken between words, and inside a word only if it is longer than a row.

    A row never begins with ``::``, not even where a word is broken: GitHub would read it as a command.
    """
    room = max(columns, _NARROWEST)
    if cells(text) <= room:
        return [text]
    rows = [""]
    for word in _WORDS.findall(text):
        if cells(rows[-1]) + cells(word.rstrip()) > room and rows[-1]:
            rows.append("")
        pieces = _pieces(word, room)
        rows[-1] += pieces[0]
        rows += pieces[1:]
    return [_harmless(each.rstrip()) for each in rows if each.strip()] or [""]


def listed(people: "People", hint: str = " (--verbose lists all)") -> str:
    """``amy.b, ben.c, cem.d … (--verbose lists all)``."""
    return ", ".join(people.named) + (f" …{hint}" if people.hidden else "")


def _cell(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _pieces(word: str, room: int) -> list[str]:
    """A word in pieces that fit into a row each."""
    if cells(word.rstrip()) <= room:
        return [word]
    pieces, used = [""], 0
    for each in word:
        used += _cell(each)
        if used > room:
            pieces.append("")
            used = _cell(each)
        pieces[-1] += each
    return pieces


def _harmless(row: str) -> str:
    return row.replace(":", "\\u003a", 1) if row.lstrip().startswith("::") else row
