"""`reconciler plan`: what an apply would do, as text or JSON, or saved to a file."""

from datetime import date
from pathlib import Path

import click

from reconciler.cli.exits import Exit, worst
from reconciler.cli.options import opened, rehearsed, target_options, today_option
from reconciler.cli.output import FORMATS, show_plan
from reconciler.model import Plan
from reconciler.planfile import dump
from reconciler.running import Options, plan_target


@click.command("plan")
@target_options
@today_option
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Save the plan as well; see `show`.")
@click.option(
    "--format", "form", type=click.Choice(FORMATS), default="text", show_default=True, help="How to print the plan."
)
@click.option("--verbose", is_flag=True, help="List everybody, also where equal changes are folded.")
@click.option("--detailed-exitcode", is_flag=True, help="End with 2 if there are changes.")
def command(
    target: str | None,
    settings: Path | None,
    identities: Path | None,
    today: date | None,
    out: Path | None,
    form: str,
    verbose: bool,
    detailed_exitcode: bool,
) -> Exit:
    """Show what an apply would do; never writes.

    Reads the target and compares it with the declarations and with the record of what was applied last.
    """
    project = opened(settings, identities)
    plan = rehearsed(plan_target(project, Options(target=target, today=today)).plan, today)
    if out is not None:
        out.write_bytes(dump(plan))
    show_plan(plan, form, verbose=verbose)
    return worst([code_of(plan), Exit.CHANGES if detailed_exitcode and plan.changes else Exit.DONE])


def code_of(plan: Plan) -> Exit:
    """What a plan alone says about how a run ends."""
    if plan.violations:
        return Exit.REFUSED
    return Exit.PARTLY if plan.refused else Exit.DONE
