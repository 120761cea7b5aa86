"""Groups, where members and externalId alone can be written: what else is declared is said in one line."""

import json
from typing import Any

import pytest

from tests.genesys.company import Company
from tests.genesys.life import BOB, CHE

PLACE = "in Genesys Cloud (Admin, Directory, Groups)"
SUPPORT: dict[str, Any] = {"displayName": "Support", "members": ["bob"], "externalId": "g-1"}


def applied(org: Company) -> tuple[int, str]:
    ran = org.run("apply", "--auto-approve")
    return ran.code, " ".join((ran.out + ran.err).split())


@pytest.fixture
def here(org: Company) -> Company:
    org.declare({"bob": BOB, "che": CHE}, {"support": SUPPORT})
    assert org.apply().said == []
    return org


def test_members_and_external_id(here: Company) -> None:
    assert here.members("Support") == ["bob@example.com"]
    assert here.stored("Support")["externalId"] == "g-1"
    for lines, held in (
        (SUPPORT | {"externalId": "g-2", "members": ["che"]}, "g-2"),
        (SUPPORT | {"externalId": None}, None),
    ):
        here.declare({"bob": BOB, "che": CHE}, {"support": lines})
        assert here.apply().said == []
        assert here.stored("Support").get("externalId") == held
        assert here.plan(drift=True).changes == ()


@pytest.mark.parametrize(
    ("groups", "words", "mend", "members"),
    [
        (
            {"support": SUPPORT | {"members": ["che"]}, "new": {"displayName": "New", "members": ["bob"]}},
            "# group.new: Genesys Cloud has no group of this name, and groups cannot be created over SCIM",
            f"make a group named New {PLACE}; its members are managed here",
            ["che@example.com"],
        ),
        (
            {"support": SUPPORT | {"displayName": "Helpdesk", "members": ["che"]}},
            "# group.support: it is called Support on the server, and groups cannot be renamed over SCIM",
            f"name it Helpdesk {PLACE}, or write displayName: Support",
            ["che@example.com"],
        ),
        (
            {},
            "# group.support: it stays, without the members given here: groups cannot be deleted over SCIM",
            f"delete Support {PLACE}",
            [],
        ),
    ],
    ids=["create", "rename", "delete"],
)
def test_what_cannot_be_done_is_one_line_and_all_else_goes_on(
    here: Company, groups: Any, words: str, mend: str, members: list[str]
) -> None:
    here.settings(policy={"removal": {"groups": "delete"}})
    here.declare({"bob": BOB | {"title": "Lead"}, "che": CHE}, groups)
    assert here.run("validate").code == 0
    code, said = applied(here)
    assert code == 5
    assert f"{words} " in said
    assert f"mend: {mend}" in said
    assert "(Helpdesk" not in said
    assert here.stored("bob@example.com")["title"] == "Lead"
    assert here.members("Support") == members
    assert "Support" in {each["displayName"] for each in here.service.dump()["Group"]}
    assert not [each for each in here.writes if each.method in ("POST", "DELETE") and "group" in each.path]


@pytest.mark.parametrize("removal", ["keep", "delete"])
def test_a_group_that_is_declared_no_more_is_emptied_of_ours_and_stays(here: Company, removal: str) -> None:
    here.settings(policy={"removal": {"groups": removal}})
    che = here.stored("che@example.com")["id"]
    here.change("Support", {"op": "add", "path": "members", "value": [{"value": che}]})
    here.declare({"bob": BOB, "che": CHE})
    stays = f"it stays, without the members given here: groups cannot be deleted over SCIM; delete Support {PLACE}"
    assert here.apply().said == ([stays] if removal == "delete" else [])
    assert here.members("Support") == ["che@example.com"]
    left = here.plan()
    assert (left.changes, left.refused) == ((), ())


