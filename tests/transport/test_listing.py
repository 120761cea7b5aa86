"""Listings of servers that behave, and of servers that do not: whole, or an error that says with numbers why not."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from reconciler.errors import IncompleteListing, NotScim, TargetError
from reconciler.profiles.profile import WireRules
from reconciler.transport.listing import Listing
from tests.transport.serving import FakeTime, Handler, reader


def rows(number: int, start: int = 1) -> list[dict[str, Any]]:
    return [{"id": f"u{each}", "userName": f"user{each}@example.com"} for each in range(start, start + number)]


def asked(request: httpx.Request, name: str, default: int) -> int:
    return int(request.url.params.get(name, default))


def paged(
    everybody: list[dict[str, Any]],
    *,
    cap: int = 1000,
    total: Callable[[list[dict[str, Any]]], int | None] | None = None,
    beyond_is_first: bool = False,
    ignores_paging: bool = False,
) -> Handler:
    """A server with these rows: `cap` rows a page at most, and an opinion of its own about the total."""

    def handle(request: httpx.Request) -> httpx.Response:
        start = 1 if ignores_paging else asked(request, "startIndex", 1)
        if beyond_is_first and start > len(everybody):
            start = 1
        count = cap if ignores_paging else min(cap, asked(request, "count", cap))
        page = everybody[start - 1 : start - 1 + count]
        stated = len(everybody) if total is None else total(page)
        body: dict[str, Any] = {"Resources": page, "startIndex": start, "itemsPerPage": len(page)}
        return httpx.Response(200, json=body if stated is None else body | {"totalResults": stated})

    return handle


def walk(handler: Handler, page_size: int | None = 100) -> tuple[Listing, int]:
    client = reader(handler, WireRules(page_size=page_size))
    return client.listing("/Users"), client.requests


@pytest.mark.parametrize(
    ("people", "page", "requests"),
    [
        (0, 100, 1),
        (1, 100, 1),
        (57, 100, 1),
        (99, 100, 1),
        # A single page that looks like a full one may be all the server wants to show: one more request tells.
        (100, 100, 2),
        (50, 100, 2),
        (101, 100, 2),
        (200, 100, 2),
        (1000, 100, 10),
        (1001, 100, 11),
        (7, 2, 4),
        (8, 2, 4),
        (3, 1, 3),
    ],
)
def test_honest_totals_cost_the_fewest_requests(people: int, page: int, requests: int) -> None:
    listing, used = walk(paged(rows(people)), page)
    assert [each["id"] for each in listing.rows] == [each["id"] for each in rows(people)]
    assert listing.totals_trusted
    assert used == requests


@pytest.mark.parametrize(
    ("name", "handler", "people", "trusted", "requests"),
    [
        ("a cap below the page asked for", paged(rows(120), cap=50), 120, True, 3),
        ("a small default page", paged(rows(57), cap=20), 57, True, 3),
        ("beyond the end the first page again", paged(rows(57), cap=20, beyond_is_first=True), 57, True, 3),
        ("a full single page, beyond it the first", paged(rows(20), cap=20, beyond_is_first=True), 20, True, 2),
        ("a full single page, paging ignored", paged(rows(20), ignores_paging=True), 20, True, 2),
        ("the page's size as the total", paged(rows(120), cap=50, total=len), 120, False, 4),
        ("the page's size as the total, which differs", paged(rows(70), cap=50, total=len), 70, False, 3),
        ("the page's size as the total, last page full", paged(rows(100), cap=50, total=len), 100, False, 3),
        ("a total that is too low", paged(rows(120), cap=50, total=lambda _: 70), 120, False, 4),
        ("a total of nought", paged(rows(12), total=lambda _: 0), 12, False, 2),
        ("no total at all", paged(rows(120), cap=50, total=lambda _: None), 120, False, 4),
    ],
)
def test_odd_servers_that_can_be_read_whole(
    name: str, handler: Handler, people: int, trusted: bool, requests: int
) -> None:
    listing, used = walk(handler)
    assert len(listing.rows) == people, name
    assert listing.totals_trusted is trusted, name
    assert used == requests, name


@pytest.mark.parametrize(
    ("body", "people"),
    [
        ({"totalResults": 0}, 0),
        ({"totalResults": 0, "Resources": None}, 0),
        ({"totalResults": 0, "Resources": []}, 0),
        ({"totalResults": "1", "Resources": rows(1)}, 1),
        ({"TotalResults": 1, "resources": rows(1)}, 1),
        ({"schemas": ["urn:…"], "totalResults": 2, "startIndex": 1, "itemsPerPage": 2, "Resources": rows(2)}, 2),
    ],
)
def test_shapes_of_a_list_response(body: dict[str, Any], people: int) -> None:
    listing, used = walk(lambda _: httpx.Response(200, json=body))
    assert (len(listing.rows), used) == (people, 1)


def changing(*worlds: list[dict[str, Any]], page: int = 10) -> Handler:
    """A server whose people change: request number n sees world n, the last world stays."""
    seen = iter([*worlds[:-1]])

    def handle(request: httpx.Request) -> httpx.Response:
        return paged(next(seen, worlds[-1]), cap=page)(request)

    return handle


def test_somebody_came_meanwhile_and_the_listing_is_walked_again() -> None:
    listing, used = walk(changing(rows(15), rows(16)), 10)
    assert len(listing.rows) == 16
    assert used == 4


def test_somebody_went_meanwhile_and_nobody_is_lost() -> None:
    # u1 is deleted after the first page: u11 moves up to it and would never be seen.
    listing, _ = walk(changing(rows(25), rows(24, start=2)), 10)
    assert {each["id"] for each in listing.rows} == {each["id"] for each in rows(24, start=2)}


def test_rows_that_move_between_pages_are_noticed_by_the_repeated_id() -> None:
    everybody = rows(20)
    listing, _ = walk(changing(everybody, [everybody[-1], *everybody[:-1]], everybody), 10)
    assert len(listing.rows) == 20


def shrinking() -> Handler:
    """20 people, of whom the second page says that it is all there is."""
    return paged(rows(20), cap=15, total=lambda page: 30 if len(page) == 15 else len(page))


def restless() -> Handler:
    numbers: Iterator[int] = iter(range(30, 10_000))
    return lambda request: paged(rows(next(numbers)), cap=10)(request)


def short() -> Handler:
    return paged(rows(18), cap=10, total=lambda _: 20)


def repeating() -> Handler:
    return paged([*rows(15), *rows(5)], cap=10)


@pytest.mark.parametrize(
    ("handler", "numbers"),
    [
        (restless(), ("totalResults moved from", "walked 4 times")),
        (shrinking(), ("totalResults moved from 30 to 5", "walked 4 times")),
        (short(), ("totalResults says 20, 18 rows came", "walked 4 times")),
        (repeating(), ("an id came twice", "walked 4 times")),
        (paged(rows(20), cap=20, total=lambda _: 45, ignores_paging=True), ("first page again", "20 of 45")),
        (paged(rows(20), cap=20, total=lambda _: None, ignores_paging=True), ("first page again",)),
    ],
    ids=[
        "totals that move",
        "a total that becomes the page's size",
        "fewer rows than the total",
        "an id twice",
        "startIndex ignored",
        "neither total nor pages",
    ],
)
def test_what_cannot_be_believed_stops_with_the_numbers(handler: Handler, numbers: tuple[str, ...]) -> None:
    with pytest.raises(IncompleteListing) as stopped:
        walk(handler, 15)
    for each in numbers:
        assert each in stopped.value.summary
    assert "https://scim.example.com/v2/Users" in stopped.value.summary


def test_a_listing_that_is_walked_again_waits_a_little() -> None:
    time = FakeTime()
    with pytest.raises(IncompleteListing):
        reader(short(), WireRules(page_size=10), time).listing("/Users")
    assert time.slept == [1.0, 2.0, 3.0]


UNUSABLE = [None, "", 7, ["u1"], ".", "..", "bulkId:user.ann", "u\x001", "u\n1", "u\x9b1", "\ud800", "u" * 10_000_000]
"""What is no id: it would change an address, pass for somebody who is created, or do harm where it is kept."""


@pytest.mark.parametrize(
    "row", [None, "u1", 7, {}, *({"id": each} for each in UNUSABLE)], ids=lambda row: repr(row)[:30]
)
def test_a_row_that_cannot_be_understood_stops(row: object) -> None:
    body = json.dumps({"totalResults": 1, "Resources": [row]}).encode()
    with pytest.raises(IncompleteListing) as stopped:
        walk(lambda _: httpx.Response(200, content=body))
    assert len(stopped.value.summary) < 200


@pytest.mark.parametrize(
    "strange", ["a/b", "../Users/u2", "u1?x=1#y", "%2e%2e", "uid=ann,ou=people", "äü", "u1 ", "u" * 1024]
)
def test_an_id_may_be_any_other_text(strange: str) -> None:
    listing, _ = walk(lambda _: httpx.Response(200, json={"totalResults": 1, "Resources": [{"id": strange}]}))
    assert [each["id"] for each in listing.rows] == [strange]


@pytest.mark.parametrize("status", [400, 413, 500, 501])
def test_refused_paging_parameters_are_left_out(status: int) -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        if "count" in request.url.params:
            return httpx.Response(status, json={"detail": "count is too large"})
        return paged(rows(57), cap=20)(request)

    listing, used = walk(handle)
    assert (len(listing.rows), used) == (57, 4)


def test_the_first_refusal_counts_if_leaving_out_does_not_help() -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        return httpx.Response(400 if "count" in request.url.params else 500, json={"detail": "no"})

    with pytest.raises(TargetError, match="answered 400"):
        walk(handle)


def test_a_refused_filter_is_no_matter_of_paging() -> None:
    client = reader(lambda _: httpx.Response(400, json={"scimType": "invalidFilter", "detail": "cannot filter"}))
    with pytest.raises(TargetError, match="cannot filter"):
        client.listing("/Users", filter="active eq false")
    assert client.requests == 1


def test_no_page_size_sends_no_count() -> None:
    sent: list[dict[str, str]] = []

    def handle(request: httpx.Request) -> httpx.Response:
        sent.append(dict(request.url.params))
        return paged(rows(57), cap=25)(request)

    listing, _ = walk(handle, None)
    assert len(listing.rows) == 57
    assert sent == [{}, {"startIndex": "26"}, {"startIndex": "51"}]


def test_filter_and_attributes_go_with_every_page_and_are_encoded() -> None:
    sent: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        sent.append(request.url.query.decode())
        return paged(rows(3), cap=2)(request)

    names = ("userName", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager")
    reader(handle).listing("/Users", filter='userName eq "a+b c@x.io"', attributes=names)
    assert len(sent) == 2
    for query in sent:
        assert "filter=userName%20eq%20%22a%2Bb%20c%40x.io%22" in query
        assert "attributes=userName%2Curn%3Aietf" in query
        assert "+" not in query


def cursors(pages: dict[str, tuple[list[dict[str, Any]], str | None]], total: int | None) -> Handler:
    def handle(request: httpx.Request) -> httpx.Response:
        page, following = pages[request.url.params.get("cursor", "")]
        body: dict[str, Any] = {"Resources": page}
        body |= {"nextCursor": following} if following else {}
        return httpx.Response(200, json=body | ({"totalResults": total} if total is not None else {}))

    return handle


@pytest.mark.parametrize("total", [5, None])
def test_a_cursor_that_comes_unasked_is_followed(total: int | None) -> None:
    pages = {"": (rows(2), "b"), "b": ([], "c"), "c": (rows(2, 3), "d"), "d": (rows(1, 5), None)}
    listing, used = walk(cursors(pages, total))
    assert (len(listing.rows), used, listing.totals_trusted) == (5, 4, True)


@pytest.mark.parametrize(
    ("pages", "total", "why"),
    [
        ({"": (rows(2), "b"), "b": (rows(2, 3), "b")}, 9, "the same cursor came twice"),
        ({"": (rows(2), "b"), "b": (rows(2, 3), None)}, 9, "totalResults says 9, 4 rows came"),
        ({"": (rows(2), "b"), "b": (rows(2, 2), None)}, 4, "an id came twice"),
    ],
)
def test_cursors_that_cannot_be_believed(pages: Any, total: int, why: str) -> None:
    with pytest.raises(IncompleteListing, match=why):
        walk(cursors(pages, total))


def test_empty_pages_without_end_stop() -> None:
    numbers = iter(range(10_000))
    with pytest.raises(IncompleteListing, match="empty pages in a row"):
        walk(lambda _: httpx.Response(200, json={"Resources": [], "nextCursor": str(next(numbers))}))


def test_a_page_that_is_refused_on_the_way_stops() -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        first = "cursor" not in request.url.params
        return httpx.Response(200, json={"Resources": rows(2), "nextCursor": "b"}) if first else httpx.Response(500)

    with pytest.raises(TargetError, match="answered 500"):
        walk(handle)


def test_a_later_page_that_comes_twice_is_walked_again() -> None:
    # the third page is the second once more, and only in the first walk
    pages = iter([rows(2), rows(2, 3), rows(2, 3), rows(2), rows(2, 3), rows(2, 5)])
    listing, used = walk(lambda _: httpx.Response(200, json={"totalResults": 6, "Resources": next(pages)}))
    assert (len(listing.rows), used) == (6, 6)


def test_an_expired_cursor_starts_the_walk_again() -> None:
    expired = iter([True, False])

    def handle(request: httpx.Request) -> httpx.Response:
        if "cursor" not in request.url.params:
            return httpx.Response(200, json={"Resources": rows(2), "nextCursor": "b"})
        if next(expired):
            return httpx.Response(400, json={"scimType": "expiredCursor"})
        return httpx.Response(200, json={"Resources": rows(1, 3)})

    listing, used = walk(handle)
    assert (len(listing.rows), used) == (3, 4)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"hello": "world"},
        [],
        [{"id": "u1"}],
        "text",
        {"totalResults": -1},
        {"totalResults": True},
        {"totalResults": 1.5},
        {"Resources": {}},
        {"Resources": "none"},
    ],
)
def test_json_that_is_no_list_response(body: object) -> None:
    with pytest.raises(NotScim):
        walk(lambda _: httpx.Response(200, json=body))


def cut_after(last: int, *, times: int = 99, status: int = 400) -> Handler:
    """Nine people, and a page that begins behind a row is refused, so many times."""
    left = [times]

    def handle(request: httpx.Request) -> httpx.Response:
        if asked(request, "startIndex", 1) > last and left[0]:
            left[0] -= 1
            return httpx.Response(status, json={"detail": "no further"})
        return paged(rows(9))(request)

    return handle


@pytest.mark.parametrize(
    ("handler", "people", "cut", "requests"),
    [
        (cut_after(3), 4, True, 4),
        (cut_after(3, times=1), 9, False, 6),
        (cut_after(9), 9, False, 5),
    ],
    ids=["cut", "refused once", "whole"],
)
def test_a_listing_that_may_be_cut(handler: Handler, people: int, cut: bool, requests: int) -> None:
    client = reader(handler, WireRules(page_size=2))
    found = client.listing("/Users", filter="active eq false", may_be_cut=True)
    assert (len(found.rows), found.cut, client.requests) == (people, cut, requests)


@pytest.mark.parametrize(
    ("handler", "may_be_cut", "words"),
    [
        (cut_after(3), False, "the server answered 400 (no further)"),
        (cut_after(3, status=500), True, "the server answered 500 (no further)"),
        (cut_after(0), True, "it was asked for active eq false"),
    ],
    ids=["may not", "another status", "nothing listed"],
)
def test_a_refused_page_that_is_no_cut(handler: Handler, may_be_cut: bool, words: str) -> None:
    with pytest.raises(TargetError) as stopped:
        reader(handler, WireRules(page_size=2)).listing("/Users", filter="active eq false", may_be_cut=may_be_cut)
    assert words in stopped.value.summary
    assert ("takes no such filter" in stopped.value.mend) is ("asked for" in words)
