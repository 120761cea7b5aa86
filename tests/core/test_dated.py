"""Dates that are new in the lines count, and are told, when the line comes: on their day nobody is asked any more."""

from datetime import date, timedelta

import pytest
from msgspec.structs import replace

from reconciler.diffing.activity import dates_of
from reconciler.diffing.dated import newly_dated
from reconciler.model import Lifecycle, Limit
from tests.core.builders import (
    NO_RECORD,
    OPEN,
    TODAY,
    a,
    concluded,
    desired,
    entry,
    group,
    lifecycle,
    listed,
    live,
    live_group,
    live_user,
    ours,
    reconciled,
    record,
    user,
)

NONE = Lifecycle()
DAYS_30, DAYS_60 = (lifecycle(ends=TODAY - timedelta(days=9), delete_after=days) for days in (30, 60))
PAST, SOON, LATER = TODAY - timedelta(days=9), TODAY + timedelta(days=9), TODAY + timedelta(days=99)
NOBODY = replace(OPEN, removals=Limit(number=0), member_removals=Limit(number=0))


def told(outcome):
    return [each.summary for each in outcome.plan.notices if each.code == "dates-changed"]


def broken(outcome):
    return [(each.rule, each.items) for each in outcome.plan.violations]


@pytest.mark.parametrize(
    ("had", "has", "active", "costs", "says"),
    [
        (NONE, lifecycle(ends=LATER), True, LATER, "endsOn none -> 2026-09-22"),
        (NONE, lifecycle(ends=TODAY), True, TODAY, "endsOn none -> 2026-06-15"),
        (lifecycle(ends=LATER), lifecycle(ends=SOON), True, SOON, "endsOn 2026-09-22 -> 2026-06-24"),
        (lifecycle(ends=SOON), lifecycle(ends=LATER), True, None, "endsOn 2026-06-24 -> 2026-09-22"),
        (lifecycle(ends=SOON), NONE, True, None, "endsOn 2026-06-24 -> none"),
        (lifecycle(ends=SOON), lifecycle(ends=SOON), True, None, None),
        # switched off by others: there is nothing to lose
        (NONE, lifecycle(ends=LATER), False, None, None),
        # she has left, and the account is to be deleted
        (lifecycle(ends=PAST), DAYS_30, False, PAST + timedelta(days=30), "deleteAfter none -> 30"),
        (DAYS_60, DAYS_30, False, PAST + timedelta(days=30), "deleteAfter 60 -> 30"),
        (DAYS_30, DAYS_60, False, None, "deleteAfter 30 -> 60"),
        (
            lifecycle(ends=SOON),
            lifecycle(ends=SOON, delete_after=10**9),
            True,
            date.max,
            "deleteAfter none -> 1000000000",
        ),
        # that is a change of today, which counts as such
        (NONE, lifecycle(ends=PAST), True, None, None),
        (NONE, lifecycle(ends=PAST, delete_after=1), True, None, None),
    ],
)
def test_a_persons_dates(had, has, active, costs, says) -> None:
    known = record(entry("user.al", "al", {"userName": "al@x.io"}, dates=dates_of(had)))
    outcome = reconciled(desired(user("al", here=has)), live(live_user("al", active=active)), known, policy=NOBODY)
    assert newly_dated(outcome.situation).people == ({a("user.al"): costs.isoformat()} if costs else {})
    assert told(outcome) == ([f"dates change: {says}"] if says else [])
    # an acceptance of the one is none of the other
    items = [f"user.al after {costs}"] if costs else ["user.al"] if outcome.plan.changes else []
    assert broken(outcome) == ([("removals", tuple(items))] if items else [])


def test_what_the_record_took_over_counts_no_more() -> None:
    wanted, found = desired(user("al", here=lifecycle(ends=LATER))), live(live_user("al"))
    known = record(entry("user.al", "al", {"userName": "al@x.io"}))
    after = concluded(wanted, found, found, known)
    again = reconciled(wanted, found, after, policy=NOBODY)
    assert (broken(again), told(again)) == ([], [])


