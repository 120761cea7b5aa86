"""What plans really say about identities that are left out, broken rules and the rest: small stories, really run."""

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.cli.provider import Provider, provider
from tests.diagnostics.codes import Said
from tests.diagnostics.running import say

_ERROR = re.compile(r"^error\[([\w-]+)\]: (.*)$", re.MULTILINE)
_MANY = [f"p{number}" for number in range(8)]


def people(keys: list[str], lines: str = "", **own: str) -> str:
    """Users with the same lines, some with lines of their own."""
    rows = [f"  {key}: {{userName: {key}@x.example, displayName: {key}{own.get(key, lines)}}}" for key in keys]
    return "\n".join(["users:", *rows, ""])


CREW = "groups:\n  crew: {{displayName: Crew, members: [{members}]}}\n"
THERE = "groups:\n  agents: {displayName: All Agents, members: [a]}\n"
GHOST = "{live: ghost@x.example}"
STAFF = people(_MANY, ", title: Agent, roles: [Agent]") + CREW.format(members=", ".join(_MANY))
STORIES = [
    # what was applied, what stands there now, the policy, the profile if another
    (STAFF, people(_MANY[:2], ", title: Agent, roles: [Agent]") + CREW.format(members="p0, p1"), ""),
    (STAFF, people(_MANY) + CREW.format(members="p0, p1"), ""),
    (STAFF, STAFF.replace("Agent", "Lead"), "limits: {updates: 2}"),
    (people(["p0"]), people(_MANY), "limits: {creations: 2}"),
    (STAFF, "groups:\n  other: {displayName: Other}\n", ""),
    (STAFF, people(_MANY[1:]), "protect: [p0]\n  minimum: {group.crew: 8}"),
    (STAFF, STAFF.replace("roles: [Agent]", "roles: [Admin]", 1), "privileged: {roles: [Admin]}"),
    (people(["a", "b"]), people(["a", "b"]).replace("a@", "c@").replace("b@", "a@").replace("c@", "b@"), ""),
    (people(["a"]), people(["a"], f", manager: {GHOST}") + CREW.format(members=GHOST), ""),
    (people(["a", "b"]), people(["c"], ", formerly: [a, b@x.example]") + CREW.format(members="c"), ""),
    (people(["a"]), people(["b"]).replace("displayName: b", "displayName: A"), ""),
    (people(["a"]), people(["a"]) + CREW.format(members="a"), "", "genesys"),
    (people(["a"], ", roles: [Agent]"), people(["a", "b"], ", roles: [Agent]", b=", roles: [Agnt]"), "", "genesys"),
    (people(["a"]) + THERE, people(["a"]) + THERE.replace("All Agents", "Crew"), "", "genesys"),
    (people(["a"]) + THERE, people(["a"]), "removal: {groups: delete}", "genesys"),
    (people(["a"]), people(["a"], ", endsOn: 2199-01-31"), ""),
]


def planned() -> dict[tuple[str, bool], Said]:
    """Code, and whether it is that of a broken rule -> the first thing that one of the stories says under it."""
    found: dict[tuple[str, bool], Said] = {}

    def hear(some: Iterator[Said]) -> None:
        for said in some:
            found.setdefault((said.code, said.kind == "rule"), said)

    for story in STORIES:
        with tempfile.TemporaryDirectory() as name:
            hear(_told(Path(name), *story))
    with tempfile.TemporaryDirectory() as name:
        hear(_saved(Path(name)))
    with tempfile.TemporaryDirectory() as name, provider() as running:
        hear(_in_git(Path(name), running))
    return found


def _told(folder: Path, before: str, now: str, policy: str, profile: str = "rfc") -> Iterator[Said]:
    settings = f'targets:\n  lab: {{profile: {profile}, url: "sandbox:"}}\n'
    _write(folder, settings, before)
    yield from _plan(folder)
    assert say(["apply", "--auto-approve"], folder).code == 0
    _write(folder, settings + (f"policy:\n  {policy}\n" if policy else ""), now)
    yield from _plan(folder)


