"""docs/sandbox.md names every switch, and no other."""

import re
from dataclasses import fields
from pathlib import Path

from reconciler.sandbox import Switches
from tests.conftest import Folder

PAGE = Path(__file__).parents[2] / "docs" / "sandbox.md"


def test_the_page_names_every_switch() -> None:
    named = re.findall(r"^\| `(\w+)` \|", PAGE.read_text(encoding="utf-8"), re.M)
    assert sorted(named) == sorted(camel(each.name) for each in fields(Switches))


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def test_switches_come_from_the_settings(folder: Folder) -> None:
    settings = "targets:\n  a: {profile: rfc, url: 'sandbox:', sandbox: {switches: {%s}}}\n"
    folder.write("identities/a.yaml", "users: {a: {userName: a@example.com, title: T}}\n")
    folder.write("reconciler.yaml", settings % "dropped: [title], pageCap: 1")
    assert "did not keep title" in folder.run("apply", "--auto-approve").out.replace("\n", " ")
    folder.write("reconciler.yaml", settings % "pageCup: 1")
    ran = folder.run("plan")
    assert ran.code == 1
    assert "did you mean pageCap?" in ran.err
