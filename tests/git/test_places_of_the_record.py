"""Where the record stands on the remote: a ref of its own or a branch that can be locked; moving it."""

import re

import pytest

from reconciler.record.git import BRANCH, PLACE
from reconciler.record.store import RecordRaceLost
from tests.cli.in_process import QuickFolder
from tests.git.company import TEAM, Company, apply, said, trailers
from tests.record.git_world import REF, git, message, repository

ON_BRANCH = "refs/heads/reconciler/applied/prod"
REFUSES_TO_DELETE = (
    'test "$3" = 0000000000000000000000000000000000000000 && { echo "policy: kept" >&2; exit 1; }; exit 0'
)


def place(company: Company, ref: str) -> str:
    settings = company.running.settings() + f"record: {{ref: {ref}}}\n"
    return company.world.commit({"reconciler.yaml": settings})


def refs(company: Company) -> set[str]:
    """Where records stand on the origin."""
    found = git(company.world.origin, "for-each-ref", "--format=%(refname)").split()
    return {each for each in found if "/applied/" in each}


def states_at(company: Company, ref: str) -> list[str]:
    """From the oldest."""
    log = git(company.world.origin, "log", "--reverse", "--format=%B%x00", ref).split("\0")
    return [trailers(each)["State"] for each in log if each.strip()]


def test_a_branch_holds_the_record(company: Company) -> None:
    place(company, BRANCH)
    company.applied()
    assert refs(company) == {ON_BRANCH}
    assert states_at(company, ON_BRANCH) == ["claimed", "done"]
    # the clone gets no branch that anybody would stumble over
    assert git(company.world.seed, "branch", "--list").split() == ["*", "main"]
    other = company.clone("other")
    company.declare("ann.lee", folder=other)
    assert "# user.bob.li will be deactivated" in other.run("plan").out
    company.applied(other)
    assert company.active() & set(TEAM) == {"ann.lee"}


@pytest.mark.parametrize("options", [(), ("--depth", "1")])
@pytest.mark.parametrize(("first", "then"), [(PLACE, BRANCH), (BRANCH, PLACE)])
def test_the_next_apply_moves_it(first: str, then: str, options: tuple[str, ...], company: Company) -> None:
    place(company, first)
    company.applied()
    place(company, then)
    company.declare("ann.lee")
    job = company.clone("job", *options)
    planned = job.run("plan")
    assert planned.code == 0
    assert f"the record stands in {first}/prod on origin: the next apply moves it to {then}/prod" in said(planned)
    assert "# user.bob.li will be deactivated" in planned.out
    assert refs(company) == {f"{first}/prod"}
    company.applied(job)
    assert refs(company) == {f"{then}/prod"}
    # one chain: what was applied before can still be looked up
    assert states_at(company, f"{then}/prod") == ["claimed", "done"] * 2
    assert company.active() & set(TEAM) == {"ann.lee"}
    for clone in (company.seed, job):
        after = clone.run("plan", "--detailed-exitcode")
        assert after.code == 0
        assert "Notes" not in after.out


def test_it_moves_where_nothing_else_is_to_be_done(company: Company) -> None:
    company.applied()
    place(company, BRANCH)
    assert "No changes." in company.applied().out
    assert refs(company) == {ON_BRANCH}
    assert states_at(company, ON_BRANCH) == ["claimed", "done", "done"]


def test_an_old_checkout_finds_it_where_it_went(company: Company) -> None:
    """A job that is run again with the settings of that time: it must see that it is old."""
    company.applied()
    old = git(company.world.seed, "rev-parse", "HEAD")
    place(company, BRANCH)
    company.declare(*TEAM, "cem.o")
    company.applied()
    clone = company.clone("again")
    git(clone.path, "checkout", "-q", old)
    refused = apply(clone)
    assert refused.code == 3
    assert "behind" in refused.out
    assert not company.running.writes
    assert refs(company) == {ON_BRANCH}


def test_a_branch_that_is_locked_needs_the_right_to_push(company: Company) -> None:
    company.applied()
    place(company, BRANCH)
    company.declare("ann.lee")
    hook = company.world.hook(
        "update", 'case "$1" in refs/heads/reconciler/*) echo "locked" >&2; exit 1;; esac; exit 0'
    )
    stopped = apply(company.seed)
    assert stopped.code == 1
    assert f"nothing was written to the target: origin refused the record {ON_BRANCH}" in stopped.err
    assert "locked" in stopped.err
    assert not company.running.writes
    assert refs(company) == {REF}
    # from the branch that a key may move, nobody else moves it: a forged ref beside it does not count
    hook.unlink()
    company.applied()
    git(company.world.seed, "push", "-q", "origin", f"HEAD:{REF}")
    planned = company.seed.run("plan", "--detailed-exitcode")
    assert planned.code == 0
    assert "a second record of this target" in said(planned)
    assert "No changes." in company.applied().out


