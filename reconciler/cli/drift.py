"""`reconciler drift`: only what moved on the server by other hands."""

from datetime import date

import click
from msgspec.structs import replace

from reconciler.cli import masking
from reconciler.cli.exits import Exit, worst
from reconciler.cli.options import Chosen, rehearsed, target_options, today_option
from reconciler.cli.output import FORMATS, show_plan
from reconciler.cli.several import SaidOnce, show_each, side_by_side
from reconciler.errors import UsageError
from reconciler.model import Plan
from reconciler.running.plans import plan_target
from reconciler.running.run import Options


@click.command("drift")
@target_options
@today_option
@click.option(
    "--format", "form", type=click.Choice(FORMATS), default="text", show_default=True, help="How to print it."
)
@click.option("--verbose", is_flag=True, help="List everybody, also where equal changes are folded.")
def command(chosen: Chosen, today: date | None, form: str, verbose: bool) -> Exit:
    """Show what moved on the server by other hands.

    Ends with 2 if anything did. `apply --drift` puts it right. Several targets are read side by side.
    """
    if chosen.several and form == "html":
        raise UsageError("--format html makes a page of one target", "name one by --target")
    project = chosen.project()
    once = SaidOnce()

    def found(name: str) -> Plan:
        options = Options(target=name, today=today, all_drift=True)
        plan = rehearsed(masking.learn(plan_target(project, options)).plan, today)
        return replace(plan, changes=(), operations=(), violations=(), requests=0)

    def show(plan: Plan) -> None:
        if form == "text" and not (plan.drift or plan.refused):
            click.echo(_nothing_moved(plan))
        else:
            show_plan(once.plan(plan), form, verbose=verbose)

    attempts = list(side_by_side(chosen.names(project), found, several=chosen.several))
    plans = [each.made for each in attempts if each.made is not None]
    codes = []
    if chosen.several:
        codes = show_each(attempts, form, show)
    else:
        show(plans[0])
    codes += [Exit.CHANGES for each in plans if each.drift]
    return worst([*codes, *(Exit.PARTLY for each in plans if each.refused)])


def _nothing_moved(plan: Plan) -> str:
    """What can be said of a target that holds what it was given; without a whole record that is not known."""
    if any(each.code == "no-record" for each in plan.notices):
        return f'There is no whole record of target "{plan.target}" yet: drift cannot be told from new lines.'
    return f'No drift. Nobody else has changed what is declared for target "{plan.target}".'
