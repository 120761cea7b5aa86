"""Plain data -> YAML that `read_yaml` reads back as the same, one row for each value.

Text that could be more is quoted. A text of several lines stays in one row, with escapes, and so does what a reviewer
would not see: no character turns the order of a row around. A date is bare.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

import yaml

_ENDLESS: Final = 10**9
_MOST_IN_A_ROW: Final = 4
"""A longer list has a row for each value, so that a change of one is a change of one row."""
_TEXT: Final = "tag:yaml.org,2002:str"
_PLAIN: Final = re.compile(r"[A-Za-z](?:[A-Za-z0-9_.@ /+-]*[A-Za-z0-9])?", re.ASCII).fullmatch
_WORDS: Final = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null"))
"""What some reader of YAML takes for something else than text, in any case."""
_LONGEST_KEY: Final = 100
"""A longer one is no simple key to the writer, which then takes the whole value."""


def _scalar(dumper: Any, text: str) -> Any:
    """Only in double quotes are there escapes: a line break breaks no row there.

    Digits are quoted all alike: 000142 would be a number to some readers, and 000189 to none.
    """
    style = '"' if not text.isprintable() else "'" if text.isdigit() else None
    return dumper.represent_scalar(_TEXT, text, style=style)


_Base: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_Dumper: Any = type("_Dumper", (_Base,), {"ignore_aliases": lambda self, data: True})
_Dumper.add_representer(str, _scalar)


def written(value: Any) -> str:
    """A value in one row."""
    return _word(value) if type(value) is str else _inside(value)


def rows(name: str, value: Any, indent: int) -> Iterator[str]:
    """``name: value`` in a row, or a list of many values in a row each."""
    head = f"{' ' * indent}{written(name)}:"
    if not isinstance(value, list) or len(value) <= _MOST_IN_A_ROW:
        yield f"{head} {written(value)}"
        return
    yield head
    yield from (f"{' ' * indent}  - {written(each)}" for each in value)


def _inside(value: Any) -> str:
    """A value between brackets, where a comma or a bracket in a text has to be quoted.

    Put together here: the library takes as long for a word as for a page.
    """
    if type(value) is str:
        return _flow_word(value)
    if type(value) is list:
        return f"[{', '.join(map(_inside, value))}]"
    if type(value) is dict and all(type(key) is str and len(key) <= _LONGEST_KEY for key in value):
        return f"{{{', '.join(f'{_flow_word(key)}: {_inside(each)}' for key, each in value.items())}}}"
    return _dumped(value)


@lru_cache(maxsize=65536)
def _word(text: str) -> str:
    return text if _PLAIN(text) and text.lower() not in _WORDS else _dumped(text)


@lru_cache(maxsize=65536)
def _flow_word(text: str) -> str:
    return text if _PLAIN(text) and text.lower() not in _WORDS else _dumped([text])[1:-1]


def _dumped(value: Any) -> str:
    text: str = yaml.dump(
        value, Dumper=_Dumper, default_flow_style=True, width=_ENDLESS, allow_unicode=True, sort_keys=False
    )
    row = text.removesuffix("...\n").strip()
    return row if row.isprintable() else "".join(map(_visible, row))


def _visible(character: str) -> str:
    """A character as it may stand in double quotes, where all that is not printable stands."""
    if character.isprintable():
        return character
    number = ord(character)
    return f"\\u{number:04X}" if number < 0x10000 else f"\\U{number:08X}"
