"""The embedded SCIM 2.0 service provider (RFC 7643, RFC 7644): in process, or over HTTP on this machine.

It shares no code with the client, nor filter and path parsers, nor schema documents: a mistake in what the client sends
cannot be made good by the same mistake here.

    service = open_sandbox(Path(".reconciler"), "genesys")
    client = httpx.Client(transport=SandboxTransport(service), base_url="http://sandbox/scim/v2")
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from reconciler.sandbox.access import Access
from reconciler.sandbox.directory import Directory
from reconciler.sandbox.errors import SandboxError, ScimError
from reconciler.sandbox.messages import Request, Response
from reconciler.sandbox.organisation import KINDS, organisation
from reconciler.sandbox.schema import JsonObject
from reconciler.sandbox.seeding import add_seed, apply_seed_file
from reconciler.sandbox.server import SandboxServer, serve
from reconciler.sandbox.service import SandboxService
from reconciler.sandbox.store import Store
from reconciler.sandbox.switches import Switches, read_switches
from reconciler.sandbox.transport import SandboxTransport

__all__ = [
    "KINDS",
    "Access",
    "Request",
    "Response",
    "SandboxError",
    "SandboxServer",
    "SandboxService",
    "SandboxTransport",
    "ScimError",
    "Switches",
    "open_sandbox",
    "read_switches",
    "serve",
]

DATA_FILE = "sandbox.sqlite3"
_PROFILE = "profile"


def open_sandbox(
    directory: Path | None,
    profile: str = "rfc",
    seed: Path | None = None,
    *,
    access: Access | None = None,
    switches: Switches | None = None,
    schemas: Mapping[str, Sequence[JsonObject]] | None = None,
) -> SandboxService:
    """Open the organisation kept in `directory`, or one in memory; a fresh one is founded as its profile says.

    Switches hold for as long as it is open and are not kept (see `switches`), as do `schemas`: resource type ->
    documents of schemas that it has besides (see `organisation`).

    A seed file is applied when the store is fresh and when the file's content has changed (see `seeding`). Raises
    SandboxError for an unknown profile, a data file of another profile or version, and an unusable seed.
    """
    kind = organisation(profile, switches, schemas)
    store = Store(None if directory is None else directory / DATA_FILE)
    people = Directory(store, kind)
    try:
        with store.transaction():
            founded = store.catalogue(_PROFILE)
            if founded and founded != {profile}:
                raise SandboxError(f"The data in {directory} is of profile {', '.join(founded)}, not {profile}.")
            if not founded:
                add_seed(people, kind.founding)
                store.add_to_catalogue(_PROFILE, [profile])
            if seed is not None:
                apply_seed_file(people, seed)
    except SandboxError:
        store.close()
        raise
    return SandboxService(people, access)
