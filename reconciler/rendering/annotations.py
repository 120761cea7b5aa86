"""Problems as workflow commands of GitHub Actions, which shows them at the lines of a pull request.

Everything is neutral first and escaped by the runner's own rules then, so that no text can begin a command of its own.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from reconciler.model import Diagnostic, Severity
from reconciler.rendering.neutral import NAME_LIMIT, neutral

_WORDS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTICE: "notice"}
_SHOWN: Final = 10
"""Of each kind a step shows so many; the rest would be dropped without a word."""


def annotations(problems: Sequence[Diagnostic], prefix: str) -> Iterator[str]:
    """A line for each problem, the first `_SHOWN` of each severity; the last one says how many there are besides."""
    for severity, word in _WORDS.items():
        some = [each for each in problems if each.severity is severity]
        for number, each in enumerate(some[:_SHOWN], 1):
            left = len(some) - _SHOWN if number == _SHOWN else 0
            yield _command(word, each, prefix, f" (and {left:,} more: see the log)" if left > 0 else "")


def _command(word: str, problem: Diagnostic, prefix: str, more: str) -> str:
    place = ""
    if problem.source is not None:
        file = _property(prefix + neutral(problem.source.path, NAME_LIMIT))
        place = f"file={file},line={problem.source.line},col={problem.source.column},"
    about = f"{problem.address}: " if problem.address is not None and problem.source is None else ""
    said = "\n".join(filter(None, (about + problem.summary, problem.detail, problem.mend and f"mend: {problem.mend}")))
    text = "\n".join(neutral(each) for each in said.split("\n"))
    return f"::{word} {place}title={_property(neutral(problem.code, NAME_LIMIT))}::{_data(text + more)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
