"""Which commit last touched a line, as git knows it. Only reads."""

import re
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from msgspec import Struct

from reconciler.record.repository import GitRepository

_HEAD: Final = re.compile(r"([0-9a-f]{40,64}) \d+ (\d+)(?: \d+)?")
_TIME: Final = re.compile(r"committer-time (\d+)")


class Touched(Struct, frozen=True):
    """The commit that a line comes from and its day (UTC); None for both where nobody has committed it."""

    commit: str | None
    day: str | None

    def __str__(self) -> str:
        return f"{self.commit[:7]} {self.day}" if self.commit else "not committed"


def last_touched(repository: GitRepository, file: Path, lines: Collection[int]) -> dict[int, Touched]:
    """Line -> the commit that wrote it; empty for a file that git does not know."""
    if not lines:
        return {}
    ranges = [argument for line in sorted(lines) for argument in ("-L", f"{line},{line}")]
    answer = repository.run("blame", "--porcelain", *ranges, "--", str(file.absolute()))
    if answer.code != 0:
        return {}
    days: dict[str, str] = {}
    found: list[tuple[int, str]] = []
    for row in answer.stdout.decode("utf-8", "replace").splitlines():
        if head := _HEAD.fullmatch(row):
            found.append((int(head[2]), head[1]))
        elif time := _TIME.fullmatch(row):
            days[found[-1][1]] = datetime.fromtimestamp(int(time[1]), UTC).date().isoformat()
    return {
        line: Touched(None, None) if set(commit) == {"0"} else Touched(commit, days[commit]) for line, commit in found
    }
