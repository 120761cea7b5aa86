"""What may go wrong with the record, row by row: what `plan` says, what `apply` does, and the test that shows it.

Whole runs against a bare origin: hooks that refuse, a remote that is silent, records that are not ours. `TABLE` is
held by a test: every row is shown by tests that exist.
"""

import importlib
import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from reconciler.record.encoding import RecordHeader, decode, encode, url_fingerprint
from tests.cli.in_process import QuickFolder, quick
from tests.cli.provider import people
from tests.git.company import TEAM, Company, acceptance_in, apply, causes, data, said, trailers
from tests.git.test_trouble_with_the_record import REFUSES_FINAL
from tests.record.git_world import REF, TARGET, git, is_root, message

HERE = "test_failure_table"
TROUBLE, LIFE, LEASES = "test_trouble_with_the_record", "test_apply_in_git", "test_leases"

TABLE = (
    ("git not installed", "a file", "a file", f"{TROUBLE}::test_without_git_the_record_is_a_file"),
    ("a repository, git not installed", "stops", "stops", f"{TROUBLE}::test_a_repository_without_git_is_no_folder"),
    ("no repository", "a file", "a file", f"{TROUBLE}::test_without_git_the_record_is_a_file"),
    (
        "another user's folder, a runner's workspace",
        "plans",
        "applies",
        "test_the_runners_own_workspace_is_trusted",
    ),
    ("another user's folder, anywhere else", "git's words", "git's words", "test_the_folder_of_another_user"),
    ("no commit yet", "says so", "dirty", f"{LIFE}::test_a_repository_without_a_commit"),
    ("uncommitted declarations", "says so", "dirty", f"{LIFE}::test_what_is_not_committed_is_not_applied"),
    ("folders of another repository", "says so", "dirty", "test_folders_of_another_repository"),
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
    ("a tag, checked out by CI", "plans", "applies", "test_a_tag_that_a_ci_system_checked_out"),
    ("a commit that is not on main", "-", "says so before", "test_a_commit_that_is_not_on_main_is_pointed_out_before"),
    ("pushes go elsewhere", "-", "-", "test_doctor_looks_where_pushes_go"),
    (
        "shallow, contains the record",
        "plans",
        "applies",
        f"{LIFE}::test_a_shallow_clone_applies_what_contains_the_record",
    ),
    ("shallow, old", "says so", "behind", "test_a_shallow_clone_that_is_old_or_on_another_history"),
    ("shallow, another history", "says so", "diverged", "test_a_shallow_clone_that_is_old_or_on_another_history"),
    ("shallow, nobody can tell", "says so", "stops", f"{LIFE}::test_a_shallow_clone_that_cannot_tell_stops"),
)
"""Situation, what a plan does, what an apply does, and the test (of this module where none is named)."""


@pytest.mark.parametrize("row", TABLE, ids=lambda each: each[0])
def test_every_row_is_shown_by_a_test_that_exists(row: tuple[str, str, str, str]) -> None:
    module, _, name = row[3].rpartition("::")
    assert callable(getattr(importlib.import_module(f"tests.git.{module or HERE}"), name))


def test_every_test_of_this_module_is_in_the_table() -> None:
    named = {test.rpartition("::")[2] for *_, test in TABLE} | {test_every_row_is_shown_by_a_test_that_exists.__name__}
    ours = {name for name in globals() if name.startswith("test_")}
    assert ours - named == {"test_every_test_of_this_module_is_in_the_table"}


# --- whose folder it is


def give_away(folder: Path) -> None:
    for place, folders, files in os.walk(folder):
        for name in (".", *folders, *files):
            os.chown(Path(place, name), 12345, 12345)


@pytest.mark.skipif(not is_root(), reason="only root can give a folder away")
@pytest.mark.parametrize("variable", ["GITHUB_WORKSPACE", "CI_PROJECT_DIR"])
def test_the_runners_own_workspace_is_trusted(variable: str, company: Company) -> None:
    clone = company.clone("work")
    give_away(clone.path)
    environment = {variable: str(clone.path)}
    assert clone.run("plan", **environment).code == 0
    done = clone.run("apply", "--auto-approve", **environment)
    assert done.code == 0, done.out + done.err
    assert [trailers(each)["State"] for each in company.history()] == ["done", "claimed"]
    # nothing is left behind that would trust it later
    assert clone.run("plan").code == 1


