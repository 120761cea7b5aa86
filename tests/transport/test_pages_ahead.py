"""Pages that are asked for ahead of time: the same rows from the same requests, only sooner."""

import threading
from collections.abc import Callable, Mapping

import pytest

from reconciler.errors import IncompleteListing
from reconciler.transport.listing import Listing, Page, PageRefused, complete_listing

SIZE = 10


class Server:
    """`number` rows, `cap` a page at most; remembers where the pages began that it was asked for."""

    def __init__(self, number: int, *, cap: int = SIZE, total: Callable[[int], int] | None = None) -> None:
        self.rows = [{"id": f"u{each}"} for each in range(1, number + 1)]
        self.cap = cap
        self.total = total or (lambda _: number)
        self.asked: list[int] = []

    def __call__(self, paging: Mapping[str, str]) -> Page:
        start = int(paging["startIndex"])
        self.asked.append(start)
        page = self.rows[start - 1 : start - 1 + min(self.cap, int(paging["count"]))]
        return Page(rows=tuple(page), total=self.total(start))


def walk(server: Callable[[Mapping[str, str]], Page], threads: int) -> Listing:
    return complete_listing(server, SIZE, "http://x.example/Users", lambda _: None, threads=threads)


@pytest.mark.parametrize("number", [0, 1, SIZE, 4 * SIZE, 4 * SIZE + 1, 5 * SIZE, 9 * SIZE, 9 * SIZE + 1, 123])
def test_the_same_rows_from_the_same_requests(number: int) -> None:
    one_by_one, ahead = Server(number), Server(number)
    assert walk(one_by_one, 1) == walk(ahead, 4)
    assert sorted(ahead.asked) == one_by_one.asked


def test_several_pages_are_waited_for_at_once() -> None:
    server, together = Server(100), threading.Barrier(4, timeout=10)

    def ask(paging: Mapping[str, str]) -> Page:
        if 11 <= int(paging["startIndex"]) <= 41:
            together.wait()
        return server(paging)

    assert len(walk(ask, 4).rows) == 100


@pytest.mark.parametrize("cap", [1, 3, 7, 9])
def test_shorter_pages_than_asked_for_are_walked_one_by_one(cap: int) -> None:
    server = Server(100, cap=cap)
    assert len(walk(server, 4).rows) == 100
    assert server.asked == list(range(1, 101, cap))


def test_a_page_that_comes_short_later_ends_the_guessing() -> None:
    server = Server(100)

    def ask(paging: Mapping[str, str]) -> Page:
        page = server(paging)
        return Page(rows=page.rows[:-1], total=100) if paging["startIndex"] == "31" else page

    assert [row["id"] for row in walk(ask, 4).rows] == [f"u{each}" for each in range(1, 101)]


def test_a_total_that_moves_is_walked_again_and_then_refused() -> None:
    with pytest.raises(IncompleteListing, match="moved from 100 to 99"):
        walk(Server(100, total=lambda start: 100 if start < 50 else 99), 4)


def test_a_page_that_is_refused_ends_the_walk() -> None:
    server = Server(100)

    def ask(paging: Mapping[str, str]) -> Page:
        if paging["startIndex"] == "61":
            raise PageRefused("no", "", None)
        return server(paging)

    with pytest.raises(PageRefused, match="no"):
        walk(ask, 4)
    assert not [each for each in threading.enumerate() if each.name.startswith("listing")]
