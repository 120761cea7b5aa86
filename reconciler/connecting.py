"""A client for a target: over the network, or in process for the embedded provider.

The only module that knows both the client and the embedded provider; neither knows the other.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reconciler.profiles.profile import Profile
from reconciler.project import Project
from reconciler.recording import data_folder
from reconciler.sandbox import SandboxService, open_sandbox
from reconciler.sandbox.transport import SandboxTransport
from reconciler.settings import Target
from reconciler.transport.client import Reader, Writer, open_reader, open_writer


@contextmanager
def reader_for(project: Project, target: Target, profile: Profile) -> Iterator[Reader]:
    """A client that has no way to write."""
    folder = project.settings.folder
    with _transport(project, target) as seam, open_reader(target, profile, folder, transport=seam) as reader:
        yield reader


@contextmanager
def writer_for(project: Project, target: Target, profile: Profile) -> Iterator[Writer]:
    """A client that can write, for an apply."""
    folder = project.settings.folder
    with _transport(project, target) as seam, open_writer(target, profile, folder, transport=seam) as writer:
        yield writer


def embedded_service(project: Project, target: Target) -> SandboxService:
    """The embedded provider with the data of a target."""
    seed = project.settings.folder / target.sandbox_seed if target.sandbox_seed else None
    return open_sandbox(sandbox_folder(project, target), target.profile, seed)


def sandbox_folder(project: Project, target: Target) -> Path:
    """Where the embedded provider keeps the data of a target."""
    return data_folder(project) / "sandbox" / target.name


@contextmanager
def _transport(project: Project, target: Target) -> Iterator[SandboxTransport | None]:
    if not target.embedded:
        yield None
        return
    service = embedded_service(project, target)
    try:
        yield SandboxTransport(service)
    finally:
        service.close()