@pytest.mark.skipif(not is_root(), reason="only root can give a folder away")
def test_the_folder_of_another_user(company: Company, tmp_path: Path) -> None:
    """Its settings could run anything: nobody but the runner's workspace is trusted, and no folder inside one."""
    clone = company.clone("work")
    give_away(clone.path)
    (clone.path / "hr").mkdir()
    shutil.copy(clone.path / "reconciler.yaml", clone.path / "hr")
    (clone.path / "hr/identities").mkdir()
    (clone.path / "hr/identities/a.yaml").write_text(people("ann.lee"))
    inside = quick(clone.path / "hr")
    for folder, workspace in (
        (clone, tmp_path),
        (clone, clone.path.parent),
        (inside, clone.path),
        (inside, inside.path),
    ):
        for command in ("plan", "apply --auto-approve"):
            ran = folder.run(*command.split(), GITHUB_WORKSPACE=str(workspace))
            assert ran.code == 1, ran.out
            assert "dubious ownership" in ran.err
            assert f"safe.directory {clone.path}" in said(ran)
    assert not company.running.writes


@pytest.mark.parametrize("how", ["a submodule", "a clone that is ignored", "the folder itself"])
def test_folders_of_another_repository(how: str, company: Company) -> None:
    """No commit of this repository says what stands in them, so nothing could be proved later."""
    seed = company.world.seed
    other = company.world.folder / "people"
    git(company.world.folder, "init", "-q", "-b", "main", "people")
    company.world.commit({"more.yaml": people("eve.x")}, other, push=False)
    inner = "people" if how == "the folder itself" else "identities/emea"
    if how == "a clone that is ignored":
        company.world.commit({".gitignore": "/identities/emea\n"})
        git(company.world.folder, "clone", "-q", str(other), str(seed / inner))
    else:
        git(seed, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other), inner)
        company.world.commit({})
    if how == "the folder itself":
        company.world.commit({"reconciler.yaml": company.running.settings(more="    identities: [people]\n")})
    assert not git(seed, "status", "--porcelain")
    planned, refused = company.seed.run("plan"), apply(company.seed)
    assert planned.code == 0
    assert f"{inner}/ (of another repository)" in said(planned)
    assert refused.code == 3
    assert f"{inner}/ (of another repository)" in said(refused)
    assert not company.running.writes


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


# --- checkouts


@pytest.mark.parametrize("options", [(), ("--depth", "1", "--no-single-branch")], ids=["whole", "shallow"])
def test_a_tag_that_a_ci_system_checked_out(options: tuple[str, ...], company: Company) -> None:
    company.applied()
    company.declare(*TEAM, ann_lee="Lead")
    git(company.world.seed, "tag", "release-7")
    git(company.world.seed, "push", "-q", "origin", "release-7")
    clone = company.clone("job", *options)
    git(clone.path, "checkout", "-q", "refs/tags/release-7")
    head = git(clone.path, "rev-parse", "HEAD")
    environment = {"GITHUB_SHA": head, "GITHUB_REF": "refs/tags/release-7", "GITHUB_REF_TYPE": "tag"}
    assert causes(clone).changes == ["user.ann.lee title declared"]
    ran = clone.run("apply", "--auto-approve", **environment)
    assert ran.code == 0
    assert "not on main" not in said(ran)
    assert trailers(company.history()[0])["Source-Commit"] == head


def on_a_branch(company: Company, name: str) -> QuickFolder:
    """A clone whose branch has a commit that main has not."""
    clone = company.clone(name)
    git(clone.path, "checkout", "-q", "-b", "change")
    company.declare(*TEAM, ann_lee="Lead", folder=clone, push=False)
    git(clone.path, "push", "-q", "origin", "change")
    return clone


