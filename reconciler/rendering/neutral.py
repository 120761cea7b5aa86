r"""Untrusted text made harmless for a terminal and for a log.

Everything that a service provider or a YAML file says may try to move the cursor, to hide or reorder what stands on the
screen, or to give a command to the CI system that reads the log. Here such text becomes one line of visible characters:
what cannot be seen is spelled out, as in ``\u202e``. Markdown and HTML have their own rules, which their writers add.

Commands are read from logs in two ways. GitHub's begin a line with ``::``, so ``::`` is spelled out where a word may
begin a line; those of Azure, TeamCity and older GitHub runners (``##vso[``, ``##[``) count anywhere in a line.
"""

import json
import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

ELLIPSIS: Final = "…"
NAME_LIMIT: Final = 120
"""Characters of a name, a file name or a key; longer ones are cut."""
PROSE_LIMIT: Final = 600
"""Characters of a sentence: a message, a detail, the body of an error."""

_NO_INK: Final = "\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef"
"""Letters and marks that leave no ink and that str.isprintable lets pass (Unicode: Default_Ignorable_Code_Point)."""
_SUSPECT: Final = re.compile(f"[{_NO_INK}]|##(?=\\w*\\[)|(?:(?<=\\s)|^)::")
_STACKED_MARKS: Final = 3
"""Marks on one letter, as many as any script needs; more would be painted over the lines around."""
_NAMED: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def neutral(text: str, limit: int = PROSE_LIMIT) -> str:
    """`text` as at most `limit` visible characters of one line; what is cut is marked with an ellipsis.

    Spelled out: control and format characters, everything without ink, spaces other than U+0020, surrogates, private
    and unassigned code points, and the openings of CI commands. The answer may be put through again: it stays the same.
    """
    if len(text) <= limit and text.isascii() and text.isprintable() and "::" not in text and "##" not in text:
        return text
    return _spelled(text[: limit + 1], limit)


def quoted(text: str, limit: int = NAME_LIMIT) -> str:
    """A value in double quotes. Quotes and backslashes in it are escaped: nothing in it can pass for our words."""
    plain = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{neutral(plain, limit)}"'


def one_of_json(value: object, limit: int = NAME_LIMIT) -> str:
    """A value that is no text, as JSON."""
    return neutral(json.dumps(value, ensure_ascii=False, sort_keys=True, default=str), limit)


@lru_cache(maxsize=4096)
def _spelled(text: str, limit: int) -> str:
    pieces = list(_visible(_SUSPECT.sub(_opening, text)))
    if sum(map(len, pieces)) <= limit:
        return "".join(pieces)
    room = limit - len(ELLIPSIS)
    kept = []
    for each in pieces:
        room -= len(each)
        if room < 0:
            break
        kept.append(each)
    return "".join(kept).rstrip() + ELLIPSIS


def _visible(text: str) -> Iterator[str]:
    stacked = 0
    for each in text:
        stacked = stacked + 1 if unicodedata.combining(each) else 0
        yield each if each.isprintable() and stacked <= _STACKED_MARKS else _escape(each)


def _opening(found: re.Match[str]) -> str:
    """The first character of what was found, spelled out; it alone makes the rest harmless."""
    text = found.group()
    return _escape(text[0]) + text[1:]


def _escape(character: str) -> str:
    if character in _NAMED:
        return _NAMED[character]
    code = ord(character)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
