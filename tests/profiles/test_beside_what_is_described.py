"""Attributes that a profile does not describe, under a URN of which it describes others: a whole life."""

import json
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from reconciler.sandbox import Request, SandboxService, open_sandbox, serve
from tests.cli.in_process import QuickFolder, quick
from tests.profiles.test_own_profiles import described

URN = "urn:acme:2.0:User"
PROFILE = f"""\
name: acme
title: Acme Directory
users:
  attributes:
    - {{name: badge, kind: text, schema: "{URN}"}}
"""
BESIDE = '{shirt: {size: m, colour: red}, level: 4, floors: ["1", "2"]}'
SCHEMA = {
    "id": URN,
    "name": "Acme",
    "description": "Ours",
    "attributes": [
        described("badge", "string"),
        described("level", "integer"),
        described("floors", "string", many=True),
        described("shirt", "complex", "size", "colour"),
    ],
}


TEAM = {"id": "urn:acme:2.0:Group", "name": "Team", "description": "T", "attributes": [described("floor", "string")]}


def ann(beside: str | None, urn: str = URN) -> str:
    line = "" if beside is None else f"    {urn}: {beside}\n"
    return f"users:\n  ann:\n    userName: ann@example.com\n    displayName: Ann\n    badge: B1\n{line}"


def stored(service: SandboxService) -> dict[str, Any]:
    (found,) = (each for each in service.dump()["User"] if each["userName"] == "ann@example.com")
    return found


@pytest.fixture(params=[False, True], ids=["whole rows", "asked for by name"])
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[QuickFolder, SandboxService]]:
    service = open_sandbox(None, schemas={"User": [SCHEMA], "Group": [TEAM]})
    folder = quick(tmp_path)
    with closing(service), serve(service) as server:
        url = f"{server.url}/scim/v2"
        folder.write("reconciler.yaml", f"targets:\n  prod: {{profile: profiles/acme.yaml, url: {url}}}\n")
        wire = "wire: {listAttributes: true}\n" if request.param else ""
        folder.write("profiles/acme.yaml", PROFILE + wire)
        yield folder, service


def applied(folder: QuickFolder, lines: str, *more: str) -> str:
    folder.write("identities/a.yaml", lines)
    ran = folder.run("apply", "--auto-approve", *more)
    assert ran.code == 0, ran.out + ran.err
    assert folder.run("plan", "--detailed-exitcode").code == 0
    return " ".join(ran.out.split())


def test_they_are_set_changed_corrected_and_cleared(office: tuple[QuickFolder, SandboxService]) -> None:
    folder, service = office
    applied(folder, ann(BESIDE))
    shirt = {"size": "m", "colour": "red"}
    assert stored(service)[URN] == {"badge": "B1", "level": 4, "shirt": shirt, "floors": ["1", "2"]}
    changed = ann(BESIDE.replace("4", "5").replace("size: m", "size: l"))
    told = applied(folder, changed)
    assert "~ level = 4 -> 5" in told
    assert (stored(service)[URN]["level"], stored(service)[URN]["shirt"]) == (5, {"size": "l", "colour": "red"})
    others(service, f"{URN}:level", 9)
    shown = folder.run("plan")
    assert "not part of this plan" in shown.out
    assert "level" in shown.out
    applied(folder, changed, "--drift")
    assert stored(service)[URN]["level"] == 5
    applied(folder, ann("{shirt: null, level: 5, floors: null}"))
    assert stored(service)[URN] == {"badge": "B1", "level": 5}
    assert "no longer managed: floors, level, shirt" in applied(folder, ann(None))
    assert stored(service)[URN] == {"badge": "B1", "level": 5}


def test_a_group_has_them_too(office: tuple[QuickFolder, SandboxService]) -> None:
    folder, service = office
    team = "groups:\n  team:\n    displayName: Team\n    urn:acme:2.0:Group: {floor: second}\n"
    applied(folder, ann("{level: 4}") + team)
    applied(folder, ann("{level: 4}") + team.replace("second", "third"))
    (found,) = (each for each in service.dump()["Group"] if each["displayName"] == "Team")
    assert found["urn:acme:2.0:Group"] == {"floor": "third"}


def others(service: SandboxService, path: str, value: object) -> None:
    """What somebody else changes on the server."""
    message = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
    body = {"schemas": [message], "Operations": [{"op": "replace", "path": path, "value": value}]}
    target = f"/scim/v2/Users/{stored(service)['id']}"
    assert service.handle(Request(method="PATCH", target=target, body=json.dumps(body).encode())).status == 200


def test_the_urn_in_another_case_is_the_same_schema(office: tuple[QuickFolder, SandboxService]) -> None:
    folder, service = office
    applied(folder, ann("{level: 4}", "urn:ACME:2.0:user"))
    assert stored(service)[URN] == {"badge": "B1", "level": 4}
    applied(folder, ann("{level: 5}"))
    assert stored(service)[URN]["level"] == 5


def test_import_writes_what_may_be_declared(office: tuple[QuickFolder, SandboxService]) -> None:
    folder, _ = office
    applied(folder, ann("{level: 4}"))
    (folder.path / "identities" / "a.yaml").unlink()
    shutil.rmtree(folder.path / ".reconciler" / "record", ignore_errors=True)
    ran = folder.run("import")
    written = "".join(each.read_text("utf-8") for each in sorted((folder.path / "identities").rglob("*.yaml")))
    assert ran.code == 0, ran.out + ran.err
    # what a server shows only by name is known to nobody who has no line for it
    assert ("level: 4" in written) is ("listAttributes" not in (folder.path / "profiles" / "acme.yaml").read_text())
    assert folder.run("plan", "--detailed-exitcode").code == 0
