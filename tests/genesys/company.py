"""A contact centre's organisation over HTTP, and a repository that declares it: whole runs, YAML to what is stored.

The organisation is the embedded one, served on this machine under its real paths. What it holds is read past the client
(`stored`), and what it was asked is written down (`asked`).
"""

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import yaml

from reconciler.model import Diagnostic, Failed, NotTried, Plan, Skipped, Succeeded
from reconciler.project import open_project
from reconciler.reconcile import Reconciliation
from reconciler.running.applies import Outcome, apply_target
from reconciler.running.plans import plan_target
from reconciler.running.run import Options
from reconciler.sandbox import Access, Request, SandboxService, open_sandbox, read_switches, serve
from reconciler.sandbox.messages import Response
from tests.cli.in_process import quick
from tests.conftest import Ran
from tests.sandbox.raw import stored

ENT = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
CORRELATION = "ININ-Correlation-Id"
GEN = "urn:ietf:params:scim:schemas:extension:genesys:purecloud:2.0:User"
V2 = "/api/v2/scim/v2"
V1 = "/api/v2/scim"
PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
SEED: Mapping[str, Any] = {
    "divisions": ["EMEA", "APAC"],
    "roles": ["Night Lead"],
    "groups": ["Support", "Sales"],
}
LIMITS = {"removals": 500, "memberRemovals": 500, "roleRemovals": 500}

Before = Callable[[Request], Response | None]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request, as the organisation received it, and the status of its answer."""

    method: str
    path: str
    parameters: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    status: int
    request_id: str = ""

    @property
    def operations(self) -> list[Any]:
        """What a PATCH asked for."""
        return list(json.loads(self.body)["Operations"])


@dataclass(kw_only=True)
class Company:
    """One organisation and one repository.

    `before`: called before each request; its answer takes the real one's place.
    """

    service: SandboxService
    folder: Path
    url: str = ""
    base: str = V2
    asked: list[Asked] = field(default_factory=list)
    before: Before = lambda request: None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    # --- the organisation

    def handle(self, request: Request) -> Response:
        answer = self.before(request) or self.service.handle(request)
        path, _, query = request.target.partition("?")
        asked = Asked(
            method=request.method,
            path=path,
            parameters={name: values[-1] for name, values in parse_qs(query).items()},
            headers=request.headers,
            body=request.body,
            status=answer.status,
            request_id=answer.headers.get(CORRELATION, ""),
        )
        with self._lock:
            self.asked.append(asked)
        return answer

    @property
    def writes(self) -> list[Asked]:
        return [each for each in self.asked if each.method in ("POST", "PATCH", "PUT", "DELETE")]

    def listings(self, kind: str) -> list[Asked]:
        """The pages of users, or of groups, that were asked for."""
        return [each for each in self.asked if each.method == "GET" and each.path.lower().endswith(f"/{kind}")]

    def stored(self, name: str) -> dict[str, Any]:
        """The one user or group of that userName or displayName, raw from the store."""
        return stored(self.service, name)

    def elsewhere(self, method: str, path: str, body: Any = None) -> Any:
        """What another administrator does."""
        data = json.dumps(body).encode() if body is not None else b""
        headers = {"content-type": "application/scim+json"}
        answer = self.service.handle(
            Request(method=method, target=V2 + path, headers=headers, body=data, origin="http://here")
        )
        assert answer.status < 300, answer.body
        return json.loads(answer.body) if answer.body else None

    def change(self, name: str, *operations: Mapping[str, Any]) -> None:
        """Another administrator's PATCH."""
        held = self.stored(name)
        kind = "Users" if "userName" in held else "Groups"
        self.elsewhere("PATCH", f"/{kind}/{held['id']}", {"schemas": [PATCH_OP], "Operations": list(operations)})

    def members(self, group: str) -> list[str]:
        """The userNames of a group's members, sorted."""
        names = {each["id"]: each["userName"] for each in self.service.dump()["User"]}
        return sorted(names.get(each["value"], each["value"]) for each in self.stored(group).get("members", []))

    # --- the repository

    def settings(self, others: Mapping[str, Any] | None = None, /, **more: Any) -> None:
        """Write settings with this organisation as a target, and `others`; `more`: its keys, None takes one out."""
        target = {"profile": "genesys", "url": self.url + self.base, "policy": {}, **more}
        target["policy"] = {"limits": LIMITS, **target["policy"]}
        own = {name: each for name, each in target.items() if each is not None}
        settings = {"defaultTarget": "org", "targets": {"org": own, **(others or {})}}
        (self.folder / "reconciler.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")

    def declare(self, users: Mapping[str, Any] | None = None, groups: Mapping[str, Any] | None = None) -> None:
        """Write the declarations anew."""
        file = self.folder / "identities" / "all.yaml"
        file.parent.mkdir(exist_ok=True)
        sections = {name: each for name, each in (("users", users), ("groups", groups)) if each}
        file.write_text(yaml.safe_dump(sections, sort_keys=False, allow_unicode=True), encoding="utf-8")

    def plan(self, *, drift: bool = False) -> Plan:
        """What an apply would do."""
        return plan_target(open_project(self.folder, None, None), Options(drift=drift)).plan

    def apply(self, *, drift: bool = False, meanwhile: Callable[[], None] | None = None) -> "Done":
        """Plan, write, verify, record; `meanwhile` happens between the plan and the first write."""

        def confirm(_: Reconciliation) -> bool:
            if meanwhile is not None:
                meanwhile()
            return True

        outcome = apply_target(open_project(self.folder, None, None), Options(drift=drift), confirm=confirm)
        assert outcome is not None
        return Done(outcome)

    def run(self, *arguments: str, **environment: str) -> Ran:
        """The command itself, in this process."""
        return quick(self.folder).run(*arguments, **environment)


@dataclass(frozen=True)
class Done:
    """An apply that has ended."""

    outcome: Outcome

    @property
    def plan(self) -> Plan:
        return self.outcome.reconciliation.plan

    @property
    def failed(self) -> list[Failed | Skipped | NotTried]:
        return [each for each in self.outcome.results if not isinstance(each, Succeeded)]

    @property
    def notes(self) -> str:
        return "; ".join(each.note for each in self.outcome.results if isinstance(each, Succeeded) and each.note)

    @property
    def said(self) -> list[str]:
        """One line for everything that did not come about: refused in the plan, failed, or not kept."""
        problems: Sequence[Diagnostic] = (*self.plan.refused, *self.outcome.unverified)
        return [*(f"{each.summary}; {each.mend}" for each in problems), *(each.message for each in self.failed)]


@contextmanager
def company(folder: Path, *, access: Access | None = None, base: str = V2, **switches: Any) -> Iterator[Company]:
    """A served organisation with a few names and groups, and settings for it; `switches` as settings write them."""
    service = open_sandbox(None, "genesys", access=access, switches=read_switches(switches))
    service.seed(SEED)
    here = Company(service=service, folder=folder, base=base)
    try:
        with serve(here) as server:  # type: ignore[arg-type]  # it has what a server needs: handle
            here.url = server.url
            here.settings()
            yield here
    finally:
        service.close()
