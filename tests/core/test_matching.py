"""Which live resource a declared one stands for: the passes, whose entry counts, and what is not guessed at."""

from datetime import date

import pytest
from msgspec.structs import replace

from reconciler.matching import match_resources
from reconciler.model import Address, Ambiguous, OnlyDesired, Paired, Pending, Standing
from reconciler.settling import settle
from tests.core.builders import (
    NUMBER,
    PROFILE,
    desired,
    entry,
    give,
    group,
    lifecycle,
    live,
    live_group,
    live_user,
    record,
    user,
)

SENT = Pending(values={"userName": "al@x.io"})


def matched(wanted, found, applied=None, profile=PROFILE, stood=None):
    return match_resources(wanted, found, settle(applied or record(), found, profile), profile, stood)


def shown(matches):
    """address -> ``id by pass``, ``-`` for nobody, ``?`` and the candidates."""
    said = {}
    for address, match in matches.by_address.items():
        match match:
            case Paired(live_id=live_id, by=by):
                said[str(address)] = f"{live_id} by {by}"
            case OnlyDesired():
                said[str(address)] = "-"
            case Ambiguous(candidates=candidates):
                said[str(address)] = f"? {' '.join(candidates)}"
    return said


def test_the_record_is_stronger_than_the_name_and_the_name_stronger_than_an_earlier_one() -> None:
    found = live(live_user("1", "new@x.io"), live_user("2", "al@x.io"), live_user("3", "was@x.io"))
    al = user("al", formerly=("was@x.io",))
    assert shown(matched(desired(al), found, record(entry("user.al", "1")))) == {"user.al": "1 by record"}
    assert shown(matched(desired(al), found)) == {"user.al": "2 by name"}
    without = live(found.resources["1"], found.resources["3"])
    assert shown(matched(desired(al), without)) == {"user.al": "3 by formerly"}
    assert shown(matched(desired(al), live(found.resources["1"]))) == {"user.al": "-"}


def test_a_pass_looks_at_everybody_before_the_next_one_begins() -> None:
    """bo's account bears al's new name; al has it by name only after bo has taken his by id."""
    found = live(live_user("1", "al@x.io"))
    wanted = desired(user("al"), user("bo"))
    assert shown(matched(wanted, found, record(entry("user.bo", "1")))) == {"user.al": "-", "user.bo": "1 by record"}


def test_names_compare_as_the_profile_says() -> None:
    found = live(live_user("1", "AL@x.io"), live_group("2", "G"))
    wanted = desired(user("al"), group("g"))
    assert shown(matched(wanted, found)) == {"user.al": "1 by name", "group.g": "2 by name"}
    strict = replace(
        PROFILE,
        users=replace(PROFILE.users, case_insensitive=()),
        groups=replace(PROFILE.groups, case_insensitive=()),
    )
    assert shown(matched(wanted, found, profile=strict)) == {"user.al": "-", "group.g": "-"}


@pytest.mark.parametrize(
    ("wanted", "there", "same"),
    [("WEISS", "weiss", True), ("weiß", "WEIß", True), ("weiß", "weiss", False), ("ﬁnn", "finn", False)],
)
def test_only_case_is_no_difference(wanted, there, same) -> None:
    """Whoever is called weiss is another person than the one called weiß, and a ligature is no case of two letters."""
    expected = {"user.al": "1 by name" if same else "-", "group.g": "2 by name" if same else "-"}
    found = live(live_user("1", there), live_group("2", there))
    assert shown(matched(desired(user("al", name=wanted), group("g", name=wanted)), found)) == expected


def test_a_user_and_a_group_of_one_name_are_two() -> None:
    found = live(live_user("1", "x"), live_group("2", "x"))
    assert shown(matched(desired(user("x", name="x"), group("x")), found)) == {
        "user.x": "1 by name",
        "group.x": "2 by name",
    }


@pytest.mark.parametrize(
    ("formerly", "applied", "expected"),
    [
        (("old",), record(entry("user.old", "1")), "1 by formerly"),
        (("OLD",), record(entry("user.old", "1")), "1 by formerly"),
        (("was@x.io",), record(), "1 by formerly"),
        (("old", "was@x.io"), record(entry("user.old", "1")), "1 by formerly"),
        (("old",), record(entry("user.old", "gone")), "-"),
        (("weiß",), record(entry("user.weiss", "1")), "-"),
        (("nobody@x.io",), record(), "-"),
    ],
)
def test_an_earlier_name_may_be_a_key_or_a_login(formerly, applied, expected) -> None:
    found = live(live_user("1", "was@x.io"))
    assert shown(matched(desired(user("al", formerly=formerly)), found, applied)) == {"user.al": expected}


