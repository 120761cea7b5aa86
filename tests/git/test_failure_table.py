"""What may go wrong with the record, row by row: what `plan` says, what `apply` does, and the test that shows it.

Whole runs against a bare origin: hooks that refuse, a remote that is silent, records that are not ours. `TABLE` is
held by a test: every row is shown by tests that exist.
"""

import importlib
import json
import re
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from reconciler.record.encoding import decode, encode
from reconciler.record.header import RecordHeader, url_fingerprint
from tests.git.company import TEAM, Company, apply, causes, data, said, trailers
from tests.git.test_trouble_with_the_record import REFUSES_FINAL
from tests.record.git_world import REF, TARGET, git, message

HERE = "test_failure_table"
CHECKOUTS = "test_failing_checkouts"
TROUBLE, LIFE, LEASES = "test_trouble_with_the_record", "test_apply_in_git", "test_leases"

TABLE = (
    ("git not installed", "a file", "a file", f"{TROUBLE}::test_without_git_the_record_is_a_file"),
    ("a repository, git not installed", "stops", "stops", f"{TROUBLE}::test_a_repository_without_git_is_no_folder"),
    ("no repository", "a file", "a file", f"{TROUBLE}::test_without_git_the_record_is_a_file"),
    (
        "another user's folder, a runner's workspace",
        "plans",
        "applies",
        f"{CHECKOUTS}::test_the_runners_own_workspace_is_trusted",
    ),
    (
        "another user's folder, anywhere else",
        "git's words",
        "git's words",
        f"{CHECKOUTS}::test_the_folder_of_another_user",
    ),
    ("no commit yet", "says so", "dirty", f"{LIFE}::test_a_repository_without_a_commit"),
    ("uncommitted declarations", "says so", "dirty", f"{LIFE}::test_what_is_not_committed_is_not_applied"),
    ("folders of another repository", "says so", "dirty", f"{CHECKOUTS}::test_folders_of_another_repository"),
    ("no remote", "local ref, says so", "local ref", f"{LIFE}::test_without_a_remote_the_record_is_local"),
    ("several remotes, no origin", "64", "64", f"{LIFE}::test_several_remotes_need_a_choice"),
    ("remote silent, a copy here", "as of, may be old", "stops", f"{TROUBLE}::test_an_origin_that_does_not_answer"),
    (
        "remote silent, no copy",
        "says so",
        "stops",
        f"{TROUBLE}::test_an_origin_that_does_not_answer_a_clone_without_a_copy",
    ),
    ("ref missing, a copy here", "says so", "record-lost", f"{TROUBLE}::test_a_lost_record_stops_an_apply"),
    (
        "ref missing, the copy pushed back",
        "plans",
        "applies",
        f"{TROUBLE}::test_a_lost_record_is_put_back_with_the_command_that_is_said",
    ),
    ("ref missing, accepted", "plans", "a new record", f"{TROUBLE}::test_a_lost_record_may_be_accepted"),
    (
        "ref missing, no copy",
        "no record",
        "adopts, removes nobody",
        f"{TROUBLE}::test_a_clone_without_a_copy_starts_anew_and_removes_nobody",
    ),
    ("header unreadable", "says so", "stops", f"{TROUBLE}::test_a_record_that_somebody_damaged"),
    ("newer format", "no removals", "stops", "test_a_record_that_is_not_for_us"),
    ("another target's", "no removals", "stops", "test_a_record_that_is_not_for_us"),
    ("another url's", "no removals", "stops", "test_a_record_that_is_not_for_us"),
    ("rolled back by a forced push", "as of then", "follows", "test_a_record_that_was_set_back"),
    ("push refused at the claim", "-", "stops", f"{TROUBLE}::test_a_refused_announcement_writes_nothing"),
    ("remote gone at the claim", "-", "stops", "test_a_remote_that_goes_before_the_claim"),
    ("final push refused", "-", "5, a bundle", f"{TROUBLE}::test_a_refused_end_is_kept_and_can_be_uploaded"),
    ("the same, next run", "covered", "covered", f"{TROUBLE}::test_a_refused_end_does_not_lose_what_was_done"),
    ("the bundle on another machine", "-", "-", "test_a_bundle_delivers_the_end_from_another_machine"),
    ("remote gone before the final push", "-", "5, a bundle", "test_a_remote_that_goes_between_the_two_pushes"),
    ("record moved before the claim", "-", "stops", f"{TROUBLE}::test_of_two_that_meet_one_writes"),
    ("record moved before the end", "-", "5, no bundle", "test_a_record_that_moved_before_the_end"),
    ("an apply under way", "says so", "in-progress", f"{LEASES}::test_a_second_apply_waits_for_the_first"),
    (
        "an apply that was killed",
        "says so",
        "takes over",
        f"{LEASES}::test_an_apply_that_was_killed_long_ago_is_taken_over",
    ),
    ("a tag, checked out by CI", "plans", "applies", f"{CHECKOUTS}::test_a_tag_that_a_ci_system_checked_out"),
    (
        "a commit that is not on main",
        "-",
        "says so before",
        f"{CHECKOUTS}::test_a_commit_that_is_not_on_main_is_pointed_out",
    ),
    ("pushes go elsewhere", "-", "-", f"{CHECKOUTS}::test_doctor_looks_where_pushes_go"),
    (
        "shallow, contains the record",
        "plans",
        "applies",
        f"{LIFE}::test_a_shallow_clone_applies_what_contains_the_record",
    ),
    ("shallow, old", "says so", "behind", f"{CHECKOUTS}::test_a_shallow_clone_that_is_old_or_aside"),
    (
        "shallow, another history",
        "says so",
        "diverged",
        f"{CHECKOUTS}::test_a_shallow_clone_that_is_old_or_aside",
    ),
    ("shallow, nobody can tell", "says so", "stops", f"{LIFE}::test_a_shallow_clone_that_cannot_tell_stops"),
)
"""Situation, what a plan does, what an apply does, and the test (of this module where none is named)."""


