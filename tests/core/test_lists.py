"""One value of a list: every row of the two tables, for names, skills and members."""

from datetime import date, timedelta

import pytest
from msgspec.structs import replace

from reconciler.model import Address, AppliedItem, ItemKey, LiveReference, Pending, ResourceType
from reconciler.profiles.profile import AttributeRules, Profile
from reconciler.scim.attributes import USER_ATTRIBUTES
from reconciler.scim.paths import level_path
from tests.core.builders import (
    ADDITIVE,
    AUTHORITATIVE,
    NO_RECORD,
    OPEN,
    SKILLS,
    TODAY,
    a,
    codes,
    concluded,
    desired,
    entry,
    give,
    group,
    listed,
    live,
    live_group,
    live_user,
    notes_of,
    ours,
    reconciled,
    record,
    said,
    take,
    user,
)

YESTERDAY = TODAY - timedelta(days=1)
PEOPLE = ("al", "bo", "cy")


def group_plan(members, held, entries=(), **options):
    """The plan of one group among three people who are all in order."""
    people = [user(each) for each in PEOPLE]
    found = live(*(live_user(each) for each in PEOPLE), live_group("g", "g", held))
    known = [entry(f"user.{each}", each, {"userName": f"{each}@x.io"}) for each in PEOPLE]
    applied = record(*known, *entries)
    return reconciled(desired(*people, group("g", members)), found, applied, **options)


def g(lists=None, **more):
    return entry("group.g", "g", {"displayName": "g"}, lists=lists, **more)


# --- a declared value


@pytest.mark.parametrize("mode", [AUTHORITATIVE, ADDITIVE])
@pytest.mark.parametrize(
    ("entries", "held", "expected"),
    [
        ([g({"members": ours("al")})], ["al"], []),
        ([g({"members": ours("al")})], [], ["group.g add members al drift"]),
        ([g({"members": ours("al")}, pending=give("members", "al"))], [], ["group.g add members al drift"]),
        ([g(pending=give("members", "al"))], ["al"], []),
        ([g(pending=give("members", "al"))], [], ["group.g add members al leftover"]),
        ([g()], ["al"], []),
        ([g()], [], ["group.g add members al declared"]),
        ([], ["al"], []),
        ([], [], ["group.g add members al declared"]),
    ],
)
def test_a_declared_value(mode, entries, held, expected) -> None:
    assert said(group_plan(listed(a("user.al"), mode=mode), held, entries)) == expected


def test_a_member_who_is_not_on_the_server_comes_with_her_create() -> None:
    wanted = desired(user("al"), group("g", listed(a("user.al"))))
    created = reconciled(wanted, live(live_group("g")), record(g()))
    assert said(created) == ["group.g add members bulkId:user.al declared", "user.al create declared"]
    deleted = record(g({"members": ours()}), entry("user.al", "gone", {"userName": "al@x.io"}))
    left = reconciled(wanted, live(live_group("g")), deleted)
    assert said(left) == ["group.g add members bulkId:user.al drift", "user.al create drift"]
    assert left.plan.operations == ()
    corrected = reconciled(wanted, live(live_group("g")), deleted, correct=True)
    assert corrected.plan.operations == ()
    again = reconciled(wanted, live(live_group("g")), deleted, drift=True)
    assert [type(each).__name__ for each in again.plan.operations] == ["CreateResource", "PatchResource"]


def test_a_frozen_member_is_left_and_named() -> None:
    twins = live(live_user("a1", "al@x.io"), live_user("a2", "AL@x.io"), live_group("g", "g", ["a1"]))
    applied = record(g({"members": ours("a1")}))
    outcome = reconciled(desired(user("al"), group("g", listed(a("user.al")))), twins, applied)
    assert said(outcome) == []
    assert codes(outcome) == ["ambiguous", "member-left-alone"]
    without_line = reconciled(desired(user("al"), group("g", listed())), twins, applied)
    assert said(without_line) == []


# --- a value that is not declared

MODES = {"authoritative": listed(), "additive": listed(mode=ADDITIVE), "no line": None}


