"""`reconciler validate`: everything that can be said without a network."""

from pathlib import Path

import click

from reconciler.cli.exits import Exit
from reconciler.cli.options import opened, target_options
from reconciler.cli.output import show_diagnostics
from reconciler.model import Severity


@click.command("validate")
@target_options
def command(target: str | None, settings: Path | None, identities: Path | None) -> Exit:
    """Check declarations and settings; needs no network.

    Every problem of every file is reported in one run. Without --target the declarations are checked for all targets.
    """
    project = opened(settings, identities)
    names = [target] if target else list(project.settings.targets)
    problems, declarations = project.problems([project.target(name) for name in names])
    if problems:
        show_diagnostics(problems)
    if any(each.severity is Severity.ERROR for each in problems):
        return Exit.FAILED
    users, groups = len(declarations.users), len(declarations.groups)
    click.echo(f"Valid: {users} users and {groups} groups in {declarations.files} files, for {', '.join(names)}.")
    return Exit.DONE
