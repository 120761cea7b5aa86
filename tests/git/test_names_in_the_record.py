"""An entry says an id, and git the name: no account is taken for somebody, or away, by what only the record says."""

import json
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from reconciler.model import Address, AppliedState, ResourceType
from reconciler.sandbox import Request
from reconciler.sandbox.messages import Response
from tests.cli.provider import answer, people
from tests.conftest import Ran
from tests.git.company import TEAM, Company, apply, causes, said
from tests.git.test_proof_before_a_removal import forge, ids, left_alone, request, stranger
from tests.git.test_trouble_with_the_record import REFUSES_FINAL

SAYS = "the record says {}, which no applied commit calls it, and {} is somebody else"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


def login(company: Company, key: str, name: str) -> str:
    """Commit that she has another userName."""
    lines = people(*(each for each in TEAM if each != key)) + f"  {key}: {{userName: {name}, displayName: {key}}}\n"
    return company.world.commit({"identities/a.yaml": lines})


def renamed_by_others(company: Company, name: str, to: str) -> None:
    body = {"schemas": [PATCH], "Operations": [{"op": "replace", "path": "userName", "value": to}]}
    changed = company.running.service.handle(request("PATCH", f"/scim/v2/Users/{ids(company)[name]}", body))
    assert changed.status in (200, 204)


def refuses_renames(request: Request) -> Response | None:
    return answer(403, b"{}") if request.method == "PATCH" and b'"userName"' in (request.body or b"") else None


# --- removed under a name that is not the one declared last


def test_a_rename_that_failed_does_not_take_the_proof_away(company: Company) -> None:
    company.applied()
    login(company, "bob.li", "bob.long@example.com")
    company.running.before = refuses_renames
    assert apply(company.seed).code == 5
    # a later change of another line is applied on the way, and the account still has the old name
    lines = people("ann.lee") + "  bob.li: {userName: bob.long@example.com, displayName: Bob, title: Lead}\n"
    company.world.commit({"identities/a.yaml": lines})
    assert apply(company.seed).code == 5
    assert company.running.users()["bob.li@example.com"]["title"] == "Lead"
    company.running.before = lambda request: None
    company.declare("ann.lee")
    assert "# user.bob.li will be deactivated" in company.seed.run("plan").out
    company.applied()
    assert company.active() & set(TEAM) == {"ann.lee"}


def test_a_rename_that_arrived_without_its_record_is_proved(company: Company) -> None:
    company.applied()
    login(company, "bob.li", "bob.long@example.com")
    hook = company.world.hook("update", REFUSES_FINAL)
    assert apply(company.seed).code == 5
    hook.unlink()
    clone = company.clone("other")
    company.declare("ann.lee", folder=clone)
    ran = clone.run("plan")
    assert "# user.bob.li will be deactivated" in ran.out, said(ran)


def test_a_new_key_may_say_how_she_was_called(company: Company) -> None:
    """Key and login change, the rename fails, and then she leaves."""
    company.applied()
    lines = people("ann.lee") + "  bob.long: {userName: bob.long@example.com, formerly: [bob.li@example.com]}\n"
    company.world.commit({"identities/a.yaml": lines})
    company.running.before = refuses_renames
    assert apply(company.seed).code == 5
    company.running.before = lambda request: None
    company.declare("ann.lee")
    company.applied()
    assert company.active() & set(TEAM) == {"ann.lee"}


def test_who_was_renamed_by_others_and_left_is_named_and_stays(company: Company) -> None:
    """Whoever renamed the account may have given it to somebody else; only the id would say that it is still his."""
    company.applied()
    renamed_by_others(company, "bob.li@example.com", "carl.o@example.com")
    company.declare("ann.lee")
    left_alone(company, company.seed.run("plan"), "carl.o")
    assert "by another name than the carl.o@example.com" in said(apply(company.seed))
    assert "carl.o" in company.active()
    # it is said until somebody decides
    company.world.commit({"identities/r.yaml": "released: [bob.li]\n"})
    company.applied()


# --- an entry of somebody who is declared, pointing elsewhere


def points(key: str, live_id: str) -> Callable[[AppliedState], AppliedState]:
    address = Address(ResourceType.USER, key)
    return lambda state: replace(
        state, resources={**state.resources, address: replace(state.resources[address], live_id=live_id)}
    )


def nothing_of(ran: Ran, *names: str, code: int = 5) -> None:
    assert ran.code == code, ran.out + ran.err
    for name in names:
        assert f"# {name} " not in ran.out
    assert "which no applied commit calls it" in said(ran)


