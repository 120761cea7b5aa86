"""Look for what others changed on the servers: one issue says so, and is closed when there is nothing any more."""

import json
import sys
import tempfile
from pathlib import Path

from tool import forge, reconciler, targets_of

MARKER = "<!-- reconciler:drift -->"
TITLE = "Changed on the servers by other hands"


def main() -> int:
    """1 if a target could not be read."""
    host = forge()
    targets = targets_of(reconciler("drift", "--all-targets", "--format", "json").stdout)
    moved = [each["plan"] for each in targets if "plan" in each and each["plan"]["drift"]]
    all_read = all("plan" in each for each in targets)
    body = "\n\n".join([MARKER, *(_page(plan) for plan in moved), f"[Log]({host.run_url()})"])
    found = host.issue(MARKER)
    if moved and found is None:
        host.open_issue(TITLE, body)
    elif moved and found is not None:
        host.change_issue(found, body)
    elif found is not None and all_read:
        host.close_issue(found)
    return 0 if all_read else 1


def _page(plan: object) -> str:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "drift.json"
        file.write_text(json.dumps(plan), encoding="utf-8")
        return reconciler("show", str(file), "--format", "markdown").stdout


if __name__ == "__main__":
    sys.exit(main())
