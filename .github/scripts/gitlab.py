"""What the jobs need of GitLab: its API, by a project access token. The same methods as `github.GitHub`."""

import os
from functools import cached_property
from typing import Any

from rest import Rest

MOST = 1_000_000
"""Characters of a note or an issue."""


class GitLab(Rest):
    """The API of one project. Only what the token's own account wrote is believed."""

    def __init__(self) -> None:
        self.project = f"/projects/{os.environ['CI_PROJECT_ID']}"
        super().__init__(
            "GitLab", os.environ["CI_API_V4_URL"], {"PRIVATE-TOKEN": os.environ["RECONCILER_GITLAB_TOKEN"]}
        )

    @cached_property
    def me(self) -> str:
        """The account that the token belongs to."""
        return str(self.request("GET", "/user")["username"])

    def comment(self, number: int, marker: str, body: str) -> None:
        """The one note of ours with that marker on a merge request: written, or written anew."""
        text = (body if body.startswith(marker) else f"{marker}\n{body}")[:MOST]
        notes = f"{self.project}/merge_requests/{number}/notes"
        rows = self.pages(notes)
        ours = (each for each in rows if self._is_ours(each) and each["body"].startswith(marker))
        found = next(ours, None)
        if found is None:
            self.request("POST", notes, {"body": text})
        elif found["body"] != text:
            self.request("PUT", f"{notes}/{found['id']}", {"body": text})

    def status(self, commit: str, target: str, state: str, description: str) -> None:
        """What is known of a commit for a target; a column of 255 characters holds it."""
        words = {"failure": "failed", "success": "success"}
        body = {"state": words[state], "name": f"reconciler/{target}", "description": description[:255]}
        self.request("POST", f"{self.project}/statuses/{commit}", body)

    def description(self, commit: str, target: str) -> str | None:
        """What our newest status of a commit says for a target; None if it is no success of ours."""
        path = f"{self.project}/repository/commits/{commit}/statuses"
        rows = [each for each in self.pages(path, all="true") if self._is_ours(each)]
        named = [each for each in rows if each["name"] == f"reconciler/{target}"]
        newest = max(named, key=lambda each: int(each["id"]), default=None)
        return str(newest["description"]) if newest and newest["status"] == "success" else None

    def merged(self, commit: str) -> tuple[int, str] | None:
        """Number and head of the merge request whose merge made a commit."""
        for each in self.pages(f"{self.project}/repository/commits/{commit}/merge_requests"):
            made = (each.get("merge_commit_sha"), each.get("squash_commit_sha"))
            fast = each["sha"] == commit
            if each["state"] == "merged" and (commit in made or fast):
                return each["iid"], each["sha"]
        return None

    def issue(self, marker: str) -> int | None:
        """The open issue of ours that begins with a marker."""
        for each in self.pages(f"{self.project}/issues", state="opened"):
            if self._is_ours(each) and (each["description"] or "").startswith(marker):
                return int(each["iid"])
        return None

    def open_issue(self, title: str, body: str) -> None:
        """Write a new one."""
        self.request("POST", f"{self.project}/issues", {"title": title, "description": body[:MOST]})

    def change_issue(self, number: int, body: str) -> None:
        """Write it anew."""
        self.request("PUT", f"{self.project}/issues/{number}", {"description": body[:MOST]})

    def close_issue(self, number: int) -> None:
        """All is well again."""
        self.request("PUT", f"{self.project}/issues/{number}", {"state_event": "close"})

    def started_by(self) -> str:
        """``push``, ``schedule``, or anything else for a person."""
        return os.environ["CI_PIPELINE_SOURCE"]

    def commit(self) -> str:
        """What the pipeline is about."""
        return os.environ["CI_COMMIT_SHA"]

    def pull(self) -> tuple[int, str]:
        """Number and head of the merge request that started the pipeline."""
        merged = os.environ.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA")  # set where the pipeline is one of merged results
        return int(os.environ["CI_MERGE_REQUEST_IID"]), merged or self.commit()

    def given(self) -> str:
        """The digest that a person gave."""
        return os.environ.get("RECONCILER_DIGEST", "")

    def run_url(self) -> str:
        """Where people read the log of this job."""
        return os.environ["CI_JOB_URL"]

    def _is_ours(self, row: Any) -> bool:
        return (row.get("author") or {}).get("username") == self.me
