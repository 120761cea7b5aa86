"""Look for what others changed on the servers: one issue says so, and is closed when there is nothing any more."""

import json
import sys
import tempfile
from pathlib import Path

from api import MOST, GitHub, is_ours, reconciler, run_url, targets_of

MARKER = "<!-- reconciler:drift -->"
TITLE = "Changed on the servers by other hands"


def main() -> int:
    """1 if a target could not be read."""
    github = GitHub()
    targets = targets_of(reconciler("drift", "--all-targets", "--format", "json").stdout)
    moved = [each["plan"] for each in targets if "plan" in each and each["plan"]["drift"]]
    body = "\n\n".join([MARKER, *(_page(plan) for plan in moved), f"[Log]({run_url()})"])[:MOST]
    issues = github.pages("/issues", state="open")
    found = next((each for each in issues if is_ours(each) and MARKER in (each["body"] or "")), None)
    if moved and found is None:
        github.request("POST", "/issues", {"title": TITLE, "body": body})
    elif moved and found is not None:
        github.request("PATCH", f"/issues/{found['number']}", {"body": body})
    elif found is not None and all("plan" in each for each in targets):
        github.request("PATCH", f"/issues/{found['number']}", {"state": "closed", "state_reason": "completed"})
    return 0 if all("plan" in each for each in targets) else 1


def _page(plan: object) -> str:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "drift.json"
        file.write_text(json.dumps(plan), encoding="utf-8")
        return reconciler("show", str(file), "--format", "markdown").stdout


if __name__ == "__main__":
    sys.exit(main())
