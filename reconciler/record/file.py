"""The record of one target in a folder of its own, for places without git and for embedded targets.

    current.json      {"folder", "summary", "trailers"}: which folder counts, and what its writer said about it
    000007/           the files of the record, as they are
    lock              held while a record is replaced; a crash lets it go

A new record is written into a new folder, and `current.json` is replaced in one step: a crash at any moment leaves
the old record or the new one. Readers take no lock. The version is a hash of the content, so a file that somebody
edited is noticed like any other write.
"""

import hashlib
import json
import os
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from reconciler.record.store import (
    CommitMessage,
    RecordError,
    RecordRaceLost,
    RecordSnapshot,
    RecordUnreadable,
    check_paths,
)

_LOCK_SECONDS = 30.0
_TRIES = 10


class FileRecordStore(Struct, frozen=True):
    """A `RecordStore` in the folder `path`, which is made when first needed and holds nothing else."""

    path: Path

    def describe(self) -> str:
        """Say where the record lives."""
        return f"{self.path} (on this machine only)"

    def read(self) -> RecordSnapshot:
        """Return the record. Raises `RecordUnreadable`."""
        for _ in range(_TRIES):
            before = self._current()
            if before is None:
                return RecordSnapshot(version=None, files={})
            try:
                files = _read_folder(self.path / before)
            except OSError as error:
                if self._current() == before:
                    raise self._unreadable(str(error.strerror)) from error
            else:
                # A folder is only taken away after another one counts: unchanged means that all of it was read.
                if self._current() == before:
                    return RecordSnapshot(version=_content_hash(files), files=files)
        raise self._unreadable("it is replaced again and again while it is read")

    def write(self, files: Mapping[str, bytes], *, expected: str | None, message: CommitMessage) -> str:
        """Replace the record if its content hash still is `expected`; return the new one.

        Raises `RecordRaceLost`, `RecordUnreadable`, or `RecordError` where the disk refuses or the lock is not free.
        """
        check_paths(files)
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            with _lock(self.path / "lock"):
                found = self.read().version
                if found != expected:
                    raise RecordRaceLost(str(self.path), expected=expected, found=found)
                self._replace(files, message)
        except OSError as error:
            raise RecordError(
                f"the record cannot be written to {self.path}: {error.strerror}",
                mend="check free space and permissions of that folder",
            ) from error
        return _content_hash(files)

    def _replace(self, files: Mapping[str, bytes], message: CommitMessage) -> None:
        numbers = [int(folder.name) for folder in self._folders()]
        name = f"{max(numbers, default=0) + 1:06}"
        _write_folder(self.path / name, files)
        said = {"folder": name, "summary": message.summary, "trailers": dict(message.trailers)}
        fresh = self.path / "current.json.new"
        _write_file(fresh, json.dumps(said, indent=2, ensure_ascii=False).encode() + b"\n")
        os.replace(fresh, self.path / "current.json")
        for folder in self._folders():
            if folder.name != name:
                shutil.rmtree(folder, ignore_errors=True)

    def _folders(self) -> list[Path]:
        return [entry for entry in self.path.iterdir() if entry.name.isdecimal() and entry.is_dir()]

    def _current(self) -> str | None:
        try:
            folder = json.loads((self.path / "current.json").read_bytes())["folder"]
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._unreadable(str(error.strerror)) from error
        except (ValueError, TypeError, KeyError) as error:
            raise self._unreadable("current.json is damaged") from error
        if not (isinstance(folder, str) and folder.isdecimal()):
            raise self._unreadable("current.json names no folder of a record")
        return folder

    def _unreadable(self, why: str) -> RecordUnreadable:
        mend = "put the folder back from a copy; without it the next apply starts a new record"
        return RecordUnreadable(f"the record in {self.path} cannot be read: {why}", mend=mend)


def _read_folder(folder: Path) -> dict[str, bytes]:
    # `rglob` passes over a missing folder in silence; that must not look like an empty record.
    os.stat(folder)
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def _write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    folder.mkdir()
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        _write_file(folder / path, content)


def _write_file(path: Path, content: bytes) -> None:
    with path.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _content_hash(files: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256()
    for path in sorted(files):
        name = path.encode()
        digest.update(b"%d %d\n%b\n" % (len(name), len(files[path]), name))
        digest.update(files[path])
    return digest.hexdigest()


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on `path`; the system lets it go when the process ends, however it ends."""
    with path.open("ab") as stream:
        deadline = time.monotonic() + _LOCK_SECONDS
        while not _try_lock(stream.fileno()):
            if time.monotonic() > deadline:
                raise RecordError(f"another process holds {path}", mend="wait for it, or end it, and try again")
            time.sleep(0.02)
        yield


if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def _try_lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
