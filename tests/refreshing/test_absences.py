"""Who is in no listing is read by id before anybody believes that she is gone."""

from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from reconciler.absences import MANY, refresh_proved, with_members
from reconciler.errors import IncompleteListing
from reconciler.model import SAMPLE, Address, AppliedResource, AppliedState, ResourceType
from reconciler.profiles.profile import RFC, MembershipRules
from tests.transport.serving import reader


class Server:
    """Users u0, u1 …, of whom a listing shows `shown`, `cap` at a time; `lies`: a page's rows are its total.

    `groups` are in no listing.
    """

    def __init__(
        self, people: int, *, groups: tuple[str, ...] = (), shown: int | None = None, cap: int = 100, lies: bool = False
    ) -> None:
        self.people = {f"u{each}": {"id": f"u{each}", "userName": f"n{each}@example.com"} for each in range(people)}
        self.listed = list(self.people.values())[: people if shown is None else shown]
        self.groups = {each: {"id": each, "displayName": each, "members": []} for each in groups}
        self.cap, self.lies = cap, lies
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.path.rpartition("/v2")[2])
        kind, _, resource_id = self.asked[-1].strip("/").partition("/")
        if resource_id:
            found = (self.people if kind == "Users" else self.groups).get(resource_id)
            return httpx.Response(404) if found is None else httpx.Response(200, json=found)
        rows = self.listed if kind == "Users" else []
        start = int(request.url.params.get("startIndex", 1)) - 1
        page = rows[start : start + self.cap]
        total = len(page) if self.lies else len(rows)
        return httpx.Response(200, json={"totalResults": total, "Resources": page})

    @property
    def by_id(self) -> int:
        return sum(each.count("/") > 1 for each in self.asked)


def recorded(*ids: str, kind: ResourceType = ResourceType.USER) -> AppliedState:
    entries = {Address(resource_type=kind, key=each): each for each in ids}
    resources = {address: AppliedResource(address=address, live_id=each) for address, each in entries.items()}
    return AppliedState(whole=True, resources=resources)


def codes(state: Any) -> list[str]:
    return [each.code for each in state.notices]


def ids(count: int) -> list[str]:
    return [f"u{each}" for each in range(count)]


def test_whoever_is_listed_costs_nothing() -> None:
    server = Server(3)
    state = refresh_proved(reader(server), RFC, recorded(*ids(3)))
    assert server.asked == ["/Users", "/Groups"]
    assert set(state.resources) == set(ids(3))


def test_whoever_is_gone_stays_gone() -> None:
    server = Server(3)
    state = refresh_proved(reader(server), RFC, recorded("u1", "u9"))
    assert server.asked == ["/Users", "/Groups", "/Users/u9"]
    assert set(state.resources) == set(ids(3))
    assert (state.totals_trusted, codes(state)) == (True, [])


@pytest.mark.parametrize("forged", ["..", ".", "bulkId:user.ann", "u\n1", "u" * 5000])
def test_what_is_no_id_is_not_asked_for(forged: str) -> None:
    server = Server(1)
    refresh_proved(reader(server), RFC, recorded("u0", forged))
    assert server.asked == ["/Users", "/Groups"]


def test_a_group_is_looked_for_among_groups() -> None:
    server = Server(1)
    refresh_proved(reader(server), RFC, recorded("g1", kind=ResourceType.GROUP))
    assert server.asked == ["/Users", "/Groups", "/Groups/g1"]


def test_a_page_that_claims_to_be_all_is_walked_to_the_end() -> None:
    server = Server(7, cap=3, lies=True)
    state = refresh_proved(reader(server), RFC, recorded("u5"))
    assert set(state.resources) == set(ids(7)), "also those whom the record does not know"
    assert (state.totals_trusted, codes(state)) == (False, ["totals-not-trusted"])
    assert server.by_id == 1


def test_an_account_that_hides_is_there_and_said() -> None:
    server = Server(4, shown=3)
    state = refresh_proved(reader(server), RFC, recorded(*ids(4)))
    assert set(state.resources) == set(ids(4))
    assert (state.totals_trusted, codes(state)) == (True, ["not-listed"])
    assert "n3@example.com" in state.notices[0].summary


