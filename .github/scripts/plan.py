"""Plan a pull request: one comment and one status for each target.

Settings, profiles and the tool come from the base branch; the pull request gives its declarations and acceptances only,
which are read as data. Nothing of it is run.
"""

import subprocess
import sys
from pathlib import Path
from typing import Any

from api import GitHub, event, reconciler, targets_of

PLANS = Path("plans")
HERE = ("--all-targets", "--settings", "base/reconciler.yaml", "--identities", "pull/identities")


def main() -> int:
    """0 if every target has a plan that an apply would carry out."""
    pull = event()["pull_request"]
    github = GitHub()
    if _merged() != pull["head"]["sha"]:
        sys.exit("the pull request has moved on; the run of its newer commit plans it")
    ran = reconciler("plan", *HERE, "--base", "HEAD", "--out", str(PLANS), "--format", "json")
    good = True
    for each in targets_of(ran.stdout):
        good = _told(github, pull, each) and good
    return 0 if good else 1


def _merged() -> str:
    """The commit of the pull request whose declarations are here: a status must not tell of others."""
    command = ["git", "-C", "pull", "rev-parse", "--verify", "--quiet", "HEAD^2"]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False).stdout.strip()


def _told(github: GitHub, pull: Any, target: Any) -> bool:
    """Comment on one target and set its status; whether an apply would go on."""
    name, plan = target["target"], target.get("plan")
    marker = f"<!-- reconciler:plan:{name} -->"  # the first line of a plan in Markdown
    if plan is None:
        github.comment(pull["number"], marker, f"### No plan for target `{name}`\n\nThe log of the check says why.")
        github.status(pull["head"]["sha"], name, "failure", "no plan could be made")
        return False
    shown = reconciler("show", str(PLANS / f"{name}.json"), "--format", "markdown")
    github.comment(pull["number"], marker, shown.stdout)
    broken = len(plan["violations"])
    state = "failure" if broken else "success"
    rules = f", {broken} safety rules broken" if broken else ""
    github.status(pull["head"]["sha"], name, state, f"{len(plan['changes'])} changes{rules}; digest {plan['digest']}")
    return not broken


if __name__ == "__main__":
    sys.exit(main())
