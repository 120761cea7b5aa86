"""What a plan has to pass before it is shown and asked about: nothing, a saved plan, or the plan that was reviewed."""

import re
from pathlib import Path
from typing import Final

import click

from reconciler.cli import masking
from reconciler.cli.output import show_plan
from reconciler.cli.printing import paper_size, show_text
from reconciler.errors import StalePlan, UsageError
from reconciler.model import Plan
from reconciler.planfile import digest, load
from reconciler.project import Project
from reconciler.reconcile import Reconciliation
from reconciler.running.applies import Outcome
from reconciler.saved.binding import check_content, check_target
from reconciler.saved.file import load_saved
from reconciler.saved.narrowing import cut_to
from reconciler.saved.outcome import outcome_now, result_file, write_outcome
from reconciler.saved.parts import paths_of
from reconciler.saved.reviewing import as_planned, beyond_review, is_reviewed_digest
from reconciler.saved.showing import render_difference

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_HEX: Final = re.compile(r"[0-9a-f]{6,64}")
_REVIEW_AGAIN: Final = "plan again, and have the new plan reviewed"


class Gate:
    """Lets every plan through. `said` before a plan is shown; `nothing_left` in the place of one that does nothing."""

    nothing_left = ""
    said = ""
    read: frozenset[str] = frozenset()
    """Paths of users that have to be read for it."""

    def narrow(self, now: Reconciliation) -> Reconciliation:
        """The plan as it may be carried out. StalePlan if it may not be."""
        return now

    def begins(self, plan: Plan) -> None:
        """Somebody has agreed, and the first request is about to be sent."""

    def ended(self, outcome: Outcome) -> None:
        """The run is over, one way or another."""


class FileGate(Gate):
    """Nothing but what a saved plan holds; what becomes of it is written beside its file."""

    def __init__(self, project: Project, file: Path, reviewed: str | None) -> None:
        self._file, self._name = file, file.name
        self._saved = load_saved(file.read_bytes(), file.name)
        self.read = paths_of(self._saved.plan.changes)
        if reviewed is not None:
            self._check_review(reviewed)
        target = check_target(self._saved, project, self._name)
        check_content(self._saved, project, target, self._name)
        self.target = target.name

    def _check_review(self, reviewed: str) -> None:
        wanted, here = _reviewed(reviewed), digest(self._saved.plan)
        if (wanted if isinstance(wanted, str) else digest(wanted)) != here:
            raise StalePlan(
                f"{self._name} is not the plan that was reviewed; nothing was written (its digest is {here})",
                "fetch the reviewed file again, or have this one reviewed",
            )

    def narrow(self, now: Reconciliation) -> Reconciliation:
        """What is left of the saved plan."""
        fit = cut_to(self._saved, self._name, now)
        more = f" {fit.more:,} that a plan made now has besides are not in it and stay." if fit.more else ""
        if not fit.reconciliation.plan.changes:
            self.nothing_left = f"Nothing left to do: all that {self._name} holds is in place.{more}"
        elif fit.done or more:
            self.said = f"Of {fit.total:,} differences in {self._name} {fit.done:,} are in place already.{more}"
        return fit.reconciliation

    def begins(self, plan: Plan) -> None:
        """Leave word beside the file, in case this is broken off."""
        self._write(len(plan.operations), None)

    def ended(self, outcome: Outcome) -> None:
        """Leave word of how it ended; a run that was refused has not begun."""
        plan = outcome.reconciliation.plan
        if not plan.violations:
            self._write(len(plan.operations), outcome)

    def _write(self, requests: int, outcome: Outcome | None) -> None:
        results = None if outcome is None else outcome.results
        whole = outcome is None or not (outcome.unverified or outcome.troubles)
        try:
            write_outcome(self._file, outcome_now(self._saved, requests, results, whole=whole))
        except OSError as error:
            why = (error.strerror or "no reason given").lower()
            told = f"{result_file(self._file)} cannot be written ({why}); `show` will not know of this apply"
            click.echo(told, err=True)


class ReviewGate(Gate):
    """The plan that was reviewed, or what is left of it."""

    def __init__(self, reviewed: str) -> None:
        self._reviewed = _reviewed(reviewed)
        if isinstance(self._reviewed, Plan):
            self.read = paths_of(self._reviewed.changes)

    def narrow(self, now: Reconciliation) -> Reconciliation:
        """The same plan, if it is the reviewed one."""
        if isinstance(self._reviewed, str):
            return self._by_digest(self._reviewed, now)
        difference = beyond_review(self._reviewed, now)
        if difference is None:
            return now
        width, colour = paper_size()
        shown = render_difference(difference, self._reviewed, now.plan, width=width, colour=colour)
        show_text("\n".join(map(masking.text, shown.split("\n"))) + "\n")
        raise StalePlan("this is not the plan that was reviewed; nothing was written", _REVIEW_AGAIN)

    def _by_digest(self, wanted: str, now: Reconciliation) -> Reconciliation:
        if is_reviewed_digest(wanted, now):
            return now
        show_plan(now.plan, "text")
        show_text("")
        here = digest(as_planned(now))
        raise StalePlan(
            f"this is not the plan that was reviewed; nothing was written (the digest of this one is {here})",
            f"{_REVIEW_AGAIN}; given the file of the reviewed plan, the difference is shown",
        )


def _reviewed(given: str) -> Plan | str:
    """The plan in a file, or a digest."""
    if _DIGEST.fullmatch(given):
        return given
    path = Path(given)
    if not path.is_file():
        if _HEX.fullmatch(given):
            raise UsageError(f"--reviewed {given} is a part of a digest", "write all 64 digits")
        raise UsageError(f"--reviewed {given} is neither a digest nor a file", "name the file of `plan --out`")
    return load(path.read_bytes(), path.name)
