"""The record of one target as a git ref: `refs/reconciler/applied/<target>`, a linear chain of commits.

Where there is a remote, the remote's ref is the record and the local one a copy; without a remote the local ref is
the record. Every move is a compare-and-swap: a push with an explicit lease, or `update-ref` with the old value. The
text of a rejection is never parsed: after a push that did not go through, the remote is asked where its ref stands.
Index, work tree, HEAD and branches stay as they are.
"""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from reconciler.record.objects import read_files, write_commit
from reconciler.record.repository import NETWORK_SECONDS, TIMED_OUT, GitAnswer, GitRepository, mask_credentials
from reconciler.record.store import (
    CommitMessage,
    GitError,
    RecordError,
    RecordRaceLost,
    RecordRefused,
    RecordSnapshot,
    RecordUnreachable,
    short,
)

__all__ = ["GitError", "GitRecordStore", "GitRepository"]

_TARGET = re.compile(r"[a-z0-9][a-z0-9-]{0,40}")  # one part of a ref, and no two differ by case only
_EMAIL = "reconciler@localhost.invalid"
_NO_ANSWER_SECONDS = 60.0
_NO_SUCH_REF = 2
_FETCH = "fetch --no-tags --no-prune --no-write-fetch-head --no-recurse-submodules --no-auto-maintenance --no-filter"
_PUSH = "push --porcelain --no-verify --no-follow-tags --no-signed --recurse-submodules=no"
_MEND_REFUSED = (
    "the job needs the right to push: `contents: write` (GitHub), *Allow Git push requests to the repository* "
    "(GitLab); or a push rule of the server stands against it"
)


