"""Who gains and who loses what in the end: through nested groups and dates, for active people only."""

from datetime import date

import pytest
from msgspec.structs import replace

from reconciler.model import Removal
from reconciler.rendering.access import access_lines, access_summary
from tests.core.builders import (
    OPEN,
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


def told(outcome):
    """``ann +Crew -Board``; ``*`` for privileged, ``+()`` and ``-()`` for who starts and ends."""
    found = []
    for each in outcome.plan.access:
        parts = [f"+{item.name}{'*' * item.privileged}" for item in each.gains] + ["+()"] * each.starts
        parts += [f"-{item.name}{'*' * item.privileged}" for item in each.loses] + ["-()"] * each.ends
        found.append(" ".join((each.name, *parts)))
    return found


def members(*keys, **more):
    return listed(*(a(key if "." in key else f"user.{key}") for key in keys), **more)


def team(*, holds=("ann", "bob"), wants=("ann", "bob"), active=True):
    """A group of ours."""
    wanted = desired(user("ann"), user("bob"), group("crew", members(*wants), name="Crew"))
    found = live(live_user("ann", active=active), live_user("bob"), live_group("g", "Crew", holds))
    known_ = record(
        entry("user.ann", "ann"), entry("user.bob", "bob"), entry("group.crew", "g", lists={"members": ours(*holds)})
    )
    return reconciled(wanted, found, known_)


@pytest.mark.parametrize(
    ("holds", "wants", "active", "expected"),
    [
        (("ann", "bob"), ("ann", "bob"), True, []),
        (("bob",), ("ann", "bob"), True, ["ann +Crew"]),
        (("ann", "bob"), ("bob",), True, ["ann -Crew"]),
        (("ann",), ("bob",), True, ["ann -Crew", "bob +Crew"]),
        # who is switched off neither gains nor loses
        (("bob",), ("ann", "bob"), False, []),
        (("ann", "bob"), ("bob",), False, []),
    ],
)
def test_a_membership(holds, wants, active, expected):
    assert told(team(holds=holds, wants=wants, active=active)) == expected


def nested(*, outer=("group.inner",), inner=("ann",), wants_outer=("group.inner",), wants_inner=("ann",)):
    """`outer` holds `inner`; ann is declared."""
    ids = {"group.inner": "i", "ann": "ann"}
    wanted = desired(
        user("ann"),
        group("outer", members(*wants_outer), name="Outer"),
        group("inner", members(*wants_inner), name="Inner"),
    )
    held_outer, held_inner = [ids[each] for each in outer], [ids[each] for each in inner]
    found = live(live_user("ann"), live_group("o", "Outer", held_outer), live_group("i", "Inner", held_inner))
    return reconciled(
        wanted,
        found,
        record(
            entry("user.ann", "ann"),
            entry("group.outer", "o", lists={"members": ours(*held_outer)}),
            entry("group.inner", "i", lists={"members": ours(*held_inner)}),
        ),
    )


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ({}, []),
        ({"wants_inner": ()}, ["ann -Inner -Outer"]),
        ({"inner": ()}, ["ann +Inner +Outer"]),
        # the inner group leaves the outer one, she stays in it
        ({"wants_outer": ()}, ["ann -Outer"]),
        # two ways into the outer group, one of them is lost
        ({"outer": ("group.inner", "ann")}, []),
        ({"outer": ("group.inner", "ann"), "wants_outer": ("group.inner", "ann"), "wants_inner": ()}, ["ann -Inner"]),
        ({"outer": ("group.inner", "ann"), "wants_outer": ("ann",)}, []),
        # from one way to the other
        ({"wants_outer": ("ann",), "wants_inner": ()}, ["ann -Inner"]),
    ],
)
def test_nested_groups(how, expected):
    assert told(nested(**how)) == expected


def test_groups_in_a_circle_end():
    wanted = desired(
        user("ann"), group("x", members("group.y"), name="X"), group("y", members("group.x", "ann"), name="Y")
    )
    found = live(live_user("ann"), live_group("x", "X", ["y"]), live_group("y", "Y", ["x"]))
    assert told(reconciled(wanted, found)) == ["ann +X +Y"]


