"""Where the published JSON Schemas are. One source: ``schemas/`` of the checkout, which the wheel takes along."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

_ENDING: Final = ".schema.json"


def schema(name: str, each: Callable[[dict[str, Any]], dict[str, Any]] | None = None) -> dict[str, Any]:
    """The schema ``<name>.schema.json`` as published; ValueError for an unknown name.

    `each`: what is taken instead of every object in it, from the innermost outwards.
    """
    return json.loads(_folder_file(f"{name}{_ENDING}"), object_hook=each)  # type: ignore[no-any-return]


def schema_names() -> tuple[str, ...]:
    """The names of the published schemas, sorted."""
    return tuple(sorted(each.name.removesuffix(_ENDING) for each in _folder().iterdir() if each.name.endswith(_ENDING)))


def _folder_file(name: str) -> str:
    file = _folder() / name
    if not file.is_file():
        raise ValueError(f"there is no schema {name}")
    return file.read_text("utf-8")


def _folder() -> Path:
    """In the wheel, else in the checkout: one source, two places."""
    # importlib.resources would bring zip files and temporary folders, 15 ms of every start
    package = Path(__file__).parents[1]
    packaged = package / "_schemas"
    return packaged if packaged.is_dir() else package.parent / "schemas"
