"""`reconciler drift`: only what moved on the server by other hands."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import click

from reconciler.cli.exits import Exit, worst
from reconciler.cli.options import opened, rehearsed, target_options, today_option
from reconciler.cli.output import FORMATS, show_plan
from reconciler.model import Plan
from reconciler.running import Options, plan_target


@click.command("drift")
@target_options
@today_option
@click.option(
    "--format", "form", type=click.Choice(FORMATS), default="text", show_default=True, help="How to print it."
)
@click.option("--verbose", is_flag=True, help="List everybody, also where equal changes are folded.")
def command(
    target: str | None,
    settings: Path | None,
    identities: Path | None,
    today: date | None,
    form: str,
    verbose: bool,
) -> Exit:
    """Show what moved on the server by other hands.

    Ends with 2 if anything did. `apply --drift` puts it right.
    """
    found = plan_target(opened(settings, identities), Options(target=target, today=today, all_drift=True))
    plan = rehearsed(found.plan, today)
    only = replace(plan, changes=(), operations=(), violations=(), requests=0)
    if form == "text" and not (only.drift or only.refused):
        click.echo(_nothing_moved(plan))
    else:
        show_plan(only, form, verbose=verbose)
    return worst([Exit.CHANGES if plan.drift else Exit.DONE, Exit.PARTLY if plan.refused else Exit.DONE])


def _nothing_moved(plan: Plan) -> str:
    """What can be said of a target that holds what it was given; without a whole record that is not known."""
    if any(each.code == "no-record" for each in plan.notices):
        return f'There is no whole record of target "{plan.target}" yet: drift cannot be told from new lines.'
    return f'No drift. Nobody else has changed what is declared for target "{plan.target}".'
