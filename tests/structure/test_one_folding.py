"""Names and keys are compared without case in one way, `without_case`; other ways are for what is no name."""

import ast
from pathlib import Path

import reconciler

ROOT = Path(reconciler.__file__).parent
MAY = {
    "cli/misuse.py": "an option that other tools have",
    "diffing/slips.py": "names that are nearly the same",
    "rendering/masked_people.py": "whoever may be meant is hidden",
    "suggestions.py": "names that are nearly the same",
}


def test_names_are_compared_in_one_way() -> None:
    """casefold() takes weiß for weiss. The embedded provider shares no code with the rest, and is as strict as any."""
    folding = {
        path.relative_to(ROOT).as_posix()
        for path in ROOT.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and node.attr == "casefold"
    }
    assert {each for each in folding if not each.startswith("sandbox/")} == MAY.keys()