# --- people who come and go


def test_who_is_created_gains_her_groups_and_roles():
    wanted = desired(
        user("ann", lists={"roles": listed("Agent")}), group("crew", members("ann"), name="Crew"), user("bob")
    )
    assert told(reconciled(wanted, live())) == ["ann +Agent +Crew +()", "bob +()"]


def test_who_is_created_before_her_first_day_gains_nothing_yet():
    late = lifecycle(starts=date(2027, 1, 1))
    wanted = desired(user("ann", here=late, lists={"roles": listed("Agent")}), group("crew", members("ann")))
    assert told(reconciled(wanted, live())) == []


@pytest.mark.parametrize("removal", [Removal.DEACTIVATE, Removal.DELETE])
def test_who_goes_loses_everything(removal):
    """Others gave her a role and a group, and those are of no use to her any more either."""
    found = live(live_user("ann", roles=["Agent"]), live_group("g", "Theirs", ["ann"]), live_user("bob"))
    outcome = reconciled(
        desired(user("bob")),
        found,
        record(entry("user.ann", "ann"), entry("user.bob", "bob")),
        policy=replace(OPEN, removal_users=removal),
    )
    assert told(outcome) == ["ann -Agent -Theirs -()"]


def test_who_is_kept_loses_what_we_gave():
    known_ = record(entry("user.ann", "ann", lists={"roles": ours("Agent")}), entry("user.bob", "bob"))
    found = live(live_user("ann", roles=["Agent", "Theirs"]), live_user("bob"))
    outcome = reconciled(desired(user("bob")), found, known_, policy=replace(OPEN, removal_users=Removal.KEEP))
    assert told(outcome) == ["ann -Agent"]


def test_who_comes_back_gains_what_she_still_holds():
    found = live(live_user("ann", active=False, roles=["Agent"]), live_group("g", "Theirs", ["ann"]))
    back = desired(user("ann", here=lifecycle(active=True)))
    known_ = record(entry("user.ann", "ann", {"active": False}))
    assert told(reconciled(back, found, known_)) == ["ann +Agent +Theirs +()"]


def test_a_group_that_is_deleted():
    found = live(live_user("ann"), live_group("o", "Outer", ["i"]), live_group("i", "Inner", ["ann"]))
    known_ = record(entry("user.ann", "ann"), entry("group.inner", "i", lists={"members": ours("ann")}))
    outcome = reconciled(desired(user("ann")), found, known_, policy=replace(OPEN, removal_groups=Removal.DELETE))
    assert told(outcome) == ["ann -Inner -Outer"]


def test_a_group_that_is_created_by_its_new_name():
    wanted = desired(user("ann"), group("crew", members("ann"), name="The Crew"))
    assert told(reconciled(wanted, live(live_user("ann")))) == ["ann +The Crew"]


def test_people_who_are_not_ours_count_through_groups_of_ours():
    wanted = desired(group("outer", members("group.inner"), name="Outer"), group("inner", name="Inner"))
    found = live(live_user("eve"), live_group("o", "Outer"), live_group("i", "Inner", ["eve"]))
    assert told(reconciled(wanted, found)) == ["eve@x.io +Outer"]


@pytest.mark.parametrize(
    ("holds", "wants", "expected"),
    [
        (("Agent",), ("Agent", "Boss"), ["ann +Boss*"]),
        (("Agent", "boss"), ("Agent",), ["ann -boss*"]),
        (("Agent",), ("Agent",), []),
    ],
)
def test_roles_and_privileges(holds, wants, expected):
    wanted = desired(user("ann", lists={"roles": listed(*wants)}))
    known_ = record(entry("user.ann", "ann", lists={"roles": ours(*holds)}))
    policy = replace(OPEN, privileged_roles=("Boss",))
    assert told(reconciled(wanted, live(live_user("ann", roles=holds)), known_, policy=policy)) == expected


