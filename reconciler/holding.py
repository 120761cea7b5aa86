"""The hold of an apply on the record while it writes: signs of life, and an end as soon as somebody else may write.

Whoever has taken over in between has moved the record; then nothing more may be sent. The same holds once the lease
has run out and could not be renewed, because somebody could have taken over: a paused machine, a server that asked
for a long pause, a remote that has been silent for half an hour.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock
from typing import Final

from msgspec import Struct, field

from reconciler import leasing
from reconciler.errors import RecordTrouble
from reconciler.model import AppliedState
from reconciler.record.store import RecordRaceLost
from reconciler.recording import LoadedRecord, Record

NAP: Final = 0.5
"""So many seconds at most pass between two looks at the lease, and at a wish to stop, while somebody waits."""
MARGIN: Final = timedelta(minutes=2)
"""So long before its end a lease counts as over: clocks may differ, and a request takes its time."""


class Hold(Struct, kw_only=True):
    """One apply's hold on the record. `loaded`: as it was written last. `state`: what is known by now.

    `lost`: why nothing more may be sent; `taken`: somebody else has the record, so it is not written again either.
    `pause`: how to wait, in seconds. `stopped`: whether somebody has asked the run to end.
    """

    record: Record
    loaded: LoadedRecord
    state: Callable[[], AppliedState]
    pause: Callable[[float], None]
    stopped: Callable[[], bool]
    lost: RecordTrouble | None = None
    taken: bool = False
    _last: datetime = field(default_factory=lambda: leasing.now())
    _operations: int = 0
    _one: Lock = field(default_factory=Lock)

    def ended(self) -> None:
        """One more operation has ended: give a sign of life if it is time."""
        with self._one:
            self._operations += 1
        self.keep()

    def keep(self) -> None:
        """Give a sign of life if it is time. A remote that does not answer is no reason to stop: the lease lasts."""
        with self._one:  # pages are read and operations performed by several threads, and each may wait
            since = leasing.now() - self._last
            late = not timedelta(0) <= since < leasing.SIGN_OF_LIFE
            if self.lost is None and self.record.leased and (late or self._operations >= leasing.OPERATIONS):
                self._renew()

    def refusal(self) -> str | None:
        """Why nothing may be written to the target at this moment; None if it may. One last try renews the lease."""
        with self._one:
            if self.lost is None and self._is_over():
                self._renew()
            if self.lost is None and self._is_over():
                self.lost = RecordTrouble(
                    "the lease of this run is over and could not be renewed, so nothing more was sent",
                    "somebody else may be applying by now: look at the plan, then apply again",
                )
            return self.lost.summary if self.lost is not None else None

    def sleep(self, seconds: float) -> None:
        """Wait, and give signs of life meanwhile. Once the run is to end, nobody waits any more."""
        while seconds > 0 and not self.stopped():
            nap = min(seconds, NAP)
            self.pause(nap)
            seconds -= nap
            self.keep()

    def _is_over(self) -> bool:
        lease = self.loaded.lease
        return lease is not None and leasing.now() > datetime.fromisoformat(lease.until) - MARGIN

    def _renew(self) -> None:
        self._last, self._operations = leasing.now(), 0
        try:
            self.loaded = self.record.renew(self.state(), self.loaded)
        except RecordRaceLost as error:
            self.taken = True
            self.lost = RecordTrouble(f"somebody has taken over, so nothing more was sent: {error.summary}", error.mend)
        except RecordTrouble:
            return
