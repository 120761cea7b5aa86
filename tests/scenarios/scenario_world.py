"""A scenario made real: a folder with settings, declarations and record, and an embedded organisation with live state.

Live state is written as a server returns it, or shorter: `members`, `roles` and `groups` as lists of ids and names,
`emails` and `phoneNumbers` as a mapping by type, `manager` as an id, attributes of extensions beside the core ones.
`founders: false` takes out the people that a fresh organisation has.

A `server.yaml` says where the organisation does not behave in an apply:

    answers:                        # in place of its own; `times`: how often (default: always)
      - {method: POST, contains: zoe@example.com, status: 400, detail: no such division}
      - {method: POST, contains: zoe@example.com, lost: true}     # it is done, and the answer is lost
    meanwhile:                      # what somebody else does right before the first write
      - {method: PATCH, path: /Groups/g-support, body: {…}}
"""

import json
import re
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from pathlib import Path
from typing import Any, Self

import httpx
import pytest
import yaml

from reconciler.embedding import sandbox_folder
from reconciler.project import open_project
from reconciler.record.file import FileRecordStore
from reconciler.record.store import CommitMessage
from reconciler.recording import data_folder, made_data_folder
from reconciler.sandbox import Request, SandboxService, open_sandbox, read_switches
from reconciler.sandbox.transport import SandboxTransport
from reconciler.settings.overlay import target_profile
from tests.cli.in_process import quick
from tests.conftest import Ran
from tests.scenarios.scenario_record import recorded
from tests.transport.serving import FakeTime

PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
GENESYS = "urn:ietf:params:scim:schemas:extension:genesys:purecloud:2.0:User"
TODAY = "2026-11-25"
_ENTERPRISE = ("department", "division", "employeeNumber", "manager", "costCenter", "organization", "dateHire")
_LEVELS = ("routingSkills", "routingLanguages")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")

Json = Any


@dataclass
class Misbehaviour:
    """What the server does differently in an apply; see the head of this module."""

    answers: list[dict[str, Json]] = field(default_factory=list)
    meanwhile: list[dict[str, Json]] = field(default_factory=list)

    @classmethod
    def read(cls, file: Path) -> Self:
        said = yaml.safe_load(file.read_text(encoding="utf-8")) if file.exists() else {}
        return cls(answers=said.get("answers", []), meanwhile=said.get("meanwhile", []))


@dataclass
class World:
    """One folder to run commands in; `sent`: every write request so far."""

    path: Path
    today: str = TODAY
    misbehaviour: Misbehaviour = field(default_factory=Misbehaviour)
    sent: list[httpx.Request] = field(default_factory=list)

    def run(self, *arguments: str, misbehaves: bool = False) -> Ran:
        """A command, against the organisation in process; time only passes where somebody waits."""
        behaviour = self.misbehaviour if misbehaves else Misbehaviour()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("reconciler.sandbox.transport.SandboxTransport", self._recording(behaviour))
            patch.setattr("reconciler.transport.client.Clock", lambda: FakeTime().clock)
            patch.setattr("reconciler.project.datetime", _fixed_day(date.fromisoformat(self.today)))
            return quick(self.path).run(*arguments)

    def _recording(self, behaviour: Misbehaviour) -> type[SandboxTransport]:
        sent = self.sent

        class Recording(SandboxTransport):
            def handle_request(self, request: httpx.Request) -> httpx.Response:
                if request.method == "GET":
                    return super().handle_request(request)
                for each in behaviour.meanwhile[:]:
                    behaviour.meanwhile.remove(each)
                    other = httpx.Request(each["method"], _beside(request, each["path"]), json=each.get("body"))
                    assert super().handle_request(other).status_code < 300
                sent.append(request)
                return _answered(behaviour, request) or self._done(request)

            def _done(self, request: httpx.Request) -> httpx.Response:
                answer = super().handle_request(request)
                if _told(behaviour, request, lost=True) is not None:
                    raise httpx.ReadError("the connection was closed before an answer came", request=request)
                return answer

        return Recording

    @contextmanager
    def organisation(self) -> Iterator[SandboxService]:
        """The embedded organisation, as it is without any misbehaviour."""
        project = open_project(self.path, None, None)
        target = project.target(None)
        made_data_folder(project)
        founded = read_switches({"caseExact": target.sandbox_switches.get("caseExact", [])})
        service = open_sandbox(sandbox_folder(project, target), target.profile, switches=founded)
        try:
            yield service
        finally:
            service.close()

    def stored(self) -> dict[str, list[dict[str, Json]]]:
        """All that the organisation holds."""
        with self.organisation() as service:
            return service.dump()

    def readable(self, text: str) -> str:
        """Ids that the organisation gave, as the name of what has them."""
        names = {
            each["id"]: each.get("userName") or each["displayName"] for kind in self.stored().values() for each in kind
        }

        def name(found: re.Match[str]) -> str:
            return f"id-of-{names.get(found[0], 'nobody')}"

        return _UUID.sub(name, text)

    def requests(self) -> str:
        """Every write request, one line each: method, path, and the body without its `schemas`."""
        lines = []
        for request in self.sent:
            path = request.url.raw_path.decode().partition("/scim/v2")[2] or request.url.raw_path.decode()
            version = request.headers.get("If-Match")
            guard = f" (If-Match: {version})" if version else ""
            body = json.loads(request.content) if request.content else None
            if isinstance(body, dict) and body.get("schemas") == [PATCH_OP]:
                for each in body["Operations"]:
                    lines.append(f"{request.method} {path}{guard} {json.dumps(each, ensure_ascii=False)}")
                    guard = " …"
            else:
                lines.append(
                    f"{request.method} {path}{guard}" + (f" {json.dumps(body, ensure_ascii=False)}" if body else "")
                )
        return self.readable("".join(f"{each}\n" for each in lines))


