"""The tool, run with the credentials of the job; and the code host that the job runs on. Standard library only."""

import base64
import json
import os
import re
import subprocess
import sys
from typing import Any

from github import GitHub
from gitlab import GitLab

CREDENTIALS = "RECONCILER_CREDENTIALS"
"""Lines ``NAME=VALUE``: the variables that the settings name as ``env:NAME``."""
TOKENS = ("GITHUB_TOKEN", "RECONCILER_GITLAB_TOKEN")
_hidden: set[str] = set()


def forge() -> GitHub | GitLab:
    """Where the job runs."""
    return GitLab() if os.environ.get("GITLAB_CI") == "true" else GitHub()


def reconciler(*arguments: str, capture: bool = True) -> "subprocess.CompletedProcess[str]":
    """Run the tool; what it tells people goes to the log."""
    # -P: a package of that name in the working directory is not ours
    command = [sys.executable, "-P", "-m", "reconciler", *arguments]
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
    found = {name: each for name, each in os.environ.items() if name not in (*TOKENS, CREDENTIALS)}
    found |= _credentials(os.environ.get(CREDENTIALS, ""))
    at_gitlab = os.environ.get("GITLAB_CI") == "true"
    token = os.environ.get(TOKENS[at_gitlab])
    if token:
        server = os.environ["CI_SERVER_URL"] if at_gitlab else os.environ.get("GITHUB_SERVER_URL", "https://github.com")
        user = "oauth2" if at_gitlab else "x-access-token"
        basic = base64.b64encode(f"{user}:{token}".encode()).decode()
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
        if os.environ.get("GITHUB_ACTIONS") == "true" and value not in _hidden:
            _hidden.add(value)
            print(f"::add-mask::{value.replace('%', '%25')}", flush=True)
    return found
