"""The record of one target between its store and the core: which store it is, reading with doubts said, and writing.

A record that is damaged or another target's is worth nothing to a plan, which then says so, and stops an apply. So it
is with a checkout that is not what was applied last or a successor of it, or that holds what nobody has committed.
"""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from reconciler.errors import RecordTrouble, UsageError
from reconciler.leasing import Claim, lease_from
from reconciler.model import AppliedState, Diagnostic, Json, Severity, Violation
from reconciler.policy import violation
from reconciler.project import Project
from reconciler.record.encoding import RecordHeader, decode, encode, url_fingerprint
from reconciler.record.file import FileRecordStore
from reconciler.record.git import GitRecordStore
from reconciler.record.history import Relation, relation
from reconciler.record.repository import GitRepository
from reconciler.record.store import CommitMessage, GitError, RecordSnapshot
from reconciler.settings import Target

DATA_FOLDER: Final = ".reconciler"
_OLD: Final = {
    Relation.BEHIND: "this checkout ({head}) is older than what was applied last ({recorded})",
    Relation.DIVERGED: "the applied commit {recorded} is not in the history of this checkout ({head})",
}
_OLD_MEND: Final = {
    Relation.BEHIND: "run from the tip of the main branch",
    Relation.DIVERGED: "main was rewritten, or somebody applied from a branch: run from the branch that is applied",
}
_TOO_SHORT: Final = (
    "the history of this checkout is too short to tell whether it contains the applied commit {recorded}"
)
_FETCH_HISTORY: Final = "fetch the history: `fetch-depth: 0` with `filter: blob:none`, or `git fetch --unshallow`"
_SHOWN: Final = 3
"""So many uncommitted files are named in a notice; an apply that is refused lists all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedRecord:
    """The record as a run found it. `trouble`: why an apply must not go on with it. `generation`: of what was read.

    `claim`: of an apply of others that has not ended; `unfinished`: of any apply, this run started before included.
    """

    applied: AppliedState
    version: str | None
    generation: int = 0
    notices: tuple[Diagnostic, ...] = ()
    trouble: RecordTrouble | None = None
    lost_on_remote: bool = False
    claim: Claim | None = None
    unfinished: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Reads and writes the record of one target. `run` names this run in what it writes."""

    store: GitRecordStore | FileRecordStore
    target: Target
    run: str
    tool: str
    began: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def leased(self) -> bool:
        """Whether others may come by at the same time: a record on this machine alone is guarded by its lock."""
        return isinstance(self.store, GitRecordStore)

    def load(self) -> LoadedRecord:
        """What the store holds. Never raises for a bad record: a plan can do without, an apply asks `trouble`."""
        try:
            snapshot = self.store.read()
        except RecordTrouble as error:
            return self._useless(error)
        notices = tuple(_notice("record", each) for each in (*snapshot.notices, *self._about_store()))
        if not snapshot.files:
            return LoadedRecord(
                applied=AppliedState(), version=snapshot.version, notices=notices, trouble=_silence(snapshot)
            )
        try:
            applied, header = decode(snapshot.files, target=self.target.name, url=self.target.url)
        except RecordTrouble as error:
            return self._useless(error)
        return LoadedRecord(
            applied=applied,
            version=None if snapshot.lost_on_remote else snapshot.version,
            generation=header.generation,
            notices=notices,
            trouble=_silence(snapshot),
            lost_on_remote=snapshot.lost_on_remote,
            claim=Claim.of(header, self.run),
            unfinished=header.lease is not None,
        )

    def claim(self, state: AppliedState, loaded: LoadedRecord) -> str:
        """Announce, before the first write; gives the new version. RecordTrouble if somebody else was first."""
        files, message = self._written(state, loaded, "claimed", None)
        try:
            return self.store.write(files, expected=loaded.version, message=message)
        except RecordTrouble as error:
            raise RecordTrouble(f"nothing was written to the target: {error.summary}", error.mend) from error

    def renew(self, state: AppliedState, loaded: LoadedRecord, version: str) -> str:
        """A sign of life with what is known so far; gives the new version. RecordRaceLost: somebody has taken over."""
        files, message = self._written(state, loaded, "running", None)
        return self.store.write(files, expected=version, message=message)

    def finish(
        self, state: AppliedState, loaded: LoadedRecord, expected: str | None, report: Mapping[str, Json]
    ) -> RecordTrouble | None:
        """Record what was found in place. If it cannot be moved, it is kept on this machine, and said."""
        files, message = self._written(state, loaded, "done", report)
        try:
            self.store.write(files, expected=expected, message=message)
        except RecordTrouble as error:
            mend = error.mend
            if isinstance(self.store, GitRecordStore):
                kept = self.store.keep_locally(files, expected=expected, message=message)
                mend = f"{mend}\nit is kept in {kept}; upload it with: {self.store.upload_command()}".strip()
            return RecordTrouble(f"what was applied could not be recorded: {error.summary}", mend)
        return None

    def _written(
        self, state: AppliedState, loaded: LoadedRecord, stage: str, report: Mapping[str, Json] | None
    ) -> tuple[dict[str, bytes], CommitMessage]:
        lease = lease_from(datetime.now(UTC), self.began) if self.leased and stage != "done" else None
        header = RecordHeader(
            target=self.target.name,
            url_fingerprint=url_fingerprint(self.target.url),
            run=self.run,
            tool=self.tool,
            generation=loaded.generation + 1,
            lease=lease,
        )
        message = CommitMessage(
            summary=f"applied {(state.commit or 'files outside git')[:12]} to {self.target.name}",
            trailers={
                "Source-Commit": state.commit or "none",
                "Run": self.run,
                "Actor": actor(),
                "State": stage,
                **({"Lease-Until": lease.until} if lease else {}),
            },
        )
        return encode(state, header, report), message

    def _about_store(self) -> tuple[str, ...]:
        if isinstance(self.store, GitRecordStore) or self.target.embedded:
            return ()
        return (f"not in git: the record stays on this machine, in {self.store.path}",)

    def _where(self) -> str:
        """Where the record is and how to do without it, for somebody who has to look at it."""
        store = self.store
        if isinstance(store, FileRecordStore):
            return f"it is kept on this machine; to begin a new one delete {store.path}"
        forget = f"git update-ref -d {store.ref}"
        command = f"git push {store.remote} :{store.ref} && {forget}" if store.remote else forget
        return f"it is kept in {store.describe()}; to begin a new one: {command}"

    def _useless(self, error: RecordTrouble) -> LoadedRecord:
        summary = error.summary.rstrip(".").replace("The record", "the record", 1)
        trouble = RecordTrouble(summary, f"{error.mend}\n{self._where()}")
        notice = _notice("record-unusable", f"{summary}; an apply would stop", trouble.mend)
        return LoadedRecord(applied=AppliedState(), version=None, notices=(notice,), trouble=trouble)


