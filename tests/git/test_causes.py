"""Why each thing changes, end to end: commits, a record on a bare origin, an organisation over HTTP, and plan JSON.

The tables of the comparison have their own tests; here is what brings their rows about in a real life: applies that
fail, are cancelled or never start, reverts, squashes, old checkouts, other hands, the calendar.
"""

import json
import signal
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler.sandbox import Request
from reconciler.sandbox.messages import Response
from tests.cli.provider import answer, people
from tests.git.company import TEAM, Company, acceptance_in, apply, causes, said, second_create_held, trailers
from tests.git.test_proof_before_a_removal import ids, request
from tests.git.test_trouble_with_the_record import REFUSES_FINAL
from tests.record.git_world import World, git
from tests.sandbox.raw import stored

PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
CREW = "groups:\n  crew: {{displayName: Crew, members: [{}]{}}}\n"


def others(company: Company, login: str, path: str, value: object, op: str = "replace") -> None:
    """Somebody changes an account on the server."""
    change = {"op": op, "path": path} if op == "remove" else {"op": op, "path": path, "value": value}
    body = {"schemas": [PATCH], "Operations": [change]}
    path = f"{company.running.base.removeprefix(company.running.url)}/Users/{ids(company)[login]}"
    changed = company.running.service.handle(request("PATCH", path, body))
    assert changed.status in (200, 204), changed.body


def group_called(company: Company, name: str) -> dict[str, Any]:
    return stored(company.running.service, name)


def joins(company: Company, name: str, login: str) -> None:
    """Somebody puts an account into a group on the server."""
    change = {"op": "add", "path": "members", "value": [{"value": ids(company)[login]}]}
    path = f"{company.running.base.removeprefix(company.running.url)}/Groups/{group_called(company, name)['id']}"
    changed = company.running.service.handle(request("PATCH", path, {"schemas": [PATCH], "Operations": [change]}))
    assert changed.status in (200, 204), changed.body


def members(company: Company, name: str) -> set[str]:
    """The logins of a group's members."""
    names = {live_id: login for login, live_id in ids(company).items()}
    return {names[each["value"]] for each in group_called(company, name).get("members", ())}


def refuses(*words: bytes) -> Callable[[Request], Response | None]:
    """A server that refuses every write that holds one of these words."""

    def before(request: Request) -> Response | None:
        writes = request.method in ("POST", "PATCH", "DELETE")
        return answer(403, b"{}") if writes and any(each in (request.body or b"") for each in words) else None

    return before


def fails(company: Company, *words: bytes, code: int = 5) -> None:
    company.running.before = refuses(*words)
    assert apply(company.seed).code == code
    company.running.before = lambda request: None


# --- what lines bring about


def test_a_line_that_no_apply_has_seen_is_declared_however_many_merges_ago(company: Company) -> None:
    company.applied()
    company.declare(*TEAM, ann_lee="Lead")
    company.declare(*TEAM, "cem.o", ann_lee="Lead")
    found = causes(company.seed)
    assert (found.changes, found.drift) == (["user.ann.lee title declared", "user.cem.o create declared"], [])


def test_an_apply_that_failed_leaves_what_it_had_announced(company: Company) -> None:
    company.world.commit({"identities/g.yaml": CREW.format("ann.lee", "")})
    company.applied()
    company.world.commit({"identities/g.yaml": CREW.format("bob.li", "")})
    company.declare(*TEAM, "cem.o", ann_lee="Lead")
    fails(company, b"Lead", b"members", b"cem.o")
    expected = ["group.crew +bob.li leftover", "group.crew -ann.lee leftover"]
    found = causes(company.seed)
    assert found.changes == [*expected, "user.ann.lee title leftover", "user.cem.o create leftover"]
    assert found.drift == []
    # on a newer commit that says the same it stays so; what that commit changes is declared
    company.declare(*TEAM, "cem.o", ann_lee="Boss", bob_li="Agent")
    found = causes(company.seed)
    assert found.changes == [
        *expected, "user.ann.lee title declared", "user.bob.li title declared", "user.cem.o create leftover",
    ]  # fmt: skip
    company.applied()
    assert causes(company.seed).changes == []