def test_an_old_one_that_the_remote_keeps_is_pointed_out(company: Company) -> None:
    company.applied()
    place(company, BRANCH)
    company.declare("ann.lee")
    hook = company.world.hook("update", REFUSES_TO_DELETE)
    assert apply(company.seed).code == 0
    assert refs(company) == {REF, ON_BRANCH}
    planned = company.seed.run("plan")
    assert f"origin holds a second record of this target in {REF}, which does not count" in said(planned)
    command = re.search(r"To take it away: git (push origin \S+)", said(planned))
    assert command
    hook.unlink()
    git(company.world.seed, *command[1].split())
    assert "Notes" not in company.seed.run("plan").out


def test_two_where_nobody_can_tell_stop_an_apply(company: Company) -> None:
    """Back from the branch, which could not be taken away: an old checkout looks just like that."""
    place(company, BRANCH)
    company.applied()
    git(company.world.origin, "update-ref", REF, ON_BRANCH)
    place(company, PLACE)
    company.declare("ann.lee")
    planned, stopped = company.seed.run("plan"), apply(company.seed)
    assert planned.code == 0
    assert "a second record of this target" in said(planned)
    assert stopped.code == 1
    assert "nothing was written to the target: origin holds a second record" in said(stopped)
    assert f"git push origin :{ON_BRANCH}" in said(stopped)
    assert not company.running.writes
    git(company.world.seed, "push", "-q", "origin", f":{ON_BRANCH}")
    company.applied()


def test_somebody_applies_in_the_old_place_at_that_moment(company: Company) -> None:
    company.applied()
    old, new = company.world.store(company.world.clone("old")), company.world.store(company.world.seed, place=BRANCH)
    read = new.read()
    assert read.version == old.read().version
    assert read.version is not None
    later = old.write(dict(read.files), expected=read.version, message=message())
    with pytest.raises(RecordRaceLost):
        new.move(dict(read.files), version=read.version, message=message())
    # the claim in the new place is taken back, so nobody is kept out by it
    assert refs(company) == {REF}
    assert company.world.tip() == later
    assert new.read().version == later


def test_two_that_move_it_at_once(company: Company) -> None:
    company.applied()
    stores = [company.world.store(company.world.clone(name), place=BRANCH) for name in ("one", "two")]
    first, second = (each.read() for each in stores)
    assert first.version is not None
    assert second.version is not None
    moved = stores[0].move(dict(first.files), version=first.version, message=message())
    with pytest.raises(RecordRaceLost):
        stores[1].move(dict(second.files), version=second.version, message=message())
    assert git(company.world.origin, "rev-parse", ON_BRANCH) == moved


def test_a_lost_branch_with_a_copy_stops_an_apply(company: Company) -> None:
    place(company, BRANCH)
    company.applied()
    git(company.world.origin, "update-ref", "-d", ON_BRANCH)
    company.declare("ann.lee")
    refused = apply(company.seed)
    assert refused.code == 3
    assert "record-lost" in refused.out
    command = re.search(r"git (push origin \S+)", said(company.seed.run("plan")))
    assert command
    git(company.world.seed, *command[1].rstrip(".").split())
    assert refs(company) == {ON_BRANCH}
    company.applied()


def test_without_a_remote_there_is_no_branch(company: Company) -> None:
    place(company, BRANCH)
    git(company.world.seed, "remote", "remove", "origin")
    company.applied()
    assert repository(company.world.seed).commit_id(REF) is not None
    assert git(company.world.seed, "branch", "--list").split() == ["*", "main"]


@pytest.mark.parametrize("ref", ["refs/heads/main", "refs/tags/x", "reconciler/applied", "refs/heads/reconciler"])
def test_any_other_place_is_refused(ref: str, company: Company, folder: QuickFolder) -> None:
    folder.write("reconciler.yaml", company.running.settings() + f"record: {{ref: {ref}}}\n")
    ran = folder.run("plan")
    assert ran.code == 1
    assert "refs/heads/reconciler/applied" in said(ran)
