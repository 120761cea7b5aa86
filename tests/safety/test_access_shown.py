"""Who gains and who loses what in the end stands in every output: through groups, templates, rules and dates."""

import json
from pathlib import Path

import pytest

from tests.cli.in_process import QuickFolder, quick

PEOPLE = """\
templates:
  admin: {roles: [Boss, Agent]}
users:
  ann: {userName: ann@x.example, displayName: Ann Ng, from: [admin]}
  bob: {userName: bob@x.example, displayName: Bob Li, department: Ops}
  cleo: {userName: cleo@x.example, displayName: Cleo Ray, endsOn: 2199-06-30}
  dan: {userName: dan@x.example, displayName: Dan Ojo, startsOn: 2199-06-01}
groups:
  ops: {displayName: Ops, memberRule: {department: Ops}}
  desk: {displayName: Desk, members: [cleo, dan, {user: ann, until: 2199-06-30}]}
  board: {displayName: Board, members: [{group: ops}, {group: desk}]}
"""
SETTINGS = """\
targets:
  lab: {profile: rfc, url: "sandbox:"}
policy: {privileged: {roles: [Boss], groups: [board]}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> QuickFolder:
    made = quick(tmp_path / "here")
    made.write("reconciler.yaml", SETTINGS)
    made.write("identities/a.yaml", PEOPLE)
    return made


def told(folder: QuickFolder, *more: str) -> list[str]:
    """``ann +role Boss! -Desk``: ``!`` for what is privileged, ``()`` for who starts or ends."""
    plan = json.loads(folder.run("plan", "--format", "json", *more).out)
    lines = []
    for each in plan["access"]:
        parts = [
            f"{sign}{'role ' if item['kind'] == 'role' else ''}{item['name']}{'!' if item['privileged'] else ''}"
            for sign, items in (("+", each["gains"]), ("-", each["loses"]))
            for item in items
        ]
        ends = ["+()"] * each["starts"] + ["-()"] * each["ends"]
        lines.append(" ".join([each["name"], *parts, *ends]))
    return lines


def test_everybody_who_is_new(folder: QuickFolder) -> None:
    assert told(folder) == [
        "ann +Board! +role Boss! +role Agent +Desk +()",
        "bob +Board! +Ops +()",
        "cleo +Board! +Desk +()",
    ]


def test_in_every_format_by_name_and_privileged_first(folder: QuickFolder) -> None:
    text = " ".join(folder.run("plan").out.split())
    assert "Access: 3 people gain (Board (privileged) 3, role Boss (privileged) 1" in text
    assert "! ann (Ann Ng) gains Board (privileged), role Boss (privileged), role Agent, Desk" in text
    markdown = folder.run("plan", "--format", "markdown").out
    assert "- `ann` (Ann Ng) **gains Board (privileged), role Boss (privileged), role Agent, Desk**" in markdown
    page = folder.run("plan", "--format", "html").out
    assert "gains Board (privileged), role Boss (privileged), role Agent, Desk" in page


def test_what_lines_and_days_take_and_give(folder: QuickFolder) -> None:
    digests = [each["rule"] + "@" + each["digest"] for each in violations(folder)]
    accepted = [word for each in digests for word in ("--accept", each)]
    assert folder.run("apply", "--auto-approve", *accepted).code == 0
    assert told(folder) == []
    assert told(folder, "--today", "2199-06-15") == ["dan +Board! +Desk +()"]
    assert told(folder, "--today", "2199-07-01") == [
        "ann -Board! -Desk",
        "cleo -Board! -Desk -()",
        "dan +Board! +Desk +()",
    ]
    # a template, the attribute of a rule, and the group in between
    folder.write("identities/a.yaml", PEOPLE.replace("Boss, ", "").replace("department: Ops}\n", "department: X}\n", 1))
    assert told(folder) == ["ann -role Boss!", "bob -Board! -Ops"]
    folder.write("identities/a.yaml", PEOPLE.replace(", {group: desk}", ""))
    assert told(folder) == ["ann -Board!", "cleo -Board!"]


def violations(folder: QuickFolder) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(folder.run("plan", "--format", "json").out)["violations"]
    return found
