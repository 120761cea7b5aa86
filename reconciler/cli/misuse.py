"""What is said about a command line that cannot be understood: what is wrong, what was perhaps meant, where to look.

Nothing was read, asked or written when this is printed.
"""

import re
from collections.abc import Sequence

import click

from reconciler.cli.exits import Exit
from reconciler.cli.printing import error_line
from reconciler.suggestions import nearest, suggestion

_WRONG_CHOICE = re.compile("'(.*)' is not one of ")
_REHEARSAL = "an apply works on the day it is; `reconciler plan --today` rehearses another one"
_DRY_RUN = "`reconciler plan` is the dry run: it never writes"


_EXTRA = re.compile(r"got unexpected extra arguments? \((.+)\)\Z", re.IGNORECASE)


class Misuse(click.UsageError):
    """A usage error with its mend."""

    def __init__(self, summary: str, mend: str, ctx: click.Context | None = None) -> None:
        super().__init__(summary, ctx)
        self.mend = mend


def unknown_command(name: str, known: Sequence[str], ctx: click.Context) -> Misuse:
    """Somebody called a command that there is not."""
    return Misuse(f"there is no command {name}", _mend(name, known), ctx)


def report_misuse(error: click.UsageError) -> Exit:
    """Print what is wrong with the command line; nothing was done."""
    summary, mend = _words(error)
    error_line(summary, "\n".join(filter(None, (mend, _where_to_look(error.ctx)))))
    return Exit.USAGE


def _words(error: click.UsageError) -> tuple[str, str]:
    if isinstance(error, Misuse):
        return error.message, error.mend
    if isinstance(error, click.NoSuchOption):
        return f"there is no option {error.option_name}", _option_meant(error.option_name, error.ctx)
    if isinstance(error, click.BadParameter) and error.param is not None and isinstance(error.param.type, click.Choice):
        wrong = _WRONG_CHOICE.match(error.message)
        meant = nearest(wrong[1], [str(each) for each in error.param.type.choices]) if wrong is not None else None
        if wrong is not None and meant is not None:
            return f"{error.param.opts[0]} cannot be {wrong[1]}", f"did you mean {meant}?"
    message = error.format_message().rstrip(".")
    extra = _EXTRA.match(message)
    if extra is not None and error.ctx is not None and any(each.name == "target" for each in error.ctx.command.params):
        return f"there is one word too many: {extra[1]}", f"a target is named by --target {extra[1].split()[0]}"
    return message[:1].lower() + message[1:], ""


def _option_meant(name: str, ctx: click.Context | None) -> str:
    if ctx is None:
        return ""
    if isinstance(ctx.command, click.Group) and not _is_dry_run(name):
        return "options of a command stand behind its name"
    if name == "--today" and ctx.info_name == "apply":
        return _REHEARSAL
    options = [each for each in ctx.command.params if isinstance(each, click.Option)]
    return _mend(name, ["--help", *(name for each in options for name in each.opts if name.startswith("--"))])


def _mend(word: str, known: Sequence[str]) -> str:
    if _is_dry_run(word):
        return _DRY_RUN
    longer = [each for each in known if each.startswith(word)]
    return f"did you mean {longer[0]}?" if len(longer) == 1 else suggestion(word, known)


def _is_dry_run(word: str) -> bool:
    return word.replace("-", "").replace("_", "").casefold() in ("dryrun", "noop", "whatif")


def _where_to_look(ctx: click.Context | None) -> str:
    return f"see {ctx.command_path} --help" if ctx is not None else ""
