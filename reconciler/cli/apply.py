"""`reconciler apply`: plan, ask, carry out, verify, record."""

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click

from reconciler.cli.exits import Exit, worst
from reconciler.cli.options import opened, target_options
from reconciler.cli.output import error_line, show_plan, show_report
from reconciler.cli.plan import code_of
from reconciler.cli.progress import Progress
from reconciler.errors import UsageError
from reconciler.model import Failed, Plan, Result, Succeeded
from reconciler.reconcile import Reconciliation
from reconciler.running import Options, Outcome, apply_target

_ACCEPTED: Final = re.compile(r"[A-Za-z][A-Za-z-]*@[0-9a-f]{8}")


@click.command("apply")
@target_options
@click.option("--auto-approve", is_flag=True, help="Do not ask. Needed where there is no terminal to ask on.")
@click.option("--drift", is_flag=True, help="Also put right what others changed on the server.")
@click.option(
    "--accept",
    multiple=True,
    metavar="RULE@DIGEST",
    help="Accept one broken safety rule, for exactly the items that the plan listed.",
)
@click.option("--verbose", is_flag=True, help="List everybody, also where equal changes are folded.")
def command(
    target: str | None,
    settings: Path | None,
    identities: Path | None,
    auto_approve: bool,
    drift: bool,
    accept: tuple[str, ...],
    verbose: bool,
) -> Exit:
    """Plan, ask, carry out, verify and record.

    Shows the plan first. Nothing is written before the record could be moved, and the record says afterwards what was
    found in place.
    """
    if not auto_approve and not sys.stdin.isatty():
        raise click.UsageError("there is no terminal to ask on; to apply without a question add --auto-approve")
    _check_accepted(accept)
    project = opened(settings, identities)
    progress = Progress(sys.stderr)
    plans: list[Plan] = []
    ended = False

    def confirm(reconciliation: Reconciliation) -> bool:
        plan = reconciliation.plan
        plans.append(plan)
        show_plan(plan, "text", verbose=verbose)
        if plan.violations or not plan.operations:
            return True
        agreed = auto_approve or _agreed(plan.target)
        progress.begin(len(plan.operations))
        return agreed

    options = Options(target=target, drift=drift, accepted=frozenset(accept))
    try:
        with progress:
            outcome = apply_target(project, options, confirm=confirm, progress=progress.advance, stop=progress.stopped)
        ended = True
    except KeyboardInterrupt:
        # Once something may be written, an interrupt is a wish that `progress` takes, not an exception.
        click.echo()
        ended, outcome = True, None
    finally:
        if not ended and progress.results:
            _show_broken_off(plans[-1], progress.results, verbose=verbose)
    if outcome is None:
        click.echo("Apply cancelled: nothing was written.")
        return Exit.FAILED
    return _ended(outcome, verbose=verbose)


def _show_broken_off(plan: Plan, results: Sequence[Result], *, verbose: bool) -> None:
    """What was done before something failed that nobody thought of; the operation under way may be done or not."""
    last = max(each.number for each in results)
    under_way = min((each.number for each in plan.operations if each.number > last), default=None)
    broken = [] if under_way is None else [Failed(number=under_way, message="reconciler broke off here", unknown=True)]
    show_report(plan, [*results, *broken], (), verbose=verbose)


def _check_accepted(accept: tuple[str, ...]) -> None:
    for each in accept:
        if not _ACCEPTED.fullmatch(each):
            mend = "copy rule and digest from the plan, as in removals@3f2a9c41"
            raise UsageError(f"--accept {each} is not RULE@DIGEST", mend)


def _agreed(target: str) -> bool:
    question = f'\nPerform these actions on "{target}"? Only "yes" is taken as a yes'
    try:
        return bool(click.prompt(question, default="", show_default=False) == "yes")
    except click.Abort:
        click.echo()
        return False


def _ended(outcome: Outcome, *, verbose: bool) -> Exit:
    plan = outcome.reconciliation.plan
    codes = [code_of(plan)]
    if outcome.results:
        show_report(plan, outcome.results, outcome.unverified, verbose=verbose)
    if outcome.unverified or any(not isinstance(each, Succeeded) for each in outcome.results):
        codes.append(Exit.PARTLY)
    for trouble in outcome.troubles:
        error_line(trouble.summary, trouble.mend)
        codes.append(Exit.PARTLY)
    return worst(codes)
