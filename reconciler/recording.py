"""The record of one target between its store and the core: which store it is, reading with doubts said, and writing.

A record that is damaged or another target's is worth nothing to a plan, which then says so, and stops an apply.
"""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from reconciler.errors import RecordTrouble
from reconciler.model import AppliedState, Diagnostic, Json, Severity
from reconciler.project import Project
from reconciler.record.encoding import RecordHeader, decode, encode, url_fingerprint
from reconciler.record.file import FileRecordStore
from reconciler.record.git import GitRecordStore
from reconciler.record.store import CommitMessage, RecordStore
from reconciler.settings import Target

DATA_FOLDER = ".reconciler"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedRecord:
    """The record as a run found it. `trouble`: why an apply must not go on with it. `generation`: of what was read."""

    applied: AppliedState
    version: str | None
    generation: int = 0
    notices: tuple[Diagnostic, ...] = ()
    trouble: RecordTrouble | None = None
    lost_on_remote: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Reads and writes the record of one target. `run` names this run in what it writes."""

    store: RecordStore
    target: Target
    run: str
    tool: str

    def load(self) -> LoadedRecord:
        """What the store holds. Never raises for a bad record: a plan can do without, an apply asks `trouble`."""
        try:
            snapshot = self.store.read()
        except RecordTrouble as error:
            return self._useless(error)
        notices = tuple(_notice("record", each) for each in snapshot.notices)
        if not snapshot.files:
            trouble = RecordTrouble(" ".join(snapshot.notices)) if snapshot.as_of_local else None
            return LoadedRecord(applied=AppliedState(), version=snapshot.version, notices=notices, trouble=trouble)
        try:
            applied, header = decode(snapshot.files, target=self.target.name, url=self.target.url)
        except RecordTrouble as error:
            return self._useless(error)
        return LoadedRecord(
            applied=applied,
            version=None if snapshot.lost_on_remote else snapshot.version,
            generation=header.generation,
            notices=notices,
            trouble=RecordTrouble(" ".join(snapshot.notices)) if snapshot.as_of_local else None,
            lost_on_remote=snapshot.lost_on_remote,
        )

    def claim(self, state: AppliedState, loaded: LoadedRecord) -> str:
        """Announce, before the first write; gives the new version. RecordTrouble if somebody else was first."""
        files, message = self._written(state, loaded, "claimed", None)
        try:
            return self.store.write(files, expected=loaded.version, message=message)
        except RecordTrouble as error:
            raise RecordTrouble(f"nothing was written to the target: {error.summary}", error.mend) from error

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
        header = RecordHeader(
            target=self.target.name,
            url_fingerprint=url_fingerprint(self.target.url),
            run=self.run,
            tool=self.tool,
            generation=loaded.generation + 1,
        )
        message = CommitMessage(
            summary=f"applied {(state.commit or 'files outside git')[:12]} to {self.target.name}",
            trailers={
                "Source-Commit": state.commit or "none",
                "Run": self.run,
                "Actor": os.environ.get("GITHUB_ACTOR") or os.environ.get("USER") or "unknown",
                "State": stage,
            },
        )
        return encode(state, header, report), message

    def _useless(self, error: RecordTrouble) -> LoadedRecord:
        notice = _notice("record-unusable", f"{error.summary}; nothing undeclared is removed", error.mend)
        return LoadedRecord(applied=AppliedState(), version=None, notices=(notice,), trouble=error)


def record_of(project: Project, target: Target, tool: str) -> Record:
    """The record of a target: in git where there is git, in a file for an embedded target and outside git."""
    repository = None if target.embedded else project.repository
    run = os.environ.get("GITHUB_RUN_ID") or os.environ.get("CI_JOB_ID") or secrets.token_hex(4)
    if repository is None:
        store: RecordStore = FileRecordStore(data_folder(project) / "record" / target.name)
    else:
        remote = project.settings.record_remote or repository.default_remote()
        store = GitRecordStore(repository, target.name, remote)
    return Record(store=store, target=target, run=run, tool=tool)


def data_folder(project: Project) -> Path:
    """Where an embedded target and the records outside git live: ``.reconciler`` beside the settings."""
    return project.settings.folder / DATA_FOLDER


def _notice(code: str, summary: str, mend: str = "") -> Diagnostic:
    return Diagnostic(severity=Severity.NOTICE, code=code, summary=summary, mend=mend)
