"""The sentences for a service provider that cannot be worked with. One line each, with the address and what to check.

Never a secret and never a query value: addresses are cut to scheme, host and path, and no exception's own text is
quoted but the reason that TLS or the operating system gives.
"""

import socket
import ssl
from collections.abc import Mapping
from typing import TypeVar

import httpx

from reconciler.errors import NotScim, SignInFailed, TargetError

_E = TypeVar("_E", bound=BaseException)


def shown_url(url: str | httpx.URL) -> str:
    """An address as messages show it: without user, query and fragment."""
    parsed = httpx.URL(url)
    return str(parsed.copy_with(username=None, password=None, query=None, fragment=None))


def no_answer(url: httpx.URL, error: Exception, timeout: float) -> tuple[str, str]:
    """(what happened, what to check) for a request that got no answer."""
    where = shown_url(url)
    tls = _cause(error, ssl.SSLError)
    if isinstance(tls, ssl.SSLCertVerificationError):
        return (
            f"{where}: the server's TLS certificate is not trusted ({tls.verify_message})",
            "check the host name; if the certificate is your own authority's, name its file in SSL_CERT_FILE",
        )
    if tls is not None:
        reason = (tls.reason or "no reason given").lower().replace("_", " ")
        return f"{where}: no TLS connection ({reason})", "check that the port speaks https"
    if _cause(error, socket.gaierror) is not None:
        return f"{where}: the host name {url.host} is not known", "check the url of the target, and the network"
    if _cause(error, ConnectionRefusedError) is not None:
        return f"{where}: connection refused", "check host and port in the url of the target"
    if isinstance(error, httpx.ConnectTimeout):
        return f"{where}: no connection in time", "check the url of the target, the network and any proxy"
    if isinstance(error, httpx.TimeoutException):
        return f"{where}: no answer within {timeout:g} seconds", "try again; the server may be slow or overloaded"
    if isinstance(error, httpx.ProxyError):
        return f"{where}: the proxy did not let the request through", "check HTTPS_PROXY and NO_PROXY"
    if isinstance(error, httpx.ConnectError):
        return f"{where}: cannot connect", "check the url of the target, the network and any proxy"
    if isinstance(error, httpx.DecodingError):
        return f"{where}: the answer's compression is damaged", "try again; check any proxy on the way"
    return f"{where}: the connection broke before the answer was complete", "try again; check any proxy on the way"


def redirected(url: httpx.URL, location: str) -> str:
    """A redirect names both hosts and is not followed: credentials belong to one host only."""
    try:
        host = url.join(location).netloc.decode("ascii", "replace") or "nowhere"
    except (httpx.InvalidURL, ValueError):
        host = "an address that cannot be read"
    return f"{shown_url(url)} redirects from {url.netloc.decode('ascii', 'replace')} to {host}; that is not followed"


def no_credential(url: httpx.URL, detail: str, environment: Mapping[str, str]) -> SignInFailed:
    """The error for a 401 where nothing was sent to sign in with."""
    bearer, client = environment.get("bearer"), environment.get("clientId")
    variables = [*([bearer] if bearer else []), *([f"{client} and {environment['clientSecret']}"] if client else [])]
    said = f" ({detail})" if detail else ""
    return SignInFailed(
        f"{shown_url(url)}: a credential is needed (401), and none was sent{said}",
        "write auth: for this target" + "".join(f", or set {each}" for each in variables),
    )


def refused_status(url: httpx.URL, status: int, detail: str, rights_hint: str = "", right: str = "") -> TargetError:
    """The error for a status that ends a run; `detail` is what the server said, on one line and redacted.

    `right`: what the request takes, as far as that is known; `rights_hint`: how rights are given at all.
    """
    where, said = shown_url(url), f" ({detail})" if detail else ""
    if status == httpx.codes.UNAUTHORIZED:
        mend = "check the token, its expiry, and that it is for this host"
        return SignInFailed(f"{where}: the credential is not accepted (401){said}", mend)
    if status == httpx.codes.FORBIDDEN:
        needed = f"it takes {right}" if right and right not in detail else ""
        mends = [each for each in (needed, rights_hint) if each]
        return SignInFailed(
            f"{where}: the credential lacks a right (403){said}",
            "; ".join(mends) or "give the client the right to read users and groups",
        )
    if status == httpx.codes.NOT_FOUND:
        return NotScim(f"{where}: nothing is there (404){said}", "is the path in the url of the target right?")
    if status in (httpx.codes.TOO_MANY_REQUESTS, httpx.codes.SERVICE_UNAVAILABLE):
        return TargetError(f"{where}: the server keeps asking to come back later ({status}){said}", "run again later")
    return TargetError(f"{where}: the server answered {status}{said}", "try again; ask the provider if it stays so")


def not_scim(url: httpx.URL, what: str) -> NotScim:
    """Something answered, but not a SCIM service provider."""
    return NotScim(
        f"{shown_url(url)}: {what} came back, not a SCIM answer", "is the path in the url of the target right?"
    )


def _cause(error: BaseException, kind: type[_E]) -> _E | None:
    """The first of this kind along the chain of causes."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, kind):
            return seen
        seen = seen.__cause__ or seen.__context__
    return None