def test_an_earlier_login_deletes_nobody() -> None:
    """Whose `deleteAfter` is over: she may be gone already, and the account of the earlier login be somebody else's."""
    found = live(live_user("1", "was@x.io"))
    gone = lifecycle(ends=date(2026, 1, 1), delete_after=1)
    for formerly, expected in ((("was@x.io",), "-"), (("old",), "1 by formerly")):
        al = user("al", formerly=formerly, here=gone)
        assert shown(matched(desired(al), found, record(entry("user.old", "1"))))["user.al"] == expected


def test_an_earlier_login_is_no_way_out_when_her_own_account_is_gone() -> None:
    """By the record she had one under this key, and others deleted it: who bears the earlier login is not she."""
    found = live(live_user("1", "was@x.io"))
    al = user("al", formerly=("was@x.io",))
    for own, expected in (("gone", "-"), (None, "1 by formerly")):
        assert shown(matched(desired(al), found, record(entry("user.al", own)))) == {"user.al": expected}


@pytest.mark.parametrize(
    ("formerly", "applied", "expected"),
    [
        (("old", "was@x.io"), record(entry("user.old", "gone")), {"user.al": "user.old"}),
        (("was@x.io", "OLD"), record(entry("user.old", "gone")), {"user.al": "user.old"}),
        (("was@x.io",), record(entry("user.old", "gone")), {}),
        (("old", "was@x.io"), record(entry("user.old", None, pending=SENT)), {}),
        (("bo", "was@x.io"), record(entry("user.bo", "gone")), {"user.bo": "user.bo"}),
    ],
)
def test_an_account_that_is_gone_is_gone_under_a_new_key_too(formerly, applied, expected) -> None:
    """Others deleted it: drift whatever the key is called now, and whoever bears the earlier login is not she."""
    found = live(live_user("1", "was@x.io"))
    matches = matched(desired(user("al", formerly=formerly), user("bo")), found, applied)
    knows = expected.get("user.al") is not None
    assert shown(matches) == {"user.al": "-" if knows else "1 by formerly", "user.bo": "-"}
    assert {str(each): str(kept.address) for each, kept in matches.entries.items()} == expected


def test_a_key_that_is_still_declared_is_nobodys_earlier_key() -> None:
    found = live(live_user("1", "was@x.io"))
    applied = record(entry("user.old", "1"))
    al = user("al", formerly=("old",))
    assert shown(matched(desired(al, user("old", name="was@x.io")), found, applied))["user.al"] == "-"
    assert shown(matched(desired(al, released=["user.old"]), found, applied))["user.al"] == "1 by formerly"


# --- ambiguity


def test_twins_are_refused_and_frozen() -> None:
    found = live(live_user("2", "AL@x.io"), live_user("1", "al@x.io"), live_user("3", "bo@x.io"))
    matches = matched(desired(user("al"), user("bo")), found)
    assert shown(matches) == {"user.al": "? 1 2", "user.bo": "3 by name"}
    assert matches.frozen == {"1", "2"}
    assert matches.id_of(Address.parse("user.al")) is None
    assert matches.id_of(Address.parse("user.nobody")) is None
    assert matches.address_of == {"3": Address.parse("user.bo")}


def test_the_record_tells_twins_apart() -> None:
    found = live(live_user("1", "al@x.io"), live_user("2", "al@x.io"))
    assert shown(matched(desired(user("al")), found, record(entry("user.al", "2")))) == {"user.al": "2 by record"}


def called(**names):
    """What git shows: key of a user -> the names that commits gave her."""
    return {
        Address.parse(f"user.{key}").folded: Standing(names=frozenset({name}), path="") for key, name in names.items()
    }


@pytest.mark.parametrize(
    ("stood", "formerly", "expected"),
    [
        # not kept in git: a record that nobody else can write
        (None, (), "1 by record"),
        ({}, (), "? 1 2"),
        (called(al="zoe@x.io"), (), "? 1 2"),
        (called(bo="eve@x.io"), (), "? 1 2"),
        (called(al="eve@x.io"), (), "1 by record"),
        ({}, ("Eve@x.io",), "1 by record"),
    ],
)
def test_a_record_that_says_another_account_than_the_name_needs_proof(stood, formerly, expected) -> None:
    found = live(live_user("1", "EVE@x.io"), live_user("2", "al@x.io"))
    matches = matched(desired(user("al", formerly=formerly)), found, record(entry("user.al", "1")), stood=stood)
    assert shown(matches) == {"user.al": expected}
    assert matches.frozen == (frozenset() if "by" in expected else {"1", "2"})


