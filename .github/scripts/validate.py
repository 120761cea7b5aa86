"""Check the declarations of a pull request: problems at their lines, and SARIF for whoever wants it. No credentials."""

import sys
from pathlib import Path

from tool import reconciler


def main() -> int:
    """The exit code of `validate`."""
    found = reconciler("validate", "--format", "sarif")
    Path("reconciler.sarif").write_text(found.stdout, encoding="utf-8")
    return reconciler("validate", capture=False).returncode if found.returncode else 0


if __name__ == "__main__":
    sys.exit(main())
