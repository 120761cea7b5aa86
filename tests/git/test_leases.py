"""Whose turn it is: a second apply waits for the first, a dead one is taken over, one that lost its turn stops."""

import json
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from reconciler import leasing
from reconciler.holding import Hold
from reconciler.leasing import Claim, lease_from
from reconciler.model import AppliedState
from reconciler.project import open_project
from reconciler.record.encoding import decode, encode
from reconciler.record.header import Lease, RecordHeader, url_fingerprint
from reconciler.recording import record_of
from reconciler.sandbox import Request
from reconciler.sandbox.messages import Response
from tests.cli.in_process import QuickFolder
from tests.cli.provider import people
from tests.conftest import Folder, Ran
from tests.git.company import TEAM, Company, acceptance_in, apply, one_line, said, trailers
from tests.record.git_world import TARGET, git, message

NOW = datetime(2026, 3, 1, 10, 0, tzinfo=UTC)


def left_behind(company: Company, *, ago: timedelta, run: str = "4711") -> None:
    """The record as an apply leaves it that began so long ago and was killed at once."""
    url = f"{company.running.url}/scim/v2"
    store = company.world.store(company.world.seed)
    snapshot = store.read()
    state, _ = decode(snapshot.files, target=TARGET, url=url)
    began = datetime.now(UTC) - ago
    header = RecordHeader(
        target=TARGET, url_fingerprint=url_fingerprint(url), run=run, lease=lease_from(began, began), generation=7
    )
    store.write(encode(state, header, None), expected=snapshot.version, message=message("claimed"))


def states(company: Company) -> list[str]:
    """From the oldest."""
    return [trailers(each)["State"] for each in reversed(company.history())]


def during_the_first_write(company: Company, do: Callable[[], None]) -> None:
    done: list[bool] = []

    def before(request: Request) -> None:
        if request.method == "POST" and not done:
            done.append(True)
            do()

    company.running.before = before


def test_a_second_apply_waits_for_the_first(company: Company) -> None:
    second: list[Ran] = []
    other = company.clone("other")

    def come_by() -> None:
        second.append(other.run("plan"))
        second.append(apply(other))

    during_the_first_write(company, come_by)
    first = apply(company.seed)
    assert first.code == 0, first.out + first.err
    planned, refused = second
    assert planned.code == 0
    assert "is in progress; an apply would refuse" in said(planned)
    assert refused.code == 3
    assert "it may be taken over after" in said(refused)
    assert len(company.running.writes) == len(TEAM)
    assert states(company) == ["claimed", "done"]
    assert apply(other).code == 0


def test_an_apply_that_was_killed_long_ago_is_taken_over(company: Company) -> None:
    company.applied()
    left_behind(company, ago=timedelta(minutes=31))
    company.declare(*TEAM, ann_lee="Lead")
    planned = company.seed.run("plan")
    assert planned.code == 0
    assert "by run 4711" in said(planned)
    assert "has never ended; the next apply goes on from what it announced" in said(planned)
    ran = apply(company.seed)
    assert ran.code == 0
    assert "has never ended" in said(ran)
    assert "4711" not in said(company.seed.run("plan"))


def test_the_last_minutes_count(company: Company) -> None:
    company.applied()
    left_behind(company, ago=timedelta(minutes=29))
    company.declare(*TEAM, ann_lee="Lead")
    refused = apply(company.seed)
    assert refused.code == 3
    assert not company.running.writes
    # who knows that it is dead need not wait
    assert apply(company.seed, "--accept", acceptance_in(refused.out)).code == 0


def test_the_same_run_started_again_goes_on(company: Company) -> None:
    company.applied()
    left_behind(company, ago=timedelta(minutes=1))
    company.declare(*TEAM, ann_lee="Lead")
    assert company.seed.run("apply", "--auto-approve", GITHUB_RUN_ID="4712").code == 3
    assert company.seed.run("apply", "--auto-approve", GITHUB_RUN_ID="4711").code == 0


def test_two_jobs_of_one_attempt_are_two(company: Company) -> None:
    """A workflow may apply in two jobs by mistake; only a later attempt knows that the earlier one is dead."""
    company.applied()
    left_behind(company, ago=timedelta(minutes=1), run="4711.1")
    company.declare(*TEAM, ann_lee="Lead")
    for attempt, code in (("1", 3), ("2", 0)):
        environment = {"GITHUB_RUN_ID": "4711", "GITHUB_RUN_ATTEMPT": attempt}
        assert company.seed.run("apply", "--auto-approve", **environment).code == code
    assert trailers(company.history()[0])["Run"] == "4711.2"


