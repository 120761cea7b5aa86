"""Every open question about a contact centre, with every answer: the whole life ends in an empty plan, or says why not.

Where an answer makes something impossible, one line says what, and what to do: a line in the settings, in the
declarations, or on the server. With that done the plan is empty. `ANSWERS` is held to the page on the sandbox.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from reconciler.sandbox import Request, Switches
from reconciler.sandbox.messages import Response
from tests.genesys.company import ENT, Company, company
from tests.genesys.life import ANN, BOB, CHE, group, steps
from tests.genesys.open_questions import OPEN

LISTS = ["roles", "routingSkills", "routingLanguages", "externalIds", "emails", "phoneNumbers"]
SINGLE = ["title", "department", "division", "manager", "employeeNumber", "dateHire", "externalId"]

ANSWERS: Mapping[str, list[Any]] = {
    "restore": [True, False],
    "restoreStatus": [200, 201],
    "restoreKeeps": [True, False],
    "putKeepsOmitted": [True, False],
    "emptyValuesIgnored": [True, False],
    "replaceMerges": [[], *([each] for each in LISTS), LISTS],
    "unremovable": [[]],
    "unknownNames": ["refuse", "ignore"],
    "unknownAttributes": ["refuse", "ignore"],
    "forbidden": [[]],
    "forbiddenWrites": ["refuse", "ignore"],
    "onlySlotFilters": [False],
    "missingSlotCreated": [True, False],
    "otherEmail": ["refuse", "ignore"],
    "groupRename": ["refuse", "ignore"],
    "memberRemove": ["removes"],
    "memberReplace": ["sets", "empties"],
    "nestedGroups": [True, False],
    "operationsPerPatch": [None, 1, 2, 10],
    "membersPerPatch": [None, 1],
    "membersPerGroup": [None],
    "conflict": [400, 409, 412],
    "deleteStatus": [200, 204],
    "phoneForm": ["e164", "tel"],
    "bareExtensions": [True],
    "externalIdPerClient": [True, False],
    "caseExact": [[], ["userName"], ["displayName"], ["userName", "displayName", "externalId"]],
    "inactiveFound": [True, False],
    "emailIsUserName": [True, False],
    "onlyEquality": [True, False],
    "unsupported": [[], ["etag"], ["sort"]],
    "refusedPage": [None],
    "lastIndex": [None, 1],
    "groupsNeedFilter": [True, False],
    "listedWithout": [[], ["members"], ["externalId", *LISTS]],
    "visibilityDelay": [0, 1, 3],
    "errors": ["mixed", "platform", "scim"],
    "limitsListed": [True, False],
    "rateLimit": [None, 6000],
    "rateScope": ["token", "client"],
    "retryAfter": ["seconds", "date"],
}
"""Answers with which everything can be done."""
ELSEWHERE = {
    "unremovable": "test_what_cannot_be_cleared_is_said_with_the_line_that_ends_it",
    "forbidden": "test_a_right_that_is_missing_is_named_and_all_else_is_done",
    "onlySlotFilters": "test_a_role_that_cannot_be_taken_one_by_one_is_taken_by_hand",
    "membersPerGroup": "test_who_finds_no_place_in_a_group_is_named_and_the_others_are_in_it",
    "memberRemove": "test_a_member_who_cannot_be_taken_alone_is_taken_by_hand",
    "bareExtensions": "test_an_extension_that_is_refused_is_written_as_a_number",
    "unsupported": "test_an_organisation_that_cannot_filter_or_patch_says_so",
    "refusedPage": "test_reading.test_a_page_that_is_too_much_is_halved",
}
"""The others, by the test that is about them."""


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(each.capitalize() for each in rest)


def test_every_open_question_is_asked() -> None:
    assert set(ANSWERS) == set(OPEN)
    for each in dataclasses.fields(Switches):
        if (name := camel(each.name)) in OPEN and name not in ELSEWHERE:
            assert len(ANSWERS[name]) > 1, name


def default(name: str) -> Any:
    (found,) = [each.default for each in dataclasses.fields(Switches) if camel(each.name) == name]
    return list(found) if isinstance(found, tuple) else found


ODD = [(name, each) for name, answers in ANSWERS.items() for each in answers if each != default(name)]


@pytest.mark.parametrize("switches", [{}, *({name: answer} for name, answer in ODD)], ids=str)
def test_the_whole_life_converges(tmp_path: Path, switches: dict[str, Any]) -> None:
    """As the organisation is by itself, and with each answer that is another one."""
    with company(tmp_path, **switches) as org:
        for step in steps(org):
            assert org.apply().said == [], step
            assert org.plan(drift=True).changes == (), step


@pytest.mark.parametrize("answers", [{}, {"visibilityDelay": 1, "errors": "platform"}], ids=str)
def test_the_answers_together_converge(tmp_path: Path, answers: dict[str, Any]) -> None:
    """Everything at once that is not the default, as far as it goes together."""
    odd: dict[str, Any] = {
        name: each[-1] if each[-1] != default(name) else each[0]
        for name, each in ANSWERS.items()
        if name not in ("caseExact", "unsupported", "listedWithout", "rateLimit", "rateScope")
    }
    with company(tmp_path, **odd | answers) as org:
        for step in steps(org):
            assert org.apply().said == [], step
            assert org.plan(drift=True).changes == (), step


def until_said(org: Company) -> Iterator[tuple[str, str]]:
    """(step, what is said) for each step at which something is."""
    for step in steps(org):
        said = org.apply().said
        if said:
            yield step, "; ".join(said)


@pytest.mark.parametrize("name", [*SINGLE, *LISTS])
def test_what_cannot_be_cleared_is_said_with_the_line_that_ends_it(tmp_path: Path, name: str) -> None:
    with company(tmp_path, unremovable=[name]) as org:
        step, said = next(until_said(org))
        assert step == ("change" if name in ("roles", "routingSkills", "routingLanguages") else "clear")
        assert name in said
        assert f"if this server is like that: notStored: [{name}] in the target's settings" in said
        org.settings(notStored=[name])
        assert org.plan(drift=True).changes == ()


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("title", "directory:user:edit"),
        ("roles", "authorization:grant:add and authorization:grant:delete"),
        ("routingSkills", "routing:skill:assign"),
        ("routingLanguages", "routing:language:assign"),
        ("phoneNumbers", "telephony:extension:assign"),
        ("members", "directory:group:edit"),
    ],
)
def test_a_right_that_is_missing_is_named_and_all_else_is_done(tmp_path: Path, name: str, right: str) -> None:
    with company(tmp_path) as org:
        ann = ANN | {"manager": None, "roles": [], "routingSkills": {}, "routingLanguages": {}, "phoneNumbers": {}}
        org.declare({"ann": ann, "bob": BOB})
        org.apply()
        switches = org.service.directory.organisation.switches
        org.service.switch(dataclasses.replace(switches, forbidden=(name,)))
        org.declare({"ann": ANN | {"title": "Lead", "department": "Sales"}, "bob": BOB}, group("bob"))
        ran = org.run("apply", "--auto-approve")
        said = " ".join(ran.out.partition("Failed:")[2].split())
        assert ran.code == 5
        assert f"403: {name}" in said or f"may not write {name}" in said or f":{name}; it takes" in said
        assert f"it takes {right} (request " in said
        assert "identities/all.yaml:" in said
        left = {
            item.path.rpartition(":")[2].partition("[")[0]
            for one in org.plan().changes
            for item in one.attribute_changes
        }
        assert left == {name}
        org.service.switch(switches)
        assert org.apply().said == []
        assert org.plan().changes == ()


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("title", ""),
        ("roles", "authorization:grant:add and authorization:grant:delete"),
        ("routingSkills", "routing:skill:assign"),
        ("phoneNumbers", "telephony:extension:assign"),
    ],
)
def test_what_is_passed_over_without_a_word_for_want_of_a_right_is_told(tmp_path: Path, name: str, right: str) -> None:
    with company(tmp_path, forbidden=[name], forbiddenWrites="ignore") as org:
        org.declare({"ann": ANN | {"manager": None, "department": "Sales"}})
        (said,) = org.apply().said
        assert said.startswith("the server answered yes and did not keep ")
        assert name in said
        assert (f"check that the credential has {right};" in said) is bool(right)
        assert f"if this server is like that: notStored: [{name}]" in said
        assert org.stored("ann@example.com")[ENT]["department"] == "Sales"
        org.service.switch(Switches())
        assert org.apply().said == []
        assert org.plan().changes == ()


@pytest.mark.parametrize("answer", ["refused", "ignored"])
def test_a_member_who_cannot_be_taken_alone_is_taken_by_hand(tmp_path: Path, answer: str) -> None:
    """A group is never replaced as a whole: whoever joined meanwhile would be thrown out."""
    with company(tmp_path, memberRemove=answer) as org:
        org.declare({"bob": BOB, "che": CHE}, group("bob", "che"))
        assert org.apply().said == []
        org.declare({"bob": BOB, "che": CHE}, group("bob"))
        done = org.apply()
        (said,) = done.said
        if answer == "refused":
            words = "this server takes no single member out of a group, and a group is never replaced as a whole"
            assert f"{words}; take them out there" in said
        else:
            assert said == "the server answered yes and did not keep members (che); take them out on the server"
            assert done.notes == "still there: che@example.com"
        assert org.members("Support") == ["bob@example.com", "che@example.com"]
        held = [
            each for each in org.stored("Support")["members"] if each["value"] == org.stored("bob@example.com")["id"]
        ]
        org.change("Support", {"op": "replace", "path": "members", "value": held})
        assert org.plan().changes == ()


def test_who_finds_no_place_in_a_group_is_named_and_the_others_are_in_it(tmp_path: Path) -> None:
    people = {f"p{each}": {"userName": f"p{each}@example.com", "displayName": "P"} for each in range(9)}
    with company(tmp_path, membersPerGroup=6) as org:
        org.declare(people, group(*people))
        (said,) = org.apply().said
        assert "A group has at most 6 members" in said
        assert "the rest of the change is done" in said
        held = org.members("Support")
        left = people.keys() - {each.partition("@")[0] for each in held}
        assert len(held) == 6
        assert all(f"{each}@example.com" in said or f"user.{each}" in said for each in left)
        assert {each.item for each in org.plan().changes[0].attribute_changes} == {
            org.stored(f"{each}@example.com")["id"] for each in left
        }
        org.declare(people, group(*(each.partition("@")[0] for each in held)))
        assert org.apply().said == []
        assert org.plan().changes == ()


@pytest.mark.parametrize("name", ["roles", "routingSkills", "userName"])
def test_a_create_without_the_right_says_which_and_the_others_are_made(tmp_path: Path, name: str) -> None:
    with company(tmp_path, forbidden=[name]) as org:
        org.declare({"ann": ANN | {"manager": None}, "che": {"displayName": "Che", "userName": "che@example.com"}})
        done = org.apply()
        rights = {"roles": "authorization:grant:add", "routingSkills": "routing:skill:assign", "userName": "user:add"}
        assert rights[name] in done.said[0]
        assert len(done.failed) == (2 if name == "userName" else 1)


def test_a_refusal_that_names_nothing_is_told_with_every_right_it_may_be_about(tmp_path: Path) -> None:
    def refuse(request: Request) -> Response | None:
        body = b'{"message": "You are not permitted.", "code": "not.authorized", "status": 403}'
        return Response(status=403, headers={}, body=body) if request.method == "POST" else None

    with company(tmp_path) as org:
        org.declare({"che": CHE | {"roles": ["Agent"], "routingSkills": {"Billing": 1}}})
        org.before = refuse
        (said,) = org.apply().said
        rights = (
            "directory:user:add, for roles authorization:grant:add and authorization:grant:delete, "
            "for routingSkills routing:skill:assign"
        )
        assert said == f"You are not permitted; it takes {rights}"


def test_a_role_that_cannot_be_taken_one_by_one_is_taken_by_hand(tmp_path: Path) -> None:
    """The list is never set as a whole: grants carry divisions, which could not be given back."""
    with company(tmp_path, onlySlotFilters=True) as org:
        step, said = next(until_said(org))
        assert step == "change"
        assert "this server takes no single value out of a list, and the list is never set as a whole" in said
        (left,) = org.plan().changes
        assert [(each.path, each.item) for each in left.attribute_changes] == [("roles", "Supervisor")]
        held = [each for each in org.stored("ann@example.com")["roles"] if each["value"] != "Supervisor"]
        org.change("ann@example.com", {"op": "replace", "path": "roles", "value": held})
        assert org.plan().changes == ()


def test_an_extension_that_is_refused_is_written_as_a_number(tmp_path: Path) -> None:
    with company(tmp_path, bareExtensions=False) as org:
        step, said = next(until_said(org))
        assert step == "create"
        assert "'9001' needs a + and a country code" in said
        phones = ANN["phoneNumbers"] | {"work3": "+44 20 7946 0000 x9001"}
        org.declare({"ann": ANN | {"phoneNumbers": phones}, "bob": BOB, "che": CHE}, group("ann", "bob"))
        assert org.apply().said == []
        assert org.plan().changes == ()


@pytest.mark.parametrize(
    ("feature", "code", "words"),
    [
        ("filter", 1, "it was asked for active eq false"),
        ("patch", 5, "this server does not change groups in place, and a group is never replaced as a whole"),
    ],
)
def test_an_organisation_that_cannot_filter_or_patch_says_so(
    tmp_path: Path, feature: str, code: int, words: str
) -> None:
    with company(tmp_path, unsupported=[feature]) as org:
        org.declare({"bob": BOB}, group("bob"))
        ran = org.run("apply", "--auto-approve")
        assert ran.code == code
        assert words in " ".join((ran.out + ran.err).split())


NAMES: dict[str, dict[str, Any]] = {
    "roles": {"roles": ["Wizard"]},
    "division": {"division": "Atlantis"},
    "routingSkills": {"routingSkills": {"billing": 3}},
    "routingLanguages": {"routingLanguages": {"english": 3}},
}


@pytest.mark.parametrize("new", [True, False], ids=["new", "changed"])
@pytest.mark.parametrize("answer", ["refuse", "ignore"])
@pytest.mark.parametrize("name", ["roles", "division", "routingSkills", "routingLanguages"])
def test_a_name_that_the_organisation_lacks(tmp_path: Path, name: str, answer: str, new: bool) -> None:
    """Refused or passed over: the report has the name, the file and the line; whoever else is declared gets his."""
    with company(tmp_path, unknownNames=answer) as org:
        if not new:
            org.declare({"che": CHE})
            org.apply()
        org.declare({"che": CHE | NAMES[name], "bob": BOB})
        ran = org.run("apply", "--auto-approve")
        said = " ".join(ran.out.rpartition("requests, a few seconds")[2].split())
        (wrong,) = NAMES[name][name] if isinstance(NAMES[name][name], list | dict) else [NAMES[name][name]]
        assert ran.code == 5
        assert wrong in said
        assert "identities/all.yaml:" in said
        assert "restored" not in said
        if answer == "ignore":
            assert f"mend: check that the server has this, by exactly this name: {name} ({wrong})" in said
        assert [each["value"] for each in org.stored("bob@example.com")["roles"]] == ["Supervisor"]
        org.declare({"che": CHE, "bob": BOB})
        assert org.apply().said == []
        assert org.plan().changes == ()


def test_what_a_new_account_gets_although_it_is_to_be_empty_is_told_and_cleared_next(org: Company) -> None:
    org.declare({"che": CHE | {"division": None}})
    done = org.apply()
    assert done.said == ['the server gave division by itself: "Home"; apply again: it is cleared then']
    assert org.apply().said == []
    assert org.plan().changes == ()
