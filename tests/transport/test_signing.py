"""Bearer, Basic and client credentials; the latter against a real token endpoint on this machine."""

import base64
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from reconciler.errors import SignInFailed, TargetError, Unreachable
from reconciler.profiles.profile import WireRules
from reconciler.transport.answers import Refusal
from reconciler.transport.auth import BasicSigner, BearerSigner, ClientCredentialsSigner
from reconciler.transport.client import Reader, Writer
from tests.transport.serving import FakeTime, Turns, answering, json_answer, loopback, reader, writer

USER = {"id": "u1"}
TOKEN_URL = "https://login.example.com/oauth/token"


def test_a_user_name_and_a_password_go_as_http_basic() -> None:
    handle, asked = answering(httpx.Response(200, json=USER))
    reader(handle, signer=BasicSigner("ann", "pä:ss")).get("/Users/u1")
    assert asked[0].headers["Authorization"] == "Basic " + base64.b64encode("ann:pä:ss".encode()).decode()


@pytest.mark.parametrize("token", ["", "two words", "line\nbreak", "naïve", "\x00"])
def test_a_token_that_no_header_carries_is_refused_without_showing_it(token: str) -> None:
    with pytest.raises(SignInFailed) as stopped:
        BearerSigner(token)
    assert not token or token not in stopped.value.summary + stopped.value.mend


def test_a_user_name_with_a_colon_is_refused() -> None:
    with pytest.raises(SignInFailed, match="colon"):
        BasicSigner("a:b", "secret")


class TokenServer:
    """A SCIM server and its token endpoint: takes the newest token only, and answers as told."""

    def __init__(self) -> None:
        self.tokens: list[dict[str, Any]] = []
        self.valid: set[str] = set()
        self.takes_tokens = True
        self.asked: list[tuple[str, str]] = []
        self.expires_in: int | str | None = 3600
        self.refusals: Iterator[tuple[int, dict[str, str], bytes]] = iter(())

    def __call__(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, Mapping[str, str], bytes]:
        self.asked.append((method, path))
        if path == "/oauth/token":
            return self._token(headers, body)
        if not self.takes_tokens or headers.get("Authorization", "").removeprefix("Bearer ") not in self.valid:
            return json_answer({"detail": "who are you?"}, 401)
        return json_answer(USER)

    def _token(self, headers: Mapping[str, str], body: bytes) -> tuple[int, Mapping[str, str], bytes]:
        refusal = next(self.refusals, None)
        if refusal is not None:
            return refusal
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        self.tokens.append({"authorization": headers["Authorization"], "type": headers["Content-Type"], **form})
        token = f"t{len(self.tokens)}"
        self.valid = {token}
        answer: dict[str, Any] = {"access_token": token, "token_type": "bearer"}
        return json_answer(answer | ({"expires_in": self.expires_in} if self.expires_in is not None else {}))


Client = tuple[Reader, TokenServer, FakeTime]


@pytest.fixture
def client() -> Iterator[Client]:
    server, time = TokenServer(), FakeTime()
    with loopback(server) as url:
        signer = ClientCredentialsSigner("id/1", "s3cr3t", f"{url}/oauth/token", "scim", time.clock)
        with Reader(base_url=f"{url}/scim", wire=WireRules(), signer=signer, clock=time.clock) as opened:
            yield opened, server, time


def test_one_token_serves_many_requests(client: Client) -> None:
    opened, server, _ = client
    for _ in range(3):
        assert opened.get("/Users/u1") == USER
    pair = base64.b64encode(b"id%2F1:s3cr3t").decode()
    form = {"grant_type": "client_credentials", "scope": "scim", "type": "application/x-www-form-urlencoded"}
    assert server.tokens == [{"authorization": f"Basic {pair}"} | form]
    assert opened.requests == 3
    assert [method for method, _ in server.asked] == ["POST", "GET", "GET", "GET"]


@pytest.mark.parametrize(
    ("expires_in", "later", "tokens"),
    [(3600, 3539, 1), (3600, 3541, 2), (100, 89, 1), (100, 91, 2), (None, 10**9, 1), (0, 5, 1), ("3600", 3541, 2)],
)
def test_a_token_is_renewed_before_it_ends(client: Client, expires_in: Any, later: float, tokens: int) -> None:
    opened, server, time = client
    server.expires_in = expires_in
    opened.get("/Users/u1")
    time.now += later
    opened.get("/Users/u1")
    assert len(server.tokens) == tokens


def test_a_token_that_was_withdrawn_is_renewed_once(client: Client) -> None:
    opened, server, _ = client
    opened.get("/Users/u1")
    server.valid = {"another"}
    assert opened.get("/Users/u1") == USER
    assert len(server.tokens) == 2


def test_a_second_401_is_the_end(client: Client) -> None:
    opened, server, _ = client
    server.takes_tokens = False
    with pytest.raises(SignInFailed, match="401"):
        opened.get("/Users/u1")
    assert len(server.tokens) == 2


