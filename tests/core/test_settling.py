"""What was announced and is in place counts as brought about, before anything is compared."""

import pytest
from msgspec.structs import replace

from reconciler.model import AppliedItem, AppliedList, ListMode, Pending
from reconciler.scim.paths import level_path
from reconciler.settling import settle
from tests.core.builders import (
    MANAGER,
    PROFILE,
    SKILLS,
    a,
    entry,
    give,
    live,
    live_group,
    live_user,
    ours,
    record,
    take,
)

EMPTY = AppliedItem()


def settled(found, *entries):
    return settle(record(*entries), live(*found), PROFILE).resources


@pytest.mark.parametrize(
    ("announced", "found", "expected"),
    [
        ({"title": "v"}, {"title": "v"}, {"title": "v"}),
        ({"title": "v"}, {"title": "w"}, {"title": "old"}),
        ({"title": None}, {}, {"title": None}),
        ({"title": None}, {"title": "w"}, {"title": "old"}),
        ({"userName": "AL@x.io"}, {}, {"title": "old", "userName": "AL@x.io"}),
        ({"active": True}, {}, {"title": "old", "active": True}),
        ({"active": False}, {}, {"title": "old"}),
    ],
)
def test_a_value_that_is_in_place_is_applied(announced, found, expected) -> None:
    known = entry("user.al", "al", {"title": "old"}, pending=Pending(values=announced))
    after = settled([live_user("al", attributes=found)], known)[a("user.al")]
    assert after.values == expected
    assert after.pending == known.pending, "what was announced stays readable"


def test_what_cannot_be_read_settles_nothing() -> None:
    known = entry(
        "user.al", "al", lists={"roles": ours("x")}, pending=replace(give("roles", "y"), values={"title": "v"})
    )
    after = settled([live_user("al", not_read={"title": "no", "roles": "no"})], known)[a("user.al")]
    assert (after.values, after.lists) == ({}, {"roles": ours("x")})


def test_a_given_value_is_ours_and_a_taken_one_is_forgotten() -> None:
    pending = Pending(
        give={"members": {"al": AppliedItem(until="2026-07-01"), "bo": EMPTY}},
        take={"members": frozenset({"cy", "di"}), "badges": frozenset({"x"})},
    )
    known = entry("group.g", "g", lists={"members": ours("cy", "di", mode=ListMode.ADDITIVE)}, pending=pending)
    after = settled([live_group("g", "g", ["al", "cy"])], known)[a("group.g")]
    assert after.lists["members"] == AppliedList(
        mode=ListMode.ADDITIVE, items={"cy": EMPTY, "al": AppliedItem(until="2026-07-01")}
    )


def test_a_level_is_a_value() -> None:
    path = level_path(SKILLS, "Billing")
    known = entry("user.al", "al", pending=replace(give("skills", "Billing"), values={path: 4}))
    after = settled([live_user("al", skills={"Billing": 4})], known)[a("user.al")]
    assert (after.values, after.lists["skills"].items) == ({path: 4}, {"Billing": EMPTY})


def test_entries_without_an_announcement_or_an_account_stay() -> None:
    plain, gone = entry("user.al", "al", {"title": "v"}), entry("user.bo", "bo", pending=Pending(values={"title": "v"}))
    assert list(settled([live_user("al")], plain, gone).values()) == [plain, gone]


# --- creates without an answer

SENT = Pending(values={"userName": "al@x.io", "title": "x", "active": True}, give={"roles": {"r": EMPTY}})


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([live_user("1", "AL@x.io", {"title": "x"}, roles=["r", "more"])], "1"),
        ([live_user("1", "al@x.io", {"title": "y"}, roles=["r"])], None),
        ([live_user("1", "al@x.io", {"title": "x"})], None),
        ([live_user("1", "al@x.io", {"title": "x"}, roles=["r"], active=False)], None),
        ([live_user("1", "bo@x.io", {"title": "x"}, roles=["r"])], None),
        ([live_group("1", "al@x.io")], None),
        ([live_user(each, "al@x.io", {"title": "x"}, roles=["r"]) for each in "12"], None),
    ],
)
def test_an_unanswered_create_is_the_one_account_that_holds_everything_it_sent(found, expected) -> None:
    after = settled(found, entry("user.al", None, pending=SENT))[a("user.al")]
    assert after.live_id == expected
    assert bool(after.values) is (expected is not None)


def test_an_account_that_the_record_knows_is_no_answer() -> None:
    found = [live_user("1", "al@x.io", {"title": "x"}, roles=["r"])]
    after = settled(found, entry("user.al", None, pending=SENT), entry("user.bo", "1"))
    assert after[a("user.al")].live_id is None


def test_a_create_that_sent_no_name_is_not_looked_for() -> None:
    assert settled([live_user("1")], entry("user.al", None, pending=give("roles", "r")))[a("user.al")].live_id is None


def test_creates_that_refer_to_one_another_are_found_together() -> None:
    boss = entry("user.bo", None, pending=Pending(values={"userName": "bo@x.io"}))
    al = entry("user.al", None, pending=Pending(values={"userName": "al@x.io", MANAGER: "bulkId:user.bo"}))
    group = entry("group.g", None, pending=replace(give("members", "bulkId:user.al"), values={"displayName": "g"}))
    found = [live_user("1", "al@x.io", {MANAGER: "2"}), live_user("2", "bo@x.io"), live_group("3", "g", ["1"])]
    after = settled(found, al, boss, group)
    assert [each.live_id for each in after.values()] == ["1", "2", "3"]
    assert after[a("user.al")].values[MANAGER] == "2"
    assert after[a("group.g")].lists["members"].items == {"1": EMPTY}


def test_members_that_had_no_id_yet_get_it_although_nothing_arrived() -> None:
    known = entry("group.g", "gone", pending=give("members", "bulkId:user.al", "bulkId:user.no"))
    after = settled([], known, entry("user.al", "7"))[a("group.g")]
    assert set(after.pending.give["members"]) == {"7", "bulkId:user.no"}


# --- deletions


def test_a_deletion_that_arrived_ends_the_entry() -> None:
    known = entry("user.al", "al", {"title": "v"}, pending=Pending(delete=True))
    assert settled([], known) == {}
    assert settled([live_user("al")], known)[a("user.al")].values == {"title": "v"}


def test_a_take_that_arrived_is_forgotten_in_a_list_nobody_claims() -> None:
    known = entry("group.g", "g", pending=take("members", "al"))
    assert settled([live_group("g")], known)[a("group.g")].lists["members"].items == {}
