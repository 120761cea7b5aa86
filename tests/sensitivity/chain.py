"""The whole chain in one process: YAML text -> plan -> writes -> record, against an embedded organisation.

`Chain` takes the steps of a run one by one, so that a test can look between them. What the organisation holds is read
past the client (`stored`); `elsewhere` changes it as another administrator would. Every PATCH that an apply sends is
replayed by scim2-models on the resource as it was, and must lead to what the organisation then holds.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import httpx
from msgspec.structs import replace

from reconciler.applying import execute
from reconciler.declarations import check_declarations, load_declarations, resolve
from reconciler.decoding import undescribed
from reconciler.model import (
    Address,
    AppliedState,
    AttributeChange,
    Change,
    CreateResource,
    DesiredState,
    Diagnostic,
    LiveState,
    Policy,
    Severity,
    Succeeded,
)
from reconciler.profiles.profile import Profile
from reconciler.reconcile import Context, Reconciliation, reconcile
from reconciler.refreshing import refresh
from reconciler.remembering import announce, conclude
from reconciler.sandbox import SandboxService
from reconciler.sandbox.transport import SandboxTransport
from reconciler.settings import Target
from reconciler.settling import settle
from reconciler.transport.client import Writer
from tests.sandbox.raw import stored
from tests.sensitivity.oracle import Oracle
from tests.transport.serving import FakeTime

BASE = "http://sandbox.localhost"
PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
TODAY = date(2026, 11, 25)

Json = Any
Lines = Mapping[str, Json]


class RefusedLines(Exception):
    """The declarations have errors; `codes` are those of the diagnostics."""

    def __init__(self, found: Sequence[Diagnostic]) -> None:
        super().__init__("; ".join(f"{each.code}: {each.summary}" for each in found))
        self.codes = {each.code for each in found}


@dataclass(frozen=True, kw_only=True)
class Applied:
    """An apply: what it planned, and what it sent."""

    changes: tuple[Change, ...]
    requests: tuple[httpx.Request, ...]


class Chain(httpx.BaseTransport):
    """One organisation, one folder of declarations, one record."""

    def __init__(self, folder: Path, profile: Profile, service: SandboxService) -> None:
        self.folder = folder
        self.profile = profile
        self.service = service
        self.target = Target(name="here", profile=profile.name, url="sandbox:")
        self.applied = AppliedState()
        self.oracle = Oracle(service)
        self.sent: list[httpx.Request] = []
        self._inner = SandboxTransport(service)
        self._writer = Writer(base_url=BASE, wire=profile.wire, signer=None, transport=self, clock=FakeTime().clock)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.method != "GET":
            self.sent.append(request)
        return self._inner.handle_request(request)

    def close(self) -> None:
        self._writer.close()
        self.service.close()

    # --- the steps of a run

    def desired(self, text: str) -> DesiredState:
        """What a text declares; RefusedLines if there is anything wrong with it."""
        file = self.folder / "identities" / "people.yaml"
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
        declarations = load_declarations(self.folder, ["identities"])
        checked = check_declarations(declarations, [(self.target, self.profile)])
        errors = [each for each in (*declarations.diagnostics, *checked) if each.severity is Severity.ERROR]
        if errors:
            raise RefusedLines(errors)
        return resolve(declarations, self.target, self.profile, TODAY)

    def live(self, desired: DesiredState) -> LiveState:
        """What the organisation holds, as the client reads it."""
        return refresh(self._writer, self.profile, extensions=undescribed(desired, self.profile))

    def plan(self, text: str, *, drift: bool = False) -> Reconciliation:
        """What an apply would do."""
        desired = self.desired(text)
        return self._reconciled(desired, self.live(desired), self.applied, drift=drift)

    def apply(self, text: str, *, drift: bool = False) -> Applied:
        """Plan, write, verify, remember; every operation must succeed and the next plan must be empty."""
        planned = self.plan(text, drift=drift)
        plan, desired = planned.plan, planned.situation.desired
        assert plan.violations == ()
        announced = announce(planned.situation, plan.changes, None)
        before, self.sent = self.service.dump(), []
        results = execute(plan.operations, self._writer, self.profile, audit=None)
        requests = tuple(self.sent)
        assert [each for each in results if not isinstance(each, Succeeded)] == []
        ids = {each.number: each.live_id for each in results if isinstance(each, Succeeded)}
        creates = [each for each in plan.operations if isinstance(each, CreateResource)]
        live = self.live(desired)
        created = {each.address: ids[each.number] for each in creates}
        self._remember(desired, live, announced, created, drift=drift)
        self.oracle.compare(before, requests, self.service.dump())
        again = self._reconciled(desired, live, self.applied, drift=False).plan
        assert again.changes == ()
        assert again.drift == ()
        return Applied(changes=plan.changes, requests=requests)

    def _remember(
        self,
        desired: DesiredState,
        live: LiveState,
        announced: AppliedState,
        created: Mapping[Address, str],
        *,
        drift: bool,
    ) -> None:
        entries = {
            address: replace(entry, live_id=created.get(address, entry.live_id))
            for address, entry in announced.resources.items()
        }
        announced = replace(announced, resources=entries)
        again = self._reconciled(desired, live, announced, drift=drift)
        self.applied = conclude(settle(announced, live, self.profile), again.situation, again.plan.drift, created)

    def _reconciled(
        self, desired: DesiredState, live: LiveState, applied: AppliedState, *, drift: bool
    ) -> Reconciliation:
        context = Context(target="here", correct_drift=drift, reactivate=drift)
        return reconcile(desired, live, applied, self.profile, Policy(), context)

    # --- past the client

    def stored(self, name: str) -> dict[str, Json]:
        """The one user or group of that userName or displayName, raw from the store."""
        return stored(self.service, name)

    def elsewhere(self, name: str, *operations: Mapping[str, Json]) -> None:
        """Another administrator's PATCH."""
        resource = self.stored(name)
        path = f"/{'Users' if 'userName' in resource else 'Groups'}/{resource['id']}"
        body = {"schemas": [PATCH_OP], "Operations": list(operations)}
        answer = self._inner.handle_request(httpx.Request("PATCH", BASE + path, json=body))
        assert answer.status_code in (200, 204), answer.read()


def declared(users: Mapping[str, Lines], groups: Mapping[str, Lines] | None = None) -> str:
    """Declarations as YAML text, one line an attribute."""
    text = ""
    for section, resources in (("users", users), ("groups", groups or {})):
        if resources:
            text += f"{section}:\n"
        for key, lines in resources.items():
            text += f"  {key}:\n"
            text += "".join(f"    {name}: {json.dumps(value, ensure_ascii=False)}\n" for name, value in lines.items())
    return text


def differences(changes: Sequence[Change]) -> list[AttributeChange]:
    """All attribute changes of some changes."""
    return [each for change in changes for each in change.attribute_changes]