@pytest.mark.parametrize("named", ["crew", "group.crew", "The Crew"])
def test_privileged_groups_come_first(named):
    wanted = desired(
        user("ann"), user("zoe"), group("crew", members("zoe"), name="The Crew"), group("all", members("ann", "zoe"))
    )
    outcome = reconciled(
        wanted, live(live_user("ann"), live_user("zoe")), policy=replace(OPEN, privileged_groups=(named,))
    )
    assert told(outcome) == ["zoe +The Crew* +all", "ann +all"]


# --- other lists that give access


def test_the_values_of_every_list_that_gives_access():
    """``entitlements`` of the standard and a list of the profile's own (``skills``) count."""
    lists = {"roles": listed("Agent"), "entitlements": listed("Payroll"), "skills": listed("Chat", levels={"Chat": 2})}
    wanted = desired(user("ann", lists=lists), user("bob"))
    found = live(live_user("ann", skills={"Billing": 1}), live_user("bob"))
    known_ = record(
        entry("user.ann", "ann", lists={"skills": ours("Billing"), "roles": ours()}), entry("user.bob", "bob")
    )
    access = reconciled(wanted, found, known_).plan.access
    assert [(each.kind, each.attribute, each.name) for each in (*access[0].gains, *access[0].loses)] == [
        ("role", "roles", "Agent"),
        ("value", "entitlements", "Payroll"),
        ("value", "skills", "Chat"),
        ("value", "skills", "Billing"),
    ]
    assert [each.does for each in access_lines(access)] == [
        "gains role Agent, entitlements Payroll, skills Chat; loses skills Billing"
    ]


def test_groups_and_roles_are_counted_before_the_values_of_other_lists():
    skills = {f"s{number}": 1 for number in range(5)}
    people = [user(each, lists={"skills": listed(*skills, levels=skills)}) for each in ("ann", "bob")]
    found = live(live_user("ann"), live_user("bob"))
    access = reconciled(desired(*people, group("crew", members("ann"), name="Crew")), found).plan.access
    assert access_summary(access) == (
        "Access: 2 people gain (Crew 1, skills s0 2, skills s1 2, skills s2 2, skills s3 2 and 1 more)."
    )


def test_who_goes_loses_the_values_of_other_lists_too():
    found = live(live_user("ann", skills={"Billing": 1}), live_user("bob"))
    outcome = reconciled(desired(user("bob")), found, record(entry("user.ann", "ann"), entry("user.bob", "bob")))
    assert told(outcome) == ["ann -Billing -()"]


# --- in words


def test_the_sentence():
    wanted = desired(user("new"), user("ann"), user("bob"), group("crew", members("new", "bob"), name="Support EMEA"))
    holds = ("ann", "bob", "zed")
    found = live(*(live_user(each) for each in holds), live_group("g", "Support EMEA", holds))
    known_ = record(
        *(entry(f"user.{each}", each) for each in holds), entry("group.crew", "g", lists={"members": ours(*holds)})
    )
    access = reconciled(wanted, found, known_).plan.access
    assert access_summary(access) == "Access: 1 person gains (Support EMEA), 2 lose (Support EMEA 1, everything 1)."
    assert [(each.whom, each.does) for each in access_lines(access)] == [
        ("ann", "loses Support EMEA"),
        ("new", "gains Support EMEA"),
        ("zed", "loses everything: Support EMEA"),
    ]


def test_who_gains_nothing_but_an_account():
    access = reconciled(desired(user("ann"), user("bob")), live()).plan.access
    assert access_summary(access) == "Access: 2 people gain (an account)."


def test_many_kinds_are_cut():
    groups = [group(f"g{number}", members("ann")) for number in range(9)]
    access = reconciled(desired(user("ann"), *groups), live(live_user("ann"))).plan.access
    assert access_summary(access) == "Access: 1 person gains (g0 1, g1 1, g2 1, g3 1, g4 1 and 4 more)."


def test_nothing_is_said_of_nothing():
    assert access_summary(()) == ""
    assert access_lines(()) == ()
