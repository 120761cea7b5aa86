"""What the data file keeps: over reopening, over failures, and against several writers at once."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from reconciler.sandbox import Request, Response, SandboxError, SandboxService, SandboxTransport, open_sandbox, serve

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


def send(service: SandboxService, method: str, target: str, body: dict[str, Any] | None = None) -> Response:
    return service.handle(Request(method=method, target=target, body=b"" if body is None else orjson.dumps(body)))


def post_user(service: SandboxService, name: str) -> Response:
    return send(service, "POST", "/Users", {"schemas": [USER], "userName": name})


def at_once(*acts: Callable[[], None]) -> None:
    """Run everything in threads of its own that start together; an exception in one fails the test."""
    barrier = threading.Barrier(len(acts))
    errors: list[BaseException] = []

    def run(act: Callable[[], None]) -> None:
        barrier.wait()
        try:
            act()
        except BaseException as error:  # a thread's failure must reach the test
            errors.append(error)

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def test_everything_is_there_after_reopening(tmp_path: Path) -> None:
    service = open_sandbox(tmp_path / "new", "genesys")
    send(service, "POST", "/users", {"userName": "ann@example.com", "displayName": "Ann"})
    ann = send(service, "GET", '/users?filter=userName%20eq%20"ann@example.com"').json()["Resources"][0]
    group = send(service, "GET", "/groups").json()["Resources"][1]["id"]
    operation = {"op": "add", "path": "members", "value": [{"value": ann["id"]}]}
    send(service, "PATCH", f"/groups/{group}", {"schemas": [PATCH_OP], "Operations": [operation]})
    before = [send(service, "GET", path).json() for path in ("/users", "/groups")]
    dumped = service.dump()
    service.close()
    again = open_sandbox(tmp_path / "new", "genesys")
    assert [send(again, "GET", path).json() for path in ("/users", "/groups")] == before
    assert again.dump() == dumped
    again.close()
    assert (tmp_path / "new" / "sandbox.sqlite3").exists()


def test_a_data_file_keeps_its_profile(tmp_path: Path) -> None:
    open_sandbox(tmp_path, "rfc").close()
    with pytest.raises(SandboxError, match="profile rfc, not genesys"):
        open_sandbox(tmp_path, "genesys")
    open_sandbox(tmp_path, "rfc").close()


def test_a_data_file_of_another_layout_is_refused(tmp_path: Path) -> None:
    open_sandbox(tmp_path, "rfc").close()
    with sqlite3.connect(tmp_path / "sandbox.sqlite3") as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(SandboxError, match="layout 99"):
        open_sandbox(tmp_path, "rfc")


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "sandbox.sqlite3").write_text("not a database, but long enough to be looked at" * 50)
    with pytest.raises(SandboxError, match="no data file"):
        open_sandbox(tmp_path, "rfc")


def test_an_unknown_profile_is_refused() -> None:
    with pytest.raises(SandboxError, match="'nothing'"):
        open_sandbox(None, "nothing")


@pytest.mark.parametrize("round_", range(5))
def test_of_two_who_take_one_name_exactly_one_wins(tmp_path: Path, round_: int) -> None:
    service = open_sandbox(tmp_path if round_ % 2 else None)
    statuses: list[int] = []
    at_once(*[lambda: statuses.append(post_user(service, "Ann").status)] * 2)
    assert sorted(statuses) == [201, 409]
    assert [it["userName"] for it in service.dump()["User"]] == ["root@example.com", "Ann"]
    service.close()


def test_members_added_side_by_side_are_all_there(service: SandboxService) -> None:
    ids = [post_user(service, f"user{n}").json()["id"] for n in range(16)]
    group = send(service, "POST", "/Groups", {"schemas": [GROUP], "displayName": "G"}).json()["id"]

    def join(identifier: str) -> Callable[[], None]:
        operation = {"op": "add", "path": "members", "value": [{"value": identifier}]}
        body = {"schemas": [PATCH_OP], "Operations": [operation]}
        return lambda: assert_status(send(service, "PATCH", f"/Groups/{group}", body), 200)

    at_once(*(join(identifier) for identifier in ids))
    after = send(service, "GET", f"/Groups/{group}").json()
    assert {it["value"] for it in after["members"]} == set(ids)
    assert after["meta"]["version"] == 'W/"17"'


def assert_status(answer: Response, status: int) -> None:
    assert answer.status == status, answer.body


def test_two_processes_worth_of_services_share_one_file(tmp_path: Path) -> None:
    one, two = open_sandbox(tmp_path), open_sandbox(tmp_path)
    ann = post_user(one, "ann").json()["id"]
    assert send(two, "GET", f"/Users/{ann}").json()["userName"] == "ann"
    assert post_user(two, "ANN").status == 409
    body = {"schemas": [USER], "userName": "ann", "title": "Lead"}
    assert send(two, "PUT", f"/Users/{ann}", body).status == 200
    assert send(one, "GET", f"/Users/{ann}").json()["title"] == "Lead"
    one.close()
    two.close()


def test_a_file_that_another_process_writes_to_is_answered_as_busy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reconciler.sandbox.store.LOCK_TIMEOUT", 0.1)
    service = open_sandbox(tmp_path)
    with closing(sqlite3.connect(tmp_path / "sandbox.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        busy = post_user(service, "ann")
        assert (busy.status, busy.json()["status"]) == (503, "503")
        assert send(service, "GET", "/Users").status == 200
        other.execute("ROLLBACK")
    assert post_user(service, "ann").status == 201
    service.close()


def test_a_failing_seed_leaves_nothing(tmp_path: Path, service: SandboxService) -> None:
    before = service.dump()
    with pytest.raises(SandboxError, match="'nobody@"):
        service.seed(
            {"users": [{"userName": "ann"}], "groups": [{"displayName": "G", "members": ["nobody@example.com"]}]}
        )
    assert service.dump() == before
    with pytest.raises(SandboxError, match="cannot be read"):
        open_sandbox(tmp_path, "rfc", tmp_path / "missing.yaml")
    fresh = open_sandbox(tmp_path, "rfc")
    assert len(fresh.dump()["User"]) == 1
    fresh.close()


# --- over HTTP -----------------------------------------------------------------------------------------------------


def test_http_answers_are_those_in_process(tmp_path: Path) -> None:
    service = open_sandbox(tmp_path)
    with serve(service) as server:
        transport = SandboxTransport(service)
        with httpx.Client(base_url=server.url) as far, httpx.Client(transport=transport, base_url=server.url) as near:
            created = far.post("/Users", json={"schemas": [USER], "userName": "ånn"})
            assert created.status_code == 201
            path = f"/Users/{created.json()['id']}"
            for target in (path, "/Users?count=1", '/Users?filter=userName%20eq%20"%C3%A5nn"', "/nothing", "/Schemas"):
                here, there = near.get(target), far.get(target)
                assert (there.status_code, there.json()) == (here.status_code, here.json())
                assert there.headers.get("etag") == here.headers.get("etag")
            unchanged = far.get(path, headers={"If-None-Match": created.headers["etag"]})
            assert (unchanged.status_code, unchanged.content) == (304, b"")
            assert far.delete(path).status_code == 204
            assert far.get(path).status_code == 404
    service.close()


def test_http_connections_are_kept_and_the_port_is_freed(service: SandboxService) -> None:
    with serve(service) as server:
        assert server.url == f"http://127.0.0.1:{server.port}"
        with httpx.Client(base_url=server.url) as client:
            for _ in range(50):
                answer = client.get("/Users")
                stream = answer.extensions["network_stream"]
                assert stream.get_extra_info("server_addr")[1] == server.port
            pool = client._transport._pool  # type: ignore[attr-defined]
            assert len(pool.connections) == 1
    with serve(service, server.port) as again:
        assert httpx.get(f"{again.url}/Users").status_code == 200


def test_http_stops_although_connections_are_kept_open(service: SandboxService) -> None:
    with serve(service) as server, httpx.Client(base_url=server.url) as client:
        assert client.get("/Users").status_code == 200
        started = time.perf_counter()
        server.stop()
        assert time.perf_counter() - started < 60
        with pytest.raises(httpx.TransportError):
            client.get("/Users")


def test_http_refuses_bodies_without_a_sensible_length(service: SandboxService) -> None:
    with serve(service) as server, httpx.Client(base_url=server.url) as client:
        assert client.post("/Users", content=iter([b"{}"])).status_code == 413
        assert client.get("/Users").status_code == 200


def test_http_takes_many_clients_at_once(service: SandboxService) -> None:
    with serve(service) as server:
        statuses: list[int] = []

        def work(number: int) -> Callable[[], None]:
            def act() -> None:
                with httpx.Client(base_url=server.url) as client:
                    for n in range(5):
                        body = {"schemas": [USER], "userName": f"user{number}-{n}"}
                        statuses.append(client.post("/Users", json=body).status_code)

            return act

        at_once(*(work(number) for number in range(8)))
    assert statuses == [201] * 40
    assert len(service.dump()["User"]) == 41


def test_a_file_that_cannot_be_written_is_not_said_to_be_in_use(tmp_path: Path) -> None:
    open_sandbox(tmp_path).close()
    (tmp_path / "sandbox.sqlite3-shm").mkdir()
    with pytest.raises(SandboxError, match="The data file cannot be used, as when a disk is full"):
        open_sandbox(tmp_path)