def test_a_removal_that_failed_is_left_over(company: Company) -> None:
    company.world.commit({"identities/g.yaml": CREW.format("ann.lee, bob.li", "")})
    company.applied()
    company.world.commit({"identities/g.yaml": CREW.format("ann.lee", "")})
    company.declare("ann.lee")
    assert causes(company.seed).changes == ["group.crew -bob.li declared", "user.bob.li active declared"]
    fails(company, b"active", b"members")
    assert causes(company.seed).changes == ["group.crew -bob.li leftover", "user.bob.li active leftover"]
    # declared again: nothing of it has happened, so nothing is left
    company.world.commit({"identities/g.yaml": CREW.format("ann.lee, bob.li", "")})
    company.declare(*TEAM)
    found = causes(company.seed)
    assert (found.changes, found.drift) == ([], [])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_apply_that_was_cancelled_gives_its_turn_back_and_leaves_the_rest(number: int, company: Company) -> None:
    company.declare("ann.lee", "bob.li", "cem.o", "dan.o")
    held, applying = second_create_held(company), company.seed.started("apply", "--auto-approve")
    with held as (reached, let_through), applying as process:
        assert reached.wait(60)
        process.send_signal(number)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.3)
        let_through.set()
        out, err = process.communicate(timeout=60)
    assert process.returncode == 5, out + err
    # one who has not seen it start can go on at once
    other = company.clone("other")
    found = causes(other)
    assert (found.changes, found.drift) == (["user.cem.o create leftover", "user.dan.o create leftover"], [])
    assert "in-progress" not in found.codes
    assert trailers(company.history()[0])["State"] == "done"
    assert apply(other).code == 0
    # who was created by the cancelled run is ours
    company.declare("bob.li", "cem.o", "dan.o", folder=other)
    assert causes(other).changes == ["user.ann.lee active declared"]


def test_a_commit_that_is_taken_back_is_declared_whether_its_write_arrived_or_not(company: Company) -> None:
    company.declare(*TEAM, ann_lee="Agent")
    company.applied()
    company.declare(*TEAM, "cem.o", ann_lee="Lead")
    # it arrives, and the end cannot be recorded: the next run finds out by looking
    hook = company.world.hook("update", REFUSES_FINAL)
    assert apply(company.seed).code == 5
    hook.unlink()
    git(company.world.seed, "revert", "--no-edit", "HEAD")
    git(company.world.seed, "push", "-q", "origin", "main")
    clone = company.clone("other")
    found = causes(clone)
    assert (found.changes, found.drift) == (["user.ann.lee title declared", "user.cem.o active declared"], [])
    # it does not arrive: then there is nothing to take back
    company.running.before = refuses(b"active", b"title")
    refused = apply(clone)
    assert apply(clone, "--accept", acceptance_in(refused.out)).code == 5
    company.running.before = lambda request: None
    git(clone.path, "revert", "--no-edit", "HEAD")
    git(clone.path, "push", "-q", "origin", "main")
    found = causes(clone)
    assert (found.changes, found.drift) == ([], [])


def test_a_squash_brings_only_what_is_new(company: Company) -> None:
    company.applied()
    seed = company.world.seed
    git(seed, "checkout", "-q", "-b", "change")
    company.declare(*TEAM, "cem.o", push=False)
    company.declare(*TEAM, "cem.o", ann_lee="Lead", push=False)
    git(seed, "checkout", "-q", "main")
    company.world.commit({"identities/b.yaml": people("dan.o")})
    company.applied()
    git(seed, "merge", "-q", "--squash", "change")
    git(seed, "commit", "-q", "-m", "squashed")
    git(seed, "push", "-q", "origin", "main")
    found = causes(company.seed)
    assert (found.changes, found.drift) == (["user.ann.lee title declared", "user.cem.o create declared"], [])
    assert "diverged" not in found.codes


def test_an_old_checkout_would_take_back_what_came_later(company: Company) -> None:
    company.applied()
    old = git(company.world.seed, "rev-parse", "HEAD")
    company.declare(*TEAM, "cem.o", ann_lee="Lead")
    company.applied()
    clone = company.clone("old")
    git(clone.path, "checkout", "-q", old)
    found = causes(clone)
    # her title is only not managed there; Cem would be removed, and the rule about old checkouts stops that
    assert (found.changes, found.drift) == (["user.cem.o active declared"], [])
    assert {"behind", "no-longer-managed"} <= set(found.codes)
    assert apply(clone).code == 3
    assert not company.running.writes