@pytest.mark.parametrize(("applied", "costs"), [(record(), True), (NO_RECORD, False), (record(whole=False), False)])
def test_an_account_that_becomes_ours_with_a_last_day(applied, costs) -> None:
    """Without a whole record nothing is new."""
    outcome = reconciled(desired(user("al", here=lifecycle(ends=LATER))), live(live_user("al")), applied, policy=NOBODY)
    assert broken(outcome) == ([("removals", (f"user.al after {LATER}",))] if costs else [])


@pytest.mark.parametrize("refused", [True, False])
def test_the_words_and_the_share(refused) -> None:
    keys = [f"u{number}" for number in range(4 if refused else 3)]
    wanted = desired(*(user(key, here=lifecycle(ends=LATER)) for key in keys), user("zz"))
    known = record(*(entry(f"user.{key}", key, {"userName": f"{key}@x.io"}) for key in (*keys, "zz")))
    found = live(*map(live_user, (*keys, "zz")))
    outcome = reconciled(wanted, found, known, policy=replace(OPEN, removals=Limit(share=0.05)))
    said = "4 of 5 people would be removed, 4 of them by dates that are new in their lines; at most 3 may"
    assert [each.summary.partition(" (")[0] for each in outcome.plan.violations] == ([said] if refused else [])


@pytest.mark.parametrize(
    ("until", "recorded", "held", "costs"),
    [
        (LATER, None, True, True),
        (SOON, LATER, True, True),
        (LATER, SOON, True, False),
        (None, LATER, True, False),
        (LATER, LATER, True, False),
        # her membership begins with that day
        (LATER, None, False, False),
    ],
)
def test_a_membership(until, recorded, held, costs) -> None:
    lists = {"members": ours(until={"al": recorded and recorded.isoformat()}) if held else ours()}
    known = record(entry("user.al", "al", {"userName": "al@x.io"}), entry("group.g", "g", lists=lists))
    members = listed(until={a("user.al"): until}) if until else listed(a("user.al"))
    found = live(live_user("al"), live_group("g", "g", ["al"] if held else []))
    policy = replace(NOBODY, privileged_groups=("g",))
    outcome = reconciled(desired(user("al"), group("g", members)), found, known, policy=policy)
    # giving a membership of a privileged group has to be accepted by itself
    rules = [] if held else [("privileged", ("group.g gains member al@x.io",))]
    named = ("privileged", (f"group.g loses member al@x.io after {until}",))
    assert broken(outcome) == ([("memberRemovals", (f"group.g al@x.io after {until}",)), named] if costs else rules)
    told_of = costs and until is LATER
    assert told(outcome) == (["1 membership ends after 2026-09-22, which is new"] if told_of else [])
    if costs:
        after = concluded(desired(user("al"), group("g", members)), found, found, known)
        assert broken(reconciled(desired(user("al"), group("g", members)), found, after, policy=policy)) == []


def test_a_privilege_that_goes_with_the_account_on_a_new_day() -> None:
    known = record(entry("user.al", "al", {"userName": "al@x.io"}))
    found = live(live_user("al", roles=["Boss", "Agent"]), live_group("o", "o", ["i"]), live_group("i", "i", ["al"]))
    policy = replace(OPEN, privileged_roles=("boss",), privileged_groups=("o",))
    outcome = reconciled(desired(user("al", here=lifecycle(ends=LATER))), found, known, policy=policy)
    named = (f"user.al leaves o with the account after {LATER}", f"user.al leaves with role Boss after {LATER}")
    assert broken(outcome) == [("privileged", named)]


def test_a_privilege_through_another_group_on_a_new_day() -> None:
    known = record(
        entry("user.al", "al", {"userName": "al@x.io"}), entry("group.i", "i", lists={"members": ours("al")})
    )
    found = live(live_user("al"), live_group("o", "o", ["i"]), live_group("i", "i", ["al"]))
    wanted = desired(user("al"), group("i", listed(until={a("user.al"): LATER})))
    outcome = reconciled(wanted, found, known, policy=replace(OPEN, privileged_groups=("o",)))
    assert broken(outcome) == [("privileged", (f"o loses member al@x.io after {LATER}",))]


def test_a_frozen_account_gets_no_dates() -> None:
    twins = live(live_user("al"), live_user("al2", "AL@x.io"))
    outcome = reconciled(desired(user("al", here=lifecycle(ends=LATER))), twins, record(), policy=NOBODY)
    assert (broken(outcome), told(outcome)) == ([], [])
