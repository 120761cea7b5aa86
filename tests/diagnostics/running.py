"""The command, called in this process: what it prints and how it ends. Hundreds of calls take as long as one does."""

import contextlib
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from reconciler.cli import main

_SURROUNDINGS = ("CI", "GITHUB_ACTIONS", "NO_COLOR", "COLUMNS", "RECONCILER_TARGET", "RECONCILER_SETTINGS")


@dataclass(frozen=True)
class Said:
    """How a call ended."""

    code: int
    out: str
    err: str


def say(arguments: Sequence[str], folder: Path) -> Said:
    """Call `reconciler` in a folder, with nothing of the surroundings."""
    out, err = io.StringIO(), io.StringIO()
    before = {name: os.environ.pop(name) for name in _SURROUNDINGS if name in os.environ}
    try:
        with contextlib.chdir(folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main._outcome(list(arguments))
    finally:
        os.environ.update(before)
    return Said(int(code), out.getvalue(), err.getvalue())
