"""Nobody is removed because the record says so: git has to show that a reviewed commit declared her once."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from reconciler.model import Address, AppliedItem, AppliedList, AppliedResource, AppliedState, ListMode, ResourceType
from reconciler.record.encoding import decode, encode
from reconciler.record.header import RecordHeader, url_fingerprint
from reconciler.sandbox import Request
from tests.cli.in_process import quick
from tests.cli.provider import people
from tests.conftest import Ran
from tests.git.company import TEAM, Company, acceptance_in, apply, said
from tests.record.git_world import TARGET, git, message

GROUP = "groups:\n  crew: {{displayName: Crew, members: [{members}]}}\n"
NOT_PROVED = "not proved, left as it is"


def forge(company: Company, change: Callable[[AppliedState], AppliedState]) -> None:
    """Somebody with write access moves the record."""
    url = f"{company.running.url}/scim/v2"
    git(company.world.seed, "fetch", "-q", "origin", "+refs/reconciler/*:refs/reconciler/*")
    store = company.world.store(company.world.seed)
    snapshot = store.read()
    state, _ = decode(snapshot.files, target=TARGET, url=url)
    header = RecordHeader(target=TARGET, url_fingerprint=url_fingerprint(url))
    store.write(encode(change(state), header, None), expected=snapshot.version, message=message("done"))


def entry(key: str, live_id: str, source: str | None) -> AppliedResource:
    return AppliedResource(address=Address(ResourceType.USER, key), live_id=live_id, source=source)


def claiming(*entries: AppliedResource) -> Callable[[AppliedState], AppliedState]:
    return lambda state: replace(state, resources={**state.resources, **{each.address: each for each in entries}})


def ids(company: Company) -> dict[str, str]:
    return {name: str(user["id"]) for name, user in company.running.users().items()}


def stranger(company: Company, key: str = "eve.x") -> str:
    """An account that others made, and its id."""
    body = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": f"{key}@example.com"}
    made = company.running.service.handle(request("POST", "/scim/v2/Users", body))
    return str(json.loads(made.body)["id"])


def request(method: str, target: str, body: object) -> Request:
    return Request(method=method, target=target, headers={}, body=json.dumps(body).encode())


def left_alone(company: Company, ran: Ran, *keys: str, code: int = 5) -> None:
    assert ran.code == code, ran.out + ran.err
    assert NOT_PROVED in said(ran)
    assert company.active() >= set(keys)


# --- proved


def test_a_removal_says_where_the_line_stood(company: Company) -> None:
    company.world.commit({"identities/emea/support.yaml": people("cem.o")})
    company.applied()
    git(company.world.seed, "rm", "-q", "identities/emea/support.yaml")
    company.world.commit({})
    planned = company.seed.run("plan")
    assert planned.code == 0
    assert "# user.cem.o will be deactivated" in planned.out
    assert "removed from identities/emea/support.yaml" in planned.out
    company.applied()
    assert company.active() & {*TEAM, "cem.o"} == set(TEAM)


def test_a_group_is_emptied_of_those_we_gave(company: Company) -> None:
    company.world.commit({"identities/g.yaml": GROUP.format(members="ann.lee, bob.li")})
    company.applied()
    git(company.world.seed, "rm", "-q", "identities/g.yaml")
    company.world.commit({})
    planned = company.seed.run("plan")
    assert "removed from identities/g.yaml" in planned.out
    company.applied()
    assert company.seed.run("plan", "--detailed-exitcode").code == 0


def test_the_case_of_a_key_does_not_matter(company: Company) -> None:
    company.declare(*TEAM, "Cem.O")
    company.applied()
    # the entry keeps its commit: only the spelling changed
    company.declare(*TEAM, "cem.o")
    company.declare(*TEAM)
    assert "# user.Cem.O will be deactivated" in company.seed.run("plan").out


def test_a_new_key_is_proved_by_the_commit_that_gave_it(company: Company) -> None:
    company.declare(*TEAM, "cem.o")
    company.applied()
    moved = people(*TEAM) + "  cem.okafor: {userName: cem.o@example.com, displayName: Cem O}\n"
    company.world.commit({"identities/a.yaml": moved})
    company.applied()
    company.declare(*TEAM, ann_lee="Lead")
    company.applied()
    assert "cem.o" not in company.active()


def test_a_folder_that_was_moved_still_proves(company: Company) -> None:
    company.declare(*TEAM, "cem.o")
    company.applied()
    git(company.world.seed, "mv", "identities", "people")
    settings = company.running.settings(more="    identities: [people]\n")
    company.world.commit({"reconciler.yaml": settings, "people/a.yaml": people(*TEAM)})
    planned = company.seed.run("plan")
    assert planned.code == 0
    assert "removed from identities/a.yaml" in planned.out


def test_settings_below_the_top_of_the_repository(company: Company) -> None:
    seed = company.world.seed
    git(seed, "rm", "-rq", "reconciler.yaml", "identities")
    company.world.commit({"hr/reconciler.yaml": company.running.settings(), "hr/identities/a.yaml": people(*TEAM)})
    below = quick(seed / "hr")
    company.applied(below)
    company.world.commit({"hr/identities/a.yaml": people("ann.lee")})
    planned = below.run("plan")
    assert planned.code == 0
    assert "removed from identities/a.yaml" in planned.out


@pytest.mark.parametrize("options", [(), ("--depth", "1"), ("--filter=blob:none",)], ids=lambda each: "".join(each))
def test_every_kind_of_clone_finds_the_proof(options: tuple[str, ...], company: Company) -> None:
    company.applied()
    for title in ("Agent", "Lead"):
        company.declare(*TEAM, ann_lee=title)
    company.declare("ann.lee")
    clone = company.clone("clone", *options)
    planned = clone.run("plan")
    assert planned.code == 0, planned.out + planned.err
    assert "removed from identities/a.yaml" in planned.out
    company.applied(clone)
    assert "bob.li" not in company.active()


def test_after_a_rewritten_main_the_newly_applied_commit_proves(company: Company) -> None:
    company.applied()
    git(company.world.seed, "commit", "-q", "--amend", "-m", "another history")
    company.declare(*TEAM, ann_lee="Lead")
    git(company.world.seed, "reflog", "expire", "--expire=now", "--all")
    refused = apply(company.seed)
    assert apply(company.seed, "--accept", acceptance_in(refused.out)).code == 0
    company.declare("ann.lee")
    company.applied()
    assert "bob.li" not in company.active()


# --- not proved


def test_somebody_who_was_never_declared_stays(company: Company) -> None:
    company.applied()
    eve = stranger(company)
    head = git(company.world.seed, "rev-parse", "HEAD")
    forge(company, claiming(entry("eve.x", eve, head)))
    left_alone(company, company.seed.run("plan"), "eve.x", *TEAM)
    company.declare(*TEAM, ann_lee="Lead")
    left_alone(company, apply(company.seed), "eve.x", *TEAM)
    # everything else was done, and it is said again until somebody mends the record
    assert company.running.users()["ann.lee@example.com"]["title"] == "Lead"
    left_alone(company, company.seed.run("plan"), "eve.x", *TEAM)


def test_every_entry_that_points_at_her_is_named(company: Company) -> None:
    company.applied()
    eve = stranger(company)
    head = git(company.world.seed, "rev-parse", "HEAD")
    forge(company, claiming(entry("eve.x", eve, head), entry("eve.y", eve, head)))
    planned = company.seed.run("plan")
    left_alone(company, planned, "eve.x", *TEAM)
    assert [key for key in ("user.eve.x", "user.eve.y") if f"# {key}: {NOT_PROVED}" in planned.out] == [
        "user.eve.x",
        "user.eve.y",
    ]


@pytest.mark.parametrize(
    "source", ["0" * 39 + "1", None, "HEAD", "--upload-pack=touch {}", "main"], ids=lambda each: str(each)[:10]
)
def test_a_commit_that_does_not_exist_proves_nothing(source: str | None, company: Company, tmp_path: Path) -> None:
    """Nor is it an option for git, in a clone that would fetch it either."""
    touched = tmp_path / "touched"
    company.applied()
    eve = stranger(company)
    forge(company, claiming(entry("eve.x", eve, source and source.format(touched))))
    left_alone(company, company.seed.run("plan"), "eve.x")
    left_alone(company, company.clone("shallow", "--depth", "1").run("plan"), "eve.x")
    assert not touched.exists()


def test_a_branch_that_was_never_merged_proves_nothing(company: Company) -> None:
    company.applied()
    eve = stranger(company)
    seed = company.world.seed
    git(seed, "checkout", "-q", "-b", "mine")
    forged = company.declare(*TEAM, "eve.x", push=False)
    git(seed, "push", "-q", "origin", "mine")
    git(seed, "checkout", "-q", "main")
    forge(company, claiming(entry("eve.x", eve, forged)))
    left_alone(company, company.seed.run("plan"), "eve.x")
    left_alone(company, company.clone("shallow", "--depth", "1").run("plan"), "eve.x")


def test_naming_that_branch_as_what_was_applied_stops_the_apply(company: Company) -> None:
    company.applied()
    eve = stranger(company)
    git(company.world.seed, "checkout", "-q", "-b", "mine")
    forged = company.declare(*TEAM, "eve.x", push=False)
    git(company.world.seed, "checkout", "-q", "main")
    forge(company, lambda state: replace(claiming(entry("eve.x", eve, forged))(state), commit=forged))
    refused = apply(company.seed)
    assert refused.code == 3
    assert "behind" in refused.out
    assert not company.running.writes


def test_an_old_key_does_not_lend_its_proof_to_another_account(company: Company) -> None:
    company.declare(*TEAM, "cem.o")
    company.applied()
    company.declare(*TEAM)
    company.applied()
    eve = stranger(company)
    source = git(company.world.seed, "rev-parse", "HEAD~1")
    forge(company, claiming(entry("cem.o", eve, source)))
    ran = company.seed.run("plan")
    left_alone(company, ran, "eve.x")
    assert "by another name than the eve.x@example.com" in said(ran)


def test_a_group_that_was_never_declared_keeps_its_members(company: Company) -> None:
    company.applied()
    known = ids(company)
    body = {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
        "displayName": "Board",
        "members": [{"value": known["bob.li@example.com"]}],
    }
    board = json.loads(company.running.service.handle(request("POST", "/scim/v2/Groups", body)).body)
    ours = AppliedList(mode=ListMode.AUTHORITATIVE, items={known["bob.li@example.com"]: AppliedItem()})
    address = Address(ResourceType.GROUP, "board")
    head = git(company.world.seed, "rev-parse", "HEAD")
    forge(
        company,
        claiming(AppliedResource(address=address, live_id=board["id"], source=head, lists={"members": ours})),
    )
    ran = company.seed.run("plan")
    assert ran.code == 5
    assert NOT_PROVED in said(ran)
    assert "group.board" in said(ran)
    assert "Plan:" not in ran.out


def test_nothing_of_a_forged_entry_is_touched_through_a_group_either(company: Company) -> None:
    """An additive group of ours would lose the member that the record calls ours."""
    eve = stranger(company)
    crew = "{displayName: Crew, membership: additive, members: [ann.lee, {live: eve.x@example.com}]}"
    company.world.commit({"identities/g.yaml": f"groups:\n  crew: {crew}\n"})
    company.applied()
    forge(company, claiming(entry("eve.x", eve, git(company.world.seed, "rev-parse", "HEAD"))))
    company.world.commit({"identities/g.yaml": GROUP.format(members="ann.lee")})
    left_alone(company, apply(company.seed), "eve.x")
    groups = {each["displayName"]: each for each in company.running.service.dump()["Group"]}
    assert eve in {each["value"] for each in groups["Crew"]["members"]}


def test_releasing_her_mends_the_record(company: Company) -> None:
    company.applied()
    eve = stranger(company)
    forge(company, claiming(entry("eve.x", eve, None)))
    company.world.commit({"identities/r.yaml": "released: [eve.x]\n"})
    company.applied()
    company.world.commit({"identities/r.yaml": "released: []\n"})
    assert company.seed.run("plan").code == 0
    assert "eve.x" in company.active()


def test_without_git_no_proof_is_asked_for(company: Company, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = quick(tmp_path_factory.mktemp("outside"))
    folder.write("reconciler.yaml", company.running.settings())
    folder.write("identities/a.yaml", people(*TEAM))
    company.applied(folder)
    folder.write("identities/a.yaml", people("ann.lee"))
    assert "# user.bob.li will be deactivated" in folder.run("plan").out
    company.applied(folder)
    assert "bob.li" not in company.active()
