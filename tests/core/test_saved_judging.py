"""One part of a saved plan after the other, judged by what is live later: to do, done, moved, and the words for it."""

from datetime import date

import pytest
from msgspec.structs import replace

from reconciler.errors import StalePlan
from reconciler.model import AppliedState, Cause, DesiredState, Json, ListMode, LiveState
from reconciler.reconcile import Reconciliation
from reconciler.saved.file import Binding, SavedPlan
from reconciler.saved.judging import Stage, judge
from reconciler.saved.narrowing import cut_to
from tests.core.builders import (
    MANAGER,
    NO_RECORD,
    TODAY,
    a,
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

BINDING = Binding(url="", day=TODAY.isoformat(), made="", files={})
ANN = record(entry("user.ann", "1"))
TO_DO, DONE, MOVED = Stage.TO_DO, Stage.DONE, Stage.MOVED


def stages(before: Reconciliation, later: Reconciliation) -> list[Stage]:
    return [each.stage for each in judge(before.plan, later.situation).values()]


def cut(before: Reconciliation, later: Reconciliation):
    return cut_to(SavedPlan(plan=before.plan, binding=BINDING), "plan.json", later)


def why_stale(before: Reconciliation, later: Reconciliation) -> list[str]:
    with pytest.raises(StalePlan) as raised:
        cut(before, later)
    return [f"{each.address}: {each.summary}" for each in raised.value.diagnostics]


def ann(**live_values: Json) -> LiveState:
    return live(live_user("1", "ann@x.io", {key: each for key, each in live_values.items() if each is not None}))


# --- values


@pytest.mark.parametrize(
    ("was", "wanted", "now", "stage"),
    [
        ("A", "B", "A", TO_DO),
        ("A", "B", "B", DONE),
        ("A", "B", "C", MOVED),
        ("A", "B", None, MOVED),
        (None, "B", None, TO_DO),
        (None, "B", "B", DONE),
        (None, "B", "C", MOVED),
        ("A", None, "A", TO_DO),
        ("A", None, None, DONE),
        ("A", None, "C", MOVED),
    ],
)
def test_a_value(was: str | None, wanted: str | None, now: str | None, stage: Stage) -> None:
    lines = desired(user("ann", {"title": wanted}))
    before, later = (reconciled(lines, ann(title=each), ANN) for each in (was, now))
    assert stages(before, later) == [stage]


def test_a_value_in_another_case_where_case_does_not_matter() -> None:
    lines = desired(user("ann", name="ann.lee@x.io"))
    before = reconciled(lines, live(live_user("1", "ann@x.io")), ANN)
    assert stages(before, reconciled(lines, live(live_user("1", "Ann.Lee@x.io")), ANN)) == [DONE]
    assert stages(before, reconciled(lines, live(live_user("1", "ANN@x.io")), ANN)) == [TO_DO]


def test_a_value_that_is_not_shown_any_more() -> None:
    lines = desired(user("ann", {"title": "B"}))
    before = reconciled(lines, ann(title="A"), ANN)
    later = reconciled(lines, live(live_user("1", "ann@x.io", not_read={"title": "not asked"})), ANN)
    assert why_stale(before, later) == ["user.ann: title has moved: the server does not show it any more"]


def test_true_is_not_one() -> None:
    lines = desired(user("ann", here=lifecycle(active=False)))
    before = reconciled(lines, ann(), ANN)
    assert stages(before, reconciled(lines, live(live_user("1", "ann@x.io", {"active": 0})), ANN)) == [MOVED]


# --- values of lists


@pytest.mark.parametrize(("now", "stage"), [(("x",), TO_DO), (("x", "lead"), DONE), (("lead",), DONE)])
def test_a_role_that_is_given(now: tuple[str, ...], stage: Stage) -> None:
    lines = desired(user("ann", lists={"roles": listed("lead", mode=ListMode.ADDITIVE)}))
    before = reconciled(lines, live(live_user("1", "ann@x.io")), ANN)
    later = reconciled(lines, live(live_user("1", "ann@x.io", roles=now)), ANN)
    assert stages(before, later) == [stage]


@pytest.mark.parametrize(("now", "stage"), [(("lead",), TO_DO), ((), DONE)])
def test_a_role_that_is_taken(now: tuple[str, ...], stage: Stage) -> None:
    lines, applied = desired(user("ann")), record(entry("user.ann", "1", lists={"roles": ours("lead")}))
    before = reconciled(lines, live(live_user("1", "ann@x.io", roles=["lead"])), applied)
    later = reconciled(lines, live(live_user("1", "ann@x.io", roles=now)), applied)
    assert stages(before, later) == [stage]


@pytest.mark.parametrize(("now", "stage"), [({}, TO_DO), ({"Billing": 4}, DONE), ({"Billing": 2}, MOVED)])
def test_a_skill_that_is_given_with_a_level(now: dict[str, float], stage: Stage) -> None:
    lines = desired(user("ann", lists={"skills": listed(levels={"Billing": 4})}))
    before = reconciled(lines, live(live_user("1", "ann@x.io")), ANN)
    later = reconciled(lines, live(live_user("1", "ann@x.io", skills=now)), ANN)
    assert stages(before, later) == [stage]


@pytest.mark.parametrize(("now", "stage"), [({"Billing": 3}, TO_DO), ({"Billing": 4}, DONE), ({"Billing": 5}, MOVED)])
def test_a_level_that_changes(now: dict[str, float], stage: Stage) -> None:
    lines = desired(user("ann", lists={"skills": listed(levels={"Billing": 4})}))
    before = reconciled(lines, live(live_user("1", "ann@x.io", skills={"Billing": 3})), ANN)
    later = reconciled(lines, live(live_user("1", "ann@x.io", skills=now)), ANN)
    assert stages(before, later) == [stage]


def test_a_list_that_is_not_shown_any_more() -> None:
    lines, applied = (
        desired(group("team", listed(a("user.ann"))), user("ann")),
        record(entry("user.ann", "1"), entry("group.team", "g", lists={"members": ours()})),
    )
    before = reconciled(lines, live(live_user("1", "ann@x.io"), live_group("g", "team")), applied)
    hidden = live_group("g", "team", not_read={"members": "not shown"})
    later = reconciled(lines, live(live_user("1", "ann@x.io"), hidden), applied)
    assert why_stale(before, later) == ["group.team: members ann has moved: the server does not show it any more"]


# --- whole people


def test_somebody_who_is_to_be_created() -> None:
    lines, made = desired(user("ann", {"title": "A"})), ann(title="A")
    before = reconciled(lines, live(), record())
    assert set(stages(before, reconciled(lines, live(), record()))) == {TO_DO}
    # the record knows her: an earlier apply of this very plan has made her
    assert set(stages(before, reconciled(lines, made, ANN))) == {DONE}
    # it does not: somebody else did, whatever she looks like
    assert set(stages(before, reconciled(lines, made, record()))) == {MOVED}
    assert why_stale(before, reconciled(lines, made, record())) == [
        "user.ann: the account has moved: it exists by now (id 1), and did not when this was planned"
    ]


def test_somebody_who_was_created_and_lacks_something() -> None:
    lines = desired(user("ann", {"title": "A"}))
    before, later = reconciled(lines, live(), record()), reconciled(lines, ann(), ANN)
    fit = cut(before, later)
    assert [each.path for change in fit.reconciliation.plan.changes for each in change.attribute_changes] == ["title"]


def test_somebody_who_was_created_in_other_colours() -> None:
    lines = desired(user("ann", {"title": "A"}))
    before, later = reconciled(lines, live(), record()), reconciled(lines, ann(title="B"), ANN)
    assert why_stale(before, later) == ['user.ann: title has moved: the server has "B"; planned from nothing to "A"']


def test_a_login_that_the_plan_itself_frees() -> None:
    """Bob gives up the login that somebody new is to have."""
    lines = desired(user("bob", name="robert@x.io"), user("new", name="bob@x.io"))
    applied, found = record(entry("user.bob", "2")), live(live_user("2", "bob@x.io"))
    before = reconciled(lines, found, applied)
    assert set(stages(before, before)) == {TO_DO}
    # somebody else has renamed him and taken the login
    taken = live(live_user("2", "robert@x.io"), live_user("3", "bob@x.io"))
    assert "user.new: the account has moved: it exists by now (id 3), and did not when this was planned" in why_stale(
        before, reconciled(lines, taken, applied)
    )


def test_somebody_who_is_gone() -> None:
    lines = desired(user("ann", {"title": "A"}))
    before, later = reconciled(lines, ann(), ANN), reconciled(lines, live(), ANN)
    assert why_stale(before, later) == ["user.ann: the account has moved: it is no longer on the server"]


def test_a_manager_who_is_created_first() -> None:
    """Her new manager did not exist; by now he does, under an id."""
    lines = desired(user("ann", {MANAGER: a("user.bob")}), user("bob"))
    before = reconciled(lines, ann(), ANN)
    both = record(entry("user.ann", "1"), entry("user.bob", "2"))
    found = live(live_user("1", "ann@x.io"), live_user("2", "bob@x.io"))
    fit = cut(before, reconciled(lines, found, both))
    ((change,),) = [each.attribute_changes for each in fit.reconciliation.plan.changes]
    assert (change.path, change.after) == (MANAGER, "2")
    led = live(live_user("1", "ann@x.io", {MANAGER: "2"}), live_user("2", "bob@x.io"))
    assert cut(before, reconciled(lines, led, both)).reconciliation.plan.changes == ()


# --- what a plan made now says


def again(lines: DesiredState, found: LiveState, applied: AppliedState = NO_RECORD) -> Reconciliation:
    return reconciled(lines, found, applied)


def test_what_the_record_says_was_in_place_since() -> None:
    """Somebody applied it, and somebody else has changed it back: that is drift now, and not ours to repeat."""
    lines = desired(user("ann", {"title": "B"}))
    before = reconciled(lines, ann(title="A"), ANN)
    since = reconciled(lines, ann(title="A"), record(entry("user.ann", "1", {"title": "B"})))
    assert why_stale(before, since) == [
        "user.ann: title has moved: by the record it was in place since, and others have changed it back"
    ]


def test_somebody_who_cannot_be_told_any_more() -> None:
    lines = desired(user("ann", {"title": "B"}))
    before = reconciled(lines, ann(title="A"))
    twins = live(live_user("1", "ann@x.io", {"title": "A"}), live_user("2", "ann@x.io"))
    (said,) = why_stale(before, reconciled(lines, twins))
    assert said.startswith("user.ann: title has moved: left as it is now: ")


def test_a_line_that_is_gone() -> None:
    before = reconciled(desired(user("ann", {"title": "B"})), ann(title="A"), ANN)
    assert why_stale(before, reconciled(desired(user("ann")), ann(title="A"), ANN)) == [
        "user.ann: title has moved: a plan made now does not do it"
    ]


def test_a_day_that_brings_more() -> None:
    """Her last day has passed since; what the plan holds of her would still fit."""
    ends = date(2026, 6, 15)

    def on(today: date) -> Reconciliation:
        here = lifecycle(ends=ends, today=today)
        dated = replace(ANN.resources[a("user.ann")], dates=replace(entry("user.ann", "1").dates, ends_on="2026-06-15"))
        lines = desired(user("ann", {"title": "B"}, here=here), today=today)
        return reconciled(lines, ann(title="A"), replace(ANN, resources={a("user.ann"): dated}))

    before, later = on(date(2026, 6, 15)), on(date(2026, 6, 16))
    assert {each.cause for change in later.plan.changes for each in change.attribute_changes} == {
        Cause.DECLARED,
        Cause.DUE,
    }
    assert why_stale(before, later) == [
        "user.ann: active has moved: it is due by now, and the saved plan does not have it"
    ]
    with pytest.raises(StalePlan, match="it was made for 2026-06-15, and today is 2026-06-16"):
        cut(before, later)


def test_a_creation_that_would_bring_more_is_another_one() -> None:
    """A creation carries all that is wanted; it is not cut down."""
    before = reconciled(desired(user("ann")), live(), record())
    later = reconciled(desired(user("ann", {"title": "A"})), live(), record())
    assert why_stale(before, later) == ["user.ann: title has moved: a plan made now does it as well"]


def test_what_is_not_in_it_is_not_done() -> None:
    lines = desired(user("ann", {"title": "B"}))
    more = desired(user("ann", {"title": "B", "nickName": "Annie"}), user("bob"))
    fit = cut(reconciled(lines, ann(title="A"), ANN), reconciled(more, ann(title="A"), ANN))
    ((change,),) = [each.attribute_changes for each in fit.reconciliation.plan.changes]
    assert change.path == "title"
    assert len(fit.reconciliation.plan.operations) == 1
    assert fit.more == 3


def test_many_things_that_moved_are_counted_and_the_first_named() -> None:
    names = [f"p{number:02}" for number in range(60)]
    lines = desired(*(user(each, {"title": "B"}) for each in names))
    applied = record(*(entry(f"user.{each}", each) for each in names))
    before = reconciled(lines, live(*(live_user(each) for each in names)), applied)
    later = reconciled(lines, live(*(live_user(each, attributes={"title": "C"}) for each in names)), applied)
    with pytest.raises(StalePlan, match=r"60 things moved since \(the first 40 are named\)") as raised:
        cut(before, later)
    assert len(raised.value.diagnostics) == 40
