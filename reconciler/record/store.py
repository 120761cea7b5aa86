"""What a record store promises, whatever it is kept in, and the ways it can fail.

A record is a flat mapping of relative paths (`header.json`, `users/000.jsonl`) to bytes. A store reads the newest
one and replaces it by compare-and-swap; it knows bytes, never what they mean. Nothing here touches a disk or a network.

    RecordError                 cannot go on; `str()` is ready to print and ends with the mend
    ├── RecordRaceLost          somebody else moved the record since it was read
    ├── RecordRefused           the server answers and does not take the record
    ├── RecordUnreachable       the server does not answer
    ├── RecordUnreadable        the record is there, and it cannot be read
    └── GitError                git itself: missing, too old, no access to the repository, an unexpected answer
"""

import re
from collections.abc import Iterable, Mapping
from typing import Protocol

from msgspec import Struct

from reconciler.errors import RecordTrouble

_PATH = re.compile(r"[a-z0-9][a-z0-9._-]*(/[a-z0-9][a-z0-9._-]*)*")
_SHORT = 12


class RecordSnapshot(Struct, frozen=True, kw_only=True):
    """The record as it was read at one moment.

    `version` is what `RecordStore.write` wants back as `expected`: a commit id in git, a content hash in a file, None
    where there is no record. `as_of_local` means that the remote could not be asked: `files` is the last local copy,
    and `version` None then means "none here", not "none". `lost_on_remote` means that the remote answered and has no
    record while this clone keeps a copy: `files` and `version` are the copy's, and a new record starts with None as
    `expected`. `moves_from`: where on the remote it stands, if that is not where it should. `doubt`: why nobody may
    write on top of it. `notices` are sentences for people; `mend`: what puts the first of them right.
    """

    version: str | None
    files: Mapping[str, bytes]
    as_of_local: bool = False
    lost_on_remote: bool = False
    moves_from: str | None = None
    doubt: str | None = None
    notices: tuple[str, ...] = ()
    mend: str = ""


class CommitMessage(Struct, frozen=True, kw_only=True):
    """What a stored version says about itself: one line, then `Name: value` trailers in the order given."""

    summary: str
    trailers: Mapping[str, str]


class RecordStore(Protocol):
    """Where the record of one target is kept."""

    def read(self) -> RecordSnapshot:
        """Return the newest record. Raises `RecordUnreadable`, `GitError`; a silent remote is not an error here."""
        ...

    def write(self, files: Mapping[str, bytes], *, expected: str | None, message: CommitMessage) -> str:
        """Replace the whole record if its version still is `expected` (None: there must be none); return the new one.

        `expected` is a version that this store has read or written.

        Raises `RecordRaceLost`, `RecordRefused`, `RecordUnreachable` or another `RecordError`; the record is then as
        it was, except that after `RecordUnreachable` a lost answer may still turn out to have been a yes.
        """
        ...

    def describe(self) -> str:
        """Say where the record lives, for people; without credentials."""
        ...


class RecordError(RecordTrouble):
    """The record cannot be used. `summary` says what happened, `mend` what others said about it and what to do."""

    def __init__(self, summary: str, *, mend: str = "", lines: Iterable[str] = ()) -> None:
        self.lines = tuple(lines)
        quoted = [f"  {line}" for line in self.lines]
        super().__init__(summary, "\n".join([*quoted, *([mend] if mend else [])]))

    def __str__(self) -> str:
        return f"{self.summary}\n{self.mend}" if self.mend else self.summary


class RecordRaceLost(RecordError):
    """The record is no longer the one that was read: `found` stands where `expected` stood (None: no record)."""

    def __init__(self, where: str, *, expected: str | None, found: str | None) -> None:
        self.expected = expected
        self.found = found
        super().__init__(
            f"the record moved while this run was at work: {where} holds {short(found)}, not {short(expected)}",
            mend="somebody else has applied: plan again",
        )


class RecordRefused(RecordError):
    """The server does not take the record; `lines` is what it said itself."""


class RecordUnreachable(RecordError):
    """The server does not answer; `lines` is what git said about it."""


class RecordUnreadable(RecordError):
    """There is a record, but it cannot be read."""


class GitError(RecordError):
    """Git cannot do what was asked; `lines` is what it said about it."""


def short(version: str | None) -> str:
    """Return a version as people read it: its first digits, or `nothing`."""
    return "nothing" if version is None else version[:_SHORT]


def check_paths(paths: Iterable[str]) -> None:
    """Refuse paths that would not stay inside the record or not survive every file system. Raises ValueError."""
    for path in paths:
        if not _PATH.fullmatch(path):
            raise ValueError(f"not a path of a record: {path!r}")
