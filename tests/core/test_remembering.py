"""What the record says before and after a run: every row of the table."""

from datetime import date, timedelta

import pytest
from msgspec.structs import replace

from reconciler.diffing.activity import dates_of
from reconciler.model import AppliedDates, AppliedItem, ItemKey, LiveReference, Pending, Removal, ResourceType
from reconciler.remembering import announce, conclude
from reconciler.scim.paths import level_path
from tests.core.builders import (
    ADDITIVE,
    AUTHORITATIVE,
    MANAGER,
    NO_RECORD,
    OPEN,
    PROFILE,
    SKILLS,
    TODAY,
    a,
    announced,
    concluded,
    desired,
    entry,
    give,
    group,
    lifecycle,
    listed,
    live,
    live_group,
    live_user,
    ours,
    reconciled,
    record,
    said,
    take,
    user,
)

AL = a("user.al")
G = a("group.g")
KNOWN = {"userName": "al@x.io"}
EMPTY = AppliedItem()


def al(values=None, **more):
    return entry("user.al", "al", {**KNOWN, **(values or {})}, **more)


def values_after(wanted, before, after, applied, **options):
    """A and P of al's single values, without her login, when a run that found `before` left `after`."""
    found = concluded(
        desired(user("al", wanted)),
        live(live_user("al", attributes=before)),
        live(live_user("al", attributes=after)),
        applied,
        **options,
    ).resources[AL]
    return {k: v for k, v in found.values.items() if k != "userName"}, dict(found.pending.values)


V, W = {"title": "v"}, {"title": "w"}


@pytest.mark.parametrize(
    ("wanted", "before", "after", "applied", "a_after", "p_after"),
    [
        pytest.param(V, W, V, record(al()), V, {}, id="written"),
        pytest.param(V, V, V, record(al()), V, {}, id="found in place"),
        pytest.param(V, V, V, NO_RECORD, V, {}, id="found in place without a record"),
        pytest.param({"title": None}, V, {}, record(al(V)), {"title": None}, {}, id="cleared"),
        pytest.param(V, W, W, record(al(W)), W, V, id="failed"),
        pytest.param(V, W, W, record(al()), {}, V, id="failed, nothing applied before"),
        pytest.param(V, W, {"title": "y"}, record(al(W)), W, V, id="server kept another"),
        pytest.param(V, W, W, record(al(V)), V, {}, id="drift, left"),
        pytest.param(V, W, W, record(al(V, pending=Pending(values=V))), V, {}, id="drift, left, though announced once"),
        pytest.param({}, V, V, record(al(V)), {}, {}, id="no line any more"),
        pytest.param({}, W, W, record(al(V, pending=Pending(values=V))), {}, {}, id="no line any more, announced"),
        pytest.param(W, W, W, record(al(W, pending=Pending(values=V))), W, {}, id="changed back and in place"),
        pytest.param(V, V, V, record(al(W, pending=Pending(values=V))), V, {}, id="settled"),
    ],
)
def test_a_single_value(wanted, before, after, applied, a_after, p_after) -> None:
    assert values_after(wanted, before, after, applied) == (a_after, p_after)


def test_what_cannot_be_read_stays_as_it_was() -> None:
    unread = live(live_user("al", not_read={"title": "no", "roles": "no"}))
    known = al(
        W,
        lists={"roles": ours("x", mode=ADDITIVE)},
        pending=Pending(values=V, give={"roles": {"y": EMPTY}}, take=take("roles", "x").take),
    )
    wanted = desired(user("al", V, lists={"roles": listed("y")}))
    found = concluded(wanted, unread, unread, record(known)).resources[AL]
    assert found == replace(known, lists={"roles": ours("x", mode=AUTHORITATIVE)}, values={**KNOWN, **W})


def test_a_value_whose_reference_is_frozen_stays_as_it_was() -> None:
    twins = live(live_user("al"), live_user("b1", "bo@x.io"), live_user("b2", "bo@x.io"))
    known = al({MANAGER: "b9"}, pending=Pending(values={MANAGER: "b1"}))
    found = concluded(desired(user("al", {MANAGER: a("user.bo")}), user("bo")), twins, twins, record(known))
    assert found.resources[AL] == known
    assert a("user.bo") not in found.resources


