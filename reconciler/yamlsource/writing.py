"""Plain data -> YAML that `read_yaml` reads back as the same, one row for each value.

Text that could be more is quoted. A text of several lines stays in one row, with escapes, and so does what a reviewer
would not see: no character turns the order of a row around. A date is bare.
"""

from collections.abc import Iterator
from typing import Any, Final

import yaml

_ENDLESS: Final = 10**9
_MOST_IN_A_ROW: Final = 4
"""A longer list has a row for each value, so that a change of one is a change of one row."""
_TEXT: Final = "tag:yaml.org,2002:str"


def _scalar(dumper: Any, text: str) -> Any:
    """Only in double quotes are there escapes: a line break breaks no row there.

    Digits are quoted all alike: 000142 would be a number to some readers, and 000189 to none.
    """
    style = '"' if not text.isprintable() else "'" if text.isdigit() else None
    return dumper.represent_scalar(_TEXT, text, style=style)


_Base: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_Dumper: Any = type("_Dumper", (_Base,), {"ignore_aliases": lambda self, data: True})
_Dumper.add_representer(str, _scalar)


def _visible(character: str) -> str:
    """A character as it may stand in double quotes, where all that is not printable stands."""
    if character.isprintable():
        return character
    number = ord(character)
    return f"\\u{number:04X}" if number < 0x10000 else f"\\U{number:08X}"


def written(value: Any) -> str:
    """A value in one row."""
    text: str = yaml.dump(
        value, Dumper=_Dumper, default_flow_style=True, width=_ENDLESS, allow_unicode=True, sort_keys=False
    )
    row = text.removesuffix("...\n").strip()
    return row if row.isprintable() else "".join(map(_visible, row))


def rows(name: str, value: Any, indent: int) -> Iterator[str]:
    """``name: value`` in a row, or a list of many values in a row each."""
    head = f"{' ' * indent}{written(name)}:"
    if not isinstance(value, list) or len(value) <= _MOST_IN_A_ROW:
        yield f"{head} {written(value)}"
        return
    yield head
    yield from (f"{' ' * indent}  - {written(each)}" for each in value)
