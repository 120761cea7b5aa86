"""`reconciler.yaml` as values: targets, how to sign in to them, and the policy that limits what a run may do.

Secrets are references and are resolved only where a request is signed; they are in no value of this module.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final, TypeAlias

from msgspec import Struct, field

from reconciler.model import ListMode, Policy, SourceLocation
from reconciler.profiles.profile import Profile

DEFAULT_FOLDER: Final = "identities"
"""Where declarations are, unless a target says otherwise."""


class SecretReference(Struct, frozen=True):
    """``env:NAME`` or ``file:PATH``: where a secret is, never the secret."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"


class BearerAuth(Struct, frozen=True):
    """A long-lived token (RFC 6750)."""

    token: SecretReference


class BasicAuth(Struct, frozen=True):
    """User name and password (RFC 7617). The user name may be written out."""

    username: "str | SecretReference"
    password: SecretReference


class ClientCredentialsAuth(Struct, frozen=True):
    """OAuth 2.0 client credentials (RFC 6749 §4.4), sent as HTTP Basic to `token_url`."""

    client_id: "str | SecretReference"
    client_secret: SecretReference
    token_url: str
    scope: str | None = None


Auth: TypeAlias = BearerAuth | BasicAuth | ClientCredentialsAuth


class OwnProfile(Struct, frozen=True, kw_only=True):
    """A profile that is a file of the repository. `path`: where it stands, from the settings' folder on, with ``/``."""

    path: str
    profile: Profile


class Target(Struct, frozen=True, kw_only=True):
    """One service provider to keep equal to the declarations.

    `profile`: its name; `own_profile`: the profile itself, where it is none of those that come with this program.
    `url`: the SCIM base URL, or ``sandbox:`` for the embedded provider. `identities`: folders beside the settings.
    `not_stored`: attribute names or paths that this server drops. `modes`: list -> mode (`lists:` in the settings).
    `writes_at_once`: how many operations of an apply may wait for their answers at the same time.
    """

    name: str
    profile: str
    url: str
    own_profile: OwnProfile | None = None
    identities: tuple[str, ...] = (DEFAULT_FOLDER,)
    time_zone: str = "UTC"
    auth: Auth | None = None
    policy: Policy = field(default_factory=Policy)
    modes: Mapping[str, ListMode] = field(default_factory=dict)
    not_stored: tuple[str, ...] = ()
    page_size: int | None = None
    writes_at_once: int = 1
    sandbox_seed: str | None = None
    sandbox_switches: Mapping[str, object] = field(default_factory=dict)
    source: SourceLocation | None = None

    @property
    def embedded(self) -> bool:
        """Whether the target is the embedded provider, with its data beside the settings."""
        return self.url.startswith("sandbox:")


class RecordSettings(Struct, frozen=True, kw_only=True):
    """Where the record is kept in git: `remote` (None: the default one), `ref` (below it one for each target).

    `keep`: so many commits before the next one begins its history anew. `email`: who its commits are by.
    """

    remote: str | None = None
    ref: str = "refs/reconciler/applied"
    keep: int = 200
    email: str = "reconciler@localhost.invalid"


class Settings(Struct, frozen=True, kw_only=True):
    """All of `reconciler.yaml`. `folder` is its directory: every relative path starts there."""

    path: Path
    folder: Path
    default_target: str
    targets: Mapping[str, Target]
    record: RecordSettings = field(default_factory=RecordSettings)

    @property
    def profiles(self) -> tuple[str, ...]:
        """The files of the targets' own profiles, from the folder on, each once."""
        own = (each.own_profile for each in self.targets.values())
        return tuple(dict.fromkeys(each.path for each in own if each is not None))
