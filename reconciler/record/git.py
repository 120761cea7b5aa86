"""The record of one target as a git ref: `refs/reconciler/applied/<target>`, a linear chain of commits.

Where there is a remote, the remote's ref is the record and the local one a copy; without a remote the local ref is
the record. On the remote it may stand on a branch instead, `refs/heads/reconciler/applied/<target>`, which a forge can
lock; the copy stays where it is. There are two such places and no more, so whoever looks in one also sees the other.
Every move is a compare-and-swap: a push with an explicit lease, or `update-ref` with the old value.
Index, work tree, HEAD and branches stay as they are.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from reconciler.record.objects import read_files, write_commit
from reconciler.record.remote import RemoteRefs
from reconciler.record.repository import GitAnswer, GitRepository, mask_credentials
from reconciler.record.store import (
    CommitMessage,
    GitError,
    RecordError,
    RecordRaceLost,
    RecordSnapshot,
    RecordUnreachable,
    short,
)

__all__ = ["BRANCH", "PLACE", "GitError", "GitRecordStore", "GitRepository"]

PLACE: Final = "refs/reconciler/applied"
"""Where records stand, below it one for each target."""
BRANCH: Final = "refs/heads/reconciler/applied"
"""The same as branches."""
_TARGET = re.compile(r"[a-z0-9][a-z0-9-]{0,40}")  # one part of a ref, and no two differ by case only
_EMAIL = "reconciler@localhost.invalid"


class OtherAddress(Struct, frozen=True):
    """An address that is written to and not read from. `why`: what tells the two apart; empty for one repository."""

    read: str
    written: str
    why: str

    @property
    def same(self) -> bool:
        """Whether both are the same repository, as far as can be seen."""
        return not self.why


class GitRecordStore(Struct, frozen=True):
    """A `RecordStore` in a git ref. `remote` None: the record is local, nobody else can see it.

    `email` stands in the commits (a server may insist on one); `pauses` are the seconds to wait between the tries of
    a push that got no answer; `place` is where it stands on the remote, `PLACE` or `BRANCH`. Raises ValueError for a
    target name that cannot be part of a ref.
    """

    repository: GitRepository
    target: str
    remote: str | None
    email: str = _EMAIL
    pauses: tuple[float, ...] = (0.5, 1.0, 2.0, 4.0)
    place: str = PLACE

    def __post_init__(self) -> None:
        if not _TARGET.fullmatch(self.target):
            raise ValueError(f"not a target name: {self.target!r}")
        if self.place not in (PLACE, BRANCH):
            raise ValueError(f"not a place for records: {self.place!r}")
        if self.remote is not None and self.remote not in self.repository.remotes():
            raise GitError(f"there is no remote {self.remote!r}", mend="see `git remote`, or mend record: {remote: …}")

    @property
    def ref(self) -> str:
        """The full name of the ref in this clone."""
        return f"{PLACE}/{self.target}"

    @property
    def remote_ref(self) -> str:
        """The full name of the ref on the remote."""
        return f"{self.place}/{self.target}"

    @property
    def other_ref(self) -> str:
        """Where the record would stand on the remote if `place` were the other one."""
        return f"{PLACE if self.place == BRANCH else BRANCH}/{self.target}"

    def describe(self) -> str:
        """Say where the record lives: the ref, and the remote with its address."""
        if self.remote is None:
            return f"{self.ref} in {self.repository.top} (no remote: here only)"
        url = self.repository.ask("remote", "get-url", self.remote).text
        return f"{self.remote_ref} on {self.remote} ({mask_credentials(url)})"

    def other_addresses(self) -> tuple[OtherAddress, ...]:
        """Where pushes go, as far as that is not where fetches come from. Raises `RecordUnreachable` for the latter."""
        if self.remote is None:
            return ()
        read = self.repository.ask("remote", "get-url", self.remote).text
        pushed = self.repository.ask("remote", "get-url", "--push", "--all", self.remote).text.splitlines()
        asked = ("HEAD", self.remote_ref, self.other_ref)
        found = []
        for written in pushed:
            if written == read:
                continue
            try:
                there = replace(self._refs, name=written).tips(*asked)
                why = "" if there == self._refs.tips(*asked) else "and the two hold different things"
            except RecordUnreachable as silence:
                why = f"which does not answer ({silence.lines[0]})" if silence.lines else "which does not answer"
            found.append(OtherAddress(mask_credentials(read), mask_credentials(written), why))
        return tuple(found)

    def read(self) -> RecordSnapshot:
        """Return the remote's record, bringing the local copy up to it; see `RecordSnapshot` for the exceptions."""
        if self.remote is None:
            notice = "this repository has no remote: what was applied is on record here only"
            return self._snapshot(self._local(), notices=(notice,))
        try:
            tips = self._refs.tips(self.remote_ref, self.other_ref)
            local = self._local()
            tip, other = tips.get(self.remote_ref), tips.get(self.other_ref)
            if tip is None:
                return self._lost(local) if other is None else self._elsewhere(other, local)
            notices = self._notices_of_kept(tip, local)
            if local != tip and not notices:
                tip = self._fetch(self.remote_ref)
        except RecordUnreachable as silence:
            return self._as_of_local(silence)
        two = (self._words_about_two(),) if other is not None else ()
        # On a branch that is locked the other one may be anybody's; the other way round nobody knows which is newer.
        doubt = two[0] if two and self.place == PLACE else None
        return self._snapshot(tip, notices=(*notices, *two), doubt=doubt)

    def write(self, files: Mapping[str, bytes], *, expected: str | None, message: CommitMessage) -> str:
        """Store `files` on top of `expected` and move the ref there; see `RecordStore.write`."""
        return self._moved_to(self._commit(files, expected, message), expected)

    def begin_anew(self, files: Mapping[str, bytes], *, expected: str | None, message: CommitMessage) -> str:
        """Store `files` as the first commit of a new chain in place of `expected`; errors as `write`.

        `RecordRefused` may mean only that the server lets nobody shorten a history; a `write` may still go through.
        """
        return self._moved_to(self._commit(files, expected, message, root=True), expected)

    def move(self, files: Mapping[str, bytes], *, version: str, message: CommitMessage) -> str:
        """Store `files` on top of `version`, the record in the other place: it is made here and taken away there.

        Errors as `write`; `RecordRaceLost` also where somebody applies in the other place at this moment. An old
        record that the remote does not let go of stays; `read` points it out.
        """
        new = self._moved_to(self._commit(files, version, message), None)
        left = self._refs.remove(self.other_ref, version)
        if left is not None and left != version:
            self._refs.remove(self.remote_ref, new)
            raise RecordRaceLost(f"{self.other_ref} on {self.remote}", expected=version, found=left)
        return new

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
        return f"git push {self.remote} {self.ref}:{self.remote_ref}"

    def forget_command(self) -> str:
        """Return the command that takes the record away, here and on the remote."""
        here = f"git update-ref -d {self.ref}"
        return f"git push {self.remote} :{self.remote_ref} && {here}" if self.remote else here

    @property
    def _refs(self) -> RemoteRefs:
        return RemoteRefs(repository=self.repository, name=str(self.remote), pauses=self.pauses)

    def _commit(
        self, files: Mapping[str, bytes], expected: str | None, message: CommitMessage, *, root: bool = False
    ) -> str:
        return write_commit(self.repository, files, parent=expected, message=message, email=self.email, root=root)

    def _moved_to(self, version: str, expected: str | None) -> str:
        if self.remote is None:
            self._swap_local(version, expected)
            return version
        copy = self._local()
        self._refs.push(version, self.remote_ref, expected)
        # The record is safe where it counts. A copy that another process moves at this moment is its own to mend.
        self._update_ref(version, copy)
        return version

    def _snapshot(self, version: str | None, *, notices: tuple[str, ...], doubt: str | None = None) -> RecordSnapshot:
        files = {} if version is None else read_files(self.repository, version)
        return RecordSnapshot(version=version, files=files, notices=notices, doubt=doubt)

    def _words_about_two(self) -> str:
        return (
            f"{self.remote} holds a second record of this target in {self.other_ref}, which does not count: "
            f"the settings say {self.remote_ref}. To take it away: git push {self.remote} :{self.other_ref}"
        )

    def _elsewhere(self, tip: str, local: str | None) -> RecordSnapshot:
        if local != tip:
            tip = self._fetch(self.other_ref)
        notice = (
            f"the record stands in {self.other_ref} on {self.remote}: the next apply moves it to {self.remote_ref}, "
            "as the settings say"
        )
        return RecordSnapshot(
            version=tip, files=read_files(self.repository, tip), moves_from=self.other_ref, notices=(notice,)
        )

    def _lost(self, local: str | None) -> RecordSnapshot:
        if local is None:
            return RecordSnapshot(version=None, files={})
        notice = (
            f"{self.remote} does not have the record: it is gone, or was never pushed there; this clone has one of "
            f"{self._date()} ({short(local)})"
        )
        files = read_files(self.repository, local)
        mend = f"put it there: {self.upload_command()}"
        return RecordSnapshot(version=local, files=files, lost_on_remote=True, notices=(notice,), mend=mend)

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

    def _fetch(self, ref: str) -> str:
        self._refs.fetch(ref, self.ref)
        tip = self._local()
        if tip is None:
            raise RecordUnreachable(f"{self.remote} does not hand out {ref}")
        return tip

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