@dataclass(frozen=True, slots=True)
class GitRecordStore:
    """A `RecordStore` in a git ref. `remote` None: the record is local, nobody else can see it.

    `email` stands in the commits (a server may insist on one); `pauses` are the seconds to wait between the tries of
    a push that got no answer. Raises ValueError for a target name that cannot be part of a ref.
    """

    repository: GitRepository
    target: str
    remote: str | None
    email: str = _EMAIL
    pauses: tuple[float, ...] = (0.5, 1.0, 2.0, 4.0)

    def __post_init__(self) -> None:
        if not _TARGET.fullmatch(self.target):
            raise ValueError(f"not a target name: {self.target!r}")
        if self.remote is not None and self.remote not in self.repository.remotes():
            raise GitError(f"there is no remote {self.remote!r}", mend="see `git remote`, or mend record: {remote: …}")

    @property
    def ref(self) -> str:
        """The full name of the ref, the same here and on the remote."""
        return f"refs/reconciler/applied/{self.target}"

    def describe(self) -> str:
        """Say where the record lives: the ref, and the remote with its address."""
        if self.remote is None:
            return f"{self.ref} in {self.repository.top} (no remote: nobody else can see it)"
        url = self.repository.ask("remote", "get-url", self.remote).text
        return f"{self.ref} on {self.remote} ({mask_credentials(url)})"

    def read(self) -> RecordSnapshot:
        """Return the remote's record, bringing the local copy up to it; see `RecordSnapshot` for the exceptions."""
        if self.remote is None:
            return self._snapshot(self._local(), notices=("no remote: nobody else can see this record",))
        try:
            tip = self._remote_tip()
            local = self._local()
            if tip is None:
                return self._lost(local)
            notices = self._notices_of_kept(tip, local)
            if local != tip and not notices:
                tip = self._fetch()
        except RecordUnreachable as silence:
            return self._as_of_local(silence)
        return self._snapshot(tip, notices=notices)

    def write(self, files: Mapping[str, bytes], *, expected: str | None, message: CommitMessage) -> str:
        """Store `files` on top of `expected` and move the ref there; see `RecordStore.write`."""
        version = self._commit(files, expected, message)
        if self.remote is None:
            self._swap_local(version, expected)
            return version
        copy = self._local()
        self._push(version, expected)
        # The record is safe where it counts. A copy that another process moves at this moment is its own to mend.
        self._update_ref(version, copy)
        return version

    def keep_locally(self, files: Mapping[str, bytes], *, expected: str | None, message: CommitMessage) -> Path:
        """Keep a record that could not be pushed: in the local ref, and as a bundle in `.reconciler/` (returned).

        The bundle holds what came after `expected`, which the remote has. `upload_command` says how to deliver it.
        Raises `RecordRaceLost` where another process moves the local ref meanwhile, `RecordError` for a full disk.
        """
        version = self._commit(files, expected, message)
        self._swap_local(version, self._local())
        path = self._bundle(version)
        try:
            path.parent.mkdir(exist_ok=True)
            ignored = path.parent / ".gitignore"
            if not ignored.exists():
                ignored.write_text("*\n")
        except OSError as error:
            raise RecordError(
                f"the record is kept in {self.ref} only; no bundle in {path.parent}: {error.strerror}",
                mend=f"to upload it: {self.upload_command()}",
            ) from error
        self.repository.ask("bundle", "create", str(path), self.ref, *([f"^{expected}"] if expected else []))
        return path

    def upload_command(self) -> str:
        """Return the command that pushes the local ref; it is refused if somebody has applied since."""
        return f"git push {self.remote} {self.ref}:{self.ref}"

    def _commit(self, files: Mapping[str, bytes], expected: str | None, message: CommitMessage) -> str:
        return write_commit(self.repository, files, parent=expected, message=message, email=self.email)

    def _snapshot(self, version: str | None, *, notices: tuple[str, ...]) -> RecordSnapshot:
        files = {} if version is None else read_files(self.repository, version)
        return RecordSnapshot(version=version, files=files, notices=notices)

    def _lost(self, local: str | None) -> RecordSnapshot:
        if local is None:
            return RecordSnapshot(version=None, files={})
        notice = (
            f"the record on {self.remote} is gone; this clone keeps a copy of {self._date()} ({short(local)}). "
            f"To put it back: {self.upload_command()}"
        )
        files = read_files(self.repository, local)
        return RecordSnapshot(version=local, files=files, lost_on_remote=True, notices=(notice,))

    def _as_of_local(self, silence: RecordUnreachable) -> RecordSnapshot:
        local = self._local()
        said = f" ({silence.lines[0]})" if silence.lines else ""
        if local is None:
            notice = f"{self.remote} does not answer and this clone has no copy of the record{said}"
            return RecordSnapshot(version=None, files={}, as_of_local=True, notices=(notice,))
        notice = f"{self.remote} does not answer: record as of {self._date()}, may be old{said}"
        files = read_files(self.repository, local)
        return RecordSnapshot(version=local, files=files, as_of_local=True, notices=(notice,))

    def _notices_of_kept(self, tip: str, local: str | None) -> tuple[str, ...]:
        # Only a bundle tells a record that never got out from one that the remote was set back from.
        if local is None or local == tip or not self._bundle(local).exists():
            return ()
        if self.repository.commit_id(f"{local}^") != tip:
            return ()
        return (
            f"this clone keeps the end of an apply that never reached {self.remote} ({short(local)}). "
            f"To upload it: {self.upload_command()}",
        )

    def _bundle(self, version: str) -> Path:
        return self.repository.top / ".reconciler" / f"record-{self.target}-{short(version)}.bundle"

    def _local(self) -> str | None:
        answer = self.repository.ask("rev-parse", "--verify", "--quiet", self.ref, accept=(0, 1))
        return answer.text or None

    def _date(self) -> str:
        return self.repository.ask("for-each-ref", "--format=%(committerdate:iso-strict)", self.ref).text

    def _remote_tip(self) -> str | None:
        """Ask the remote where its ref stands. Raises `RecordUnreachable`: silence is never read as "none"."""
        answer = self.repository.run("ls-remote", "--exit-code", str(self.remote), self.ref, seconds=_NO_ANSWER_SECONDS)
        if answer.code not in (0, _NO_SUCH_REF):
            raise self._unreachable(answer)
        # The pattern also matches refs that merely end like ours.
        named = (line.split("\t") for line in answer.text.splitlines())
        return next((object_id for object_id, name in named if name == self.ref), None)

    def _fetch(self) -> str:
        # In a full clone `--depth` would make the whole clone shallow.
        depth = ("--depth=1",) if self.repository.is_shallow() else ()
        command = (*_FETCH.split(), *depth, str(self.remote), f"+{self.ref}:{self.ref}")
        answer = self.repository.run(*command, seconds=NETWORK_SECONDS)
        tip = self._local() if answer.code == 0 else None
        if tip is None:
            raise self._unreachable(answer)
        return tip

    def _push(self, version: str, expected: str | None) -> None:
        lease = f"--force-with-lease={self.ref}:{expected or ''}"
        command = (*_PUSH.split(), lease, str(self.remote), f"{version}:{self.ref}")
        refusals = 0
        failure = RecordError(f"{self.ref} was not pushed")
        for pause in (*self.pauses, 0.0):
            answer = self.repository.run(*command, seconds=NETWORK_SECONDS)
            if answer.code == 0 and _moved(answer):
                return
            try:
                tip = self._remote_tip()
            except RecordUnreachable as silence:
                failure = silence
            else:
                if tip == version:  # it had worked, only the answer was lost
                    return
                if tip != expected:
                    raise RecordRaceLost(f"{self.ref} on {self.remote}", expected=expected, found=tip)
                failure = self._not_taken(answer)
                refusals += 1
            # A second try before it is called a refusal: somebody whose push then failed may have held the ref's lock.
            if refusals > 1 or answer.code == TIMED_OUT:
                break
            time.sleep(pause)
        raise failure

    def _not_taken(self, answer: GitAnswer) -> RecordError:
        if answer.code == TIMED_OUT:
            return self._unreachable(answer)
        return RecordRefused(f"{self.remote} refused the record {self.ref}", lines=answer.lines, mend=_MEND_REFUSED)

    def _unreachable(self, answer: GitAnswer) -> RecordUnreachable:
        mend = "check the network and the right to read the repository, then try again"
        return RecordUnreachable(f"{self.remote} does not answer for {self.ref}", lines=answer.lines, mend=mend)

    def _swap_local(self, version: str, expected: str | None) -> None:
        answer = self._update_ref(version, expected)
        if answer.code == 0:
            return
        found = self._local()
        if found != expected:
            raise RecordRaceLost(f"{self.ref} in {self.repository.top}", expected=expected, found=found)
        mend = "another git may be at work in this repository: try again"
        raise GitError(f"git does not move {self.ref}", lines=answer.lines, mend=mend)

    def _update_ref(self, version: str, old: str | None) -> GitAnswer:
        return self.repository.run("update-ref", "-m", "reconciler", self.ref, version, old or "")


def _moved(answer: GitAnswer) -> bool:
    """Say whether a porcelain push reports our ref as created or fast-forwarded; `=` means it stood there already."""
    return any(line.startswith(("*\t", " \t")) for line in answer.text.split("\n"))
