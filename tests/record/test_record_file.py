"""The record in a folder: the same promises as in git, and what a crash leaves behind."""

import json
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from reconciler.record.file import FileRecordStore
from reconciler.record.store import RecordError, RecordRaceLost, RecordUnreadable
from tests.record.git_world import FILES, message


@pytest.fixture
def store(tmp_path: Path) -> FileRecordStore:
    return FileRecordStore(tmp_path / ".reconciler" / "record" / "prod")


def folders(store: FileRecordStore) -> list[str]:
    return sorted(path.name for path in store.path.iterdir() if path.is_dir())


def test_read_write_replace(store: FileRecordStore) -> None:
    assert (store.read().version, store.path.exists()) == (None, False)
    first = store.write(FILES, expected=None, message=message())
    assert (store.read().version, dict(store.read().files)) == (first, FILES)
    second = store.write({"header.json": b"2"}, expected=first, message=message("done"))
    assert (store.read().version, dict(store.read().files)) == (second, {"header.json": b"2"})
    assert second != first
    third = store.write({}, expected=second, message=message())
    assert (store.read().version, dict(store.read().files)) == (third, {})
    assert store.write(FILES, expected=third, message=message()) == first  # a hash of the content alone
    assert str(store.path) in store.describe()


def test_it_can_be_read_by_people(store: FileRecordStore) -> None:
    store.write(FILES, expected=None, message=message(summary="applied é"))
    said = json.loads((store.path / "current.json").read_text())
    assert said == {"folder": "000001", "summary": "applied é", "trailers": {"Run": "4711", "State": "claimed"}}
    assert (store.path / "000001/users/000.jsonl").read_bytes() == FILES["users/000.jsonl"]


def test_the_hash_tells_names_and_contents_apart(store: FileRecordStore) -> None:
    records = [{"a": b"b"}, {"a": b"", "b": b""}, {"ab": b""}, {"a": b"0 1\nb"}, {"a/b": b""}, {}]
    versions: list[str] = []
    for files in records:
        versions.append(store.write(files, expected=versions[-1] if versions else None, message=message()))
    assert len(set(versions)) == len(records)


@pytest.mark.parametrize("expected", [None, "0" * 64])
def test_a_moved_record_is_a_lost_race(store: FileRecordStore, expected: str | None) -> None:
    version = store.write(FILES, expected=None, message=message())
    with pytest.raises(RecordRaceLost) as caught:
        store.write({}, expected=expected, message=message())
    assert (caught.value.expected, caught.value.found) == (expected, version)
    assert store.read().version == version


def test_an_edited_file_is_a_lost_race(store: FileRecordStore) -> None:
    version = store.write(FILES, expected=None, message=message())
    (store.path / "000001/header.json").write_bytes(b"edited")
    with pytest.raises(RecordRaceLost):
        store.write({}, expected=version, message=message())


def test_of_many_writers_exactly_one_wins(store: FileRecordStore) -> None:
    start = threading.Barrier(8)

    def write(number: int) -> str | None:
        start.wait()
        try:
            return store.write({"header.json": b"%d" % number}, expected=None, message=message())
        except RecordRaceLost:
            return None

    with ThreadPoolExecutor(8) as pool:
        won = [version for version in pool.map(write, range(8)) if version]
    assert won == [store.read().version]


def test_readers_never_see_a_mixture(store: FileRecordStore) -> None:
    records = [{f"users/{shard:03}.jsonl": b"%d" % number for shard in range(10)} for number in range(30)]
    version = store.write(records[0], expected=None, message=message())
    done = threading.Event()

    def read() -> int:
        count = 0
        while not done.is_set():
            files = store.read().files
            assert len(files) == 10
            assert len(set(files.values())) == 1
            count += 1
        return count

    with ThreadPoolExecutor(2) as pool:
        readers = [pool.submit(read) for _ in range(2)]
        try:
            for files in records[1:]:
                version = store.write(files, expected=version, message=message())
        finally:
            done.set()
        assert all(reader.result() > 0 for reader in readers)
    assert folders(store) == ["000030"]


_CRASH = """
import os, sys
from pathlib import Path
from reconciler.record.file import FileRecordStore
from reconciler.record.store import CommitMessage
steps = int(sys.argv[2])
events = {"open", "os.mkdir", "os.rename", "os.rmdir", "os.remove", "shutil.rmtree"}
def count(event, arguments):
    global steps
    if event in events and "prod" in str(arguments[0]):
        steps -= 1
        if steps < 0:
            os._exit(9)
store = FileRecordStore(Path(sys.argv[1]))
version = store.read().version
new = {"header.json": b"new", "users/000.jsonl": b"new"}
sys.addaudithook(count)
store.write(new, expected=version, message=CommitMessage(summary="s", trailers={}))
"""


def test_a_crash_at_any_step_leaves_the_old_record_or_the_new_one(store: FileRecordStore) -> None:
    new = {"header.json": b"new", "users/000.jsonl": b"new"}
    seen = []
    for steps in range(100):
        old = store.write(FILES, expected=store.read().version, message=message())
        command = [sys.executable, "-c", _CRASH, str(store.path), str(steps)]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
        assert ended.returncode in (0, 9), ended.stderr
        files = dict(store.read().files)
        assert files in (FILES, new)
        seen.append((ended.returncode, files == new))
        version = store.write(new, expected=store.read().version, message=message())  # the lock is free again
        assert version != old
        assert len(folders(store)) == 1
        if ended.returncode == 0:
            break
    assert seen[-1] == (0, True)
    assert {(9, False), (9, True)} <= set(seen)  # before and after the one step that counts


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"folder": 7}', '{"folder": "../x"}', '{"folder": "000009"}'])
def test_a_damaged_record_is_unreadable(store: FileRecordStore, content: str) -> None:
    store.write(FILES, expected=None, message=message())
    (store.path / "current.json").write_text(content)
    with pytest.raises(RecordUnreadable, match="cannot be read") as caught:
        store.read()
    assert caught.value.mend
    with pytest.raises(RecordUnreadable):
        store.write({}, expected=None, message=message())


def test_a_place_that_cannot_be_written(store: FileRecordStore) -> None:
    store.path.parent.mkdir(parents=True)
    store.path.write_text("a file")
    with pytest.raises(RecordUnreadable):
        store.read()
    with pytest.raises(RecordError, match="cannot be written"):
        store.write(FILES, expected=None, message=message())


def test_paths_stay_inside(store: FileRecordStore) -> None:
    with pytest.raises(ValueError, match="not a path of a record"):
        store.write({"../../escaped": b""}, expected=None, message=message())
    assert not os.path.lexists(store.path)
