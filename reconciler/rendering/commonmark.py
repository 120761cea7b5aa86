"""Untrusted text made harmless for Markdown, as CommonMark and the services that host repositories read it.

Nothing is escaped character by character: services look for mentions, issue numbers, commits, addresses and short codes
in what Markdown has made of the text, so an escaped ``@`` still calls somebody. Only code is left alone. Words that
are nothing but letters, and small numbers, stay words; everything else becomes a code span or stands in a fence.
"""

import re
from collections.abc import Iterable
from typing import Final

_WORD: Final = r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*"
_NUMBER: Final = r"\d{1,3}(?:,\d{3})*%?"
_PLAIN: Final = re.compile(rf"[(\"]*(?:{_WORD}[)\"]*[,;:.!?…]*|{_NUMBER}(?:[,;:]*|\)[,;:.]+)|[…\u2013\u2014])")
_SHELL: Final = re.compile(r"(\(?)(.+?)([),;:.!?…]*)", re.DOTALL)
_LOOKS_LIKE_A_COMMIT: Final = re.compile(r"[0-9a-f]{7,}", re.IGNORECASE)
_QUOTED: Final = re.compile("`[^`]+`")
_TICKS: Final = re.compile("`+")
_SEPARATORS: Final = ",;:.!?…"


def code(text: str) -> str:
    """A code span that holds exactly `text`, one line of it (CommonMark 0.31 §6.1)."""
    ticks = "`" * (_longest_ticks(text) + 1)
    space = " " if text.startswith(("`", " ")) or text.endswith(("`", " ")) or not text else ""
    return f"{ticks}{space}{text}{space}{ticks}"


def prose(text: str) -> str:
    """A sentence: its words as words, and everything in it that could mean something else as code."""
    pieces: list[str] = []
    run: list[str] = []
    for token in text.split():
        if _is_plain(token):
            pieces += [*_spans(run), token]
            run = []
        else:
            run.append(token)
    return " ".join([*pieces, *_spans(run)])


def fence(rows: Iterable[str], language: str) -> str:
    """Rows of code in a fence that none of them can close (CommonMark 0.31 §4.5)."""
    body = "\n".join(rows)
    ticks = "`" * max(3, _longest_ticks(body) + 1)
    return f"{ticks}{language}\n{body}\n{ticks}"


def _is_plain(token: str) -> bool:
    return _PLAIN.fullmatch(token) is not None and not _LOOKS_LIKE_A_COMMIT.search(token)


def _spans(tokens: list[str]) -> list[str]:
    """Neighbours that are no words, as one code span; a comma behind one of them ends it."""
    spans: list[str] = []
    run: list[str] = []
    for token in tokens:
        run.append(token)
        if token[-1] in _SEPARATORS:
            spans.append(_span(" ".join(run)))
            run = []
    return [*spans, _span(" ".join(run))] if run else spans


def _span(text: str) -> str:
    """Code, with the brackets and stops around it left outside."""
    found = _SHELL.fullmatch(text)
    if found is None:
        return code(text)
    opening, inner, closing = found.groups()
    if _QUOTED.fullmatch(inner):
        return f"{opening}{inner}{closing}"
    if closing.startswith(")") and inner.count("(") > inner.count(")"):
        inner, closing = inner + closing[:1], closing[1:]
    return f"{opening}{code(inner)}{closing}"


def _longest_ticks(text: str) -> int:
    return max((len(each) for each in _TICKS.findall(text)), default=0)
