"""What an apply would do now. Reads only."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from msgspec.structs import replace

from reconciler.connecting import reader_for
from reconciler.errors import InputError
from reconciler.model import DesiredState, Diagnostic
from reconciler.project import Project
from reconciler.reconcile import Reconciliation
from reconciler.running.run import Options, Run


def plan_target(project: Project, options: Options) -> Reconciliation:
    """What an apply would do now. Reads only."""
    return _planned(Run.open(project, options), ())[0]


def plan_against(
    project: Project, options: Options, files: Mapping[str, bytes]
) -> tuple[Reconciliation, Reconciliation | Diagnostic]:
    """The same, and what it would be if these were the declarations; or why they cannot be planned. Reads only once."""
    run = Run.open(project, options)
    try:
        desired, _ = project.desired_by(run.target, files, options.today)
    except InputError as error:
        return _planned(run, ())[0], error.diagnostics[0]
    planned, other = _planned(run, (desired,))
    return planned, other


def _planned(run: Run, others: Sequence[DesiredState]) -> list[Reconciliation]:
    """The plan of a run, and that of the same with other declarations."""
    with reader_for(run.project, run.target, run.profile) as reader:
        run = run.knowing(reader)
        live = run.refresh(reader)
        run = run.paced(reader)
        notices = _notices(run)
        planned = run.proved(reader, live, lambda live: run.reconcile(live, run.loaded.applied, notices=notices))
    live = planned.situation.live
    return [planned, *(replace(run, desired=each).reconcile(live, run.loaded.applied) for each in others)]


def _notices(run: Run) -> list[Diagnostic]:
    """What a plan says of the record, the checkout and the settings that come with it."""
    claim = run.loaded.claim
    notices = [*([claim.remark(datetime.now(UTC))] if claim else ()), *(run.checkout.notices() if run.checkout else ())]
    return [*notices, *run.project.settings_to_come]
