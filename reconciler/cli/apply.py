"""`reconciler apply`: plan, ask, carry out, verify, record."""

import re
import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Final

import click
from msgspec.structs import replace

from reconciler.cli import masking
from reconciler.cli.exits import EXIT_CODES, Exit, worst
from reconciler.cli.gates import FileGate, Gate, ReviewGate
from reconciler.cli.options import Chosen, target_options
from reconciler.cli.output import plan_document, show_plan, show_report
from reconciler.cli.plan import code_of
from reconciler.cli.printing import error_line, show_text
from reconciler.cli.progress import Progress
from reconciler.cli.several import SaidOnce, attempt, in_short
from reconciler.errors import UsageError
from reconciler.model import Failed, Json, Plan, Result, Succeeded
from reconciler.planfile import written
from reconciler.project import Project
from reconciler.reconcile import Reconciliation
from reconciler.rendering.documents import applied_document, apply_document, failed_document
from reconciler.running.applies import Outcome, apply_target
from reconciler.running.run import Options

_ACCEPTED: Final = re.compile(r"[A-Za-z][A-Za-z-]*@[0-9a-f]{8}")


@click.command("apply")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@target_options
@click.option("--auto-approve", is_flag=True, help="Do not ask. Needed where there is no terminal to ask on.")
@click.option("--drift", is_flag=True, help="Also put right what others changed on the server.")
@click.option(
    "--reviewed",
    metavar="FILE|DIGEST",
    help="Go on only if it is the reviewed plan, or, by its file, what is left of it.",
)
@click.option(
    "--accept",
    multiple=True,
    metavar="RULE@DIGEST",
    help="Accept one broken safety rule, for exactly the items that the plan listed.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(("text", "json")),
    default="text",
    show_default=True,
    help="How to print plan and report; json needs --auto-approve.",
)
@click.option("--verbose", is_flag=True, help="List everybody, also where equal changes are folded.")
def command(
    chosen: Chosen,
    file: Path | None,
    auto_approve: bool,
    drift: bool,
    reviewed: str | None,
    accept: tuple[str, ...],
    form: str,
    verbose: bool,
) -> Exit:
    """Plan, ask, carry out, verify and record.

    FILE is a plan that `plan --out` saved: nothing but what it holds is done, and nothing at all if it does not fit any
    more. Without it the plan is made now.

    Shows the plan first. Nothing is written before the record could be moved, and the record says afterwards what was
    found in place. Several targets are taken one after another, each planned right before it is written to; what fails
    for one does not stop the others.
    """
    if not auto_approve and not sys.stdin.isatty():
        raise click.UsageError("there is no terminal to ask on; to apply without a question add --auto-approve")
    if form == "json" and not auto_approve:
        raise click.UsageError("--format json asks no question: add --auto-approve")
    _check_accepted(accept)
    if file is not None and drift:
        raise click.UsageError("--drift plans anew, a FILE is planned already: one of them")
    project = chosen.project()
    names, gate = _chosen(chosen, project, file, reviewed)
    asked = Options(drift=drift, accepted=frozenset(accept), read=gate.read)
    once = SaidOnce()
    runs = [_Run(project, replace(asked, target=name), gate, once, auto_approve, verbose) for name in names]
    if form == "json":
        return _in_json(names, runs)
    if not chosen.several:
        return runs[0].applied()
    codes: dict[str, Exit] = {}
    for name, run in zip(names, runs, strict=True):
        tried = attempt(name, run.applied)
        codes[name] = tried.told() if tried.made is None else tried.made
        click.echo()
        if run.stopped:
            break
    click.echo(_of_all(names, codes))
    return worst([*codes.values(), Exit.DONE if len(codes) == len(names) else Exit.FAILED])


def _in_json(names: Sequence[str], runs: "Sequence[_Run]") -> Exit:
    """All targets as one JSON object on standard output; what people read goes to standard error."""
    documents: list[Json] = []
    codes: list[Exit] = []
    for name, run in zip(names, runs, strict=True):
        with redirect_stdout(sys.stderr):
            tried = attempt(name, run.applied)
            codes.append(tried.told() if tried.made is None else tried.made)
        if run.outcome is not None:
            documents.append(_document(run.outcome, codes[-1]))
        else:
            documents.append(failed_document(name, *in_short(tried.failure), int(codes[-1])))
        if run.stopped:
            break
    documents += [failed_document(name, "not tried", "", int(Exit.FAILED)) for name in names[len(codes) :]]
    show_text(written(apply_document(documents)).decode())
    return worst([*codes, Exit.DONE if len(codes) == len(names) else Exit.FAILED])


