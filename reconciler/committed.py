"""The declaration files of a commit, read as git objects: nothing is checked out. Reads git and nothing else."""

import posixpath
from collections.abc import Iterable

from reconciler.record.objects import list_below, read_blobs
from reconciler.record.repository import GitRepository


def files_below(repository: GitRepository, commit: str, base: str, folders: Iterable[str]) -> dict[str, bytes]:
    """Path from `base` -> content of every declaration file below `base`/folder as of a commit.

    `base` is relative to the top of the repository. Raises RecordError where git cannot read the commit.
    """
    ids: dict[str, str] = {}
    for folder in folders:
        ids |= list_below(repository, commit, posixpath.normpath(posixpath.join(base, folder)))
    wanted = {path: blob for path, blob in ids.items() if path.endswith(".yaml") and not _is_hidden(path)}
    contents = read_blobs(repository, wanted, commit)
    return {posixpath.relpath(path, base): data for path, data in contents.items()}


def _is_hidden(path: str) -> bool:
    return any(part.startswith(".") for part in path.split("/"))