def record_of(project: Project, target: Target, tool: str) -> Record:
    """The record of a target: in git where there is git, in a file for an embedded target and outside git."""
    repository = None if target.embedded else project.repository
    run = os.environ.get("GITHUB_RUN_ID") or os.environ.get("CI_JOB_ID") or secrets.token_hex(4)
    if repository is None:
        store: GitRecordStore | FileRecordStore = FileRecordStore(data_folder(project) / "record" / target.name)
    else:
        store = GitRecordStore(repository, target.name, _remote(project, repository))
    return Record(store=store, target=target, run=run, tool=tool)


def _remote(project: Project, repository: GitRepository) -> str | None:
    if project.settings.record_remote is not None:
        return project.settings.record_remote
    try:
        return repository.default_remote()
    except GitError as error:
        raise UsageError(error.summary, error.mend) from error


def actor() -> str:
    """Who runs this, as far as the surroundings say."""
    names = (os.environ.get(name) for name in ("GITHUB_ACTOR", "GITLAB_USER_LOGIN", "USER", "USERNAME"))
    return next(filter(None, names), "unknown")


def data_folder(project: Project) -> Path:
    """Where an embedded target and the records outside git live: ``.reconciler`` beside the settings."""
    return project.settings.folder / DATA_FOLDER


def made_data_folder(project: Project) -> Path:
    """That folder, made if need be, and told to git as something to pass over."""
    folder = data_folder(project)
    ignored = folder / ".gitignore"
    try:
        folder.mkdir(exist_ok=True)
        if not ignored.exists():
            ignored.write_text("*\n", encoding="utf-8")
    except OSError as error:
        why = (error.strerror or "no reason given").lower()
        raise RecordTrouble(
            f"{folder} cannot be written ({why})",
            "reconciler keeps its data there: it has to be a folder that can be written",
        ) from error
    return folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkout:
    """The commit that a run works on, as the record sees it. `dirty`: what no commit holds, of what decides the run."""

    head: str | None
    recorded: str | None
    dirty: tuple[str, ...]
    relation: Relation

    @classmethod
    def of(cls, project: Project, target: Target, repository: GitRepository, recorded: str | None) -> "Checkout":
        """Look at the work tree, and at as much of the history as it takes."""
        head = repository.head()
        top = repository.top.resolve()
        paths = project.declared_paths(target)
        inside = [each for each in paths if each.resolve().is_relative_to(top)]
        outside = [f"{each} (outside the repository)" for each in paths if each not in inside]
        state = Relation.SAME
        if head is not None and recorded is not None:
            state = relation(repository, recorded, head, remote=project.settings.record_remote)
        return cls(head=head, recorded=recorded, dirty=(*repository.dirty(inside), *outside), relation=state)

    def violations(self) -> list[Violation]:
        """What stops an apply: it runs on committed declarations, never on older ones than before.

        RecordTrouble where the history does not tell.
        """
        if self.relation is Relation.UNKNOWN:
            raise RecordTrouble(f"nothing was written to the target: {self._worded(_TOO_SHORT)}", _FETCH_HISTORY)
        found = []
        if self.dirty or self.head is None:
            items, mend = self.dirty or ("the whole checkout",), "commit, and run the apply on that commit"
            found.append(violation("dirty", self._dirty_words(), items, 0, mend))
        if self.relation in _OLD:
            items = (f"{self.recorded} {self.head}",)
            words = self._worded(_OLD[self.relation])
            found.append(violation(self.relation.value, words, items, 0, _OLD_MEND[self.relation]))
        return found

    def notices(self) -> list[Diagnostic]:
        """The same for a plan, which goes on."""
        found = []
        if self.dirty or self.head is None:
            named = ", ".join(self.dirty[:_SHOWN])
            more = f" and {len(self.dirty) - _SHOWN} more" if len(self.dirty) > _SHOWN else ""
            summary = f"{self._dirty_words()}{': ' if named else ''}{named}{more}; an apply would refuse"
            found.append(_notice("dirty", summary, "commit, and run the apply on that commit"))
        if self.relation is Relation.UNKNOWN:
            found.append(_notice("unknown-history", f"{self._worded(_TOO_SHORT)}; an apply would stop", _FETCH_HISTORY))
        elif self.relation in _OLD:
            summary = f"{self._worded(_OLD[self.relation])}; an apply would refuse"
            found.append(_notice(self.relation.value, summary, _OLD_MEND[self.relation]))
        return found

    def _dirty_words(self) -> str:
        if self.head is None:
            return "this repository has no commit yet"
        return "declarations or settings that are not committed"

    def _worded(self, sentence: str) -> str:
        return sentence.format(head=(self.head or "")[:12], recorded=(self.recorded or "")[:12])


def _silence(snapshot: RecordSnapshot) -> RecordTrouble | None:
    """Why an apply must not go on with what is only a local copy."""
    if not snapshot.as_of_local:
        return None
    return RecordTrouble(
        f"nothing was written to the target: {'; '.join(snapshot.notices)}",
        "check the network and the right to read the repository, then try again",
    )


def _notice(code: str, summary: str, mend: str = "") -> Diagnostic:
    return Diagnostic(severity=Severity.NOTICE, code=code, summary=summary, mend=mend)
