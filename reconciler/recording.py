"""The record of one target between its store and the core: which store it is, reading with doubts said, and writing.

A record that is damaged or another target's is worth nothing to a plan, which then says so, and stops an apply.
"""

import os
import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

from msgspec import Struct, field
from msgspec.structs import replace

from reconciler import leasing
from reconciler.errors import RecordTrouble, UsageError
from reconciler.leasing import Claim, lease_from
from reconciler.model import AppliedState, Diagnostic, Json, Severity
from reconciler.project import Project
from reconciler.record.encoding import decode, encode
from reconciler.record.file import FileRecordStore
from reconciler.record.git import GitRecordStore
from reconciler.record.header import Lease, RecordHeader, url_fingerprint
from reconciler.record.repository import GitRepository
from reconciler.record.store import CommitMessage, GitError, RecordRaceLost, RecordRefused, RecordSnapshot, RecordStore
from reconciler.settings import RecordSettings, Target

DATA_FOLDER: Final = ".reconciler"


class LoadedRecord(Struct, frozen=True, kw_only=True):
    """The record as a run found it, or has written it since. `trouble`: why an apply must not go on with it.

    `version`: what the next write takes the place of. `generation`: commits so far. `moves`: it is not where it should
    be, and the next write moves it.
    `claim`: of an apply of others that has not ended; `unfinished`: of any apply, this run started before included.
    `lease`: how long this run may write, as it said last.
    """

    applied: AppliedState
    version: str | None
    generation: int = 0
    notices: tuple[Diagnostic, ...] = ()
    trouble: RecordTrouble | None = None
    lost_on_remote: bool = False
    moves: bool = False
    claim: Claim | None = None
    unfinished: bool = False
    lease: Lease | None = None

    def written(self, version: str, lease: Lease | None) -> "LoadedRecord":
        """The same after one more commit."""
        return replace(self, version=version, generation=self.generation + 1, moves=False, lease=lease)