def test_whom_nobody_else_could_be_is_followed_by_id_and_a_rival_who_is_somebody_is_not_frozen() -> None:
    applied = record(entry("user.al", "1"), entry("user.bo", "2"))
    renamed = live(live_user("1", "was@x.io"), live_user("2", "bo@x.io"))
    assert shown(matched(desired(user("al")), renamed, applied, stood={})) == {"user.al": "1 by record"}
    wanted = desired(user("al", name="bo@x.io"), user("bo", name="rob@x.io"))
    assert shown(matched(wanted, renamed, applied, stood={})) == {"user.al": "? 1", "user.bo": "2 by record"}
    proved = called(al="was@x.io")
    assert shown(matched(wanted, renamed, applied, stood=proved)) == {
        "user.al": "1 by record",
        "user.bo": "2 by record",
    }


def test_two_that_want_one_account_are_both_refused() -> None:
    found = live(live_user("1", "was@x.io"))
    wanted = desired(user("al", formerly=("was@x.io",)), user("bo", formerly=("was@x.io",)))
    matches = matched(wanted, found)
    assert shown(matches) == {"user.al": "? 1", "user.bo": "? 1"}
    reasons = [match.reason for match in matches.by_address.values()]
    assert "user.bo and user.al are declared for the same account" in reasons
    by_record = record(entry("user.al", "1"), entry("user.bo", "1"))
    assert shown(matched(desired(user("al"), user("bo")), found, by_record)) == {"user.al": "? 1", "user.bo": "? 1"}


def test_earlier_names_of_two_accounts_are_refused() -> None:
    found = live(live_user("1", "was@x.io"), live_user("2", "had@x.io"))
    matches = matched(desired(user("al", formerly=("was@x.io", "had@x.io"))), found)
    assert shown(matches) == {"user.al": "? 1 2"}
    assert "earlier name" in matches.by_address[Address.parse("user.al")].reason


def test_nobody_takes_the_name_of_a_frozen_account() -> None:
    """al looks like another person; who now asks for her old login would be created beside her."""
    found = live(live_user("1", "al@x.io", {NUMBER: "7"}))
    wanted = desired(user("al", {NUMBER: "8"}, name="other@x.io"), user("bo", name="AL@x.io"))
    assert shown(matched(wanted, found, record(entry("user.al", "1")))) == {"user.al": "? 1", "user.bo": "? 1"}


# --- another person


@pytest.mark.parametrize(
    ("by_record", "login", "number", "active", "refused"),
    [
        (True, "new@x.io", "8", True, True),
        (True, "new@x.io", "7", True, False),
        (True, "al@x.io", "8", True, False),
        (True, "AL@x.io", "8", True, False),
        (True, "new@x.io", None, True, False),
        (False, "al@x.io", "8", True, False),
        (False, "al@x.io", "8", False, True),
        (False, "al@x.io", "7", False, False),
        (False, "al@x.io", None, False, False),
    ],
)
def test_who_looks_like_another_person_is_refused(by_record, login, number, active, refused) -> None:
    found = live(live_user("1", "al@x.io", {NUMBER: "7"}, active=active))
    attributes = {} if number is None else {NUMBER: number}
    applied = record(entry("user.al", "1")) if by_record else record()
    matches = matched(desired(user("al", attributes, name=login)), found, applied)
    expected = "? 1" if refused else f"1 by {'record' if by_record else 'name'}"
    assert shown(matches) == {"user.al": expected}
    assert matches.frozen == ({"1"} if refused else frozenset())


@pytest.mark.parametrize(
    ("name", "number", "formerly", "applied", "expected"),
    [
        # an earlier login that somebody else has by now
        ("new@x.io", "8", ("al@x.io",), record(), "? 1"),
        ("new@x.io", "7", ("al@x.io",), record(), "1 by formerly"),
        ("new@x.io", "8", ("old",), record(entry("user.old", "1")), "? 1"),
        # another key and another number: the next person at the same desk
        ("al@x.io", "8", (), record(entry("user.old", "1")), "? 1"),
        ("al@x.io", "7", (), record(entry("user.old", "1")), "1 by name"),
        ("al@x.io", None, (), record(entry("user.old", "1")), "1 by name"),
        # her account is gone, and another one has her login
        ("al@x.io", "8", (), record(entry("user.al", "gone")), "? 1"),
        ("al@x.io", "7", (), record(entry("user.al", "gone")), "1 by name"),
        ("al@x.io", "8", (), record(entry("user.al", None, seen=True)), "1 by name"),
    ],
)
def test_a_login_that_another_person_has_by_now(name, number, formerly, applied, expected) -> None:
    found = live(live_user("1", "al@x.io", {NUMBER: "7"}))
    wanted = user("al", {} if number is None else {NUMBER: number}, name=name, formerly=formerly)
    matches = matched(desired(wanted), found, applied)
    assert shown(matches) == {"user.al": expected}
    assert matches.frozen == ({"1"} if "?" in expected else frozenset())


