"""Single requests: what counts as an answer, what is tried again, what is said of failures, what is never sent."""

import inspect
import json
import ssl
from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest

from reconciler import __version__
from reconciler.errors import NotScim, SignInFailed, TargetError, Unreachable
from reconciler.model import Json, PatchOp, PatchOperation
from reconciler.profiles.profile import RFC, WireRules
from reconciler.settings import Auth, BasicAuth, BearerAuth, ClientCredentialsAuth, SecretReference, Target
from reconciler.transport import answers, channel
from reconciler.transport.answers import Answer, Refusal
from reconciler.transport.auth import BearerSigner
from reconciler.transport.client import Reader, Writer
from reconciler.transport.guard import Forbidden, Guard
from reconciler.transport.opening import open_reader, open_writer
from tests.transport.serving import BASE, FakeTime, answering, json_answer, loopback, reader, writer

USER: dict[str, Json] = {"id": "u1", "userName": "ann@example.com", "meta": {"version": 'W/"7"'}}
TITLE = (PatchOperation(op=PatchOp.REPLACE, path="title", value="Lead"),)


# --- a reader cannot write


def test_a_reader_has_nothing_but_reading() -> None:
    public = {name for name, _ in inspect.getmembers(Reader) if not name.startswith("_")}
    told = {"requests", "requests_per_minute"}
    assert public == {"ask_limits", "close", "get", "glance", "listing", "page_by", "service_provider_config"} | told


def test_every_method_of_a_reader_sends_get_only() -> None:
    handle, asked = answering(httpx.Response(200, json=USER | {"totalResults": 0}))
    client = reader(handle)
    client.get("/Users/u1")
    client.listing("/Users")
    client.glance("/Users")
    client.service_provider_config()
    assert {each.method for each in asked} == {"GET"}


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT", "DELETE", "HEAD", "OPTIONS"])
def test_the_wire_of_a_reader_takes_no_other_method(method: str) -> None:
    handle, asked = answering(httpx.Response(200, json=USER))
    client = reader(handle)
    with pytest.raises(Forbidden):
        client._channel.exchange(method, "/Users")
    with pytest.raises(Forbidden):
        client._channel._client.request(method, f"{BASE}/Users")
    assert asked == []


@pytest.mark.parametrize("url", ["https://evil.example.com/v2/Users", "http://scim.example.com/v2/Users"])
def test_no_request_leaves_for_another_origin(url: str) -> None:
    handle, asked = answering(httpx.Response(200, json=USER))
    for client in (reader(handle), writer(handle)):
        with pytest.raises(Forbidden):
            client._channel._client.get(url)
    assert asked == []


# --- what a request looks like


def test_a_request_says_who_it_is_and_what_it_takes() -> None:
    handle, asked = answering(httpx.Response(200, json=USER))
    wire = WireRules(headers={"X-Extra": "yes"}, content_type="application/json")
    writer(handle, wire, signer=BearerSigner("tok")).patch("/Users/u1", TITLE, 'W/"7"')
    sent = asked[0].headers
    assert sent["User-Agent"] == f"reconciler/{__version__}"
    assert sent["Authorization"] == "Bearer tok"
    assert sent["Content-Type"] == "application/json"
    assert sent["If-Match"] == 'W/"7"'
    assert sent["X-Extra"] == "yes"
    assert json.loads(asked[0].content) == {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "replace", "path": "title", "value": "Lead"}],
    }


@pytest.mark.parametrize("value", [False, 0, "", [], "x"])
def test_false_values_of_a_patch_are_sent(value: object) -> None:
    handle, asked = answering(httpx.Response(204))
    operation = PatchOperation(op=PatchOp.REPLACE, path="active", value=value)  # type: ignore[arg-type]
    writer(handle).patch("/Users/u1", (operation,), None)
    assert json.loads(asked[0].content)["Operations"][0]["value"] == value
    assert "If-Match" not in asked[0].headers


