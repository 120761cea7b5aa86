"""The scripts of the workflows, run as GitHub runs them: with a recorded API, a real repository and a real provider."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.sandbox import Request
from tests.cli.provider import Provider, people, provider
from tests.github.forge import BOT, Forge, forge

SCRIPTS = Path(__file__).parents[2] / ".github" / "scripts"
NUMBER = 7
_STEPS = yaml.safe_load((SCRIPTS.parent / "workflows" / "plan.yml").read_text("utf-8"))["jobs"]["plan"]["steps"]
TAKEN = next(each["with"]["sparse-checkout"].split() for each in _STEPS if "sparse-checkout" in each.get("with", {}))
"""What the workflow takes of a pull request."""


@dataclass
class Workflow:
    """A repository on a forge with an organisation that it stands for; `folder` is the runner's workspace."""

    folder: Path
    github: Forge
    running: Provider
    more: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.git("init", "-q", "--bare", "-b", "main", "origin.git", at=self.folder)
        self.git("clone", "-q", "origin.git", "main", at=self.folder)
        self.write("reconciler.yaml", self.running.settings())
        self.write("identities/all.yaml", people("ann.lee", "bob.li"))
        self.git("checkout", "-qb", "main")
        self.commit("first")

    def git(self, *arguments: str, at: Path | None = None) -> str:
        who = ("-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "protocol.file.allow=always")
        done = subprocess.run(
            ["git", *who, *arguments], cwd=at or self.folder / "main", capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def write(self, name: str, text: str) -> None:
        file = self.folder / "main" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def commit(self, message: str) -> str:
        self.git("add", "-A")
        self.git("commit", "-qm", message)
        self.git("push", "-q", "origin", "HEAD")
        return self.git("rev-parse", "HEAD")

    def run(
        self, script: str, event: dict[str, Any], name: str, *, at: str, sha: str = ""
    ) -> "subprocess.CompletedProcess[str]":
        file = self.folder / "event.json"
        file.write_text(json.dumps(event), encoding="utf-8")
        kept = {each: os.environ[each] for each in ("PATH", "HOME", "TMPDIR") if each in os.environ}
        return subprocess.run(
            [sys.executable, str(SCRIPTS / f"{script}.py")],
            cwd=self.folder / at,
            env={
                **kept,
                "GIT_CONFIG_GLOBAL": os.devnull,
                "CI": "true",
                "GITHUB_ACTIONS": "true",
                "GITHUB_API_URL": self.github.url,
                "GITHUB_EVENT_NAME": name,
                "GITHUB_EVENT_PATH": str(file),
                "GITHUB_REPOSITORY": "acme/people",
                "GITHUB_RUN_ID": "99",
                "GITHUB_SHA": sha,
                "GITHUB_TOKEN": "a-token-of-the-run",
                **self.more,
            },
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def pull(
        self, branch: str, *, title: str = "a change"
    ) -> tuple[dict[str, Any], "subprocess.CompletedProcess[str]"]:
        """Plan a branch as the workflow does: the base in one folder, the declarations of the merge in another."""
        head = self.git("rev-parse", "HEAD")
        for name in ("base", "pull"):
            subprocess.run(["rm", "-rf", name], cwd=self.folder, check=True)
        self.git("clone", "-q", "-b", "main", "origin.git", "base", at=self.folder)
        self.git("clone", "-q", "-b", "main", "origin.git", "pull", at=self.folder)
        self.git("merge", "-q", "--no-ff", "--no-edit", f"origin/{branch}", at=self.folder / "pull")
        self.git("sparse-checkout", "set", "--no-cone", *TAKEN, at=self.folder / "pull")
        subprocess.run(["rm", "-rf", "plans"], cwd=self.folder, check=True)
        return self.plan(head, title=title, branch=branch)

    def plan(self, head: str, **more: str) -> tuple[dict[str, Any], "subprocess.CompletedProcess[str]"]:
        event = {"pull_request": {"number": NUMBER, "title": more.get("title", ""), "head": {"sha": head, **more}}}
        return event["pull_request"], self.run("plan", event, "pull_request_target", at=".")

    def merged(self, branch: str, head: str) -> str:
        """Squash a branch into main; the commit."""
        self.git("checkout", "-q", "main")
        self.git("merge", "-q", "--squash", branch)
        commit = self.commit(f"squashed {branch}")
        self.github.pulls[commit] = [
            {"number": 1, "merged_at": None, "merge_commit_sha": commit, "head": {"sha": "0" * 40}},
            {"number": NUMBER, "merged_at": "2026-01-01", "merge_commit_sha": commit, "head": {"sha": head}},
        ]
        return commit

    def apply(self, commit: str) -> "subprocess.CompletedProcess[str]":
        return self.run("apply", {}, "push", at="main", sha=commit)

    def comments(self) -> list[str]:
        return [each["body"] for each in self.github.comments.get(NUMBER, [])]


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Workflow]:
    with forge() as github, provider() as running:
        yield Workflow(tmp_path, github, running)


def changed(work: Workflow, **titles: str) -> str:
    work.git("checkout", "-qb", "topic")
    work.write("identities/all.yaml", people("ann.lee", "bob.li", **titles))
    return work.commit("a title")


def test_a_pull_request_from_plan_to_apply(work: Workflow) -> None:
    head = changed(work, ann_lee="Lead")
    _, ran = work.pull("topic")
    assert ran.returncode == 0, ran.stderr
    (comment,) = work.comments()
    assert comment.startswith("<!-- reconciler:plan:prod -->\n")
    assert "ann.lee" in comment
    (status,) = work.github.statuses[head]
    assert (status["context"], status["state"]) == ("reconciler/prod", "success")
    assert not work.running.writes
    done = work.apply(work.merged("topic", head))
    assert done.returncode == 0, done.stderr + done.stdout
    assert work.running.users()["ann.lee@example.com"]["title"] == "Lead"
    assert "**prod** applied: 2 done" in work.comments()[1]
    assert "refs/reconciler/applied/prod" in work.git("ls-remote", "origin")


def test_one_comment_is_kept_up_to_date_and_nobody_elses(work: Workflow) -> None:
    forged: Any = {"id": 1, "user": {"login": "mallory"}, "body": "<!-- reconciler:plan:prod -->\nAll is well."}
    others = [{"id": each, "user": {"login": "x"}, "body": "hello"} for each in range(1000, 1230)]
    work.github.comments[NUMBER] = [forged, *others]
    changed(work, ann_lee="Lead")
    work.pull("topic")
    work.write("identities/all.yaml", people("ann.lee", "bob.li", ann_lee="Head"))
    work.commit("another")
    work.pull("topic")
    ours = [each for each in work.github.comments[NUMBER] if each["user"]["login"] == BOT]
    assert len(ours) == 1
    assert "Head" in ours[0]["body"]
    assert forged["body"].endswith("All is well.")


def test_a_plan_that_is_not_the_reviewed_one_is_not_applied(work: Workflow) -> None:
    head = changed(work, ann_lee="Lead")
    work.pull("topic")
    work.git("checkout", "-q", "main")
    work.write("identities/more.yaml", people("cem.o"))
    work.commit("pushed past everybody")
    done = work.apply(work.merged("topic", head))
    assert done.returncode == 4
    assert not work.running.writes
    assert "is not the one that was reviewed" in work.comments()[1]


@pytest.mark.parametrize("creator", ["mallory", None])
def test_a_status_of_somebody_else_is_not_believed(work: Workflow, creator: str | None) -> None:
    head = changed(work, ann_lee="Lead")
    _, ran = work.pull("topic")
    assert ran.returncode == 0
    for each in work.github.statuses[head]:
        each["creator"] = {"login": creator} if creator else None
    done = work.apply(work.merged("topic", head))
    assert done.returncode == 4
    assert "no reviewed plan is known" in done.stderr
    assert not work.running.writes


def test_a_push_without_a_pull_request_applies_nothing_unless_somebody_gives_the_digest(work: Workflow) -> None:
    commit = work.git("rev-parse", "HEAD")
    assert work.apply(commit).returncode == 4
    assert not work.running.writes
    for digest in ("", "0" * 63, "$(id)"):
        ran = work.run("apply", {"inputs": {"digest": digest}}, "workflow_dispatch", at="main", sha=commit)
        assert ran.returncode == 4
    ran = subprocess.run(
        [sys.executable, "-m", "reconciler", "plan", "--format", "json"],
        cwd=work.folder / "main", capture_output=True, text=True, check=True,
    )  # fmt: skip
    digest = json.loads(ran.stdout)["digest"]
    ran = work.run("apply", {"inputs": {"digest": digest}}, "workflow_dispatch", at="main", sha=commit)
    assert ran.returncode == 0, ran.stderr
    assert len(work.running.users()) >= 2


def test_the_schedule_applies_dates_that_are_due_and_nothing_else(work: Workflow) -> None:
    work.write("identities/all.yaml", people("ann.lee", "bob.li").replace("Bob Li", "Bob Li, endsOn: 2031-01-31"))
    work.commit("an end")
    ran = work.run("apply", {}, "schedule", at="main")
    assert ran.returncode == 4, ran.stderr
    assert "2 changes are not due dates" in ran.stderr
    assert not work.running.writes
    subprocess.run(
        [sys.executable, "-m", "reconciler", "apply", "--auto-approve"],
        cwd=work.folder / "main", capture_output=True, check=True,
    )  # fmt: skip
    work.running.asked.clear()
    assert work.run("apply", {}, "schedule", at="main").returncode == 0
    assert not work.running.writes


def test_a_rule_that_is_broken_fails_the_status(work: Workflow) -> None:
    work.write("reconciler.yaml", work.running.settings() + "policy: {limits: {creations: 3}}\n")
    work.commit("a limit")
    work.git("checkout", "-qb", "topic")
    work.write("identities/all.yaml", people(*(f"p{each}" for each in range(9))))
    head = work.commit("many")
    _, ran = work.pull("topic")
    assert ran.returncode == 1
    (status,) = work.github.statuses[head]
    assert status["state"] == "failure"
    assert "1 safety rules broken" in status["description"]
    done = work.apply(work.merged("topic", head))
    assert done.returncode == 4
    assert not work.running.writes


def test_settings_of_the_pull_request_are_not_used(work: Workflow) -> None:
    """Another url, a limit that is lifted: the base branch's settings count until after the merge."""
    work.git("checkout", "-qb", "topic")
    work.write("reconciler.yaml", work.running.settings().replace(work.running.url, "http://127.0.0.1:9"))
    for name in (".github/scripts/plan.py", "reconciler/__main__.py", "json.py", "sitecustomize.py"):
        work.write(name, "raise SystemExit('run from the pull request')")
    work.write("identities/all.yaml", people("ann.lee", "bob.li", ann_lee="Lead"))
    work.commit("hostile")
    _, ran = work.pull("topic", title="`id` $(id) ${{ secrets.X }}")
    assert ran.returncode == 0, ran.stderr
    assert "run from the pull request" not in ran.stdout + ran.stderr
    assert "Lead" in work.comments()[0]
    assert (
        "the settings that come with the declarations change `targets.prod.url`, after the merge" in work.comments()[0]
    )


def test_a_profile_of_the_pull_request_is_not_used_and_its_change_is_told(work: Workflow) -> None:
    settings = work.running.settings().replace("profile: rfc", "profile: profiles/acme.yaml")
    work.write("reconciler.yaml", settings)
    work.write("profiles/acme.yaml", "name: acme\ntitle: Acme\n")
    work.commit("a profile of our own")
    work.git("checkout", "-qb", "topic")
    work.write("profiles/acme.yaml", "name: acme\ntitle: Acme\nwire: {usersPath: /Nobody}\n")
    work.write("identities/all.yaml", people("ann.lee", "bob.li", ann_lee="Lead"))
    work.commit("another path")
    _, ran = work.pull("topic")
    assert ran.returncode == 0, ran.stderr
    (comment,) = work.comments()
    assert "Lead" in comment
    assert "lines of `profiles/acme.yaml` that come with the declarations change wire, after the merge" in comment


def test_a_target_that_cannot_be_planned_is_said_so(work: Workflow) -> None:
    head = changed(work, ann_lee="Lead")
    work.write("identities/all.yaml", "users: {ann.lee: {usrName: x}}\n")
    head = work.commit("broken")
    _, ran = work.pull("topic")
    assert ran.returncode == 1
    assert "No plan for target `prod`" in work.comments()[0]
    assert work.github.statuses[head][0]["state"] == "failure"
    assert "::error file=identities/all.yaml,line=1," in ran.stderr


def test_what_github_refuses_is_said_in_one_line(work: Workflow) -> None:
    changed(work, ann_lee="Lead")
    work.github.refused["POST .*/comments"] = 403
    _, ran = work.pull("topic")
    assert ran.returncode == 1
    last = ran.stderr.strip().splitlines()[-1]
    assert last.startswith("GitHub refused POST /issues/7/comments: 403")
    assert not [line for line in ran.stderr.splitlines() if line == "::error::x"]
    assert "Traceback" not in ran.stderr


def test_a_host_that_does_not_answer_is_said_in_one_line(work: Workflow) -> None:
    changed(work, ann_lee="Lead")
    work.github.url = "http://127.0.0.1:1"
    _, ran = work.pull("topic")
    assert ran.returncode == 1
    assert ran.stderr.strip().splitlines()[-1].startswith("GitHub gave no answer to GET /issues/7/comments: ")
    assert "Traceback" not in ran.stderr


def test_the_token_reaches_github_and_git_only(work: Workflow) -> None:
    changed(work, ann_lee="Lead")
    _, ran = work.pull("topic")
    assert work.github.tokens == {"Bearer a-token-of-the-run"}
    assert "a-token-of-the-run" not in ran.stdout + ran.stderr
    assert not [path for path in (work.folder / "plans").rglob("*") if "a-token-of-the-run" in path.read_text()]


def test_a_package_of_the_same_name_is_not_run(work: Workflow) -> None:
    """Where the working directory is a checkout of the pull request, or of what was merged from it."""
    work.write("reconciler/__main__.py", "raise SystemExit('run from the pull request')")
    for script, name in (("validate", "pull_request"), ("drift", "schedule")):
        ran = work.run(script, {}, name, at="main")
        assert ran.returncode == 0, ran.stdout + ran.stderr


def test_validate_annotates_and_leaves_sarif(work: Workflow) -> None:
    assert work.run("validate", {}, "pull_request", at="main").returncode == 0
    work.write("identities/all.yaml", "users: {ann.lee: {usrName: x}}\n")
    ran = work.run("validate", {}, "pull_request", at="main")
    assert ran.returncode == 1
    assert "::error file=identities/all.yaml,line=1," in ran.stderr
    sarif = json.loads((work.folder / "main" / "reconciler.sarif").read_text())
    assert sarif["runs"][0]["results"]


def replaced(work: Workflow, login: str, name: str) -> None:
    """Somebody else gives a person another display name."""
    body = {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "replace", "path": "displayName", "value": name}],
    }
    answer = work.running.service.handle(
        Request(
            method="PATCH",
            target=f"/scim/v2/Users/{work.running.users()[login]['id']}",
            headers={"content-type": "application/scim+json"},
            body=json.dumps(body).encode(),
            origin="http://here",
        )
    )
    assert answer.status == 200


