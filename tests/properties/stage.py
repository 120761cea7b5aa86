"""Whole runs in this process: YAML files, an organisation behind the transport seam, and a record.

Nothing of the tool is replaced but the clock, so that waiting costs nothing. What the organisation holds is read past
the client (`stored`), and others change it past the client (`ask`). A run can meet `Trouble`: answers that refuse, or
that never come.
"""

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from reconciler.errors import InputError
from reconciler.model import Result
from reconciler.project import Project, open_project
from reconciler.reconcile import Reconciliation
from reconciler.running.applies import Outcome, apply_target
from reconciler.running.plans import plan_target
from reconciler.running.run import Options
from reconciler.sandbox import Request, Switches, open_sandbox
from reconciler.sandbox.messages import Response
from tests.cli.provider import WRITING, Provider, answer
from tests.transport.serving import FakeTime

TODAY = date(2026, 6, 15)
CLIENT_PROFILES = {"rfc": "rfc", "rfc-strict": "rfc", "genesys": "genesys"}
"""Organisation -> the profile that its settings name."""
NO_LIMITS = "policy: {limits: {removals: 100000, memberRemovals: 100000, roleRemovals: 100000}}\n"

Json = Any
Stored = dict[str, dict[str, Json]]
"""Id -> what the organisation holds, without what it counts for itself."""


class Trouble(Enum):
    """What becomes of one write."""

    REFUSED = 400
    FORBIDDEN = 403
    BUSY = 429
    BROKEN = 503
    UNSENT = "no answer, and nothing was done"
    LOST = "done, and the answer is lost"


class Died(BaseException):
    """The process ended in the middle of an apply."""


@dataclass
class Weather:
    """What goes wrong in a run.

    `at`: number of a write request -> its trouble. `for_good`: a word that a request holds -> its trouble, each time.
    `unanswered`: how many writes had no answer.
    """

    at: Mapping[int, Trouble] = field(default_factory=dict)
    for_good: Mapping[str, Trouble] = field(default_factory=dict)
    writes: int = 0
    unanswered: int = 0

    def meets(self, request: Request) -> Trouble | None:
        """What becomes of a request; None for those that go well."""
        trouble = self._trouble(request) if request.method in WRITING else None
        self.unanswered += trouble in (Trouble.UNSENT, Trouble.LOST)
        return trouble

    def _trouble(self, request: Request) -> Trouble | None:
        self.writes += 1
        text = f"{request.target} {request.body.decode()}"
        lasting = (trouble for word, trouble in self.for_good.items() if word in text)
        return self.at.get(self.writes) or next(lasting, None)


@dataclass(frozen=True, kw_only=True)
class Run:
    """How one apply goes. `stops_after`: it is asked to end after so many results; `dies_after`: it simply ends."""

    drift: bool = False
    weather: Weather = field(default_factory=Weather)
    stops_after: int | None = None
    dies_after: int | None = None
    accepted: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Applied:
    """One apply: the organisation before and after it, and what came of it; `outcome` is None if it died."""

    shown: Reconciliation
    outcome: Outcome | None
    before: Stored
    after: Stored

    @property
    def results(self) -> tuple[Result, ...]:
        return self.outcome.results if self.outcome is not None else ()