def test_a_removal_has_no_value() -> None:
    handle, asked = answering(httpx.Response(204))
    writer(handle).patch("/Users/u1", (PatchOperation(op=PatchOp.REMOVE, path="title"),), None)
    assert json.loads(asked[0].content)["Operations"] == [{"op": "remove", "path": "title"}]


def test_a_replacement_carries_its_version() -> None:
    handle, asked = answering(httpx.Response(200, json=USER))
    assert writer(handle).replace("/Users/u1", {"userName": "x"}, '"7"') == Answer(
        status=200, body=USER, version='W/"7"'
    )
    assert (asked[0].method, asked[0].headers["If-Match"], asked[0].content) == ("PUT", '"7"', b'{"userName":"x"}')


def test_text_that_is_no_unicode_is_sent_and_read_all_the_same() -> None:
    handle, asked = answering(httpx.Response(200, content=b'{"id": "u1", "title": "\\ud800"}'))
    client = writer(handle)
    assert (client.get("/Users/u1") or {})["title"] == "\ud800"
    client.create("/Users", {"title": "\ud800"})
    assert json.loads(asked[-1].content) == {"title": "\ud800"}


# --- answers to writes


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (httpx.Response(201, json=USER), Answer(status=201, body=USER, version='W/"7"')),
        (httpx.Response(204), Answer(status=204)),
        (httpx.Response(200, content=b"  "), Answer(status=200)),
        (httpx.Response(204, headers={"ETag": 'W/"8"'}), Answer(status=204)),
        (
            httpx.Response(201, headers={"Location": "/v2/Users/u1", "X-Request-Id": "r-1"}),
            Answer(status=201, location="/v2/Users/u1", request_id="r-1"),
        ),
        (httpx.Response(200, json={"META": {"Version": "3"}, "ID": "u1"}), "3"),
        (httpx.Response(202, json=USER), Refusal(status=202, detail="accepted, but not done yet", unknown=True)),
        (
            httpx.Response(409, json={"status": "409", "scimType": "uniqueness", "detail": "taken"}),
            Refusal(status=409, scim_type="uniqueness", detail="taken"),
        ),
        (httpx.Response(400, json={"status": 400, "message": "no\nway"}), Refusal(status=400, detail="no way")),
        (httpx.Response(500, html="<html>SQL error</html>"), Refusal(status=500, detail="(a web page)")),
        (httpx.Response(501), Refusal(status=501)),
        (httpx.Response(502, text="bad gateway"), "unknown"),
        (httpx.Response(504), "unknown"),
        (httpx.Response(200, html="<!doctype html><p>Sign in"), "unknown"),
        (httpx.Response(200, json=["u1"]), "unknown"),
        (httpx.Response(404, headers={"x-correlation-id": "c-9"}), Refusal(status=404, request_id="c-9")),
    ],
)
def test_answers_to_a_write(response: httpx.Response, expected: Answer | Refusal | str) -> None:
    handle, asked = answering(response)
    got = writer(handle).patch("/Users/u1", TITLE, None)
    if expected == "unknown":
        assert isinstance(got, Refusal)
        assert got.unknown
    elif isinstance(expected, str):
        assert isinstance(got, Answer)
        assert got.version == expected
    else:
        assert got == expected
    assert len(asked) == 1


def test_a_delete_needs_no_body_to_succeed() -> None:
    for response in (httpx.Response(204), httpx.Response(200, html="<html>gone</html>")):
        handle, _ = answering(response)
        assert isinstance(writer(handle).delete("/Users/u1"), Answer)


# --- patience


LATER = httpx.Response(429, headers={"Retry-After": "2"})


