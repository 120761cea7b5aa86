"""Whole runs against listings that cannot be believed: nothing is planned and nothing written, and the run says why.

Each world is a habit of the server's listings. Where it lasts, the run stops with the numbers; where it was there for
one walk only, the listing is walked again and all is done.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from msgspec.structs import replace

from reconciler.sandbox import Request
from reconciler.sandbox.messages import Response
from tests.cli.in_process import QuickFolder, quick
from tests.cli.provider import Provider, provider
from tests.properties.stage import pass_time_at_once
from tests.safety.rails import apply, crew, declared
from tests.sandbox.raw import stored
from tests.transport.serving import FakeTime

TEAM = [f"p{number}" for number in range(6)]
FOUND = declared(*TEAM) + crew(*TEAM)
NOW = declared(*TEAM[:5], "zoe", p0=", title: Lead") + crew(*TEAM[:4], "zoe")
"""One leaves, one comes, one changes, one leaves the crew."""
Page = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class World:
    """`spoil`: what becomes of a page of the listing under `path`, given the index of its first row, from 1.

    `words`: what is said of it where it lasts. `mends`: whether another walk may show it whole.
    """

    name: str
    spoil: Callable[[Page, int], Page]
    words: str
    path: str = "/Users"
    mends: bool = True


def without_row(login: str) -> Callable[[Page, int], Page]:
    """A row is lost; the total counts it."""

    def spoil(page: Page, _: int) -> Page:
        rows = [each for each in page["Resources"] if each.get("userName", each.get("displayName")) != login]
        return {**page, "Resources": rows}

    return spoil


def lost_between_pages(page: Page, start: int) -> Page:
    """Whoever stood first on the second page has moved to the first one, which was read already."""
    return {**page, "Resources": page["Resources"][1:]} if start == 3 else page


def twice(page: Page, start: int) -> Page:
    """A row of the first page stands on a later one, in place of another."""
    return {**page, "Resources": [FIRST[0], *page["Resources"][1:]]} if start > 1 else _seen(page)


def first_page_again(page: Page, start: int) -> Page:
    return {**page, "Resources": list(FIRST)} if start > 1 else _seen(page)


def moving_total(page: Page, start: int) -> Page:
    return {**page, "totalResults": page["totalResults"] + start}


def shrinking_total(page: Page, start: int) -> Page:
    return {**page, "totalResults": page["totalResults"] - start // 2}


def ends_early(page: Page, start: int) -> Page:
    return page if start == 1 else {**page, "Resources": []}


def total_without_rows(page: Page, _: int) -> Page:
    return {name: value for name, value in page.items() if name != "Resources"}


FIRST: list[dict[str, Any]] = []
"""The rows of the first page, as it was read last."""


def _seen(page: Page) -> Page:
    FIRST[:] = page["Resources"]
    return page


WORLDS = (
    World(name="a row that is in no page", spoil=without_row("p5@x.example"), words="says 7, 6 rows came"),
    World(name="a row lost between two pages", spoil=lost_between_pages, words="an id came twice within the listing"),
    World(name="a total that grows", spoil=moving_total, words="totalResults moved from 8 to 10"),
    World(name="a total that shrinks", spoil=shrinking_total, words="totalResults moved from 7 to 6"),
    World(name="an id that comes twice", spoil=twice, words="an id came twice within the listing"),
    World(name="a listing that ends early", spoil=ends_early, words="says 7, 2 rows came"),
    World(name="a total without rows", spoil=total_without_rows, words="says 7, 0 rows came"),
    World(name="the first page again", spoil=first_page_again, words="2 of 7 rows can be read", mends=False),
    World(name="a group that is in no page", spoil=without_row("Crew"), path="/Groups", words="says 2, 1 rows came"),
)


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[QuickFolder, Provider]]:
    """Six people in a group, listed two at a time, and four changes that are not applied yet."""
    pass_time_at_once(monkeypatch, FakeTime())
    with provider() as running:
        folder = quick(tmp_path / "here")
        folder.write("reconciler.yaml", running.settings(more="    pageSize: 2\n"))
        folder.write("identities/a.yaml", FOUND)
        assert apply(folder).code == 0
        folder.write("identities/a.yaml", NOW)
        running.asked.clear()
        yield folder, running


def spoiled(running: Provider, world: World, walks: int) -> list[int]:
    """The listing is spoiled for so many walks; the list that is given holds a number for each walk."""
    begun: list[int] = []

    def before(request: Request) -> Response | None:
        address = urlsplit(request.target)
        if request.method != "GET" or not address.path.endswith(world.path):
            return None
        start = int(parse_qs(address.query).get("startIndex", ["1"])[0])
        begun.extend([len(begun)] if start == 1 else [])
        answer = running.service.handle(request)
        if len(begun) > walks:
            return answer
        return replace(answer, body=json.dumps(world.spoil(json.loads(answer.body), start)).encode())

    running.before = before
    return begun


def done(folder: QuickFolder, running: Provider) -> None:
    """Everything that was asked for is in place, and nobody was made twice."""
    people = {name: each for name, each in running.users().items() if name.endswith("@x.example")}
    assert sorted(people) == [*(f"{each}@x.example" for each in TEAM), "zoe@x.example"]
    assert (people["p5@x.example"]["active"], people["p0@x.example"]["title"]) == (False, "Lead")
    group = stored(running.service, "Crew")
    inside = {name for name, each in people.items() if each["id"] in {one["value"] for one in group["members"]}}
    assert inside == {f"{each}@x.example" for each in (*TEAM[:4], "zoe")}
    assert folder.run("plan", "--detailed-exitcode").code == 0


@pytest.mark.parametrize("world", WORLDS, ids=lambda each: each.name)
def test_a_listing_that_cannot_be_believed_stops_the_run(world: World, office: tuple[QuickFolder, Provider]) -> None:
    folder, running = office
    begun = spoiled(running, world, walks=99)
    for ran in (folder.run("plan"), apply(folder)):
        assert ran.code == 1, ran.out + ran.err
        assert world.words in " ".join(ran.err.split())
        assert "Plan:" not in ran.out
    assert not running.writes
    assert len(begun) == (8 if world.mends else 2)
    running.before = lambda request: None
    assert apply(folder).code == 0
    done(folder, running)


@pytest.mark.parametrize("world", [each for each in WORLDS if each.mends], ids=lambda each: each.name)
def test_a_listing_that_moved_for_a_moment_is_walked_again(world: World, office: tuple[QuickFolder, Provider]) -> None:
    folder, running = office
    spoiled(running, world, walks=3)
    ran = apply(folder)
    assert ran.code == 0, ran.out + ran.err
    done(folder, running)