def test_not_tried_because_of_a_rail_stays_as_it_was() -> None:
    """A plan that breaks a rule is not announced; what an earlier one announced stays readable."""
    known = record(al(W, pending=Pending(values=V)))
    outcome = reconciled(desired(user("al", {"title": "z"})), live(live_user("al", attributes=W)), known)
    assert outcome.situation.applied.resources[AL] == known.resources[AL]


# --- list values


def members_after(lines, before, after, *entries, wanted=(), **options):
    people = [user(each) for each in ("al", "bo")]
    stay = [live_user(each) for each in ("al", "bo", "cy")]
    return concluded(
        desired(*people, group("g", lines), *wanted),
        live(*stay, live_group("g", "g", before)),
        live(*stay, live_group("g", "g", after)),
        record(*entries),
        **options,
    ).resources[G]


def g(lists=None, **more):
    return entry("group.g", "g", {"displayName": "g"}, lists=lists, **more)


DAY = date(2026, 12, 31)


@pytest.mark.parametrize(
    ("lines", "before", "after", "known", "applied", "pending"),
    [
        pytest.param(listed(a("user.al")), [], ["al"], g(), ours("al"), Pending(), id="given"),
        pytest.param(listed(a("user.al")), ["al"], ["al"], g(), ours("al"), Pending(), id="found"),
        pytest.param(
            listed(until={a("user.al"): DAY}),
            ["al"],
            ["al"],
            g({"members": ours("al")}),
            ours(until={"al": "2026-12-31"}),
            Pending(),
            id="until",
        ),
        pytest.param(
            listed(a("user.al"), mode=ADDITIVE), ["al"], ["al"], g(), ours("al", mode=ADDITIVE), Pending(), id="mode"
        ),
        pytest.param(listed(a("user.al")), [], [], g(), ours(), give("members", "al"), id="failed"),
        pytest.param(listed(a("user.al")), [], [], g({"members": ours("al")}), ours("al"), Pending(), id="drift left"),
        pytest.param(
            listed(a("user.al")),
            [],
            [],
            g({"members": ours("al")}, pending=give("members", "al")),
            ours("al"),
            Pending(),
            id="drift left, though announced once",
        ),
        pytest.param(listed(), ["al"], [], g({"members": ours("al")}), ours(), Pending(), id="taken"),
        pytest.param(listed(), [], [], g({"members": ours("al")}), ours(), Pending(), id="already gone"),
        pytest.param(
            listed(), ["al"], ["al"], g({"members": ours("al")}), ours("al"), take("members", "al"), id="take failed"
        ),
        pytest.param(
            listed(),
            ["cy"],
            ["cy"],
            g({"members": ours(mode=ADDITIVE)}),
            ours(),
            take("members", "cy"),
            id="take of others' failed",
        ),
        pytest.param(
            listed(mode=ADDITIVE),
            ["cy"],
            ["cy"],
            g({"members": ours()}, pending=take("members", "cy")),
            ours(mode=ADDITIVE),
            Pending(),
            id="others' in an additive list is theirs",
        ),
        pytest.param(listed(), ["cy"], ["cy"], g({"members": ours()}), ours(), Pending(), id="drift of others left"),
        pytest.param(
            None,
            ["al"],
            ["al"],
            g({"members": ours("al")}),
            ours("al", mode=None),
            take("members", "al"),
            id="line gone, failed",
        ),
        pytest.param(None, ["al"], [], g({"members": ours("al")}), None, Pending(), id="line gone, taken"),
        pytest.param(
            listed(a("user.al")),
            ["al"],
            ["al"],
            g({"members": ours("al")}, pending=take("members", "al")),
            ours("al"),
            Pending(),
            id="declared again",
        ),
        pytest.param(
            listed(), [], [], g(pending=give("members", "al")), ours(), Pending(), id="no line for what was announced"
        ),
    ],
)
def test_a_list_value(lines, before, after, known, applied, pending) -> None:
    found = members_after(lines, before, after, known)
    assert found.lists.get("members") == applied
    assert found.pending == pending