def _chosen(chosen: Chosen, project: Project, file: Path | None, reviewed: str | None) -> tuple[list[str], Gate]:
    """The targets, and what their plans have to pass."""
    if file is None and reviewed is None:
        return chosen.names(project), Gate()
    if chosen.several:
        raise UsageError("a saved or reviewed plan is one for one target", "name one by --target")
    if file is None:
        return chosen.names(project), ReviewGate(reviewed or "")
    if str(file) in project.settings.targets and not file.exists():
        raise UsageError(f"there is no file {file}, but there is such a target", f"did you mean --target {file}?")
    gate = FileGate(project, file, reviewed)
    if chosen.targets not in ((), (gate.target,)):
        raise UsageError(
            f'{file.name} is a plan for target "{gate.target}", not "{chosen.targets[0]}"', "leave --target out"
        )
    return [gate.target], gate


def _of_all(names: Sequence[str], codes: Mapping[str, Exit]) -> str:
    """Such as ``2 of 3 targets done; apac: nothing could be planned or done.``."""
    why = {name: EXIT_CODES[codes[name]] if name in codes else "not tried" for name in names}
    left = [f"; {name}: {why[name]}" for name in names if codes.get(name) is not Exit.DONE]
    done = sum(code is Exit.DONE for code in codes.values())
    return f"{done} of {len(names)} targets done{''.join(left)}."


class _Run:
    """The apply of one target, on a terminal or in a log. `stopped`: somebody asked for an end by an interrupt."""

    def __init__(
        self, project: Project, options: Options, gate: Gate, once: SaidOnce, auto_approve: bool, verbose: bool
    ) -> None:
        self._project, self._options, self._gate, self._once = project, options, gate, once
        self._auto_approve, self._verbose = auto_approve, verbose
        self.outcome: Outcome | None = None
        self._progress = Progress(sys.stderr)
        self._plans: list[Plan] = []
        self.stopped = False

    def applied(self) -> Exit:
        """Plan, ask, carry out, print; the code for this target."""
        progress, ended = self._progress, False
        try:
            with progress:
                outcome = apply_target(
                    self._project,
                    self._options,
                    confirm=self._confirm,
                    narrow=self._gate.narrow,
                    progress=progress.advance,
                    stop=progress.stopped,
                )
            ended = True
        except KeyboardInterrupt:
            # Once something may be written, an interrupt is a wish that `progress` takes, not an exception.
            click.echo()
            ended, outcome, self.stopped = True, None, True
        finally:
            if not ended and progress.results:
                _show_broken_off(self._plans[-1], progress.results, verbose=self._verbose)
        self.stopped = self.stopped or progress.stopped()
        if outcome is None:
            click.echo("Apply cancelled: nothing was written.")
            return Exit.FAILED
        self.outcome = outcome
        self._gate.ended(outcome)
        return _ended(outcome, verbose=self._verbose)

    def _confirm(self, reconciliation: Reconciliation) -> bool:
        plan = masking.learn(reconciliation).plan
        self._plans.append(plan)
        if self._gate.said:
            click.echo(f"{self._gate.said}\n")
        if self._gate.nothing_left:
            click.echo(self._gate.nothing_left)
        else:
            show_plan(self._once.plan(plan), "text", verbose=self._verbose)
        if plan.violations or not plan.operations:
            return True
        agreed = self._auto_approve or self._agreed(plan.target)
        if agreed:
            self._gate.begins(plan)
        self._progress.begin(len(plan.operations))
        return agreed

    def _agreed(self, target: str) -> bool:
        question = f'\nPerform these actions on "{target}"? Only "yes" is taken as a yes'
        try:
            return bool(click.prompt(question, default="", show_default=False) == "yes")
        except click.Abort:
            click.echo()
            self.stopped = True
            return False


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


def _document(outcome: Outcome, ended: Exit) -> Json:
    troubles = [in_short(each) for each in outcome.troubles]
    plan, document = masking.plan(outcome.reconciliation.plan), plan_document(outcome.reconciliation.plan)
    results, unverified = masking.results(outcome.results), masking.diagnostics(outcome.unverified)
    return applied_document(plan, document, results, unverified, troubles, int(ended))


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
