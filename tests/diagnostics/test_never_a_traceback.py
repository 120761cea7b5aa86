"""A fault of our own, wherever it strikes: one line that says so, details in a file, no secret, nothing forgotten."""

import importlib
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.diagnostics.repositories import SETTINGS
from tests.diagnostics.running import Said, say

SECRET = "kJ8-wordOfMouth"
TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2lnbmF0dXJl"
PEOPLE = """
users:
  ann: {userName: ann@x.example, displayName: Ann}
  ben: {userName: ben@x.example, displayName: Ben}
  cleo: {userName: cleo@x.example, displayName: Cleo}
"""
FAULT = f"boom ({SECRET}) with Authorization: Bearer {TOKEN} and b'Basic YW5uOmh1bnRlcjI=' and {TOKEN}"

READING = {
    "settings": "reconciler.project.load_settings",
    "load": "reconciler.project.load_declarations",
    "check and resolve": "reconciler.project.check_and_resolve",
    "record read": "reconciler.recording.decode",
    "refresh": "reconciler.running.run.refresh_proved",
    "reconcile": "reconciler.running.run.reconcile",
    "view": "reconciler.cli.output.view",
    "render": "reconciler.cli.output.render_text",
}
WRITING = {
    "announce": "reconciler.running.applies.announce",
    "record write": "reconciler.recording.encode",
    "execute": "reconciler.running.applies.execute",
    "conclude": "reconciler.running.verifying.conclude",
    "settle": "reconciler.running.verifying.settle",
    "report": "reconciler.rendering.report.render_report",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SCIM_TOKEN", SECRET)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "identities").mkdir()
    (tmp_path / "reconciler.yaml").write_text(SETTINGS)
    (tmp_path / "identities/people.yaml").write_text(PEOPLE)
    return tmp_path


def break_at(monkeypatch: pytest.MonkeyPatch, place: str, *, calls: int = 0) -> None:
    """From the call after so many on, this function fails in a way that nobody thought of."""
    owner, name = place.rsplit(".", 1)
    try:
        module: Any = importlib.import_module(owner)
    except ModuleNotFoundError:
        module = getattr(importlib.import_module(owner.rsplit(".", 1)[0]), owner.rsplit(".", 1)[1])
    original: Callable[..., Any] = getattr(module, name)
    seen = []

    def broken(*given: Any, **named: Any) -> Any:
        seen.append(name)
        if len(seen) > calls:
            try:
                raise KeyError(SECRET)
            except KeyError as error:
                raise RuntimeError(FAULT) from error
        return original(*given, **named)

    monkeypatch.setattr(module, name, broken)


def assert_our_fault(said: Said) -> None:
    assert said.code == 1
    assert "Traceback" not in said.out + said.err
    lines = said.err.strip().splitlines()
    assert lines[0].startswith("error: this is a fault of reconciler (RuntimeError), not of yours"), said.err
    assert len(lines) == 2
    written = re.search(r"details, please report them: (\S+)", lines[1])
    assert written is not None
    details = Path(written[1]).read_text()
    assert "RuntimeError: boom" in details
    assert "KeyError" in details
    assert 'File "' in details
    for secret in (SECRET, TOKEN, TOKEN[:20], "YW5uOmh1bnRlcjI"):
        assert secret not in details + said.err + said.out


@pytest.mark.parametrize("place", READING.values(), ids=READING)
def test_while_planning(place: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if place.endswith("decode"):
        assert say(["apply", "--auto-approve"], folder).code == 0
    break_at(monkeypatch, place)
    assert_our_fault(say(["plan"], folder))


@pytest.mark.parametrize("place", [*READING.values(), *WRITING.values()], ids=[*READING, *WRITING])
def test_while_applying(place: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if place.endswith("decode"):
        assert say(["apply", "--auto-approve"], folder).code == 0
    with monkeypatch.context() as patch:
        break_at(patch, place)
        assert_our_fault(say(["apply", "--auto-approve"], folder))
    ended = say(["apply", "--auto-approve"], folder)
    assert ended.code == 0, ended
    assert "No changes" in say(["plan"], folder).out


def test_between_two_writes_nothing_is_forgotten(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        break_at(patch, "reconciler.applying.performing.Performer.create", calls=1)
        said = say(["apply", "--auto-approve"], folder)
    assert_our_fault(said)
    report = said.out.split("Plan:")[1]
    assert "user.ben" in report
    assert "reconciler broke off here" in report
    assert "1 added" in report
    assert "1 not tried" in report
    record = "".join(each.read_text() for each in sorted((folder / ".reconciler/record/sandbox").rglob("*.json*")))
    ids = re.findall(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", record)
    assert len(set(ids)) == 1
    left = say(["plan"], folder).out
    assert "2 to add" in left
    assert "user.ann" not in left


def test_after_the_last_write_the_report_is_shown(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        break_at(patch, "reconciler.running.run.refresh_proved", calls=1)
        said = say(["apply", "--auto-approve"], folder)
    assert_our_fault(said)
    assert "3 added" in said.out.split("Plan:")[1]
    assert "No changes" in say(["plan"], folder).out


@pytest.mark.parametrize(("call", "code"), [(["plan"], 0), (["apply", "--auto-approve"], 1)])
def test_nobody_reads_the_output(call: list[str], code: int, folder: Path) -> None:
    """A plan has said enough; an apply has not done what it was called for, and wrote nothing."""
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-W", "error", "-m", "reconciler", *call]
    ended = subprocess.run(command, cwd=folder, stdout=writing, stderr=subprocess.PIPE, check=False, timeout=60)
    os.close(writing)
    assert ended.stderr == b""
    assert ended.returncode == code
    assert "3 to add" in say(["plan"], folder).out
