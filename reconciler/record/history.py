"""How the checked-out commit stands to the commit that was applied last.

"No" is only believed where the history is whole. Where it is cut off, the commits alone are fetched into a
throw-away repository and asked there; the user's own clone is left as it is.
"""

import os
import tempfile
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

from msgspec import Struct

from reconciler.lazy import pattern
from reconciler.record import surroundings
from reconciler.record.repository import NETWORK_SECONDS, GitAnswer, GitRepository, run_git
from reconciler.record.store import GitError

_OBJECT_ID = pattern(r"[0-9a-f]{40}([0-9a-f]{24})?")
_NO_LAZY_FETCH = {"GIT_NO_LAZY_FETCH": "1"}
_NETWORK_SETTINGS = pattern(r"(http|https|credential|url|ssh|protocol)\..*|core\.(sshcommand|gitproxy|askpass)")
# How servers word that they do not have a commit (git itself; JGit). Reading this wrong costs an `unknown`.
_NOT_THERE = pattern(r"not our ref|want [0-9a-f]+ not valid")


class Relation(StrEnum):
    """Where HEAD stands, seen from the recorded commit."""

    SAME = "same"
    AHEAD = "ahead"  # HEAD contains the recorded commit
    BEHIND = "behind"  # the recorded commit contains HEAD: an old checkout
    DIVERGED = "diverged"  # neither contains the other
    UNKNOWN = "unknown"  # the history that is at hand does not tell


def relation(repository: GitRepository, recorded: str, head: str, *, remote: str | None = None) -> Relation:
    """Return how `head` stands to `recorded` (full commit ids), asking `remote` only where the clone cannot tell.

    `remote` None means the repository's default remote. No answer from it gives `UNKNOWN`, never an error.
    Raises `GitError` where git itself fails, or where several remotes leave open which to ask.
    """
    if recorded == head:
        return Relation.SAME
    if not (_OBJECT_ID.fullmatch(recorded) and _OBJECT_ID.fullmatch(head)):
        return Relation.UNKNOWN
    # A found path is a proof, however little history there is.
    forwards = _contains(repository, head, recorded)
    if forwards:
        return Relation.AHEAD
    if _contains(repository, recorded, head):
        return Relation.BEHIND
    whole = not repository.is_shallow()
    if whole and forwards is False:
        return Relation.DIVERGED
    asked = remote or repository.default_remote()
    if asked is None:
        # Without a remote there is no more history than this: a commit that is not here is not below HEAD.
        return Relation.DIVERGED if whole else Relation.UNKNOWN
    return _relation_on(repository, asked, recorded, head)


def default_branch_without(repository: GitRepository, head: str, *, remote: str | None = None) -> str | None:
    """Return the default branch of the remote if the commit `head` is not on it; None if it is, or nobody can tell.

    What the CI system says of its own checkout comes first, then what the clone has noted; the remote is asked only
    where that may be old. Raises `GitError` as `relation`.
    """
    asked = remote or repository.default_remote()
    if asked is None:
        return None
    said = surroundings.branches(head)
    default = said[1] if said is not None else repository.default_branch(asked)
    if default is None or (said is not None and said[0] == default):
        return None
    noted = repository.commit_id(f"refs/remotes/{asked}/{default}")
    if noted is not None and _contains(repository, noted, head):
        return None
    if said is not None:
        return default
    if noted is None or repository.is_shallow():
        return None
    tip = repository.run("ls-remote", asked, f"refs/heads/{default}", seconds=NETWORK_SECONDS)
    now = tip.text.partition("\t")[0]
    if tip.code or not now or (now != noted and _contains(repository, now, head) is not False):
        return None
    return default


def has_commit(repository: GitRepository, commit: str, *, remote: str | None = None) -> bool:
    """Say whether the commit is here with its files, fetching it by its id where a shallow clone lacks it."""
    if repository.commit_id(commit) is not None:
        return True
    asked = remote or repository.default_remote()
    if asked is None or not repository.is_shallow():
        return False
    # Not with a filter: git would write into the clone's settings that it is a partial one.
    flags = ("--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--no-auto-maintenance")
    repository.run("fetch", *flags, "--depth=1", asked, commit, seconds=NETWORK_SECONDS)
    return repository.commit_id(commit) is not None


def _contains(repository: GitRepository, later: str, earlier: str) -> bool | None:
    """Say whether `later` descends from `earlier`; None where one of them is not here."""
    # A partial clone would fetch what it misses, commit by commit and with all its trees.
    answer = repository.run("merge-base", "--is-ancestor", earlier, later, environment=_NO_LAZY_FETCH)
    return {0: True, 1: False}.get(answer.code)


def _relation_on(repository: GitRepository, remote: str, recorded: str, head: str) -> Relation:
    with tempfile.TemporaryDirectory(prefix="reconciler-") as folder:
        history = _History(repository=repository, remote=remote, folder=Path(folder))
        history.create(object_format="sha256" if len(head) == 64 else "sha1")
        if history.fetch("head", head).code:
            return Relation.UNKNOWN
        if recorded in history.commits("head"):
            return Relation.AHEAD
        answer = history.fetch("recorded", recorded)
        if answer.code:
            return Relation.DIVERGED if _NOT_THERE.search(answer.stderr) else Relation.UNKNOWN
        return Relation.BEHIND if head in history.commits("recorded") else Relation.DIVERGED


class _History(Struct, frozen=True, kw_only=True):
    """A throw-away bare repository that holds commits only: `tree:0` leaves all trees and files on the server."""

    repository: GitRepository
    remote: str
    folder: Path

    def create(self, *, object_format: str) -> None:
        answer = run_git(["init", "--quiet", "--bare", f"--object-format={object_format}", "."], folder=self.folder)
        if answer.code:
            raise GitError("git cannot make a temporary repository", lines=answer.lines)

    def fetch(self, name: str, commit: str) -> GitAnswer:
        url = self.repository.ask("config", "--get-all", f"remote.{self.remote}.url").text.split("\n")[0]
        flags = ("--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--filter=tree:0")
        # At the user's top, because an address may be relative to it.
        return run_git(
            [*self.repository.options, f"--git-dir={self.folder}", "fetch", *flags, url, f"{commit}:refs/heads/{name}"],
            folder=self.repository.top,
            seconds=NETWORK_SECONDS,
            environment=self._credentials(),
        )

    def commits(self, name: str) -> frozenset[str]:
        # Not `merge-base`: asked about a commit it does not have, it would fetch it.
        answer = run_git([f"--git-dir={self.folder}", "rev-list", f"refs/heads/{name}"], folder=self.folder)
        if answer.code:
            raise GitError("git cannot read the fetched history", lines=answer.lines)
        return frozenset(answer.text.splitlines())

    def _credentials(self) -> dict[str, str]:
        """Return the clone's own network settings as environment: checkout actions keep the token in that file."""
        inherited = int(os.environ.get("GIT_CONFIG_COUNT") or 0)
        environment: dict[str, str] = {}
        for number, (key, value) in enumerate(self._network_settings(), start=inherited):
            environment |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
        return environment | {"GIT_CONFIG_COUNT": str(inherited + len(environment) // 2)}

    def _network_settings(self) -> Iterator[tuple[str, str]]:
        listed = self.repository.ask("config", "--list", "-z", "--show-scope").text.split("\0")
        for scope, entry in zip(listed[::2], listed[1::2], strict=False):
            key, _, value = entry.partition("\n")
            if scope in ("local", "worktree") and _NETWORK_SETTINGS.fullmatch(key):
                yield key, value
