"""Which operation comes first, what waits for what, and how members are cut into requests."""

from collections.abc import Sized
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from reconciler.model import SAMPLE, CreateResource, DeleteResource, LiveReference, PatchResource, Removal, ResourceType
from reconciler.profiles.profile import MembershipRules
from tests.core.builders import (
    MANAGER,
    OPEN,
    PROFILE,
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

KINDS: dict[type, str] = {CreateResource: "create", PatchResource: "patch", DeleteResource: "delete"}
DELETE = replace(OPEN, removal_users=Removal.DELETE, removal_groups=Removal.DELETE)


def steps(outcome):
    """Every operation in one line, in order: ``patch user.al active title``."""
    return [f"{KINDS[type(each)]} {each.address}{paths(each)}" for each in outcome.plan.operations]


def paths(operation):
    if not isinstance(operation, PatchResource):
        return ""
    return " " + " ".join(each.path.rpartition(":")[2].partition("[")[0] for each in operation.operations)


def waits(outcome):
    """address -> the addresses it waits for."""
    by_number = {each.number: str(each.address) for each in outcome.plan.operations}
    return {
        str(each.address): sorted(by_number[number] for number in each.depends_on)
        for each in outcome.plan.operations
        if each.depends_on
    }


def known(*keys, **values):
    return [entry(f"user.{key}", key, {"userName": f"{key}@x.io"}, **values) for key in keys]


def test_users_before_groups_and_losses_first() -> None:
    wanted = desired(
        user("new"),
        user("bo", {"title": "v"}),
        user("cy", {"title": "v"}, lists={"roles": listed()}),
        user("di", here=lifecycle(active=False)),
        group("g", listed(a("user.new"))),
        group("n", listed(a("user.bo"))),
        group("r", listed(), name="renamed"),
    )
    state = live(
        *(live_user(each) for each in ("bo", "di", "el")),
        live_user("cy", roles=["x"]),
        live_group("g", "g", ["el", "bo"]),
        live_group("r"),
    )
    applied = record(
        *known("bo", "di", "el"),
        *known("cy", lists={"roles": ours("x")}),
        entry("group.g", "g", lists={"members": ours("el", "bo")}),
        entry("group.r", "r"),
    )
    outcome = reconciled(wanted, state, applied)
    assert steps(outcome) == [
        "patch user.cy title roles",
        "patch user.di active",
        "patch user.el active",
        "create user.new",
        "patch user.bo title",
        "create group.n",
        "patch group.r displayName",
        "patch group.g members members",
        "patch group.g members",
        "patch group.n members",
    ]
    assert [each.number for each in outcome.plan.operations] == list(range(1, 11))
    assert waits(outcome) == {"group.g": ["user.new"], "group.n": ["group.n"]}


def test_groups_are_deleted_last_and_people_first() -> None:
    wanted = desired(user("bo"), group("h"))
    state = live(live_user("al"), live_user("bo"), live_group("g"))
    outcome = reconciled(wanted, state, record(*known("al", "bo"), entry("group.g", "g")), policy=DELETE)
    assert steps(outcome) == ["delete user.al", "create group.h", "delete group.g"]


def test_who_takes_a_name_waits_for_who_frees_it() -> None:
    wanted = desired(user("al", name="bo@x.io"), user("bo", name="cy@x.io"), user("new", name="al@x.io"))
    state = live(live_user("al"), live_user("bo"), live_user("cy"))
    outcome = reconciled(wanted, state, record(*known("al", "bo", "cy")), policy=DELETE)
    assert steps(outcome) == ["delete user.cy", "patch user.bo userName", "patch user.al userName", "create user.new"]
    assert waits(outcome) == {"user.bo": ["user.cy"], "user.al": ["user.bo"], "user.new": ["user.al"]}


def test_names_are_freed_without_regard_to_case_where_the_profile_says_so() -> None:
    wanted = desired(group("a", name="B"), group("b", name="c"))
    state = live(live_group("a"), live_group("b"))
    applied = record(entry("group.a", "a"), entry("group.b", "b"))
    assert steps(reconciled(wanted, state, applied)) == ["patch group.b displayName", "patch group.a displayName"]


@pytest.mark.parametrize("length", [2, 3])
def test_names_in_a_circle_are_refused_with_the_way_out(length) -> None:
    keys = ["al", "bo", "cy"][:length]
    turned = dict(zip(keys, [*keys[1:], keys[0]], strict=True))
    people = [user(key, {"title": "v"}, name=f"{turned[key]}@x.io") for key in keys]
    state = live(*(live_user(each) for each in (*keys, "zz")))
    outcome = reconciled(desired(*people, user("zz", {"title": "v"})), state, record(*known(*keys, "zz")))
    assert steps(outcome) == ["patch user.zz title"]
    assert codes(outcome) == ["names-swapped"] * length
    assert all("a name nobody has" in each.mend for each in outcome.plan.refused)


def test_a_chain_of_names_that_leads_into_nothing_is_no_circle() -> None:
    wanted = desired(user("al", name="bo@x.io"), user("bo", name="free@x.io"))
    outcome = reconciled(wanted, live(live_user("al"), live_user("bo")), record(*known("al", "bo")))
    assert (codes(outcome), len(outcome.plan.operations)) == ([], 2)


# --- managers


def managed(wanted, held):
    """The plan that brings the managers of some people from `held` to `wanted`; None is no manager."""
    people = [user(key, {MANAGER: a(f"user.{boss}") if boss else None}) for key, boss in wanted.items()]
    state = live(*(live_user(key, attributes={MANAGER: boss} if boss else {}) for key, boss in held.items()))
    return reconciled(desired(*people), state, record(*known(*held)))


def test_managers_come_before_their_people_in_the_new_tree() -> None:
    outcome = managed({"al": "bo", "bo": "cy", "cy": None}, {"al": None, "bo": None, "cy": "al"})
    assert [str(each.address) for each in outcome.plan.operations] == ["user.cy", "user.bo", "user.al"]


def test_managers_settle_through_those_who_stay() -> None:
    """cy leaves al before al comes under bo, who stays under cy."""
    outcome = managed({"al": "bo", "bo": "cy", "cy": None}, {"al": None, "bo": "cy", "cy": "al"})
    assert [str(each.address) for each in outcome.plan.operations] == ["user.cy", "user.al"]
    assert waits(outcome) == {"user.al": ["user.cy"]}


def test_new_people_need_only_their_managers_create() -> None:
    outcome = managed({"al": "bo", "bo": "cy", "cy": "di", "di": None}, {"cy": None, "di": None})
    assert [str(each.address) for each in outcome.plan.operations] == ["user.bo", "user.al", "user.cy"]
    assert waits(outcome) == {"user.al": ["user.bo"]}


def test_a_manager_circle_on_the_server_does_not_keep_us() -> None:
    outcome = managed(
        {"al": "bo", "bo": None, "cy": "di", "di": "cy"}, {"al": "cy", "bo": None, "cy": "di", "di": "cy"}
    )
    assert [str(each.address) for each in outcome.plan.operations] == ["user.al"]
    under = managed({"al": "cy", "cy": "di", "di": "cy"}, {"al": None, "cy": "di", "di": "cy"})
    assert [str(each.address) for each in under.plan.operations] == ["user.al"]


def above(tree, person):
    seen = []
    while person is not None and person not in seen:
        seen.append(person)
        person = tree.get(person)
    return None if person is None else seen


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_no_tree_is_ever_a_circle_in_between(data) -> None:
    people = "abcdef"

    def tree():
        order = data.draw(st.permutations(people))
        return {each: data.draw(st.sampled_from([None, *order[:place]])) for place, each in enumerate(order)}

    held, wanted = tree(), tree()
    now = dict(held)
    for operation in managed(wanted, held).plan.operations:
        now[operation.address.key] = wanted[operation.address.key]
        assert all(above(now, each) is None for each in people)
    assert now == wanted


# --- losing access waits for nothing


def test_what_has_to_wait_goes_by_a_request_of_its_own() -> None:
    wanted = desired(
        user("al", {MANAGER: a("user.new")}, lists={"roles": listed()}),
        user("bo", {"title": "v"}, lists={"roles": listed()}, name="al2@x.io"),
        user("cy", here=lifecycle(active=True), lists={"roles": listed("y")}),
        user("new"),
    )
    state = live(live_user("al", roles=["x"]), live_user("bo", roles=["x"]), live_user("cy", active=False, roles=["x"]))
    applied = record(*known("al", "bo", "cy", lists={"roles": ours("x")}))
    outcome = reconciled(wanted, state, applied)
    assert steps(outcome) == [
        "patch user.al roles",
        "patch user.bo roles",
        "patch user.cy roles",
        "create user.new",
        "patch user.al manager",
        "patch user.bo userName title",
        "patch user.cy active roles",
    ]
    assert [each.depends_on for each in outcome.plan.operations[:3]] == [(), (), ()]


# --- members


@pytest.mark.parametrize(("size", "chunks"), [(100, [100, 37]), (50, [50, 50, 37]), (137, [137]), (136, [136, 1])])
def test_members_are_cut_into_requests_that_the_server_takes(size, chunks) -> None:
    profile = replace(PROFILE, membership=MembershipRules(add_max=size, remove_max=size))
    people = [f"u{number:03}" for number in range(137)]
    refs = [LiveReference(ResourceType.USER, f"{each}@x.io") for each in people]
    everybody = [live_user(each) for each in people]
    added = reconciled(desired(group("g", listed(*refs))), live(*everybody, live_group("g")), record(), profile=profile)
    assert [len(cast(Sized, each.operations[0].value)) for each in added.plan.operations] == chunks
    known_group = record(entry("group.g", "g", lists={"members": ours(*people)}))
    full = live(*everybody, live_group("g", "g", people))
    removed = reconciled(desired(group("g", listed())), full, known_group, profile=profile)
    assert [len(each.operations) for each in removed.plan.operations] == chunks


def test_a_chunk_waits_for_the_creates_of_its_own_people_only() -> None:
    profile = replace(PROFILE, membership=MembershipRules(add_max=2))
    wanted = desired(*map(user, "abcd"), group("g", listed(*(a(f"user.{each}") for each in "abcd"))))
    outcome = reconciled(wanted, live(live_group("g"), live_user("c")), record(), profile=profile)
    assert steps(outcome)[:3] == ["create user.a", "create user.b", "create user.d"]
    assert [each.depends_on for each in outcome.plan.operations[3:]] == [(1, 2), (3,)]


def test_the_number_of_requests_is_told() -> None:
    wanted = desired(user("al", {"title": "v"}), group("g", listed(a("user.al"))))
    outcome = reconciled(wanted, live(live_user("al"), live_group("g")), record())
    assert outcome.plan.requests == 2 + 1 + 2
    assert reconciled(desired(), live(), record()).plan.requests == 0


@pytest.mark.parametrize(("leavers", "looks"), [(3, 3 + 3), (SAMPLE + 5, SAMPLE + 5 + SAMPLE)])
def test_whoever_is_deleted_is_looked_at_before_and_some_of_them_after(leavers: int, looks: int) -> None:
    names = [f"u{number:02}" for number in range(leavers)]
    known = record(*(entry(f"user.{each}", each) for each in names))
    outcome = reconciled(desired(), live(*map(live_user, names)), known, policy=DELETE)
    assert outcome.plan.requests == leavers + looks + 2


def test_people_are_named_in_a_plan() -> None:
    state = live(
        live_user("al", attributes={"displayName": "Al"}), live_user("zz"), live_group("g", "g", ["zz", "gone"])
    )
    wanted = desired(
        user("al", {MANAGER: a("user.new")}), user("new", {"displayName": "N"}), group("g", listed(a("user.al")))
    )
    outcome = reconciled(wanted, state, record(entry("group.g", "g", lists={"members": ours("zz", "gone")})))
    assert outcome.plan.names == {
        "al": ("al", "Al"),
        "zz": ("zz@x.io", ""),
        "bulkId:user.new": ("new", "N"),
    }
    assert outcome.plan.matched == {ResourceType.USER: 1, ResourceType.GROUP: 1}
