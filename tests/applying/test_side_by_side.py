"""Several operations on their way at once: how many, which of them, and that nothing else differs from one by one."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from reconciler.applying.side_by_side import may_go_beside
from reconciler.audit import Audit
from reconciler.model import Failed, NotTried, Operation, Result, Skipped, Succeeded, known_after_apply
from reconciler.scim.attributes import ENTERPRISE_USER
from tests.applying.performing_world import (
    Forward,
    Twist,
    World,
    create_group,
    create_user,
    delete_user,
    patch_members,
    patch_user,
    user_address,
)

PATIENCE = 30.0
"""Seconds after which a request gives up waiting for others that ought to be on their way."""
BO = known_after_apply(user_address("bo"))


@pytest.fixture
def world() -> Iterator[World]:
    opened = World()
    yield opened
    opened.service.close()


def creates(count: int) -> list[Operation]:
    return [create_user(number, f"u{number}") for number in range(1, count + 1)]


def kinds(results: tuple[Result, ...]) -> list[str]:
    return [type(each).__name__ for each in results]


class Watched:
    """A twist that answers by `answered`, once `together` requests are there, and knows what was on its way at once."""

    def __init__(
        self, together: int, answered: Callable[[httpx.Request, Forward], httpx.Response] | None = None
    ) -> None:
        self._barrier = threading.Barrier(together)
        self._answered = answered
        self._one = threading.Lock()
        self._there: list[httpx.Request] = []
        self.at_once: list[list[httpx.Request]] = []

    def __call__(self, request: httpx.Request, forward: Forward) -> httpx.Response:
        with self._one:
            self._there.append(request)
            self.at_once.append(list(self._there))
        try:
            self._barrier.wait(PATIENCE)
            time.sleep(0.005)  # whoever else would come has the time to
            return self._answered(request, forward) if self._answered is not None else forward(request)
        finally:
            with self._one:
                self._there.remove(request)

    @property
    def most(self) -> int:
        return max(len(each) for each in self.at_once)


# --- which of them


@pytest.mark.parametrize(
    ("begun", "operation", "may"),
    [
        (create_user(1, "ann"), create_user(2, "bo"), True),
        (create_user(1, "ann"), create_user(2, "ann"), False),
        (create_user(1, "bo"), create_user(2, "ann", after=(1,)), False),
        (create_user(1, "bo"), create_user(2, "ann", (), **{ENTERPRISE_USER: {"manager": {"value": BO}}}), False),
        (create_user(1, "bo"), create_group(2, "ops"), False),
        (delete_user(1, "ann", "x1"), delete_user(2, "bo", "x2"), True),
        (delete_user(1, "ann", "x1"), delete_user(2, "bo", "x1"), False),
        (delete_user(1, "ann", "x1"), create_user(2, "ann"), False),
        (delete_user(1, "ann", "x1"), patch_user(2, "bo", "x2", active=False), False),
        (patch_user(1, "ann", "x1", active=False), patch_user(2, "bo", "x2", active=False, title="T"), True),
        (patch_user(1, "ann", "x1", active=False), patch_user(2, "bo", "x2", active=True), False),
        (patch_user(1, "ann", "x1", title="T"), patch_user(2, "bo", "x2", active=True), True),
        (patch_user(1, "ann", "x1", title="T"), patch_user(2, "bo", "x2", after=(1,), title="T"), False),
        (patch_user(1, "ann", "x1", title="T"), patch_user(2, "ann", "x1", title="U"), False),
        (patch_members(1, "a", "g1", take=["x"]), patch_members(2, "b", "g2", take=["x"]), True),
        (patch_members(1, "a", "g1", take=["x"]), patch_members(2, "b", "g2", add=["x"]), False),
        (patch_members(1, "a", "g1", add=["x"]), patch_members(2, "a", "g1", add=["y"]), False),
    ],
)
def test_which_may_be_sent_before_the_other_is_answered(begun: Operation, operation: Operation, may: bool) -> None:
    assert may_go_beside(operation, begun) is may


# --- how many


@pytest.mark.parametrize("at_once", [2, 4])
def test_so_many_and_no_more(world: World, at_once: int) -> None:
    world.twist = watched = Watched(at_once)
    results = world.run(*creates(12), at_once=at_once)
    assert kinds(results) == ["Succeeded"] * 12
    assert watched.most == at_once


def test_one_at_once_is_the_callers_own_thread(world: World) -> None:
    threads = set()

    def noted(request: httpx.Request, forward: Forward) -> httpx.Response:
        threads.add(threading.current_thread())
        return forward(request)

    world.twist = noted
    world.run(*creates(3))
    assert threads == {threading.current_thread()}


def first_after(others: int) -> Twist:
    """A twist by which u1 is answered once so many others have been."""
    answered = threading.Semaphore(0)

    def twist(request: httpx.Request, forward: Forward) -> httpx.Response:
        if b"u1@" in request.content:
            for _ in range(others):
                assert answered.acquire(timeout=PATIENCE)
            return forward(request)
        response = forward(request)
        answered.release()
        return response

    return twist


def test_results_come_in_the_order_of_numbers_and_one_slow_answer_holds_nobody_up(world: World) -> None:
    world.twist = first_after(4)
    seen: list[Result] = []
    results = world.run(*creates(5), at_once=2, progress=seen.append)
    assert [each.number for each in results] == [1, 2, 3, 4, 5]
    assert tuple(seen) == results


def whole_run(world: World) -> list[Operation]:
    """Every kind of operation, each several times, and people who wait for each other."""
    old, off, there = ([world.user(f"{kind}{each}@example.com") for each in range(4)] for kind in ("old", "off", "is"))
    groups = [world.group(f"g{each}", *there) for each in range(4)]
    news = [known_after_apply(user_address(f"new{each}")) for each in range(4)]
    manager = {ENTERPRISE_USER: {"manager": {"value": news[0]}}}
    makers: list[Callable[[int], Operation]] = [
        *(lambda n, i=i: delete_user(n, f"old{i}", old[i]) for i in range(4)),
        *(lambda n, i=i: patch_user(n, f"off{i}", off[i], active=False) for i in range(4)),
        *(
            lambda n, i=i: create_user(n, f"new{i}", **(manager if i else {}), after=(9,) if i else ())
            for i in range(4)
        ),
        *(lambda n, i=i: patch_user(n, f"is{i}", there[i], title="Lead") for i in range(4)),
        *(lambda n, i=i: create_group(n, f"made{i}") for i in range(2)),
        *(lambda n, i=i: patch_members(n, f"g{i // 2}", groups[i // 2], take=[there[i % 2]]) for i in range(8)),
        *(lambda n, i=i: patch_members(n, f"g{i}", groups[i], add=[news[i]], after=(9 + i,)) for i in range(4)),
    ]
    return [make(number) for number, make in enumerate(makers, start=1)]


def test_only_what_may_go_together_does(world: World) -> None:
    operations = whole_run(world)
    asked: dict[str, int] = {}
    log: list[tuple[str, int]] = []
    one = threading.Lock()

    def noted(request: httpx.Request, forward: Forward) -> httpx.Response:
        if request.method == "GET":
            return forward(request)
        with one:
            number = by_request(operations, request, asked)
            log.append(("begun", number))
        time.sleep(0.005)
        response = forward(request)
        with one:
            log.append(("ended", number))
        return response

    world.twist = noted
    results = world.run(*operations, at_once=4)
    assert kinds(results) == ["Succeeded"] * len(operations)
    by_number = {each.number: each for each in operations}
    there: list[int] = []
    most: dict[str, int] = {}
    for what, number in log:
        if what == "ended":
            there.remove(number)
            continue
        for other in there:
            assert may_go_beside(by_number[max(number, other)], by_number[min(number, other)]), (number, other)
        there.append(number)
        kind = type(by_number[number]).__name__ + str(by_number[number].address.resource_type)
        most[kind] = max(most.get(kind, 0), len(there))
    ended = {number: place for place, (what, number) in enumerate(log) if what == "ended"}
    begun = {number: place for place, (what, number) in enumerate(log) if what == "begun"}
    assert all(ended[need] < begun[each.number] for each in operations for need in each.depends_on)
    assert max(most.values()) == 4


def by_request(operations: list[Operation], request: httpx.Request, asked: dict[str, int]) -> int:
    """The number of the operation that a request is about; the next one where several are about one resource."""
    name = request.url.path.rpartition("/")[2]
    if request.method == "POST":
        body = json.loads(request.content)
        name = str(body.get("userName") or body["displayName"])
        return next(e.number for e in operations if name in getattr(e, "body", {}).values())
    numbers = [each.number for each in operations if getattr(each, "live_id", None) == name]
    asked[name] = asked.get(name, -1) + 1
    return numbers[asked[name]]


# --- all else is as one by one


def state(world: World) -> object:
    """What the organisation holds, by names."""
    dump = world.service.dump()
    names = {each["id"]: each.get("userName") or each["displayName"] for kind in dump.values() for each in kind}
    text = json.dumps([{**each, "meta": None} for kind in dump.values() for each in kind], sort_keys=True)
    for live_id, name in names.items():
        text = text.replace(live_id, name)
    return ordered(json.loads(text))


def ordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: ordered(each) for name, each in value.items()}
    return sorted((ordered(each) for each in value), key=json.dumps) if isinstance(value, list) else value


@pytest.mark.parametrize("refused", ["new0@", "new1@", "Lead", "active", "made0", "nobody"])
def test_a_failure_takes_the_same_along_and_leaves_the_same_behind(refused: str) -> None:
    ends = []
    for at_once in (1, 4):
        world = World()
        operations = whole_run(world)

        def twist(request: httpx.Request, forward: Forward) -> httpx.Response:
            if refused in request.content.decode():
                return httpx.Response(400, json={"detail": "no"})
            return forward(request)

        world.twist = twist
        results = world.run(*operations, at_once=at_once)
        told = [
            (each.number, type(each).__name__, each.note if isinstance(each, Succeeded) else each.message)
            for each in results
        ]
        ends.append((told, state(world)))
        assert refused == "nobody" or any(isinstance(each, Failed) for each in results)
        assert refused != "new0@" or sum(isinstance(each, Skipped) for each in results) == 7
        world.service.close()
    assert ends[0] == ends[1]


def test_a_refused_credential_ends_the_run_and_what_is_on_its_way_counts(world: World) -> None:
    world.twist = Watched(4, lambda *_: httpx.Response(401, json={"detail": "expired"}))
    results = world.run(*creates(10), at_once=4)
    assert kinds(results) == ["Failed"] * 4 + ["NotTried"] * 6
    assert results[4] == NotTried(number=5, message="the credential is no longer accepted")
    assert len(world.asked) == 4


def test_three_silences_end_the_run(world: World) -> None:
    def silent(*_: object) -> httpx.Response:
        raise httpx.ConnectError("refused")

    world.twist = Watched(2, silent)
    results = world.run(*creates(8), at_once=2)
    assert kinds(results) == ["Failed"] * 4 + ["NotTried"] * 4
    assert len(world.asked) == 4


@pytest.mark.parametrize("after", [0, 1, 5, 8])
def test_stop_lets_what_has_begun_end_and_is_asked_in_the_callers_thread(world: World, after: int) -> None:
    asked: list[threading.Thread] = []

    def stop() -> bool:
        asked.append(threading.current_thread())
        return len(asked) > after

    threads: set[threading.Thread] = set()
    results = world.run(*creates(8), at_once=4, stop=stop, progress=lambda _: threads.add(threading.current_thread()))
    assert kinds(results) == ["Succeeded"] * after + ["NotTried"] * (8 - after)
    assert len(world.asked) == after
    assert {*asked, *threads} == {threading.current_thread()}


class Died(BaseException):
    """The caller cannot go on."""


def test_whatever_ends_the_caller_what_was_sent_is_told(world: World) -> None:
    told: list[Result] = []
    before = {each["id"] for each in world.service.dump()["User"]}

    def progress(result: Result) -> None:
        told.append(result)
        raise Died

    world.twist = first_after(4)
    with pytest.raises(Died):
        world.run(*creates(9), at_once=3, progress=progress)
    assert len(told) >= 5
    made = {each["id"] for each in world.service.dump()["User"]} - before
    assert {each.live_id for each in told if isinstance(each, Succeeded)} == made


def test_the_audit_has_whole_lines_each_intent_before_its_request(world: World, tmp_path: Path) -> None:
    early: list[str] = []
    path = tmp_path / "a.jsonl"

    def noted(request: httpx.Request, forward: Forward) -> httpx.Response:
        early.append(path.read_text("utf-8"))
        return forward(request)

    world.twist = Watched(4, noted)
    with Audit.open(path) as audit:
        world.run(*creates(16), at_once=4, audit=audit)
    lines = [json.loads(each) for each in path.read_text("utf-8").splitlines()]
    assert sorted((each["operation"], each["event"]) for each in lines) == sorted(
        (number, event) for number in range(1, 17) for event in ("intent", "result")
    )
    assert [each["at"] for each in lines] == sorted(each["at"] for each in lines)
    first = {number: [each["event"] for each in lines if each["operation"] == number] for number in range(1, 17)}
    assert set(map(tuple, first.values())) == {("intent", "result")}
    assert all(text.count('"intent"') >= 4 for text in early)
