"""What every command prints: lines to standard output, what went wrong to standard error."""

import os
import sys
from collections.abc import Sequence

from reconciler import __version__
from reconciler.cli import masking
from reconciler.cli.github import annotate, prefix
from reconciler.model import Diagnostic
from reconciler.rendering.neutral import neutral
from reconciler.rendering.paper import paper_for, write_text
from reconciler.settings.loading import NAME as SETTINGS_FILE


def paper_size() -> tuple[int, bool]:
    """How wide standard output is, and whether it takes colours."""
    paper = paper_for(sys.stdout, os.environ)
    return paper.width, bool(paper.styles)


def show_text(text: str) -> None:
    """Print what is neutral already."""
    write_text(sys.stdout, text)


def show_diagnostics(diagnostics: Sequence[Diagnostic]) -> None:
    """Print what is wrong with declarations or settings."""
    from reconciler.rendering.diagnostics import render_diagnostics

    diagnostics = masking.diagnostics(diagnostics)
    paper = paper_for(sys.stderr, os.environ)
    write_text(sys.stderr, render_diagnostics(diagnostics, width=paper.width, colour=bool(paper.styles)))
    annotate(diagnostics)


def sarif(problems: Sequence[Diagnostic]) -> str:
    """Problems, masked already, as SARIF, with places from the root of the repository on."""
    from reconciler.rendering.sarif import render_sarif

    return render_sarif(problems, version=__version__, prefix=prefix(), settings=SETTINGS_FILE)


def error_line(summary: str, mend: str) -> None:
    """One thing that went wrong, and what to do about it."""
    write_text(sys.stderr, f"error: {neutral(masking.text(summary))}")
    for line in mend.splitlines():
        write_text(sys.stderr, f"  {neutral(masking.text(line))}")
