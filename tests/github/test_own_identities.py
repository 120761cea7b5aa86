"""The workflows on this repository's own settings and declarations: two embedded targets, and no secrets."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.provider import provider
from tests.github.forge import forge
from tests.github.test_workflow_scripts import Workflow

ROOT = Path(__file__).parents[2]


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Workflow]:
    with forge() as github, provider() as running:
        work = Workflow(tmp_path, github, running)
        work.git("rm", "-qr", "identities")
        for name in ("identities", "sandbox"):
            shutil.copytree(ROOT / name, tmp_path / "main" / name)
        shutil.copy(ROOT / "reconciler.yaml", tmp_path / "main")
        work.write(".gitignore", ".reconciler/\n")
        work.commit("a contact centre")
        yield work


def test_from_pull_request_to_drift(work: Workflow) -> None:
    work.git("checkout", "-qb", "topic")
    file = work.folder / "main" / "identities" / "platform" / "team.yaml"
    file.write_text(file.read_text().replace("Ruth Adeyemi", "Ruth Neo", 1))
    head = work.commit("another name")
    _, ran = work.pull("topic")
    assert ran.returncode == 0, ran.stderr
    contexts = [each["context"] for each in work.github.statuses[head]]
    assert sorted(contexts) == ["reconciler/sandbox", "reconciler/staging"]
    assert all("Ruth Neo" in each for each in work.comments())
    assert all(len(each) <= 65_536 for each in work.comments())
    done = work.apply(work.merged("topic", head))
    assert done.returncode == 0, done.stderr
    assert [each for each in work.comments() if "applied: " in each][1:]
    assert work.run("drift", {}, "schedule", at="main").returncode == 0
    assert work.run("apply", {}, "schedule", at="main").returncode == 0
