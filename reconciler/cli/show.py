"""`reconciler show`: a saved plan, without asking anybody; or, if asked to, how much of it still fits what is live."""

from collections.abc import Sequence
from pathlib import Path

import click
from msgspec.structs import replace

from reconciler.cli import masking
from reconciler.cli.exits import Exit
from reconciler.cli.options import Chosen, project_options
from reconciler.cli.output import FORMATS, show_plan
from reconciler.cli.printing import show_diagnostics
from reconciler.errors import StalePlan
from reconciler.model import Diagnostic, Plan, Severity
from reconciler.running.plans import plan_target
from reconciler.running.run import Options
from reconciler.saved.binding import check_content, check_target
from reconciler.saved.file import load_saved, load_shown
from reconciler.saved.judging import judge
from reconciler.saved.narrowing import diagnostics_of
from reconciler.saved.outcome import read_outcome
from reconciler.saved.parts import paths_of
from reconciler.saved.showing import outcome_text, progress_text


@click.command("show")
@click.argument("file", type=click.Path(path_type=Path))
@project_options
@click.option("--live", is_flag=True, help="Read the target again, and show what of the plan moved or is done since.")
@click.option(
    "--format", "form", type=click.Choice(FORMATS), default="text", show_default=True, help="How to print the plan."
)
@click.option("--verbose", is_flag=True, help="List everybody, also where equal changes are folded.")
def command(chosen: Chosen, file: Path, live: bool, form: str, verbose: bool) -> Exit:
    """Show a saved plan; needs no network.

    FILE was written by `plan --out`. What it shows was true then; `plan` shows what is true now. An apply of it leaves
    word beside it, in FILE.result.json, which is shown as well. --live asks the target, and ends with 4 if something
    moved.
    """
    if live:
        return _show_live(chosen, file)
    masking.learn_files(chosen.project)
    data = file.read_bytes()
    plan, split = load_shown(data, file.name)
    show_plan(_with_outcome(plan, data, file), form, verbose=verbose, split=split)
    return Exit.DONE


def _with_outcome(plan: Plan, data: bytes, file: Path) -> Plan:
    """The plan, which says first of all what became of it."""
    outcome = read_outcome(file, data)
    if outcome is None:
        return plan
    summary = f"an apply of this plan {outcome_text(outcome)}"
    said = Diagnostic(severity=Severity.WARNING, code="plan-applied", summary=summary)
    return replace(plan, notices=(said, *plan.notices))


def _show_live(chosen: Chosen, file: Path) -> Exit:
    saved = load_saved(file.read_bytes(), file.name)
    project = chosen.project()
    target = check_target(saved, project, file.name)
    try:
        check_content(saved, project, target, file.name)
        other: Sequence[Diagnostic] = ()
    except StalePlan as error:
        other = error.diagnostics
    asked = Options(target=target.name, read=paths_of(saved.plan.changes))
    judgements = judge(saved.plan, plan_target(project, asked).situation)
    moved = list(dict.fromkeys(diagnostics_of(judgements.values())))
    click.echo(progress_text(judgements))
    if other or moved:
        click.echo("An apply of it would refuse.")
        show_diagnostics([*other, *moved])
    return Exit.STALE if other or moved else Exit.DONE