@pytest.mark.parametrize("written", list(MODES))
@pytest.mark.parametrize(
    ("entries", "held", "expected"),
    [
        # ours
        ([g({"members": ours("al")}, pending=take("members", "al"))], ["al"], "leftover leftover leftover"),
        ([g({"members": ours("al")})], ["al"], "declared declared declared"),
        ([g({"members": ours("al")})], [], "- - -"),
        ([g({"members": ours("al")}, pending=take("members", "al"))], [], "- - -"),
        # not ours
        ([g(pending=take("members", "al"))], ["al"], "leftover - -"),
        ([], ["al"], "drift - -"),
        ([g({"members": ours(mode=AUTHORITATIVE)})], ["al"], "drift - -"),
        ([g({"members": ours(mode=ADDITIVE)})], ["al"], "declared - -"),
        ([g({"members": ours(mode=None)})], ["al"], "declared - -"),
        ([g()], ["al"], "declared - -"),
        ([g()], [], "- - -"),
    ],
)
def test_a_value_that_is_not_declared(written, entries, held, expected) -> None:
    cause = dict(zip(MODES, expected.split(), strict=True))[written]
    found = said(group_plan(MODES[written], held, entries))
    assert found == ([] if cause == "-" else [f"group.g remove members al {cause}"])


@pytest.mark.parametrize("mode", [AUTHORITATIVE, ADDITIVE])
@pytest.mark.parametrize(
    ("recorded", "pending", "expected"),
    [
        (YESTERDAY.isoformat(), None, "due"),
        (YESTERDAY.isoformat(), take("members", "al"), "due"),
        ("2026-06-30", None, "declared"),
        (None, None, "declared"),
        ("2026-06-30", take("members", "al"), "leftover"),
    ],
)
def test_a_membership_whose_last_day_is_over(mode, recorded, pending, expected) -> None:
    held = g({"members": ours(mode=mode, until={"al": recorded}) if recorded else ours("al")}, pending=pending)
    lines = listed(mode=mode, expired={a("user.al"): YESTERDAY})
    assert said(group_plan(lines, ["al"], [held])) == [f"group.g remove members al {expected}"]


def test_a_last_day_that_is_over_takes_nothing_that_others_gave() -> None:
    lines = listed(mode=ADDITIVE, expired={a("user.al"): YESTERDAY})
    assert said(group_plan(lines, ["al"], [g({"members": ours(mode=ADDITIVE)})])) == []


def test_a_last_day_of_somebody_who_cannot_be_told_is_left() -> None:
    twins = live(live_user("a1", "al@x.io"), live_user("a2", "al@x.io"), live_group("g", "g", ["a1"]))
    lines = listed(expired={a("user.al"): YESTERDAY})
    outcome = reconciled(desired(user("al"), group("g", lines)), twins, record(g({"members": ours("a1")})))
    assert said(outcome) == []


def test_adopting_a_list_only_adds() -> None:
    lines = listed(a("user.al"))
    assert said(group_plan(lines, ["bo"])) == ["group.g add members al declared", "group.g remove members bo drift"]
    no_record = reconciled(
        desired(user("al"), group("g", lines)), live(live_user("al"), live_group("g", "g", ["zz"])), NO_RECORD
    )
    assert [str(each.op) for change in no_record.plan.changes for each in change.attribute_changes] == ["add"]


def test_a_list_that_cannot_be_read_is_left_and_named() -> None:
    found = live(live_user("al"), live_group("g", not_read={"members": "too many"}))
    applied = record(entry("user.al", "al"), g({"members": ours("al", "bo")}))
    kept = reconciled(desired(user("al"), group("g", listed(a("user.al"), a("user.al")))), found, applied)
    assert said(kept) == []
    assert codes(kept) == ["cannot-be-taken", "not-compared"]
    gone = reconciled(desired(user("al"), group("g")), found, applied)
    assert (said(gone), codes(gone)) == ([], ["cannot-be-taken"])
    unclaimed = reconciled(desired(user("al"), group("g", listed())), found, record(entry("user.al", "al"), g()))
    assert (said(unclaimed), codes(unclaimed)) == ([], ["not-compared"])
    undeclared = reconciled(desired(user("al")), found, applied)
    assert (said(undeclared), codes(undeclared)) == ([], ["cannot-be-taken"])


# --- names and skills


def al(lists=None, **more):
    return entry("user.al", "al", {"userName": "al@x.io", **more.pop("values", {})}, lists=lists, **more)


def test_roles_are_taken_one_by_one() -> None:
    wanted = desired(user("al", lists={"roles": listed("agent", mode=ADDITIVE)}))
    applied = record(al({"roles": ours("lead", mode=ADDITIVE)}))
    outcome = reconciled(wanted, live(live_user("al", roles=["lead", "admin"])), applied)
    assert said(outcome) == ["user.al add roles agent declared", "user.al remove roles lead declared"]
    assert outcome.plan.changes[0].kept == {"roles": 1}