@pytest.mark.parametrize(
    ("applied", "expected"),
    [
        (record(), "1 by name"),
        (record(entry("user.al", "1")), "1 by record"),
        (record(entry("user.al", None, seen=True)), "? 1"),
        (record(entry("user.al", "gone")), "? 1"),
        (record(entry("user.al", None, pending=SENT)), "1 by record"),
    ],
)
def test_who_came_after_somebody_whose_time_is_over_is_not_deleted_for_her_login(applied, expected) -> None:
    found = live(live_user("1", "al@x.io", {"title": "x"}))
    al = user("al", here=lifecycle(ends=date(2026, 1, 1), delete_after=1))
    assert shown(matched(desired(al), found, applied)) == {"user.al": expected}


def test_somebody_without_a_number_on_the_server_is_nobody_else() -> None:
    found = live(live_user("1", "al@x.io"))
    wanted = desired(user("al", {NUMBER: "8"}, name="new@x.io"))
    assert shown(matched(wanted, found, record(entry("user.al", "1")))) == {"user.al": "1 by record"}


# --- creates without an answer


def test_an_unanswered_create_whose_login_somebody_bears_is_frozen_when_the_line_asks_for_another() -> None:
    found = live(live_user("1", "AL@x.io", {"title": "y"}))
    pending = Pending(values={"userName": "al@x.io", "title": "x"})
    applied = record(entry("user.al", None, pending=pending))
    assert shown(matched(desired(user("al", name="new@x.io")), found, applied)) == {"user.al": "? 1"}
    assert shown(matched(desired(user("al")), found, applied)) == {"user.al": "1 by name"}
    hinted = user("al", name="new@x.io", formerly=("al@x.io",))
    assert shown(matched(desired(hinted), found, applied)) == {"user.al": "1 by formerly"}


def test_an_unanswered_create_whose_login_nobody_bears_is_nothing() -> None:
    applied = record(entry("user.al", None, pending=SENT), entry("user.bo", None, pending=give("roles", "x")))
    wanted = desired(user("al", name="new@x.io"), user("bo"))
    assert shown(matched(wanted, live(), applied)) == {"user.al": "-", "user.bo": "-"}


def test_a_declared_person_without_a_name_is_nobody_live() -> None:
    nameless = replace(user("al"), attributes={})
    assert shown(matched(desired(nameless), live(live_user("1")))) == {"user.al": "-"}


# --- whose entry


def entries(wanted, found, applied):
    return {str(a): str(e.address) for a, e in matched(wanted, found, applied).entries.items()}


def test_the_entry_under_the_own_key_counts_if_it_names_the_account() -> None:
    found = live(live_user("1", "al@x.io"))
    al = desired(user("al"))
    assert entries(al, found, record(entry("user.al", "1"))) == {"user.al": "user.al"}
    assert entries(al, found, record(entry("user.AL", "1"))) == {"user.al": "user.AL"}
    assert entries(al, found, record(entry("user.al", "gone"))) == {}
    assert entries(al, live(), record(entry("user.al", "gone"))) == {"user.al": "user.al"}
    assert entries(al, found, record(entry("user.al", None, seen=True))) == {}


def test_a_changed_key_takes_its_entry_along() -> None:
    found = live(live_user("1", "al@x.io"))
    applied = record(entry("user.old", "1"), entry("user.al", "gone"))
    assert entries(desired(user("al")), found, applied) == {"user.al": "user.old"}


def test_the_entry_of_a_declared_key_is_nobody_elses() -> None:
    found = live(live_user("1", "al@x.io"), live_user("2", "old@x.io"))
    both = matched(desired(user("al"), user("old")), found, record(entry("user.old", "1")))
    assert shown(both) == {"user.al": "-", "user.old": "1 by record"}


def test_who_is_released_and_declared_under_another_key_is_not_new() -> None:
    found = live(live_user("1", "al@x.io"))
    assert entries(desired(user("al"), released=["user.old"]), found, record(entry("user.old", "1"))) == {
        "user.al": "user.old"
    }
