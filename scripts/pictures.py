"""The pictures of docs/reading-a-plan.md: plans that the tool makes now, in a scratch folder, as SVG.

usage: python scripts/pictures.py    writes docs/pictures/; a test holds that they are current.
"""

import io
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from msgspec.structs import replace
from rich.console import Console
from rich.terminal_theme import SVG_EXPORT_THEME
from rich.text import Text

from reconciler.project import open_project
from reconciler.rendering.text import render_text
from reconciler.rendering.view import view
from reconciler.running.plans import plan_target
from reconciler.running.run import Options

PICTURES: Final = Path(__file__).parents[1] / "docs" / "pictures"
_WIDTH: Final = 92
_SETTINGS: Final = """\
targets:
  office: {profile: genesys, url: "sandbox:", sandbox: {seed: seed.yaml}}
policy: {privileged: {roles: [Master Admin]}}
"""
_SEED: Final = "groups: [{displayName: Support EMEA}]\n"
_BEFORE: Final = """\
templates:
  agent: {department: Support, routingSkills: {Billing: 3}}
users:
  zed.k: {userName: zed.k@example.com, displayName: Zed Kaya, from: [agent], roles: [Supervisor]}
  carl.m: {userName: carl.m@example.com, displayName: Carl Mora, from: [agent]}
  amy.b: {userName: amy.b@example.com, displayName: Amy Berg, from: [agent]}
  ben.c: {userName: ben.c@example.com, displayName: Ben Cole, from: [agent]}
  bob.li: {userName: bob.li@example.com, displayName: Bob Li, title: Agent}
groups:
  support-emea: {displayName: Support EMEA, members: [carl.m, amy.b, ben.c]}
"""
_AFTER: Final = """\
templates:
  agent: {department: Support, routingSkills: {Billing: 4}}
users:
  carl.m: {userName: carl.m@example.com, displayName: Carl Mora, from: [agent]}
  amy.b: {userName: amy.b@example.com, displayName: Amy Berg, from: [agent]}
  ben.c: {userName: ben.c@example.com, displayName: Ben Cole, from: [agent]}
  bob.li: {userName: bob.li@example.com, displayName: Bob Li, title: Team Lead}
  alice.ng: {userName: alice.ng@example.com, displayName: Alice Ng, title: Agent}
groups:
  support-emea: {displayName: Support EMEA, members: [amy.b, ben.c, alice.ng]}
"""
_PRIVILEGED: Final = _BEFORE.replace("title: Agent", "title: Agent, roles: [Master Admin]")
_FRAME: Final = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, Menlo, Consolas, monospace; font-size: {char_height}px;
line-height: {line_height}px; }}
{styles}
</style>
<defs>{lines}</defs>
<rect fill="#292929" width="{width}" height="{height}" rx="8"/>
<g transform="translate({terminal_x}, 20)">
{backgrounds}
<g class="{unique_id}-matrix">{matrix}</g>
</g>
</svg>
"""


def pictures() -> dict[str, str]:
    """File name -> SVG."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        _write(folder, _BEFORE)
        command = [sys.executable, "-m", "reconciler", "apply", "--auto-approve"]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
        found = {}
        for name, declarations in (("plan", _AFTER), ("stopped", _PRIVILEGED)):
            _write(folder, declarations)
            found[f"{name}.svg"] = _picture(name, folder)
        return found


def _write(folder: Path, declarations: str) -> None:
    (folder / "reconciler.yaml").write_text(_SETTINGS)
    (folder / "seed.yaml").write_text(_SEED)
    (folder / "identities").mkdir(exist_ok=True)
    (folder / "identities" / "people.yaml").write_text(declarations)


def _picture(name: str, folder: Path) -> str:
    plan = plan_target(open_project(folder, None, None), Options()).plan
    notices = tuple(each for each in plan.notices if each.code != "record")
    text = render_text(view(replace(plan, notices=notices)), width=_WIDTH, colour=True)
    console = Console(record=True, width=_WIDTH, file=io.StringIO(), force_terminal=True)
    console.print(Text.from_ansi(text), soft_wrap=True)
    return console.export_svg(code_format=_FRAME, theme=SVG_EXPORT_THEME, unique_id=name)


if __name__ == "__main__":
    for file, svg in pictures().items():
        (PICTURES / file).write_text(svg, encoding="utf-8")
