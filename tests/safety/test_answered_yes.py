"""What a server answers with success and has not done is looked for, found, and said; the run does not end with 0."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.sandbox import Request
from reconciler.sandbox.messages import Response
from tests.cli.provider import answer
from tests.properties.stage import pass_time_at_once
from tests.safety.rails import applied, apply, crew, declared
from tests.transport.serving import FakeTime

TEAM = declared("p0", "p1", "p2")
DELETE = "removal: {users: delete}"


def is_about(method: str, *words: str) -> Callable[[Request], bool]:
    """Whether a request is of that method and holds one of these words."""
    return lambda each: each.method == method and any(word in f"{each.target} {each.body.decode()}" for word in words)


def made_up(request: Request) -> Response:
    """As if it were done: what was sent, under an id that nobody has."""
    if request.method != "POST":
        return answer(204)
    return answer(201, json.dumps({**json.loads(request.body), "id": "made-up"}).encode())


@pytest.mark.parametrize(
    ("before", "now", "policy", "left_out", "words"),
    [
        (
            TEAM,
            declared("p0", "p1"),
            "",
            is_about("PATCH", '"active"'),
            "active was sent as False, and the server kept True",
        ),
        (
            TEAM,
            declared("p0", "p1"),
            DELETE,
            is_about("DELETE", "/Users/"),
            "the server answered yes, and it is still there",
        ),
        (
            TEAM,
            declared("p0", "p1", "p2", "p3"),
            "",
            is_about("POST", "p3@"),
            "the server answered yes, and it is not there",
        ),
        (
            TEAM + crew("p0"),
            TEAM + crew("p0", "p1"),
            "",
            is_about("PATCH", "/Groups/"),
            "the server answered yes and did not keep members (p1)",
        ),
        (
            TEAM + crew("p0", "p1"),
            TEAM + crew("p0"),
            "",
            is_about("PATCH", "/Groups/"),
            "the server answered yes and did not keep members (p1)",
        ),
    ],
    ids=["put off", "deleted", "created", "member given", "member taken"],
)
def test_what_was_answered_with_yes_and_not_done_is_said(
    before: str,
    now: str,
    policy: str,
    left_out: Callable[[Request], bool],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pass_time_at_once(monkeypatch, FakeTime())
    with applied(tmp_path / "here", before, policy) as (folder, running):
        folder.write("identities/a.yaml", now)
        running.before = lambda request: made_up(request) if left_out(request) else None
        ran = apply(folder)
        assert ran.code == 5, ran.out + ran.err
        assert words in " ".join(ran.out.split())
        # it is not taken for done: the next run tries it again
        running.before = lambda request: None
        assert apply(folder).code == 0
        assert folder.run("plan", "--detailed-exitcode").code == 0


def test_one_who_cannot_be_read_holds_up_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """She is not deleted; all the rest is done, looked at, and remembered."""
    pass_time_at_once(monkeypatch, FakeTime())
    with applied(tmp_path / "here", TEAM, DELETE) as (folder, running):
        folder.write("identities/a.yaml", declared("p0", "p1", "p3"))
        hers = running.users()["p2@x.example"]["id"]
        running.before = lambda request: (
            answer(403) if request.method == "GET" and request.target.endswith(f"/Users/{hers}") else None
        )
        ran = apply(folder)
        assert ran.code == 5, ran.out + ran.err
        assert "so it is not deleted" in " ".join(ran.out.split())
        assert "could not be read again" not in ran.out
        assert "1 to destroy" in folder.run("plan").out
        running.before = lambda request: None
        assert apply(folder).code == 0
        assert folder.run("plan", "--detailed-exitcode").code == 0
