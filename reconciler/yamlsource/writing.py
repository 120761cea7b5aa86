"""Plain data -> YAML that `read_yaml` reads back as the same. Text that could be more is quoted; a date is bare."""

from collections.abc import Iterator
from typing import Any, Final

import yaml

_Dumper: Final = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_ENDLESS: Final = 10**9
_MOST_IN_A_ROW: Final = 4
"""A longer list has a row for each value, so that a change of one is a change of one row."""


def written(value: Any) -> str:
    """A value in one row."""
    text: str = yaml.dump(
        value, Dumper=_Dumper, default_flow_style=True, width=_ENDLESS, allow_unicode=True, sort_keys=False
    )
    return text.removesuffix("...\n").strip()


def rows(name: str, value: Any, indent: int) -> Iterator[str]:
    """``name: value`` in a row, or a list of many values in a row each."""
    head = f"{' ' * indent}{written(name)}:"
    if not isinstance(value, list) or len(value) <= _MOST_IN_A_ROW:
        yield f"{head} {written(value)}"
        return
    yield head
    yield from (f"{' ' * indent}  - {written(each)}" for each in value)