@pytest.mark.parametrize(
    ("later", "waits"),
    [
        (httpx.Response(429, headers={"Retry-After": "2"}), [2.0]),
        (httpx.Response(503, headers={"Retry-After": "0"}), []),
        (httpx.Response(503, headers={"Retry-After": "Mon, 12 Jan 1970 13:47:00 GMT"}), [20.0]),
        (httpx.Response(503, headers={"Retry-After": "Mon, 12 Jan 1970 13:00:00 GMT"}), []),
        (httpx.Response(429), [1.0]),
        (httpx.Response(429, headers={"Retry-After": "soon"}), [1.0]),
        (httpx.Response(429, headers={"Retry-After": "-5"}), [1.0]),
        (httpx.Response(429, headers={"Retry-After": "9" * 500}), None),
    ],
)
def test_retry_after_in_every_form(later: httpx.Response, waits: list[float] | None) -> None:
    time = FakeTime()
    handle, asked = answering(later, httpx.Response(200, json=USER))
    client = reader(handle, time=time)
    assert client.get("/Users/u1") == USER
    assert len(asked) == client.requests == 2
    assert waits is None or time.slept == waits


def test_writes_are_sent_again_on_later_too() -> None:
    handle, asked = answering(LATER, LATER, httpx.Response(201, json=USER))
    answer = writer(handle).create("/Users", {"userName": "x"})
    assert answer == Answer(status=201, body=USER, version='W/"7"', attempts=3)
    assert [each.content for each in asked] == [b'{"userName":"x"}'] * 3


def test_a_conflict_with_itself_after_a_retry_is_unknown() -> None:
    handle, _ = answering(LATER, httpx.Response(409, json={"scimType": "uniqueness"}))
    answer = writer(handle).create("/Users", {"userName": "x"})
    assert isinstance(answer, Refusal)
    assert answer.unknown


def test_patience_ends_after_eight_tries() -> None:
    time = FakeTime()
    handle, asked = answering(httpx.Response(429))
    with pytest.raises(TargetError, match="come back later"):
        reader(handle, time=time).get("/Users/u1")
    assert len(asked) == 8
    assert time.slept == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0]


def test_patience_ends_after_five_minutes() -> None:
    time = FakeTime()
    handle, asked = answering(httpx.Response(429, headers={"Retry-After": "130"}))
    answer = writer(handle, time=time).delete("/Users/u1")
    assert isinstance(answer, Refusal)
    assert (answer.status, answer.attempts, len(asked), sum(time.slept)) == (429, 3, 3, 260.0)


def test_a_retry_after_beyond_five_minutes_is_not_waited_for() -> None:
    time = FakeTime()
    handle, asked = answering(httpx.Response(503, headers={"Retry-After": "3600"}))
    with pytest.raises(TargetError):
        reader(handle, time=time).get("/Users/u1")
    assert (len(asked), time.slept) == (1, [])


def test_other_statuses_that_mean_later_come_from_the_profile() -> None:
    handle, asked = answering(httpx.Response(423), httpx.Response(200, json=USER))
    assert reader(handle, WireRules(retry_statuses=(423,))).get("/Users/u1") == USER
    assert len(asked) == 2


@pytest.mark.parametrize(
    "broken",
    [
        httpx.ReadTimeout("slow"),
        httpx.ConnectError("refused"),
        httpx.RemoteProtocolError("dropped"),
        httpx.ReadError("reset"),
        httpx.Response(502),
        httpx.Response(504),
    ],
)
def test_a_read_without_an_answer_is_tried_three_times(broken: httpx.Response | Exception) -> None:
    handle, asked = answering(broken, broken, httpx.Response(200, json=USER))
    assert reader(handle).get("/Users/u1") == USER
    assert len(asked) == 3
    handle, asked = answering(broken)
    with pytest.raises(TargetError):
        reader(handle).get("/Users/u1")
    assert len(asked) == 3


