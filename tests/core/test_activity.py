"""`active`: every row of the table, first for the comparison alone, then through a whole plan."""

from datetime import timedelta

import pytest

from reconciler.diffing.activity import dates_of
from reconciler.model import AppliedDates, Lifecycle, Pending
from tests.core.builders import (
    NO_RECORD,
    TODAY,
    a,
    codes,
    desired,
    entry,
    lifecycle,
    live,
    live_user,
    reconciled,
    record,
    said,
    user,
)

PAST, FUTURE, LATER = TODAY - timedelta(days=9), TODAY + timedelta(days=9), TODAY + timedelta(days=99)
KNOWN = {"userName": "al@x.io"}
NONE, OFF, ON = Lifecycle(), lifecycle(active=False), lifecycle(active=True)
BEFORE, AFTER = lifecycle(starts=FUTURE), lifecycle(ends=PAST)
STARTED, TO_END, SPAN = lifecycle(starts=PAST), lifecycle(ends=FUTURE), lifecycle(starts=PAST, ends=FUTURE)
P_ON = Pending(values={"active": True})
P_OFF = Pending(values={"active": False})
LEAVING = Pending(values={"active": False}, leaving=True)


def al(active=None, dates=None, pending=None, **more):
    values = KNOWN if active is None else {**KNOWN, "active": active}
    return entry("user.al", "al", values, dates=dates and dates_of(dates), pending=pending, **more)


def outcome_of(here, active, applied, **options):
    return reconciled(desired(user("al", here=here)), live(live_user("al", active=active)), applied, **options)


def cause_of(here, active, applied):
    found = said(outcome_of(here, active, applied))
    assert len(found) <= 1
    return found[0].removeprefix("user.al replace active ") if found else "-"


NEW = record()
ENDED_THEN = lifecycle(ends=PAST - timedelta(days=5))

ROWS = [
    # what D says, the record, L active, L inactive
    (NONE, NEW, "-", "declared"),
    (TO_END, NEW, "-", "declared"),
    (NONE, record(al(pending=LEAVING)), "-", "declared"),
    (NONE, record(al(pending=P_ON)), "-", "leftover"),
    (NONE, record(al(pending=P_OFF)), "-", "-"),
    (NONE, record(al()), "-", "-"),
    (NONE, record(al(False)), "-", "-"),
    (NONE, record(al(True)), "-", "-"),
    (NONE, NO_RECORD, "-", "-"),
    (NONE, record(whole=False), "-", "-"),
    (NONE, record(entry("user.al", None, seen=True)), "-", "-"),
    (TO_END, record(al()), "-", "-"),
    (TO_END, record(al(True)), "-", "-"),
    # false
    (OFF, record(al(False)), "drift", "-"),
    (OFF, record(al()), "declared", "-"),
    (OFF, record(al(True)), "declared", "-"),
    (OFF, record(al(True, pending=P_OFF)), "leftover", "-"),
    (OFF, NEW, "declared", "-"),
    (OFF, NO_RECORD, "declared", "-"),
    (AFTER, record(al(dates=AFTER)), "due", "-"),
    (AFTER, record(al(dates=AFTER, pending=P_OFF)), "due", "-"),
    (AFTER, record(al(dates=TO_END)), "declared", "-"),
    (AFTER, record(al(dates=TO_END, pending=P_OFF)), "leftover", "-"),
    (AFTER, record(al(False, dates=AFTER)), "drift", "-"),
    (AFTER, NO_RECORD, "declared", "-"),
    (BEFORE, record(al()), "declared", "-"),
    (BEFORE, record(al(False, dates=BEFORE)), "drift", "-"),
    # true by the line
    (ON, NO_RECORD, "-", "drift"),
    (ON, record(whole=False), "-", "drift"),
    (ON, record(al(False), whole=False), "-", "drift"),
    (ON, record(entry("user.al", None, seen=True)), "-", "drift"),
    (ON, NEW, "-", "declared"),
    (ON, record(al()), "-", "declared"),
    (ON, record(al(False)), "-", "declared"),
    (ON, record(al(False, pending=P_ON)), "-", "leftover"),
    (ON, record(al(pending=P_ON)), "-", "leftover"),
    (ON, record(al(True)), "-", "drift"),
    (ON, record(al(True, pending=P_ON)), "-", "drift"),
    # true by dates
    (STARTED, record(al(False, dates=STARTED)), "-", "due"),
    (STARTED, record(al(False, dates=STARTED, pending=P_ON)), "-", "due"),
    (STARTED, record(al(False, dates=BEFORE)), "-", "declared"),
    (STARTED, record(al(False, dates=BEFORE, pending=P_ON)), "-", "leftover"),
    (STARTED, record(al(False)), "-", "declared"),
    (STARTED, record(al()), "-", "drift"),
    (STARTED, NEW, "-", "declared"),
    (STARTED, NO_RECORD, "-", "drift"),
    (STARTED, record(al(True, dates=STARTED)), "-", "drift"),
    (SPAN, record(al(False, dates=lifecycle(starts=PAST))), "-", "declared"),
    (TO_END, record(al(False, dates=ENDED_THEN)), "-", "declared"),
    (TO_END, record(al(False, dates=ENDED_THEN, pending=P_ON)), "-", "leftover"),
    (TO_END, record(al(False, dates=TO_END, pending=LEAVING)), "-", "declared"),
    # the very last day that put her off: a clock or a time zone went back
    (TO_END, record(al(False, dates=TO_END)), "-", "-"),
]


