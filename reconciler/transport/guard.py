"""The last step before the wire: whom a channel may ask, by which methods, whom it trusts, and how much it takes."""

import ssl
from functools import lru_cache
from typing import Final

import httpx

from reconciler.profiles.profile import WireRules
from reconciler.transport.auth import Signer
from reconciler.transport.bounds import bound
from reconciler.transport.throttle import Clock
from reconciler.transport.wording import shown_url

_CONNECT_TIMEOUT: Final = 15.0
_LOOPBACK: Final = ("localhost", "127.", "::1")


class Forbidden(RuntimeError):
    """Our own mistake: a request that this channel was not opened for."""


class Guard:
    """Lets through requests to the host of `base` by certain `methods`, and those for tokens to the token URL."""

    def __init__(self, base: httpx.URL, signer: httpx.Auth | None, methods: frozenset[str], clock: Clock) -> None:
        self._base = base
        self._signer = signer
        self._methods = methods
        self._clock = clock
        token_url = signer.token_url if isinstance(signer, Signer) else None
        self._token_url = httpx.URL(token_url) if token_url is not None else None

    def client(self, wire: WireRules, transport: httpx.BaseTransport | None) -> httpx.Client:
        """What sends; nothing gets past this guard by it. `transport`: None for the network."""
        return httpx.Client(
            transport=transport,
            verify=self._trusted() if transport is None else True,
            auth=self._signer,
            follow_redirects=False,
            timeout=httpx.Timeout(wire.timeout, connect=min(_CONNECT_TIMEOUT, wire.timeout)),
            # A proxy from the environment is right for the internet and wrong for this machine.
            trust_env=not self._base.host.startswith(_LOOPBACK),
            event_hooks={"request": [self._check], "response": [self._bound]},
        )

    def _trusted(self) -> ssl.SSLContext:
        """Who may prove a server to be who it says it is: nobody where TLS cannot come up, which loads quicker."""
        schemes = {self._base.scheme, self._token_url.scheme if self._token_url is not None else "http"}
        if schemes == {"http"} and self._base.host.startswith(_LOOPBACK):
            return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        return tls_context()

    def _check(self, request: httpx.Request) -> None:
        if origin(request.url) == origin(self._base) and request.method in self._methods:
            return
        if self._asks_for_token(request):
            return
        raise Forbidden(f"{request.method} {shown_url(request.url)} is not what this channel was opened for")

    def _bound(self, response: httpx.Response) -> None:
        signing_in = response.status_code == httpx.codes.UNAUTHORIZED or self._asks_for_token(response.request)
        bound(response, signing_in=signing_in, clock=self._clock)

    def _asks_for_token(self, request: httpx.Request) -> bool:
        return request.method == "POST" and request.url == self._token_url


@lru_cache(maxsize=1)
def tls_context() -> ssl.SSLContext:
    """The one TLS context of the process: certificates are always verified, and loading them takes a while."""
    return httpx.create_ssl_context()


def origin(url: httpx.URL) -> tuple[str, str, int | None]:
    """Scheme, host and port: what a credential is for."""
    return url.scheme, url.host, url.port
