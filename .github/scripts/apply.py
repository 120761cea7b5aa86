"""Apply what was reviewed: after a merge the plans of its pull request, on a schedule only dates that have come due.

The digest of the reviewed plan stands in our status on the head of the pull request. Without one nothing is applied;
whoever may start the workflow by hand can give it.
"""

import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from github import GitHub
from gitlab import GitLab
from tool import forge, reconciler, targets_of

Pull = tuple[int, str] | None
"""Number and head of the pull request that was merged."""
STALE = 4
_DIGEST = re.compile(r"digest ([0-9a-f]{64})\Z")


def main() -> int:
    """The exit code of the worst target."""
    host = forge()
    by = host.started_by()
    if by == "schedule":
        return _due()
    pull = host.merged(host.commit()) if by == "push" else None
    codes = [_applied(host, target, pull, by) for target in _targets()]
    return max(codes, default=0)


def _targets() -> list[str]:
    """All of them, and that they can be read, without asking any server."""
    return [str(each) for each in targets_of(reconciler("validate", "--all-targets", "--format", "json").stdout)]


def _digest(host: GitHub | GitLab, target: str, pull: Pull, by: str) -> str | None:
    """The digest of the plan that was reviewed for a target."""
    if pull is None:
        given = "" if by == "push" else host.given()
        return given if re.fullmatch(r"[0-9a-f]{64}", given) else None
    found = _DIGEST.search(host.description(pull[1], target) or "")
    return found[1] if found else None


def _applied(host: GitHub | GitLab, target: str, pull: Pull, by: str) -> int:
    digest = _digest(host, target, pull, by)
    if digest is None:
        print(f"target {target}: no reviewed plan is known for this commit; nothing was applied", file=sys.stderr)
        _report(host, target, pull, "nothing was applied: no reviewed plan is known for this commit")
        return STALE
    ran = reconciler("apply", "--target", target, "--auto-approve", "--reviewed", digest, "--format", "json")
    (found,) = targets_of(ran.stdout)
    _report(host, target, pull, _in_words(found))
    return ran.returncode


def _in_words(found: Any) -> str:
    """How it ended, in numbers: what a server says stays in the log."""
    if "error" in found:
        return (
            "nothing was applied; the log says why"
            if found["exit"] != STALE
            else ("nothing was applied: a plan made now is not the one that was reviewed; the log shows it")
        )
    counts = Counter(each["outcome"] for each in found["results"])
    said = ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items())) or "nothing to do"
    more = "" if found["exit"] == 0 else f" (exit {found['exit']}; the log says more)"
    return f"applied: {said}{more}"


def _report(host: GitHub | GitLab, target: str, pull: Pull, said: str) -> None:
    if pull is not None:
        body = f"**{target}** {said} ([log]({host.run_url()}))"
        host.comment(pull[0], f"<!-- reconciler:applied:{target} -->", body)


def _due() -> int:
    """Carry out plans that hold nothing but dates that the record had before: those were reviewed with their lines."""
    plans = Path("plans")
    ran = reconciler("plan", "--all-targets", "--out", str(plans), "--format", "json")
    codes = [0 if ran.returncode in (0, 5) else ran.returncode]
    for each in targets_of(ran.stdout):
        plan = each.get("plan")
        if plan is None or not plan["changes"]:
            continue
        others = [change for change in plan["changes"] if not _is_due(change)]
        if others:
            waiting = f"{len(others)} changes are not due dates; they wait for the apply of their merge"
            print(f"target {each['target']}: {waiting}", file=sys.stderr)
            codes.append(STALE)
            continue
        file = str(plans / f"{each['target']}.json")
        codes.append(reconciler("apply", file, "--auto-approve", capture=False).returncode)
    return max(codes)


def _is_due(change: Any) -> bool:
    return change["cause"] == "due" and all(each["cause"] == "due" for each in change["attribute_changes"])


if __name__ == "__main__":
    sys.exit(main())