# --- what the day brings about


def test_what_only_the_day_changes_is_due(company: Company) -> None:
    today = datetime.now(UTC).date()
    later, much_later = str(today + timedelta(days=40)), str(today + timedelta(days=90))
    soon = today + timedelta(days=10)
    lines = (
        people("ann.lee", "bob.li")
        + f"  cem.o: {{userName: cem.o@example.com, endsOn: {soon}, deleteAfter: 30}}\n"
        + f"  dan.o: {{userName: dan.o@example.com, startsOn: {soon}}}\n"
    )
    crew = f"groups:\n  crew: {{displayName: Crew, members: [ann.lee, {{user: bob.li, until: {soon}}}]}}\n"
    company.world.commit({"identities/a.yaml": lines, "identities/g.yaml": crew})
    company.applied()
    assert causes(company.seed).changes == []
    assert causes(company.seed, "--today", later).changes == [
        "group.crew -bob.li due", "user.cem.o active due", "user.dan.o active due",
    ]  # fmt: skip
    assert "user.cem.o delete due" in causes(company.seed, "--today", much_later).changes
    # a line that moves the day is a line
    other_day = lines.replace(f"endsOn: {soon}", f"endsOn: {soon + timedelta(days=5)}")
    company.world.commit({"identities/a.yaml": other_day})
    assert "user.cem.o active declared" in causes(company.seed, "--today", later).changes


# --- what others bring about


def test_what_others_changed_is_drift_until_a_person_puts_it_right(company: Company) -> None:
    company.world.commit({"identities/g.yaml": CREW.format("ann.lee", "")})
    company.declare(*TEAM, "cem.o", ann_lee="Agent")
    company.applied()
    others(company, "ann.lee@example.com", "title", "Queen")
    others(company, "bob.li@example.com", "active", False)
    gone = ids(company)["cem.o@example.com"]
    company.running.service.handle(Request(method="DELETE", target=f"/scim/v2/Users/{gone}", headers={}, body=b""))
    joins(company, "crew", "bob.li@example.com")
    moved = ["group.crew -bob.li drift", "user.ann.lee title drift", "user.cem.o create drift"]
    found = causes(company.seed)
    assert (found.changes, found.drift) == ([], moved)
    assert "left-inactive" in found.codes
    # an apply leaves it, and its record remembers what the lines say
    assert apply(company.seed).code == 0
    assert not company.running.writes
    assert causes(company.seed).drift == moved
    drift = company.seed.run("drift", "--format", "json")
    assert drift.code == 2
    document = json.loads(drift.out)
    assert document["changes"] == []
    assert {each["address"] for each in document["drift"]} == {"group.crew", "user.ann.lee", "user.cem.o"}
    # somebody puts it right: nobody comes back who has no line that says so
    assert apply(company.seed, "--drift").code == 0
    found = causes(company.seed)
    assert (found.changes, found.drift) == ([], [])
    assert company.seed.run("drift").code == 0
    assert company.active() & {*TEAM, "cem.o"} == {"ann.lee", "cem.o"}


def test_a_line_that_changed_while_others_moved_the_value_is_declared(company: Company) -> None:
    company.declare(*TEAM, ann_lee="Agent")
    company.applied()
    others(company, "ann.lee@example.com", "title", "Queen")
    company.declare(*TEAM, ann_lee="Lead")
    found = causes(company.seed)
    assert (found.changes, found.drift) == (["user.ann.lee title declared"], [])
    assert 'on the server: "Queen"' in company.seed.run("plan").out or "Queen" in company.seed.run("plan").out
    company.applied()
    assert company.running.users()["ann.lee@example.com"]["title"] == "Lead"