def built(folder: Path, path: Path, *, today: str = TODAY) -> World:
    """The world of a scenario's folder."""
    world = World(path, today, Misbehaviour.read(folder / "server.yaml"))
    shutil.copy(folder / "settings.yaml", path / "reconciler.yaml")
    if (folder / "acceptances.yaml").exists():
        shutil.copy(folder / "acceptances.yaml", path)
    shutil.copytree(folder / "declared", path / "identities")
    live = json.loads((folder / "live.json").read_text(encoding="utf-8"))
    with world.organisation() as service:
        fill(service, live)
    remember(world, folder, live)
    return world


def fill(service: SandboxService, live: Mapping[str, Json]) -> None:
    """Put live state into an organisation; groups may hold groups, and ids that nobody has any more."""
    if live.get("founders") is False:
        for each in service.dump()["User"]:
            _ask(service, "DELETE", f"/Users/{each['id']}", None)
    catalogues = {each: live[each] for each in ("divisions", "roles", "skills", "languages") if each in live}
    # a seed knows groups by their names, so twins come into being under their ids and are renamed
    names = Counter(each["displayName"] for each in live.get("groups", []))
    twins = [each for each in live.get("groups", []) if names[each["displayName"]] > 1]
    groups = [
        {**each, "members": [], "displayName": each["id"] if each in twins else each["displayName"]}
        for each in live.get("groups", [])
    ]
    people = [*live.get("users", []), *live.get("deleted", [])]
    service.seed({**catalogues, "users": [_as_scim(each) for each in people], "groups": groups})
    for each in live.get("users", []):
        if "manager" in each:
            operation = {"op": "add", "path": f"{ENTERPRISE}:manager", "value": {"value": each["manager"]}}
            _ask(service, "PATCH", f"/Users/{each['id']}", {"schemas": [PATCH_OP], "Operations": [operation]})
    for each in twins:
        operation = {"op": "replace", "path": "displayName", "value": each["displayName"]}
        _ask(service, "PATCH", f"/Groups/{each['id']}", {"schemas": [PATCH_OP], "Operations": [operation]})
    for each in live.get("groups", []):
        members = [{"value": member} for member in each.get("members", [])]
        added = {"op": "add", "path": "members", "value": members}
        if members:
            _ask(service, "PATCH", f"/Groups/{each['id']}", {"schemas": [PATCH_OP], "Operations": [added]})
    for each in live.get("deleted", []):
        _ask(service, "DELETE", f"/Users/{each['id']}", None)


def remember(world: World, folder: Path, live: Mapping[str, Json]) -> None:
    """Write the record of a scenario, if it has one: files as they are, or the readable form."""
    project = open_project(world.path, None, None)
    target = project.target(None)
    store = FileRecordStore(data_folder(project) / "record" / target.name)
    if (folder / "record").is_dir():
        files = {
            each.relative_to(folder / "record").as_posix(): each.read_bytes() for each in _files(folder / "record")
        }
    elif (folder / "record.yaml").exists():
        names = {each["userName"]: each["id"] for each in live.get("users", [])}
        text = (folder / "record.yaml").read_text(encoding="utf-8")
        files = recorded(text, target, target_profile(target), names, world.path / ".scratch")
        shutil.rmtree(world.path / ".scratch")
    else:
        return
    store.write(files, expected=None, message=CommitMessage(summary="as the scenario has it", trailers={}))


def _files(folder: Path) -> Sequence[Path]:
    return [each for each in sorted(folder.rglob("*")) if each.is_file()]


def _ask(service: SandboxService, method: str, path: str, body: Json) -> None:
    content = json.dumps(body).encode() if body is not None else b""
    answer = service.handle(Request(method=method, target=path, body=content))
    assert answer.status < 300, answer.body


def _as_scim(user: Mapping[str, Json]) -> dict[str, Json]:
    scim: dict[str, Json] = {}
    for name, value in user.items():
        if name == "manager":
            continue
        if name in ("emails", "phoneNumbers") and isinstance(value, dict):
            scim[name] = [{"type": kind, "value": each} for kind, each in value.items()]
        elif name == "roles":
            scim[name] = [{"value": each} if isinstance(each, str) else each for each in value]
        elif name in _ENTERPRISE:
            scim.setdefault(ENTERPRISE, {})[name] = value
        elif name in _LEVELS:
            scim.setdefault(GENESYS, {})[name] = [{"name": each, "proficiency": level} for each, level in value.items()]
        else:
            scim[name] = value
    return scim


def _beside(request: httpx.Request, path: str) -> httpx.URL:
    base = request.url.path
    return request.url.copy_with(
        path=base[: base.lower().rindex("/users" if "/users" in base.lower() else "/groups")] + path
    )


def _told(behaviour: Misbehaviour, request: httpx.Request, *, lost: bool) -> dict[str, Json] | None:
    content = request.content.decode()
    for each in behaviour.answers:
        fits = each["method"] == request.method and each.get("contains", "") in f"{request.url.path} {content}"
        if fits and bool(each.get("lost")) is lost and each.get("times", 1):
            if "times" in each:
                each["times"] -= 1
            return each
    return None


def _answered(behaviour: Misbehaviour, request: httpx.Request) -> httpx.Response | None:
    told = _told(behaviour, request, lost=False)
    if told is None:
        return None
    body = {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
        "status": str(told["status"]),
        "detail": told["detail"],
    }
    return httpx.Response(told["status"], json=body, request=request)


def _fixed_day(day: date) -> type[datetime]:
    class Fixed(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return cls(day.year, day.month, day.day, 12, tzinfo=tz)

    return Fixed
