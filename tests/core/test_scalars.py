"""One attribute: every cell of the two tables, and what holds beside them."""

import pytest

from reconciler.diffing.scalars import NOTHING, Difference, Verdict, compare_scalar
from reconciler.model import ABSENT, NOT_READ, Cause, LiveReference, PatchOp, Pending, ResourceType
from reconciler.scim.paths import element_path
from tests.core.builders import (
    BADGES,
    MANAGER,
    NO_RECORD,
    a,
    codes,
    desired,
    entry,
    live,
    live_user,
    notes_of,
    reconciled,
    record,
    said,
    user,
)

ADD, REPLACE, REMOVE = PatchOp.ADD, PatchOp.REPLACE, PatchOp.REMOVE
DECLARED, DRIFT, LEFTOVER = Cause.DECLARED, Cause.DRIFT, Cause.LEFTOVER
EQUAL, NOT_COMPARED = Verdict.EQUAL, Verdict.NOT_COMPARED


def change(op, cause, *, note=False):
    return Difference(op, cause, moved=note)


# desired None: (applied, live, what)
CLEARED = [
    (NOTHING, NOT_READ, NOT_COMPARED),
    (NOTHING, ABSENT, EQUAL),
    (NOTHING, "y", change(REMOVE, DECLARED)),
    (None, NOT_READ, EQUAL),
    (None, ABSENT, EQUAL),
    (None, "y", change(REMOVE, DRIFT)),
    ("v", NOT_READ, NOT_COMPARED),
    ("v", ABSENT, EQUAL),
    ("v", "v", change(REMOVE, DECLARED)),
    ("v", "y", change(REMOVE, DECLARED, note=True)),
]

# desired "v": (applied, live, what)
WANTED = [
    (NOTHING, NOT_READ, NOT_COMPARED),
    (NOTHING, ABSENT, change(ADD, DECLARED)),
    (NOTHING, "v", EQUAL),
    (NOTHING, "w", change(REPLACE, DECLARED)),
    (None, NOT_READ, NOT_COMPARED),
    (None, ABSENT, change(ADD, DECLARED)),
    (None, "v", EQUAL),
    (None, "w", change(REPLACE, DECLARED, note=True)),
    ("v", NOT_READ, EQUAL),
    ("v", ABSENT, change(ADD, DRIFT)),
    ("v", "v", EQUAL),
    ("v", "w", change(REPLACE, DRIFT)),
    ("w", NOT_READ, NOT_COMPARED),
    ("w", ABSENT, change(ADD, DECLARED, note=True)),
    ("w", "v", EQUAL),
    ("w", "w", change(REPLACE, DECLARED)),
    ("w", "x", change(REPLACE, DECLARED, note=True)),
]


@pytest.mark.parametrize(("applied", "found", "expected"), CLEARED)
def test_a_cleared_attribute(applied, found, expected) -> None:
    assert compare_scalar(None, found, applied, NOTHING) == expected


@pytest.mark.parametrize(("applied", "found", "expected"), WANTED)
def test_a_wanted_value(applied, found, expected) -> None:
    assert compare_scalar("v", found, applied, NOTHING) == expected


@pytest.mark.parametrize(
    ("wanted", "applied", "found", "expected"),
    [(None, *row) for row in CLEARED] + [("v", *row) for row in WANTED],
)
def test_what_was_announced_is_leftover_where_it_would_be_declared(wanted, applied, found, expected) -> None:
    if isinstance(expected, Difference) and expected.cause is DECLARED:
        expected = Difference(expected.op, LEFTOVER, expected.moved)
    assert compare_scalar(wanted, found, applied, wanted) == expected


@pytest.mark.parametrize(("wanted", "found"), [("v", "w"), ("v", ABSENT), (None, "w")])
def test_another_announcement_makes_no_leftover(wanted, found) -> None:
    verdict = compare_scalar(wanted, found, NOTHING, "something else")
    assert isinstance(verdict, Difference)
    assert verdict.cause is DECLARED


@pytest.mark.parametrize(
    ("wanted", "found", "fold", "expected"),
    [
        ("A@x.io", "a@x.io", True, EQUAL),
        ("A@x.io", "a@x.io", False, change(REPLACE, DECLARED)),
        ("weiß@x.io", "weiss@x.io", True, change(REPLACE, DECLARED)),
        (True, 1, False, change(REPLACE, DECLARED)),
        (1, True, False, change(REPLACE, DECLARED)),
        ({"x": [1]}, {"x": [1]}, False, EQUAL),
        ({"x": [1]}, {"x": [2]}, False, change(REPLACE, DECLARED)),
    ],
)
def test_which_values_are_equal(wanted, found, fold, expected) -> None:
    assert compare_scalar(wanted, found, NOTHING, NOTHING, fold=fold) == expected


def known(values, **more):
    return record(entry("user.al", "al", {"userName": "al@x.io", **values}, **more))


def test_no_line_is_never_a_change_and_is_told_once() -> None:
    found = live(live_user("al", attributes={"title": "Lead"}))
    outcome = reconciled(desired(user("al")), found, known({"title": "Lead"}))
    assert said(outcome) == []
    assert codes(outcome) == ["no-longer-managed"]


def test_no_line_and_no_record_is_nothing() -> None:
    outcome = reconciled(desired(user("al")), live(live_user("al", attributes={"title": "Lead"})), known({}))
    assert (said(outcome), codes(outcome)) == ([], [])


