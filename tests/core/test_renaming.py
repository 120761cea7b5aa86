"""Who goes and who comes with the same name or number may be one person, and that is said."""

import pytest
from msgspec.structs import replace

from reconciler.model import Pending, Removal
from tests.core.builders import (
    NUMBER,
    OPEN,
    TODAY,
    desired,
    entry,
    group,
    lifecycle,
    live,
    live_group,
    live_user,
    ours,
    reconciled,
    record,
    user,
)

MAIL = 'emails[type eq "work"].value'
GIVEN, FAMILY = "name.givenName", "name.familyName"
ONE = "comes as new while user.old goes, who has the same "
MEND = "if they are one person, write formerly: [old]"


def told(outcome) -> list[tuple[str, str, str]]:
    """Whom each notice is about, what it says, and the mend."""
    found = [each for each in outcome.plan.notices if each.code == "may-be-renamed"]
    return [(str(each.address), each.summary, each.mend) for each in found]


def people(*keys: str, values=None):
    """Live people whom the record holds under these keys, and their entries."""
    return [live_user(each, attributes=values) for each in keys], [entry(f"user.{each}", each) for each in keys]


@pytest.mark.parametrize(
    ("goes", "comes", "what"),
    [
        ({NUMBER: "7", "displayName": "Ann"}, {NUMBER: "7", "displayName": "Bea"}, "employeeNumber"),
        ({"displayName": "Ann Lee"}, {"displayName": "ann lee"}, "displayName"),
        ({NUMBER: "7", "displayName": "Ann"}, {"displayName": "Ann"}, "displayName"),
        ({"displayName": "Ann"}, {NUMBER: "7", "displayName": "Ann"}, "displayName"),
        ({GIVEN: "Ann", FAMILY: "Lee"}, {GIVEN: "Ann", FAMILY: "LEE"}, "given and family name"),
        ({MAIL: "ann@x.io", "displayName": "A"}, {MAIL: "Ann@x.io", "displayName": "B"}, "work e-mail"),
        # two numbers are two people
        ({NUMBER: "7", "displayName": "Ann"}, {NUMBER: "8", "displayName": "Ann"}, None),
        ({"displayName": "Ann"}, {"displayName": "Bea"}, None),
        ({"displayName": "Ann"}, {"displayName": None}, None),
        ({GIVEN: "Ann"}, {GIVEN: "Ann"}, None),
        ({}, {}, None),
    ],
)
def test_a_newcomer_like_somebody_who_goes_is_spoken_of(goes, comes, what) -> None:
    found, known = people("old", values=goes)
    outcome = reconciled(desired(user("new", comes)), live(*found), record(*known))
    assert told(outcome) == ([("user.new", f"{ONE}{what}", MEND)] if what else [])


def test_what_the_server_does_not_keep_is_known_from_the_record() -> None:
    known = entry("user.old", "old", {NUMBER: "7"})
    outcome = reconciled(desired(user("new", {NUMBER: "7"})), live(live_user("old")), record(known))
    assert told(outcome) == [("user.new", f"{ONE}employeeNumber", MEND)]


@pytest.mark.parametrize(
    ("keys", "summary"),
    [
        (["a", "b"], "user.a, user.b go"),
        (["a", "b", "c"], "user.a, user.b, user.c go"),
        (["a", "b", "c", "d", "e"], "user.a, user.b, user.c and 2 more go"),
    ],
)
def test_of_several_who_may_be_meant_none_is_chosen(keys, summary) -> None:
    found, known = people(*keys, values={"displayName": "Ann"})
    outcome = reconciled(desired(user("new", {"displayName": "Ann"})), live(*found), record(*known))
    said = f"comes as new while {summary}, who have the same displayName"
    assert told(outcome) == [("user.new", said, "if she is one of them, write that key under formerly")]


def test_every_newcomer_is_spoken_of_once() -> None:
    same = {NUMBER: "7", "displayName": "Ann", MAIL: "ann@x.io"}
    found, known = people("old", values=same)
    outcome = reconciled(desired(user("new", same), user("newer", same)), live(*found), record(*known))
    assert [each[:2] for each in told(outcome)] == [
        (f"user.{each}", f"{ONE}employeeNumber") for each in ("new", "newer")
    ]


ANN = {"displayName": "Ann"}
NEW = user("new", ANN)
OLD = live_user("old", attributes=ANN)
KNOWN = entry("user.old", "old")


@pytest.mark.parametrize(
    ("wanted", "found", "known"),
    [
        (desired(user("new", ANN, formerly=("old",))), [OLD], [KNOWN]),
        (desired(user("new", ANN, name="old@x.io")), [OLD], [KNOWN]),
        (desired(NEW, user("old", ANN)), [OLD], [KNOWN]),
        (desired(NEW, released=["user.old"]), [OLD], [KNOWN]),
        (desired(NEW), [live_user("old", attributes=ANN, active=False)], [KNOWN]),
        # nobody comes: she is there already, others deleted her, her days are over
        (desired(NEW), [OLD, live_user("new")], [KNOWN]),
        (desired(NEW), [OLD], [KNOWN, entry("user.new", "gone")]),
        (desired(user("new", ANN, here=lifecycle(ends=TODAY.replace(year=2020), delete_after=1))), [OLD], [KNOWN]),
        (desired(group("new", name="Ann")), [live_group("old", "ann")], [entry("group.old", "old")]),
    ],
    ids=[
        *("formerly says it", "the userName says it", "nobody goes", "released", "inactive already", "there already"),
        *("deleted by others", "over", "groups"),
    ],
)
def test_where_nobody_goes_or_comes_nothing_is_said(wanted, found, known) -> None:
    assert told(reconciled(wanted, live(*found), record(*known))) == []


@pytest.mark.parametrize(
    ("removal", "known", "spoken_of"),
    [
        (Removal.DELETE, KNOWN, True),
        (Removal.KEEP, entry("user.old", "old", lists={"roles": ours("lead")}), True),
        (Removal.KEEP, KNOWN, False),
    ],
)
def test_who_keeps_the_account_goes_where_access_is_taken(removal, known, spoken_of) -> None:
    policy = replace(OPEN, removal_users=removal)
    found = live(live_user("old", attributes=ANN, roles=["lead"]))
    assert bool(told(reconciled(desired(NEW), found, record(known), policy=policy))) is spoken_of


def test_an_announced_create_is_still_one() -> None:
    sent = entry("user.new", None, pending=Pending(values={"userName": "new@x.io"}))
    assert told(reconciled(desired(NEW), live(OLD), record(KNOWN, sent))) == [("user.new", f"{ONE}displayName", MEND)]