def _saved(folder: Path) -> Iterator[Said]:
    """A saved plan: applied, not of these lines any more, and overtaken by another apply."""
    settings = 'targets:\n  lab: {profile: rfc, url: "sandbox:"}\n'
    for title, file in (("Agent", "first.json"), ("Lead", "second.json"), ("Agent", "third.json")):
        _write(folder, settings, people(["a"], f", title: {title}"))
        assert say(["plan", "--out", file], folder).code == 0
        if title == "Lead":
            told = say(["apply", "first.json", "--auto-approve"], folder).err
            yield from (Said(code, "error", "", words) for code, words in _ERROR.findall(told))
            assert say(["apply", file, "--auto-approve"], folder).code == 0
            yield from _notices(say(["show", file, "--format", "json"], folder).out)
    told = say(["apply", "first.json", "--auto-approve"], folder).err
    yield from (Said(code, "error", "", words) for code, words in _ERROR.findall(told))


def _in_git(folder: Path, running: Provider) -> Iterator[Said]:
    """A checkout that is behind, one that went another way, and one with changes nobody committed."""
    _git(folder, "init", "-q", "-b", "main")
    _write(folder, running.settings(), people(["a"]))
    (folder / ".gitignore").write_text(".reconciler/\n")
    _commit(folder, "first")
    _git(folder, "branch", "old")
    _write(folder, running.settings(), people(["a", "b"]))
    _commit(folder, "second")
    assert say(["apply", "--auto-approve"], folder).code == 0
    _git(folder, "checkout", "-q", "old")
    yield from _plan(folder)
    yield from _refused(folder)
    _write(folder, running.settings(), people(["a", "c"]))
    _commit(folder, "third")
    yield from _plan(folder)
    yield from _refused(folder)
    _git(folder, "checkout", "-q", "main")
    _write(folder, running.settings(), people(["a", "b", "d"]))
    yield from _plan(folder)
    yield from _refused(folder)
    _write(folder, running.settings() + "policy: {drift: correct}\n", people(["a", "b", "d"]))
    yield from _plan(folder, "--base", "old")


def _plan(folder: Path, *more: str) -> Iterator[Said]:
    said = say(["plan", "--format", "json", *more], folder)
    assert said.out, said.err
    yield from _notices(said.out)


def _refused(folder: Path) -> Iterator[Said]:
    """What an apply says that stops before it writes."""
    said = say(["apply", "--auto-approve", "--format", "json"], folder)
    assert said.code == 3, said.err
    yield from _told_by(json.loads(said.out)["targets"][0]["plan"])


def _notices(out: str) -> Iterator[Said]:
    yield from _told_by(json.loads(out))


def _told_by(plan: Any) -> Iterator[Said]:
    for each in (*plan["refused"], *plan["notices"]):
        yield Said(each["code"], each["severity"], "", _steady(each["summary"]), each["mend"])
    for each in plan["violations"]:
        yield Said(each["rule"], "rule", "", _steady(each["summary"]), _steady(each["mend"]))


def _steady(text: str) -> str:
    """Ids, commits and times, which are others in every run, made the same."""
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:]+\+00:00", "2026-11-02T09:30:00+00:00", text)
    text = re.sub(r"@[0-9a-f]{8}\b", "@DIGEST", text)
    text = re.sub(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", "2819c223…", text)
    return re.sub(r"\b(?=[0-9a-f]*[0-9])[0-9a-f]{12}\b|\b[a-f]{12}\b", "5d41402abc4b", text)


def _write(folder: Path, settings: str, declarations: str) -> None:
    (folder / "identities").mkdir(exist_ok=True)
    (folder / "reconciler.yaml").write_text(settings)
    (folder / "identities/people.yaml").write_text(declarations)


def _commit(folder: Path, message: str) -> None:
    _git(folder, "add", ".")
    _git(folder, "commit", "-q", "-m", message)


def _git(folder: Path, *arguments: str) -> None:
    who = ["-c", "user.name=Ann", "-c", "user.email=ann@x.example"]
    surroundings = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull}
    subprocess.run(["git", *who, *arguments], cwd=folder, env=surroundings, check=True, capture_output=True)
