"""`reconciler validate`: everything that can be said without a network."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click

from reconciler.cli import masking
from reconciler.cli.exits import Exit
from reconciler.cli.github import annotate
from reconciler.cli.options import Chosen, target_options
from reconciler.cli.printing import sarif, show_diagnostics, show_text
from reconciler.declarations import Declarations
from reconciler.errors import InputError
from reconciler.model import Diagnostic, Severity
from reconciler.project import problems_without_settings

_FORMATS: Final = ("text", "json", "sarif")


@click.command("validate")
@target_options
@click.option(
    "--format",
    "form",
    type=click.Choice(_FORMATS),
    default="text",
    show_default=True,
    help="How to print what is found.",
)
def command(chosen: Chosen, form: str) -> Exit:
    """Check declarations and settings; needs no network.

    Every problem of every file is reported in one run. Without --target the declarations are checked for all targets.
    """
    try:
        project = chosen.project()
    except InputError as error:
        if not error.diagnostics:
            raise
        others = problems_without_settings(Path.cwd(), chosen.settings, chosen.identities)
        return _judged(form, (*error.diagnostics, *others), (), Declarations(), ())
    names = chosen.names(project) if chosen.targets else list(project.settings.targets)
    targets = [project.target(name) for name in names]
    problems, declarations = project.problems(targets)
    return _judged(form, problems, names, declarations, project.notes(targets, declarations))


def _judged(
    form: str, problems: Sequence[Diagnostic], names: Sequence[str], declarations: Declarations, notes: Sequence[str]
) -> Exit:
    """Print what was found, and say how that ends. `notes` are no problems, and not counted."""
    problems = masking.diagnostics(problems)
    valid = not any(each.severity is Severity.ERROR for each in problems)
    users, groups = len(declarations.users), len(declarations.groups)
    if form == "json":
        # a plan and its parts, for this format only
        from reconciler.planfile import written
        from reconciler.rendering.documents import validation_document

        found = validation_document(
            problems, targets=names, users=users, groups=groups, files=declarations.files, notes=notes
        )
        show_text(written(found).decode())
    elif form == "sarif":
        show_text(sarif(problems))
    elif problems:
        show_diagnostics(problems)
    if form != "text":
        annotate(problems)
    elif valid:
        said = f"{_count(users, 'user')} and {_count(groups, 'group')} in {_count(declarations.files, 'file')}"
        click.echo("\n".join([f"Valid: {said}, for {', '.join(names)}.", *(f"{each}." for each in notes)]))
    return Exit.DONE if valid else Exit.FAILED


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
