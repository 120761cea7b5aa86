"""docs/importing.md is real: its files are written and its commands run. BLESS=1 writes what they print."""

import os
import re
from pathlib import Path

import pytest

import reconciler
from tests.cli.in_process import QuickFolder, quick

PAGE = Path(reconciler.__file__).parents[1] / "docs" / "importing.md"
BLOCK = re.compile(r"^```(yaml|console)\n(.*?)^```$", re.M | re.S)


@pytest.fixture
def replayed(tmp_path: Path) -> str:
    folder = quick(tmp_path / "here")
    return BLOCK.sub(lambda found: block(found, folder), PAGE.read_text(encoding="utf-8"))


def block(found: re.Match[str], folder: QuickFolder) -> str:
    kind, body = found.groups()
    first = body.partition("\n")[0]
    if kind == "yaml":
        folder.write(first.removeprefix("# "), body)
    elif first.startswith("$ cat "):
        body = f"{first}\n{(folder.path / first.removeprefix('$ cat ')).read_text('utf-8')}"
    else:
        ran = folder.run(*first.removeprefix("$ reconciler ").split())
        body = f"{first}\n{ran.out}{ran.err}"
    return f"```{kind}\n{body}```"


def test_the_page_is_real(replayed: str) -> None:
    if os.environ.get("BLESS") == "1":
        PAGE.write_text(replayed, encoding="utf-8")
    assert replayed == PAGE.read_text(encoding="utf-8")
    assert 'phoneNumbers.work is left out: "extension 12"' in replayed
