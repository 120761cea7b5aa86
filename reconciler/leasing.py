"""Whose turn it is: an apply that has announced what it does holds the record for a while, and says until when.

The push of the announcement keeps two runs from starting at once; the lease keeps a second one from starting while the
first is still writing. A run that is killed never gives it back, so it ends by itself, or somebody accepts that.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

from msgspec import Struct

from reconciler.accepting import violation
from reconciler.model import Diagnostic, Severity, Violation
from reconciler.record.header import Lease, RecordHeader

LEASE: Final = timedelta(minutes=30)
"""So long after its last sign of life an apply may not be disturbed."""
SIGN_OF_LIFE: Final = timedelta(minutes=5)
"""So often an apply gives one,"""
OPERATIONS: Final = 500
"""or after so many operations, whichever comes first: what a crash leaves unknown stays small."""


class Claim(Struct, frozen=True, kw_only=True):
    """An apply that announced what it does and has not ended. `commit`: the one it set out for."""

    run: str
    commit: str | None
    lease: Lease

    @classmethod
    def of(cls, header: RecordHeader, run: str) -> "Claim | None":
        """The claim that a record holds; None where there is none, and where it is this run's own, started again."""
        if header.lease is None or _began_before(header.run, run):
            return None
        return cls(run=header.run, commit=header.source_commit, lease=header.lease)

    def refusal(self, now: datetime) -> Violation | None:
        """What stops an apply as long as the lease lasts."""
        if not self.holds(now):
            return None
        mend = f"wait for its end; it may be taken over after {_read(self.lease.until)}"
        return violation(
            "in-progress", f"{self._words()} is in progress", [f"run {self.run} since {self.lease.since}"], 0, mend
        )

    def remark(self, now: datetime) -> Diagnostic:
        """The same for a plan, and what an apply says that takes over."""
        if self.holds(now):
            return _notice("in-progress", f"{self._words()} is in progress; an apply would refuse")
        return _notice("taken-over", f"{self._words()} has never ended; the next apply goes on from what it announced")

    def holds(self, now: datetime) -> bool:
        """Whether the lease lasts; one that cannot be read does not."""
        try:
            until = datetime.fromisoformat(self.lease.until)
            # no run of ours promises more; clocks may differ a little
            return now <= until <= now + 2 * LEASE
        except (ValueError, TypeError):
            return False

    def _words(self) -> str:
        return f"an apply of {(self.commit or 'files')[:12]} by run {self.run} since {_read(self.lease.since)}"


def run_name(run: str, attempt: str | None) -> str:
    """``4711.2``: the second attempt of a run, where a CI system counts them."""
    return f"{run}.{attempt}" if attempt else run


def _began_before(held: str, run: str) -> bool:
    """Whether an attempt holds the record that this one takes the place of. Two jobs of one attempt are two."""
    name, _, attempt = run.partition(".")
    held_name, _, before = held.partition(".")
    if not (attempt.isdecimal() and before.isdecimal()):
        return held == run
    return held_name == name and int(before) < int(attempt)


def now() -> datetime:
    """The time on the clock of this machine, UTC."""
    return datetime.now(UTC)


def lease_from(now: datetime, since: datetime) -> Lease:
    """The lease of a run that began at `since` and gives a sign of life now."""
    return Lease(since=_shown(since), until=_shown(now + LEASE))


def _shown(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="minutes")


def _read(moment: str) -> str:
    return moment.replace("T", " ").replace("+00:00", " UTC")


def _notice(code: str, summary: str) -> Diagnostic:
    return Diagnostic(severity=Severity.NOTICE, code=code, summary=summary)
