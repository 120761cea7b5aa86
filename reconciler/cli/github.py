"""What a run leaves for GitHub Actions: problems at their lines, outputs for later steps, a summary of the job.

Only where the runner says so by its variables; see docs/outputs.md.
"""

import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from reconciler.errors import ReconcilerError
from reconciler.model import Diagnostic
from reconciler.rendering.paper import write_text

ACTIONS: Final = "GITHUB_ACTIONS"
OUTPUT: Final = "GITHUB_OUTPUT"
SUMMARY: Final = "GITHUB_STEP_SUMMARY"
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_bases: Final[list[Path]] = []


def remember_base(base: Path) -> None:
    """Places are relative to this folder from now on."""
    _bases[:] = [base]


def prefix() -> str:
    """From the root of the repository to the folder that places are relative to; empty outside git."""
    # only a runner and SARIF ask for it
    from reconciler.record.repository import GitRepository

    base = (_bases[0] if _bases else Path.cwd()).resolve()
    try:
        repository = GitRepository.find(base)
    except ReconcilerError:
        return ""
    top = repository.top.resolve() if repository is not None else base
    inside = base.relative_to(top).as_posix() if base.is_relative_to(top) else "."
    return "" if inside == "." else f"{inside}/"


def annotates() -> bool:
    """Whether problems are shown at their lines."""
    return os.environ.get(ACTIONS) == "true"


def annotate(problems: Sequence[Diagnostic]) -> None:
    """Show problems at their lines; on standard error, as standard output may be a document."""
    if annotates() and problems:
        # only on a runner
        from reconciler.rendering.annotations import annotations

        for line in annotations(problems, prefix()):
            write_text(sys.stderr, line)


def outputs_wanted() -> bool:
    """Whether the runner takes outputs of this step."""
    return bool(os.environ.get(OUTPUT))


def leave_outputs(values: Mapping[str, str | int]) -> None:
    """Outputs of this step, ``NAME=VALUE``; values are words, numbers and digests of our own."""
    file = os.environ.get(OUTPUT)
    if not file:
        return
    lines = [f"{name}={value}\n" for name, value in values.items() if _NAME.fullmatch(name)]
    with Path(file).open("a", encoding="utf-8") as stream:
        stream.writelines(lines)


def add_to_summary(markdown: str) -> None:
    """A part of the page that shows the job."""
    file = os.environ.get(SUMMARY)
    if file:
        with Path(file).open("a", encoding="utf-8") as stream:
            stream.write(f"{markdown}\n\n")
