"""The embedded provider with the data of a target, opened for a while; what is wrong is told as the target's."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from reconciler.errors import TargetError
from reconciler.project import Project
from reconciler.recording import data_folder, made_data_folder
from reconciler.sandbox import KINDS, SandboxError, SandboxService, open_sandbox, read_switches
from reconciler.settings import Target

_PLAIN: Final = "rfc"
"""The organisation for a profile that has none of its own: switches make it as odd as that provider."""


@contextmanager
def embedded_service(project: Project, target: Target) -> Iterator[SandboxService]:
    """The embedded provider with the data of a target. TargetError where its data or its seed cannot be used."""
    made_data_folder(project)
    folder = sandbox_folder(project, target)
    service = _opened(target, folder, project.settings.folder)
    try:
        yield service
    except sqlite3.Error as error:
        raise _unusable(target, folder, str(error)) from error
    finally:
        service.close()


def sandbox_folder(project: Project, target: Target) -> Path:
    """Where the embedded provider keeps the data of a target."""
    return data_folder(project) / "sandbox" / target.name


def _opened(target: Target, folder: Path, beside: Path) -> SandboxService:
    seed = beside / target.sandbox_seed if target.sandbox_seed else None
    if seed is not None and not seed.is_file():
        summary = f'target "{target.name}": there is no seed file {seed}'
        raise TargetError(summary, "correct sandbox: {seed: FILE} in the settings, or add the file")
    try:
        switches = read_switches(target.sandbox_switches)
    except SandboxError as error:
        mend = "correct sandbox: {switches: ...} in the settings; docs/sandbox.md lists them"
        raise TargetError(_said(target, error), mend) from error
    try:
        kind = target.profile if target.profile in KINDS else _PLAIN
        return open_sandbox(folder, kind, seed, switches=switches)
    except SandboxError as error:
        begin_again = f"to begin with a fresh organisation delete {folder}"
        mend = f"mend {seed}; if that is right, {begin_again}" if seed else begin_again
        raise TargetError(_said(target, error), mend) from error
    except sqlite3.Error as error:
        raise _unusable(target, folder, str(error)) from error
    except OSError as error:
        raise _unusable(target, folder, (error.strerror or "no reason given").lower()) from error


def _said(target: Target, error: SandboxError) -> str:
    said = " ".join(str(error).split()).rstrip(".")
    return f'target "{target.name}": {said[:1].lower()}{said[1:]}'


def _unusable(target: Target, folder: Path, why: str) -> TargetError:
    return TargetError(
        f'target "{target.name}": the embedded organisation in {folder} cannot be used ({why})',
        "check its permissions; to begin with a fresh one delete that folder",
    )