def test_names_that_the_profile_never_takes_are_left() -> None:
    rules = AttributeRules(table=USER_ATTRIBUTES, never_removed={"roles": ("employee",)})
    profile = Profile(name="t", title="t", users=rules)
    wanted = desired(user("al", lists={"roles": listed()}))
    found = live(live_user("al", roles=["employee", "admin"]))
    applied = record(al({"roles": ours("employee", "admin")}))
    assert said(reconciled(wanted, found, applied, profile=profile)) == ["user.al remove roles admin declared"]


def test_what_others_gave_a_protected_person_is_no_drift() -> None:
    policy = replace(OPEN, protect=("al@x.io",))
    outcome = group_plan(listed(), ["al", "bo"], [g({"members": ours("bo", mode=ADDITIVE)})], policy=policy)
    assert said(outcome) == ["group.g remove members bo declared"]
    wanted = desired(user("al", lists={"roles": listed()}))
    assert said(reconciled(wanted, live(live_user("al", roles=["x"])), record(al()), policy=policy)) == []


@pytest.mark.parametrize(
    ("level", "values", "pending", "expected"),
    [
        (4, {}, None, []),
        (3, {}, None, ["replace {} declared"]),
        (3, {"{}": 4}, None, ["replace {} drift"]),
        (3, {"{}": 2}, None, ["replace {} declared"]),
        (3, {"{}": 3}, 4, ["replace {} leftover"]),
        (None, {"{}": 4}, None, ["add {} drift"]),
    ],
)
def test_the_level_of_a_skill_is_a_scalar(level, values, pending, expected) -> None:
    path = level_path(SKILLS, "Billing")
    applied = al(
        {"skills": ours("Billing")},
        values={key.format(path): value for key, value in values.items()},
        pending=Pending(values={path: pending}) if pending else None,
    )
    wanted = desired(user("al", lists={"skills": listed(levels={"Billing": 4})}))
    found = live_user("al", skills={"Billing": level})
    if level is None:
        found = live_user("al")
        found.lists["skills"] = {"Billing": None}  # type: ignore[index]
    outcome = reconciled(wanted, live(found), record(applied))
    assert said(outcome) == [f"user.al {each.format(path)}" for each in expected]


def test_a_level_that_is_right_is_left_beside_one_that_is_not() -> None:
    wanted = desired(user("al", lists={"skills": listed(levels={"Billing": 4, "Refunds": 3})}))
    found = live(live_user("al", skills={"Billing": 4, "Refunds": 1}))
    path = level_path(SKILLS, "Refunds")
    assert said(reconciled(wanted, found, record(al()))) == [f"user.al replace {path} declared"]


def test_a_skill_comes_with_its_level_and_goes_without_a_word_of_it() -> None:
    wanted = desired(user("al", lists={"skills": listed(levels={"Billing": 4})}))
    applied = record(al({"skills": ours("Old")}, values={level_path(SKILLS, "Old"): 2}))
    outcome = reconciled(wanted, live(live_user("al", skills={"Old": 2})), applied)
    assert said(outcome) == ["user.al add skills Billing declared", "user.al remove skills Old declared"]
    assert codes(outcome) == []
    assert {each.item: each.after for each in outcome.plan.changes[0].attribute_changes} == {"Billing": 4, "Old": None}


def test_a_list_that_gives_no_access_is_left_when_its_line_goes() -> None:
    wanted, found = desired(user("al")), live(live_user("al"))
    found.resources["al"].lists["x509Certificates"] = {"c": None}  # type: ignore[index]
    assert said(reconciled(wanted, found, record(al({"x509Certificates": ours("c")})))) == []


# --- released, references


def test_a_released_member_is_nothing_to_take() -> None:
    found = live(live_user("al"), live_user("zo"), live_group("g", "g", ["al", "zo"]))
    known = [entry("user.al", "al"), entry("user.zo", "zo")]
    for mode, expected in (("authoritative", ["group.g remove members zo drift"]), ("additive", [])):
        lines = listed(a("user.al"), mode=AUTHORITATIVE if mode == "authoritative" else ADDITIVE)
        applied = record(*known, g({"members": ours("al", "zo", mode=lines.mode)}, pending=take("members", "zo")))
        outcome = reconciled(desired(user("al"), group("g", lines), released=["user.Zo"]), found, applied)
        assert said(outcome) == expected
        assert ["{live: zo@x.io}" in each for each in notes_of(outcome)] == [True] * len(expected)


