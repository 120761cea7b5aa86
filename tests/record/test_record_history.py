"""How the checked-out commit stands to the recorded one, in whole, shallow and partial clones."""

import base64
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from reconciler.record.history import Relation, relation
from reconciler.record.store import GitError
from tests.record.git_world import World, git, repository, state_of

ABSENT = "1234567890" * 4


class Line:
    """main: a - b - c - d - e, and `side` on top of b; everything is on the origin."""

    def __init__(self, world: World) -> None:
        self.commits = {"a": git(world.seed, "rev-parse", "HEAD")}
        for name in "bcde":
            self.commits[name] = world.commit({f"identities/{name}.yaml": f"{name}: 1\n"})
        git(world.seed, "checkout", "-q", "-b", "side", self.commits["b"])
        self.commits["side"] = world.commit({"side.yaml": "side: 1\n"}, push=False)
        git(world.seed, "push", "-q", "origin", "side")
        git(world.seed, "checkout", "-q", "main")
        self.commits["absent"] = ABSENT

    def relation(self, clone: Path, recorded: str, head: str) -> Relation:
        return relation(repository(clone), self.commits[recorded], self.commits[head])


@pytest.fixture
def line(world: World) -> Line:
    return Line(world)


TABLE = [
    ("c", "c", Relation.SAME),
    ("b", "e", Relation.AHEAD),
    ("e", "b", Relation.BEHIND),
    ("side", "e", Relation.DIVERGED),
    ("e", "side", Relation.DIVERGED),
    ("absent", "e", Relation.DIVERGED),
]


@pytest.mark.parametrize(("recorded", "head", "expected"), TABLE)
def test_in_a_whole_clone(world: World, line: Line, recorded: str, head: str, expected: Relation) -> None:
    assert line.relation(world.seed, recorded, head) is expected


@pytest.mark.parametrize(("recorded", "head", "expected"), TABLE)
@pytest.mark.parametrize("options", [("--depth=1",), ("--depth=1", "--no-single-branch"), ("--filter=blob:none",)])
def test_in_clones_that_lack_something(
    world: World, line: Line, options: tuple[str, ...], recorded: str, head: str, expected: Relation
) -> None:
    clone = world.clone("c", *options)
    git(clone, "fetch", "-q", "--no-write-fetch-head", "--depth=1" if "--depth=1" in options else "-q",
        "origin", line.commits[head])  # fmt: skip
    git(clone, "checkout", "-q", line.commits[head])
    before = state_of(clone)
    assert line.relation(clone, recorded, head) is expected
    assert state_of(clone) == before


def test_where_history_is_cut_between_two_present_commits(world: World, line: Line) -> None:
    clone = world.clone("c", "--depth=1")
    git(clone, "fetch", "-q", "--depth=1", "origin", line.commits["b"])
    assert line.relation(clone, "b", "e") is Relation.AHEAD
    assert line.relation(clone, "e", "b") is Relation.BEHIND
    world.hide_origin()
    assert line.relation(clone, "b", "e") is Relation.UNKNOWN
    assert line.relation(clone, "e", "b") is Relation.UNKNOWN
    assert repository(clone).is_shallow()


def test_a_found_path_needs_no_server(world: World, line: Line) -> None:
    clone = world.clone("c", "--depth=3")
    world.hide_origin()
    assert line.relation(clone, "c", "e") is Relation.AHEAD
    assert line.relation(clone, "e", "c") is Relation.BEHIND
    assert line.relation(clone, "b", "e") is Relation.UNKNOWN


def test_an_old_checkout_that_has_not_seen_the_recorded_commit(world: World) -> None:
    clone = world.clone("c")
    head = git(clone, "rev-parse", "HEAD")
    recorded = world.commit({"identities/new.yaml": "new: 1\n"})
    assert relation(repository(clone), recorded, head) is Relation.BEHIND
    world.hide_origin()
    assert relation(repository(clone), recorded, head) is Relation.UNKNOWN


