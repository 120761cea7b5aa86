"""From the settings of a target to its client: where requests go, and what signs them."""

from pathlib import Path
from typing import Final

import httpx

from reconciler.profiles.profile import Profile
from reconciler.settings import BasicAuth, BearerAuth, ClientCredentialsAuth, SecretReference, Target
from reconciler.transport.auth import BasicSigner, BearerSigner, ClientCredentialsSigner, Signer
from reconciler.transport.client import Reader, Writer
from reconciler.transport.secrets import resolve_secret

_EMBEDDED_URL: Final = "http://sandbox.localhost"
"""Where requests to the embedded provider go; its transport answers in process, nothing is looked up."""


def open_reader(
    target: Target, profile: Profile, folder: Path, *, transport: httpx.BaseTransport | None = None
) -> Reader:
    """A client that can only read `target`. `folder`: where relative secret files start.

    An embedded target needs `transport`, which the caller opens. Raises SignInFailed if a secret is missing.
    """
    return Reader(
        base_url=_base_url_of(target, transport),
        wire=profile.wire,
        signer=signer_of(target, folder),
        transport=transport,
    )


def open_writer(
    target: Target, profile: Profile, folder: Path, *, transport: httpx.BaseTransport | None = None
) -> Writer:
    """A client that can read and write `target`; else as `open_reader`."""
    return Writer(
        base_url=_base_url_of(target, transport),
        wire=profile.wire,
        signer=signer_of(target, folder),
        transport=transport,
    )


def _base_url_of(target: Target, transport: httpx.BaseTransport | None) -> str:
    """Where requests go. ValueError for an embedded target without a transport: nothing would answer."""
    if not target.embedded:
        return target.url
    if transport is None:
        raise ValueError("an embedded target is reached through its transport only")
    return _EMBEDDED_URL


def signer_of(target: Target, folder: Path) -> Signer | None:
    """How requests to `target` are signed; None where the settings name no credential."""

    def read(secret: "str | SecretReference") -> str:
        return secret if isinstance(secret, str) else resolve_secret(secret, folder)

    match target.auth:
        case None:
            return None
        case BearerAuth(token=token):
            return BearerSigner(read(token))
        case BasicAuth(username=username, password=password):
            return BasicSigner(read(username), read(password))
        case ClientCredentialsAuth(client_id=client, client_secret=secret, token_url=token_url, scope=scope):
            return ClientCredentialsSigner(read(client), read(secret), token_url, scope)