def test_a_frozen_member_stays_as_she_was() -> None:
    twins = live(live_user("c1", "cy@x.io"), live_user("c2", "cy@x.io"), live_group("g", "g", ["c1"]))
    pending = Pending(give={"members": {"c2": EMPTY}}, take={"members": frozenset({"c1"})})
    known = g({"members": ours("c1", "c2")}, pending=pending)
    for lines in (listed(), listed(a("user.cy"))):
        found = concluded(desired(user("cy"), group("g", lines)), twins, twins, record(known)).resources[G]
        assert (found.lists["members"], found.pending) == (ours("c1", "c2"), pending)


def test_a_name_that_the_profile_never_takes_is_not_kept_as_ours() -> None:
    profile = replace(PROFILE, users=replace(PROFILE.users, never_removed={"roles": ("employee",)}))
    state = live(live_user("al", roles=["employee"]))
    wanted = desired(user("al", lists={"roles": listed()}))
    found = concluded(wanted, state, state, record(al(lists={"roles": ours("employee")})), profile=profile)
    assert found.resources[AL].lists == {"roles": ours()}


def test_a_level_is_remembered_with_its_name_and_forgotten_with_it() -> None:
    path = level_path(SKILLS, "Billing")
    wanted = desired(user("al", lists={"skills": listed(levels={"Billing": 4})}))
    found = concluded(wanted, live(live_user("al")), live(live_user("al", skills={"Billing": 4})), record(al()))
    assert found.resources[AL].values == {**KNOWN, path: 4}
    failed = concluded(wanted, live(live_user("al")), live(live_user("al")), record(al())).resources[AL]
    assert failed.pending == Pending(values={path: 4}, give={"skills": {"Billing": EMPTY}})
    gone = concluded(
        desired(user("al")), live(live_user("al", skills={"Billing": 4})), live(live_user("al")), found
    ).resources[AL]
    assert (gone.values, gone.lists) == (KNOWN, {})


def test_a_list_that_gives_no_access_is_forgotten_with_its_line() -> None:
    state = live(live_user("al"))
    state.resources["al"].lists["x509Certificates"] = {"c": None}  # type: ignore[index]
    found = concluded(desired(user("al")), state, state, record(al(lists={"x509Certificates": ours("c")})))
    assert found.resources[AL].lists == {}


def test_two_lines_for_one_account_are_remembered_by_the_longer() -> None:
    early, late = date(2026, 7, 1), date(2026, 9, 1)
    live_al = LiveReference(ResourceType.USER, "al@x.io")
    days: dict[ItemKey, date] = {a("user.al"): early, live_al: late}
    for order in (days, dict(reversed(days.items()))):
        assert members_after(listed(until=order), ["al"], ["al"], g()).lists["members"] == ours(
            until={"al": "2026-09-01"}
        )
    open_end = members_after(listed(until={a("user.al"): early, live_al: None}), ["al"], ["al"], g())
    assert open_end.lists["members"] == ours("al")


# --- creates


def test_a_create_without_an_answer_keeps_everything_that_was_sent() -> None:
    wanted = desired(
        user("al", {"title": "v", "nickName": None}, lists={"roles": listed("r"), "skills": listed(levels={"S": 2})})
    )
    found = concluded(wanted, live(), live(), NO_RECORD).resources[AL]
    assert (found.live_id, found.values, found.source) == (None, {}, "c1")
    assert found.pending == Pending(
        values={"userName": "al@x.io", "title": "v", level_path(SKILLS, "S"): 2},
        give={"roles": {"r": EMPTY}, "skills": {"S": EMPTY}},
    )
    assert not any(each.items for each in found.lists.values())


def test_a_create_again_takes_nothing_over_from_the_account_that_is_gone() -> None:
    known = al(V, lists={"roles": ours("old")}, dates=AppliedDates(ends_on="2026-01-01"), pending=take("roles", "old"))
    wanted = desired(user("al", V))
    before = reconciled(wanted, live(live_user("zz")), record(replace(known, live_id="gone")), drift=True)
    found = announced(before).resources[AL]
    assert (found.live_id, found.values, found.lists, found.dates) == (None, {}, {}, AppliedDates())
    assert found.pending == Pending(values={"userName": "al@x.io", "title": "v"})


