"""Signs requests: bearer token, HTTP Basic, OAuth 2.0 client credentials. Tokens live in memory only.

Each signer can take its secrets out of a text (`redact`), for the day a server quotes them back in an error.
"""

import base64
import hashlib
import threading
from abc import abstractmethod
from collections.abc import Generator
from typing import Final
from urllib.parse import quote

import httpx

from reconciler.errors import SignInFailed, TargetError, Unreachable
from reconciler.transport.answers import Unreadable, error_of, folded, member, one_line, read_json, request_id_of
from reconciler.transport.bounds import CODINGS
from reconciler.transport.throttle import Clock, Turn, nap, wait_before_retry
from reconciler.transport.wording import shown_url

_TOKEN_TRIES: Final = 4
_EARLY: Final = 60.0
"""Seconds before its end at which a token is given up, at most a tenth of its life."""
_LATER: Final = (429, 503)
_TELLING: Final = 12
"""Characters from which on a secret is no word by chance."""
_MENDS: Final = {
    "invalid_client": "check the client id, its secret and the token URL; a client is known in its own region only",
    "unauthorized_client": "the client may not sign in by client credentials: give it that grant type, and a role",
    "access_denied": "give the client a role",
    "unsupported_grant_type": "this address gives no token for client credentials: check the token URL",
    "invalid_scope": "check the scope in the settings, or take it out",
}
"""What to do about an error of RFC 6749 §5.2."""


class Signer(httpx.Auth):
    """A way to sign in. `token_url` is the only other address that credentials may go to.

    `turn`: of whoever writes by it; who only reads has none.
    """

    token_url: str | None = None
    turn: Turn | None = None

    def redact(self, text: str) -> str:
        """The text with every secret of this signer replaced."""
        for secret in self._secrets():
            if secret:
                text = text.replace(secret, "(secret)")
        return text

    def scrubbed(self, content: bytes) -> bytes:
        """What a server sent, without the secrets it was given: it may put them where others read them.

        Short ones are left, as they may be parts of words that mean something else; `redact` takes them too.
        """
        for secret in self._secrets():
            if len(secret) >= _TELLING and (told := secret.encode("utf-8", "surrogatepass")) in content:
                content = content.replace(told, b"(secret)")
        return content

    def fingerprint(self) -> str:
        """Tells one credential from another without showing it; the same for every signer that was given the same."""
        kept = "\n".join((type(self).__name__, self.token_url or "", *self._credential()))
        return hashlib.sha256(kept.encode("utf-8", "surrogatepass")).hexdigest()

    @abstractmethod
    def _credential(self) -> tuple[str, ...]:
        """What it was given to sign with."""

    @abstractmethod
    def _secrets(self) -> tuple[str, ...]:
        """Everything that must never be printed, longest form first."""


class BearerSigner(Signer):
    """A fixed token (RFC 6750 §2.1). Raises SignInFailed if no header can carry it."""

    def __init__(self, token: str) -> None:
        if not token or not token.isascii() or not token.isprintable() or " " in token:
            raise SignInFailed(
                "the bearer token holds characters that no token has",
                "store the token alone, without quotes, blanks or the word Bearer",
            )
        self._token = token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the Authorization header."""
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request

    def _credential(self) -> tuple[str, ...]:
        return (self._token,)

    def _secrets(self) -> tuple[str, ...]:
        return (self._token,)


class BasicSigner(Signer):
    """User name and password (RFC 7617), as UTF-8. Raises SignInFailed for a user name that cannot be sent."""

    def __init__(self, username: str, password: str) -> None:
        if ":" in username:
            raise SignInFailed("a user name with a colon cannot be sent (RFC 7617 §2)", "check the username setting")
        self._password = password
        self._pair = _pair(username, password)

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the Authorization header."""
        request.headers["Authorization"] = f"Basic {self._pair}"
        yield request

    def _credential(self) -> tuple[str, ...]:
        return (self._pair,)

    def _secrets(self) -> tuple[str, ...]:
        return (self._pair, self._password)


