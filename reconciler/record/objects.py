"""A record as git objects: files to blobs, trees and a commit, and back.

Objects only: no ref moves here, no remote is asked, and neither index nor work tree is involved. Blobs that the
parent commit already holds are not written again, so a small change stays a small push.
"""

import hashlib
import os
import secrets
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from reconciler.record.repository import GitRepository
from reconciler.record.store import CommitMessage, GitError, RecordUnreadable, check_paths, short

_NAME = "reconciler"
_FILE_MODE = "100644"


def read_files(repository: GitRepository, commit: str) -> dict[str, bytes]:
    """Return every file of the record at `commit`. Raises `RecordUnreadable` where that is no record or damaged."""
    return read_blobs(repository, list_files(repository, commit), commit)


def read_blobs(repository: GitRepository, ids: Mapping[str, str], commit: str) -> dict[str, bytes]:
    """Return path -> content for path -> blob id, in one call of git; `commit` is for messages. `RecordUnreadable`."""
    if not ids:
        return {}
    wanted = "".join(f"{object_id}\n" for object_id in ids.values()).encode()
    answer = repository.run("cat-file", "--batch", "--buffer", stdin=wanted)
    if answer.code:
        raise RecordUnreadable(f"the record {short(commit)} cannot be read", lines=answer.lines)
    return dict(zip(ids, _contents(answer.stdout, commit), strict=True))


def list_below(repository: GitRepository, commit: str, folder: str) -> dict[str, str]:
    """Return path -> blob id of the plain files below a folder (`.`: the top) as of a commit. Raises `GitError`."""
    where = () if folder == "." else ("--", folder)
    ids = {}
    for entry in repository.ask("ls-tree", "-r", "-z", commit, *where).text.split("\0"):
        facts, _, path = entry.partition("\t")
        if facts.startswith("100"):
            ids[path] = facts.split(" ")[2]
    return ids


def list_files(repository: GitRepository, commit: str) -> dict[str, str]:
    """Return path -> blob id of the record at `commit`. Raises `RecordUnreadable`."""
    answer = repository.run("ls-tree", "-r", "-z", commit)
    if answer.code:
        raise RecordUnreadable(f"the record {short(commit)} cannot be read", lines=answer.lines)
    ids = {}
    for entry in answer.text.split("\0"):
        if entry:
            facts, path = entry.split("\t", 1)
            mode, _, object_id = facts.split(" ")
            if mode != _FILE_MODE:
                raise RecordUnreadable(f"the record {short(commit)} holds something that is no plain file: {path!r}")
            ids[path] = object_id
    return ids


def write_commit(
    repository: GitRepository,
    files: Mapping[str, bytes],
    *,
    parent: str | None,
    message: CommitMessage,
    email: str,
    root: bool = False,
) -> str:
    """Store `files` as a commit on top of `parent` and return its id. No ref points to it yet.

    With `root` the commit has no parent; `parent` then is only what it takes the place of.

    A nonce makes the commit this run's own: without it two runs that store the same record at the same second make
    the same commit, and both are told that their push went through. Raises `GitError`, `RecordUnreadable`.
    """
    check_paths(files)
    tree = _write_tree(repository, _write_blobs(repository, files, parent))
    identity = {
        f"GIT_{role}_{field}": value
        for role in ("AUTHOR", "COMMITTER")
        for field, value in (("NAME", _NAME), ("EMAIL", email))
    }
    parents = () if parent is None or root else ("-p", parent)
    answer = repository.run(
        *("-c", "i18n.commitEncoding=UTF-8", "commit-tree", tree, *parents, "-F", "-"),
        stdin=_message_text(message).encode(),
        environment=identity,
    )
    if answer.code:
        raise GitError("git cannot store the record", lines=answer.lines)
    return answer.text


def _write_blobs(repository: GitRepository, files: Mapping[str, bytes], parent: str | None) -> dict[str, str]:
    held = set(list_files(repository, parent).values()) if parent else set()
    algorithm = _object_format(repository)
    ids = {path: _blob_id(content, algorithm) for path, content in files.items()}
    missing = {ids[path]: files[path] for path in sorted(files) if ids[path] not in held}
    if missing and _store_blobs(repository, missing.values()) != list(missing):
        raise GitError("git stored other blobs than it was given", mend="report this: it is an error of the program")
    return ids


def _store_blobs(repository: GitRepository, contents: Iterable[bytes]) -> list[str]:
    with tempfile.TemporaryDirectory(prefix="reconciler-") as folder:
        paths = []
        for number, content in enumerate(contents):
            paths.append(Path(folder, str(number)))
            paths[-1].write_bytes(content)
        names = "".join(f"{path}\n" for path in paths)
        answer = repository.ask("hash-object", "-w", "--no-filters", "--stdin-paths", stdin=os.fsencode(names))
    return answer.text.splitlines()


def _write_tree(repository: GitRepository, ids: Mapping[str, str]) -> str:
    folders: dict[str, dict[str, str]] = {}
    entries = []
    for path, object_id in ids.items():
        head, _, rest = path.partition("/")
        if rest:
            folders.setdefault(head, {})[rest] = object_id
        else:
            entries.append(f"{_FILE_MODE} blob {object_id}\t{head}\0")
    entries += [f"040000 tree {_write_tree(repository, inner)}\t{name}\0" for name, inner in folders.items()]
    return repository.ask("mktree", "-z", stdin="".join(entries).encode()).text


def _message_text(message: CommitMessage) -> str:
    trailers = {**message.trailers, "Nonce": secrets.token_hex(8)}
    lines = [f"{name}: {' '.join(value.split())}" for name, value in trailers.items()]
    return "\n".join([" ".join(message.summary.split()), "", *lines, ""])


def _object_format(repository: GitRepository) -> str:
    return repository.ask("rev-parse", "--show-object-format").text


def _blob_id(content: bytes, algorithm: str) -> str:
    digest = hashlib.new(algorithm, b"blob %d\0" % len(content), usedforsecurity=False)
    digest.update(content)
    return digest.hexdigest()


def _contents(stream: bytes, commit: str) -> Iterable[bytes]:
    position = 0
    while position < len(stream):
        end = stream.index(b"\n", position)
        facts = stream[position:end].split(b" ")
        if len(facts) != 3 or facts[1] != b"blob":  # "<id> missing"
            raise RecordUnreadable(f"the record {short(commit)} lacks a part: {os.fsdecode(stream[position:end])}")
        start, length = end + 1, int(facts[2])
        yield stream[start : start + length]
        position = start + length + 1
