"""Checkouts in which the record cannot be used as usual; `test_failure_table` says which row each test shows."""

import json
import os
import shutil
from pathlib import Path

import pytest

from tests.cli.in_process import QuickFolder, quick
from tests.cli.provider import people
from tests.git.company import TEAM, Company, acceptance_in, apply, causes, said, trailers
from tests.record.git_world import REF, git, is_root

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


def test_a_commit_that_is_not_on_main_is_pointed_out(company: Company, tmp_path: Path) -> None:
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


def test_a_shallow_clone_that_is_old_or_aside(company: Company) -> None:
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
