"""Every command of docs/review.md is run, and what it prints stands there. BLESS=1 writes what is printed now."""

import os
import re
from pathlib import Path

from tests.cli.in_process import QuickFolder, quick

PAGE = Path(__file__).parents[2] / "docs" / "review.md"
BLOCK = re.compile(r"^```(yaml|console)\n(.*?)^```$", re.M | re.S)


def replayed(text: str, folder: QuickFolder) -> str:
    """The page with the output of every command as it is now."""

    def block(found: re.Match[str]) -> str:
        kind, body = found.groups()
        first, _, _ = body.partition("\n")
        if kind == "yaml":
            folder.write(first.removeprefix("# "), body)
            return found[0]
        ran = folder.run(*first.removeprefix("$ reconciler ").split())
        said = f"{ran.out}{ran.err}" + (f"exit code {ran.code}\n" if ran.code else "")
        return f"```{kind}\n{first}\n{said}```"

    return BLOCK.sub(block, text)


def test_the_page_is_real(tmp_path: Path) -> None:
    now = replayed(PAGE.read_text(encoding="utf-8"), quick(tmp_path / "office"))
    if os.environ.get("BLESS") == "1":
        PAGE.write_text(now, encoding="utf-8")
    assert now == PAGE.read_text(encoding="utf-8")
