"""The pictures in docs/ are what the tool prints now. BLESS=1 makes them anew (or python scripts/pictures.py)."""

import os
import re
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[2]
LARGEST = 20_000


def script() -> ModuleType:
    spec = spec_from_file_location("pictures", ROOT / "scripts" / "pictures.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_pictures_are_current_small_and_shown() -> None:
    made = script().pictures()
    folder = ROOT / "docs" / "pictures"
    if os.environ.get("BLESS") == "1":
        for name, svg in made.items():
            (folder / name).write_text(svg, encoding="utf-8")
    assert {each.name: each.read_text(encoding="utf-8") for each in folder.iterdir()} == made
    page = (ROOT / "docs" / "reading-a-plan.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\(pictures/([^)]+)\)", page)) == set(made)
    for svg in made.values():
        assert len(svg) < LARGEST
        assert "http" not in svg.replace("http://www.w3.org/2000/svg", "")