def test_a_target_that_corrects_drift_gives_nobody_an_account_back(company: Company) -> None:
    settings = company.running.settings(more="    policy: {drift: correct}\n")
    lines = people("ann.lee", ann_lee="Agent") + "  bob.li: {userName: bob.li@example.com, active: true}\n"
    company.world.commit({"reconciler.yaml": settings, "identities/a.yaml": lines})
    company.applied()
    others(company, "ann.lee@example.com", "title", "Queen")
    others(company, "bob.li@example.com", "active", False)
    found = causes(company.seed)
    assert (found.changes, found.drift) == (["user.ann.lee title drift"], ["user.bob.li active drift"])
    # the command shows both, whatever the policy
    document = json.loads(company.seed.run("drift", "--format", "json").out)
    assert [each["address"] for each in document["drift"]] == ["user.ann.lee", "user.bob.li"]
    assert apply(company.seed).code == 0
    found = causes(company.seed)
    assert (found.changes, found.drift) == ([], ["user.bob.li active drift"])
    assert "bob.li" not in company.active()
    assert apply(company.seed, "--drift").code == 0
    assert "bob.li" in company.active()


def test_without_its_record_every_difference_is_a_line(company: Company) -> None:
    """Nothing tells drift from a new line then: the lines win, nobody is removed, and it is said."""
    company.declare(*TEAM, "cem.o", ann_lee="Agent")
    company.applied()
    others(company, "ann.lee@example.com", "title", "Queen")
    others(company, "bob.li@example.com", "active", False)
    company.declare("ann.lee", "bob.li", ann_lee="Agent")
    git(company.world.origin, "update-ref", "-d", "refs/reconciler/applied/prod")
    clone = company.clone("fresh")
    found = causes(clone)
    assert (found.changes, found.drift) == (["user.ann.lee title declared"], [])
    assert {"no-record", "left-inactive"} <= set(found.codes)
    company.applied(clone)
    assert "cem.o" in company.active()
    assert "bob.li" not in company.active()
    found = causes(clone)
    assert (found.changes, found.drift) == ([], [])


# --- access follows the line


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[Company]:
    with Company.founded(World(tmp_path), "genesys") as founded:
        yield founded


def test_what_a_line_gave_goes_with_it_and_any_other_value_stays(centre: Company) -> None:
    access = "roles: [Agent], routingSkills: {Billing: 3}, routingLanguages: {French: 4}"
    ann = f"  ann.lee: {{userName: ann.lee@example.com, displayName: Ann Lee, title: Lead, {access}}}\n"
    centre.world.commit({"identities/a.yaml": people("bob.li") + ann})
    centre.applied()
    # others give her more, which stays
    others(centre, "ann.lee@example.com", "roles", [{"value": "Supervisor"}], "add")
    centre.declare("ann.lee", "bob.li")
    found = causes(centre.seed)
    assert found.changes == [
        "user.ann.lee -Agent declared", "user.ann.lee -Billing declared", "user.ann.lee -French declared",
    ]  # fmt: skip
    assert found.drift == []
    assert "no-longer-managed" in found.codes
    fails(centre, b"routingSkills")
    found = causes(centre.seed)
    # what could not be taken is tried again; the title was said once
    assert found.changes == ["user.ann.lee -Billing leftover"]
    assert "no-longer-managed" not in found.codes
    centre.applied()
    found = causes(centre.seed)
    assert (found.changes, found.drift) == ([], [])
    stored = centre.running.users()["ann.lee@example.com"]
    assert stored["title"] == "Lead"
    assert "Supervisor" in json.dumps(stored["roles"])
    assert "Agent" not in json.dumps(stored["roles"])


def test_a_membership_goes_with_its_line_and_those_of_others_stay_in_an_additive_group(company: Company) -> None:
    company.world.commit({"identities/g.yaml": CREW.format("ann.lee, bob.li", ", membership: additive")})
    company.declare(*TEAM, "cem.o")
    company.applied()
    joins(company, "crew", "cem.o@example.com")
    company.world.commit({"identities/g.yaml": CREW.format("ann.lee", ", membership: additive")})
    found = causes(company.seed)
    assert (found.changes, found.drift) == (["group.crew -bob.li declared"], [])
    company.world.commit({"identities/g.yaml": "groups:\n  crew: {displayName: Crew}\n"})
    found = causes(company.seed)
    assert (found.changes, found.drift) == (["group.crew -ann.lee declared", "group.crew -bob.li declared"], [])
    company.applied()
    assert members(company, "crew") == {"cem.o@example.com"}
    assert said(company.seed.run("plan")).count("No changes") == 1
