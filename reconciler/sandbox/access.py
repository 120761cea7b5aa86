"""Who may ask: bearer tokens, and the OAuth client credentials grant that gives them out (RFC 6749 section 4.4)."""

from __future__ import annotations

import base64
import binascii
import secrets
import threading
import time
from collections.abc import Callable
from urllib.parse import parse_qs

import orjson

from reconciler.sandbox.errors import ScimError
from reconciler.sandbox.messages import Request, Response

TOKEN_PATH = "/oauth/token"  # noqa: S105 - a path


class Access:
    """Checks the Authorization header of requests.

    Without `token` and `client` everybody may ask, as befits a provider inside the same process. With `token`, that
    text and every token given out are accepted. With `client` (id, secret), tokens are given to that client only,
    else to any that names itself. `lifetime` is in seconds.
    """

    def __init__(
        self,
        *,
        token: str | None = None,
        client: tuple[str, str] | None = None,
        lifetime: int = 86_400,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._token = token
        self._client = client
        self._lifetime = lifetime
        self.clock = clock
        self._given: dict[str, tuple[float, str]] = {}
        self._lock = threading.Lock()

    def check(self, request: Request) -> None:
        """Raise ScimError 401 unless the request may be answered."""
        if self._token is None and self._client is None:
            return
        token = bearer_token(request)
        if token is None or not self._is_valid(token):
            raise ScimError(401, "A valid bearer token is needed.", gateway=True)

    def client_of(self, request: Request) -> str:
        """Return the id of the OAuth client whose token the request carries; empty for all other requests."""
        with self._lock:
            return self._given.get(bearer_token(request) or "", (0.0, ""))[1]

    def token_response(self, request: Request) -> Response:
        """Answer POST /oauth/token; refusals are in the form of RFC 6749 section 5.2."""
        if request.method != "POST":
            return _oauth_error(405, "invalid_request")
        credentials = _basic_credentials(request.headers.get("authorization", ""))
        if credentials is None or not self._is_client(credentials):
            return _oauth_error(401, "invalid_client")
        form = parse_qs(request.body.decode("utf-8", "replace"))
        if form.get("grant_type") != ["client_credentials"]:
            return _oauth_error(400, "unsupported_grant_type")
        token = secrets.token_urlsafe(32)
        with self._lock:
            self._given[token] = (self.clock() + self._lifetime, credentials[0])
        return _oauth_response(200, {"access_token": token, "token_type": "bearer", "expires_in": self._lifetime})

    def _is_valid(self, token: str) -> bool:
        if self._token is not None and secrets.compare_digest(token.encode(), self._token.encode()):
            return True
        with self._lock:
            return self._given.get(token, (0.0, ""))[0] > self.clock()

    def _is_client(self, credentials: tuple[str, str]) -> bool:
        return all(credentials) and (self._client is None or credentials == self._client)


def bearer_token(request: Request) -> str | None:
    """Return the bearer token of a request, None when there is none."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _basic_credentials(header: str) -> tuple[str, str] | None:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        identifier, colon, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (identifier, secret) if colon else None


def _oauth_error(status: int, error: str) -> Response:
    return _oauth_response(status, {"error": error})


def _oauth_response(status: int, content: dict[str, object]) -> Response:
    headers = {"Content-Type": "application/json", "Cache-Control": "no-store"}
    return Response(status=status, headers=headers, body=orjson.dumps(content))
