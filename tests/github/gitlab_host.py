"""A GitLab of its own for the scripts: notes, statuses, merge requests and issues of project 5, over HTTP."""

from collections.abc import Callable
from typing import Any

from tests.github.forge import Forge

ME = "project_5_bot"


class GitLabHost(Forge):
    """The same lists as a `Forge`, under GitLab's paths and names."""

    def _actions(self) -> list[tuple[str, Callable[..., Any]]]:
        root = "/api/v4/projects/5"
        return [
            ("GET /api/v4/user", lambda _: {"username": ME}),
            (rf"GET {root}/merge_requests/(\d+)/notes", lambda number, _: self.comments.get(int(number), [])),
            (rf"POST {root}/merge_requests/(\d+)/notes", self._note),
            (rf"PUT {root}/merge_requests/\d+/notes/(\d+)", self._edit),
            (rf"POST {root}/statuses/(\w+)", self._set),
            (rf"GET {root}/repository/commits/(\w+)/statuses", lambda commit, _: self.statuses.get(commit, [])),
            (rf"GET {root}/repository/commits/(\w+)/merge_requests", lambda commit, _: self.pulls.get(commit, [])),
            (rf"GET {root}/issues", lambda _: [each for each in self.issues if each["state"] == "opened"]),
            (rf"POST {root}/issues", self._raise),
            (rf"PUT {root}/issues/(\d+)", self._alter),
        ]

    def _note(self, number: str, body: Any) -> Any:
        row = {"id": next(self._ids), "author": {"username": ME}, **body}
        self.comments.setdefault(int(number), []).append(row)
        return row

    def _set(self, commit: str, body: Any) -> Any:
        assert body["state"] in ("success", "failed")
        assert len(body["description"]) <= 255
        row = {"id": next(self._ids), "author": {"username": ME}, **body, "status": body["state"]}
        self.statuses.setdefault(commit, []).append(row)
        return row

    def _raise(self, body: Any) -> Any:
        row = {"iid": next(self._ids), "state": "opened", "author": {"username": ME}, **body}
        self.issues.append(row)
        return row

    def _alter(self, number: str, body: Any) -> Any:
        (row,) = [each for each in self.issues if each["iid"] == int(number)]
        row.update(body)
        if body.get("state_event") == "close":
            row["state"] = "closed"
        return row
