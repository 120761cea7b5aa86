"""The workflows themselves: checked by tools that others wrote, and held to a few rules of ours."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
BIN = Path(sys.executable).parent


def steps(path: Path) -> list[dict[str, Any]]:
    jobs = yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"]
    return [step for job in jobs.values() for step in job["steps"]]


def test_zizmor_finds_nothing() -> None:
    done = subprocess.run(
        [BIN / "zizmor", "--offline", "--no-progress", "--persona", "regular", ROOT / ".github", ROOT / "action.yml"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    ignored = [line for path in WORKFLOWS for line in path.read_text().splitlines() if "zizmor: ignore" in line]
    assert len(ignored) == 1
    assert re.search(r"ignore\[dangerous-triggers\] \w+", ignored[0]), "an ignore gives its reason"


def test_the_schema_of_workflows_holds() -> None:
    done = subprocess.run(
        [BIN / "check-jsonschema", "--builtin-schema", "vendor.github-workflows", *WORKFLOWS],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_schema_of_the_action_holds() -> None:
    done = subprocess.run(
        [BIN / "check-jsonschema", "--builtin-schema", "vendor.github-actions", ROOT / "action.yml"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    (run,) = [each for each in yaml.safe_load((ROOT / "action.yml").read_text())["runs"]["steps"] if "run" in each]
    assert run["run"] == "$GITHUB_ACTION_PATH/.github/scripts/run.sh"


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_rules_of_ours(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert yaml.safe_load(text)["permissions"] == {}
    for step in steps(path):
        if "uses" in step:
            assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", step["uses"]), "pinned by SHA"
            if step["uses"].startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False
        else:
            assert "${{" not in step["run"], "text of others is never part of a command"
            assert len(step["run"].splitlines()) == 1, "what runs is a script that is tested"
            own = r"tool/\.github/scripts/install\.sh tool|python tool/\.github/scripts/\w+\.py|sudo .*\.ci/run"
            assert re.fullmatch(own, step["run"])


def test_the_privileged_job_runs_nothing_of_the_pull_request() -> None:
    job = yaml.safe_load((ROOT / ".github/workflows/plan.yml").read_text())["jobs"]["plan"]
    conditions = {each.strip() for each in job["if"].split("&&")}
    assert conditions == {
        "github.event_name == 'pull_request_target'",
        "github.event.pull_request.head.repo.full_name == github.repository",
        "github.event.pull_request.base.ref == github.event.repository.default_branch",
    }
    commands = [step["run"] for step in job["steps"] if "run" in step]
    assert commands
    assert all(command.startswith(("tool/", "python tool/")) for command in commands)
    (tool,) = [step["with"] for step in job["steps"] if step.get("with", {}).get("path") == "tool"]
    assert tool["ref"] == "${{ inputs.tool-ref || github.sha }}", "of the base branch, for this event"
    (merge,) = [step["with"] for step in job["steps"] if step.get("with", {}).get("path") == "pull"]
    assert merge["sparse-checkout"].split() == ["/identities/", "/acceptances.yaml", "/reconciler.yaml", "/profiles/"]
    assert not [step for step in job["steps"] if "cache" in step.get("with", {})]
