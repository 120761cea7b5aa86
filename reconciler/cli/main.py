"""`reconciler`: the registry of commands, and the one place where what went wrong becomes an exit code.

Only click is imported here, so that `--help` is quick; a command's own module is imported when it is called.
"""

import importlib
import os
import sys
from collections.abc import Sequence
from typing import Final, NamedTuple

import click

from reconciler.cli.exits import EXIT_CODES, Exit
from reconciler.memory import no_collection, seldom_collected


class Entry(NamedTuple):
    """A command: its module under `reconciler.cli`, its one line of help, and whether it writes to a target."""

    module: str
    help: str
    writes: bool = False


COMMANDS: Final = {
    "init": Entry("init", "Write the files of a new repository: settings, a first declaration, schemas, workflows."),
    "validate": Entry("validate", "Check declarations and settings; needs no network."),
    "plan": Entry("plan", "Show what an apply would do; never writes."),
    "show": Entry("show", "Show a saved plan; needs no network."),
    "apply": Entry("apply", "Plan, ask, carry out, verify and record.", writes=True),
    "drift": Entry("drift", "Show what moved on the server by other hands."),
    "explain": Entry("explain", "Show where each wanted value of one user or group comes from; needs no network."),
    "import": Entry("import_", "Write declarations for users and groups that are live and not declared."),
    "doctor": Entry("doctor", "Check settings, declarations, credential, connection, record, checkout."),
    "schema": Entry("schema", "Print a JSON Schema, or the names of all of them."),
    "sandbox": Entry("sandbox", "Serve the embedded provider over HTTP."),
}


class NobodyReads(Exception):
    """Whoever read our output has gone. Not an OSError, which click would turn into an exit code of its own."""


class Commands(click.Group):
    """Knows every command's name and help without importing it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order in which they are used."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command itself; its module is imported now."""
        if cmd_name not in COMMANDS:
            return None
        with no_collection():
            module = importlib.import_module(f"reconciler.cli.{COMMANDS[cmd_name].module}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Like click's, with a suggestion for a name that is not known."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from reconciler.cli.misuse import unknown_command

            raise unknown_command(args[0], list(COMMANDS), ctx)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        """The command's own answer."""
        try:
            code: object = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError as error:
            raise NobodyReads from error
        return code

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list in `--help`."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in COMMANDS.items()])
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(int(code)), meaning) for code, meaning in EXIT_CODES.items()])


ABOUT: Final = "Keep the users and groups of SCIM 2.0 service providers equal to what git declares."


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]}, help=ABOUT, no_args_is_help=False)
@click.version_option(package_name="scim-reconciler", prog_name="reconciler")
def cli() -> None:
    """The command without a subcommand: nothing."""


def run(arguments: Sequence[str] | None = None) -> None:
    """The entry point. Every way to end passes here; no traceback reaches a user.

    Without `arguments` they are the process's own, and the process is ours.
    """
    if arguments is None:
        seldom_collected()
    given = list(sys.argv[1:] if arguments is None else arguments)
    code = _outcome(given) if given else _lost()
    if os.environ.get("GITHUB_OUTPUT"):
        _leave_outcome(code)
    sys.exit(int(code))


def _leave_outcome(code: Exit) -> None:
    """How it ended, for later steps of a workflow."""
    from reconciler.cli.github import leave_outputs

    leave_outputs({"exit-code": int(code), "exit-reason": code.name.lower()})


def _lost() -> Exit:
    """Somebody asked for nothing: show what there is."""
    _outcome(["--help"])
    return Exit.USAGE


def _outcome(arguments: list[str]) -> Exit:
    try:
        code = cli.main(arguments, prog_name="reconciler", standalone_mode=False)
    except click.UsageError as error:
        return _misused(error)
    except (click.Abort, KeyboardInterrupt):
        click.echo("stopped", err=True)
        return Exit.FAILED
    except NobodyReads:
        # whoever read our output has seen enough; nothing may be printed while Python shuts down
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.FAILED if _writes(arguments) else Exit.DONE
    except Exception as error:
        return _failed(error)
    return code if isinstance(code, Exit) else Exit.DONE


def _writes(arguments: list[str]) -> bool:
    """Whether it is a command that writes: one that was broken off has not done what it was called for."""
    return bool(arguments) and arguments[0] in COMMANDS and COMMANDS[arguments[0]].writes


def _misused(error: click.UsageError) -> Exit:
    from reconciler.cli.misuse import report_misuse

    return report_misuse(error)


def _failed(error: Exception) -> Exit:
    from reconciler.cli.failures import report_failure

    return report_failure(error)