def test_a_commit_that_is_not_on_main_is_pointed_out_before(company: Company, tmp_path: Path) -> None:
    company.applied()
    clone = on_a_branch(company, "branch")
    head = git(clone.path, "rev-parse", "HEAD")
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"repository": {"default_branch": "main"}}))
    words = f"the commit {head[:12]} is not on main"
    github = {"GITHUB_SHA": head, "GITHUB_EVENT_PATH": str(event)}
    gitlab = {"CI_COMMIT_SHA": head, "CI_DEFAULT_BRANCH": "main"}
    told: tuple[dict[str, str], ...] = (
        {},
        {**github, "GITHUB_REF": "refs/heads/change"},
        {**gitlab, "CI_COMMIT_BRANCH": "change"},
        # another job's words
        {**gitlab, "CI_COMMIT_BRANCH": "main", "CI_COMMIT_SHA": "0" * 40},
    )
    for environment in told:
        # nobody agrees on a terminal that is none: nothing is applied here
        asked = clone.run("apply", "--auto-approve", "--reviewed", "0" * 64, **environment)
        assert words in said(asked), environment
    silent = ({**github, "GITHUB_REF": "refs/heads/main"}, {**gitlab, "CI_COMMIT_BRANCH": "main"})
    for environment in silent:
        assert words not in said(clone.run("apply", "--auto-approve", "--reviewed", "0" * 64, **environment))
    # a plan of a pull request is never on main, and does not say so each time
    assert words not in said(clone.run("plan"))
    # where nobody knows which branch is the default one, nothing is said
    git(clone.path, "remote", "set-head", "origin", "--delete")
    assert words not in said(clone.run("apply", "--auto-approve", "--reviewed", "0" * 64))
    git(clone.path, "remote", "set-head", "origin", "main")
    # merged by others, which this clone has not seen yet
    git(company.world.origin, "update-ref", "refs/heads/main", head)
    ran = apply(clone)
    assert ran.code == 0
    assert words not in said(ran)


def test_doctor_looks_where_pushes_go(company: Company) -> None:
    company.applied()
    seed = company.world.seed

    def record_checks() -> list[tuple[str, str]]:
        (target,) = json.loads(company.seed.run("doctor", "--format", "json").out)["targets"]
        return [(each["verdict"], each["summary"]) for each in target["checks"] if each["check"] == "record"]

    assert [verdict for verdict, _ in record_checks()] == ["pass"]
    # another name of the same repository
    link = company.world.folder / "mirror"
    link.symlink_to(company.world.origin)
    git(seed, "config", "remote.origin.pushurl", f"file://{link}")
    checks = record_checks()
    assert [verdict for verdict, _ in checks] == ["pass", "pass"]
    assert "the same repository" in checks[1][1]
    git(seed, "config", "--unset", "remote.origin.pushurl")
    # a copy that was made a while ago
    git(company.world.folder, "clone", "-q", "--mirror", company.world.url, "copy")
    git(company.world.folder / "copy", "update-ref", "-d", REF)
    git(seed, "config", f"url.file://{company.world.folder}/copy.pushInsteadOf", company.world.url)
    checks = record_checks()
    assert [verdict for verdict, _ in checks] == ["pass", "fail"]
    assert "the two hold different things" in checks[1][1]
    shutil.rmtree(company.world.folder / "copy")
    assert "which does not answer" in record_checks()[1][1]


def test_a_shallow_clone_that_is_old_or_on_another_history(company: Company) -> None:
    company.applied()
    old = git(company.world.seed, "rev-parse", "HEAD")
    company.declare(*TEAM, "cem.o")
    company.applied()
    git(company.world.origin, "update-ref", "refs/heads/old", old)
    git(company.world.seed, "checkout", "-q", "-b", "aside", old)
    company.declare(*TEAM, ann_lee="Lead", push=False)
    git(company.world.seed, "push", "-q", "origin", "aside")
    for branch, code in (("old", "behind"), ("aside", "diverged")):
        clone = company.clone(branch, "--depth", "1", "--branch", branch)
        assert code in causes(clone).codes
        refused = apply(clone)
        assert refused.code == 3
        assert f"! {code}: " in refused.out
        assert not company.running.writes
        assert apply(clone, "--accept", acceptance_in(refused.out)).code == 0
        company.running.asked.clear()
        git(company.world.origin, "update-ref", REF, f"{REF}~2")