def test_an_answered_create_that_does_not_show_yet_keeps_its_id() -> None:
    found = concluded(desired(user("al", V)), live(), live(), NO_RECORD, created={"user.al": "n"}).resources[AL]
    assert found.live_id == "n"
    assert found.pending.values["title"] == "v"


def test_an_answered_create_is_ours_where_the_server_kept_other_values_too() -> None:
    after = live(live_user("n", "al@x.io", W))
    found = concluded(desired(user("al", V)), live(), after, NO_RECORD, created={"user.al": "n"}).resources[AL]
    assert (found.live_id, found.values, found.pending.values) == ("n", KNOWN, V)


def test_an_account_that_others_deleted_keeps_its_entry_and_announces_nothing() -> None:
    known = replace(al(V, pending=Pending(values=W)), live_id="gone")
    found = concluded(desired(user("al", V)), live(), live(), record(known)).resources[AL]
    assert found == replace(known, pending=Pending())


def test_an_entry_of_another_account_says_nothing_about_this_one() -> None:
    known = replace(al(W, lists={"roles": ours("x")}), live_id="gone")
    state = live(live_user("n", "al@x.io", W, roles=["x"]))
    before = reconciled(desired(user("al", V)), state, record(known))
    assert announced(before).resources[AL] == replace(
        al(), live_id="n", source="c1", values={}, pending=Pending(values=V)
    )
    found = concluded(desired(user("al", W)), state, state, record(known)).resources[AL]
    assert (found.live_id, found.values, found.lists) == ("n", {**KNOWN, **W}, {})


# --- active and dates

SOON, PAST = lifecycle(starts=TODAY + timedelta(days=5)), lifecycle(ends=TODAY - timedelta(days=5))
ON, OFF = lifecycle(active=True), lifecycle(active=False)


def active_after(here, before, after, known, *, whole=True, drift=False, attributes=None):
    found = concluded(
        desired(user("al", attributes, here=here)),
        live(live_user("al", active=before)),
        live(live_user("al", active=after, attributes=attributes)),
        record(*known, whole=whole),
        drift=drift,
    ).resources[AL]
    return found.values.get("active", "-"), found.pending.values.get("active", "-"), found.dates


NONE = AppliedDates()


@pytest.mark.parametrize(
    ("here", "before", "after", "known", "expected"),
    [
        pytest.param(OFF, True, False, al(), (False, "-", NONE), id="switched off"),
        pytest.param(OFF, True, True, al(), ("-", False, NONE), id="failed"),
        pytest.param(OFF, False, False, al(), (False, "-", NONE), id="found off"),
        pytest.param(OFF, True, True, al({"active": False}), (False, "-", NONE), id="drift, left"),
        pytest.param(SOON, True, False, al(), (False, "-", dates_of(SOON)), id="by dates"),
        pytest.param(SOON, True, True, al(dates=dates_of(PAST)), ("-", False, dates_of(PAST)), id="by dates, failed"),
        pytest.param(ON, False, True, al({"active": False}), (True, "-", NONE), id="switched on"),
        pytest.param(ON, False, False, al({"active": False}), (False, True, NONE), id="switching on failed"),
        pytest.param(ON, False, False, al(), ("-", True, NONE), id="switching on failed, nothing applied"),
        pytest.param(ON, False, False, al({"active": True}), (True, "-", NONE), id="switched off by others"),
        pytest.param(lifecycle(), True, True, al({"active": True}), ("-", "-", NONE), id="no line any more"),
        pytest.param(lifecycle(), False, False, al({"active": False}), ("-", "-", NONE), id="line gone, left inactive"),
        pytest.param(
            lifecycle(),
            False,
            False,
            al(pending=Pending(values={"active": False})),
            ("-", "-", NONE),
            id="line gone, announced",
        ),
        pytest.param(
            lifecycle(),
            False,
            False,
            al(pending=Pending(values={"active": False}, leaving=True)),
            (False, True, NONE),
            id="back, and not yet",
        ),
        pytest.param(
            lifecycle(),
            True,
            False,
            al(pending=Pending(values={"active": False}, leaving=True)),
            (False, "-", NONE),
            id="back, and others switch her off",
        ),
    ],
)
def test_active(here, before, after, known, expected) -> None:
    found = active_after(here, before, after, [known])
    if known.pending.leaving:  # a departure that settled: A is whatever the last comparison saw
        expected = (found[0], *expected[1:])
    assert found == expected