@pytest.mark.parametrize(
    ("wanted", "found", "applied", "expected", "notes"),
    [
        ({"title": "v"}, {"title": "w"}, NO_RECORD, ["user.al replace title declared"], 0),
        ({"title": None}, {"title": "w"}, NO_RECORD, ["user.al remove title declared"], 0),
        ({"title": "v"}, {"title": "w"}, known({}), ["user.al replace title declared"], 0),
        ({"title": "v"}, {"title": "w"}, known({"title": "v"}), ["user.al replace title drift"], 0),
        ({"title": "v"}, {"title": "x"}, known({"title": "w"}), ["user.al replace title declared"], 1),
        (
            {"title": "v"},
            {},
            known({"title": "w"}, pending=Pending(values={"title": "v"})),
            ["user.al add title leftover"],
            1,
        ),
    ],
)
def test_the_plan_shows_the_cause(wanted, found, applied, expected, notes) -> None:
    outcome = reconciled(desired(user("al", wanted)), live(live_user("al", attributes=found)), applied)
    assert said(outcome) == expected
    assert len(notes_of(outcome)) == notes


def test_a_value_that_arrived_counts_as_applied() -> None:
    """A reverted commit whose write arrived is a declared change back, never drift."""
    applied = known({"title": "old"}, pending=Pending(values={"title": "new"}))
    outcome = reconciled(
        desired(user("al", {"title": "old"})), live(live_user("al", attributes={"title": "new"})), applied
    )
    assert said(outcome) == ["user.al replace title declared"]


def test_what_cannot_be_read_is_named_and_not_compared() -> None:
    found = live(live_user("al", not_read={"title": "never comes back"}))
    outcome = reconciled(desired(user("al", {"title": "v"})), found, known({}))
    assert (said(outcome), codes(outcome)) == ([], ["not-compared"])
    assert (
        said(again := reconciled(desired(user("al", {"title": "v"})), found, known({"title": "v"}))),
        codes(again),
    ) == (
        [],
        [],
    )


def test_one_element_that_cannot_be_told_apart_is_not_compared() -> None:
    path = 'emails[type eq "work"].value'
    found = live(live_user("al", not_read={path: "2 values of type work"}))
    outcome = reconciled(desired(user("al", {path: "w@x.io"})), found, known({}))
    assert (said(outcome), codes(outcome)) == ([], ["not-compared"])


def test_elements_are_compared_part_by_part() -> None:
    work, home = element_path(BADGES, "gov", "value"), element_path(BADGES, "corp", "value")
    found = live(live_user("al", attributes={work: "1", home: "2"}))
    outcome = reconciled(desired(user("al", {work: "1", home: "3"})), found, known({}))
    assert said(outcome) == [f"user.al replace {home} declared"]


def test_a_manager_is_compared_by_id() -> None:
    people = desired(user("al", {MANAGER: a("user.bo")}), user("bo"))
    same = reconciled(people, live(live_user("al", attributes={MANAGER: "bo"}), live_user("bo")), known({}))
    assert said(same) == []
    other = reconciled(people, live(live_user("al", attributes={MANAGER: "zz"}), live_user("bo")), known({}))
    assert said(other) == ["user.al replace manager declared"]


@pytest.mark.parametrize(
    ("others", "expected"),
    [([], ["unknown-live-reference"]), (["z1", "z2"], ["unknown-live-reference"]), (["z1"], [])],
)
def test_a_manager_who_is_not_declared_must_exist_once(others, expected) -> None:
    boss = LiveReference(ResourceType.USER, "Boss@x.io")
    found = live(live_user("al"), *(live_user(each, "boss@x.io") for each in others))
    outcome = reconciled(desired(user("al", {MANAGER: boss})), found, known({}))
    assert codes(outcome) == expected
    assert said(outcome) == ([] if expected else ["user.al add manager declared"])


def test_a_manager_that_is_created_goes_with_the_create() -> None:
    people = desired(user("al", {MANAGER: a("user.bo")}), user("bo"))
    outcome = reconciled(people, live(live_user("al")), known({}))
    assert said(outcome) == ["user.al add manager declared", "user.bo create declared"]


def test_a_manager_that_others_deleted_is_drift_with_all_that_names_her() -> None:
    people = desired(user("al", {MANAGER: a("user.bo")}), user("bo"), user("cy", {MANAGER: a("user.bo")}))
    applied = record(entry("user.al", "al", {"userName": "al@x.io"}), entry("user.bo", "bo", {"userName": "bo@x.io"}))
    outcome = reconciled(people, live(live_user("al")), applied)
    assert said(outcome) == ["user.al add manager drift", "user.bo create drift", "user.cy create declared"]
    creates = [each for each in outcome.plan.operations if each.address == a("user.cy")]
    assert "bulkId" not in str(creates)


def test_text_that_looks_like_an_id_to_come_is_text() -> None:
    outcome = reconciled(desired(user("al", {"title": "bulkId:user.x"})), live(live_user("al")), known({}))
    assert said(outcome) == ["user.al add title declared"]
    assert outcome.plan.operations[0].depends_on == ()
    nonsense = reconciled(desired(user("al", {"title": "bulkId:?"})), live(live_user("al")), known({}))
    assert said(nonsense) == ["user.al add title declared"]


def test_a_manager_who_is_not_declared_for_this_target_is_left_alone_and_noted() -> None:
    outcome = reconciled(desired(user("al", {MANAGER: a("user.bo"), "title": "v"})), live(live_user("al")), known({}))
    assert said(outcome) == ["user.al add title declared"]
    assert outcome.plan.changes[0].notes == ("manager: user.bo is not declared for this target",)
    created = reconciled(desired(user("cy", {MANAGER: a("user.bo")})), live(), known({}))
    assert created.plan.changes[0].notes == ("manager: user.bo is not declared for this target",)
    assert [each.path for each in created.plan.changes[0].attribute_changes] == ["userName"]
