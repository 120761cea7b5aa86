"""How fast an organisation is asked: one budget a credential, as fast as it may be and no faster; sizes of requests.

Time is simulated on both sides, so minutes pass at once; what was asked is counted where it arrives.
"""

import base64
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from reconciler.applying import execute
from reconciler.model import Address, CreateResource, ResourceType, Succeeded
from reconciler.profiles.loading import load_profile
from reconciler.sandbox import Access, Request, SandboxService, SandboxTransport, open_sandbox, read_switches
from reconciler.sandbox.messages import Response
from reconciler.sandbox.refusals import RETRY_SECONDS
from reconciler.transport.auth import BearerSigner, ClientCredentialsSigner, Signer
from reconciler.transport.client import Writer
from tests.genesys.company import CORRELATION, V2, Company, company
from tests.genesys.life import BOB, CHE
from tests.transport.serving import FakeTime, SharedTime

HOST = "http://127.0.0.1:1"
PROFILE = load_profile("genesys")


@dataclass(kw_only=True)
class Counted(httpx.BaseTransport):
    """The organisation, and (moment, status) of everything that arrived there."""

    service: SandboxService
    time: FakeTime
    arrived: list[tuple[float, int]] = field(default_factory=list)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = SandboxTransport(self.service).handle_request(request)
        if not request.url.path.endswith("/oauth/token"):
            self.arrived.append((self.time.now, answer.status_code))
        return answer

    def writer(self, signer: Signer) -> Writer:
        return Writer(base_url=HOST + V2, wire=PROFILE.wire, signer=signer, transport=self, clock=self.time.clock)


@contextmanager
def timed(**switches: Any) -> Iterator[Counted]:
    clock = FakeTime(time.time())
    access = Access(token="t1", client=("id", "secret"), clock=lambda: clock.now)
    service = open_sandbox(None, "genesys", access=access, switches=read_switches(switches))
    yield Counted(service=service, time=clock)
    service.close()


def creates(first: int, count: int) -> list[CreateResource]:
    return [
        CreateResource(
            number=number,
            address=Address(ResourceType.USER, f"p{first + number}"),
            body={"userName": f"p{first + number}@example.com", "displayName": "P", "active": True},
        )
        for number in range(1, count + 1)
    ]


def signers(org: Counted) -> list[Signer]:
    return [BearerSigner("t1"), ClientCredentialsSigner("id", "secret", f"{HOST}/oauth/token", clock=org.time.clock)]


def test_an_apply_is_as_fast_as_it_may_be_and_no_faster() -> None:
    with timed(rateLimit=300) as org, org.writer(BearerSigner("t1")) as writer:
        writer.ask_limits()
        results = execute(creates(0, 2000), writer, PROFILE, audit=None, sleep=org.time.sleep)
        assert all(isinstance(each, Succeeded) for each in results)
        minutes = (org.arrived[-1][0] - org.arrived[0][0]) / 60
        refused = [each for each in org.arrived if each[1] == 429]
    assert minutes >= 6
    assert 300 * minutes * 0.95 <= len(org.arrived) <= 300 * (minutes + 1)
    assert len(refused) <= len(org.arrived) / 100


@dataclass(kw_only=True)
class Distant(Counted):
    """An organisation whose answers to creates take their time."""

    answered: list[int] = field(default_factory=list)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = super().handle_request(request)
        if request.method == "POST":
            self.time.sleep(0.4)
            if answer.status_code == httpx.codes.CREATED:
                self.answered.append(1)
        return answer


@pytest.mark.parametrize(("at_once", "share"), [(1, 0.5), (2, 1.0), (4, 1.0)])
def test_where_an_answer_takes_its_time_several_at_once_use_up_what_is_allowed(at_once: int, share: float) -> None:
    number = 1000
    clock = SharedTime(lambda: min(at_once, number - len(org.answered)))
    access = Access(token="t1", clock=lambda: clock.now)
    service = open_sandbox(None, "genesys", access=access, switches=read_switches({"rateLimit": 300}))
    org = Distant(service=service, time=clock)
    with org.writer(BearerSigner("t1")) as writer:
        results = execute(creates(0, number), writer, PROFILE, audit=None, sleep=clock.sleep, at_once=at_once)
    service.close()
    assert all(isinstance(each, Succeeded) for each in results)
    minutes = (org.arrived[-1][0] - org.arrived[0][0]) / 60
    assert 300 * minutes * share * 0.95 <= len(org.arrived) <= 300 * (minutes + 1) * share
    assert len([each for each in org.arrived if each[1] == 429]) <= number / 100