@pytest.mark.parametrize(
    ("known", "whole"), [([], False), ([al()], False), ([entry("user.al", None, seen=True)], True)]
)
@pytest.mark.parametrize("attributes", [None, {"title": "v"}], ids=["nothing else", "another change"])
def test_active_true_without_proof_is_recorded_as_brought_about(known, whole, attributes) -> None:
    """Otherwise the next run would take a line that may be old for a new one, and give access back."""
    assert active_after(ON, False, False, known, whole=whole, attributes=attributes) == (True, "-", NONE)
    before = reconciled(
        desired(user("al", {"title": "v"}, here=ON)), live(live_user("al", active=False)), record(*known, whole=whole)
    )
    assert announced(before).resources[AL].values["active"] is True


def test_somebody_new_whose_reactivation_failed_is_tried_again() -> None:
    off = live(live_user("al", active=False))
    found = concluded(desired(user("al", here=ON)), off, off, record())
    again = reconciled(desired(user("al", here=ON)), live(live_user("al", active=False)), found)
    assert said(again) == ["user.al replace active leftover"]


def test_a_departure_is_over_when_she_is_declared_again() -> None:
    """Who switches her off from here on is somebody else, and she stays so."""
    leaving = al(pending=Pending(values={"active": False}, leaving=True))
    still_active, off = live(live_user("al")), live(live_user("al", active=False))
    found = concluded(desired(user("al")), still_active, off, record(leaving))
    assert said(reconciled(desired(user("al")), off, found)) == []
    kept_off = concluded(desired(user("al", here=OFF)), off, off, record(leaving))
    assert said(reconciled(desired(user("al")), off, kept_off)) == []


# --- announcing


def test_everything_planned_is_announced_before_it_is_done() -> None:
    wanted = desired(
        user("al", {"title": "v", "nickName": None}, lists={"roles": listed("new", mode=ADDITIVE)}),
        group("g", listed(a("user.al"), until={LiveReference(ResourceType.USER, "cy@x.io"): DAY})),
    )
    state = live(
        live_user("al", attributes={"nickName": "n"}, roles=["old"]),
        live_user("bo"),
        live_user("cy"),
        live_group("g", "g", ["bo"]),
    )
    applied = record(al(lists={"roles": ours("old")}), entry("user.bo", "bo", KNOWN), g({"members": ours("bo")}))
    found = announced(reconciled(wanted, state, applied))
    assert found.resources == {
        AL: replace(
            al(lists={"roles": ours("old", mode=ADDITIVE)}),
            source="c1",
            pending=Pending(
                values={"title": "v", "nickName": None}, give=give("roles", "new").give, take=take("roles", "old").take
            ),
        ),
        a("user.bo"): entry("user.bo", "bo", KNOWN, pending=Pending(values={"active": False}, leaving=True)),
        G: replace(
            g({"members": ours("bo")}),
            source="c1",
            pending=Pending(
                give={"members": {"al": EMPTY, "cy": AppliedItem(until="2026-12-31")}}, take=take("members", "bo").take
            ),
        ),
    }
    assert (found.commit, found.whole, found.exists) == ("c1", True, True)


def test_modes_are_announced_where_nothing_else_changes() -> None:
    state = live(live_user("al"), live_group("g", "g", ["al"]))
    known = g({"members": ours("al", mode=ADDITIVE)})
    found = announced(reconciled(desired(user("al"), group("g", listed(a("user.al")))), state, record(known)))
    assert found.resources[G].lists["members"].mode is AUTHORITATIVE
    gone = announced(reconciled(desired(user("al"), group("g")), state, record(known)))
    assert gone.resources[G].lists["members"].mode is None


