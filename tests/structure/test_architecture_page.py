"""The page that explains the code names what is there: all of it, and nothing else."""

import re
from pathlib import Path

import reconciler

PACKAGE = Path(reconciler.__file__).parent
PAGE = (PACKAGE.parent / "docs" / "architecture.md").read_text(encoding="utf-8")
UNITS = {each.stem for each in PACKAGE.glob("*.py")} | {each.parent.name for each in PACKAGE.glob("*/__init__.py")}


def _map() -> list[str]:
    rows = re.findall(r"^\| (`[^|]+) \|", PAGE, flags=re.MULTILINE)
    return [name.rstrip("/") for row in rows for name in re.findall(r"`([a-z_/]+)`", row)]


def test_the_map_names_every_module_once() -> None:
    assert sorted(_map()) == sorted(UNITS - {"__init__", "__main__"})


def test_the_life_of_a_change_names_modules_that_exist() -> None:
    stages = re.findall(r"^\*\*[A-Z][a-z ]+\*\* \(([^)]+)\)", PAGE, flags=re.MULTILINE)
    named = {name for stage in stages for name in re.findall(r"`([a-z_]+)`", stage)}
    assert len(stages) >= 12
    assert named <= UNITS


def test_the_cited_line_of_the_example_is_the_right_one() -> None:
    path, line = re.findall(r"(identities/\S+\.yaml):(\d+)", PAGE)[0]
    lines = (PACKAGE.parent / path).read_text(encoding="utf-8").splitlines()
    assert lines[int(line) - 1].strip() == "title: Senior Agent"
    assert "  amara.nwosu:" in lines[int(line) - 6 : int(line)]