@pytest.mark.parametrize(
    ("held", "run", "own"),
    [
        ("4711", "4711", True),
        ("4711", "4712", False),
        ("4711.1", "4711.2", True),
        ("4711.9", "4711.10", True),
        ("4711.2", "4711.2", False),
        ("4711.3", "4711.2", False),
        ("4712.1", "4711.2", False),
        # written by somebody who counts otherwise
        ("4711", "4711.2", False),
        ("4711.1", "4711", False),
        ("4711.x", "4711.2", False),
    ],
)
def test_whose_claim_it_is(held: str, run: str, own: bool) -> None:
    header = RecordHeader(target="t", url_fingerprint="u", run=held, lease=lease_from(NOW, NOW))
    assert (Claim.of(header, run) is None) is own


@pytest.mark.parametrize("own", [True, False])
def test_a_claim_is_cleared_where_nothing_is_left_to_do(own: bool, company: Company) -> None:
    company.applied()
    left_behind(company, ago=timedelta(minutes=1 if own else 40))
    environment = {"GITHUB_RUN_ID": "4711"} if own else {}
    assert company.seed.run("apply", "--auto-approve", **environment).code == 0
    assert states(company)[-1] == "done"
    assert "4711" not in said(company.seed.run("plan"))


# --- signs of life


def test_a_long_apply_gives_signs_of_life(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leasing, "SIGN_OF_LIFE", timedelta(0))
    assert apply(company.seed).code == 0
    assert states(company) == ["claimed", *["running"] * len(TEAM), "done"]
    lease = trailers(company.history()[1])["Lease-Until"]
    assert datetime.fromisoformat(lease) > datetime.now(UTC) + timedelta(minutes=28)
    assert "Lease-Until" not in trailers(company.history()[0])


def test_a_fast_apply_gives_signs_of_life_by_operations(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leasing, "OPERATIONS", 2)
    keys = [*TEAM, "cem.o", "dan.o", "eva.p"]
    company.declare(*keys)
    assert apply(company.seed).code == 0
    assert states(company) == ["claimed", "running", "running", "done"]
    # what a sign of life knows is what a crash leaves: the ids of those created so far
    known = git(company.world.seed, "show", f"{company.world.tip()}~1:pending.jsonl").splitlines()
    shards = git(company.world.seed, "grep", "-h", '"id":"', f"{company.world.tip()}~1", "--", "users").splitlines()
    assert len(known) == len(keys)
    assert len(shards) == 4


