"""docs/threat-model.md: every row names a test, and that test exists."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8")
ROWS = [each for each in re.findall(r"^\| (.+?) \| (.+?) \|$", PAGE, re.MULTILINE) if "---" not in each[0]]


@cache
def named_in(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize(("threat", "shown"), [each for each in ROWS if each[0] != "must be impossible"])
def test_a_threat_has_its_test(threat: str, shown: str) -> None:
    found = re.fullmatch(r"`(tests/[\w/]+\.py)(?:::(test_\w+))?`", shown)
    assert found, f"{threat}: {shown} names no test"
    path = ROOT / found[1]
    assert path.is_file(), f"there is no {path}"
    assert (found[2] or "") in ("", *named_in(path)), f"{found[1]} has no {found[2]}"
    assert any(name.startswith("test_") for name in named_in(path))


def test_the_page_has_its_parts() -> None:
    assert len(ROWS) > 40
    assert len(re.findall(r"^## ", PAGE, re.MULTILINE)) == 7