def test_two_thousand_operations_where_6000_a_minute_are_allowed_wait_for_nothing() -> None:
    with timed(rateLimit=6000) as org, org.writer(BearerSigner("t1")) as writer:
        writer.ask_limits()
        results = execute(creates(0, 2000), writer, PROFILE, audit=None, sleep=org.time.sleep)
        assert all(isinstance(each, Succeeded) for each in results)
        assert org.time.slept == []
        assert {status for _, status in org.arrived} == {200, 201}


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_where_others_use_the_same_budget_every_one_waits_as_long_as_is_asked(form: str) -> None:
    with timed(rateLimit=100, retryAfter=form) as org, org.writer(BearerSigner("t1")) as writer:
        elsewhere = httpx.Client(transport=SandboxTransport(org.service), headers={"Authorization": "Bearer t1"})
        for _ in range(97):
            elsewhere.get(f"{HOST}{V2}/users?count=0")
        results = execute(creates(0, 200), writer, PROFILE, audit=None, sleep=org.time.sleep)
        assert all(isinstance(each, Succeeded) for each in results)
        assert len([each for each in org.arrived if each[1] == 429]) <= 2
        elsewhere.close()


def test_a_refusal_pauses_until_it_may_be_tried_again() -> None:
    with timed(rateLimit=100) as org, org.writer(BearerSigner("t1")) as writer:
        other = httpx.Client(transport=SandboxTransport(org.service), headers={"Authorization": "Bearer t1"})
        for _ in range(120):
            other.get(f"{HOST}{V2}/users?count=0")
        writer.get("/users/none")
        other.close()
        assert [status for _, status in org.arrived] == [429, 404]
        assert org.arrived[1][0] - org.arrived[0][0] == 60


def later(org: Company, method: str, times: int) -> None:
    """So many requests of a method are answered 429 and asked to come at once."""
    left = [times]

    def before(request: Request) -> Response | None:
        if request.method != method or not left[0]:
            return None
        left[0] -= 1
        said = {"message": "Rate limit exceeded the maximum.", "code": "too.many.requests.retry.after", "status": 429}
        headers = {"Content-Type": "application/json", "Retry-After": "0", CORRELATION: f"asked-{left[0]}"}
        return Response(status=429, headers=headers, body=json.dumps(said).encode())

    org.before = before


PEOPLE = {f"p{each}": {"userName": f"p{each}@example.com", "displayName": f"P {each}"} for each in range(6)}


def test_429_twenty_times_costs_two_writes_and_the_next_run_goes_on_there(org: Company) -> None:
    org.declare(PEOPLE)
    later(org, "POST", 20)
    ran = org.run("apply", "--auto-approve")
    said = " ".join(ran.out.partition("Failed:")[2].split())
    assert ran.code == 5
    for key, request in (("p0", "asked-12"), ("p1", "asked-4")):
        assert f"! user.{key}: 429: Rate limit exceeded the maximum (8 tries, request {request}) identities/" in said
    assert "Apply incomplete: 4 added, 0 changed, 0 destroyed; 2 failed. A new plan shows what is left." in said
    assert len([each for each in org.writes if each.status == 429]) == 20
    assert sorted(str(each.address) for each in org.plan().changes) == ["user.p0", "user.p1"]
    assert org.apply().said == []
    assert org.plan().changes == ()


def test_429_without_end_ends_the_run_and_says_where(org: Company) -> None:
    org.declare(PEOPLE)
    later(org, "POST", 10_000)
    ran = org.run("apply", "--auto-approve")
    said = " ".join(ran.out.partition("Failed:")[2].split())
    assert ran.code == 5
    assert "the server kept asking to come back later 3 times in a row" in said
    assert "3 failed, 3 not tried. A new plan shows what is left." in said
    assert len(org.writes) == 3 * 8
    org.before = lambda _: None
    assert len(org.plan().changes) == 6
    assert org.apply().said == []


def test_429_twenty_times_on_a_page_ends_the_run_before_anything_is_planned(org: Company) -> None:
    org.declare(PEOPLE)
    later(org, "GET", 20)
    ran = org.run("plan")
    assert ran.code == 1
    said = " ".join(ran.err.split())
    assert "the server keeps asking to come back later (429) (Rate limit exceeded the maximum., request " in said
    assert "run again later" in said
    assert [each.parameters.get("count") for each in org.asked] == [None, "100", "50", *["25"] * 8]
    org.before = lambda _: None
    assert org.run("plan").code == 0