def test_a_change_of_mind_replaces_what_was_announced() -> None:
    known = al(lists={"roles": ours("x")}, pending=replace(take("roles", "x"), values=W))
    state = live(live_user("al"))
    found = announced(
        reconciled(desired(user("al", V, lists={"roles": listed("x")})), state, record(known), drift=True)
    )
    assert found.resources[AL].pending == Pending(values=V, give=give("roles", "x").give)
    back = al(pending=give("roles", "x"))
    other = live(live_user("al", roles=["x"]))
    taken = announced(reconciled(desired(user("al", lists={"roles": listed()})), other, record(back)))
    assert taken.resources[AL].pending == take("roles", "x")


def test_a_deletion_is_announced_and_a_departure_is_not_a_deletion() -> None:
    state = live(live_user("al"), live_user("zz"))
    policy = replace(OPEN, removal_users=Removal.DELETE)
    found = announced(reconciled(desired(user("zz")), state, record(al()), policy=policy)).resources[AL]
    assert found.pending == Pending(delete=True)
    again = announced(reconciled(desired(user("zz")), state, record(found))).resources[AL]
    assert again.pending == Pending(values={"active": False}, leaving=True)
    inactive = live(live_user("al", active=False, roles=["r"]), live_user("zz"))
    known = al(lists={"roles": ours("r")}, pending=again.pending)
    rest = announced(reconciled(desired(user("zz")), inactive, record(known))).resources[AL]
    assert rest.pending == Pending(values={"active": False}, take=take("roles", "r").take, leaving=True)


def test_entries_move_with_their_accounts_before_the_first_write() -> None:
    applied = record(entry("user.old", "al", KNOWN, lists={"roles": ours("r")}), replace(al(), live_id="gone"))
    state = live(live_user("al", roles=["r"]))
    found = announced(reconciled(desired(user("al", V)), state, applied))
    assert list(found.resources) == [AL]
    assert (found.resources[AL].live_id, found.resources[AL].lists) == ("al", {"roles": ours("r", mode=None)})


@pytest.mark.parametrize(
    ("name", "source"),
    [("al@x.io", "now"), ("AL@x.io", "now"), ("was@x.io", "then")],
    ids=["as declared", "in another case", "an earlier name"],
)
def test_an_entry_names_a_commit_that_knows_the_accounts_name(name, source) -> None:
    """A removal is proved by the name that the commit declares, and a rename may fail."""
    applied = record(replace(al(W), source="then"))
    found = live(live_user("al", name, {"title": "w"}))
    plan = reconciled(desired(user("al", V)), found, applied)
    assert announce(plan.situation, plan.plan.changes, "now").resources[AL].source == source
    after = live(live_user("al", name, {"title": "v"}))
    again = reconciled(desired(user("al", V)), after, announce(plan.situation, plan.plan.changes, "now"))
    ended = conclude(again.situation.applied, again.situation, again.plan.drift, {})
    assert ended.resources[AL].source == source


def test_a_key_is_kept_as_it_is_spelled_now() -> None:
    for seen in (False, True):
        applied = record(replace(al(seen=seen), address=a("user.AL")))
        found = concluded(desired(user("al")), live(live_user("al")), live(live_user("al")), applied)
        assert list(found.resources) == [AL]


# --- whose entries stay


def entries_after(wanted, before, after, *known, whole=True, **options):
    return list(concluded(wanted, before, after, record(*known, whole=whole), **options).resources.values())


ZZ = live_user("zz")
DELETE = replace(OPEN, removal_users=Removal.DELETE, removal_groups=Removal.DELETE)
KEEP = replace(OPEN, removal_users=Removal.KEEP)
ROLE = {"roles": ours("r")}