def test_a_rewritten_main_that_the_server_has_forgotten(world: World, line: Line) -> None:
    clone = world.clone("c", "--depth=1")
    assert line.relation(clone, "absent", "e") is Relation.DIVERGED


def test_a_head_that_the_server_does_not_have(world: World, line: Line) -> None:
    clone = world.clone("c", "--depth=1")
    head = world.commit({"local.yaml": "x: 1\n"}, clone, push=False)
    assert relation(repository(clone), line.commits["b"], head) is Relation.UNKNOWN


def test_without_a_remote(world: World, line: Line) -> None:
    git(world.seed, "remote", "remove", "origin")
    assert line.relation(world.seed, "b", "e") is Relation.AHEAD
    assert line.relation(world.seed, "absent", "e") is Relation.DIVERGED
    clone = world.clone("c", "--depth=1")
    git(clone, "remote", "remove", "origin")
    assert line.relation(clone, "b", "e") is Relation.UNKNOWN


@pytest.mark.parametrize("forged", ["", "HEAD", "main", "--all", "e" * 7, "E" * 40, "1" * 41])
def test_what_is_no_commit_id_is_unknown(world: World, forged: str) -> None:
    assert relation(repository(world.seed), forged, git(world.seed, "rev-parse", "HEAD")) is Relation.UNKNOWN


def test_which_remote_is_asked(world: World, line: Line) -> None:
    clone = world.clone("c", "--depth=1", "--origin=one")
    git(clone, "remote", "add", "two", "file:///nowhere")
    with pytest.raises(GitError, match="several remotes"):
        line.relation(clone, "b", "e")
    for remote, expected in (("one", Relation.AHEAD), ("two", Relation.UNKNOWN)):
        assert relation(repository(clone), line.commits["b"], line.commits["e"], remote=remote) is expected


def test_an_address_relative_to_the_clone(world: World, line: Line) -> None:
    clone = world.clone("c", "--depth=1")
    git(clone, "remote", "set-url", "origin", "../origin")
    assert line.relation(clone, "b", "e") is Relation.AHEAD


def test_sha256(tmp_path: Path) -> None:
    world = World(tmp_path, object_format="sha256")
    old = git(world.seed, "rev-parse", "HEAD")
    new = world.commit({"identities/new.yaml": "new: 1\n"})
    clone = world.clone("c", "--depth=1")
    assert relation(repository(clone), old, new) is Relation.AHEAD
    assert relation(repository(clone), "12" * 32, new) is Relation.DIVERGED


@pytest.fixture
def seen_headers() -> Iterator[tuple[str, list[tuple[str, str | None, str | None]]]]:
    """A server that answers 404 and notes path, Authorization and X-More of each request."""
    seen: list[tuple[str, str | None, str | None]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append((self.path, self.headers["Authorization"], self.headers["X-More"]))
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/", seen
        server.shutdown()


def test_the_clones_own_credentials_are_used(
    world: World,
    line: Line,
    seen_headers: tuple[str, list[tuple[str, str | None, str | None]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url, seen = seen_headers
    clone = world.clone("c", "--depth=1")
    token = base64.b64encode(b"x-access-token:t0ken").decode()
    included = world.folder / "credentials"
    git(clone, "config", "--file", str(included), f"http.{url}.extraheader", f"AUTHORIZATION: basic {token}")
    git(clone, "config", f"includeIf.gitdir:{clone}/.git.path", str(included))
    git(clone, "remote", "set-url", "origin", "forge:org/repo.git")
    git(clone, "config", f"url.{url}.insteadOf", "forge:")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "http.extraheader")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "X-More: yes")
    assert line.relation(clone, "b", "e") is Relation.UNKNOWN
    path, authorization, inherited = seen[0]
    assert path.startswith("/org/repo.git/info/refs")
    assert authorization == f"basic {token}"
    assert inherited == "yes"
