"""What a CI system says about the checkout that it made, from its environment. Nothing where there is no CI system."""

import os
from pathlib import Path

import orjson


def workspace() -> Path | None:
    """The folder into which the runner put the checkout for this job (GitHub, GitLab)."""
    found = os.environ.get("GITHUB_WORKSPACE") or os.environ.get("CI_PROJECT_DIR")
    return Path(found) if found else None


def branches(commit: str) -> tuple[str, str] | None:
    """The branch that this commit was checked out from, and the repository's default branch.

    None where the job is about another commit, about a tag or a pull request, or where one of the two is not told.
    """
    said, ref = os.environ, os.environ.get("GITHUB_REF", "")
    branch: str | None = None
    default: str | None = None
    if said.get("GITHUB_SHA") == commit and ref.startswith("refs/heads/"):
        branch, default = ref.removeprefix("refs/heads/"), _default_on_github()
    elif said.get("CI_COMMIT_SHA") == commit:
        branch, default = said.get("CI_COMMIT_BRANCH"), said.get("CI_DEFAULT_BRANCH")
    return (branch, default) if branch and default else None


def _default_on_github() -> str | None:
    """As the event that started the job says it."""
    try:
        event = orjson.loads(Path(os.environ.get("GITHUB_EVENT_PATH", "")).read_bytes())
        default = event["repository"]["default_branch"]
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return default if isinstance(default, str) else None
