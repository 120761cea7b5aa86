"""The audit file: an intent before each request, a result after it, and nothing that should not be kept."""

import json
import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from reconciler.audit import Audit, RequestLine
from reconciler.errors import RecordTrouble
from reconciler.model import NotTried, Succeeded
from reconciler.transport.answers import Answer
from tests.applying.performing_world import World, create_user, patch_user

NOON = datetime(2026, 1, 12, 12, tzinfo=UTC)


@pytest.fixture
def world() -> Iterator[World]:
    opened = World()
    yield opened
    opened.service.close()


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(each) for each in path.read_text(encoding="utf-8").splitlines()]


def test_two_lines_for_each_request(world: World, tmp_path: Path) -> None:
    path = tmp_path / "audit" / "run-1.jsonl"
    with Audit.open(path, head={"run": "run-1", "target": "t"}, now=lambda: NOON) as audit:
        (done,) = world.run(create_user(1, "zoë", title="Lead"), audit=audit)
    assert isinstance(done, Succeeded)
    request = {"operation": 1, "address": "user.zoë", "method": "POST", "path": "/Users"}
    sent = json.loads(world.asked[0].content)
    at = {"at": "2026-01-12T12:00:00+00:00"}
    assert lines(path) == [
        at | {"event": "run", "run": "run-1", "target": "t"},
        at | {"event": "intent"} | request | {"sent": sent},
        at | {"event": "result"} | request | {"status": 201, "attempts": 1, "requestId": None},
    ]


def test_a_refusal_keeps_type_and_id_but_not_the_words(world: World, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    world.twist = lambda *_: httpx.Response(
        400, headers={"X-Request-Id": "r-1"}, json={"scimType": "invalidValue", "detail": "private words"}
    )
    with Audit.open(path) as audit:
        world.run(patch_user(1, "ann", "x1", title="Lead"), audit=audit)
    assert lines(path)[-1].items() >= {
        "status": 400, "scimType": "invalidValue", "unknown": False, "requestId": "r-1"
    }.items()  # fmt: skip
    assert "private" not in path.read_text()


def test_the_intent_is_on_disk_before_the_request(world: World, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    seen: list[list[str]] = []

    def look(*_: object) -> httpx.Response:
        seen.append([each["event"] for each in lines(path)])
        return httpx.Response(201, json={"id": "x1"})

    world.twist = look
    with Audit.open(path) as audit:
        world.run(create_user(1, "ann"), create_user(2, "bo"), audit=audit)
    assert seen == [["intent"], ["intent", "result", "intent"]]


def test_only_the_owner_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    Audit.open(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_file_that_cannot_be_written_stops_before_anything(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordTrouble, match=r"audit file .* cannot be written"):
        Audit.open(tmp_path / "file" / "a.jsonl")


class Broken(Audit):
    """An audit whose disk is full from a certain line on."""

    def __init__(self, path: Path, good: int) -> None:
        self._good = good
        super().__init__(open(path, "ab", buffering=0), path)  # noqa: SIM115

    def _write(self, event: str, members: Any) -> None:
        self._good -= 1
        if self._good < 0:
            raise RecordTrouble("the audit file cannot be written (no space left on device)", "make room")
        super()._write(event, members)


@pytest.mark.parametrize(("good", "done"), [(0, 0), (1, 1), (2, 1), (3, 2)])
def test_nothing_is_written_without_an_audit(world: World, tmp_path: Path, good: int, done: int) -> None:
    with Broken(tmp_path / "a.jsonl", good) as audit:
        results = world.run(*(create_user(each, f"u{each}") for each in range(1, 5)), audit=audit)
    assert [isinstance(each, Succeeded) for each in results] == [True] * done + [False] * (4 - done)
    assert all(isinstance(each, NotTried) for each in results[done:])
    assert len(world.asked) == done


def test_closing_twice_is_harmless(tmp_path: Path) -> None:
    audit = Audit.open(tmp_path / "a.jsonl")
    audit.close()
    audit.close()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_a_full_disk_is_said() -> None:
    audit = Audit(open("/dev/full", "wb", buffering=0), Path("/dev/full"))  # noqa: SIM115
    line = RequestLine(operation=1, address="user.a", method="POST", path="/Users")
    with pytest.raises(RecordTrouble, match="no space left"):
        audit.result(line, Answer(status=201))
    audit._stream.close()
