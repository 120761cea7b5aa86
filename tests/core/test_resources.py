"""A whole user or group: every row of the table."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from reconciler.diffing.activity import dates_of
from reconciler.model import Pending, Removal
from reconciler.profiles.profile import LifecycleRules
from tests.core.builders import (
    NO_RECORD,
    OPEN,
    PROFILE,
    TODAY,
    a,
    codes,
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

DELETE = replace(OPEN, removal_users=Removal.DELETE, removal_groups=Removal.DELETE)
KEEP = replace(OPEN, removal_users=Removal.KEEP)
SENT = Pending(values={"userName": "al@x.io", "title": "Lead", "active": True})
KNOWN = {"userName": "al@x.io"}


def al(live_id="al", **more):
    return entry("user.al", live_id, more.pop("values", KNOWN), **more)


# --- declared


@pytest.mark.parametrize(
    ("applied", "found", "expected"),
    [
        (NO_RECORD, live(), ["user.al create declared"]),
        (record(), live(), ["user.al create declared"]),
        (record(entry("user.al", None, seen=True)), live(), ["user.al create declared"]),
        (record(al(None, values={}, pending=SENT)), live(), ["user.al create leftover"]),
        (record(al(None, values={}, pending=SENT)), live(live_user("n", "al@x.io", {"title": "Lead"})), []),
        (record(al("gone")), live(), ["user.al create drift"]),
        (record(al("gone", pending=SENT)), live(), ["user.al create drift"]),
        (record(al("gone", pending=Pending(delete=True))), live(), ["user.al create declared"]),
        (record(al("gone")), live(live_user("n", "al@x.io")), ["user.al add title declared"]),
        (record(al()), live(live_user("al")), ["user.al add title declared"]),
        (NO_RECORD, live(live_user("al")), ["user.al add title declared"]),
    ],
)
def test_a_declared_user(applied, found, expected) -> None:
    outcome = reconciled(desired(user("al", {"title": "Lead"})), found, applied)
    assert said(outcome) == expected
    assert codes(outcome) == []


def test_a_create_without_an_answer_is_ours_where_everything_arrived() -> None:
    """Ours from the moment it is seen: a changed line is a declared change, a moved value is drift."""
    applied = record(al(None, values={}, pending=SENT))
    found = live(live_user("n", "al@x.io", {"title": "Lead"}))
    outcome = reconciled(desired(user("al", {"title": "Chief"})), found, applied)
    assert said(outcome) == ["user.al replace title declared"]
    assert said(reconciled(desired(), found, applied)) == ["user.al replace active declared"]


@pytest.mark.parametrize("there", [False, True])
def test_an_account_with_the_login_sent_and_other_values_is_not_guessed_at(there) -> None:
    applied = record(al(None, values={}, pending=SENT))
    found = [live_user("n", "al@x.io", {"title": "Clerk"})] + [live_user("o", "new@x.io")] * there
    outcome = reconciled(desired(user("al", name="new@x.io")), live(*found), applied)
    assert (said(outcome), codes(outcome)) == ([], ["ambiguous"])
    assert outcome.situation.matches.frozen == {each.id for each in found}


def test_an_unanswered_create_whose_login_others_took_is_adopted_where_the_line_still_asks_for_it() -> None:
    applied = record(al(None, values={}, pending=SENT))
    found = live(live_user("n", "al@x.io", {"title": "Clerk"}, active=False))
    outcome = reconciled(desired(user("al", {"title": "Lead"})), found, applied)
    assert said(outcome) == ["user.al replace title declared"]  # and never reactivated as new
    assert codes(outcome) == ["left-inactive"]


def test_an_account_found_again_under_another_id_is_adopted_and_never_new() -> None:
    found = live(live_user("n", "al@x.io", active=False, roles=["x"]))
    applied = record(al("gone", lists={"roles": ours("x")}))
    outcome = reconciled(desired(user("al")), found, applied)
    assert (said(outcome), codes(outcome)) == ([], ["left-inactive"])


def test_twins_are_frozen_and_everybody_else_goes_on() -> None:
    found = live(live_user("a1", "al@x.io"), live_user("a2", "AL@x.io"))
    outcome = reconciled(desired(user("al", {"title": "x"}), user("bo")), found, record())
    assert (said(outcome), codes(outcome)) == (["user.bo create declared"], ["ambiguous"])


ENDED = TODAY - timedelta(days=40)
OVER = lifecycle(ends=ENDED, delete_after=30)


@pytest.mark.parametrize(
    ("applied", "found", "expected"),
    [
        (record(al(dates=dates_of(OVER))), live(live_user("al", active=False)), ["user.al delete due"]),
        (record(al(dates=dates_of(OVER))), live(live_user("al")), ["user.al delete due"]),
        (record(al()), live(live_user("al", active=False)), ["user.al delete declared"]),
        (record(al(pending=Pending(delete=True))), live(live_user("al")), ["user.al delete leftover"]),
        (record(al(dates=dates_of(OVER))), live(), []),
        (record(), live(), []),
        (NO_RECORD, live(live_user("al")), ["user.al delete declared"]),
        (record(), live(live_user("al", active=False)), ["user.al delete declared"]),
    ],
)
def test_a_user_whose_delete_after_is_over(applied, found, expected) -> None:
    outcome = reconciled(desired(user("al", here=OVER)), found, applied)
    assert said(outcome) == expected


def test_nobody_is_made_a_member_who_will_not_be_created() -> None:
    wanted = desired(user("al", here=OVER), group("g", listed(a("user.al"))), user("bo"))
    applied = record(al(dates=dates_of(OVER)), entry("group.g", "g", {"displayName": "g"}))
    outcome = reconciled(wanted, live(live_group("g")), applied, drift=True)
    assert said(outcome) == ["user.bo create declared"]


def test_who_is_found_after_her_time_is_given_nothing_before_she_goes() -> None:
    wanted = desired(
        user("al", {"title": "x"}, lists={"roles": listed("lead")}, here=OVER), group("g", listed(a("user.al")))
    )
    outcome = reconciled(wanted, live(live_user("al"), live_group("g")), record(entry("group.g", "g")))
    assert said(outcome) == ["user.al delete declared"]


def test_who_is_deleted_by_date_leaves_her_groups_with_the_same_cause() -> None:
    """Some servers keep a deleted member in their lists, so the next plan would find her there."""
    wanted = desired(user("al", here=OVER), group("g", listed(a("user.al"))), group("h", listed(a("user.al"))))
    known = [entry(f"group.{each}", each, lists={"members": ours(*who)}) for each, who in (("g", ["al"]), ("h", []))]
    found = live(live_user("al"), live_group("g", "g", ["al"]), live_group("h"))
    outcome = reconciled(wanted, found, record(al(dates=dates_of(OVER)), *known))
    assert said(outcome) == ["group.g remove members al due", "user.al delete due"]


# --- declared no more

LISTS = {"roles": ours("lead")}


@pytest.mark.parametrize(
    ("policy", "applied", "found", "expected"),
    [
        (OPEN, al(), live_user("al"), ["user.al replace active declared"]),
        (
            OPEN,
            al(pending=Pending(values={"active": False}, leaving=True)),
            live_user("al"),
            ["user.al replace active leftover"],
        ),
        (
            OPEN,
            al(lists=LISTS),
            live_user("al", roles=["lead", "x"]),
            ["user.al remove roles lead declared", "user.al replace active declared"],
        ),
        (
            OPEN,
            al(lists=LISTS),
            live_user("al", roles=["lead", "x"], active=False),
            ["user.al remove roles lead declared"],
        ),
        (
            OPEN,
            al(lists=LISTS, pending=take("roles", "lead")),
            live_user("al", roles=["lead"], active=False),
            ["user.al remove roles lead leftover"],
        ),
        (OPEN, al(), live_user("al", active=False), []),
        (OPEN, al(), None, []),
        (OPEN, al(None, values={}, pending=SENT), None, []),
        (DELETE, al(lists=LISTS), live_user("al", roles=["lead"]), ["user.al delete declared"]),
        (DELETE, al(pending=Pending(delete=True)), live_user("al"), ["user.al delete leftover"]),
        (KEEP, al(lists=LISTS), live_user("al", roles=["lead", "x"]), ["user.al remove roles lead declared"]),
        (KEEP, al(), live_user("al"), []),
    ],
)
def test_a_user_who_is_declared_no_more(policy, applied, found, expected) -> None:
    outcome = reconciled(
        desired(user("zz")), live(*([found] if found else []), live_user("zz")), record(applied), policy=policy
    )
    assert said(outcome) == expected
    assert codes(outcome) == []


def test_with_delete_an_inactive_leaver_only_loses_what_is_ours() -> None:
    found = live(live_user("al", active=False, roles=["lead", "x"]), live_user("zz"))
    outcome = reconciled(desired(user("zz")), found, record(al(lists=LISTS)), policy=DELETE)
    assert said(outcome) == ["user.al remove roles lead declared"]


def test_a_leaver_whose_create_was_never_answered_and_whose_login_is_others_is_named() -> None:
    applied = record(al(None, values={}, pending=SENT))
    outcome = reconciled(desired(), live(live_user("n", "al@x.io", {"title": "Clerk"})), applied)
    assert (said(outcome), codes(outcome)) == ([], ["create-unanswered"])


def test_released_people_are_let_go_without_a_write() -> None:
    found = live(live_user("al", roles=["lead"]), live_group("g", "g", ["al"]))
    applied = record(al(lists=LISTS), entry("group.g", "g", lists={"members": ours("al")}))
    outcome = reconciled(desired(released=["user.AL", "group.g"]), found, applied, policy=DELETE)
    assert (said(outcome), codes(outcome)) == ([], [])


def test_an_entry_moves_to_the_key_that_now_stands_for_the_account() -> None:
    found = live(live_user("al", roles=["lead"]))
    outcome = reconciled(desired(user("new", name="al@x.io")), found, record(al(lists=LISTS)))
    assert said(outcome) == ["user.new remove roles lead declared"]


@pytest.mark.parametrize(("other", "told"), [("OTHER", ["another group is called Other already"]), ("third", [])])
def test_a_group_that_takes_the_name_of_another_one_is_told(other, told) -> None:
    known = record(entry("group.g", "g", {"displayName": "g"}))
    found = live(live_group("g", "g"), live_group("o", other))
    outcome = reconciled(desired(group("g", name="Other")), found, known)
    assert [list(each.notes) for each in outcome.plan.changes] == [told]


@pytest.mark.parametrize(
    ("applied", "wanted", "active", "told"),
    [
        (record(), user("al"), True, "it holds roles Agent, Boss, which no line names"),
        (record(), user("al", lists={"roles": listed("Boss")}), True, "it holds roles Agent, which no line names"),
        (record(), user("al", lists={"roles": listed("Boss", "Agent")}), True, None),
        (record(), user("al"), False, None),  # there is a warning of its own
        (record(entry("user.al", "al")), user("al"), True, None),
        (record(entry("user.old", "al")), user("al"), True, None),
        (NO_RECORD, user("al"), True, None),
    ],
)
def test_a_newcomer_whose_account_is_there_with_access_is_spoken_of(applied, wanted, active, told) -> None:
    found = live(live_user("al", roles=["Boss", "Agent"], active=active))
    outcome = reconciled(desired(wanted), found, applied)
    said = [each.summary for each in outcome.plan.notices if each.code == "account-was-there"]
    assert said == ([f"an account of this userName is there already: {told}"] if told else [])


@pytest.mark.parametrize("here", [None, OVER], ids=["declared no more", "deleteAfter"])
@pytest.mark.parametrize(
    ("left_as", "called", "told"),
    [
        ("al@x.io", "mal@x.io", ["others renamed it: mal@x.io on the server, al@x.io as we left it"]),
        ("al@x.io", "AL@x.io", []),
        (None, "mal@x.io", []),
    ],
)
def test_who_loses_an_account_that_others_renamed_is_told_by_both_names(here, left_as, called, told) -> None:
    known = record(entry("user.al", "al", {} if left_as is None else {"userName": left_as}))
    wanted = desired(user("zz")) if here is None else desired(user("al", here=here))
    outcome = reconciled(wanted, live(live_user("al", called)), known)
    [change] = [each for each in outcome.plan.changes if each.live_id == "al"]
    assert list(change.notes) == told


def test_a_leaver_among_the_candidates_of_an_ambiguous_match_is_left() -> None:
    found = live(live_user("a1", "al@x.io"), live_user("a2", "al@x.io"))
    applied = record(entry("user.old", "a1", KNOWN))
    outcome = reconciled(desired(user("al")), found, applied)
    assert (said(outcome), codes(outcome)) == ([], ["ambiguous", "leaver-left"])
    assert [each.summary for each in outcome.plan.notices] == [
        "user.old is no longer declared, and left as it is: user.al may mean al@x.io"
    ]


@pytest.mark.parametrize(
    ("policy", "profile", "expected"),
    [
        (OPEN, PROFILE, ["group.g remove members al declared"]),
        (DELETE, PROFILE, ["group.g delete declared"]),
        (
            DELETE,
            replace(PROFILE, lifecycle=LifecycleRules(group_delete=False)),
            ["group.g remove members al declared"],
        ),
    ],
)
def test_a_group_that_is_declared_no_more(policy, profile, expected) -> None:
    found = live(live_user("al"), live_group("g", "g", ["al", "zz"]))
    applied = record(al(), entry("group.g", "g", {"displayName": "g"}, lists={"members": ours("al")}))
    outcome = reconciled(desired(user("al")), found, applied, policy=policy, profile=profile)
    assert said(outcome) == expected


def test_what_is_not_ours_is_in_no_operation() -> None:
    found = live(live_user("zz", roles=["x"]), live_group("zg", "zg", ["zz"]), live_user("al"))
    outcome = reconciled(desired(user("al")), found, record(al()))
    assert (said(outcome), outcome.plan.operations, outcome.plan.unmanaged) == ([], (), 2)


# --- groups that a provider will not create or rename


def test_a_group_that_cannot_be_created_is_refused_and_its_members_stay_out() -> None:
    profile = replace(PROFILE, lifecycle=LifecycleRules(group_create=False, group_place="by hand"))
    wanted = desired(group("g", listed(a("group.h"))), group("h"))
    outcome = reconciled(wanted, live(live_group("g")), record(), profile=profile)
    assert said(outcome) == []
    assert codes(outcome) == ["group-cannot-be-created", "member-left-alone"]


def test_a_group_that_cannot_be_renamed_keeps_its_name_and_gets_its_members() -> None:
    profile = replace(PROFILE, lifecycle=LifecycleRules(group_rename=False))
    wanted = desired(user("al"), group("g", listed(a("user.al")), name="New"))
    applied = record(al(), entry("group.g", "g", {"displayName": "g"}, pending=give("members", "al")))
    outcome = reconciled(wanted, live(live_user("al"), live_group("g")), applied, profile=profile)
    assert said(outcome) == ["group.g add members al leftover"]
    assert codes(outcome) == ["group-cannot-be-renamed"]
    kept = desired(user("al"), group("g", listed(a("user.al"))))
    assert codes(reconciled(kept, live(live_user("al"), live_group("g")), applied, profile=profile)) == []


def test_what_a_server_never_stores_is_not_sent_with_a_create() -> None:
    rules = replace(PROFILE.users, not_stored=("title", "roles"))
    outcome = reconciled(
        desired(user("al", {"title": "x", "nickName": "y", "urn:x:attr": 1}, lists={"roles": listed("r")})),
        live(),
        record(),
        profile=replace(PROFILE, users=rules),
    )
    assert [each.path for each in outcome.plan.changes[0].attribute_changes] == ["userName", "nickName", "urn:x:attr"]


def test_keys_are_the_same_in_any_case() -> None:
    applied = record(entry("user.AL", "al", {"userName": "al@x.io", "title": "x"}))
    outcome = reconciled(desired(user("al", {"title": "x"})), live(live_user("al", attributes={"title": "y"})), applied)
    assert said(outcome) == ["user.al replace title drift"]
