"""Walks a listing to its end, or says why it cannot be believed (RFC 7644 §3.4.2.4, RFC 9865).

The next page starts after the rows that came, whatever was asked for. ``totalResults`` is a claim to be checked: one
that moves, or that the rows do not reach, makes the walk start again; one that lies low is trusted no more and the walk
ends at an empty page. A doubtful listing is walked again and then refused; nothing of it gets out.
"""

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from msgspec import Struct

from reconciler.errors import IncompleteListing, TargetError
from reconciler.model import Json
from reconciler.profiles.profile import Paging
from reconciler.transport.ahead import WORTH, Ahead
from reconciler.transport.answers import is_usable_id

WALKS_AGAIN: Final = 3
"""How often a doubtful listing is walked again."""
_EMPTY_PAGES: Final = 100
"""Empty pages in a row that cursor paging may bring."""
_ROUND: Final = (10, 25)
"""Page sizes that servers have are multiples of one of these."""
_CUT: Final = 400
"""How a page behind the last that may be listed is answered."""
_CURSOR_LOST: Final = ("invalidCursor", "expiredCursor")

Row: TypeAlias = Mapping[str, Json]


class Listing(Struct, frozen=True, kw_only=True):
    """All rows, each id once. `total` is what the server claims; where it is not to be trusted, the rows are all.

    `cut`: the server refused the pages behind these rows.
    """

    rows: tuple[Row, ...]
    total: int | None
    totals_trusted: bool
    cut: bool = False


class Page(Struct, frozen=True, kw_only=True):
    """One ListResponse. `total` None where the server states none; `next_cursor` None on the last page."""

    rows: tuple[Row, ...]
    total: int | None
    next_cursor: str | None = None


class PageRefused(TargetError):
    """The server refused a page; `scim_type` says why, if it does. `later`: pages before it came."""

    later = False

    def __init__(self, summary: str, mend: str, scim_type: str | None, status: int | None = None) -> None:
        super().__init__(summary, mend)
        self.scim_type = scim_type
        self.status = status


Ask: TypeAlias = Callable[[Mapping[str, str]], Page]


def complete_listing(
    ask: Ask,
    page_size: int | None,
    where: str,
    pause: Callable[[float], None],
    *,
    threads: int = 1,
    paging: Paging = Paging.INDEX,
    to_the_end: bool = False,
    may_be_cut: bool = False,
) -> Listing:
    """Every row of a listing, or IncompleteListing with the numbers.

    `ask` takes paging parameters and gives a page; `where` is the address for messages; `pause` waits for seconds.
    `threads`: how many pages may be waited for at once; with more than one, `ask` is called from several threads.
    `paging`: what the first page is asked by; a server that gives a cursor unasked is followed all the same.
    `to_the_end`: no total is believed, the walk ends at an empty page. `may_be_cut`: where a later page is refused with
    400, and so again, the walk ends there, and the listing says so.
    """
    doubts: list[str] = []
    for attempt in range(WALKS_AGAIN + 1):
        if attempt:
            pause(float(attempt))
        try:
            return _Walk(ask, page_size, where, threads, paging, to_the_end, may_be_cut).run()
        except _Doubt as doubt:
            doubts.append(str(doubt))
    raise IncompleteListing(
        f"{where}: the listing cannot be believed: {doubts[-1]} (walked {len(doubts)} times)",
        "run again when nobody else is changing users or groups; if it stays so, try another pageSize",
    )


def row_id(row: object, where: str) -> str:
    """The id of a row. Raises IncompleteListing if there is none that can be used."""
    if not isinstance(row, Mapping):
        raise IncompleteListing(f"{where}: a row of the listing is no object", "ask the provider what it is")
    found = row.get("id")
    if found is None:
        found = next((value for name, value in row.items() if name.lower() == "id"), None)
    if not is_usable_id(found):
        raise IncompleteListing(f"{where}: a row of the listing has no usable id", "ask the provider what it is")
    return found


class _Doubt(Exception):
    """Why a walk cannot be believed; another may fare better."""


