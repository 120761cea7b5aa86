"""Where the embedded provider keeps its resources: one SQLite file, or memory.

Rows are written as they are told; what may be written is decided above. Every write happens inside `transaction()`,
which also keeps other threads and other processes out, so a check and the write that rests on it are one step.

    resource    one row a resource; seq gives the order of listings, unique_key is the folded value of the unique
                attribute, body the document as JSON (see `resources`)
    link        which resource points to which by id, and through what attribute (members, manager)
    catalogue   names an organisation offers: roles, divisions, skills, languages
    retired     resources that were deleted but can come back under their old id; nothing else looks here
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import orjson
from msgspec import Struct

from reconciler.sandbox.errors import SandboxError
from reconciler.sandbox.schema import JsonObject

_LAYOUT = 2
LOCK_TIMEOUT = 10.0  # seconds that a write waits for another process
_TABLES = """
CREATE TABLE resource (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    type TEXT NOT NULL,
    id TEXT NOT NULL UNIQUE,
    unique_key TEXT,
    version INTEGER NOT NULL,
    created TEXT NOT NULL,
    modified TEXT NOT NULL,
    body BLOB NOT NULL
);
CREATE UNIQUE INDEX resource_unique ON resource (type, unique_key) WHERE unique_key IS NOT NULL;
CREATE INDEX resource_order ON resource (type, seq);
CREATE TABLE link (
    source TEXT NOT NULL,
    attribute TEXT NOT NULL,
    target TEXT NOT NULL,
    PRIMARY KEY (source, attribute, target)
) WITHOUT ROWID;
CREATE INDEX link_target ON link (target, attribute);
CREATE TABLE retired (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    type TEXT NOT NULL,
    id TEXT NOT NULL UNIQUE,
    unique_key TEXT,
    version INTEGER NOT NULL,
    created TEXT NOT NULL,
    modified TEXT NOT NULL,
    body BLOB NOT NULL
);
CREATE INDEX retired_key ON retired (type, unique_key);
CREATE TABLE catalogue (kind TEXT NOT NULL, name TEXT NOT NULL, PRIMARY KEY (kind, name)) WITHOUT ROWID;
"""
# Groups that hold a resource, step by step upwards; `far` is 0 for the first step, 1 for all further ones, so the walk
# ends even where groups contain each other.
_GROUPS_ABOVE = """
WITH RECURSIVE above(root, id, far) AS (
    SELECT link.target, link.source, 0 FROM link JOIN json_each(?) wanted ON link.target = wanted.value
    WHERE link.attribute = 'members'
    UNION
    SELECT above.root, link.source, 1 FROM above JOIN link ON link.target = above.id AND link.attribute = 'members'
)
SELECT above.root, above.id, min(above.far), resource.body FROM above JOIN resource ON resource.id = above.id
GROUP BY above.root, above.id ORDER BY above.root, min(above.far), resource.seq
"""
_TYPES = "SELECT resource.id, resource.type FROM json_each(?) wanted JOIN resource ON resource.id = wanted.value"
_COLUMNS = "type, id, version, created, modified, body"


class Row(Struct, frozen=True, kw_only=True):
    """One stored resource; `body` is JSON, times are in UTC as RFC 7643 dateTime text."""

    type: str
    id: str
    version: int
    created: str
    modified: str
    body: bytes

    def document(self) -> JsonObject:
        """Return a fresh copy of the document."""
        document: JsonObject = orjson.loads(self.body)
        return document


class Membership(Struct, frozen=True, kw_only=True):
    """One group that a resource is in."""

    group_id: str
    display: str
    direct: bool


class UniqueKeyTakenError(SandboxError):
    """Another resource of the same type has this value of the unique attribute."""


class Store:
    """A SQLite database shared by all threads of a process; one statement or transaction at a time."""

    def __init__(self, path: Path | None) -> None:
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._depth = 0
        self._connection = sqlite3.connect(
            ":memory:" if path is None else path, check_same_thread=False, isolation_level=None, timeout=LOCK_TIMEOUT
        )
        try:
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._prepare(path)
        except sqlite3.DatabaseError as error:
            self.close()
            raise SandboxError(f"{path} is no data file of an embedded organisation: {error}") from error
        except SandboxError:
            self.close()
            raise

    def close(self) -> None:
        """Close the database; the store cannot be used afterwards."""
        with self._lock:
            self._connection.close()

    def transaction(self) -> AbstractContextManager[None]:
        """Do everything inside or, when an exception leaves it, nothing; may be nested.

        Raises SandboxError when another process writes for longer than LOCK_TIMEOUT.
        """
        return self._step("BEGIN IMMEDIATE")

    def snapshot(self) -> AbstractContextManager[None]:
        """Read everything inside as of one moment."""
        return self._step("BEGIN DEFERRED")

    @contextmanager
    def _step(self, begin: str) -> Iterator[None]:
        with self._lock:
            outermost = self._depth == 0
            if outermost:
                self._begin(begin)
            self._depth += 1
            try:
                yield
            except BaseException:
                if outermost:
                    self._connection.execute("ROLLBACK")
                raise
            else:
                if outermost:
                    self._connection.execute("COMMIT")
            finally:
                self._depth -= 1

    def state(self) -> tuple[int, int]:
        """Return what is another value after every change, also one by another process."""
        with self._lock:
            (version,) = self._query("PRAGMA data_version", ())[0]
            return self._connection.total_changes, version

    def get(self, resource_type: str, identifier: str) -> Row | None:
        """Return one resource, or None."""
        rows = self._rows("WHERE type = ? AND id = ?", (resource_type, identifier))
        return rows[0] if rows else None

    def by_unique_key(self, resource_type: str, unique_key: str) -> Row | None:
        """Return the resource whose unique attribute has this folded value, or None."""
        rows = self._rows("WHERE type = ? AND unique_key = ?", (resource_type, unique_key))
        return rows[0] if rows else None

    def all(self, resource_type: str) -> list[Row]:
        """Return all resources of a type, oldest first."""
        return self._rows("WHERE type = ? ORDER BY seq", (resource_type,))

    def page(self, resource_type: str, offset: int, limit: int) -> list[Row]:
        """Return some resources of a type, oldest first."""
        return self._rows("WHERE type = ? ORDER BY seq LIMIT ? OFFSET ?", (resource_type, limit, offset))

    def count(self, resource_type: str) -> int:
        """Return how many resources of a type there are."""
        (number,) = self._query("SELECT count(*) FROM resource WHERE type = ?", (resource_type,))[0]
        return int(number)

    def types_of(self, identifiers: Iterable[str]) -> dict[str, str]:
        """Return the resource type of each id that exists."""
        wanted = orjson.dumps(list(identifiers)).decode()
        return dict(self._query(_TYPES, (wanted,)))

    def memberships(self, identifiers: Iterable[str]) -> dict[str, list[Membership]]:
        """Return the groups each resource is in, direct ones first; resources in no group are left out."""
        found: dict[str, list[Membership]] = {}
        for root, group, far, body in self._query(_GROUPS_ABOVE, (orjson.dumps(list(identifiers)).decode(),)):
            display = orjson.loads(body).get("displayName", "")
            found.setdefault(root, []).append(Membership(group_id=group, display=display, direct=far == 0))
        return found

    def linked_from(self, target: str) -> list[tuple[Row, str]]:
        """Return the resources that point to `target`, each with the name of the attribute that does."""
        found = self._query("SELECT source, attribute FROM link WHERE target = ? ORDER BY source", (target,))
        return [(self._rows("WHERE id = ?", (source,))[0], attribute) for source, attribute in found]

    def insert(self, row: Row, unique_key: str | None, links: Iterable[tuple[str, str]]) -> None:
        """Add a resource with its links (attribute, target id); raises UniqueKeyTakenError."""
        self._write(
            f"INSERT INTO resource ({_COLUMNS}, unique_key) VALUES (?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - fixed texts only
            (row.type, row.id, row.version, row.created, row.modified, row.body, unique_key),
        )
        self._add_links(row.id, links)

    def update(self, row: Row, unique_key: str | None, links: Iterable[tuple[str, str]] | None) -> None:
        """Write a resource anew, with its links unless they are None (unchanged); raises UniqueKeyTakenError."""
        self._write(
            "UPDATE resource SET version = ?, modified = ?, body = ?, unique_key = ? WHERE id = ?",
            (row.version, row.modified, row.body, unique_key, row.id),
        )
        if links is not None:
            self._write("DELETE FROM link WHERE source = ?", (row.id,))
            self._add_links(row.id, links)

    def delete(self, identifier: str) -> None:
        """Remove a resource and the links from it; links to it must have been removed by rewriting their sources."""
        self._write("DELETE FROM link WHERE source = ?", (identifier,))
        self._write("DELETE FROM resource WHERE id = ?", (identifier,))

    def retire(self, identifier: str) -> None:
        """Take a resource out as `delete` does, but remember it."""
        columns = f"{_COLUMNS}, unique_key"
        self._write(
            f"INSERT INTO retired ({columns}) SELECT {columns} FROM resource WHERE id = ?",  # noqa: S608 - fixed texts only
            (identifier,),
        )
        self.delete(identifier)

    def retired(self, resource_type: str, unique_key: str) -> Row | None:
        """Return the resource that was retired last under this value of the unique attribute, or None."""
        condition = "WHERE type = ? AND unique_key = ? ORDER BY seq DESC LIMIT 1"
        rows = self._rows(condition, (resource_type, unique_key), table="retired")
        return rows[0] if rows else None

    def forget(self, identifier: str) -> None:
        """Remember a retired resource no longer."""
        self._write("DELETE FROM retired WHERE id = ?", (identifier,))

    def catalogue(self, kind: str) -> set[str]:
        """Return the names of one kind that the organisation offers."""
        return {name for (name,) in self._query("SELECT name FROM catalogue WHERE kind = ?", (kind,))}

    def add_to_catalogue(self, kind: str, names: Iterable[str]) -> None:
        """Offer more names of one kind; those already offered are left as they are."""
        with self._lock:
            self._connection.executemany("INSERT OR IGNORE INTO catalogue VALUES (?, ?)", ((kind, it) for it in names))

    def replace_catalogue(self, kind: str, names: Iterable[str]) -> None:
        """Offer these names of one kind and no others."""
        with self.transaction():
            self._write("DELETE FROM catalogue WHERE kind = ?", (kind,))
            self.add_to_catalogue(kind, names)

    def _prepare(self, path: Path | None) -> None:
        with self.transaction():
            (layout,) = self._query("PRAGMA user_version", ())[0]
            if layout not in (0, _LAYOUT):
                raise SandboxError(
                    f"{path} was written by another version (layout {layout}); move it away to start anew."
                )
            if layout == _LAYOUT:
                return
            for statement in _TABLES.split(";"):
                self._connection.execute(statement)
            self._connection.execute(f"PRAGMA user_version = {_LAYOUT}")

    def _begin(self, statement: str) -> None:
        try:
            self._connection.execute(statement)
        except sqlite3.OperationalError as error:
            locked = error.sqlite_errorname in ("SQLITE_BUSY", "SQLITE_LOCKED")
            why = "is in use by another process" if locked else "cannot be used, as when a disk is full"
            raise SandboxError(f"The data file {why}: {error}.") from error

    def _add_links(self, source: str, links: Iterable[tuple[str, str]]) -> None:
        self._connection.executemany(
            "INSERT OR IGNORE INTO link (source, attribute, target) VALUES (?, ?, ?)",
            ((source, attribute, target) for attribute, target in links),
        )

    def _rows(self, condition: str, parameters: tuple[object, ...], table: str = "resource") -> list[Row]:
        found = self._query(f"SELECT {_COLUMNS} FROM {table} {condition}", parameters)  # noqa: S608 - fixed texts only
        return [
            Row(type=type_, id=id_, version=version, created=created, modified=modified, body=body)
            for type_, id_, version, created, modified, body in found
        ]

    def _query(self, statement: str, parameters: tuple[object, ...]) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._connection.execute(statement, parameters).fetchall()

    def _write(self, statement: str, parameters: tuple[object, ...]) -> None:
        with self._lock:
            try:
                self._connection.execute(statement, parameters)
            except sqlite3.IntegrityError as error:
                raise UniqueKeyTakenError(str(error)) from error