@pytest.mark.parametrize(("here", "applied", "active", "inactive"), ROWS)
def test_the_table(here, applied, active, inactive) -> None:
    # an announcement that live shows already counts as applied, so each cell gets its own record
    if active != "-" or not _pending(applied, True):
        assert cause_of(here, True, applied) == active
    if inactive != "-" or not _pending(applied, False):
        assert cause_of(here, False, applied) == inactive


def _pending(applied, value):
    found = applied.resources.get(a("user.al"))
    return found is not None and found.pending.values.get("active") is value


@pytest.mark.parametrize(
    ("here", "applied"),
    [
        pytest.param(NONE, record(al(False)), id="the line is gone"),
        pytest.param(NONE, record(al(False, dates=BEFORE)), id="startsOn is gone"),
        pytest.param(NONE, record(al(False, dates=AFTER)), id="endsOn is gone"),
        pytest.param(TO_END, record(al(False)), id="endsOn instead of active: false"),
        pytest.param(TO_END, record(al(False, dates=lifecycle(starts=LATER, ends=FUTURE))), id="endsOn alone stays"),
        pytest.param(lifecycle(ends=LATER), record(al(False, dates=SPAN)), id="endsOn extended, startsOn gone"),
        pytest.param(TO_END, record(al()), id="endsOn added to somebody others put off"),
    ],
)
def test_taking_out_a_line_reactivates_nobody(here, applied) -> None:
    outcome = outcome_of(here, False, applied)
    assert (said(outcome), codes(outcome)) == ([], ["left-inactive"])


def test_somebody_created_before_her_first_day_is_inactive_with_everything_else_in_place() -> None:
    outcome = reconciled(desired(user("al", {"title": "x"}, here=BEFORE)), live(), NEW)
    assert {each.path: each.after for each in outcome.plan.changes[0].attribute_changes} == {
        "userName": "al@x.io",
        "title": "x",
        "active": False,
    }
    assert outcome.plan.operations[0].body["active"] is False
    assert reconciled(desired(user("al")), live(), NEW).plan.operations[0].body["active"] is True


def test_an_inactive_account_comes_back_with_a_warning_that_says_what_it_holds() -> None:
    found = live(live_user("al", active=False, roles=["x", "admin"]))
    outcome = reconciled(desired(user("al")), found, NEW)
    assert outcome.plan.changes[0].actions == ("reactivate",)
    assert outcome.plan.changes[0].warnings == (
        "an inactive account of this name comes back; it still holds roles admin, x",
    )


def test_an_account_found_by_an_earlier_name_is_not_new() -> None:
    found = live(live_user("al", "was@x.io", active=False))
    outcome = reconciled(desired(user("al", formerly=("was@x.io",))), found, NEW)
    assert said(outcome) == ["user.al replace userName declared"]


def test_an_account_whose_key_changed_is_not_new() -> None:
    applied = record(entry("user.old", "al", KNOWN))
    outcome = reconciled(desired(user("al")), live(live_user("al", active=False)), applied)
    assert said(outcome) == []


@pytest.mark.parametrize(
    ("options", "operations"), [({}, 0), ({"correct": True}, 0), ({"drift": True}, 1)], ids=["plan", "policy", "person"]
)
def test_only_a_persons_own_run_gives_access_back_that_others_took(options, operations) -> None:
    assert len(outcome_of(ON, False, record(al(True)), **options).plan.operations) == operations


def test_policy_may_correct_a_reactivation_by_other_hands() -> None:
    assert len(outcome_of(OFF, True, record(al(False)), correct=True).plan.operations) == 1


def test_dates_are_kept_as_they_are_written() -> None:
    assert dates_of(lifecycle(starts=PAST, ends=FUTURE, delete_after=3)) == AppliedDates(
        starts_on="2026-06-06", ends_on="2026-06-24", delete_after=3
    )