def test_a_token_endpoint_that_says_later_is_asked_again(client: Client) -> None:
    opened, server, time = client
    server.refusals = iter([(429, {"Retry-After": "7"}, b""), (503, {}, b"")])
    assert opened.get("/Users/u1") == USER
    assert time.slept == [7.0, 2.0]


def test_a_token_endpoint_that_keeps_saying_later(client: Client) -> None:
    opened, server, _ = client
    server.refusals = iter([(503, {}, b"")] * 9)
    with pytest.raises(Unreachable, match="gives no token now"):
        opened.get("/Users/u1")
    assert len(server.asked) == 4


def test_whoever_is_to_end_waits_for_no_token(client: Client) -> None:
    opened, server, time = client
    server.refusals = iter([(429, {"Retry-After": "60"}, b"")] * 3)
    signer = ClientCredentialsSigner("id/1", "s3cr3t", str(opened._channel.root) + "/oauth/token", None, time.clock)
    with Writer(base_url=opened._base_url, wire=WireRules(), signer=signer, clock=time.clock) as applying:
        turns = Turns(time, end_at=time.now + 2)
        applying.take_turns(turns)
        refused = applying.create("/Users", {})
    assert isinstance(refused, Refusal)
    assert (refused.withheld, refused.status, refused.unknown) == (True, None, False)
    assert "the run was stopped" in refused.detail
    assert sum(time.slept) == 2
    assert turns.kept
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (json_answer({"error": "invalid_client"}, 401), ("401", "invalid_client", "client id")),
        (json_answer({"error_description": "secret s3cr3t is wrong"}, 400), ("400", "(secret)")),
        ((200, {}, b"<html>Sign in</html>"), ("did not answer with a token",)),
        (json_answer({"token": "t"}), ("did not answer with a token",)),
        (json_answer(["t"]), ("did not answer with a token",)),
        (json_answer({"access_token": "a\nb"}), ("did not answer with a token",)),
        (json_answer({"access_token": 7}), ("did not answer with a token",)),
        (
            (302, {"Location": "https://evil.example.com/?x=1"}, b""),
            ("redirects to https://evil.example.com/", "not sent"),
        ),
    ],
)
def test_client_credentials_that_are_refused(client: Client, answer: Any, words: tuple[str, ...]) -> None:
    opened, server, _ = client
    server.refusals = iter([answer])
    with pytest.raises(TargetError) as stopped:
        opened.get("/Users/u1")
    text = f"{stopped.value.summary} {stopped.value.mend}"
    assert isinstance(stopped.value, SignInFailed)
    assert "/oauth/token" in text
    assert "s3cr3t" not in text
    assert "x=1" not in text
    for each in words:
        assert each in text
    assert [path for _, path in server.asked] == ["/oauth/token"]


def test_a_writer_that_cannot_sign_in_gets_a_refusal() -> None:
    handle, _ = answering(httpx.Response(401, json={"error": "invalid_client"}))
    signer = ClientCredentialsSigner("id", "s3cr3t", TOKEN_URL)
    answer = writer(handle, signer=signer).create("/Users", {})
    assert isinstance(answer, Refusal)
    assert (answer.status, answer.unknown) == (401, False)
    assert "s3cr3t" not in answer.detail


def test_the_secret_goes_to_the_token_url_and_nowhere_else() -> None:
    seen: dict[str, set[str]] = {}

    def handle(request: httpx.Request) -> httpx.Response:
        seen.setdefault(str(request.url), set()).add(request.headers["Authorization"].split()[0])
        if request.url.host == "login.example.com":
            return httpx.Response(200, json={"access_token": "t1"})
        return httpx.Response(200, json=USER)

    reader(handle, signer=ClientCredentialsSigner("id", "s3cr3t", TOKEN_URL)).get("/Users/u1")
    assert seen == {TOKEN_URL: {"Basic"}, "https://scim.example.com/v2/Users/u1": {"Bearer"}}


def test_many_threads_share_one_token() -> None:
    server = TokenServer()
    begin = threading.Barrier(8)
    with loopback(server) as url:
        signer = ClientCredentialsSigner("id", "s3cr3t", f"{url}/oauth/token")
        with Writer(base_url=f"{url}/scim", wire=WireRules(), signer=signer) as opened, ThreadPoolExecutor(8) as pool:

            def work(_: int) -> object:
                begin.wait()
                return opened.get("/Users/u1")

            assert list(pool.map(work, range(8))) == [USER] * 8
    assert len(server.tokens) == 1


@pytest.mark.parametrize(
    "make",
    [
        lambda: BearerSigner("s3cr3t"),
        lambda: BasicSigner("ann", "s3cr3t"),
        lambda: ClientCredentialsSigner("id", "s3cr3t", TOKEN_URL),
    ],
)
def test_a_signer_shows_no_secret(make: Callable[[], Any]) -> None:
    signer = make()
    assert "s3cr3t" not in repr(signer)
    assert "s3cr3t" not in signer.redact(json.dumps({"detail": "got s3cr3t"}))
