"""`init`: from an empty folder to an applied plan, and workflows that pass the checks of ours."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from reconciler.profiles.loading import profile_names
from tests.conftest import Folder

BIN = Path(sys.executable).parent
TOOL = "acme/reconciler@" + "0123456789abcdef0123456789abcdef01234567"


def test_from_nothing_to_an_empty_plan(folder: Folder) -> None:
    ran = folder.run("init")
    assert ran.code == 0, ran.err
    assert "written  reconciler.yaml" in ran.out
    assert not (folder.path / ".github").exists()
    for line, word in [
        ("validate", ""),
        ("plan", "1 to add"),
        ("apply --auto-approve", "Apply complete"),
        ("plan", "No changes."),
    ]:
        ran = folder.run(*line.split())
        assert ran.code == 0, ran.out + ran.err
        assert word in ran.out


@pytest.mark.parametrize("profile", profile_names())
def test_every_profile_can_be_begun_with(profile: str, folder: Folder) -> None:
    assert folder.run("init", "--profile", profile).code == 0
    ran = folder.run("plan")
    assert ran.code == 0, ran.out + ran.err


def test_what_is_there_stays(folder: Folder) -> None:
    folder.write("reconciler.yaml", "mine\n")
    folder.write(".gitignore", "dist/")
    (folder.path / "identities").mkdir()
    (folder.path / "identities" / "people.yaml").symlink_to(folder.path / "elsewhere.yaml")
    for _ in range(2):
        ran = folder.run("init")
        assert ran.code == 0
    assert "kept     reconciler.yaml" in ran.out
    assert "workflows" not in ran.out
    assert (folder.path / "reconciler.yaml").read_text() == "mine\n"
    assert not (folder.path / "elsewhere.yaml").exists()
    assert (folder.path / ".gitignore").read_text() == "dist/\n.reconciler/\n"


def test_in_a_folder_of_another_name(folder: Folder) -> None:
    assert folder.run("init", "people").code == 0
    assert (folder.path / "people" / "reconciler.yaml").is_file()


def test_the_callers_for_github_pass_the_checks(folder: Folder) -> None:
    ran = folder.run("init", "--ci", "github", "--tool", TOOL)
    assert ran.code == 0, ran.err
    assert "what the workflows need" in ran.out
    written = sorted((folder.path / ".github" / "workflows").iterdir())
    assert [each.stem for each in written] == ["apply", "drift", "plan"]
    for command in (
        [str(BIN / "zizmor"), "--offline", "--no-progress", str(folder.path / ".github")],
        [str(BIN / "check-jsonschema"), "--builtin-schema", "vendor.github-workflows", *map(str, written)],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_callers_give_what_the_workflows_ask_for(folder: Folder) -> None:
    folder.run("init", "--ci", "github", "--tool", TOOL)
    own = Path(__file__).parents[2] / ".github" / "workflows"
    name, _, commit = TOOL.partition("@")
    for path in (folder.path / ".github" / "workflows").iterdir():
        (job,) = yaml.safe_load(path.read_text())["jobs"].values()
        assert job["uses"] == f"{name}/.github/workflows/{path.name}@{commit}"
        called = yaml.safe_load((own / path.name).read_text())
        call = called[True]["workflow_call"]
        assert set(job["with"]) == set(call["inputs"])
        assert job["with"] == {"tool": name, "tool-ref": commit}
        assert set(job["secrets"]) == set(call["secrets"])
        needed = {key: value for each in called["jobs"].values() for key, value in each["permissions"].items()}
        assert job["permissions"] == needed
        triggers = {key: value for key, value in called[True].items() if key != "workflow_call"}
        assert yaml.safe_load(path.read_text())[True] == triggers


def test_the_include_for_gitlab(folder: Folder) -> None:
    folder.run("init", "--ci", "gitlab", "--tool", TOOL)
    (include,) = yaml.safe_load((folder.path / ".gitlab-ci.yml").read_text())["include"]
    assert f"{include['project']}@{include['ref']}" == TOOL
    assert (Path(__file__).parents[2] / include["file"]).is_file()
