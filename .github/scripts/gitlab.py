"""What the jobs need of GitLab: its API, by a project access token. The same methods as `github.GitHub`."""

import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from functools import cached_property
from typing import Any

MOST = 1_000_000
"""Characters of a note or an issue."""


class GitLab:
    """The API of one project. Only what the token's own account wrote is believed."""

    def __init__(self) -> None:
        self.root = os.environ["CI_API_V4_URL"]
        self.project = f"/projects/{os.environ['CI_PROJECT_ID']}"
        self._token = os.environ["RECONCILER_GITLAB_TOKEN"]

    def request(self, method: str, path: str, body: Any = None, **query: object) -> Any:
        """One request; ends the script with what GitLab says where it is refused."""
        url = f"{self.root}{path}" + (f"?{urllib.parse.urlencode(query)}" if query else "")
        data = None if body is None else json.dumps(body).encode()
        headers = {"PRIVATE-TOKEN": self._token, "Content-Type": "application/json"}
        request = urllib.request.Request(url, data=data, headers=headers, method=method)  # noqa: S310  # the runner's
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310  # own address
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            said = error.read().decode("utf-8", "replace")[:300]
            sys.exit(f"GitLab refused {method} {path}: {error.code} {json.dumps(said)}")

    def pages(self, path: str, **query: object) -> Iterator[Any]:
        """Every row of a list."""
        page = 1
        while True:
            rows = self.request("GET", path, **query, per_page=100, page=page)
            yield from rows
            if len(rows) < 100:
                return
            page += 1

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
