"""The same as `stage`, where the product is at home: commits, a record as a git ref, the organisation over HTTP."""

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from reconciler.model import AppliedState
from reconciler.record.encoding import decode, encode
from reconciler.record.git import GitRecordStore
from reconciler.record.header import RecordHeader, url_fingerprint
from reconciler.sandbox import open_sandbox, serve
from tests.cli.provider import Provider
from tests.properties.stage import NO_LIMITS, Stage, pass_time_at_once, settings
from tests.record.git_world import git, message, plain_git, repository
from tests.transport.serving import FakeTime

REF = "refs/reconciler/applied/here"


@dataclass
class GitStage(Stage):
    """A work tree without a remote: what is declared is committed, and the record is a ref."""

    url: str = ""

    def declare(self, files: Mapping[str, str]) -> None:
        super().declare(files)
        git(self.folder, "add", "-A")
        git(self.folder, "commit", "-q", "-m", "change", "--allow-empty")

    @property
    def head(self) -> str:
        return git(self.folder, "rev-parse", "HEAD")

    def copied_record(self) -> object:
        return git(self.folder, "for-each-ref", "--format=%(objectname)", REF) or None

    def put_record(self, copy: Any) -> None:
        if copy is not None:
            git(self.folder, "update-ref", REF, copy)
        elif self.copied_record() is not None:
            git(self.folder, "update-ref", "-d", REF)

    def forge(self, change: Any) -> None:
        """Somebody who may push moves the record; `change` takes the state that is recorded and gives another."""
        store = GitRecordStore(repository(self.folder), "here", None)
        snapshot = store.read()
        state = decode(snapshot.files, target="here", url=self.url)[0] if snapshot.files else AppliedState()
        header = RecordHeader(target="here", url_fingerprint=url_fingerprint(self.url))
        files = encode(replace(change(state), exists=True), header, None)
        store.write(files, expected=snapshot.version, message=message("done"))


@contextmanager
def staged_in_git(organisation: str, policy: str = NO_LIMITS) -> Iterator[GitStage]:
    """A fresh repository and a fresh organisation on this machine; time only passes where somebody waits."""
    service = open_sandbox(None, organisation)
    provider = Provider(service)
    folder = Path(tempfile.mkdtemp())
    try:
        with serve(provider) as server, pytest.MonkeyPatch.context() as patch:  # type: ignore[arg-type]
            provider.url = server.url
            plain_git(patch)
            pass_time_at_once(patch, FakeTime())
            url = f"{server.url}{'/api/v2' if organisation == 'genesys' else ''}/scim/v2"
            (folder / "reconciler.yaml").write_text(settings(organisation, policy, url), encoding="utf-8")
            (folder / ".gitignore").write_text(".reconciler\n", encoding="utf-8")
            git(folder, "init", "-q", "-b", "main")
            yield GitStage(folder, provider, url=url)
    finally:
        service.close()
        shutil.rmtree(folder)
