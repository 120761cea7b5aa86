"""The jobs of ci/gitlab.yml, run by its script as a runner does, against a recorded API and a real repository."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.cli.provider import people, provider
from tests.github.forge import forge
from tests.github.gitlab_host import ME, GitLabHost
from tests.github.test_workflow_scripts import NUMBER, Workflow, changed

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "ci" / "gitlab.sh"


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Workflow]:
    host = GitLabHost()
    with forge(host), provider() as running:
        yield Workflow(tmp_path, host, running)


def job(work: Workflow, name: str, commit: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """In a clone at a commit, as a runner makes it."""
    subprocess.run(["rm", "-rf", "build"], cwd=work.folder, check=True)
    work.git("clone", "-q", "origin.git", "build", at=work.folder)
    work.git("checkout", "-q", "--detach", commit, at=work.folder / "build")
    return subprocess.run(
        [SCRIPT, name],
        cwd=work.folder / "build",
        env={
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "CI": "true",
            "GITLAB_CI": "true",
            "CI_API_V4_URL": f"{work.github.url}/api/v4",
            "CI_COMMIT_SHA": commit,
            "CI_JOB_URL": "https://gitlab.example.com/acme/people/-/jobs/1",
            "CI_MERGE_REQUEST_IID": str(NUMBER),
            "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
            "CI_PIPELINE_SOURCE": "merge_request_event",
            "CI_PROJECT_ID": "5",
            "CI_SERVER_URL": "https://gitlab.example.com",
            "RECONCILER_GITLAB_TOKEN": "a-token-of-the-project",
            **work.more,
            **variables,
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def merged(work: Workflow, head: str) -> str:
    work.git("checkout", "-q", "main")
    work.git("merge", "-q", "--squash", "topic")
    commit = work.commit("squashed")
    row = {"iid": NUMBER, "state": "merged", "sha": head, "squash_commit_sha": commit, "merge_commit_sha": None}
    work.github.pulls[commit] = [{**row, "iid": 1, "state": "opened", "squash_commit_sha": None}, row]
    return commit


def test_a_merge_request_from_plan_to_apply(work: Workflow) -> None:
    forged = {"id": 1, "author": {"username": "mallory"}, "body": "<!-- reconciler:plan:prod -->\nAll is well."}
    work.github.comments[NUMBER] = [forged]
    head = changed(work, ann_lee="Lead")
    for _ in range(2):
        ran = job(work, "plan", head)
        assert ran.returncode == 0, ran.stderr
    assert [each["author"]["username"] for each in work.github.comments[NUMBER]] == ["mallory", ME]
    assert "ann.lee" in work.comments()[1]
    assert not work.running.writes
    ran = job(work, "apply", merged(work, head), CI_PIPELINE_SOURCE="push")
    assert ran.returncode == 0, ran.stderr
    assert work.running.users()["ann.lee@example.com"]["title"] == "Lead"
    assert "**prod** applied: 2 done" in work.comments()[2]
    assert "refs/reconciler/applied/prod" in work.git("ls-remote", "origin")
    assert work.github.tokens == {"a-token-of-the-project"}
    assert "a-token-of-the-project" not in ran.stdout + ran.stderr


@pytest.mark.parametrize("author", ["mallory", None])
def test_a_status_of_somebody_else_is_not_believed(work: Workflow, author: str | None) -> None:
    head = changed(work, ann_lee="Lead")
    assert job(work, "plan", head).returncode == 0
    for each in work.github.statuses[head]:
        each["author"] = {"username": author} if author else None
    ran = job(work, "apply", merged(work, head), CI_PIPELINE_SOURCE="push")
    assert ran.returncode == 4
    assert not work.running.writes


def test_a_newer_failure_counts(work: Workflow) -> None:
    head = changed(work, ann_lee="Lead")
    assert job(work, "plan", head).returncode == 0
    (good,) = work.github.statuses[head]
    work.github.statuses[head].append({**good, "id": good["id"] + 1, "status": "failed"})
    assert job(work, "apply", merged(work, head), CI_PIPELINE_SOURCE="push").returncode == 4


def test_settings_and_scripts_of_a_merge_request_are_not_used(work: Workflow) -> None:
    work.git("checkout", "-qb", "topic")
    work.write("reconciler.yaml", work.running.settings().replace(work.running.url, "http://127.0.0.1:9"))
    work.write(".github/scripts/plan.py", "raise SystemExit('run from the merge request')")
    for name in ("reconciler/__main__.py", "json.py", "base64.py", "sitecustomize.py"):
        work.write(name, "raise SystemExit('run from the merge request')")
    (work.folder / "main" / "plans").symlink_to(work.folder / "elsewhere")
    (work.folder / "elsewhere").mkdir()
    work.write(".gitattributes", "* filter=evil merge=evil\n")
    work.write("base/reconciler.yaml", "targets: {}\n")
    work.write("pull/identities/x.yaml", "users: {}\n")
    work.write("identities/all.yaml", people("ann.lee", "bob.li", ann_lee="Lead"))
    head = work.commit("hostile")
    ran = job(work, "plan", head)
    assert ran.returncode == 0, ran.stderr
    assert "Lead" in work.comments()[0]
    assert not list((work.folder / "elsewhere").iterdir())


def test_drift_is_one_issue(work: Workflow) -> None:
    commit = work.git("rev-parse", "HEAD")
    ran = job(work, "drift", commit, CI_PIPELINE_SOURCE="schedule")
    assert ran.returncode == 0, ran.stderr
    assert work.github.issues == []


def test_no_other_job_is_run(work: Workflow) -> None:
    for name in ("", "tool", "../../evil"):
        assert job(work, name, work.git("rev-parse", "HEAD")).returncode == 64


def test_the_jobs_are_as_gitlab_wants_them(tmp_path: Path) -> None:
    header, jobs = yaml.safe_load_all((ROOT / "ci" / "gitlab.yml").read_text())
    inputs = set(header["spec"]["inputs"])
    assert set(re.findall(r"\$\[\[ inputs\.(\w+) \]\]", str(jobs))) == inputs
    plain = tmp_path / "jobs.yml"
    plain.write_text(yaml.safe_dump(jobs))
    done = subprocess.run(
        [Path(sys.executable).parent / "check-jsonschema", "--builtin-schema", "vendor.gitlab-ci", plain],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    (rule,) = jobs["reconciler-plan"]["rules"]
    assert "$CI_MERGE_REQUEST_SOURCE_PROJECT_ID == $CI_PROJECT_ID" in rule["if"]
    assert "$CI_MERGE_REQUEST_TARGET_BRANCH_NAME == $CI_DEFAULT_BRANCH" in rule["if"]
    for name in ("validate", "plan", "apply", "drift"):
        assert jobs[f"reconciler-{name}"]["script"][0].endswith(f'/ci/gitlab.sh" {name}')