@pytest.mark.parametrize("row", TABLE, ids=lambda each: each[0])
def test_every_row_is_shown_by_a_test_that_exists(row: tuple[str, str, str, str]) -> None:
    module, _, name = row[3].rpartition("::")
    assert callable(getattr(importlib.import_module(f"tests.git.{module or HERE}"), name))


@pytest.mark.parametrize("module", [HERE, CHECKOUTS])
def test_every_test_of_these_modules_is_in_the_table(module: str) -> None:
    named = {test.rpartition("::")[2] for *_, test in TABLE}
    ours = {name for name in vars(importlib.import_module(f"tests.git.{module}")) if name.startswith("test_")}
    assert {each for each in ours - named if not each.startswith("test_every_")} == set()


# --- a record that is not for us


def rewritten(company: Company, **header: object) -> None:
    """The record with another header, pushed."""
    store = company.world.store(company.world.seed)
    snapshot = store.read()
    document = json.loads(snapshot.files["header.json"]) | header
    files = {**snapshot.files, "header.json": json.dumps(document).encode()}
    store.write(files, expected=snapshot.version, message=message("done"))


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ({"format": 2}, "was written by a newer reconciler (format 2; this one reads format 1)"),
        ({"target": "other"}, 'belongs to target "other", not to "prod"'),
        ({"url": url_fingerprint("https://other.example/scim")}, "was made at another url"),
    ],
    ids=["newer format", "another target", "another url"],
)
def test_a_record_that_is_not_for_us(header: dict[str, object], words: str, company: Company) -> None:
    company.applied()
    rewritten(company, **header)
    tip = company.world.tip()
    company.declare("ann.lee", ann_lee="Lead")
    planned, stopped = company.seed.run("plan"), apply(company.seed)
    assert planned.code == 0
    assert words in said(planned)
    assert "an apply would stop" in said(planned)
    found = causes(company.seed)
    assert (found.changes, found.drift) == (["user.ann.lee title declared"], [])
    assert "record-unusable" in found.codes
    assert stopped.code == 1
    assert words in said(stopped)
    assert f"git push origin :{REF}" in said(stopped)
    assert not company.running.writes
    assert company.world.tip() == tip