class ClientCredentialsSigner(Signer):
    """OAuth 2.0 client credentials (RFC 6749 §4.4): a token from `token_url`, renewed before it ends and once on 401.

    The client's id and secret go to `token_url` only, as HTTP Basic. One token serves all threads.
    Raises SignInFailed if they are refused, Unreachable if the address keeps answering "later", Withheld if the run is
    to end before it answers otherwise.
    """

    def __init__(
        self, client_id: str, client_secret: str, token_url: str, scope: str | None = None, clock: Clock | None = None
    ) -> None:
        self.token_url = token_url
        # RFC 6749 §2.3.1: both parts are form-encoded before they are joined.
        self._pair = _pair(quote(client_id, safe=""), quote(client_secret, safe=""))
        self._client_secret = client_secret
        self._scope = scope
        self._clock = clock or Clock()
        self._lock = threading.Lock()
        self._token: str | None = None
        self._ends = float("inf")

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Sign with a token that is still good; a 401 is answered with a new one, once."""
        token = yield from self._good_token(stale=None)
        request.headers["Authorization"] = f"Bearer {token}"
        response = yield request
        if response.status_code == httpx.codes.UNAUTHORIZED:
            token = yield from self._good_token(stale=token)
            request.headers["Authorization"] = f"Bearer {token}"
            yield request

    def _good_token(self, stale: str | None) -> Generator[httpx.Request, httpx.Response, str]:
        with self._lock:
            if self._token is None or self._token == stale or self._clock.monotonic() >= self._ends:
                yield from self._renew()
            return str(self._token)

    def _renew(self) -> Generator[httpx.Request, httpx.Response, None]:
        attempt = 1
        while True:
            response = yield self._token_request()
            if response.status_code not in _LATER or attempt == _TOKEN_TRIES:
                break
            self._wait(min(60.0, wait_before_retry(attempt, response.headers.get("Retry-After"), self._clock)))
            attempt += 1
        response.read()
        self._token, life = self._granted(response)
        self._ends = self._clock.monotonic() + life - min(_EARLY, life / 10) if life else float("inf")

    def _wait(self, seconds: float) -> None:
        if self.turn is None:
            self._clock.sleep(seconds)
            return
        while seconds > 0:
            seconds = nap(seconds, self._clock, self.turn)

    def _token_request(self) -> httpx.Request:
        form = {"grant_type": "client_credentials"} | ({"scope": self._scope} if self._scope else {})
        headers = {"Authorization": f"Basic {self._pair}", "Accept": "application/json", "Accept-Encoding": CODINGS}
        return httpx.Request("POST", self.token_url or "", data=form, headers=headers)

    def _granted(self, response: httpx.Response) -> tuple[str, float]:
        """(access token, seconds it lives or 0 if not said), RFC 6749 §5.1."""
        where = shown_url(self.token_url or "")
        if response.status_code != httpx.codes.OK:
            raise self._refused(response, where)
        try:
            members = folded(read_json(response.content))
        except (Unreadable, AttributeError):
            raise SignInFailed(f"{where} did not answer with a token", "check the token URL") from None
        token, life = members.get("access_token"), members.get("expires_in")
        if not isinstance(token, str) or not token.isascii() or not token.isprintable() or not token:
            raise SignInFailed(f"{where} did not answer with a token", "check the token URL")
        try:
            return token, max(0.0, float(life)) if life is not None and not isinstance(life, bool) else 0.0
        except (TypeError, ValueError):
            return token, 0.0

    def _refused(self, response: httpx.Response, where: str) -> TargetError:
        status = response.status_code
        request_id = request_id_of(response.headers)
        asked = f"request {request_id}" if request_id else ""
        if status in _LATER or status >= httpx.codes.INTERNAL_SERVER_ERROR:
            said = ", ".join(each for each in (f"status {status}", asked) if each)
            return Unreachable(f"{where} gives no token now ({said})", "try again later")
        if response.has_redirect_location:
            return SignInFailed(
                f"{where} redirects to {response.headers.get('Location', '')[:100].partition('?')[0]}; "
                "credentials are not sent on",
                "write the final address as the token URL",
            )
        _, detail = error_of(response.content)
        words = (_error_code(response.content), self.redact(detail), asked)
        reason = ", ".join(dict.fromkeys(each for each in words if each))
        return SignInFailed(
            f"{where} refused the client credentials: status {status}" + (f" ({reason})" if reason else ""),
            _MENDS.get(_error_code(response.content), _MENDS["invalid_client"]),
        )

    def _credential(self) -> tuple[str, ...]:
        return (self._pair,)

    def _secrets(self) -> tuple[str, ...]:
        return (self._pair, self._client_secret, self._token or "")


def _error_code(body: bytes) -> str:
    """``invalid_client`` and its like; "" where the body has none."""
    try:
        document = read_json(body)
    except Unreadable:
        return ""
    code = member(document, "error") if isinstance(document, dict) else None
    return one_line(code, 40) if isinstance(code, str) else ""


def _pair(username: str, password: str) -> str:
    return base64.b64encode(f"{username}:{password}".encode()).decode("ascii")
