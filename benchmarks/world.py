"""A folder with declarations, settings and a record, and a running page server that holds the same company."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

from benchmarks.company import PER_FILE, write_declarations
from benchmarks.measuring import RECONCILER, ROOT, Cost, run

_SETTINGS = """\
defaultTarget: company
targets:
  company:
    profile: genesys
    url: http://127.0.0.1:{port}
    pageSize: {page}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """One company, declared in `folder` and held by the server at `port`."""

    folder: Path
    port: int

    def reconciler(self, *arguments: str) -> Cost:
        """One run of the command line in the folder."""
        return run([*RECONCILER, *arguments], self.folder)

    def requests(self) -> dict[str, int]:
        """Path -> requests since this was asked last."""
        with urlopen(f"http://127.0.0.1:{self.port}/counts") as answer:
            counts: dict[str, int] = json.load(answer)
        return counts


@contextmanager
def world(
    parent: Path,
    size: int,
    *,
    state: str = "same",
    page: int = 500,
    per_file: int = PER_FILE,
    recorded: bool = True,
    delay: float = 0.0,
) -> Iterator[World]:
    """Make a company, serve it, and let an apply find all in place if `recorded`: then there is a record."""
    folder = parent / f"{size}-{state}-{page}-{per_file}-{delay}"
    folder.mkdir()
    write_declarations(folder / "identities", size, per_file=per_file)
    with serving(size, state, delay) as port:
        folder.joinpath("reconciler.yaml").write_text(_SETTINGS.format(port=port, page=page), encoding="utf-8")
        _commit(folder)
        made = World(folder=folder, port=port)
        if recorded:
            made.reconciler("apply", "--auto-approve")
        yield made


@contextmanager
def serving(size: int, state: str, delay: float) -> Iterator[int]:
    """A page server in a process of its own; gives its port."""
    command = [sys.executable, "-m", "benchmarks.pageserver", "--users", str(size), "--state", state]
    command += ["--delay", str(delay)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("the page server has no pipes")
        try:
            yield int(process.stdout.readline())
        finally:
            process.stdin.close()


def _commit(folder: Path) -> None:
    folder.joinpath(".gitignore").write_text(".output\n.reconciler/\n", encoding="utf-8")
    identity = ["-c", "user.name=bench", "-c", "user.email=bench@localhost.invalid", "-c", "commit.gpgsign=false"]
    for arguments in (["init", "--quiet"], ["add", "--all"], [*identity, "commit", "--quiet", "--message", "company"]):
        subprocess.run(["git", *arguments], cwd=folder, check=True)
