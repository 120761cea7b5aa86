"""Plan a pull request: one comment and one status for each target.

Settings, profiles and the tool come from the base branch. The pull request gives its declarations and acceptances,
which are read as data, and of its settings and profiles the plan only says what they would change. Nothing of it is
run.
"""

import subprocess
import sys
from pathlib import Path
from typing import Any

from github import GitHub
from gitlab import GitLab
from tool import forge, reconciler, targets_of

PLANS = Path("plans")
HERE = ("--all-targets", "--settings", "base/reconciler.yaml", "--identities", "pull/identities")


def main() -> int:
    """0 if every target has a plan that an apply would carry out."""
    host = forge()
    number, head = host.pull()
    if _merged() != head:
        sys.exit("the pull request has moved on; the run of its newer commit plans it")
    ran = reconciler("plan", *HERE, "--base", "HEAD", "--out", str(PLANS), "--format", "json")
    good = True
    for each in targets_of(ran.stdout):
        good = _told(host, number, head, each) and good
    return 0 if good else 1


def _merged() -> str:
    """The commit of the pull request whose declarations are here: a status must not tell of others."""
    command = ["git", "-C", "pull", "rev-parse", "--verify", "--quiet", "HEAD^2"]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False).stdout.strip()


def _told(host: GitHub | GitLab, number: int, head: str, target: Any) -> bool:
    """Comment on one target and set its status; whether an apply would go on."""
    name, plan = target["target"], target.get("plan")
    marker = f"<!-- reconciler:plan:{name} -->"  # the first line of a plan in Markdown
    if plan is None:
        host.comment(number, marker, f"### No plan for target `{name}`\n\nThe log of the check says why.")
        host.status(head, name, "failure", "no plan could be made")
        return False
    shown = reconciler("show", str(PLANS / f"{name}.json"), "--format", "markdown")
    host.comment(number, marker, shown.stdout)
    broken = len(plan["violations"])
    state = "failure" if broken else "success"
    rules = f", {broken} safety rules broken" if broken else ""
    host.status(head, name, state, f"{len(plan['changes'])} changes{rules}; digest {plan['digest']}")
    return not broken


if __name__ == "__main__":
    sys.exit(main())
