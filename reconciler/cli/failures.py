"""What is printed when a run cannot go on: one or a few lines with what, where and what to do; never a traceback."""

import os
import re
import tempfile
import traceback
from collections.abc import Iterator
from typing import Final

import click

from reconciler.cli.exits import Exit
from reconciler.cli.printing import error_line, show_diagnostics
from reconciler.errors import InputError, ReconcilerError, StalePlan, UsageError


def report_failure(error: Exception, about: str = "") -> Exit:
    """Print what went wrong, and say with which code to end. `about`: which of several targets it happened to."""
    if isinstance(error, ReconcilerError):
        if isinstance(error, InputError | StalePlan) and error.diagnostics:
            show_diagnostics(error.diagnostics)
        if about or not (isinstance(error, InputError) and error.diagnostics):
            named = not about or f'"{about}"' in error.summary
            error_line(error.summary if named else f'target "{about}": {error.summary}', error.mend)
        return _code(error)
    if isinstance(error, click.ClickException):
        error_line(error.format_message(), "")
        return Exit.FAILED
    if isinstance(error, OSError):
        why = (error.strerror or str(error)).lower()
        error_line(f"{error.filename}: {why}" if error.filename else why, "check the path and its permissions")
        return Exit.FAILED
    details = _written_details(error)
    error_line(f"this is a fault of reconciler ({type(error).__name__}), not of yours; nothing more was done", details)
    return Exit.FAILED


def _code(error: ReconcilerError) -> Exit:
    if isinstance(error, UsageError):
        return Exit.USAGE
    return Exit.STALE if isinstance(error, StalePlan) else Exit.FAILED


_SHORTEST_SECRET: Final = 6
_CREDENTIAL: Final = re.compile(r"""(?i)\b(bearer|basic|authorization)\b[\s:='"b]+(?:bearer |basic )?[^\s'",)]+""")
_TOKEN: Final = re.compile(r"(?=[\w+/=.~-]*[0-9])(?=[\w+/=.~-]*[A-Za-z])[\w+/=.~-]{24,}")


def _details(error: BaseException | None) -> Iterator[str]:
    """A traceback without values: where it failed, and what the exceptions say with everything secret taken out."""
    if error is None:
        return
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    yield from _details(cause)
    if cause is not None:
        yield "\nwhich led to:\n\n"
    yield from traceback.format_tb(error.__traceback__)
    yield f"{type(error).__name__}: {_without_secrets(str(error))}\n"


def _without_secrets(text: str) -> str:
    """Credentials, whatever an environment variable holds, and what looks like a token are only named."""
    text = _CREDENTIAL.sub(r"\1 (left out)", text)
    for name, value in sorted(os.environ.items(), key=lambda each: len(each[1]), reverse=True):
        if len(value) >= _SHORTEST_SECRET:
            text = text.replace(value, f"(the value of {name})")
    return _TOKEN.sub("(left out)", text)


def _written_details(error: Exception) -> str:
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="reconciler-", suffix=".log", delete=False, encoding="utf-8", errors="backslashreplace"
        ) as file:
            file.writelines(_details(error))
    except OSError:
        return "the details could not be written to a file"
    return f"details, please report them: {file.name} (read it first: it may name people)"