def test_twenty_times_429_are_waited_for_as_long_as_is_asked_and_no_longer() -> None:
    switches = {"failure": "too-many", "failures": 20, "failingMethods": ["POST"]}
    with timed(**switches) as org, org.writer(BearerSigner("t1")) as writer:
        results = execute(creates(0, 4), writer, PROFILE, audit=None, sleep=org.time.sleep)
        assert [isinstance(each, Succeeded) for each in results] == [False, False, True, True]
        assert [status for _, status in org.arrived].count(429) == 20
        moments = [moment for moment, status in org.arrived if status == 429]
        assert moments[-1] - moments[0] >= 17 * RETRY_SECONDS
        assert moments[-1] - moments[0] < 20 * RETRY_SECONDS + 1


@pytest.mark.parametrize("kind", [0, 1], ids=["bearer", "client"])
def test_two_targets_of_one_credential_share_one_budget(kind: int) -> None:
    """Also one after the other: what the first sent within the last minute counts for the second."""
    with timed(rateLimit=300, rateScope="client" if kind else "token") as org:
        with org.writer(signers(org)[kind]) as one, org.writer(signers(org)[kind]) as two:
            for writer in (one, two) * 290:
                writer.get("/users/none")
        with org.writer(signers(org)[kind]) as three:
            for _ in range(30):
                three.get("/users/none")
        moments = [each for each, _ in org.arrived]
        assert not [each for each in org.arrived if each[1] == 429]
        assert max(sum(1 for other in moments if 0 <= other - each < 60) for each in moments[::50]) <= 300


def test_two_credentials_have_two_budgets() -> None:
    with timed(rateLimit=300) as org, org.writer(signers(org)[0]) as one, org.writer(signers(org)[1]) as two:
        for writer in (one, two) * 300:
            writer.get("/users/none")
        assert org.arrived[0][0] == org.arrived[-1][0]


def test_a_fingerprint_shows_no_secret() -> None:
    one, two = BearerSigner("s3cr3t"), BearerSigner("other")
    assert one.fingerprint() == BearerSigner("s3cr3t").fingerprint() != two.fingerprint()
    pair = base64.b64encode(b"id:s3cr3t").decode()
    both = one.fingerprint() + ClientCredentialsSigner("id", "s3cr3t", f"{HOST}/oauth/token").fingerprint()
    assert "s3cr3t" not in both
    assert pair not in both


@pytest.mark.parametrize("listed", [True, False])
def test_what_the_organisation_says_of_itself_counts(tmp_path: Path, listed: bool) -> None:
    with company(tmp_path, rateLimit=1200, limitsListed=listed) as org:
        org.declare({"bob": BOB})
        assert "at 1,200 a minute" in org.run("plan").out


def test_without_a_word_of_it_300_a_minute_count(tmp_path: Path) -> None:
    with company(tmp_path, limitsListed=False) as org:
        org.declare({"bob": BOB})
        assert "at 300 a minute" in org.run("plan").out


def test_a_create_that_is_too_large_is_refused_with_its_place(org: Company) -> None:
    org.declare({"big": CHE | {"title": "x" * 600_000}, "bob": BOB})
    done = org.apply()
    (said,) = done.said
    assert "bytes in one request; 512,000 is the most" in said
    assert [each.method for each in org.writes] == ["POST"]
    assert org.stored("bob@example.com")["displayName"] == "Bob"


def test_a_change_that_is_too_large_is_sent_in_parts(org: Company) -> None:
    org.declare({"che": CHE})
    org.apply()
    org.declare({"che": CHE | {"title": "x" * 300_000, "department": "y" * 300_000}})
    assert org.apply().said == []
    assert org.plan().changes == ()
    assert all(len(each.body) <= 512_000 for each in org.writes)


def test_members_go_in_chunks_of_fifty(org: Company) -> None:
    people = {f"p{each}": {"userName": f"p{each}@example.com", "displayName": "P"} for each in range(137)}
    org.service.seed({"users": list(people.values())})
    org.declare(people, {"support": {"displayName": "Support", "members": list(people)}})
    assert org.apply().said == []
    assert sorted(len(json.loads(each.body)["Operations"][0]["value"]) for each in org.writes) == [37, 50, 50]
    assert org.plan().changes == ()
    org.asked.clear()
    org.declare(people, {"support": {"displayName": "Support", "members": ["p0"]}})
    assert org.apply().said == []
    assert sorted(len(each.operations) for each in org.writes) == [36, 50, 50]
    assert org.members("Support") == ["p0@example.com"]