def test_a_group_with_nothing_of_ours_is_spoken_of_once(here: Company) -> None:
    here.settings(policy={"removal": {"groups": "delete"}})
    here.declare({"bob": BOB, "che": CHE}, {"support": SUPPORT | {"members": []}})
    here.apply()
    here.declare({"bob": BOB, "che": CHE})
    assert len(here.apply().said) == 1
    assert here.run("plan").code == 0


@pytest.mark.parametrize("removal", ["keep", "delete"])
def test_to_wait_for_groups_to_be_deleted_is_spoken_of_with_the_line(here: Company, removal: str) -> None:
    here.settings(policy={"removal": {"groups": removal}})
    for command, heading in (("validate", "warning[groups-cannot-be-deleted]: "), ("plan", "! ")):
        ran = here.run(command)
        said = " ".join((ran.out + ran.err).split())
        assert ran.code == 0
        words = f"{heading}policy.removal.groups is delete, and Genesys Cloud deletes no groups over SCIM"
        assert (words in said) is (removal == "delete")
        assert ("reconciler.yaml:" in said) is (removal == "delete")
        assert (f"mend: write keep for target org; delete groups {PLACE}" in said) is (removal == "delete")


@pytest.mark.parametrize(
    ("profile", "groups", "noted"),
    [
        ("genesys", {"support": SUPPORT}, True),
        ("genesys", {"support": SUPPORT | {"targets": ["other"]}}, False),
        ("genesys", {}, False),
        ("rfc", {"support": SUPPORT}, False),
    ],
)
def test_validate_says_once_what_is_impossible_with_groups(
    org: Company, profile: str, groups: dict[str, Any], noted: bool
) -> None:
    org.settings({"other": {"profile": "rfc", "url": "sandbox:"}}, profile=profile)
    org.declare({"bob": {**BOB, "roles": []}}, groups)
    note = (
        "org: groups cannot be created, renamed or deleted over SCIM; each one declared must exist "
        f"{PLACE}, by its displayName, and a plan names those that do not"
    )
    ran = org.run("validate")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines()[1:] == ([f"{note}."] if noted else [])
    assert json.loads(org.run("validate", "--format", "json").out)["notes"] == ([note] if noted else [])
    assert note not in org.run("validate", "--format", "sarif").out


def test_whoever_joins_between_plan_and_apply_stays(here: Company) -> None:
    che = here.stored("che@example.com")["id"]
    here.declare({"bob": BOB, "che": CHE}, {"support": SUPPORT | {"members": []}})
    joined = {"op": "add", "path": "members", "value": [{"value": che}]}
    assert here.apply(meanwhile=lambda: here.change("Support", joined)).said == []
    assert here.members("Support") == ["che@example.com"]


LOGINS = [
    "o'brien@x.example",
    "a+b@x.example",
    "ü@x.example",
    "50%@x.example",
    "a&b=c@x.example",
    "a#b@x.example",
    'q"t@x.example',
    "back\\slash@x.example",
]


@pytest.mark.parametrize("login", LOGINS)
def test_a_login_of_any_letters_is_looked_up_and_found(org: Company, login: str) -> None:
    """A create without an answer is looked for by a filter with the login in it."""
    ann = {"userName": login, "displayName": "Ann"}
    org.declare({"bob": BOB})
    org.apply()
    org.declare({"bob": BOB, "ann": ann}, {"support": {"displayName": "Support", "members": ["ann"]}})

    assert org.apply(meanwhile=lambda: org.elsewhere("POST", "/Users", ann)).said == []
    assert org.plan().changes == ()
    assert org.members("Support") == [login]


def test_a_new_name_by_formerly_is_spoken_of_before_anybody_is_asked(here: Company) -> None:
    here.declare({"bob": BOB, "che": CHE}, {"support": SUPPORT | {"formerly": ["Old Desk"]}})
    ran = here.run("validate")
    assert ran.code == 0
    said = " ".join(ran.err.split())
    assert "warning[groups-cannot-be-renamed]: group.support has formerly" in said
    assert f"give it its new name {PLACE}" in said