class Record(Struct, frozen=True, kw_only=True):
    """Reads and writes the record of one target. `run` names this run in what it writes.

    `keep`: so many commits, then the next end of an apply begins the history anew. `paths`: the settings and the
    folders of declarations, from the top of the repository; what they held is noted.
    """

    store: RecordStore
    target: Target
    run: str
    tool: str
    keep: int = RecordSettings().keep
    paths: tuple[str, ...] = ()
    began: datetime = field(default_factory=lambda: leasing.now())

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
        notices = [
            _notice("record", each, snapshot.mend if each in snapshot.notices[:1] else "")
            for each in (*snapshot.notices, *self._about_store())
        ]
        if not snapshot.files:
            return LoadedRecord(
                applied=AppliedState(), version=snapshot.version, notices=tuple(notices), trouble=_doubt(snapshot)
            )
        try:
            applied, header = decode(snapshot.files, target=self.target.name, url=self.target.url)
        except RecordTrouble as error:
            return self._useless(error)
        return LoadedRecord(
            applied=applied,
            version=None if snapshot.lost_on_remote else snapshot.version,
            generation=0 if snapshot.lost_on_remote else header.generation,
            notices=(*notices, *self._about_length(header)),
            trouble=_doubt(snapshot),
            lost_on_remote=snapshot.lost_on_remote,
            moves=snapshot.moves_from is not None,
            claim=Claim.of(header, self.run),
            unfinished=header.lease is not None,
        )

    def claim(self, state: AppliedState, loaded: LoadedRecord) -> LoadedRecord:
        """Announce, before the first write. RecordTrouble if somebody else was first, or the server refuses."""
        try:
            return self._write(state, loaded, "claimed")
        except RecordTrouble as error:
            raise RecordTrouble(f"nothing was written to the target: {error.summary}", error.mend) from error

    def renew(self, state: AppliedState, loaded: LoadedRecord) -> LoadedRecord:
        """A sign of life with what is known so far. RecordRaceLost: somebody has taken over."""
        return self._write(state, loaded, "running")

    def finish(self, state: AppliedState, loaded: LoadedRecord, report: Mapping[str, Json]) -> RecordTrouble | None:
        """Record what was found in place. If it cannot be moved, it is kept on this machine, and said."""
        try:
            if not self._begun_anew(state, loaded, report):
                self._write(state, loaded, "done", report)
        except RecordTrouble as error:
            mend = error.mend
            # what somebody else has moved on from is of no use to anybody, and could not be uploaded
            if not isinstance(error, RecordRaceLost) and isinstance(self.store, GitRecordStore):
                files, message = self._written(state, loaded, "done", report)
                kept = self.store.keep_locally(files, expected=loaded.version, message=message)
                mend = f"{mend}\nit is kept in {kept}; upload it with: {self.store.upload_command()}".strip()
            return RecordTrouble(f"what was applied could not be recorded: {error.summary}", mend)
        return None

    def _write(
        self, state: AppliedState, loaded: LoadedRecord, stage: str, report: Mapping[str, Json] | None = None
    ) -> LoadedRecord:
        lease = lease_from(leasing.now(), self.began) if self.leased and stage != "done" else None
        files, message = self._written(state, loaded, stage, report, lease)
        if isinstance(self.store, GitRecordStore) and loaded.moves and loaded.version is not None:
            return loaded.written(self.store.move(files, version=loaded.version, message=message), lease)
        return loaded.written(self.store.write(files, expected=loaded.version, message=message), lease)

    def _begun_anew(self, state: AppliedState, loaded: LoadedRecord, report: Mapping[str, Json]) -> bool:
        """Whether the history was long enough to be cut off, and the server let us; a plan points out that it did not.

        Only the end of an apply does it: a claim stands on the record that it goes on from.
        """
        if not isinstance(self.store, GitRecordStore) or loaded.moves or loaded.generation < self.keep:
            return False
        files, message = self._written(state, replace(loaded, generation=0), "done", report)
        try:
            self.store.begin_anew(files, expected=loaded.version, message=message)
        except RecordRefused:
            return False
        return True

    def _written(
        self,
        state: AppliedState,
        loaded: LoadedRecord,
        stage: str,
        report: Mapping[str, Json] | None,
        lease: Lease | None = None,
    ) -> tuple[dict[str, bytes], CommitMessage]:
        header = RecordHeader(
            trees=self._trees(state.commit),
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

    def _trees(self, commit: str | None) -> dict[str, str]:
        if commit is None or not isinstance(self.store, GitRecordStore):
            return {}
        return self.store.repository.ids(commit, self.paths)

    def _about_length(self, header: RecordHeader) -> list[Diagnostic]:
        """Only after the end of an apply: one under way may be longer, its end cuts it."""
        if not isinstance(self.store, GitRecordStore) or header.lease is not None or header.generation <= self.keep:
            return []
        summary = f"the record has {header.generation} commits and record.keep says {self.keep}"
        mend = (
            "the next apply begins it anew; if it does not, the server refuses that, and a higher record.keep suits it"
        )
        return [_notice("record-history", summary, mend)]

    def _about_store(self) -> tuple[str, ...]:
        if self.target.embedded or not isinstance(self.store, FileRecordStore):
            return ()
        return (f"not in git: the record stays on this machine, in {self.store.path}",)

    def _where(self) -> str:
        """Where the record is and how to do without it, for somebody who has to look at it."""
        kept = f"it is kept in {self.store.describe()}; to begin a new one"
        if isinstance(self.store, GitRecordStore):
            return f"{kept}: {self.store.forget_command()}"
        return f"{kept} delete that folder"

    def _useless(self, error: RecordTrouble) -> LoadedRecord:
        summary = error.summary.rstrip(".").replace("The record", "the record", 1)
        trouble = RecordTrouble(summary, f"{error.mend}\n{self._where()}")
        notice = _notice("record-unusable", f"{summary}; an apply would stop", trouble.mend)
        return LoadedRecord(applied=AppliedState(), version=None, notices=(notice,), trouble=trouble)


def record_of(project: Project, target: Target, tool: str) -> Record:
    """The record of a target: in git where there is git, in a file for an embedded target and outside git."""
    repository = None if target.embedded else project.repository
    job = os.environ.get("GITHUB_RUN_ID") or os.environ.get("CI_JOB_ID") or secrets.token_hex(4)
    run = leasing.run_name(job, os.environ.get("GITHUB_RUN_ATTEMPT"))
    if repository is None:
        store: RecordStore = FileRecordStore(data_folder(project) / "record" / target.name)
    else:
        kept = project.settings.record
        remote = _remote(project, repository)
        store = GitRecordStore(repository, target.name, remote, email=kept.email, place=kept.ref)
    paths = () if repository is None else _inside(repository, project.declared_paths(target))
    return Record(store=store, target=target, run=run, tool=tool, keep=project.settings.record.keep, paths=paths)


def _inside(repository: GitRepository, paths: Iterable[Path]) -> tuple[str, ...]:
    """Those paths that lie in the repository, from its top."""
    top = repository.top.resolve()
    found = (each.resolve() for each in paths)
    return tuple(each.relative_to(top).as_posix() for each in found if each.is_relative_to(top))


def _remote(project: Project, repository: GitRepository) -> str | None:
    if project.settings.record.remote is not None:
        return project.settings.record.remote
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


def _doubt(snapshot: RecordSnapshot) -> RecordTrouble | None:
    """Why an apply must not go on with what is only a local copy, or one of two."""
    if snapshot.doubt is not None:
        return RecordTrouble(f"nothing was written to the target: {snapshot.doubt}", "see which of them is right first")
    if not snapshot.as_of_local:
        return None
    return RecordTrouble(
        f"nothing was written to the target: {'; '.join(snapshot.notices)}",
        "check the network and the right to read the repository, then try again",
    )


def _notice(code: str, summary: str, mend: str = "") -> Diagnostic:
    return Diagnostic(severity=Severity.NOTICE, code=code, summary=summary, mend=mend)