def test_a_record_that_was_set_back(company: Company) -> None:
    """By a forced push: it is what it was then. Nobody who came later is ours, nobody is removed for that."""
    company.applied()
    then = company.world.tip()
    company.declare(*TEAM, "cem.o", bob_li="Agent")
    company.applied()
    git(company.world.seed, "push", "-q", "--force", "origin", f"{then}:{REF}")
    company.declare(*TEAM, bob_li="Agent")
    clone = company.clone("other")
    for folder in (company.seed, clone):
        found = causes(folder)
        assert (found.changes, found.drift) == ([], [])
    assert apply(clone).code == 0
    assert company.active() >= {*TEAM, "cem.o"}
    # what was found in place is ours again
    company.declare("ann.lee", folder=clone)
    assert causes(clone).changes == ["user.bob.li active declared"]


# --- pushes


def during_the_writes(company: Company, do: Callable[[], None]) -> None:
    done: list[bool] = []

    def before(request: object) -> None:
        if getattr(request, "method", "") == "POST" and not done:
            done.append(True)
            do()

    company.running.before = before


def test_a_remote_that_goes_before_the_claim(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reconciler.record.remote.time.sleep", lambda seconds: None)
    gone: list[bool] = []

    def before(request: object) -> None:
        if not gone:
            gone.append(True)
            company.world.hide_origin()

    company.running.before = before
    stopped = apply(company.seed)
    assert stopped.code == 1
    assert "nothing was written to the target: origin does not answer" in said(stopped)
    assert not company.running.writes


def test_a_remote_that_goes_between_the_two_pushes(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reconciler.record.remote.time.sleep", lambda seconds: None)
    during_the_writes(company, company.world.hide_origin)
    partly = apply(company.seed)
    assert partly.code == 5, partly.out + partly.err
    assert "Apply complete: 2 added" in partly.out
    assert "could not be recorded: origin does not answer" in said(partly)
    company.world.show_origin()
    assert [trailers(each)["State"] for each in company.history()] == ["claimed"]
    # before it is delivered, a plan of this clone says so, and knows that all is in place
    company.running.before = lambda request: None
    planned = company.seed.run("plan")
    assert "keeps the end of an apply that never reached origin" in said(planned)
    assert causes(company.seed).changes == []
    command = re.search(r"git (push origin \S+)", said(partly))
    assert command
    git(company.world.seed, *command[1].split())
    assert [trailers(each)["State"] for each in company.history()] == ["done", "claimed"]
    assert company.seed.run("plan", "--detailed-exitcode").code == 0


def test_a_bundle_delivers_the_end_from_another_machine(company: Company) -> None:
    hook = company.world.hook("update", REFUSES_FINAL)
    partly = apply(company.seed)
    assert partly.code == 5
    hook.unlink()
    (bundle,) = data(company.world.seed).glob("*.bundle")
    other = company.clone("desk")
    other.run("plan")  # which brings here what the bundle goes on from
    git(other.path, "fetch", "-q", str(bundle), f"+{REF}:{REF}")
    command = re.search(r"git (push origin \S+)", said(partly))
    assert command
    git(other.path, *command[1].split())
    assert [trailers(each)["State"] for each in company.history()] == ["done", "claimed"]
    assert other.run("plan", "--detailed-exitcode").code == 0


def test_a_record_that_moved_before_the_end(company: Company) -> None:
    """What nobody could upload any more is not offered for upload."""

    def somebody_applies() -> None:
        store = company.world.store(company.world.clone("other"))
        snapshot = store.read()
        url = f"{company.running.url}/scim/v2"
        state, _ = decode(snapshot.files, target=TARGET, url=url)
        header = RecordHeader(target=TARGET, url_fingerprint=url_fingerprint(url), run="other")
        files = encode(replace(state, whole=True), header, None)
        store.write(files, expected=snapshot.version, message=message("done"))

    during_the_writes(company, somebody_applies)
    partly = apply(company.seed)
    assert partly.code == 5
    assert "could not be recorded: the record moved while this run was at work" in said(partly)
    assert "upload" not in said(partly)
    assert not list(data(company.world.seed).glob("*.bundle"))
    company.running.before = lambda request: None
    assert causes(company.seed).changes == []
