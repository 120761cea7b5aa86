"""Printing: plans and their like to standard output, what went wrong to standard error."""

import sys
from collections.abc import Sequence
from typing import Final

import click

from reconciler.model import Diagnostic, Plan
from reconciler.planfile import dump
from reconciler.rendering.diagnostics import render_diagnostics
from reconciler.rendering.neutral import neutral
from reconciler.rendering.text import Terminal, render_text
from reconciler.rendering.view import view

FORMATS: Final = ("text", "json")


def show_plan(plan: Plan, form: str, *, verbose: bool = False) -> None:
    """Print a plan in one of `FORMATS`."""
    if form == "json":
        sys.stdout.buffer.write(dump(plan) + b"\n")
        return
    terminal = Terminal.of(sys.stdout)
    sys.stdout.write(render_text(view(plan, verbose=verbose), width=terminal.width, colour=terminal.colour))


def show_diagnostics(diagnostics: Sequence[Diagnostic]) -> None:
    """Print what is wrong with declarations or settings."""
    terminal = Terminal.of(sys.stderr)
    click.echo(render_diagnostics(diagnostics, width=terminal.width, colour=terminal.colour), err=True, nl=False)


def error_line(summary: str, mend: str) -> None:
    """One thing that went wrong, and what to do about it."""
    click.echo(f"error: {neutral(summary)}", err=True)
    for line in mend.splitlines():
        click.echo(f"  {neutral(line)}", err=True)