def test_drift_is_one_issue_that_is_closed_when_all_is_well(work: Workflow) -> None:
    subprocess.run(
        [sys.executable, "-m", "reconciler", "apply", "--auto-approve"],
        cwd=work.folder / "main", capture_output=True, check=True,
    )  # fmt: skip
    assert work.run("drift", {}, "schedule", at="main").returncode == 0
    assert work.github.issues == []
    replaced(work, "ann.lee@example.com", "Anna")
    for _ in range(2):
        assert work.run("drift", {}, "schedule", at="main").returncode == 0
    (issue,) = work.github.issues
    assert "Anna" in issue["body"]
    replaced(work, "ann.lee@example.com", "Ann Lee")
    work.run("drift", {}, "schedule", at="main")
    assert issue["state"] == "closed"


def test_a_plan_of_other_commits_than_the_event_names_sets_no_status(work: Workflow) -> None:
    head = changed(work, ann_lee="Lead")
    work.write("identities/all.yaml", people("ann.lee", "bob.li", ann_lee="Head"))
    work.commit("pushed meanwhile")
    work.pull("topic")
    work.github.statuses.clear()
    _, ran = work.plan(head)
    assert ran.returncode == 1
    assert "has moved on" in ran.stderr
    assert not work.github.statuses


@pytest.mark.parametrize("elsewhere", ["/etc", "../base/identities", "../base/.git"])
def test_declarations_that_are_a_link_are_not_followed(work: Workflow, elsewhere: str) -> None:
    work.git("checkout", "-qb", "topic")
    work.git("rm", "-qr", "identities")
    (work.folder / "main" / "identities").symlink_to(elsewhere)
    head = work.commit("a link")
    _, ran = work.pull("topic")
    assert ran.returncode == 1
    assert "Traceback" not in ran.stderr
    assert not [each for each in work.github.statuses.get(head, []) if each["state"] == "success"]


