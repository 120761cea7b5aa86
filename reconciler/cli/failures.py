"""What is printed when a run cannot go on: one or a few lines with what, where and what to do; never a traceback."""

import tempfile
import traceback

import click

from reconciler.cli.exits import Exit
from reconciler.cli.output import error_line, show_diagnostics
from reconciler.errors import InputError, ReconcilerError, UsageError


def report_failure(error: Exception) -> Exit:
    """Print what went wrong, and say with which code to end."""
    if isinstance(error, ReconcilerError):
        if isinstance(error, InputError) and error.diagnostics:
            show_diagnostics(error.diagnostics)
        else:
            error_line(error.summary, error.mend)
        return Exit.USAGE if isinstance(error, UsageError) else Exit.FAILED
    if isinstance(error, click.ClickException):
        error_line(error.format_message(), "")
        return Exit.FAILED
    if isinstance(error, OSError):
        where = f" ({error.filename})" if error.filename else ""
        error_line(f"{(error.strerror or str(error)).lower()}{where}", "check the path and its permissions")
        return Exit.FAILED
    details = _written_details(error)
    error_line(f"this is a fault of reconciler ({type(error).__name__}), not of yours; nothing more was done", details)
    return Exit.FAILED


def _written_details(error: Exception) -> str:
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="reconciler-", suffix=".log", delete=False, encoding="utf-8", errors="backslashreplace"
        ) as file:
            traceback.print_exception(error, file=file)
    except OSError:
        return "the details could not be written to a file"
    return f"details, please report them: {file.name} (read it first: it may name people)"
