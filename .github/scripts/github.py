"""What the workflows need of GitHub: its API, the event, and the tool with credentials for git.

Standard library only: nothing is installed that the tool itself does not need.
"""

import json
import os
from pathlib import Path
from typing import Any

from rest import Rest

BOT = os.environ.get("RECONCILER_BOT", "github-actions[bot]")
"""Only what this account wrote is believed: anybody may write a comment with our marker, or set a status."""
MOST = 65_536
"""Characters of a comment or an issue."""


class GitHub(Rest):
    """The API of one repository."""

    def __init__(self) -> None:
        root = os.environ.get("GITHUB_API_URL", "https://api.github.com")
        headers = {
            "Authorization": f"Bearer {os.environ['GITHUB_TOKEN']}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
        }
        super().__init__("GitHub", f"{root}/repos/{os.environ['GITHUB_REPOSITORY']}", headers)

    def comment(self, number: int, marker: str, body: str) -> None:
        """The one comment of ours with that marker on a pull request or issue: written, or written anew."""
        text = (body if body.startswith(marker) else f"{marker}\n{body}")[:MOST]
        rows = self.pages(f"/issues/{number}/comments")
        ours = (each for each in rows if is_ours(each) and each["body"].startswith(marker))
        found = next(ours, None)
        if found is None:
            self.request("POST", f"/issues/{number}/comments", {"body": text})
        elif found["body"] != text:
            self.request("PATCH", f"/issues/comments/{found['id']}", {"body": text})

    def status(self, commit: str, target: str, state: str, description: str) -> None:
        """What is known of a commit for a target; GitHub takes 140 characters."""
        body = {
            "state": state,
            "context": f"reconciler/{target}",
            "description": description[:140],
            "target_url": self.run_url(),
        }
        self.request("POST", f"/statuses/{commit}", body)

    def description(self, commit: str, target: str) -> str | None:
        """What our newest status of a commit says for a target; None if it is no success of ours."""
        for each in self.pages(f"/commits/{commit}/statuses"):
            if each["context"] == f"reconciler/{target}" and (each.get("creator") or {}).get("login") == BOT:
                return each["description"] if each["state"] == "success" else None
        return None

    def merged(self, commit: str) -> tuple[int, str] | None:
        """Number and head of the pull request whose merge made a commit."""
        for each in self.pages(f"/commits/{commit}/pulls"):
            if each.get("merged_at") and each.get("merge_commit_sha") == commit:
                return each["number"], each["head"]["sha"]
        return None

    def issue(self, marker: str) -> int | None:
        """The open issue of ours that begins with a marker."""
        rows = self.pages("/issues", state="open")
        return next(
            (each["number"] for each in rows if is_ours(each) and (each["body"] or "").startswith(marker)), None
        )

    def open_issue(self, title: str, body: str) -> None:
        """Write a new one."""
        self.request("POST", "/issues", {"title": title, "body": body[:MOST]})

    def change_issue(self, number: int, body: str) -> None:
        """Write it anew."""
        self.request("PATCH", f"/issues/{number}", {"body": body[:MOST]})

    def close_issue(self, number: int) -> None:
        """All is well again."""
        self.request("PATCH", f"/issues/{number}", {"state": "closed", "state_reason": "completed"})

    def started_by(self) -> str:
        """``push``, ``schedule``, or anything else for a person."""
        return os.environ["GITHUB_EVENT_NAME"]

    def commit(self) -> str:
        """What the run is about."""
        return os.environ["GITHUB_SHA"]

    def pull(self) -> tuple[int, str]:
        """Number and head of the pull request that started the run."""
        found = _event()["pull_request"]
        return found["number"], found["head"]["sha"]

    def given(self) -> str:
        """The digest that a person gave."""
        return str((_event().get("inputs") or {}).get("digest", ""))

    def run_url(self) -> str:
        """Where people read the log of this run."""
        server = os.environ.get("GITHUB_SERVER_URL", "https://github.com")
        return f"{server}/{os.environ['GITHUB_REPOSITORY']}/actions/runs/{os.environ.get('GITHUB_RUN_ID', '0')}"


def is_ours(row: Any) -> bool:
    """Whether a comment or an issue was written by the workflows."""
    return (row.get("user") or {}).get("login") == BOT


def _event() -> Any:
    """What started the workflow."""
    return json.loads(Path(os.environ["GITHUB_EVENT_PATH"]).read_text(encoding="utf-8"))