@pytest.mark.parametrize("status", [500, 501, 400])
def test_other_refusals_are_not_tried_again(status: int) -> None:
    handle, asked = answering(httpx.Response(status))
    with pytest.raises(TargetError):
        reader(handle).get("/Users/u1")
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("broken", "unknown"),
    [
        (httpx.ReadTimeout("slow"), True),
        (httpx.WriteTimeout("slow"), True),
        (httpx.RemoteProtocolError("dropped"), True),
        (httpx.ReadError("reset"), True),
        (httpx.WriteError("reset"), True),
        (httpx.ConnectError("refused"), False),
        (httpx.ConnectTimeout("slow"), False),
        (httpx.PoolTimeout("busy"), False),
    ],
)
def test_a_write_without_an_answer_is_sent_once(broken: Exception, unknown: bool) -> None:
    handle, asked = answering(broken)
    for answer in (writer(handle).create("/Users", {}), writer(handle).patch("/Users/u1", TITLE, None)):
        assert isinstance(answer, Refusal)
        assert (answer.status, answer.unknown) == (None, unknown)
        assert "slow" not in answer.detail
    assert len(asked) == 2


# --- what is said


@pytest.mark.parametrize(
    ("response", "kind", "words"),
    [
        (httpx.Response(401, json={"detail": "expired"}), SignInFailed, ("401", "expired", "token")),
        (httpx.Response(403), SignInFailed, ("403", "right")),
        (httpx.Response(404, html="<html>no</html>"), NotScim, ("a web page", "path")),
        (httpx.Response(200, html="<html>Sign in</html>"), NotScim, ("a web page", "path")),
        (httpx.Response(200, content=b""), NotScim, ("an empty answer",)),
        (httpx.Response(200, content=b"{oops"), NotScim, ("not JSON",)),
        (httpx.Response(200, content=b"[" * 100_000), NotScim, ("not JSON",)),
        (httpx.Response(200, content=b'{"a":' + b"[" * 80 + b"]" * 80 + b"}"), NotScim, ("deeper than 64",)),
        (httpx.Response(200, content=b'{"a": NaN}'), NotScim, ("not JSON",)),
        (httpx.Response(200, json=[1]), NotScim, ("no object",)),
        (httpx.Response(500, json={"detail": "boom"}), TargetError, ("500", "boom")),
        (httpx.Response(500, html="<html>" + "x" * 9999), TargetError, ("500", "a web page")),
        (httpx.Response(500, json={"detail": "x" * 9999}), TargetError, ("500", "…")),
        (httpx.Response(302, headers={"Location": "https://login.example.org/?s=1"}), NotScim, ("login.example.org",)),
        (httpx.Response(301, headers={"Location": "/elsewhere"}), NotScim, ("scim.example.com to scim.example.com",)),
        (httpx.Response(307, headers={"Location": "http://[bad"}), TargetError, ("scim.example.com",)),
        (httpx.Response(308), NotScim, ("redirects",)),
    ],
)
def test_one_line_that_says_what_happened(
    response: httpx.Response, kind: type[TargetError], words: tuple[str, ...]
) -> None:
    handle, asked = answering(response)
    with pytest.raises(kind) as stopped:
        reader(handle, signer=BearerSigner("s3cr3t-token")).get("/Users/u1", {"filter": 'userName eq "ann"'})
    text = stopped.value.summary + " " + stopped.value.mend
    assert "https://scim.example.com/v2/Users/u1" in stopped.value.summary
    assert "\n" not in text
    assert len(stopped.value.summary) < 500
    assert stopped.value.mend
    for each in words:
        assert each in text
    for never in ("s3cr3t", "ann", "filter"):
        assert never not in text
    assert len({each.url.host for each in asked}) == 1


def test_nothing_at_the_base_url_asks_for_the_path() -> None:
    handle, _ = answering(httpx.Response(404, json={"detail": "no route"}))
    with pytest.raises(NotScim) as stopped:
        reader(handle).listing("/Users")
    assert "404" in stopped.value.summary
    assert "path" in stopped.value.mend