def test_who_was_taken_over_stops_at_once(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody accepted that this run is dead; it was only slow."""
    company.applied()
    company.declare(*TEAM, "cem.o", "dan.o", "eva.p")
    monkeypatch.setattr(leasing, "SIGN_OF_LIFE", timedelta(0))
    other = company.clone("other")
    elsewhere = Folder(other.path)  # a process of its own: two cannot both listen for Ctrl-C in one
    ended: list[Ran] = []

    def take_over() -> None:
        company.running.before = lambda request: None
        refused = elsewhere.run("apply", "--auto-approve")
        ended.append(elsewhere.run("apply", "--auto-approve", "--accept", acceptance_in(refused.out)))

    during_the_first_write(company, take_over)
    slow = apply(company.seed)
    assert ended[0].code == 0, ended[0].out + ended[0].err
    assert slow.code == 5, slow.out + slow.err
    assert "somebody has taken over, so nothing more was sent" in said(slow)
    # nor is anything said of a record that it has no business to write
    assert "could not be recorded" not in said(slow)
    # the record is the other one's, whole, and it is right
    assert states(company)[-1] == "done"
    assert company.active() >= {*TEAM, "cem.o", "dan.o", "eva.p"}
    logins = [each["userName"] for each in company.running.service.dump()["User"]]
    assert len(logins) == len(set(logins))
    assert other.run("plan", "--detailed-exitcode").code == 0


def test_an_origin_that_is_silent_for_a_while_stops_nothing(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leasing, "SIGN_OF_LIFE", timedelta(0))
    hook = 'git cat-file commit "$3" | grep -q "State: running" && exit 1; exit 0'
    company.world.hook("update", hook)
    assert apply(company.seed).code == 0
    assert states(company) == ["claimed", "done"]


def test_a_target_on_this_machine_has_no_leases(company: Company, folder: QuickFolder) -> None:
    folder.write("reconciler.yaml", company.running.settings())
    folder.write("identities/a.yaml", "users: {ann.lee: {userName: ann.lee@example.com}}\n")
    assert apply(folder).code == 0
    assert '"lease": null' in (next((folder.path / ".reconciler/record").rglob("header.json"))).read_text()


@pytest.mark.parametrize("at_once", [1, 3])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_whoever_is_told_to_end_in_a_long_pause_gives_the_record_back_at_once(
    number: int, at_once: int, company: Company
) -> None:
    """A CI system that cancels a job kills it some seconds later; nobody should have to wait for what it leaves."""
    keys = [*TEAM, "cem.o", "dan.o", "eva.p"]
    settings = company.running.settings(more=f"    writesAtOnce: {at_once}\n")
    company.world.commit({"reconciler.yaml": settings, "identities/a.yaml": people(*keys)}, company.world.seed)
    put_off = threading.Event()

    def later(request: Request) -> Response | None:
        if len(company.running.writes) <= at_once:
            return None
        put_off.set()
        return Response(status=429, headers={"Retry-After": "280"}, body=b"")

    company.running.before = later
    with company.seed.started("apply", "--auto-approve") as process:
        assert put_off.wait(60)
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 5, out + err
    assert "the run was stopped while requests had to wait" in one_line(out)
    assert "gave no answer" not in out
    assert not err
    assert states(company) == ["claimed", "done"]
    # what was done is known by its id, and the next run goes on from there
    company.running.before = lambda request: None
    left = len(keys) - len(company.active() & {*keys})
    assert f"Plan: {left} to add" in company.seed.run("plan").out
    assert apply(company.seed).code == 0
    assert company.active() >= {*keys}
    assert company.seed.run("plan", "--detailed-exitcode").code == 0


def test_whoever_is_told_to_end_does_not_wait_for_what_does_not_show(company: Company) -> None:
    """A provider that shows its old listing for minutes, as its profile says that it may."""
    company.applied()
    profile = "name: slow\ntitle: Slow to show\nlifecycle: {settlesWithin: 280}\n"
    settings = company.running.settings().replace("profile: rfc", "profile: profiles/slow.yaml")
    company.world.commit({"reconciler.yaml": settings, "profiles/slow.yaml": profile})
    company.declare(*TEAM, ann_lee="Lead")
    listed: dict[str, Response] = {}
    read_again = threading.Event()

    def old_listing(request: Request) -> Response | None:
        if request.method != "GET":
            return None
        if company.running.writes:
            read_again.set()
            return listed.get(request.target)
        return listed.setdefault(request.target, company.running.service.handle(request))

    company.running.before = old_listing
    with company.seed.started("apply", "--auto-approve") as process:
        assert read_again.wait(60)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 5, out + err
    assert "the run was stopped before all that was written showed" in one_line(out)
    assert states(company)[-2:] == ["claimed", "done"]
    # it shows in the end, and nothing is left to do
    company.running.before = lambda request: None
    assert company.seed.run("plan", "--detailed-exitcode").code == 0


# --- a lease that ran out


class Hours:
    """The clock of this machine, which a test can put forward."""

    def __init__(self) -> None:
        self.forward = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.forward

    def pass_by(self, **time: float) -> None:
        self.forward += timedelta(**time)


@pytest.fixture
def hours(monkeypatch: pytest.MonkeyPatch) -> Hours:
    found = Hours()
    monkeypatch.setattr(leasing, "now", found.now)
    return found


def test_a_machine_that_slept_first_asks_whether_it_is_still_its_turn(company: Company, hours: Hours) -> None:
    during_the_first_write(company, lambda: hours.pass_by(hours=3))
    assert apply(company.seed).code == 0
    # by a sign of life between the two writes
    assert states(company) == ["claimed", "running", "done"]
    assert company.active() >= set(TEAM)


def test_nothing_is_written_once_the_lease_is_over_and_cannot_be_renewed(company: Company, hours: Hours) -> None:
    """The remote takes everything but signs of life, as if it had been away for that long."""
    company.world.hook("update", 'git cat-file commit "$3" | grep -q "State: running" && exit 1; exit 0')
    during_the_first_write(company, lambda: hours.pass_by(minutes=29))
    partly = apply(company.seed)
    assert partly.code == 5, partly.out + partly.err
    assert "the lease of this run is over and could not be renewed, so nothing more was sent" in said(partly)
    assert len(company.running.writes) == 1
    # nobody had taken over: what was done is recorded, and the rest is tried again
    assert states(company) == ["claimed", "done"]
    planned = company.seed.run("plan", "--format", "json")
    assert [each["address"] for each in json.loads(planned.out)["changes"]] == ["user.bob.li"]


def test_a_request_that_had_to_wait_is_not_repeated_in_the_turn_of_another(company: Company, hours: Hours) -> None:
    """The server says "later", and when it is later somebody else has taken over."""
    other = company.clone("other")
    elsewhere = Folder(other.path)
    ended: list[Ran] = []

    def before(request: Request) -> Response | None:
        if request.method != "POST" or ended:
            return None
        ended.append(elsewhere.run("plan"))
        refused = elsewhere.run("apply", "--auto-approve")
        ended.append(elsewhere.run("apply", "--auto-approve", "--accept", acceptance_in(refused.out)))
        company.running.asked.clear()
        hours.pass_by(minutes=31)
        return Response(status=429, headers={"Retry-After": "0"}, body=b"")

    company.running.before = before
    slow = apply(company.seed)
    assert ended[-1].code == 0, ended[-1].out + ended[-1].err
    assert slow.code == 5, slow.out + slow.err
    assert "somebody has taken over, so nothing more was sent" in said(slow)
    assert not company.running.writes
    assert states(company) == ["claimed", "claimed", "done"]


def test_who_waits_for_what_does_not_show_gives_signs_of_life(company: Company, hours: Hours) -> None:
    company.applied()
    project = open_project(company.world.seed, None, None)
    record = record_of(project, project.target(None), "test")
    loaded = record.load()
    state = loaded.applied
    hold = Hold(
        record=record,
        loaded=record.claim(state, loaded),
        state=lambda: state,
        pause=lambda seconds: hours.pass_by(seconds=seconds),
        stopped=lambda: False,
    )
    hold.sleep(61 * 60.0)
    assert hold.refusal() is None
    # pages are read by several threads: one of them says it for all, however close they come
    hours.pass_by(minutes=6)
    meeting = threading.Barrier(4, timeout=0.5)

    def together() -> datetime:
        with suppress(threading.BrokenBarrierError):
            meeting.wait()
        return hours.now()

    with ThreadPoolExecutor(4) as pool, pytest.MonkeyPatch.context() as patch:
        patch.setattr(leasing, "now", together)
        list(pool.map(lambda _: hold.keep(), range(4)))
    assert hold.refusal() is None
    assert states(company)[2:] == ["claimed", *["running"] * 13]
    assert datetime.fromisoformat(trailers(company.history()[0])["Lease-Until"]) > hours.now()


# --- the lease itself


@pytest.mark.parametrize(
    ("until", "holds"),
    [
        ("2026-03-01T10:00+00:00", True),
        ("2026-03-01T10:30+00:00", True),
        ("2026-03-01T09:59+00:00", False),
        # another zone, the same moment
        ("2026-03-01T12:30+02:00", True),
        # no run of ours promises so much: somebody who wants to stop every apply
        ("2099-01-01T00:00+00:00", False),
        ("2026-03-01T10:30", False),
        ("soon", False),
        ("", False),
    ],
)
def test_how_long_a_lease_holds(until: str, holds: bool) -> None:
    claim = Claim(run="1", commit=None, lease=Lease(since="2026-03-01T09:55+00:00", until=until))
    assert claim.holds(NOW) is holds
    assert (claim.refusal(NOW) is not None) is holds
    assert claim.remark(NOW).code == ("in-progress" if holds else "taken-over")


def test_a_record_remembers_its_lease() -> None:
    header = RecordHeader(target="t", url_fingerprint="u", run="1", lease=lease_from(NOW, NOW - timedelta(hours=1)))
    files = encode(AppliedState(), header, None)
    again = decode(files)[1]
    assert again.lease == Lease(since="2026-03-01T09:00+00:00", until="2026-03-01T10:30+00:00")
    assert Claim.of(again, "1") is None
    assert Claim.of(again, "2") == Claim(run="1", commit=None, lease=again.lease)
    assert Claim.of(replace(again, lease=None), "2") is None
