"""What a scalar is besides text: one of four words, or a number by JSON's grammar where somebody wants one."""

import re
from typing import Final

WORDS: Final = {"true": True, "false": False, "null": None, "~": None}
UNCLEAR: Final = frozenset({"True", "TRUE", "False", "FALSE", "Null", "NULL"})
"""Text by the rule, and nearly always meant as one of the words."""

_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?\Z").match
_LONGEST_NUMBER: Final = 18


class Quoted(str):
    """Text that looks like a number but stood in quotes or in a block: it is text all the same."""

    __slots__ = ()


def number(text: object) -> int | float | None:
    """The number that a plain scalar spells by JSON's grammar (RFC 8259 §6); None for anything else, also quoted."""
    if type(text) is not str or len(text) > _LONGEST_NUMBER or not _NUMBER(text):
        return None
    if text.lstrip("-").isdigit():
        return int(text)
    value = float(text)
    return value if value - value == 0 else None


def looks_like_number(text: str) -> bool:
    """Whether a text would be a number, if it stood without quotes."""
    return _NUMBER(text) is not None