@pytest.mark.parametrize(
    ("policy", "known", "before", "after", "stays"),
    [
        (OPEN, al(), live_user("al"), live_user("al", active=False), False),
        (OPEN, al(), live_user("al"), live_user("al"), True),
        (OPEN, al(), live_user("al"), None, False),
        (OPEN, al(lists=ROLE), live_user("al", roles=["r"]), live_user("al", roles=["r"], active=False), True),
        (OPEN, al(lists=ROLE), live_user("al", roles=["r"]), live_user("al", active=False), False),
        (
            OPEN,
            al(lists=ROLE),
            live_user("al", active=False, roles=["r"]),
            live_user("al", active=False, not_read={"roles": "no"}),
            True,
        ),
        (DELETE, al(), live_user("al"), live_user("al"), True),
        (DELETE, al(), live_user("al"), None, False),
        (DELETE, al(), live_user("al", active=False), live_user("al", active=False), False),
        (KEEP, al(), live_user("al"), live_user("al"), False),
        (KEEP, al(lists=ROLE), live_user("al", roles=["r"]), live_user("al", roles=["r"]), True),
        (KEEP, al(lists=ROLE), live_user("al", roles=["r"]), live_user("al"), False),
    ],
)
def test_the_entry_of_a_leaver_stays_as_long_as_something_is_left(policy, known, before, after, stays) -> None:
    found = entries_after(
        desired(user("zz")), live(before, ZZ), live(*([after] if after else []), ZZ), known, policy=policy
    )
    assert (AL in [each.address for each in found]) is stays


def test_what_failed_for_a_leaver_stays_whole() -> None:
    known = al(V, lists=ROLE, dates=AppliedDates(ends_on="2027-01-01"))
    state = live(live_user("al", roles=["r"]), ZZ)
    [found, _] = entries_after(desired(user("zz")), state, state, known)
    pending = Pending(values={"active": False}, take=take("roles", "r").take, leaving=True)
    assert found == replace(known, pending=pending)


@pytest.mark.parametrize(
    ("policy", "after", "stays"),
    [(OPEN, ["al"], True), (OPEN, ["cy"], False), (DELETE, [], True), (DELETE, None, False)],
)
def test_the_entry_of_a_group_that_is_declared_no_more(policy, after, stays) -> None:
    people = [live_user("al"), live_user("cy")]
    groups = [] if after is None else [live_group("g", "g", after)]
    found = entries_after(
        desired(user("al")),
        live(*people, live_group("g", "g", ["al", "cy"])),
        live(*people, *groups),
        g({"members": ours("al")}),
        policy=policy,
    )
    assert (G in [each.address for each in found]) is stays


@pytest.mark.parametrize(
    ("after", "stays"), [(None, False), (live_user("n", "al@x.io", W), True), (live_user("al", "other@x.io"), False)]
)
def test_an_unanswered_create_of_somebody_undeclared(after, stays) -> None:
    known = entry("user.al", None, pending=Pending(values={"userName": "al@x.io", "title": "v"}))
    state = live(ZZ, *([after] if after else []))
    assert (AL in [each.address for each in entries_after(desired(user("zz")), state, state, known)]) is stays


def test_an_unanswered_create_whose_login_is_declared_elsewhere_is_dropped() -> None:
    known = entry("user.al", None, pending=Pending(values={"userName": "al@x.io", "title": "v"}))
    state = live(live_user("n", "al@x.io", W))
    found = entries_after(desired(user("new", name="al@x.io")), state, state, known)
    assert [str(each.address) for each in found] == ["user.new"]


def test_the_released_are_dropped_with_all_claims_on_them_before_anything_is_written() -> None:
    state = live(live_user("al", roles=["r"]), live_user("bo"), live_group("g", "g", ["al", "bo"]))
    pending = Pending(give={"members": {"al": EMPTY, "bo": EMPTY}}, take={"members": frozenset({"al"})})
    known = [al(lists=ROLE), entry("user.bo", "bo"), g({"members": ours("al", "bo")}, pending=pending)]
    wanted = desired(user("bo", V), group("g", listed(a("user.bo"), mode=ADDITIVE)), released=["user.AL"])
    before = announced(reconciled(wanted, state, record(*known)))
    assert AL not in before.resources
    assert before.resources[G].lists["members"] == ours("bo", mode=ADDITIVE)
    assert before.resources[G].pending == give("members", "bo")
    found = concluded(wanted, state, state, record(*known))
    assert said(reconciled(wanted, state, found)) == ["user.bo add title leftover"]
    assert found.resources[G].lists["members"] == ours("bo", mode=ADDITIVE)


