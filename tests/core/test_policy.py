"""The rules that stop a run: the edges of every limit, and what each of them counts."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from reconciler.accepting import not_accepted, violation
from reconciler.diffing.activity import dates_of
from reconciler.model import Limit, LiveReference, Removal, ResourceType, Severity, SourceLocation
from tests.core.builders import (
    ADDITIVE,
    NO_RECORD,
    OPEN,
    TODAY,
    a,
    codes,
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


def rules(outcome):
    return [each.rule for each in outcome.plan.violations]


def leavers(total, gone, policy, *, removal=Removal.DEACTIVATE, active=True):
    """`total` people are ours and live, `gone` of them are declared no more."""
    keys = [f"u{number}" for number in range(total)]
    known = record(*(entry(f"user.{key}", key, {"userName": f"{key}@x.io"}) for key in keys))
    found = live(*(live_user(key, active=active) for key in keys))
    wanted = desired(user("zz"), *(user(key) for key in keys[gone:]))
    return reconciled(wanted, found, known, policy=replace(policy, removal_users=removal))


def share(percent):
    return replace(OPEN, removals=Limit(share=percent / 100))


@pytest.mark.parametrize(
    ("total", "gone", "percent", "refused"),
    [
        (10, 3, 30, False),
        (10, 4, 30, True),
        (10, 3, 5, False),  # never below three
        (10, 4, 5, True),
        (9, 3, 10, False),
        (9, 4, 10, True),
        (2, 2, 0, False),
        (100, 29, 29, False),  # 0.29 * 100 is less than 29 in binary
        (100, 30, 29, True),
        (100, 5, 5, False),
        (100, 6, 5, True),
    ],
)
@pytest.mark.parametrize("removal", [Removal.DEACTIVATE, Removal.DELETE])
def test_the_limit_of_removals(total, gone, percent, refused, removal) -> None:
    outcome = leavers(total, gone, share(percent), removal=removal)
    assert rules(outcome) == (["removals"] if refused else [])


def test_a_violation_says_how_many_of_how_many_which_limit_and_how_to_get_past_it() -> None:
    policy = replace(share(30), sources={"limits.removals": SourceLocation("reconciler.yaml", 9)})
    [found] = leavers(10, 4, policy).plan.violations
    assert found.summary == "4 of 10 people would be removed; at most 3 may (30%)"
    assert "policy.limits.removals (reconciler.yaml:9)" in found.mend
    assert (found.actual, found.limit) == (4, 3)
    assert found.items == ("user.u0", "user.u1", "user.u2", "user.u3")
    [default] = leavers(10, 4, share(30)).plan.violations
    assert "policy.limits.removals (the default)" in default.mend


def test_a_number_is_taken_as_it_is_written() -> None:
    assert rules(leavers(10, 1, replace(OPEN, removals=Limit(number=0)))) == ["removals"]
    assert rules(leavers(10, 1, replace(OPEN, removals=Limit(number=1)))) == []


def test_a_limit_of_nobody_is_three() -> None:
    assert Limit(share=0.5).of(0) == 3
    assert [str(Limit(share=0.05)), str(Limit(number=7))] == ["5%", "7"]


def test_accepting_lifts_exactly_that_violation() -> None:
    [found] = leavers(10, 4, share(30)).plan.violations
    keys = [f"u{number}" for number in range(10)]
    known = record(*(entry(f"user.{key}", key, {"userName": f"{key}@x.io"}) for key in keys))
    state = live(*(live_user(key) for key in keys))
    accepted = [f"removals@{found.digest}"]
    four = reconciled(desired(user("zz"), *map(user, keys[4:])), state, known, policy=share(30), accepted=accepted)
    five = reconciled(desired(user("zz"), *map(user, keys[5:])), state, known, policy=share(30), accepted=accepted)
    assert (rules(four), rules(five)) == ([], ["removals"])


def test_a_line_that_lifts_a_rule_is_spoken_of_first() -> None:
    """It may have been written for another change, which took the same from the same people."""
    [found] = leavers(10, 4, share(30)).plan.violations
    place = SourceLocation("acceptances.yaml", 1)
    stand, said = not_accepted([found], (), {f"removals@{found.digest}": place})
    assert (stand, [(each.severity, each.code, each.source) for each in said]) == (
        (),
        [(Severity.WARNING, "rule-accepted", place)],
    )
    assert said[0].summary == f"removals is broken, and accepted by a line: {found.summary}"


def test_the_digest_covers_the_rule_and_its_items_in_any_order() -> None:
    one, other = violation("r", "s", ["b", "a"], 0, "m"), violation("r", "t", ["a", "b"], 5, "n")
    assert one.digest == other.digest
    assert (
        len({one.digest, violation("q", "s", ["a", "b"], 0, "m").digest, violation("r", "s", ["a"], 0, "m").digest})
        == 3
    )


def test_putting_somebody_off_by_a_line_counts_as_a_removal() -> None:
    wanted = desired(user("al", here=lifecycle(active=False)))
    outcome = reconciled(
        wanted, live(live_user("al")), record(entry("user.al", "al")), policy=replace(OPEN, removals=Limit(number=0))
    )
    assert rules(outcome) == ["removals"]


ENDED = lifecycle(ends=TODAY - timedelta(days=1))
OVER = lifecycle(ends=TODAY - timedelta(days=40), delete_after=30)


@pytest.mark.parametrize("here", [ENDED, OVER], ids=["endsOn", "deleteAfter"])
@pytest.mark.parametrize("recorded", [True, False])
def test_what_only_the_day_changed_does_not_count(here, recorded) -> None:
    known = entry("user.al", "al", dates=dates_of(here) if recorded else None)
    none = replace(OPEN, removals=Limit(number=0))
    outcome = reconciled(desired(user("al", here=here)), live(live_user("al")), record(known), policy=none)
    assert rules(outcome) == ([] if recorded else ["removals"])


def test_a_membership_that_ended_by_its_day_does_not_count() -> None:
    yesterday = TODAY - timedelta(days=1)
    known = entry("group.g", "g", lists={"members": ours(until={"al": yesterday.isoformat()})})
    wanted = desired(user("al"), group("g", listed(expired={a("user.al"): yesterday})))
    none = replace(OPEN, member_removals=Limit(number=0), updates=Limit(number=0))
    found = live(live_user("al"), live_group("g", "g", ["al"]))
    outcome = reconciled(wanted, found, record(known, entry("user.al", "al")), policy=none)
    assert (rules(outcome), len(outcome.plan.operations)) == ([], 1)
    renamed = desired(user("al"), group("g", listed(expired={a("user.al"): yesterday}), name="Other"))
    assert rules(reconciled(renamed, found, record(known, entry("user.al", "al")), policy=none)) == ["updates"]


@pytest.mark.parametrize(("gone", "refused"), [(4, False), (5, True)])
def test_the_limit_of_member_removals_is_a_share_of_each_group(gone, refused) -> None:
    people = [f"u{number}" for number in range(20)]
    known = entry("group.g", "g", lists={"members": ours(*people)})
    wanted = desired(group("g", listed(*(LiveReference(ResourceType.USER, f"{each}@x.io") for each in people[gone:]))))
    found = live(*map(live_user, people), live_group("g", "g", people))
    policy = replace(OPEN, member_removals=Limit(share=0.2))
    outcome = reconciled(wanted, found, record(known), policy=policy)
    assert rules(outcome) == (["memberRemovals"] if refused else [])


@pytest.mark.parametrize(("taken", "refused"), [(4, False), (5, True)])
def test_the_limit_of_role_removals_is_a_share_of_the_people_who_are_matched(taken, refused) -> None:
    keys = [f"u{number}" for number in range(20)]
    known = [entry(f"user.{key}", key, lists={"roles": ours("r", mode=ADDITIVE)}) for key in keys]
    roles = {"roles": listed("r", mode=ADDITIVE)}
    wanted = desired(
        *(user(key, lists=roles if place >= taken else {}) for place, key in enumerate(keys)), *map(group, keys)
    )
    found = live(*(live_user(key, roles=["r"]) for key in keys), *(live_group(f"g{key}", key) for key in keys))
    outcome = reconciled(wanted, found, record(*known), policy=replace(OPEN, role_removals=Limit(share=0.2)))
    assert rules(outcome) == (["roleRemovals"] if refused else [])


def test_updates_and_creations_have_limits_where_they_are_set() -> None:
    wanted = desired(user("al", {"title": "x"}), user("bo"))
    zero = Limit(number=0)
    outcome = reconciled(wanted, live(live_user("al")), NO_RECORD, policy=replace(OPEN, updates=zero, creations=zero))
    assert rules(outcome) == ["updates", "creations"]
    assert rules(reconciled(wanted, live(live_user("al")), NO_RECORD)) == []


# --- protect


def protected(*names, **more):
    return replace(OPEN, protect=names, **more)


AL = entry("user.al", "al", {"userName": "al@x.io"}, lists={"roles": ours("r")})


@pytest.mark.parametrize("name", ["user.AL", "al", "AL@x.io", "user.al@x.io"])
@pytest.mark.parametrize(
    ("wanted", "removal", "items"),
    [
        (desired(user("zz")), Removal.DEACTIVATE, ("user.al deactivated", "user.al loses role r")),
        (desired(user("zz")), Removal.DELETE, ("user.al deleted",)),
        (
            desired(user("al", here=lifecycle(active=False))),
            Removal.KEEP,
            ("user.al deactivated", "user.al loses role r"),
        ),
        (desired(user("al")), Removal.KEEP, ("user.al loses role r",)),
        (desired(user("al", lists={"roles": listed("r")})), Removal.KEEP, None),
    ],
)
def test_a_protected_person_loses_nothing(name, wanted, removal, items) -> None:
    found = live(live_user("al", roles=["r"]), live_user("zz"))
    outcome = reconciled(wanted, found, record(AL), policy=protected(name, removal_users=removal))
    assert [each.items for each in outcome.plan.violations] == ([] if items is None else [items])


G = entry("group.g", "g", {"displayName": "g"}, lists={"members": ours("al", "bo")})


@pytest.mark.parametrize(
    ("name", "members", "items"),
    [
        ("group.g", [a("user.al")], ("group.g loses member bo@x.io",)),
        ("bo", [a("user.al")], ("group.g loses member bo@x.io",)),
        ("al", [a("user.al")], None),
    ],
)
def test_a_protected_member_stays_and_a_protected_group_keeps_its_members(name, members, items) -> None:
    found = live(live_user("al"), live_user("bo"), live_group("g", "g", ["al", "bo"]))
    known = record(G, entry("user.al", "al"), entry("user.bo", "bo"))
    outcome = reconciled(
        desired(user("al"), user("bo"), group("g", listed(*members))), found, known, policy=protected(name)
    )
    assert [each.items for each in outcome.plan.violations] == ([] if items is None else [items])


def test_a_protected_group_loses_nobody_by_a_deletion_either() -> None:
    """Whoever put her there: with the account the server takes the membership."""
    found = live(live_user("al"), live_user("bo"), live_group("g", "g", ["al", "bo"]))
    policy = protected("group.g", removal_users=Removal.DELETE)
    known = record(entry("group.g", "g", {"displayName": "g"}), entry("user.al", "al"), entry("user.bo", "bo"))
    outcome = reconciled(desired(user("al"), group("g", listed(mode=ADDITIVE))), found, known, policy=policy)
    assert [each.items for each in outcome.plan.violations] == [("group.g loses member bo@x.io",)]


def test_a_protected_member_does_not_go_with_her_group() -> None:
    found = live(live_user("al"), live_user("bo"), live_group("g", "g", ["al", "bo"]))
    policy = protected("bo", removal_groups=Removal.DELETE)
    outcome = reconciled(desired(user("al"), user("bo"), group("h")), found, record(G), policy=policy)
    assert [each.items for each in outcome.plan.violations] == [("group.g loses member bo@x.io",)]


def test_a_protected_person_is_not_lost_through_a_group_in_between() -> None:
    outer = entry("group.o", "o", {"displayName": "o"}, lists={"members": ours("g")})
    found = live(live_user("bo"), live_group("g", "g", ["bo", "o"]), live_group("o", "o", ["g"]))
    wanted = desired(group("g", listed(mode=ADDITIVE)), group("o", listed()))
    outcome = reconciled(wanted, found, record(outer), policy=protected("bo@x.io"))
    assert [each.items for each in outcome.plan.violations] == [("group.o loses member bo@x.io",)]


def test_protection_says_where_it_is_written() -> None:
    policy = protected("al", sources={"protect": SourceLocation("reconciler.yaml", 4)})
    [found] = reconciled(
        desired(user("zz")), live(live_user("al"), live_user("zz")), record(AL), policy=policy
    ).plan.violations
    assert "reconciler.yaml:4" in found.mend


# --- minimum


@pytest.mark.parametrize(
    ("members", "least", "items"),
    [
        ([a("user.al")], 1, None),
        ([a("user.al")], 2, ("group.g keeps al@x.io",)),
        ([], 1, ("group.g keeps nobody",)),
        ([a("user.al"), a("user.bo")], 3, None),  # too few before, and nobody is lost
    ],
)
def test_a_group_keeps_its_least_number_of_active_people(members, least, items) -> None:
    found = live(live_user("al"), live_user("bo"), live_group("g", "g", ["al", "bo"]))
    known = record(G, entry("user.al", "al"), entry("user.bo", "bo"))
    policy = replace(OPEN, minimum={"group.g": least})
    outcome = reconciled(desired(user("al"), user("bo"), group("g", listed(*members))), found, known, policy=policy)
    assert [each.items for each in outcome.plan.violations] == ([] if items is None else [items])


@pytest.mark.parametrize(
    ("wanted", "options"),
    [
        (desired(user("al", here=lifecycle(active=False)), group("g", listed(a("user.al")))), {}),
        (desired(user("zz"), group("g", listed())), {"removal_users": Removal.DELETE}),
        (desired(user("al"), group("h")), {"removal_groups": Removal.DELETE}),
        (desired(user("al"), group("h")), {}),
        (desired(user("al"), group("new", listed(), formerly=("g",), name="Other")), {}),
    ],
    ids=["switched off", "deleted", "group deleted", "group declared no more", "group under another key and name"],
)
def test_who_is_switched_off_or_deleted_is_no_longer_counted(wanted, options) -> None:
    known = record(entry("group.g", "g", {"displayName": "g"}, lists={"members": ours("al")}), entry("user.al", "al"))
    found = live(live_user("al"), live_user("zz"), live_group("g", "Gee", ["al"]))
    outcome = reconciled(wanted, found, known, policy=replace(OPEN, minimum={"g": 1}, **options))
    assert rules(outcome) == ["minimum"]


@pytest.mark.parametrize(
    ("rule", "guard"),
    [
        ("protect", {"protect": ("group.g",)}),
        ("privileged", {"privileged_groups": ("group.g",)}),
        ("minimum", {"minimum": {"group.g": 1}}),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
@pytest.mark.parametrize(
    ("called", "removal"),
    [
        (group("h"), Removal.KEEP),
        (group("h"), Removal.DELETE),
        (group("g", listed(), name="Other"), Removal.KEEP),
        (group("new", listed(), name="Gee"), Removal.KEEP),
        (group("new", listed(), name="Other", formerly=("g",)), Removal.KEEP),
    ],
    ids=["declared no more", "deleted", "another name", "another key", "both"],
)
def test_a_guard_stays_with_a_group_that_leaves_git_or_is_called_otherwise(called, removal, rule, guard) -> None:
    """What the settings name is the group that was called so when they were reviewed."""
    known = record(entry("group.g", "g", {"displayName": "Gee"}, lists={"members": ours("al")}), entry("user.al", "al"))
    found = live(live_user("al"), live_group("g", "Gee", ["al"]))
    outcome = reconciled(
        desired(user("al"), called), found, known, policy=replace(OPEN, removal_groups=removal, **guard)
    )
    assert rules(outcome) == [rule]


def test_a_group_that_is_emptied_and_called_otherwise_breaks_its_minimum_once() -> None:
    known = record(entry("group.g", "g", {"displayName": "Gee"}, lists={"members": ours("al")}), entry("user.al", "al"))
    found = live(live_user("al"), live_group("g", "Gee", ["al"]))
    renamed = desired(user("al"), group("new", listed(), name="Other", formerly=("g",)))
    outcome = reconciled(renamed, found, known, policy=replace(OPEN, minimum={"g": 1}))
    assert [each.items for each in outcome.plan.violations] == [("g keeps nobody", "g names group.new no more")]


def test_people_are_counted_through_groups_and_with_those_who_are_created() -> None:
    found = live(live_user("al"), live_group("g", "g", ["i"]), live_group("i", "i", ["al", "g"]))
    known = record(
        entry("group.i", "i", {"displayName": "i"}, lists={"members": ours("al", "g")}), entry("user.al", "al")
    )
    policy = replace(OPEN, minimum={"group.G": 1, "nobody knows": 4})
    inner = LiveReference(ResourceType.GROUP, "g")
    loses = reconciled(desired(user("al"), group("i", listed(inner))), found, known, policy=policy)
    swaps = reconciled(
        desired(user("al"), user("bo"), group("i", listed(inner, a("user.bo")))), found, known, policy=policy
    )
    assert (rules(loses), rules(swaps)) == (["minimum"], [])


def test_a_group_that_is_only_declared_has_no_minimum_yet() -> None:
    policy = replace(OPEN, minimum={"group.n": 3})
    assert rules(reconciled(desired(group("n", listed())), live(), record(), policy=policy)) == []


# --- privileged


def test_every_change_of_a_privileged_role_or_group_has_to_be_accepted_by_name() -> None:
    policy = replace(OPEN, privileged_roles=("Master Admin",), privileged_groups=("group.g",))
    wanted = desired(user("al", lists={"roles": listed("master admin")}), user("bo"), group("g", listed(a("user.bo"))))
    known = record(entry("user.al", "al"), entry("group.g", "g", lists={"members": ours("al")}))
    found = live(live_user("al"), live_group("g", "g", ["al"]))
    outcome = reconciled(wanted, found, known, policy=policy)
    [found_one] = outcome.plan.violations
    assert found_one.items == (
        "group.g gains member bo@x.io",
        "group.g loses member al@x.io",
        "user.al gains role master admin",
    )
    assert [each.warnings for each in outcome.plan.changes if each.address == a("user.al")] == [
        ("privileged: gains role master admin",)
    ]
    accepted = reconciled(wanted, found, known, policy=policy, accepted=[f"privileged@{found_one.digest}"])
    assert rules(accepted) == []


def nested(members, *, outer="group.o", **more):
    """Group `outer` is privileged and holds group i, in which `members` are to be; al is in it."""
    known = record(
        entry("group.i", "i", lists={"members": ours("al")}),
        entry("group.o", "o", lists={"members": ours("i")}),
        entry("user.al", "al"),
    )
    found = live(live_user("al"), live_user("bo"), live_group("i", "i", ["al"]), live_group("o", "o", ["i"]))
    wanted = desired(user("al"), user("bo"), group("i", listed(*members)), group("o", listed(a("group.i"))), **more)
    return reconciled(wanted, found, known, policy=replace(OPEN, privileged_groups=(outer,)))


@pytest.mark.parametrize("outer", ["group.o", "o", "O"])
def test_who_comes_into_a_privileged_group_through_another_has_to_be_accepted(outer) -> None:
    [found] = nested([a("user.al"), a("user.bo")], outer=outer).plan.violations
    assert found.items == ("group.o gains member bo@x.io",)
    [found] = nested([], outer=outer).plan.violations
    assert found.items == ("group.o loses member al@x.io",)
    assert rules(nested([a("user.al")], outer=outer)) == []


@pytest.mark.parametrize("key", ["g", "other"])
def test_a_privileged_group_that_is_called_something_else_in_the_change_stays_one(key) -> None:
    known = record(entry("group.g", "g", lists={"members": ours()}), entry("user.al", "al"))
    renamed = group(key, listed(a("user.al")), name="Other", formerly=("g",) if key == "other" else ())
    outcome = reconciled(
        desired(user("al"), renamed),
        live(live_user("al"), live_group("g", "Gee")),
        known,
        policy=replace(OPEN, privileged_groups=("group.g",)),
    )
    gains, lost = "group.other gains member al@x.io", "group.other loses the name that policy.privileged knows it by"
    assert [each.items for each in outcome.plan.violations] == [
        (gains, lost) if key == "other" else ("group.g gains member al@x.io",)
    ]
    assert [each.name for each in outcome.plan.access if each.privileged] == ["al"]


def test_who_comes_back_with_a_privilege_has_to_be_accepted() -> None:
    known = record(entry("user.al", "al", {"active": False}))
    found = live(
        live_user("al", active=False, roles=["Boss", "Agent"]),
        live_group("i", "i", ["al"]),
        live_group("o", "o", ["i"]),
    )
    policy = replace(OPEN, privileged_roles=("boss",), privileged_groups=("o",))
    outcome = reconciled(desired(user("al", here=lifecycle(active=True))), found, known, policy=policy)
    assert [each.items for each in outcome.plan.violations] == [
        ("user.al comes back into o", "user.al comes back with role Boss")
    ]


@pytest.mark.parametrize(
    ("wanted", "removal", "given", "items"),
    [
        ([], Removal.DEACTIVATE, False, ("user.al leaves o with the account", "user.al leaves with role Boss")),
        ([], Removal.DELETE, False, ("user.al leaves o with the account", "user.al leaves with role Boss")),
        (
            [user("al", here=lifecycle(active=False))],
            Removal.KEEP,
            False,
            ("user.al leaves o with the account", "user.al leaves with role Boss"),
        ),
        ([], Removal.DEACTIVATE, True, ("user.al leaves o with the account", "user.al loses role Boss")),
        ([], Removal.DELETE, True, ("user.al leaves o with the account", "user.al leaves with role Boss")),
        ([], Removal.KEEP, False, ()),
    ],
    ids=["put off", "deleted", "put off by a line", "put off, role of ours", "deleted, role of ours", "kept"],
)
def test_who_goes_with_a_privilege_has_to_be_accepted(wanted, removal, given, items) -> None:
    """Whoever gave it: a role that others gave is as much out of use as one of ours, once the account is."""
    known = record(entry("user.al", "al", lists={"roles": ours("Boss")} if given else {}), entry("user.zz", "zz"))
    found = live(
        live_user("al", roles=["Boss", "Agent"]),
        live_user("zz", roles=["Boss"]),
        live_group("i", "i", ["al"]),
        live_group("o", "o", ["i", "zz"]),
    )
    policy = replace(OPEN, privileged_roles=("boss",), privileged_groups=("o",), removal_users=removal)
    outcome = reconciled(desired(user("zz"), *wanted), found, known, policy=policy)
    assert [each.items for each in outcome.plan.violations] == ([items] if items else [])
    role = "privileged: " + ("loses" if given and removal is Removal.DEACTIVATE else "leaves with") + " role Boss"
    assert [each.warnings for each in outcome.plan.changes] == ([(role,)] if items else [])


@pytest.mark.parametrize("dates", [ENDED, OVER], ids=["endsOn", "deleteAfter"])
def test_who_goes_with_a_privilege_on_her_day_is_only_warned_of(dates) -> None:
    found = live(live_user("al", roles=["Boss"]), live_group("o", "o", ["al"]))
    policy = replace(OPEN, privileged_roles=("boss",), privileged_groups=("o",))
    known = record(entry("user.al", "al", dates=dates_of(dates)))
    outcome = reconciled(desired(user("al", here=dates)), found, known, policy=policy)
    assert rules(outcome) == []
    assert [each.warnings for each in outcome.plan.changes] == [("privileged: leaves with role Boss",)]


def test_a_privileged_membership_that_ends_by_its_day_is_only_warned_of() -> None:
    yesterday = TODAY - timedelta(days=1)
    known = entry("group.g", "g", lists={"members": ours(until={"al": yesterday.isoformat()})})
    wanted = desired(user("al"), group("g", listed(expired={a("user.al"): yesterday})))
    found = live(live_user("al"), live_group("g", "g", ["al"]))
    outcome = reconciled(wanted, found, record(known), policy=replace(OPEN, privileged_groups=("g",)))
    assert rules(outcome) == []
    assert outcome.plan.changes[0].warnings == ("privileged: loses member al@x.io",)


# --- names that a guard knows somebody by

BY_LOGIN = ("bg@x.io", "gee")
BY_KEY = ("bg", "group.g")


@pytest.mark.parametrize(
    ("listed_as", "person", "team", "lost"),
    [
        (BY_LOGIN, user("bg"), group("g", name="Gee"), False),
        (BY_LOGIN, user("bg", name="BG@x.io"), group("g", name="GEE"), False),
        (BY_LOGIN, user("bg", name="new@x.io"), group("g", name="New"), True),
        (BY_LOGIN, user("other", name="bg@x.io"), group("other", name="Gee"), False),
        (BY_KEY, user("bg", name="new@x.io"), group("g", name="New"), False),
        (BY_KEY, user("other", name="bg@x.io"), group("other", name="Gee"), True),
        ((*BY_LOGIN, "new@x.io", "group.New"), user("bg", name="new@x.io"), group("g", name="New"), False),
        # a user of that name is no group
        ((*BY_LOGIN, "new@x.io", "user.new"), user("bg", name="new@x.io"), group("g", name="New"), True),
    ],
)
def test_no_rename_and_no_other_key_takes_a_guard_away(listed_as, person, team, lost) -> None:
    """The line after that could take everything from whom the policy no longer knows."""
    of_groups = tuple(each for each in listed_as if "@" not in each and each != "bg")
    policy = replace(
        OPEN, protect=listed_as, privileged_groups=of_groups, minimum=dict.fromkeys(of_groups, 1), removals=None
    )
    known = record(entry("user.bg", "bg"), entry("group.g", "g"))
    found = live(live_user("bg"), live_group("g", "Gee", ["bg"]))
    outcome = reconciled(desired(person, team), found, known, policy=policy)
    assert sorted(set(rules(outcome))) == (["minimum", "privileged", "protect"] if lost else [])


def test_a_protected_person_who_is_called_otherwise_is_named() -> None:
    policy = replace(OPEN, protect=("bg@x.io",), minimum={"Gee": 1}, privileged_groups=("Gee",))
    known = record(entry("user.bg", "bg"), entry("group.g", "g"))
    found = live(live_user("bg"), live_group("g", "Gee", ["bg"]))
    wanted = desired(user("bg", name="new@x.io"), group("g", name="New"))
    outcome = reconciled(wanted, found, known, policy=policy)
    assert [each.items for each in outcome.plan.violations] == [
        ("user.bg loses the name that policy.protect knows it by",),
        ("Gee names group.g no more",),
        ("group.g loses the name that policy.privileged knows it by",),
    ]
    assert outcome.plan.violations[1].summary == "group.g loses the name that policy.minimum knows it by"


# --- names that are nobody's


def test_a_policy_that_guards_nobody_says_so() -> None:
    policy = replace(
        OPEN,
        protect=("AL", "user.bo", "bo@x.io", "group.g", "gee", "user.typo", "breakglas@x.io"),
        privileged_groups=("g", "group.Gee", "new", "admin"),
        minimum={"group.g": 1, "gee": 1, "group.gon": 2, "old": 1},
        sources={"protect": SourceLocation("reconciler.yaml", 4)},
    )
    wanted = desired(user("al"), user("bo"), group("g", name="Other"), group("new"))
    found = live(live_user("al"), live_group("g", "Gee"))
    known = record(entry("group.g", "g"), entry("group.old", "gone"))
    notices = [each for each in reconciled(wanted, found, known, policy=policy).plan.notices if "policy" in each.code]
    assert [each.summary for each in notices] == [
        "policy.protect names nobody here: user.typo, breakglas@x.io",
        "policy.privileged.groups names nobody here: group.admin",
        "policy.minimum names nobody here: group.gon",
    ]
    assert notices[0].source == SourceLocation("reconciler.yaml", 4)
    assert codes(reconciled(wanted, found, known)) == []


# --- nobody left


def test_a_source_that_suddenly_declares_nobody_stops() -> None:
    known = record(*(entry(f"user.{each}", each) for each in ("al", "bo")), G)
    found = live(live_user("al"), live_user("bo"), live_group("g", "g", ["al", "bo"]))
    for wanted in (desired(), desired(group("g", listed()))):
        outcome = reconciled(wanted, found, known)
        assert rules(outcome) == ["empty-source"]
        assert outcome.plan.violations[0].items == ("user.al", "user.bo")
    only_groups = record(G)
    assert rules(reconciled(desired(), found, only_groups)) == ["empty-source"]
    assert rules(reconciled(desired(group("h")), found, only_groups)) == []
    assert rules(reconciled(desired(user("al", {"title": "x"}), user("bo")), found, known)) == []


def test_a_source_whose_people_are_all_released_is_meant() -> None:
    found = live(live_user("al"), live_user("zz"))
    assert rules(reconciled(desired(released=["user.al"]), found, record(entry("user.Al", "al")))) == []


def test_a_source_without_people_that_changes_nothing_is_left_in_peace() -> None:
    found = live(live_user("al", active=False))
    assert rules(reconciled(desired(), found, record(entry("user.al", "al")))) == []


def test_a_target_that_suddenly_holds_nobody_stops() -> None:
    known = record(entry("user.al", "al"), entry("group.g", "g"))
    outcome = reconciled(desired(user("al"), group("g")), live(live_group("g")), known)
    assert rules(outcome) == ["empty-target"]
    assert rules(reconciled(desired(user("al"), group("g")), live(), record())) == []


def test_a_target_that_holds_others_and_none_of_ours_stops() -> None:
    people = ("al", "bo", "cy")
    wanted, known = desired(*map(user, people)), record(*(entry(f"user.{each}", each) for each in people))
    outcome = reconciled(wanted, live(live_user("zz")), known)
    assert rules(outcome) == ["empty-target"]
    assert outcome.plan.violations[0].items == ("user.al", "user.bo", "user.cy")
    assert "none of ours" in outcome.plan.violations[0].summary
    assert rules(reconciled(wanted, live(live_user("zz"), live_user("bo")), known)) == [], "one is left"
    again = [live_user(f"new-{each}", f"{each}@x.io") for each in people]
    assert rules(reconciled(wanted, live(*again), known)) == [], "found by their names"
    few = record(*(entry(f"user.{each}", each) for each in people[:2]))
    assert rules(reconciled(wanted, live(live_user("zz")), few)) == [], "two may go by chance"
