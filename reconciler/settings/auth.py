"""The `auth` of a target: secrets are references, and a secret that stands in the file is in no message.

`hide_secrets` runs before anything else reads the file, so that no later message can repeat one.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from reconciler.lazy import pattern
from reconciler.model import SourceLocation
from reconciler.profiles.profile import WireRules
from reconciler.settings import Auth, BasicAuth, BearerAuth, ClientCredentialsAuth, SecretReference
from reconciler.settings.section import Section
from reconciler.settings.urls import BadUrl, derived_token_url, read_token_url

_REFERENCE: Final = pattern(r"(?:(env):([A-Za-z_][A-Za-z0-9_]*)|(file):(.+))", re.DOTALL)
_HIDDEN: Final = "env:HIDDEN"
"""Stands where a secret stood, once that has been reported."""
_OPEN: Final[Mapping[str, frozenset[str]]] = {
    "auth.basic": frozenset({"username"}),
    "auth.clientCredentials": frozenset({"clientId", "tokenUrl", "scope"}),
}
"""What may be written out."""


def hide_secrets(target: Section) -> None:
    """Report every secret that is written out under `auth`, and take it out of the data."""
    if "auth" in target:
        _hide(target, target.data, "auth", "auth")


def read_auth(auth: Section, wire: WireRules, base_url: str | None) -> Auth | None:
    """How to sign in; None, with the problem noted, if it cannot be known. `base_url` helps to find `tokenUrl`."""
    token = _reference(auth.text("bearer"))
    if token is not None:
        return BearerAuth(token)
    basic = auth.section("basic")
    if basic is not None:
        return _basic(basic)
    client = auth.section("clientCredentials")
    return _client_credentials(client, wire, base_url) if client is not None else None


def usual_auth(wire: WireRules, base_url: str | None, environment: Mapping[str, str]) -> Auth | None:
    """How to sign in by the variables that people have for this provider already; None where they are not set.

    They go to the provider's own hosts only: whoever writes another url has to name the credential beside it.
    """
    bearer, client = wire.environment.get("bearer"), wire.environment.get("clientId")
    secret = wire.environment.get("clientSecret")
    token_url = derived_token_url(wire, base_url) if base_url is not None else None
    if token_url is None:
        return None
    if bearer is not None and environment.get(bearer):
        return BearerAuth(SecretReference("env", bearer))
    if client is None or secret is None or not environment.get(client):
        return None
    return ClientCredentialsAuth(SecretReference("env", client), SecretReference("env", secret), token_url)


def _hide(target: Section, container: Any, key: Any, words: str) -> None:
    value = container[key]
    if isinstance(value, dict | list):
        for below in list(value) if isinstance(value, dict) else range(len(value)):
            if not (isinstance(value, dict) and below in _OPEN.get(words, ()) and isinstance(value[below], str)):
                _hide(target, value, below, f"{words}.{below}" if isinstance(value, dict) else words)
    elif isinstance(value, str) and not _REFERENCE.fullmatch(value):
        _report(target, value, target.places.value(container, key), target.name_of(words))
        container[key] = _HIDDEN


def _report(target: Section, value: str, source: SourceLocation, words: str) -> None:
    if value.startswith(("env:", "file:")):
        mend = "write env:NAME (letters, digits and _), or file:PATH"
        target.error("bad-reference", source, f"{words} is no reference that can be followed", mend)
        return
    target.error(
        "inline-secret",
        source,
        f"{words} must be a reference, not the secret itself",
        "write env:NAME or file:PATH; if it was a real secret, change it: git keeps what was committed",
        "Everybody who can read the repository, now or later, can read a secret that stands in it.",
    )


def _basic(section: Section) -> BasicAuth | None:
    username, password = section.text("username"), _reference(section.text("password"))
    if username is None or password is None:
        return None
    return BasicAuth(_reference(username) or username, password)


def _client_credentials(section: Section, wire: WireRules, base_url: str | None) -> ClientCredentialsAuth | None:
    client_id, secret = section.text("clientId"), _reference(section.text("clientSecret"))
    token_url = _token_url(section, wire, base_url)
    if client_id is None or secret is None or token_url is None:
        return None
    return ClientCredentialsAuth(_reference(client_id) or client_id, secret, token_url, section.text("scope"))


def _token_url(section: Section, wire: WireRules, base_url: str | None) -> str | None:
    if "tokenUrl" in section:
        written = section.text("tokenUrl")
        read = read_token_url(written) if written is not None else None
        if isinstance(read, BadUrl):
            section.error(
                read.code, section.place("tokenUrl"), f"{section.name_of('tokenUrl')} {read.reason}", read.mend
            )
            return None
        return read
    if base_url is None or section.incomplete:
        return None
    derived = derived_token_url(wire, base_url)
    if derived is None:
        section.error(
            "no-token-url",
            section.start(),
            f"{section.words} needs tokenUrl: it does not follow from this target's url",
            "write tokenUrl: https://… as the provider's documentation gives it",
        )
    return derived


def _reference(text: str | None) -> SecretReference | None:
    match = _REFERENCE.fullmatch(text) if text is not None else None
    if match is None:
        return None
    return SecretReference(match[1] or match[3], match[2] or match[4])
