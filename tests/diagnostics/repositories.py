"""Small repositories with mistakes, each with what the command says about it: plain texts, written to be read.

A file of `bad/` holds many of them::

    === a name that says what is wrong
    --- identities/people.yaml
    the file as it stands; with `(escaped)` after the name, backslash escapes of Python stand for odd bytes
    --- link identities/elsewhere.yaml -> ../outside.yaml
    $ reconciler validate
    what it prints; ⟨folder⟩ stands for where the repository is
    exit 1

Without a `reconciler.yaml` a repository has one embedded Genesys Cloud target. `BLESS=1` writes what is printed now.
"""

import os
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.diagnostics.running import Said, say

HERE = Path(__file__).parent / "bad"
SETTINGS = 'targets:\n  sandbox:\n    profile: genesys\n    url: "sandbox:"\n'
_MARK = re.compile(r"^(?:=== (?P<name>.*)|--- (?P<file>.*)|\$ reconciler(?P<call>.*)|(?P<exit>exit \d+))$")
_FOLDER = "⟨folder⟩"


@dataclass(frozen=True)
class Repository:
    """One repository, the call, and what is expected of it (`said` is what it printed, then how it ended)."""

    name: str
    files: dict[str, str] = field(default_factory=dict)
    call: str = " validate"
    said: str = ""

    def lay_out(self, folder: Path) -> None:
        """Write its files."""
        settings = {} if any(name.startswith("reconciler.y") for name in self.files) else {"reconciler.yaml": SETTINGS}
        for head, text in {**settings, **self.files}.items():
            name, escaped, rest = head.partition(" (escaped)")
            if head.startswith("link "):
                link, _, aim = head.removeprefix("link ").partition(" -> ")
                (folder / link).parent.mkdir(parents=True, exist_ok=True)
                (folder / link).symlink_to(aim)
                continue
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            body = text.rstrip("\n").encode("latin-1", "backslashreplace").decode("unicode_escape") if escaped else text
            path.write_bytes(body.encode("latin-1") if escaped else body.encode())
            assert not rest

    def run(self, folder: Path) -> Said:
        """What the command says about it in a folder that is empty so far."""
        self.lay_out(folder)
        return say(shlex.split(self.call), folder)

    def heard(self, said: Said, folder: Path) -> "Repository":
        """The same repository, with what was said now."""
        text = (said.out + said.err).replace(str(folder), _FOLDER).rstrip("\n")
        return replace(self, said=f"{text}\nexit {said.code}\n")


def repositories(path: Path) -> list[Repository]:
    """All repositories of one file of `bad/`."""
    found: list[Repository] = []
    into: list[str] = []
    files: dict[str, list[str]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        mark = _MARK.match(line)
        if mark is None:
            into.append(line)
        elif mark["name"] is not None:
            files = {}
            found.append(Repository(mark["name"]))
        elif mark["file"] is not None:
            into = files[mark["file"]] = []
        elif mark["call"] is not None:
            into = []
            written = {name: "".join(f"{each}\n" for each in lines) for name, lines in files.items()}
            found[-1] = replace(found[-1], files=written, call=mark["call"])
        elif mark["exit"] is not None:
            said = "".join(f"{each}\n" for each in into) + f"{mark['exit']}\n"
            found[-1] = replace(found[-1], said=said)
            into = []
    return found


def blessing() -> bool:
    """Whether what is printed now is to be taken for right."""
    return bool(os.environ.get("BLESS"))


def write(path: Path, found: list[Repository]) -> None:
    """The file of some repositories."""
    path.write_text("\n".join("".join(_lines(each)) for each in found), encoding="utf-8")


def _lines(repository: Repository) -> Iterator[str]:
    yield f"=== {repository.name}\n"
    for name, text in repository.files.items():
        yield f"--- {name}\n{text}"
    yield f"$ reconciler{repository.call}\n{repository.said}"