def test_nobody_takes_the_place_of_somebody_by_the_record(company: Company) -> None:
    """Eve would get the name, the lines and the groups of Ann."""
    crew = "groups:\n  crew: {displayName: Crew, members: [bob.li]}\n"
    company.world.commit({"identities/g.yaml": crew})
    company.applied()
    eve = stranger(company)
    before = company.running.users()["eve.x@example.com"]
    forge(company, points("ann.lee", eve))
    company.world.commit({"identities/g.yaml": crew.replace("bob.li", "bob.li, ann.lee")})
    company.declare(*TEAM, ann_lee="Boss", bob_li="Lead")
    ran = company.seed.run("plan")
    nothing_of(ran, "user.ann.lee", "group.crew")
    assert SAYS.format("eve.x@example.com", "ann.lee@example.com") in said(ran)
    nothing_of(apply(company.seed), "user.ann.lee")
    assert company.running.users()["eve.x@example.com"] == before
    groups = {each["displayName"]: each for each in company.running.service.dump()["Group"]}
    assert eve not in {each["value"] for each in groups["Crew"]["members"]}
    # all others went on
    assert company.running.users()["bob.li@example.com"]["title"] == "Lead"


def test_two_whose_entries_were_exchanged_are_both_left(company: Company) -> None:
    company.applied()
    known = ids(company)
    forge(company, points("ann.lee", known["bob.li@example.com"]))
    forge(company, points("bob.li", known["ann.lee@example.com"]))
    company.declare(*TEAM, ann_lee="Boss")
    nothing_of(apply(company.seed), "user.ann.lee", "user.bob.li")
    assert not company.running.writes


def test_a_group_of_others_is_not_taken_for_one_of_ours(company: Company) -> None:
    company.world.commit({"identities/g.yaml": "groups:\n  crew: {displayName: Crew, members: [ann.lee]}\n"})
    company.applied()
    bob = ids(company)["bob.li@example.com"]
    body = {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
        "displayName": "Board",
        "members": [{"value": bob}],
    }
    board = json.loads(company.running.service.handle(request("POST", "/scim/v2/Groups", body)).body)["id"]
    address = Address(ResourceType.GROUP, "crew")
    forge(
        company,
        lambda state: replace(
            state, resources={**state.resources, address: replace(state.resources[address], live_id=board)}
        ),
    )
    nothing_of(apply(company.seed, "--drift"), "group.crew")
    groups = {each["displayName"]: each for each in company.running.service.dump()["Group"]}
    assert [each["value"] for each in groups["Board"]["members"]] == [bob]


@pytest.mark.parametrize("options", [(), ("--depth", "1"), ("--filter=blob:none",)], ids=lambda each: "".join(each))
def test_names_that_move_on_in_one_commit_still_do(options: tuple[str, ...], company: Company) -> None:
    """Ann takes the name that Bob gives up: git shows that Ann's account was called so before."""
    company.applied()
    lines = [
        "  ann.lee: {userName: bob.li@example.com, displayName: Ann Lee}",
        "  bob.li: {userName: rob.li@example.com, displayName: Bob Li}",
    ]
    company.world.commit({"identities/a.yaml": "\n".join(["users:", *lines, ""])})
    known = ids(company)
    clone = company.clone("clone", *options)
    company.applied(clone)
    after = ids(company)
    assert after["bob.li@example.com"] == known["ann.lee@example.com"]
    assert after["rob.li@example.com"] == known["bob.li@example.com"]
    assert clone.run("plan", "--detailed-exitcode").code == 0


def test_a_rename_by_others_is_drift_and_can_be_put_right(company: Company) -> None:
    company.applied()
    renamed_by_others(company, "bob.li@example.com", "bobby@example.com")
    found = causes(company.seed)
    assert (found.changes, found.drift) == ([], ["user.bob.li userName drift"])
    assert company.seed.run("plan").code == 0
    assert apply(company.seed, "--drift").code == 0
    assert "bob.li@example.com" in ids(company)


def test_a_name_that_others_gave_to_somebody_else_is_left_to_people(company: Company) -> None:
    company.applied()
    renamed_by_others(company, "bob.li@example.com", "bobby@example.com")
    new = stranger(company, "bob.li")
    nothing_of(apply(company.seed, "--drift"), "user.bob.li")
    # once the stranger is gone it is drift like any other
    assert company.running.service.handle(
        Request(method="DELETE", target=f"/scim/v2/Users/{new}", headers={}, body=b"")
    )
    assert apply(company.seed, "--drift").code == 0
    assert "bob.li@example.com" in ids(company)
