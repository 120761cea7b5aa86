"""When the record cannot be read, announced or concluded: nothing is written unannounced, nothing done is forgotten."""

import re
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest

from reconciler.sandbox import Request
from tests.cli.in_process import quick
from tests.cli.provider import people
from tests.git.company import TEAM, Company, acceptance_in, apply, data, said, second_create_held, trailers
from tests.record.git_world import REF, git

REFUSES_ALL = "echo 'policy: nobody pushes here' >&2; exit 1"
REFUSES_FINAL = (
    'git cat-file commit "$3" | grep -q "State: done" && { echo "policy: not the end" >&2; exit 1; }; exit 0'
)


# --- the record on the origin is gone


def lose_record(company: Company) -> None:
    git(company.world.origin, "update-ref", "-d", REF)


def test_a_lost_record_stops_an_apply(company: Company) -> None:
    company.applied()
    lose_record(company)
    company.declare("ann.lee")
    planned, refused = company.seed.run("plan"), apply(company.seed)
    assert planned.code == 0
    assert "origin does not have the record: it is gone, or was never pushed there; this clone has one" in said(planned)
    assert refused.code == 3
    assert "record-lost" in refused.out
    assert not company.running.writes
    assert not company.world.tip()


def test_a_lost_record_is_put_back_with_the_command_that_is_said(company: Company) -> None:
    company.applied()
    before = company.world.tip()
    lose_record(company)
    company.declare("ann.lee")
    command = re.search(r"git push origin (\S+)", said(company.seed.run("plan")))
    assert command
    git(company.world.seed, "push", "-q", "origin", command[1].rstrip("."))
    assert company.world.tip() == before
    company.applied()
    assert company.active() & set(TEAM) == {"ann.lee"}


def test_a_lost_record_may_be_accepted(company: Company) -> None:
    company.applied()
    lose_record(company)
    company.declare("ann.lee")
    refused = apply(company.seed)
    assert apply(company.seed, "--accept", acceptance_in(refused.out)).code == 0
    assert len(company.history()) == 2
    assert company.seed.run("plan", "--detailed-exitcode").code == 0


def test_a_clone_without_a_copy_starts_anew_and_removes_nobody(company: Company) -> None:
    company.applied()
    lose_record(company)
    clone = company.clone("fresh")
    company.declare("ann.lee", folder=clone)
    assert "no earlier apply is on record: nothing undeclared is removed" in said(clone.run("plan"))
    company.applied(clone)
    assert company.active() >= set(TEAM)


# --- the origin does not answer


def test_an_origin_that_does_not_answer(company: Company) -> None:
    company.applied()
    company.declare("ann.lee")
    company.world.hide_origin()
    planned, stopped = company.seed.run("plan"), apply(company.seed)
    assert planned.code == 0
    assert "origin does not answer: record as of" in said(planned)
    assert "# user.bob.li will be deactivated" in planned.out
    assert stopped.code == 1
    assert "nothing was written to the target: origin does not answer" in stopped.err
    assert "check the network" in stopped.err
    assert not company.running.writes
    company.world.show_origin()
    company.applied()


def test_an_origin_that_does_not_answer_a_clone_without_a_copy(company: Company) -> None:
    company.world.hide_origin()
    planned, stopped = company.seed.run("plan"), apply(company.seed)
    assert planned.code == 0
    assert "this clone has no copy of the record" in said(planned)
    assert stopped.code == 1
    assert not company.running.writes


# --- the origin refuses


def test_a_refused_announcement_writes_nothing(company: Company) -> None:
    hook = company.world.hook("pre-receive", REFUSES_ALL)
    stopped = apply(company.seed)
    assert stopped.code == 1
    assert "nothing was written to the target: origin refused the record" in stopped.err
    assert "policy: nobody pushes here" in stopped.err
    assert "contents: write" in stopped.err
    assert not company.running.writes
    assert not company.world.tip()
    hook.unlink()
    company.applied()


def test_a_refused_end_is_kept_and_can_be_uploaded(company: Company) -> None:
    hook = company.world.hook("update", REFUSES_FINAL)
    partly = apply(company.seed)
    assert partly.code == 5
    assert "Apply complete: 2 added" in partly.out
    assert "could not be recorded" in partly.err
    assert "policy: not the end" in partly.err
    assert [trailers(each)["State"] for each in company.history()] == ["claimed"]
    bundles = list(data(company.world.seed).glob("*.bundle"))
    assert len(bundles) == 1
    assert str(bundles[0]) in partly.err
    assert not git(company.world.seed, "status", "--porcelain", "--untracked-files=all")
    # whoever may push delivers it
    hook.unlink()
    command = re.search(r"git (push origin \S+)", partly.err)
    assert command
    git(company.world.seed, *command[1].split())
    assert [trailers(each)["State"] for each in company.history()] == ["done", "claimed"]
    assert company.seed.run("plan", "--detailed-exitcode").code == 0


