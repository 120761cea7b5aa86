"""The signs of life of an apply while it writes: its lease is renewed with what is known so far.

Whoever has taken over in between has moved the record; then nothing more may be sent.
"""

import time
from collections.abc import Callable
from dataclasses import field

from reconciler import leasing
from reconciler.errors import RecordTrouble
from reconciler.lazy import dataclass
from reconciler.model import AppliedState
from reconciler.record.store import RecordRaceLost
from reconciler.recording import LoadedRecord, Record


@dataclass(kw_only=True)
class Hold:
    """One apply's hold on the record. `loaded`: as it was written last. `lost`: why nothing more may be sent."""

    record: Record
    loaded: LoadedRecord
    lost: RecordTrouble | None = None
    _last: float = field(default_factory=time.monotonic)
    _operations: int = 0

    def show(self, state: Callable[[], AppliedState]) -> None:
        """One more operation has ended: give a sign of life if it is time.

        A remote that does not answer is no reason to stop: the lease lasts.
        """
        self._operations += 1
        late = time.monotonic() - self._last >= leasing.SIGN_OF_LIFE.total_seconds()
        due = late or self._operations >= leasing.OPERATIONS
        if self.lost is not None or not due or not self.record.leased:
            return
        self._last, self._operations = time.monotonic(), 0
        try:
            self.loaded = self.record.renew(state(), self.loaded)
        except RecordRaceLost as error:
            self.lost = RecordTrouble(f"somebody has taken over, so nothing more was sent: {error.summary}", error.mend)
        except RecordTrouble:
            return
