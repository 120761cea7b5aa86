"""`reconciler explain`: each wanted value with its layer, its line, its dates and its commit."""

import subprocess
from pathlib import Path

import pytest

from tests.cli.in_process import QuickFolder, quick

SETTINGS = """\
defaultTarget: office
targets:
  office: {profile: genesys, url: 'sandbox:'}
  lab: {profile: rfc, url: 'sandbox:'}
"""
TEMPLATES = """\
templates:
  agent:
    title: Agent
    roles: [Agent]
    groups: [support]
"""
PEOPLE = """\
users:
  ann:
    userName: ann@example.com
    displayName: Ann Lee
    from: [agent]
    department: null
    routingSkills: {Billing: 3}
    endsOn: 2031-03-31
    deleteAfter: 30
    manager: {live: boss@example.com}
    overrides:
      lab: {title: Tester, routingSkills: {}}
"""
GROUPS = """\
groups:
  support: {displayName: Support}
  night:
    displayName: Night
    members:
      - {user: ann, until: 2031-01-31}
      - {live: guest@example.com}
  agents:
    displayName: Agents
    memberRule: {title: Agent}
  nobody: {displayName: Nobody, members: []}
"""


@pytest.fixture
def folder(tmp_path: Path) -> QuickFolder:
    here = quick(tmp_path / "here")
    here.write("reconciler.yaml", SETTINGS)
    here.write("identities/templates.yaml", TEMPLATES)
    here.write("identities/people.yaml", PEOPLE)
    here.write("identities/groups.yaml", GROUPS)
    return here


def test_a_person_layer_by_layer(folder: QuickFolder) -> None:
    ran = folder.run("explain", "user.ann", "--today", "2030-12-31")
    assert ran.code == 0, ran.err
    assert (
        ran.out
        == """\
user.ann on target "office"

identities/people.yaml
   3  userName = "ann@example.com"
   4  displayName = "Ann Lee"
   6  department = null, cleared
   7  routingSkills: Billing = 3
  10  manager = boss@example.com

template agent, identities/templates.yaml
  3  title = "Agent"
  4  roles (additive): Agent
  5  groups: support

memberRule, identities/groups.yaml
  10  groups: agents

identities/groups.yaml
  6  groups: night until 2031-01-31

On 2030-12-31: active between the days (endsOn 2031-03-31, deleteAfter 30 days).
"""
    )


def test_a_group_and_a_list_that_is_empty(folder: QuickFolder) -> None:
    ran = folder.run("explain", "group.night", "--today", "2031-02-01")
    assert "members: not ann (Ann Lee), whose last day was 2031-01-31" in ran.out
    assert "  7  members: guest@example.com (not declared here)" in ran.out
    assert "members: none" in folder.run("explain", "group.nobody").out


def test_an_override_of_another_target(folder: QuickFolder) -> None:
    folder.write(
        "identities/people.yaml",
        PEOPLE.replace("routingSkills: {Billing: 3}", "nickName: A").replace(", routingSkills: {}", ""),
    )
    ran = folder.run("explain", "ann", "--target", "lab")
    assert 'override lab, identities/people.yaml\n  12  title = "Tester"' in ran.out, ran.out


@pytest.mark.parametrize("written", ["user.ann", "USER.Ann", "ann", "Ann@Example.com"])
def test_ways_to_name_a_person(written: str, folder: QuickFolder) -> None:
    assert folder.run("explain", written).out.startswith('user.ann on target "office"')


@pytest.mark.parametrize(
    ("written", "mend"),
    [("user.anm", "did you mean user.ann?"), ("night", "did you mean group.night?"), ("zzzz", "known: group.agents")],
)
def test_nobody_of_that_name(written: str, mend: str, folder: QuickFolder) -> None:
    ran = folder.run("explain", written)
    assert ran.code == 64
    assert f"nobody is declared as {written}" in ran.err
    assert mend in ran.err


def test_in_git_each_line_has_its_commit(folder: QuickFolder) -> None:
    def git(*arguments: str) -> str:
        identity = ("-c", "user.name=A", "-c", "user.email=a@example.com")
        done = subprocess.run(
            ["git", *identity, *arguments], cwd=folder.path, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    git("init", "-q")
    git("add", "reconciler.yaml", "identities")
    git("commit", "-qm", "first")
    first = git("rev-parse", "--short=7", "HEAD")
    folder.write("identities/people.yaml", PEOPLE.replace("Ann Lee", "Ann Ng"))
    git("commit", "-qam", "second")
    second = git("rev-parse", "--short=7", "HEAD")
    folder.write("identities/templates.yaml", TEMPLATES.replace("title: Agent", "title: Lead"))
    said = " ".join(folder.run("explain", "ann").out.split())
    assert f'displayName = "Ann Ng" {second} ' in said
    assert f'userName = "ann@example.com" {first} ' in said
    assert 'title = "Lead" not committed' in said


def test_text_of_others_stays_text(folder: QuickFolder) -> None:
    folder.write("identities/people.yaml", 'users: {ann: {userName: a@b.c, displayName: "x\\u202ey"}}')
    ran = folder.run("explain", "ann")
    assert ran.code == 0
    assert "\u202e" not in ran.out
