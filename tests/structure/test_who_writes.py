"""Only an apply is given a client that can write: everything else that runs holds a `Reader`, which knows GET alone."""

import ast
from pathlib import Path

import reconciler

ROOT = Path(reconciler.__file__).parent
WRITING = {"Writer", "open_writer", "writer_for"}
MAY = {"applying", "connecting.py", "running/applies.py", "transport"}
"""Where the client that writes is made, handed on and used; the apply is the only command among them."""


def test_only_an_apply_is_given_what_writes() -> None:
    found: dict[str, set[str]] = {}
    for path in sorted(ROOT.rglob("*.py")):
        place = path.relative_to(ROOT)
        names = {node.id for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Name)}
        if names & WRITING:
            found.setdefault(place.parts[0] if place.parts[0] in MAY else place.as_posix(), set()).update(
                names & WRITING
            )
    assert found.keys() == MAY


def test_an_apply_is_started_by_its_command_alone() -> None:
    calling = {
        path.relative_to(ROOT).as_posix()
        for path in ROOT.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "apply_target"
    }
    assert calling == {"cli/apply.py"}
