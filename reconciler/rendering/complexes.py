"""Where two complex values differ: the members of an attribute that no profile describes, named one by one.

Only for pairs that are known to differ: deepdiff looks inside of them and explains, it does not decide. It is imported
when it is needed, which is rarely. Every text that leaves here is neutral (see `neutral`).
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from reconciler.model import Value
from reconciler.rendering.neutral import NAME_LIMIT, neutral, one_of_json, quoted

_VALUE_LIMIT: Final = 60
"""Characters of one value of a member."""
_PLAIN_NAME: Final = re.compile(r"[A-Za-z$_][A-Za-z0-9$_-]*").fullmatch


def differing_members(before: Value, after: Value) -> list[str]:
    """``colour = "red" -> "blue"``, ``+ size = 2``, ``- tags[0] = "x"``; in order of their paths, empty without any.

    Elements of lists count from 0. Values that are no objects or lists, or of different kinds, have no members.
    """
    if before is None or after is None or isinstance(before, str):
        return []
    kinds = (Mapping, list)
    if not any(isinstance(before, kind) and isinstance(after, kind) for kind in kinds):
        return []
    return [text for _, text in sorted(_found(before, after))]


def _found(before: Any, after: Any) -> Iterator[tuple[list[tuple[bool, str | int]], str]]:
    from deepdiff import DeepDiff

    for report, levels in DeepDiff(_marked(before), _marked(after), view="tree").items():
        for level in levels:
            steps = level.path(output_format="list")
            # names and indices do not compare with one another
            order = [(isinstance(step, str), step) for step in steps]
            yield order, _worded(str(report), _path(steps), _unmarked(level.t1), _unmarked(level.t2))


_MARKS: Final = {True: "\0true", False: "\0false"}
_MARKED: Final = {text: word for word, text in _MARKS.items()}


def _marked(value: Any) -> Any:
    """The value with texts in the place of true and false: in lists deepdiff takes those for 1 and 0."""
    if isinstance(value, bool):
        return _MARKS[value]
    return _within(value, _marked)


def _unmarked(value: Any) -> Any:
    return _MARKED.get(value, value) if isinstance(value, str) else _within(value, _unmarked)


def _within(value: Any, each: Callable[[Any], Any]) -> Any:
    if isinstance(value, Mapping):
        return {name: each(inner) for name, inner in value.items()}
    return [each(inner) for inner in value] if isinstance(value, list) else value


def _worded(report: str, path: str, before: Any, after: Any) -> str:
    if report.endswith("_added"):
        return f"+ {path} = {_shown(after)}"
    if report.endswith("_removed"):
        return f"- {path} = {_shown(before)}"
    return f"{path} = {_shown(before)} -> {_shown(after)}"


def _path(steps: Sequence[str | int]) -> str:
    text = ""
    for step in steps:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += f"{'.' if text else ''}{step if _PLAIN_NAME(step) else one_of_json(step)}"
    return neutral(text, NAME_LIMIT)


def _shown(value: Any) -> str:
    return quoted(value, _VALUE_LIMIT) if isinstance(value, str) else one_of_json(value, _VALUE_LIMIT)
