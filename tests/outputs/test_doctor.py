"""`doctor`: each thing that a run needs, as it is and as it may be missing; nothing written, no secret printed."""

import json
import subprocess
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from reconciler.checkup import examine
from reconciler.project import open_project
from reconciler.schemas import schema
from tests.cli.in_process import QuickFolder, quick
from tests.cli.provider import answer, people, prepared, provider

SECRET = "s3cret-of-nobody"


def verdicts(here: QuickFolder, **environment: str) -> dict[str, str]:
    ran = here.run("doctor", "--format", "json", **environment)
    document = json.loads(ran.out)
    Draft202012Validator(schema("output")).validate(document)
    (target,) = document["targets"]
    assert ran.code == int("fail" in [each["verdict"] for each in target["checks"]])
    assert all(each["mend"] for each in target["checks"] if each["verdict"] != "pass")
    assert SECRET not in ran.out + ran.err
    return {each["check"]: each["verdict"] for each in target["checks"]}


def test_all_is_well_after_an_apply(tmp_path: Path) -> None:
    here = quick(tmp_path / "here")
    here.write("reconciler.yaml", "targets:\n  office: {profile: rfc, url: 'sandbox:'}\n")
    here.write("identities/all.yaml", people("ann.lee"))
    assert verdicts(here)["record"] == "warn"
    here.run("apply", "--auto-approve")
    assert set(verdicts(here).values()) == {"pass"}
    ran = here.run("doctor")
    assert (ran.code, ran.err) == (0, "")
    assert "users: 1, groups: 0, files: 1" in ran.out


def test_everything_is_told_in_one_run(tmp_path: Path) -> None:
    here = quick(tmp_path / "here")
    subprocess.run(["git", "init", "-q", here.path], check=True)
    here.write("reconciler.yaml", "targets:\n  far: {profile: rfc, url: 'http://127.0.0.1:1/scim'}\n")
    here.write("identities/all.yaml", "users:\n  ann: {usrName: x}\n")
    assert verdicts(here) == {
        "settings": "pass", "declarations": "fail", "credential": "warn", "connection": "fail", "record": "warn",
        "checkout": "warn",
    }  # fmt: skip


@pytest.mark.parametrize(("token", "credential"), [(None, "fail"), (SECRET, "pass")])
def test_a_credential_is_looked_for_and_not_shown(token: str | None, credential: str, tmp_path: Path) -> None:
    with provider(token=SECRET) as running:
        here = prepared(
            quick(tmp_path / "here"), running, people("ann.lee"), auth="    auth: {bearer: env:SCIM_TOKEN}\n"
        )
        found = verdicts(here, **({"SCIM_TOKEN": token} if token else {}))
        assert found["credential"] == credential
        assert ("users" in found) == (credential == "pass")
        assert running.writes == []


@pytest.mark.parametrize("status", [401, 403, 404, 200])
def test_people_who_cannot_be_read(status: int, tmp_path: Path) -> None:
    with provider() as running:
        here = prepared(quick(tmp_path / "here"), running, people("ann.lee"))
        running.before = lambda request: answer(status, b"{}") if "/Users" in request.target else None
        found = verdicts(here)
        assert (found["users"], found["groups"]) == ("fail", "pass")
        # what the target can do may be hidden for the same reason
        assert not found.keys() & {"limits", "discovery", "schemas"}


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("region: eu-central-1", "or set GENESYSCLOUD_OAUTHCLIENT_ID and GENESYSCLOUD_OAUTHCLIENT_SECRET"),
        ("url: https://proxy.example.com/scim", "unless it lets everybody in"),
    ],
)
def test_a_missing_credential_is_told_by_the_variables_that_count_there(where: str, words: str, tmp_path: Path) -> None:
    here = quick(tmp_path)
    here.write("reconciler.yaml", f"targets:\n  prod: {{profile: genesys, {where}}}\n")
    here.write("identities/a.yaml", people("ann.lee"))
    project = open_project(here.path, None, None)
    found = next(each for each in examine(project, project.target(None)) if each.name == "credential")
    assert words in found.mend