def test_credentials_reach_the_tool_and_no_output(work: Workflow) -> None:
    auth = "    auth: {bearer: env:PROD_TOKEN}\n"
    work.write("reconciler.yaml", work.running.settings(auth=auth))
    work.commit("a credential")
    changed(work, ann_lee="Lead")
    work.more["RECONCILER_CREDENTIALS"] = "PROD_TOKEN = t0p=s3cr3t\n\n"
    _, ran = work.pull("topic")
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines()[0] == "::add-mask::t0p=s3cr3t"
    assert "t0p" not in ran.stdout.partition("\n")[2] + ran.stderr
    assert not [each for each in (work.folder / "plans").rglob("*") if "t0p" in each.read_text()]


def test_credentials_that_are_no_lines_are_not_printed(work: Workflow) -> None:
    work.more["RECONCILER_CREDENTIALS"] = "A=b\nt0p-s3cr3t\n"
    ran = work.run("drift", {}, "schedule", at="main")
    assert ran.returncode == 1
    assert ran.stderr.strip() == "RECONCILER_CREDENTIALS: line 2 is not NAME=VALUE"


def test_what_others_may_read_can_be_masked(work: Workflow) -> None:
    work.more["RECONCILER_MASK"] = "personal"
    head = changed(work, ann_lee="Lead")
    _, ran = work.pull("topic")
    assert ran.returncode == 0, ran.stderr
    done = work.apply(work.merged("topic", head))
    assert done.returncode == 0, done.stderr
    replaced(work, "ann.lee@example.com", "Anna Surprising")
    assert work.run("drift", {}, "schedule", at="main").returncode == 0
    (issue,) = work.github.issues
    said = "".join([*work.comments(), issue["body"], ran.stdout, ran.stderr, done.stdout, done.stderr])
    assert "person-0" in said
    assert not [each for each in ("ann.lee", "Ann Lee", "Surprising") if each in said]


def test_the_composite_action_runs_a_script_of_its_own_and_no_other(work: Workflow) -> None:
    def act(command: str) -> "subprocess.CompletedProcess[str]":
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        return subprocess.run(
            [SCRIPTS / "run.sh"], cwd=work.folder / "main", capture_output=True, text=True, check=False,
            env={"PATH": path, "COMMAND": command, "RECONCILER_INSTALLED": "yes"},
        )  # fmt: skip

    assert act("validate").returncode == 0
    for other in ("", "api", "../../evil", "validate; id"):
        assert act(other).returncode == 64
