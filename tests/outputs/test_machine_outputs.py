"""What programs read: JSON of every command, SARIF, annotations and outputs of GitHub Actions."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from reconciler.schemas import schema
from tests.cli.in_process import QuickFolder, quick
from tests.cli.provider import answer, people, prepared, provider

SETTINGS = "targets:\n  office: {profile: rfc, url: 'sandbox:'}\n"
TWO = """\
defaultTarget: office
targets:
  office: {profile: rfc, url: 'sandbox:'}
  nowhere: {profile: rfc, url: 'http://127.0.0.1:1/scim'}
"""
WRONG = "users:\n  ann.lee: {usrName: ann.lee@example.com}\n  bob.li: {userName: 'b@c.de', title: ''}\n"
HOSTILE = "x%0A::set-output name=digest::y"


@pytest.fixture
def folder(tmp_path: Path) -> QuickFolder:
    here = quick(tmp_path / "here")
    here.write("reconciler.yaml", SETTINGS)
    here.write("identities/all.yaml", people("ann.lee", "bob.li"))
    return here


def valid(text: str, kind: str) -> Any:
    """The document, checked by the published schema of that kind of output."""
    whole = schema("output")
    document = json.loads(text)
    Draft202012Validator({"$ref": f"#/$defs/{kind}", "$defs": whole["$defs"]}).validate(document)
    Draft202012Validator(whole).validate(document)
    return document


# --- JSON


def test_what_validate_finds_is_one_object(folder: QuickFolder) -> None:
    ran = folder.run("validate", "--format", "json")
    found = valid(ran.out, "validation")
    assert (ran.code, found["valid"], found["users"], found["files"]) == (0, True, 2, 1)
    folder.write("identities/all.yaml", WRONG)
    ran = folder.run("validate", "--format", "json")
    found = valid(ran.out, "validation")
    assert (ran.code, found["valid"], ran.err) == (1, False, "")
    places = {(each["code"], each["source"]["line"]) for each in found["diagnostics"]}
    assert {line for _, line in places} == {2, 3}
    assert all(each["mend"] or each["detail"] or each["summary"] for each in found["diagnostics"])


def test_validate_without_usable_settings(folder: QuickFolder) -> None:
    folder.write("reconciler.yaml", "targets: {office: {profil: rfc}}\n")
    found = valid(folder.run("validate", "--format", "json").out, "validation")
    assert not found["valid"]
    assert "reconciler.yaml" in {each["source"]["path"] for each in found["diagnostics"]}


def test_what_an_apply_did_is_one_object(folder: QuickFolder) -> None:
    ran = folder.run("apply", "--auto-approve", "--format", "json")
    (target,) = valid(ran.out, "applied")["targets"]
    assert (ran.code, target["exit"]) == (0, 0)
    Draft202012Validator(schema("plan")).validate(target["plan"])
    assert [each["outcome"] for each in target["results"]] == ["done", "done"]
    assert "Apply complete: 2 added" in ran.err
    again = folder.run("apply", "--auto-approve", "--format", "json")
    (target,) = valid(again.out, "applied")["targets"]
    assert (target["plan"]["changes"], target["results"]) == ([], [])


def test_apply_asks_nobody_in_json(folder: QuickFolder) -> None:
    ran = folder.run("apply", "--format", "json")
    assert (ran.code, ran.out) == (64, "")
    assert "--auto-approve" in ran.err


def test_apply_of_several_with_one_that_fails(folder: QuickFolder) -> None:
    folder.write("reconciler.yaml", TWO)
    ran = folder.run("apply", "--all-targets", "--auto-approve", "--format", "json")
    office, nowhere = valid(ran.out, "applied")["targets"]
    assert (ran.code, office["exit"], nowhere["exit"]) == (1, 0, 1)
    assert "127.0.0.1" in nowhere["error"]["summary"]


def test_apply_that_fails_in_part(tmp_path: Path) -> None:
    with provider() as running:
        here = prepared(quick(tmp_path / "here"), running, people("ann.lee", "bob.li"))
        refused = b'{"status": "400", "scimType": "invalidValue", "detail": "' + HOSTILE.encode() + b'"}'
        running.before = lambda request: (
            answer(400, refused) if request.method == "POST" and b"bob" in request.body else None
        )
        ran = here.run("apply", "--auto-approve", "--format", "json", GITHUB_ACTIONS="true")
    (target,) = valid(ran.out, "applied")["targets"]
    assert (ran.code, target["exit"]) == (5, 5)
    assert [(each["outcome"], each.get("status")) for each in target["results"]] == [("done", None), ("failed", 400)]
    assert not [line for line in (ran.out + ran.err).splitlines() if line.startswith("::set-output")]


def test_plans_of_several(folder: QuickFolder) -> None:
    folder.write("reconciler.yaml", TWO)
    for command in ("plan", "drift"):
        found = valid(folder.run(command, "--all-targets", "--format", "json").out, "plans")
        assert ["plan" in each for each in found["targets"]] == [True, False]
        Draft202012Validator(schema("plan")).validate(found["targets"][0]["plan"])


def test_a_plan_of_a_person_who_is_refused(folder: QuickFolder) -> None:
    ran = folder.run("plan", "--format", "json")
    Draft202012Validator(schema("plan")).validate(json.loads(ran.out))
    assert folder.run("schema", "output").code == 0


# --- SARIF


def sarif(text: str) -> list[dict[str, Any]]:
    """The results; what SARIF 2.1.0 and code hosts want of each is checked."""
    log = json.loads(text)
    assert (log["version"], log["$schema"][:8]) == ("2.1.0", "https://")
    (run,) = log["runs"]
    rules = [each["id"] for each in run["tool"]["driver"]["rules"]]
    assert len(rules) == len(set(rules))
    for each in run["results"]:
        assert rules[each["ruleIndex"]] == each["ruleId"]
        assert each["level"] in ("error", "warning", "note")
        assert each["message"]["text"]
        (location,) = each["locations"]
        place = location["physicalLocation"]
        assert not place["artifactLocation"]["uri"].startswith(("/", ".."))
        assert place["region"]["startLine"] >= 1
        assert place["region"]["startColumn"] >= 1
    results: list[dict[str, Any]] = run["results"]
    return results


def places(results: list[dict[str, Any]]) -> set[tuple[str, int]]:
    found = (each["locations"][0]["physicalLocation"] for each in results)
    return {(each["artifactLocation"]["uri"], each["region"]["startLine"]) for each in found}


def test_sarif_of_declarations(folder: QuickFolder) -> None:
    assert sarif(folder.run("validate", "--format", "sarif").out) == []
    folder.write("identities/all.yaml", WRONG)
    ran = folder.run("validate", "--format", "sarif")
    assert ran.code == 1
    assert places(sarif(ran.out)) == {("identities/all.yaml", 2), ("identities/all.yaml", 3)}


def test_places_are_those_of_the_repository(folder: QuickFolder, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    folder.write("identities/ä b.yaml", WRONG)
    folder.write("identities/all.yaml", "users: {}\n")
    ran = folder.run("validate", "--format", "sarif")
    assert {uri for uri, _ in places(sarif(ran.out))} == {"here/identities/%C3%A4%20b.yaml"}
    ran = folder.run("validate", GITHUB_ACTIONS="true")
    assert "file=here/identities/ä b.yaml,line=2," in ran.err


def test_sarif_of_a_plan_has_its_broken_rules(folder: QuickFolder) -> None:
    folder.write("reconciler.yaml", SETTINGS + "policy: {limits: {creations: 3}}\n")
    folder.write("identities/all.yaml", people(*(f"p{each}" for each in range(9))))
    ran = folder.run("plan", "--format", "sarif")
    assert ran.code == 3
    (broken,) = [each for each in sarif(ran.out) if each["ruleId"] == "creations"]
    assert broken["level"] == "error"
    assert "Mend: " in broken["message"]["text"]
    assert places([broken]) == {("identities/all.yaml", 2)}


def test_sarif_is_of_one_target(folder: QuickFolder) -> None:
    folder.write("reconciler.yaml", TWO)
    assert folder.run("plan", "--all-targets", "--format", "sarif").code == 64


# --- GitHub Actions


def commands(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("::")]


def test_problems_are_annotated_at_their_lines(folder: QuickFolder) -> None:
    folder.write("identities/all.yaml", WRONG)
    assert commands(folder.run("validate").err) == []
    ran = folder.run("validate", GITHUB_ACTIONS="true")
    found = commands(ran.err)
    assert len(found) >= 2
    assert any(line.startswith("::error file=identities/all.yaml,line=2,col=") for line in found)
    assert all("title=" in line for line in found)
    ran = folder.run("plan", GITHUB_ACTIONS="true")
    assert commands(ran.err) == found


def test_only_what_is_shown_is_annotated_and_the_rest_counted(folder: QuickFolder) -> None:
    folder.write("identities/all.yaml", "users:\n" + "".join(f"  p{each}: {{x: 1}}\n" for each in range(40)))
    found = [each for each in commands(folder.run("validate", GITHUB_ACTIONS="true").err) if each.startswith("::error")]
    assert len(found) == 10
    assert "more: see the log)" in found[-1]


@pytest.mark.parametrize("text", [HOSTILE, "::stop-commands::x", "a%0A::error::b", "##[error]x", "a,line=9", "a::b"])
def test_no_text_becomes_a_command(text: str, folder: QuickFolder) -> None:
    quoted = json.dumps(text)
    folder.write(
        "identities/all.yaml", f"users:\n  ann: {{userName: a@b.c, title: {quoted}, {quoted}: 1, manager: {quoted}}}\n"
    )
    for form in ("text", "json", "sarif"):
        ran = folder.run("validate", "--format", form, GITHUB_ACTIONS="true")
        found = commands(ran.out + ran.err)
        assert found
        assert all(
            line.startswith(("::error file=identities/all.yaml,line=2,col=", "::warning file=")) for line in found
        )
        assert "\n##[" not in ran.out + ran.err


def test_later_steps_are_told(folder: QuickFolder, tmp_path: Path) -> None:
    file = tmp_path / "output"

    def left(*arguments: str) -> dict[str, str]:
        file.write_text("")
        folder.run(*arguments, GITHUB_OUTPUT=str(file))
        return dict(line.split("=", 1) for line in file.read_text().splitlines())

    plan = left("plan")
    shown = json.loads(folder.run("plan", "--format", "json").out)
    assert plan == {
        "digest": shown["digest"], "digest-office": shown["digest"], "changes": "2", "changes-office": "2",
        "drift": "0", "drift-office": "0", "violations": "0", "violations-office": "0",
        "exit-code": "0", "exit-reason": "done",
    }  # fmt: skip
    assert left("plan", "--detailed-exitcode")["exit-reason"] == "changes"
    assert left("apply", "--auto-approve") == {"exit-code": "0", "exit-reason": "done"}
    assert left("plan", "--target", "of") == {"exit-code": "64", "exit-reason": "usage"}
    folder.write("identities/all.yaml", WRONG)
    assert left("validate")["exit-reason"] == "failed"


def test_the_summary_of_a_job_gets_the_plan(folder: QuickFolder, tmp_path: Path) -> None:
    file = tmp_path / "summary.md"
    file.write_text("before\n")
    folder.run("plan", GITHUB_STEP_SUMMARY=str(file))
    said = file.read_text()
    assert said.startswith("before\n")
    assert folder.run("plan", "--format", "markdown").out.strip() in said
