"""A bare origin and clones of it, made with the real git, for the tests of the record."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from reconciler.record.git import PLACE, GitRecordStore
from reconciler.record.repository import GitRepository
from reconciler.record.store import CommitMessage

TARGET = "prod"
REF = f"refs/reconciler/applied/{TARGET}"
FILES = {"header.json": b"{}\n", "users/000.jsonl": b'{"a":1}\n', "users/001.jsonl": b"", "groups/000.jsonl": b"\xff\n"}
QUICK = (0.0, 0.0, 0.0, 0.0)


def message(state: str = "claimed", summary: str = "applied 0123456789ab to prod") -> CommitMessage:
    return CommitMessage(summary=summary, trailers={"Run": "4711", "State": state})


def git(folder: Path, *arguments: str, stdin: str | None = None) -> str:
    answer = subprocess.run(
        ["git", *arguments], cwd=folder, input=stdin, capture_output=True, text=True, check=False, timeout=60
    )
    assert answer.returncode == 0, f"git {arguments}: {answer.stderr}"
    return answer.stdout.rstrip("\n")


class World:
    """`origin` is bare and takes filters, as forges do; `seed` is a full clone with one commit on main."""

    def __init__(self, folder: Path, object_format: str = "sha1") -> None:
        self.folder, self.origin, self.seed = folder, folder / "origin", folder / "seed"
        samples = shutil.ignore_patterns("*.sample")
        shutil.copytree(_founded(object_format).name, folder, ignore=samples, dirs_exist_ok=True)
        git(self.seed, "remote", "set-url", "origin", self.url)
        # git knows its files by more than what a copy keeps
        git(self.seed, "update-index", "-q", "--refresh")

    @property
    def url(self) -> str:
        return f"file://{self.origin}"

    def commit(self, files: Mapping[str, str], folder: Path | None = None, *, push: bool = True) -> str:
        """Commit `files` on what is checked out in `folder` (the seed) and push it to main; return the commit."""
        folder = folder or self.seed
        for path, content in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(content)
        git(folder, "add", "-A")
        git(folder, "commit", "-q", "-m", "change", "--allow-empty")
        if push:
            git(folder, "push", "-q", "--force", "origin", "HEAD:main")
        return git(folder, "rev-parse", "HEAD")

    def clone(self, name: str, *options: str) -> Path:
        git(self.folder, "clone", "-q", *options, self.url, name)
        return self.folder / name

    def store(self, clone: Path, remote: str | None = "origin", place: str = PLACE) -> GitRecordStore:
        return GitRecordStore(repository(clone), TARGET, remote, pauses=QUICK, place=place)

    def hook(self, name: str, script: str) -> Path:
        """Make the origin run `script` (shell) as its hook `name`; unlink the answer to take it away."""
        path = self.origin / "hooks" / name
        path.parent.mkdir(exist_ok=True)
        return executable(path, script)

    def hide_origin(self) -> None:
        self.origin.rename(self.folder / "hidden")

    def show_origin(self) -> None:
        (self.folder / "hidden").rename(self.origin)

    def tip(self) -> str:
        """Where the ref stands on the origin; empty where there is none."""
        return git(self.origin, "for-each-ref", "--format=%(objectname)", REF)


@cache
def _founded(object_format: str) -> "TemporaryDirectory[str]":
    """Such a world, made once: dozens of processes that every test would wait for."""
    made = TemporaryDirectory(prefix="world-")
    origin, seed = (Path(made.name) / each for each in ("origin", "seed"))
    for folder, *bare in ((origin, "--bare"), (seed,)):
        git(Path(made.name), "init", "-q", *bare, "-b", "main", f"--object-format={object_format}", folder.name)
    git(origin, "config", "uploadpack.allowFilter", "true")
    git(seed, "remote", "add", "origin", str(origin))
    (seed / "identities").mkdir()
    (seed / "identities" / "a.yaml").write_text("a: 1\n")
    (seed / "reconciler.yaml").write_text("targets: {}\n")
    git(seed, "add", "-A")
    git(seed, "commit", "-q", "-m", "change")
    git(seed, "push", "-q", "origin", "HEAD:main")
    return made


def executable(path: Path, script: str) -> Path:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def repository(folder: Path) -> GitRepository:
    found = GitRepository.find(folder)
    assert found is not None
    return found


def state_of(clone: Path) -> dict[str, object]:
    """Everything of a clone that a record must leave alone."""
    inside = Path(git(clone, "rev-parse", "--absolute-git-dir"))
    refs = git(clone, "for-each-ref").splitlines()
    index = inside / "index"
    return {
        "status": git(clone, "--no-optional-locks", "status", "--porcelain=v2", "--branch"),
        "head": (inside / "HEAD").read_text(),
        "index": (index.read_bytes(), index.stat().st_mtime_ns) if index.exists() else None,
        "refs": [line for line in refs if "refs/reconciler/" not in line],
        "config": (inside / "config").read_text() if (inside / "config").exists() else "",
        "fetch head": (inside / "FETCH_HEAD").exists(),
        "files": sorted(
            (str(path), path.read_bytes())
            for path in clone.rglob("*")
            if path.is_file() and ".git" not in path.relative_to(clone).parts
        ),
    }


def plain_git(patch: pytest.MonkeyPatch) -> None:
    """No settings of this machine; an identity for the commits that the tests themselves make."""
    for name in [each for each in os.environ if each.startswith("GIT_")]:
        patch.delenv(name)
    patch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    patch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for role in ("AUTHOR", "COMMITTER"):
        patch.setenv(f"GIT_{role}_NAME", "Tess Ting")
        patch.setenv(f"GIT_{role}_EMAIL", "tess@example.com")


def is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0
