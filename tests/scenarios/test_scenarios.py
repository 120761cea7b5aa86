"""Situations as folders: declarations, settings, live state and record in; plan, requests and report out.

Each folder beside this file is one case, told in its README.md; adding a case is adding a folder. Parts of it:

    declared/**/*.yaml    what the commit declares
    settings.yaml         the reconciler.yaml; its one target is embedded
    live.json             what the server holds (see scenario_world)
    record.yaml           what was last applied (see scenario_record); or record/, its files as they are; or neither
    run.yaml              {today: 2026-11-25, drift: true, accept: [removals@1a2b3c4d]}, all optional
    server.yaml           how the server misbehaves in the apply
    acceptances.yaml      beside the settings

    plan.txt plan.json    what `plan` prints
    requests.txt          every write of an apply, in order
    report.txt            what `apply` prints after the plan
    after.txt             what `plan` says then; without that file it says "No changes.", or the same if none were made
    exit                  how `plan`, `apply` and the `plan` after it end

BLESS=1 writes the second half anew. Read what it wrote: a wrong outcome must not be blessed.
"""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import Ran
from tests.scenarios.scenario_world import TODAY, built

HERE = Path(__file__).parent
CASES = sorted(each.parent.name for each in HERE.glob("*/README.md"))
BLESS = os.environ.get("BLESS") == "1"
OUTPUTS = ("plan.txt", "plan.json", "requests.txt", "report.txt", "after.txt", "exit")
NOISE = ("tool_version", "commit", "digest")


@pytest.mark.parametrize("name", CASES)
def test_scenario(name: str, tmp_path: Path) -> None:
    folder = HERE / name
    found = outcome(folder, tmp_path)
    if BLESS:
        for each in OUTPUTS:
            (folder / each).unlink(missing_ok=True)
            if found[each]:
                (folder / each).write_text(found[each], encoding="utf-8")
    expected = {each: _text(folder / each) for each in OUTPUTS}
    for each in OUTPUTS:
        assert found[each] == expected[each], f"{name}/{each}"


def test_every_folder_is_a_scenario() -> None:
    folders = {each.name for each in HERE.iterdir() if each.is_dir() and not each.name.startswith("__")}
    assert folders == set(CASES)


def test_the_readme_has_every_scenario_and_no_other() -> None:
    named = set(re.findall(r"`([a-z]+(?:-[a-z]+)+|tests/\S+\.py)`", _text(HERE / "README.md").partition("\n## ")[2]))
    files = {each for each in named if "/" in each}
    assert named - files == set(CASES)
    assert [each for each in files if not (HERE.parent.parent / each).exists()] == []


def outcome(folder: Path, path: Path) -> dict[str, str]:
    """Everything that comes out of a scenario, by the name of the file that it is compared with."""
    run = yaml.safe_load(_text(folder / "run.yaml")) or {}
    world = built(folder, path, today=str(run.get("today", TODAY)))
    plan = world.run("plan")
    as_json = world.run("plan", "--format", "json")
    assert world.sent == [], "a plan has written"
    accepted = [word for each in run.get("accept", []) for word in ("--accept", each)]
    apply = world.run("apply", "--auto-approve", *(["--drift"] if run.get("drift") else []), *accepted, misbehaves=True)
    requests = world.requests()
    after = world.run("plan", "--detailed-exitcode")
    settled = after.out.startswith("No changes. ") or (not requests and _said(after) == _said(plan))
    ends = {"plan": plan.code, "apply": apply.code, "plan after it": after.code}
    return {
        "plan.txt": world.readable(_said(plan)),
        "plan.json": world.readable(_without_noise(as_json.out)),
        "requests.txt": requests,
        "report.txt": world.readable(_said(apply).removeprefix(_said(plan)).lstrip("\n")),
        "after.txt": "" if settled else world.readable(_said(after)),
        "exit": "".join(f"{command}: {code}\n" for command, code in ends.items()),
    }


def _said(ran: Ran) -> str:
    return ran.out + "".join(f"stderr: {line}".rstrip() + "\n" for line in ran.err.splitlines())


def _without_noise(text: str) -> str:
    if not text.strip():
        return ""
    document: dict[str, Any] = json.loads(text)
    kept = {key: value for key, value in document.items() if key not in NOISE}
    return json.dumps(kept, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8") if file.exists() else ""