def test_two_lines_for_one_account_give_the_longest_membership() -> None:
    twice: dict[ItemKey, date] = {
        a("user.al"): date(2026, 7, 1),
        LiveReference(ResourceType.USER, "al@x.io"): date(2026, 9, 1),
    }
    for order in (list(twice), list(reversed(twice))):
        outcome = group_plan(listed(until={key: twice[key] for key in order}), [])
        assert [each.until for each in outcome.plan.changes[0].attribute_changes] == ["2026-09-01"]
    for order in (list(twice), list(reversed(twice))):
        lines = listed(until={key: twice[key] if key == a("user.al") else None for key in order})
        assert [each.until for each in group_plan(lines, []).plan.changes[0].attribute_changes] == [None]


def test_members_may_be_groups_and_people_who_are_not_declared() -> None:
    tier, boss = LiveReference(ResourceType.GROUP, "tier"), LiveReference(ResourceType.USER, "Boss@x.io")
    found = live(live_group("g"), live_group("t", "Tier"), live_user("bz", "boss@x.io"))
    outcome = reconciled(
        desired(group("g", listed(tier, boss, LiveReference(ResourceType.USER, "no")))), found, record(g())
    )
    assert said(outcome) == ["group.g add members bz declared", "group.g add members t declared"]
    assert codes(outcome) == ["unknown-live-member"]


def test_a_role_that_looks_like_an_id_to_come_is_a_role() -> None:
    wanted = desired(user("al", lists={"roles": listed("bulkId:user.bo", "bulkId:?")}))
    outcome = reconciled(wanted, live(live_user("al")), record(al()))
    assert len(outcome.plan.operations) == 1


def test_a_claim_on_somebody_who_is_gone_is_taken_off_the_list() -> None:
    """A dangling member stays in some servers' lists after the account is deleted."""
    applied = record(g({"members": ours("gone")}))
    outcome = reconciled(desired(group("g", listed(mode=ADDITIVE))), live(live_group("g", "g", ["gone"])), applied)
    assert said(outcome) == ["group.g remove members gone declared"]
    assert applied.resources[a("group.g")].lists["members"].items == {"gone": AppliedItem()}


# --- a name that a line looks up


BG = LiveReference(ResourceType.USER, "bg@x.io")
LOOKED_UP = live(live_user("b1", "bg@x.io"), live_user("m1", "mal@x.io"), live_group("g", "g", ["b1"]))
MOVED = live(live_user("b1", "old@x.io"), live_user("m1", "BG@x.io"), live_group("g", "g", ["b1"]))
GIVE_AND_TAKE = ["group.g add members m1 {0}", "group.g remove members b1 {0}"]


@pytest.mark.parametrize(
    ("line", "found", "expected"),
    [
        # others gave the name to somebody else: the line is as it was, so nobody comes in by it unasked
        (BG, MOVED, [each.format("drift") for each in GIVE_AND_TAKE]),
        (LiveReference(ResourceType.USER, "OLD@x.io"), MOVED, []),
        # the line names another one
        (LiveReference(ResourceType.USER, "mal@x.io"), LOOKED_UP, [each.format("declared") for each in GIVE_AND_TAKE]),
        # the account is gone, and was made again
        (BG, live(live_user("m1", "bg@x.io"), live_group("g", "g", [])), ["group.g add members m1 declared"]),
        (a("user.mal"), MOVED, [each.format("declared") for each in GIVE_AND_TAKE]),
    ],
)
def test_a_membership_does_not_go_along_with_a_name(line, found, expected) -> None:
    before = concluded(desired(group("g", listed(BG))), LOOKED_UP, LOOKED_UP, record(g()))
    assert before.resources[a("group.g")].lists["members"].items == {"b1": AppliedItem(live="bg@x.io")}
    people = [user("mal", name="BG@x.io")] if isinstance(line, Address) else []
    wanted = desired(group("g", listed(line)), *people)
    assert said(reconciled(wanted, found, before)) == expected
    if found is MOVED and line is BG:
        kept = concluded(wanted, found, found, before)
        assert said(reconciled(wanted, found, kept)) == expected
        assert reconciled(wanted, found, kept).plan.changes == ()


def test_somebody_who_has_a_key_as_well_is_followed_whatever_she_is_called() -> None:
    wanted = desired(user("bg"), group("g", listed(BG, a("user.bg"))))
    before = concluded(wanted, LOOKED_UP, LOOKED_UP, record(g()))
    assert before.resources[a("group.g")].lists["members"].items == {"b1": AppliedItem()}