def test_a_refused_end_does_not_lose_what_was_done(company: Company) -> None:
    hook = company.world.hook("update", REFUSES_FINAL)
    assert apply(company.seed).code == 5
    hook.unlink()
    # another clone has only the announcement, and that is enough to know whose Bob is
    other = company.clone("other")
    refused = apply(other)
    assert "in-progress" in refused.out
    assert apply(other, "--accept", acceptance_in(refused.out)).code == 0
    company.declare("ann.lee", folder=other)
    assert "# user.bob.li will be deactivated" in other.run("plan").out
    company.applied(other)
    assert company.active() & set(TEAM) == {"ann.lee"}


# --- an apply that is killed, two that meet


def test_an_apply_that_is_killed_is_finished_by_the_next(company: Company) -> None:
    company.declare("ann.lee", "bob.li", "cem.o")
    with second_create_held(company) as (reached, _), company.seed.started("apply", "--auto-approve"):
        assert reached.wait(60)
    assert [trailers(each)["State"] for each in company.history()] == ["claimed"]
    refused = apply(company.seed)
    assert refused.code == 3
    assert "in-progress" in refused.out
    assert apply(company.seed, "--accept", acceptance_in(refused.out)).code == 0
    assert trailers(company.history()[0])["State"] == "done"
    logins = [each["userName"] for each in company.running.service.dump()["User"]]
    assert len(logins) == len(set(logins))
    assert company.active() >= {"ann.lee", "bob.li", "cem.o"}
    assert company.seed.run("plan", "--detailed-exitcode").code == 0
    # who was created by the killed run is ours: she can be taken away
    company.declare("bob.li", "cem.o")
    company.applied()
    assert company.active() & {"ann.lee", "bob.li", "cem.o"} == {"bob.li", "cem.o"}


def test_of_two_that_meet_one_writes(company: Company) -> None:
    clones = [company.clone("one"), company.clone("two")]
    meeting, gets = threading.Barrier(2, timeout=60), 0
    lock = threading.Lock()

    def before(request: Request) -> None:
        nonlocal gets
        with lock:
            gets += request.method == "GET"
            first = request.method == "GET" and gets <= 2
        if first:  # both have read the record by now, neither has announced
            meeting.wait()

    company.running.before = before
    ended = []
    with ExitStack() as under_way:
        processes = [under_way.enter_context(each.started("apply", "--auto-approve")) for each in clones]
        for process in processes:
            out, err = process.communicate(timeout=120)
            ended.append((process.returncode, out, err))
    codes = sorted(code for code, _, _ in ended)
    assert codes == [0, 1], ended
    loser = next(err for code, _, err in ended if code == 1)
    assert "nothing was written to the target: the record moved while this run was at work" in loser
    assert "plan again" in loser
    assert len(company.running.writes) == len(TEAM)
    assert len(company.history()) == 2
    for clone in clones:
        assert clone.run("plan", "--detailed-exitcode").code == 0


# --- a record in git that cannot be used


def test_a_record_that_somebody_damaged(company: Company) -> None:
    company.applied()
    seed = company.world.seed
    blob = git(seed, "hash-object", "-w", "--stdin", stdin="nope")
    tree = git(seed, "mktree", stdin=f"100644 blob {blob}\theader.json\n")
    commit = git(seed, "commit-tree", tree, "-p", company.world.tip(), "-m", "by hand")
    git(seed, "push", "-q", "origin", f"{commit}:{REF}")
    company.declare("ann.lee")
    planned, stopped = company.seed.run("plan"), apply(company.seed)
    assert planned.code == 0
    assert "an apply would stop" in said(planned)
    assert stopped.code == 1
    assert "header.json: not JSON" in stopped.err
    assert f"git push origin :{REF}" in stopped.err
    assert not company.running.writes


# --- without git


@pytest.fixture
def without_git(tmp_path: Path) -> str:
    """A PATH on which there is no git."""
    (tmp_path / "empty-path").mkdir()
    return str(tmp_path / "empty-path")


def test_without_git_the_record_is_a_file(company: Company, tmp_path: Path, without_git: str) -> None:
    folder = quick(tmp_path / "plain")
    folder.write("reconciler.yaml", company.running.settings())
    folder.write("identities/a.yaml", people(*TEAM))
    for environment in ({}, {"PATH": without_git}):
        planned = folder.run("plan", **environment)
        assert planned.code == 0
        assert "not in git: the record stays on this machine" in said(planned)
    assert folder.run("apply", "--auto-approve", PATH=without_git).code == 0
    folder.write("identities/a.yaml", people("ann.lee"))
    assert "# user.bob.li will be deactivated" in folder.run("plan").out


def test_a_repository_without_git_is_no_folder(company: Company, without_git: str) -> None:
    """Its record is in git; a file beside it would know nothing."""
    for command in ("plan", "apply --auto-approve"):
        ran = company.seed.run(*command.split(), PATH=without_git)
        assert ran.code == 1
        assert "git is not installed" in ran.err
    assert not company.running.writes
