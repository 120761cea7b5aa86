"""`reconciler drift`: only what moved on the server by other hands."""

from dataclasses import replace
from pathlib import Path

import click

from reconciler.cli.exits import Exit, worst
from reconciler.cli.options import opened, target_options
from reconciler.cli.output import FORMATS, show_plan
from reconciler.running import Options, plan_target


@click.command("drift")
@target_options
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True)
@click.option("--verbose", is_flag=True, help="List everybody, also where equal changes are folded.")
def command(target: str | None, settings: Path | None, identities: Path | None, form: str, verbose: bool) -> Exit:
    """Show what moved on the server by other hands.

    Ends with 2 if anything did. `apply --drift` puts it right.
    """
    plan = plan_target(opened(settings, identities), Options(target=target)).plan
    only = replace(plan, changes=(), operations=(), violations=(), requests=0)
    show_plan(only, form, verbose=verbose)
    return worst([Exit.CHANGES if plan.drift else Exit.DONE, Exit.PARTLY if plan.refused else Exit.DONE])