def test_everybody_gone_is_read_by_id_up_to_a_bound() -> None:
    server = Server(0)
    state = refresh_proved(reader(server), RFC, recorded(*ids(SAMPLE + 7)))
    assert state.resources == {}
    assert server.by_id == SAMPLE


@pytest.mark.parametrize("hidden", [1, SAMPLE + 7])
def test_more_are_read_by_id_where_somebody_is_there(hidden: int) -> None:
    """As many as were deleted stop no run, though one account is in no listing."""
    server = Server(hidden, shown=0)
    absent = [*(f"gone{each}" for each in range(SAMPLE + 7)), *ids(hidden)]
    state = refresh_proved(reader(server), RFC, recorded(*absent), also={"u0": ResourceType.USER})
    assert set(state.resources) == state.unlisted == set(ids(hidden))
    assert server.by_id == 2 * SAMPLE + len(absent) - SAMPLE, (
        "a sample before and after the walk to the end, then the rest"
    )


def test_too_many_hidden_to_read_by_id_stop_the_run() -> None:
    server = Server(MANY + 7, shown=0)
    with pytest.raises(IncompleteListing, match=f"{MANY + 7:,} of {MANY + 7:,} recorded"):
        refresh_proved(reader(server), RFC, recorded(*ids(MANY + 7)))


def test_whoever_was_hidden_before_is_looked_for_first() -> None:
    server = Server(1, shown=0)
    absent = [f"gone{each}" for each in range(SAMPLE + 7)]
    assert refresh_proved(reader(server), RFC, recorded(*absent, "u0")).resources == {}, "in no sample by itself"
    state = refresh_proved(reader(server), RFC, recorded(*absent, "u0"), also={"u0": ResourceType.USER})
    assert set(state.resources) == {"u0"}


# --- members of groups whom nobody knows


@pytest.mark.parametrize(
    ("nested", "asked", "there"),
    [
        (True, ["/Users/g1", "/Users/u3", "/Users/x", "/Groups/g1", "/Groups/x"], {"u3", "g1"}),
        (False, ["/Users/g1", "/Users/u3", "/Users/x"], {"u3"}),
    ],
)
def test_members_in_no_listing_are_read_by_id(nested: bool, asked: list[str], there: set[str]) -> None:
    server = Server(4, shown=3, groups=("g1",))
    profile = replace(RFC, membership=MembershipRules(nested=nested))
    state = refresh_proved(reader(server), profile, AppliedState())
    server.asked.clear()
    found = with_members(reader(server), profile, state, {"x", "u3", "g1"})
    assert server.asked == asked
    assert found.unlisted == there
    assert set(found.resources) == {*ids(3), *there}
    assert codes(found) == ["not-listed"]


def test_members_who_are_nowhere_change_nothing() -> None:
    server = Server(1)
    state = refresh_proved(reader(server), RFC, AppliedState())
    assert with_members(reader(server), RFC, state, ids(SAMPLE + 7)[1:]) is state
    assert server.by_id == 2 * SAMPLE


def test_too_many_members_to_read_by_id_stop_the_run() -> None:
    server = Server(MANY + 7, shown=0)
    state = refresh_proved(reader(server), RFC, AppliedState())
    with pytest.raises(IncompleteListing, match=f"{MANY + 7:,} members .* {SAMPLE} of {SAMPLE}"):
        with_members(reader(server), RFC, state, ids(MANY + 7))


@pytest.mark.parametrize("hidden", [1, SAMPLE + 7])
def test_more_members_are_read_by_id_where_one_of_them_is_there(hidden: int) -> None:
    server = Server(hidden, shown=0)
    state = refresh_proved(reader(server), RFC, AppliedState())
    gone = [f"z{each}" for each in range(SAMPLE + 7)]
    assert with_members(reader(server), RFC, state, [*ids(hidden), *gone]).unlisted == set(ids(hidden))


def test_whoever_was_found_before_is_looked_for_again() -> None:
    server = Server(4, shown=3)
    state = refresh_proved(reader(server), RFC, AppliedState(), also={"u3": ResourceType.USER})
    assert state.unlisted == {"u3"}
