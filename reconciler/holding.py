"""The signs of life of an apply while it writes: its lease is renewed with what is known so far.

Whoever has taken over in between has moved the record; then nothing more may be sent.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from reconciler import leasing
from reconciler.errors import RecordTrouble
from reconciler.model import AppliedState
from reconciler.record.store import RecordRaceLost
from reconciler.recording import LoadedRecord, Record


@dataclass(kw_only=True)
class Hold:
    """One apply's hold on the record. `version`: the record's newest. `lost`: why nothing more may be sent."""

    record: Record
    loaded: LoadedRecord
    version: str
    lost: RecordTrouble | None = None
    _last: float = field(default_factory=time.monotonic)

    def show(self, state: Callable[[], AppliedState]) -> None:
        """Give a sign of life if it is time. A remote that does not answer is no reason to stop: the lease lasts."""
        late = time.monotonic() - self._last >= leasing.SIGN_OF_LIFE.total_seconds()
        if self.lost is not None or not late or not self.record.leased:
            return
        self._last = time.monotonic()
        try:
            self.version = self.record.renew(state(), self.loaded, self.version)
        except RecordRaceLost as error:
            self.lost = RecordTrouble(f"somebody has taken over, so nothing more was sent: {error.summary}", error.mend)
        except RecordTrouble:
            return
