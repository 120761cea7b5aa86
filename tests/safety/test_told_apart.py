"""Two who may be one, as whole runs: in the declarations, and on the server. Nobody is guessed at; all others go on."""

from pathlib import Path

import pytest

from tests.cli.provider import Provider
from tests.safety.left_as_it_is import live, twice
from tests.safety.rails import applied, apply, crew, declared
from tests.sandbox.raw import stored

ZOE = "zoe@x.example"


def row(key: str, login: str, more: str = "") -> str:
    return f"  {key}: {{userName: {login}, displayName: D{more}}}\n"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("users:\n" + row("a", "Zoe@x.example"), "users:\n" + row("b", ZOE)),
        ("users:\n" + row("zoe", ZOE), "users:\n" + row("Zoe", "other@x.example")),
        ("users:\n" + row("a", "zo\u00e9@x.example"), "users:\n" + row("b", "zoe\u0301@x.example")),
        ("users:\n" + row("a", ZOE, ", employeeNumber: '7'"), "users:\n" + row("b", "b@x.io", ", employeeNumber: '7'")),
        ("groups:\n  ops: {displayName: Ops}\n", "groups:\n  sre: {displayName: OPS}\n"),
        ("groups:\n  ops: {displayName: Ops}\n", "groups:\n  Ops: {displayName: Other}\n"),
        ("users:\n" + row("a", ZOE), "users:\n" + row("b", "b@x.io", ", formerly: [Zoe@x.example]")),
    ],
    ids=["login", "key", "form of a letter", "number", "name of a group", "key of a group", "earlier login"],
)
def test_two_lines_for_one_are_a_mistake_that_names_both(first: str, second: str, tmp_path: Path) -> None:
    with applied(tmp_path / "here", declared("p0")) as (folder, running):
        folder.write("identities/b.yaml", first)
        folder.write("identities/c.yaml", second)
        running.asked.clear()
        for ran in (folder.run("validate"), folder.run("plan"), apply(folder)):
            assert ran.code == 1, ran.out + ran.err
            assert "identities/c.yaml:2" in ran.out + ran.err
            assert "identities/b.yaml:2" in ran.out + ran.err
        assert not running.asked


def untouched(running: Provider, before: dict[str, object]) -> None:
    """Neither of the two has changed, and nothing was sent to the one that only the listing has."""
    assert running.users()[ZOE] == before
    assert not [path for _, path in running.writes if "a-twin" in path]


@pytest.mark.parametrize(
    ("lines", "named"),
    [
        (
            declared("p0", "p1", "zoe", zoe=", title: Boss") + crew("p0", "p1", "zoe"),
            "# user.zoe: 2 live resources fit",
        ),
        (declared("p0", "p1") + crew("p0", "p1", f"{{live: {ZOE}}}"), "# group.crew: 2 live resources are called zoe@"),
        (
            declared("p0", "p1", p0=f", manager: {{live: {ZOE}}}") + crew("p0", "p1"),
            "# user.p0: manager: 2 live resources are called zoe@",
        ),
    ],
    ids=["declared", "member by login", "manager by login"],
)
def test_whoever_may_be_two_is_neither_changed_nor_referred_to(lines: str, named: str, tmp_path: Path) -> None:
    with applied(tmp_path / "here", declared("p0", "p1") + crew("p0")) as (folder, running):
        live(running, {"userName": ZOE})
        before = running.users()[ZOE]
        twice(running, ZOE)
        folder.write("identities/a.yaml", lines.replace("displayName: p1", "displayName: p1, title: Clerk"))
        for _ in range(2):
            ran = apply(folder)
            assert ran.code == 5, ran.out + ran.err
            assert named in " ".join(ran.out.split())
            untouched(running, before)
        ids = {running.users()[f"{each}@x.example"]["id"] for each in ("p0", "p1")}
        assert {each["value"] for each in stored(running.service, "Crew")["members"]} == ids
        assert running.users()["p1@x.example"]["title"] == "Clerk"


@pytest.mark.parametrize("stays", [True, False])
def test_the_record_tells_two_apart(stays: bool, tmp_path: Path) -> None:
    """Whoever is ours is known by id: she is changed, or leaves, and the other one of her name is left alone."""
    with applied(tmp_path / "here", declared("p0", "zoe") + crew("p0", "zoe")) as (folder, running):
        twice(running, ZOE)
        now = declared("p0", "zoe", zoe=", title: Lead") + crew("p0") if stays else declared("p0") + crew("p0")
        folder.write("identities/a.yaml", now)
        ran = apply(folder)
        assert ran.code == 0, ran.out + ran.err
        zoe = running.users()[ZOE]
        assert (zoe.get("title"), zoe["active"]) == (("Lead", True) if stays else (None, False))
        assert not [path for _, path in running.writes if "a-twin" in path]
        assert folder.run("plan", "--detailed-exitcode").code == 0
