"""The README's session is real: its files are written, its commands run, and what they print stands there.

BLESS=1 writes the present output into the README.
"""

import os
import re
from pathlib import Path

from tests.conftest import Folder

README = Path(__file__).parent.parent / "README.md"
BLOCK = re.compile(r"^```(yaml|console)\n(.*?)^```$", re.M | re.S)


def replay(text: str, folder: Folder) -> str:
    """The README with the output of every command as it is now."""

    def block(found: re.Match[str]) -> str:
        kind, body = found.groups()
        first, _, _ = body.partition("\n")
        if kind == "yaml" and first.startswith("# ") and first.endswith(".yaml"):
            folder.write(first.removeprefix("# "), body)
        elif kind == "console" and first.startswith("$ reconciler "):
            ran = folder.run(*first.removeprefix("$ reconciler ").split())
            assert ran.code == 0, ran.err
            body = f"{first}\n{ran.out}{ran.err}"
        return f"```{kind}\n{body}```"

    return BLOCK.sub(block, text)


def test_the_session_in_the_readme_is_real(folder: Folder) -> None:
    text = README.read_text(encoding="utf-8")
    now = replay(text, folder)
    if os.environ.get("BLESS") == "1":
        README.write_text(now, encoding="utf-8")
    assert now == README.read_text(encoding="utf-8")


def test_the_readme_is_short_and_begins_with_the_two_commands() -> None:
    lines = README.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 150
    assert "make demo" in "\n".join(lines[:10])


def test_the_readme_names_every_command() -> None:
    from reconciler.cli.main import COMMANDS

    text = README.read_text(encoding="utf-8")
    assert [name for name in COMMANDS if f"| `{name}" not in text] == []
