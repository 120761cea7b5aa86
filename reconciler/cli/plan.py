"""`reconciler plan`: what an apply would do, in one of several formats, or saved to a file."""

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import click
from msgspec.structs import replace

from reconciler.cli import masking
from reconciler.cli.exits import Exit, worst
from reconciler.cli.github import leave_outputs, outputs_wanted
from reconciler.cli.options import Chosen, rehearsed, target_options, today_option
from reconciler.cli.output import PLAN_FORMATS, show_plan
from reconciler.cli.printing import show_text
from reconciler.cli.several import SaidOnce, show_each, side_by_side
from reconciler.errors import UsageError
from reconciler.model import Plan, Split
from reconciler.planfile import digest
from reconciler.project import Project
from reconciler.reconcile import Reconciliation
from reconciler.rendering.wording import in_total
from reconciler.running.plans import plan_target
from reconciler.running.run import Options


@click.command("plan")
@target_options
@today_option
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Save the plan as well, for `apply FILE`. For several targets a folder, which gets a TARGET.json of each.",
)
@click.option(
    "--base",
    metavar="REF",
    help="Tell what comes with this checkout from what the declarations of REF, such as origin/main, would do as well.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(PLAN_FORMATS),
    default="text",
    show_default=True,
    help="How to print the plan.",
)
@click.option("--verbose", is_flag=True, help="List everybody, also where equal changes are folded.")
@click.option("--detailed-exitcode", is_flag=True, help="End with 2 if there are changes.")
def command(
    chosen: Chosen,
    today: date | None,
    out: Path | None,
    base: str | None,
    form: str,
    verbose: bool,
    detailed_exitcode: bool,
) -> Exit:
    """Show what an apply would do; never writes.

    Reads the target and compares it with the declarations and with the record of what was applied last. Several targets
    are read side by side; what fails for one does not stop the others.
    """
    if chosen.several and form in ("html", "sarif"):
        raise UsageError(f"--format {form} is of one target", "name one by --target")
    project = chosen.project()
    names = chosen.names(project)
    made: dict[str, tuple[Reconciliation, Split | None]] = {}

    def planned(name: str) -> Plan:
        found, split = _planned(project, Options(target=name, today=today), base)
        masking.learn(found)
        made[name] = replace(found, plan=rehearsed(found.plan, today)), split
        return made[name][0].plan

    attempts = list(side_by_side(names, planned, several=chosen.several))
    plans = [each.made for each in attempts if each.made is not None]
    if out is not None:
        _save(project, made, out, chosen.several)
    splits = {name: split for name, (_, split) in made.items()}
    codes = []
    if chosen.several:
        once = SaidOnce()
        codes = show_each(
            attempts,
            form,
            lambda plan: show_plan(once.plan(plan), form, verbose=verbose, split=splits[plan.target]),
            splits,
        )
        if form == "text":
            show_text(in_total(plans, [each.target for each in attempts if each.made is None]))
    else:
        show_plan(plans[0], form, verbose=verbose, split=splits[names[0]])
    if outputs_wanted():  # the digest of a big plan takes its time
        leave_outputs(_outputs(plans))
    changes = detailed_exitcode and any(each.changes for each in plans)
    return worst([*codes, *map(code_of, plans), Exit.CHANGES if changes else Exit.DONE])


def _planned(project: Project, options: Options, base: str | None) -> tuple[Reconciliation, Split | None]:
    if base is None:
        return plan_target(project, options), None
    # what --base needs
    from reconciler.cli.base import planned_against

    return planned_against(project, options, base)


def _outputs(plans: Sequence[Plan]) -> dict[str, str | int]:
    """What later steps of a workflow may ask for; of a single target also without its name."""
    found: dict[str, str | int] = {}
    for plan in plans:
        values: dict[str, str | int] = {
            "digest": digest(plan),
            "changes": len(plan.changes),
            "drift": len(plan.drift),
            "violations": len(plan.violations),
        }
        found |= {f"{name}-{plan.target}": value for name, value in values.items()}
        found |= values if len(plans) == 1 else {}
    return found


def _save(project: Project, made: Mapping[str, tuple[Reconciliation, Split | None]], out: Path, several: bool) -> None:
    # what --out needs
    from reconciler.saved.binding import bound
    from reconciler.saved.file import dump_saved

    if several:
        out.mkdir(parents=True, exist_ok=True)
    for saved in [bound(project, project.target(name), *found) for name, found in made.items()]:
        file = out / f"{saved.plan.target}.json" if several else out
        file.write_bytes(dump_saved(saved))
        if saved.plan.operations and not saved.plan.violations:
            click.echo(f"Saved in {file}. To do exactly this: reconciler apply {file}", err=True)


def code_of(plan: Plan) -> Exit:
    """What a plan alone says about how a run ends."""
    if plan.violations:
        return Exit.REFUSED
    return Exit.PARTLY if plan.refused else Exit.DONE
