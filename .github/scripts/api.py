"""What the workflows need of GitHub: its API, the event, and the tool with credentials for git.

Standard library only: nothing is installed that the tool itself does not need.
"""

import base64
import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

BOT = os.environ.get("RECONCILER_BOT", "github-actions[bot]")
"""Only what this account wrote is believed: anybody may write a comment with our marker, or set a status."""
MOST = 65_536
"""Characters of a comment or an issue."""
CREDENTIALS = "RECONCILER_CREDENTIALS"
"""Lines ``NAME=VALUE``: the variables that the settings name as ``env:NAME``."""

_hidden: set[str] = set()


class GitHub:
    """The API of one repository."""

    def __init__(self) -> None:
        self.root = os.environ.get("GITHUB_API_URL", "https://api.github.com")
        self.repository = os.environ["GITHUB_REPOSITORY"]
        self._token = os.environ["GITHUB_TOKEN"]

    def request(self, method: str, path: str, body: Any = None, **query: object) -> Any:
        """One request below the repository; ends the script with what GitHub says where it is refused."""
        url = f"{self.root}/repos/{self.repository}{path}"
        if query:
            url += "?" + urllib.parse.urlencode(query)
        data = None if body is None else json.dumps(body).encode()
        headers = {
            "Authorization": f"Bearer {self._token}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
        }
        request = urllib.request.Request(url, data=data, headers=headers, method=method)  # noqa: S310  # the runner's
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310  # own address
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            said = error.read().decode("utf-8", "replace")[:300]
            sys.exit(f"GitHub refused {method} {path}: {error.code} {json.dumps(said)}")

    def pages(self, path: str, **query: object) -> Iterator[Any]:
        """Every row of a list."""
        page = 1
        while True:
            rows = self.request("GET", path, **query, per_page=100, page=page)
            yield from rows
            if len(rows) < 100:
                return
            page += 1

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
            "target_url": run_url(),
        }
        self.request("POST", f"/statuses/{commit}", body)

    def description(self, commit: str, target: str) -> str | None:
        """What our newest status of a commit says for a target; None if it is no success of ours."""
        for each in self.pages(f"/commits/{commit}/statuses"):
            if each["context"] == f"reconciler/{target}" and (each.get("creator") or {}).get("login") == BOT:
                return each["description"] if each["state"] == "success" else None
        return None


def is_ours(row: Any) -> bool:
    """Whether a comment or an issue was written by the workflows."""
    return (row.get("user") or {}).get("login") == BOT


def event() -> Any:
    """What started the workflow."""
    return json.loads(Path(os.environ["GITHUB_EVENT_PATH"]).read_text(encoding="utf-8"))


def run_url() -> str:
    """Where people read the log of this run."""
    server = os.environ.get("GITHUB_SERVER_URL", "https://github.com")
    return f"{server}/{os.environ['GITHUB_REPOSITORY']}/actions/runs/{os.environ.get('GITHUB_RUN_ID', '0')}"


def reconciler(*arguments: str, capture: bool = True) -> "subprocess.CompletedProcess[str]":
    """Run the tool; what it tells people goes to the log."""
    command = [sys.executable, "-m", "reconciler", *arguments]
    output = subprocess.PIPE if capture else None
    return subprocess.run(command, env=_environment(), stdout=output, text=True, encoding="utf-8", check=False)


def targets_of(document: str) -> list[Any]:
    """The targets in a JSON output of the tool; ends the script where there is none."""
    try:
        found: list[Any] = json.loads(document)["targets"]
    except (ValueError, KeyError):
        sys.exit("reconciler gave no answer; its messages are above")
    return found


def _environment() -> dict[str, str]:
    """Ours, with credentials and a header that lets git fetch and push the record, and without the token itself."""
    found = {name: each for name, each in os.environ.items() if name not in ("GITHUB_TOKEN", CREDENTIALS)}
    found |= _credentials(os.environ.get(CREDENTIALS, ""))
    token = os.environ.get("GITHUB_TOKEN")
    if token:
        server = os.environ.get("GITHUB_SERVER_URL", "https://github.com")
        basic = base64.b64encode(f"x-access-token:{token}".encode()).decode()
        found |= {
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": f"http.{server}/.extraheader",
            "GIT_CONFIG_VALUE_0": f"AUTHORIZATION: basic {basic}",
        }
    return found


def _credentials(lines: str) -> dict[str, str]:
    """Each value on its own is hidden in the log from now on; what is no such line is told by its number only."""
    found = {}
    for number, line in enumerate(lines.splitlines(), 1):
        name, equals, value = (part.strip() for part in line.partition("="))
        if not line.strip():
            continue
        if not equals or not value or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            sys.exit(f"{CREDENTIALS}: line {number} is not NAME=VALUE")
        found[name] = value
        if value not in _hidden:
            _hidden.add(value)
            print(f"::add-mask::{value.replace('%', '%25')}", flush=True)
    return found