class _Walk:
    """One walk from the first page to the last."""

    def __init__(
        self,
        ask: Ask,
        page_size: int | None,
        where: str,
        threads: int,
        paging: Paging,
        to_the_end: bool,
        may_be_cut: bool,
    ) -> None:
        self._ask = ask
        self._by_cursor = paging is Paging.CURSOR
        self._threads = threads
        self._ahead: Ahead[Page] | None = None
        self._page_size = page_size
        self._where = where
        self._rows: dict[str, Row] = {}
        self._first: list[str] = []
        self._received = 0
        self._pages = 0
        self._empty = 0
        self._total: int | None = None
        self._to_the_end = to_the_end
        self._may_be_cut = may_be_cut
        self._trusted = True
        self._own_totals = True
        self._cursors: set[str] = set()

    def run(self) -> Listing:
        """Walk. Raises _Doubt for what another walk may mend, IncompleteListing for what none will."""
        try:
            page = self._first_page()
            more = self._take(page)
            if more:
                self._look_ahead(page)
            while more and (following := self._page_after(page)) is not None:
                page, more = following, self._take(following)
        finally:
            if self._ahead is not None:
                self._ahead.close()
        if not more and self._trusted and self._total is not None and len(self._rows) < self._total:
            raise _Doubt(f"totalResults says {self._total}, {len(self._rows)} rows came")
        return Listing(rows=tuple(self._rows.values()), total=self._total, totals_trusted=self._trusted, cut=more)

    def _page_after(self, page: Page) -> Page | None:
        """The next page; None where the listing may be cut, and is."""
        try:
            try:
                return self._next_page(page)
            except PageRefused as refused:
                if not self._may_be_cut or refused.status != _CUT:
                    raise
                return self._next_page(page)
        except PageRefused as refused:
            if self._may_be_cut and refused.status == _CUT:
                return None
            refused.later = True
            raise

    def _first_page(self) -> Page:
        # An empty cursor asks for the first page by cursor (RFC 9865 §2).
        start = {"cursor": ""} if self._by_cursor else {"startIndex": "1"}
        if self._page_size is None:
            page = self._ask(start if self._by_cursor else {})
        else:
            try:
                page = self._ask(start | self._count())
            except PageRefused as refused:
                if refused.scim_type == "invalidFilter":
                    raise
                self._page_size = None
                page = self._without_paging(refused)
        self._total = page.total
        self._trusted = not self._to_the_end and (page.total is not None or page.next_cursor is not None)
        return page

    def _look_ahead(self, first: Page) -> None:
        """Where the first page is what was asked for and many more must follow, they are asked for ahead of time."""
        size, total = self._page_size, first.total
        if self._threads < 2 or size is None or total is None or first.next_cursor is not None:
            return
        if len(first.rows) == size and total > WORTH * size:
            self._ahead = Ahead(self._at, first=size + 1, size=size, total=total, threads=self._threads)

    def _at(self, start: int) -> Page:
        count = {"count": str(self._page_size)} if self._page_size is not None else {}
        return self._ask({"startIndex": str(start)} | count)

    def _without_paging(self, refused: PageRefused) -> Page:
        """Some servers refuse the parameters of a first page; if they were not the reason, the first refusal counts."""
        try:
            return self._ask({})
        except PageRefused:
            raise refused from None

    def _next_page(self, before: Page) -> Page:
        if before.next_cursor is None:
            start = self._received + 1
            return self._ahead.page(start) if self._ahead is not None else self._at(start)
        if before.next_cursor in self._cursors:
            raise _Doubt(f"the same cursor came twice, after {len(self._rows)} rows")
        self._cursors.add(before.next_cursor)
        count = {"count": str(self._page_size)} if self._page_size is not None else {}
        try:
            return self._ask({"cursor": before.next_cursor} | count)
        except PageRefused as refused:
            if refused.scim_type in _CURSOR_LOST:
                raise _Doubt(f"the cursor was lost after {len(self._rows)} rows") from None
            raise

    def _count(self) -> dict[str, str]:
        return {"count": str(self._page_size)} if self._page_size is not None else {}

    def _take(self, page: Page) -> bool:
        """Keep a page's rows; True if there may be more."""
        ids = [row_id(row, self._where) for row in page.rows]
        self._pages += 1
        if self._pages > 1 and ids and all(each in self._rows for each in ids):
            return self._brought_nothing_new(ids)
        self._refuse_repeated(ids)
        if self._pages == 1:
            self._first = ids
        self._rows.update(zip(ids, page.rows, strict=True))
        self._received += len(ids)
        self._weigh_total(page)
        return self._may_go_on(page)

    def _brought_nothing_new(self, ids: list[str]) -> bool:
        """A page of rows that are all in hand: the end, if the total is reached; otherwise nothing to build on."""
        if self._total is not None and len(self._rows) >= self._total:
            return False
        if ids == self._first:
            raise IncompleteListing(
                f"{self._where}: the server sends its first page again instead of the next; {len(self._rows)} of "
                f"{'an unknown number of' if self._total is None else self._total} rows can be read",
                "this server cannot be read whole by startIndex; try a pageSize that holds everybody",
            )
        raise _Doubt(f"a page brought nothing new after {len(self._rows)} of {self._total} rows")

    def _refuse_repeated(self, ids: list[str]) -> None:
        repeated = [each for each in ids if each in self._rows] or (ids if len(set(ids)) < len(ids) else [])
        if repeated:
            raise _Doubt(f"an id came twice within the listing, after {len(self._rows)} rows")

    def _weigh_total(self, page: Page) -> None:
        """Whether ``totalResults`` still tells the truth: unmoved, and not less than the rows in hand."""
        own = page.total == len(page.rows)
        if page.total is not None and self._total is not None and page.total != self._total and self._trusted:
            # Some servers state the rows of the page as the total.
            if not (self._own_totals and own):
                raise _Doubt(f"totalResults moved from {self._total} to {page.total}")
            self._trusted = False
        self._own_totals = self._own_totals and own
        if self._total is not None and len(self._rows) > self._total:
            self._trusted = False

    def _may_go_on(self, page: Page) -> bool:
        if page.next_cursor is not None:
            self._empty = 0 if page.rows else self._empty + 1
            if self._empty > _EMPTY_PAGES:
                raise _Doubt(f"{self._empty} empty pages in a row, after {len(self._rows)} rows")
            return True
        if self._by_cursor or self._cursors or not page.rows:
            return False
        if self._trusted and self._total == len(self._rows):
            return self._total_may_be_the_page(page)
        return True

    def _total_may_be_the_page(self, page: Page) -> bool:
        """A single page that ends exactly at the total may be a server that states the page's size as the total.

        It costs one request to know, so it is asked only where the number of rows looks like a page: the size asked
        for, or a round one that a server may have as its maximum.
        """
        rows = len(page.rows)
        return self._pages == 1 and (rows == self._page_size or any(rows % each == 0 for each in _ROUND))
