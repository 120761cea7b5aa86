"""Whether a person should be active, and what to do about it. Nobody gets access back by default.

What D says: a written `active` means that; dates mean false before the first day and after the last one; between them
true if `startsOn` is written, or if the record shows that another `endsOn` had put her off (A false, another `endsOn`
recorded, and no `startsOn` that has been taken out since: taking out a line reactivates nobody); otherwise nothing
("absent").

===========================================  ====================  =====================================
D (first row that fits)                      L active              L inactive
===========================================  ====================  =====================================
absent, new                                  ·                     reactivate, declared
absent, her leaving was announced            ·                     reactivate, declared
absent, P true                               ·                     reactivate, leftover
absent, otherwise                            ·                     note
false, A false                               deactivate, drift     ·
false                                        deactivate (1)        ·
true; not whole, or no record and not new    ·                     drift, and the record keeps A = true
true by the line, A absent or false          ·                     reactivate, declared / leftover
true by dates, A false                       ·                     reactivate (1)
true by dates, A absent                      ·                     drift; new: reactivate, declared
true, A true                                 ·                     drift
===========================================  ====================  =====================================

(1) *due* if the dates are the ones the record holds, else *leftover* (P equals D) or *declared*. Somebody whose leaving
was announced comes back because she is declared again, so that is *declared* whatever her dates.
"""

from msgspec import Struct

from reconciler.model import AppliedDates, AppliedResource, Cause, Lifecycle, Phase

ACTIVE = "active"


class Wish(Struct, frozen=True):
    """What D says of `active`; None: nothing. `by_dates`: dates say it and no line does."""

    active: bool | None
    by_dates: bool = False


class ActiveChange(Struct, frozen=True):
    """`active` becomes `to`, because of `cause`."""

    to: bool
    cause: Cause


def wish_of(lifecycle: Lifecycle, entry: AppliedResource | None) -> Wish:
    """What the lines say today, given what they last brought about."""
    if lifecycle.active is not None:
        return Wish(lifecycle.active)
    if lifecycle.phase in (Phase.BEFORE, Phase.AFTER, Phase.DELETION):
        return Wish(False, by_dates=True)
    if lifecycle.phase is Phase.WITHIN and (lifecycle.starts_on is not None or _had_ended(lifecycle, entry)):
        return Wish(True, by_dates=True)
    return Wish(None)


def compare_active(
    lifecycle: Lifecycle, *, live: bool, entry: AppliedResource | None, new: bool, whole: bool
) -> ActiveChange | None:
    """The table above; None where nothing changes."""
    wish = wish_of(lifecycle, entry)
    if wish.active is False:
        return _switch_off(lifecycle, wish, entry) if live else None
    if live:
        return None
    if wish.active is None:
        return _come_back(entry, new=new)
    return ActiveChange(True, _cause_to_switch_on(lifecycle, wish, entry, new=new, whole=whole))


def dates_of(lifecycle: Lifecycle) -> AppliedDates:
    """The date lines in the form the record keeps."""
    return AppliedDates(
        starts_on=lifecycle.starts_on.isoformat() if lifecycle.starts_on else None,
        ends_on=lifecycle.ends_on.isoformat() if lifecycle.ends_on else None,
        delete_after=lifecycle.delete_after,
    )


def _had_ended(lifecycle: Lifecycle, entry: AppliedResource | None) -> bool:
    """Whether it was another last day in her lines that put her off, and not a line that has gone since.

    The very day that is written was over before: then a clock or a time zone went back, and nobody comes back for that.
    """
    if entry is None or entry.values.get(ACTIVE) is not False:
        return False
    ended = entry.dates.ends_on
    ends = lifecycle.ends_on.isoformat() if lifecycle.ends_on else None
    return ended is not None and ended != ends and entry.dates.starts_on is None


def _switch_off(lifecycle: Lifecycle, wish: Wish, entry: AppliedResource | None) -> ActiveChange:
    if entry is not None and entry.values.get(ACTIVE) is False:
        return ActiveChange(False, Cause.DRIFT)
    return ActiveChange(False, _due_or(lifecycle, wish, entry, wanted=False))


def _come_back(entry: AppliedResource | None, *, new: bool) -> ActiveChange | None:
    if new or (entry is not None and entry.pending.leaving):
        return ActiveChange(True, Cause.DECLARED)
    if entry is not None and entry.pending.values.get(ACTIVE) is True:
        return ActiveChange(True, Cause.LEFTOVER)
    return None


def _cause_to_switch_on(
    lifecycle: Lifecycle, wish: Wish, entry: AppliedResource | None, *, new: bool, whole: bool
) -> Cause:
    if not whole or (entry is None and not new):
        return Cause.DRIFT
    applied = entry.values.get(ACTIVE) if entry is not None else None
    if applied is True:
        return Cause.DRIFT
    if wish.by_dates and applied is None:
        return Cause.DECLARED if new else Cause.DRIFT
    return _due_or(lifecycle, wish, entry, wanted=True)


def _due_or(lifecycle: Lifecycle, wish: Wish, entry: AppliedResource | None, *, wanted: bool) -> Cause:
    if entry is None:
        return Cause.DECLARED
    if wanted and entry.pending.leaving:
        return Cause.DECLARED
    if wish.by_dates and entry.dates == dates_of(lifecycle):
        return Cause.DUE
    return Cause.LEFTOVER if entry.pending.values.get(ACTIVE) is wanted else Cause.DECLARED