@pytest.mark.parametrize("status", [404, 410])
def test_a_resource_that_is_not_there_is_none(status: int) -> None:
    for response in (httpx.Response(status), httpx.Response(status, json={"detail": "no such user"})):
        assert reader(answering(response)[0]).get("/Users/u1") is None


def test_a_secret_that_the_server_quotes_is_taken_out() -> None:
    for status in (401, 500):
        handle, _ = answering(httpx.Response(status, json={"detail": "bad header: Bearer s3cr3t-token"}))
        with pytest.raises(TargetError) as stopped:
            reader(handle, signer=BearerSigner("s3cr3t-token")).get("/Users/u1")
        assert "s3cr3t" not in stopped.value.summary
        answer = writer(handle, signer=BearerSigner("s3cr3t-token")).delete("/Users/u1")
        assert isinstance(answer, Refusal)
        assert "s3cr3t" not in answer.detail
        assert "(secret)" in answer.detail


def test_an_answer_without_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel, "MAX_BODY", 3 * 2**20)
    sent = 0

    class Endless(httpx.SyncByteStream):
        def __iter__(self):
            nonlocal sent
            while True:
                sent += 2**20
                yield b" " * 2**20

    handle = lambda _: httpx.Response(200, stream=Endless())  # noqa: E731
    with pytest.raises(NotScim, match="larger than 3 MiB"):
        reader(handle).get("/Users/u1")
    assert sent < 6 * 2**20
    answer = writer(handle).patch("/Users/u1", TITLE, None)
    assert isinstance(answer, Refusal)
    assert answer.unknown
    assert answers.MAX_BODY == 100 * 2**20


def test_a_damaged_compression_is_no_answer() -> None:
    def handle(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=httpx.ByteStream(b"no gzip"))

    with pytest.raises(Unreachable, match="compression"):
        reader(handle).get("/Users/u1")


# --- over real sockets