def test_who_is_released_and_declared_under_another_key_keeps_her_entry_and_the_claims_on_her() -> None:
    state = live(live_user("al", roles=["r"]), live_group("g", "g", ["al"]))
    known = [al(lists=ROLE), g({"members": ours("al", mode=ADDITIVE)})]
    wanted = desired(user("new", name="al@x.io"), group("g", listed(mode=ADDITIVE)), released=["user.al"])
    outcome = reconciled(wanted, state, record(*known))
    assert said(outcome) == ["group.g remove members al declared", "user.new remove roles r declared"]
    assert set(announced(outcome).resources) == {G, a("user.new")}


def test_a_released_member_of_a_list_that_turns_authoritative_stays_drift() -> None:
    state = live(live_user("al"), live_user("bo"), live_group("g", "g", ["al", "bo"]))
    known = [al(), entry("user.bo", "bo"), g({"members": ours("al", "bo", mode=ADDITIVE)})]
    wanted = desired(user("bo"), group("g", listed(a("user.bo"))), released=["user.al"])
    crashed = announced(reconciled(wanted, state, record(*known)))
    assert said(reconciled(wanted, state, crashed)) == ["group.g remove members al drift"]


def test_the_frozen_keep_their_entries() -> None:
    twins = live(live_user("a1", "al@x.io"), live_user("a2", "al@x.io"))
    own = entry("user.al", "gone", KNOWN, lists=ROLE)
    other = entry("user.old", "a1", KNOWN, pending=Pending(values=V))
    assert entries_after(desired(user("al")), twins, twins, own, other) == [own, other]


@pytest.mark.parametrize(("whole", "stays"), [(True, False), (False, True)])
def test_without_a_whole_record_who_cannot_be_told_is_seen(whole, stays) -> None:
    twins = live(live_user("a1", "al@x.io"), live_user("a2", "al@x.io"))
    found = concluded(desired(user("al")), twins, twins, record(whole=whole))
    assert list(found.resources.values()) == (
        [replace(entry("user.al", None, seen=True), source="c1")] if stays else []
    )
    later = reconciled(desired(user("al")), live(live_user("a1", "al@x.io", active=False)), found)
    assert said(later) == ([] if stays else ["user.al replace active declared"])


@pytest.mark.parametrize("before", [record(al()), record(), NO_RECORD], ids=["hers", "none of hers", "no record"])
def test_whose_time_is_over_has_no_account_any_more_and_a_longer_line_makes_one(before) -> None:
    over = desired(user("al", here=lifecycle(ends=TODAY - timedelta(days=40), delete_after=30)))
    found = concluded(over, live(live_user("al"), ZZ), live(ZZ), before)
    assert found.resources == {AL: replace(entry("user.al", None, seen=True), source="c1")}
    assert concluded(over, live(ZZ), live(ZZ), found).resources == found.resources
    assert said(reconciled(over, live(ZZ), found)) == []
    again = desired(user("al", here=lifecycle(ends=TODAY + timedelta(days=1), delete_after=30)))
    assert said(reconciled(again, live(ZZ), found)) == ["user.al create declared"]


def test_nobody_is_deleted_for_the_login_of_somebody_whose_time_was_over() -> None:
    over = desired(user("al", here=lifecycle(ends=TODAY - timedelta(days=40), delete_after=30)))
    found = concluded(over, live(live_user("al"), ZZ), live(ZZ), record(al()))
    later = reconciled(over, live(live_user("a2", "al@x.io"), ZZ), found)
    assert (said(later), [each.code for each in later.plan.refused]) == ([], ["ambiguous"])
    undeclared = concluded(desired(), live(ZZ), live(ZZ), found)
    assert undeclared.resources == {}


def test_a_record_is_whole_when_a_run_has_reached_its_end() -> None:
    wanted = desired(user("al", V))
    assert announced(reconciled(wanted, live(), NO_RECORD)).whole is False
    assert concluded(wanted, live(), live(), NO_RECORD).whole is True


def test_entries_are_kept_in_order() -> None:
    state = live(live_user("al"), live_user("bo"))
    found = concluded(desired(user("bo"), user("al")), state, state, NO_RECORD)
    assert list(found.resources) == [AL, a("user.bo")]
