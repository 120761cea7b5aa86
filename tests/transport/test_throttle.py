"""The rate budget paces only when it must, and a "later" holds everybody."""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import httpx
import pytest

from reconciler.errors import Unreachable
from reconciler.profiles.profile import WireRules
from reconciler.transport.throttle import Clock, RateBudget, wait_before_retry
from tests.transport.serving import FakeTime, Turns, answering, reader, writer


def test_below_the_limit_nothing_waits() -> None:
    time = FakeTime()
    budget = RateBudget(300, time.clock)
    for _ in range(300):
        budget.acquire()
    assert time.slept == []


def test_at_the_limit_the_oldest_minute_has_to_pass() -> None:
    time = FakeTime()
    budget = RateBudget(3, time.clock)
    moments = []
    for _ in range(10):
        budget.acquire()
        moments.append(time.now - 1_000_000)
        time.now += 1
    assert moments == [0, 1, 2, 60, 61, 62, 120, 121, 122, 180]


def test_without_a_limit_only_a_pause_waits() -> None:
    time = FakeTime()
    budget = RateBudget(None, time.clock)
    for _ in range(10_000):
        budget.acquire()
    assert time.slept == []
    budget.pause(5)
    budget.pause(3)
    budget.acquire()
    assert time.slept == [5.0]


def test_a_pause_holds_every_thread() -> None:
    budget = RateBudget(None, Clock())
    budget.pause(0.05)
    start = Clock().monotonic()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: budget.acquire(), range(4)))
    assert Clock().monotonic() - start >= 0.05


def test_a_long_pause_is_no_silence() -> None:
    """A server may ask for an hour; whoever holds the record says meanwhile that it is alive."""
    time = FakeTime()
    begun = time.now
    handle, asked = answering(
        httpx.Response(201, json={"id": "u1"}, headers={"Used": "9", "Limit": "9", "Reset": "3600"}),
        httpx.Response(201, json={"id": "u2"}),
    )
    client = writer(handle, WireRules(rate_headers={"allowed": "Limit", "count": "Used", "reset": "Reset"}), time)
    turns = Turns(time)
    client.take_turns(turns)
    client.create("/Users", {})
    assert turns.kept == []
    client.create("/Users", {})
    assert len(asked) == 2
    assert turns.kept[-1] == begun + 3600
    assert max(after - before for before, after in pairwise([begun, *turns.kept])) <= 60


def test_whose_turn_it_is_is_asked_after_the_waiting() -> None:
    time = FakeTime()
    handle, asked = answering(httpx.Response(429, headers={"Retry-After": "90"}), httpx.Response(200, json={"id": "u"}))
    client = writer(handle, time=time)
    client.take_turns(Turns(time, over_at=time.now + 60))
    refused = client.create("/Users", {})
    assert len(asked) == 1
    assert (refused.status, refused.detail, refused.unknown) == (None, "somebody else may write", False)
    # who only reads disturbs nobody
    assert client.get("/Users/u") == {"id": "u"}


def test_whoever_is_to_end_waits_out_no_pause() -> None:
    """A server may ask for minutes; a CI system kills what has not ended some seconds after it was told to."""
    time = FakeTime()
    handle, asked = answering(
        httpx.Response(429, headers={"Retry-After": "240"}), httpx.Response(200, json={"id": "u"})
    )
    client = writer(handle, time=time)
    turns = Turns(time, end_at=time.now + 3)
    client.take_turns(turns)
    refused = client.create("/Users", {})
    assert (refused.status, refused.unknown, refused.later, refused.withheld) == (None, False, False, True)
    # nor is anything asked in a pause, and nobody tries it thrice
    with pytest.raises(Unreachable, match="the run was stopped"):
        client.get("/Users/u")
    assert len(asked) == 1
    assert sum(time.slept) == 3
    # once the pause is over, what has been written can be read back
    time.now += 240
    assert client.get("/Users/u") == {"id": "u"}


def test_whoever_is_to_end_still_reads_at_the_pace_that_is_allowed() -> None:
    time = FakeTime()
    handle, asked = answering(httpx.Response(200, json={"id": "u"}))
    client = writer(handle, WireRules(requests_per_minute=2), time)
    client.take_turns(Turns(time, end_at=time.now))
    for _ in range(6):
        client.get("/Users/u")
    assert len(asked) == 6
    assert client.create("/Users", {}).withheld


def test_a_reader_keeps_to_the_profile() -> None:
    time = FakeTime()
    handle, asked = answering(httpx.Response(200, json={"id": "u1"}))
    client = reader(handle, WireRules(requests_per_minute=2), time)
    for _ in range(5):
        client.get("/Users/u1")
    assert (len(asked), time.slept) == (5, [60.0, 60.0])


def test_waits_grow_and_vary() -> None:
    low, high = Clock(jitter=lambda: 0.0), Clock(jitter=lambda: 1.0)
    assert [wait_before_retry(each, None, high) for each in range(1, 9)] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert [wait_before_retry(each, None, low) for each in range(1, 4)] == [0.5, 1, 2]
    assert len({wait_before_retry(3, None, Clock()) for _ in range(20)}) > 1