def plain(method: str, path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
    return json_answer(USER | {"path": path, "token": headers.get("Authorization")})


def real(url: str) -> Reader:
    return Reader(base_url=url, wire=WireRules(timeout=0.5), signer=BearerSigner("tok"), clock=FakeTime().clock)


def test_a_real_server_is_read_with_the_token() -> None:
    with loopback(plain) as url, real(url + "/v2/") as client:
        assert client.get("/Users/a%2Fb") == USER | {"path": "/v2/Users/a%2Fb", "token": "Bearer tok"}


def test_connection_refused() -> None:
    with loopback(plain) as url:
        pass
    with real(url) as client, pytest.raises(Unreachable, match="connection refused") as stopped:
        client.get("/Users")
    assert client.requests == 3
    assert "host and port" in stopped.value.mend


def test_an_untrusted_certificate() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(Path(__file__).with_name("self_signed.pem"))
    with loopback(plain, tls=context) as url, real(url) as client:
        with pytest.raises(Unreachable, match="certificate is not trusted \\(self-signed certificate\\)") as stopped:
            client.get("/Users")
        assert "SSL_CERT_FILE" in stopped.value.mend
        assert client.requests == 1


def test_a_server_that_speaks_no_tls_is_told_nothing() -> None:
    asked: list[object] = []

    def heard(*request: object) -> tuple[int, Mapping[str, str], bytes]:
        asked.append(request)
        return plain(*request)  # type: ignore[arg-type]

    with loopback(heard) as url, real(url.replace("http:", "https:")) as client, pytest.raises(Unreachable):
        client.get("/Users")
    assert asked == []


@pytest.mark.parametrize(
    ("url", "token_url", "loaded"),
    [
        ("http://127.0.0.1:8080", None, False),
        ("http://localhost:8080/v2", "http://localhost:8080/token", False),
        ("http://127.0.0.1:8080", "https://login.example.com/token", True),
        ("http://scim.example.com", None, True),
        ("https://127.0.0.1:8443", None, True),
    ],
)
def test_certificates_are_loaded_where_tls_may_come_up(url: str, token_url: str | None, loaded: bool) -> None:
    signer = BearerSigner("tok")
    signer.token_url = token_url
    context = Guard(httpx.URL(url), signer, frozenset({"GET"}), FakeTime().clock)._trusted()
    assert bool(context.get_ca_certs()) is loaded
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


def test_https_to_a_port_that_speaks_http() -> None:
    with (
        loopback(plain) as url,
        real(url.replace("http:", "https:")) as client,
        pytest.raises(Unreachable, match="no TLS connection"),
    ):
        client.get("/Users")


def test_a_host_that_does_not_exist() -> None:
    with real("https://no-such-host.invalid") as client, pytest.raises(Unreachable, match=r"not known|cannot connect"):
        client.get("/Users")


def test_a_server_that_says_nothing_in_time() -> None:
    import threading

    release = threading.Event()

    def slow(*_: object) -> tuple[int, dict[str, str], bytes]:
        release.wait(5)
        return json_answer(USER)

    with loopback(slow) as url:
        wire = WireRules(timeout=0.1)
        with Writer(base_url=url, wire=wire, signer=None, clock=FakeTime().clock) as client:
            answer = client.create("/Users", {})
            with pytest.raises(Unreachable, match=r"no answer within 0\.1 seconds"):
                client.get("/Users")
        release.set()
    assert isinstance(answer, Refusal)
    assert (answer.unknown, answer.attempts) == (True, 1)


# --- opening


def test_open_reader_and_writer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SCIM_TOKEN", "tok")
    target = Target(name="t", profile="rfc", url=BASE, auth=BearerAuth(SecretReference("env", "SCIM_TOKEN")))
    handle, asked = answering(httpx.Response(200, json=USER))
    client = open_reader(target, RFC, tmp_path, transport=httpx.MockTransport(handle))
    assert not isinstance(client, Writer)
    client.get("/Users/u1")
    assert asked[0].headers["Authorization"] == "Bearer tok"
    assert isinstance(open_writer(target, RFC, tmp_path, transport=httpx.MockTransport(handle)), Writer)
    monkeypatch.delenv("SCIM_TOKEN")
    with pytest.raises(SignInFailed, match="SCIM_TOKEN"):
        open_reader(target, RFC, tmp_path)


@pytest.mark.parametrize(
    ("auth", "header"),
    [
        (None, None),
        (BasicAuth("ann", SecretReference("env", "SCIM_SECRET")), "Basic YW5uOnRvcA=="),
        (BasicAuth(SecretReference("env", "SCIM_USER"), SecretReference("env", "SCIM_SECRET")), "Basic Ym86dG9w"),
        (
            ClientCredentialsAuth("id", SecretReference("env", "SCIM_SECRET"), "https://login.example.com/token"),
            "Bearer given",
        ),
    ],
)
def test_every_way_to_sign_in(
    auth: Auth | None, header: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SCIM_SECRET", "top")
    monkeypatch.setenv("SCIM_USER", "bo")
    handle, asked = answering(httpx.Response(200, json=USER | {"access_token": "given"}))
    target = Target(name="t", profile="rfc", url=BASE, auth=auth)
    open_reader(target, RFC, tmp_path, transport=httpx.MockTransport(handle)).get("/Users/u1")
    assert asked[-1].headers.get("Authorization") == header


def test_an_embedded_target_needs_its_transport(tmp_path: Path) -> None:
    target = Target(name="t", profile="rfc", url="sandbox:")
    with pytest.raises(ValueError, match="transport"):
        open_reader(target, RFC, tmp_path)
    handle, asked = answering(httpx.Response(200, json=USER))
    open_reader(target, RFC, tmp_path, transport=httpx.MockTransport(handle)).get("/Users/u1")
    assert "Authorization" not in asked[0].headers
