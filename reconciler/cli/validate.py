"""`reconciler validate`: everything that can be said without a network."""

from pathlib import Path

import click

from reconciler.cli.exits import Exit
from reconciler.cli.options import Chosen, target_options
from reconciler.cli.output import show_diagnostics
from reconciler.errors import InputError
from reconciler.model import Severity
from reconciler.project import problems_without_settings


@click.command("validate")
@target_options
def command(chosen: Chosen) -> Exit:
    """Check declarations and settings; needs no network.

    Every problem of every file is reported in one run. Without --target the declarations are checked for all targets.
    """
    try:
        project = chosen.project()
    except InputError as error:
        if not error.diagnostics:
            raise
        others = problems_without_settings(Path.cwd(), chosen.settings, chosen.identities)
        show_diagnostics((*error.diagnostics, *others))
        return Exit.FAILED
    names = chosen.names(project) if chosen.targets else list(project.settings.targets)
    problems, declarations = project.problems([project.target(name) for name in names])
    if problems:
        show_diagnostics(problems)
    if any(each.severity is Severity.ERROR for each in problems):
        return Exit.FAILED
    users, groups = _count(len(declarations.users), "user"), _count(len(declarations.groups), "group")
    click.echo(f"Valid: {users} and {groups} in {_count(declarations.files, 'file')}, for {', '.join(names)}.")
    return Exit.DONE


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
