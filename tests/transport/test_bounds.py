"""What a server may cost whoever asks it: bombs, answers without an end, answers that lead elsewhere."""

import gzip
import json
from collections.abc import Iterator

import httpx
import pytest

from reconciler.errors import NotScim, TargetError, Unreachable
from reconciler.transport import channel
from reconciler.transport.answers import MAX_DEPTH, Refusal
from reconciler.transport.auth import ClientCredentialsSigner
from tests.transport.serving import BASE, FakeTime, answering, reader, writer

TOKEN_URL = "https://login.example.com/oauth/token"
USER = {"id": "u1", "userName": "ann@example.com"}
LEADING = [
    "https://evil.example.com/v2/Users/u1",
    "http://scim.example.com/v2/Users/u1",
    "//evil.example.com/",
    "/v2/Users/u2",
    "file:///etc/passwd",
]


class Endless(httpx.SyncByteStream):
    """Bytes as long as somebody takes them; `every` seconds apart."""

    def __init__(self, time: FakeTime | None = None, every: float = 0.0, size: int = 2**12) -> None:
        self.time, self.every, self.size, self.sent = time, every, size, 0

    def __iter__(self) -> Iterator[bytes]:
        while True:
            if self.time is not None:
                self.time.now += self.every
            self.sent += self.size
            yield b" " * self.size


# --- other addresses


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("leads_to", LEADING)
def test_no_redirect_is_followed(status: int, leads_to: str) -> None:
    handle, asked = answering(httpx.Response(status, headers={"Location": leads_to}))
    with pytest.raises(TargetError, match="redirects"):
        reader(handle).get("/Users/u1")
    assert isinstance(writer(handle).delete("/Users/u1"), Refusal)
    assert [str(each.url) for each in asked] == [f"{BASE}/Users/u1"] * 2


@pytest.mark.parametrize("leads_to", LEADING)
def test_a_cursor_is_no_address(leads_to: str) -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        if len(asked) > 1:
            return httpx.Response(200, json={"Resources": []})
        return httpx.Response(200, json={"Resources": [USER], "nextCursor": leads_to, "next": leads_to})

    asked: list[httpx.Request] = []
    assert len(reader(handle).listing("/Users").rows) == 1
    assert {(each.url.scheme, each.url.host, each.url.path) for each in asked} == {
        ("https", "scim.example.com", "/v2/Users")
    }
    assert asked[1].url.params["cursor"] == leads_to


@pytest.mark.parametrize("leads_to", LEADING)
def test_what_a_resource_says_of_its_own_address_is_not_asked(leads_to: str) -> None:
    row = {**USER, "meta": {"location": leads_to}, "$ref": leads_to}
    handle, asked = answering(httpx.Response(201, json=row, headers={"Location": leads_to}), httpx.Response(204))
    client = writer(handle)
    client.create("/Users", {"userName": "ann@example.com"})
    client.delete("/Users/u1")
    assert [str(each.url) for each in asked] == [f"{BASE}/Users", f"{BASE}/Users/u1"]


# --- bombs


def test_what_becomes_large_only_when_it_is_decompressed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel, "MAX_BODY", 3 * 2**20)
    bomb = gzip.compress(b" " * (8 * 2**20))
    handle = lambda _: httpx.Response(200, content=bomb, headers={"Content-Encoding": "gzip"})  # noqa: E731
    with pytest.raises(NotScim, match="larger than 3 MiB"):
        reader(handle).get("/Users/u1")


@pytest.mark.parametrize("coding", ["gzip, gzip", "deflate, gzip", "br", "zstd", "gzip,deflate,gzip", "x"])
def test_a_coding_that_nobody_asked_for_is_not_decompressed(coding: str) -> None:
    """A thousandfold of a thousandfold would be there before anybody could count it."""
    stream = Endless()
    handle = lambda _: httpx.Response(200, stream=stream, headers={"Content-Encoding": coding})  # noqa: E731
    with pytest.raises(NotScim, match="nobody asked for"):
        reader(handle).get("/Users/u1")
    assert stream.sent == 0


def test_one_coding_is_asked_for_and_read() -> None:
    packed = gzip.compress(json.dumps(USER).encode())
    handle, asked = answering(httpx.Response(200, json=USER))
    assert reader(handle).get("/Users/u1") == USER
    assert asked[0].headers["Accept-Encoding"] == "gzip, deflate"
    for coding in ("gzip", "GZIP"):
        given = httpx.Response(200, stream=httpx.ByteStream(packed), headers={"Content-Encoding": coding})
        assert reader(lambda _, given=given: given).get("/Users/u1") == USER  # type: ignore[misc]


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'{"Resources":['])
def test_json_without_a_bottom(opening: bytes) -> None:
    closing = {b"[": b"]", b'{"a":': b"}", b'{"Resources":[': b"]}"}[opening]
    for depth in (MAX_DEPTH + 1, 100_000):
        body = opening * depth + b"1" + closing * depth
        with pytest.raises(NotScim):
            reader(lambda _, body=body: httpx.Response(200, content=body)).get("/Users/u1")  # type: ignore[misc]


# --- answers without an end


@pytest.mark.parametrize("endless", ["401", "token"])
def test_signing_in_reads_no_more_than_a_little(endless: str) -> None:
    """httpx reads these whole before it goes on."""
    stream = Endless()

    def handle(request: httpx.Request) -> httpx.Response:
        if str(request.url) == TOKEN_URL:
            token = {"access_token": "t1"}
            return httpx.Response(200, stream=stream) if endless == "token" else httpx.Response(200, json=token)
        return httpx.Response(401, stream=stream)

    with pytest.raises(NotScim, match="larger than 64 KiB"):
        reader(handle, signer=ClientCredentialsSigner("id", "s3cr3t", TOKEN_URL)).get("/Users/u1")
    assert stream.sent < 2**17


def test_a_trickle_ends() -> None:
    time = FakeTime()
    streams: list[Endless] = []

    def handle(_: httpx.Request) -> httpx.Response:
        streams.append(Endless(time, every=20.0, size=1))
        return httpx.Response(200, stream=streams[-1])

    with pytest.raises(Unreachable):
        reader(handle, time=time).get("/Users/u1")
    assert [each.sent for each in streams] == [16, 16, 16]
    answer = writer(handle, time=time).delete("/Users/u1")
    assert isinstance(answer, Refusal)
    assert answer.unknown
    assert len(streams) == 4
