"""A client for a target: over the network, or in process for the embedded provider.

The only module that knows both the client and the embedded provider; neither knows the other.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.profiles.profile import Profile
from reconciler.project import Project
from reconciler.settings import Target
from reconciler.transport.client import Reader, Writer
from reconciler.transport.opening import open_reader, open_writer

if TYPE_CHECKING:
    from reconciler.sandbox.transport import SandboxTransport


@contextmanager
def reader_for(project: Project, target: Target, profile: Profile) -> Iterator[Reader]:
    """A client that has no way to write."""
    folder, profile = project.settings.folder, _paced(target, profile)
    with _transport(project, target) as seam, open_reader(target, profile, folder, transport=seam) as reader:
        yield reader


@contextmanager
def writer_for(project: Project, target: Target, profile: Profile) -> Iterator[Writer]:
    """A client that can write, for an apply."""
    folder, profile = project.settings.folder, _paced(target, profile)
    with _transport(project, target) as seam, open_writer(target, profile, folder, transport=seam) as writer:
        yield writer


def _paced(target: Target, profile: Profile) -> Profile:
    """The embedded provider has no limit but the one that a switch gives it, which its answers name."""
    if not target.embedded:
        return profile
    return replace(profile, wire=replace(profile.wire, requests_per_minute=None, limits_path=None))


@contextmanager
def _transport(project: Project, target: Target) -> "Iterator[SandboxTransport | None]":
    if not target.embedded:
        yield None
        return
    # a whole service provider, which no run against a real one should wait for
    from reconciler.embedding import embedded_service
    from reconciler.sandbox.transport import SandboxTransport

    with embedded_service(project, target) as service:
        yield SandboxTransport(service)