@dataclass
class Stage:
    """One folder with settings and declarations, and one organisation."""

    folder: Path
    provider: Provider
    today: date = TODAY

    def declare(self, files: Mapping[str, str]) -> None:
        """Put these files in the place of all declarations."""
        shutil.rmtree(self.folder / "identities", ignore_errors=True)
        (self.folder / "identities").mkdir()
        for name, text in files.items():
            path = self.folder / "identities" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    @property
    def record(self) -> Path:
        """Where the record of the target is kept in files."""
        return self.folder / ".reconciler" / "record" / "here"

    def stored(self) -> Stored:
        """All that the organisation holds, by id."""
        return {
            each["id"]: {name: value for name, value in each.items() if name != "meta"}
            for kind in self.provider.service.dump().values()
            for each in kind
        }

    def names(self) -> dict[str, str]:
        """Id -> userName or displayName: what is the same whenever the same is played again."""
        return {live_id: str(each.get("userName") or each["displayName"]) for live_id, each in self.stored().items()}

    def ask(self, method: str, path: str, body: Json = None) -> Response:
        """A request by somebody else."""
        content = json.dumps(body).encode() if body is not None else b""
        return self.provider.service.handle(Request(method=method, target=path, body=content))

    def copied_record(self) -> object:
        """The record as it stands, for `put_record`; None where there is none."""
        if not self.record.exists():
            return None
        return {each.relative_to(self.record): each.read_bytes() for each in self.record.rglob("*") if each.is_file()}

    def put_record(self, copy: Any) -> None:
        """Put a copy in the place of the record."""
        shutil.rmtree(self.record, ignore_errors=True)
        for path, content in (copy or {}).items():
            (self.record / path).parent.mkdir(parents=True, exist_ok=True)
            (self.record / path).write_bytes(content)

    # --- runs

    def plan(self, *, drift: bool = False) -> Reconciliation:
        """A plan, which must send no write at all. `drift`: as a person's apply that puts it right would see it."""
        self.provider.asked.clear()
        try:
            planned = plan_target(self._project(), Options(today=self.today, drift=drift))
        except InputError as error:
            raise AssertionError([f"{each.source}: {each.summary}" for each in error.diagnostics]) from error
        assert not self.provider.writes
        return planned

    def to_accept(self, *, drift: bool = False) -> frozenset[str]:
        """Every rule that an apply would break, as it has to be accepted."""
        seen: list[Reconciliation] = []

        def no(shown: Reconciliation) -> bool:
            seen.append(shown)
            return False

        apply_target(self._project(), Options(today=self.today, drift=drift), confirm=no)
        return frozenset(f"{each.rule}@{each.digest}" for each in seen[0].plan.violations)

    def apply(self, run: Run | None = None) -> Applied:
        """One apply; raises what the apply raises, and then nothing may have been written."""
        run = run or Run()
        before = self.stored()
        seen: list[Reconciliation] = []
        results: list[Result] = []
        kept: list[object] = []

        def note(result: Result) -> None:
            results.append(result)
            if len(results) == run.dies_after:
                kept.append(self.copied_record())
                raise Died

        def confirmed(shown: Reconciliation) -> bool:
            seen.append(shown)
            return True

        options = Options(today=self.today, drift=run.drift, accepted=run.accepted)
        outcome = None
        with self._in(run.weather):
            try:
                outcome = apply_target(
                    self._project(),
                    options,
                    confirm=confirmed,
                    progress=note,
                    stop=lambda: run.stops_after is not None and len(results) >= run.stops_after,
                )
            except Died:
                self.put_record(kept[0])
        return Applied(shown=seen[0], outcome=outcome, before=before, after=self.stored())

    def _project(self) -> Project:
        return open_project(self.folder, None, None)

    @contextmanager
    def _in(self, weather: Weather) -> Iterator[None]:
        self.provider.before = partial(_met, self.provider, weather)
        try:
            yield
        finally:
            self.provider.before = lambda request: None


def _met(provider: Provider, weather: Weather, request: Request) -> Response | None:
    trouble = weather.meets(request)
    match trouble:
        case None:
            return None
        case Trouble.LOST:
            provider.service.handle(request)
            return Response(status=200, dropped=True)
        case Trouble.UNSENT:
            return Response(status=200, dropped=True)
        case _:
            body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"], "status": str(trouble.value)}
            return answer(trouble.value, json.dumps({**body, "detail": "this did not go well"}).encode())


@contextmanager
def staged(organisation: str, policy: str = NO_LIMITS, *, case_exact: bool = False) -> Iterator[Stage]:
    """A fresh folder and a fresh organisation in memory; time only passes where somebody waits.

    `case_exact`: the organisation tells logins apart by their case, so it may have two of one name.
    """
    switches = Switches(case_exact=("userName",)) if case_exact else None
    service = open_sandbox(None, organisation, switches=switches)
    provider = Provider(service)
    time = FakeTime()

    @contextmanager
    def embedded(*_: object) -> Iterator[Provider]:
        yield provider

    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr("reconciler.embedding.embedded_service", embedded)
        pass_time_at_once(patch, time)
        Path(folder, "reconciler.yaml").write_text(settings(organisation, policy), encoding="utf-8")
        (Path(folder) / ".reconciler").mkdir()
        try:
            yield Stage(Path(folder), provider)
        finally:
            service.close()


def pass_time_at_once(patch: pytest.MonkeyPatch, time: FakeTime) -> None:
    """Nobody waits: neither between requests nor for what the organisation has yet to show."""
    patch.setattr("reconciler.transport.client.Clock", lambda: time.clock)
    passing = SimpleNamespace(monotonic=time.clock.monotonic, sleep=time.sleep)
    for module in ("applies", "verifying"):
        patch.setattr(f"reconciler.running.{module}.time", passing)


def settings(organisation: str, policy: str, url: str = "sandbox:", more: str = "") -> str:
    """`more`: further keys of the target, in braces, each with a comma before it."""
    profile = CLIENT_PROFILES[organisation]
    targets = "".join(
        f"  {name}: {{profile: {profile}, url: '{url}'{more}}}\n"
        for name, url in (("here", url), ("there", "sandbox:"))
    )
    return f"defaultTarget: here\ntargets:\n{targets}{policy}"


Ask = Callable[[str, str, Json], Response]
