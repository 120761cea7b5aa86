"""Accounts that no listing shows although its total agrees, and logins that nobody to be seen bears: whole runs.

Whoever the record knows is read by id. A login that is held by somebody nobody is shown is refused by the server alone:
that one line is named, all others are done, and nothing is tried on whoever holds it.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest
from msgspec.structs import replace

from reconciler.sandbox import Request
from reconciler.sandbox.messages import Response
from tests.cli.in_process import QuickFolder
from tests.cli.provider import Provider
from tests.properties.stage import pass_time_at_once
from tests.safety.left_as_it_is import live
from tests.safety.rails import applied, apply, crew, declared
from tests.sandbox.raw import stored
from tests.transport.serving import FakeTime

Office = tuple[QuickFolder, Provider]
TEAM = ("ann", "bob", "cy")


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    pass_time_at_once(monkeypatch, FakeTime())
    with applied(tmp_path / "here", declared(*TEAM) + crew(*TEAM)) as (folder, running):
        yield folder, running


def hide(running: Provider, login: str, *, by_id: bool = False) -> str:
    """Leave an account out of every listing and every search, and with `by_id` deny it altogether; its id."""
    hidden = str(running.users()[login]["id"])

    def before(request: Request) -> Response | None:
        if request.method != "GET":
            return None
        if by_id and unquote(request.target).endswith(f"/Users/{hidden}"):
            return running.service.handle(replace(request, target="/scim/v2/Users/nobody"))
        if not request.target.startswith("/scim/v2/Users?"):
            return None
        answer = running.service.handle(request)
        listing = json.loads(answer.body)
        rows = [each for each in listing.get("Resources", ()) if each["id"] != hidden]
        left_out = len(listing.get("Resources", ())) - len(rows)
        listing |= {"Resources": rows, "totalResults": listing["totalResults"] - left_out, "itemsPerPage": len(rows)}
        return replace(answer, body=json.dumps(listing).encode())

    running.before = before
    running.asked.clear()
    return hidden


def inside(running: Provider) -> set[str]:
    by_id = {user["id"]: name.partition("@")[0] for name, user in running.users().items()}
    return {by_id[each["value"]] for each in stored(running.service, "Crew")["members"]}


def posts(running: Provider) -> int:
    return sum(method == "POST" for method, _ in running.writes)


# --- whoever the record knows


def test_whoever_is_declared_is_changed_and_not_made_again(office: Office) -> None:
    folder, running = office
    hide(running, "bob@x.example")
    folder.write("identities/a.yaml", declared(*TEAM, bob=", title: Lead", cy=", title: Clerk") + crew("bob", "cy"))
    ran = apply(folder)
    assert ran.code == 0, ran.out + ran.err
    assert "in no listing of the server, and there by id: bob@x.example" in " ".join(ran.out.split())
    assert [running.users()[f"{each}@x.example"]["title"] for each in ("bob", "cy")] == ["Lead", "Clerk"]
    assert inside(running) == {"bob", "cy"}
    assert posts(running) == 0
    assert folder.run("plan", "--detailed-exitcode").code == 0


def test_whoever_leaves_is_put_off_all_the_same(office: Office) -> None:
    folder, running = office
    hide(running, "bob@x.example")
    folder.write("identities/a.yaml", declared("ann", "cy") + crew("ann", "cy"))
    assert apply(folder).code == 0
    assert running.users()["bob@x.example"]["active"] is False
    assert inside(running) == {"ann", "cy"}
    assert folder.run("plan", "--detailed-exitcode").code == 0


def test_whoever_is_denied_by_id_too_counts_as_deleted_by_others(office: Office) -> None:
    """She is not made again; an entry of a group that leads to nobody is cleared away."""
    folder, running = office
    hide(running, "bob@x.example", by_id=True)
    folder.write("identities/a.yaml", declared(*TEAM, cy=", title: Clerk") + crew(*TEAM))
    ran = apply(folder)
    assert ran.code == 0, ran.out + ran.err
    assert "# user.bob deleted on the server" in " ".join(ran.out.split())
    assert posts(running) == 0
    assert inside(running) == {"ann", "cy"}
    assert running.users()["cy@x.example"]["title"] == "Clerk"


# --- logins that are held by nobody to be seen


def comes(folder: QuickFolder) -> None:
    folder.write("identities/a.yaml", declared(*TEAM, "zoe", "yan", cy=", title: Clerk") + crew(*TEAM, "zoe", "yan"))


def takes_her_login(folder: QuickFolder) -> None:
    lines = declared(*TEAM, "yan", bob=", title: Lead", cy=", title: Clerk").replace("bob@", "zoe@")
    folder.write("identities/a.yaml", lines + crew(*TEAM, "yan"))


@pytest.mark.parametrize("active", [True, False], ids=["in use", "switched off"])
@pytest.mark.parametrize(
    ("lines", "named", "words"),
    [
        (comes, "! user.zoe", "zoe@x.example exists already"),
        (takes_her_login, "! user.bob", "userName 'zoe@x.example' is taken"),
    ],
    ids=["somebody new", "another login"],
)
def test_a_login_that_is_held_and_shown_nowhere_costs_one_line(
    lines: Callable[[QuickFolder], None], named: str, words: str, active: bool, office: Office
) -> None:
    folder, running = office
    live(running, {"userName": "zoe@x.example", "displayName": "Somebody else", "active": active})
    held = hide(running, "zoe@x.example", by_id=True)
    before = running.users()["zoe@x.example"]
    lines(folder)
    for _ in range(2):
        running.asked.clear()
        ran = apply(folder)
        assert ran.code == 5, ran.out + ran.err
        assert named in ran.out
        assert words in " ".join(ran.out.split())
        # whoever holds it is left as she is, and is asked for no more than it takes to know
        assert running.users()["zoe@x.example"] == before
        assert not [path for method, path in running.writes if held in path]
        assert posts(running) <= 2
        assert inside(running) == {*TEAM, "yan"}
        assert running.users()["cy@x.example"]["title"] == "Clerk"
    assert folder.run("plan", "--detailed-exitcode").code == 2
    # once the login is free, what was asked for comes about
    running.before = lambda request: None
    running.service.handle(Request(method="DELETE", target=f"/scim/v2/Users/{held}"))
    ran = apply(folder)
    assert ran.code == 0, ran.out + ran.err
    assert running.users()["zoe@x.example"]["id"] != held
    assert folder.run("plan", "--detailed-exitcode").code == 0
