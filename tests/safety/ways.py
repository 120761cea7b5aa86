"""What docs/safety.md says beside the first way past a rail, each as a story: the run that is stopped, and one after.

A key is the name of the rail and the words of the page that the story takes at their word.
"""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from reconciler.sandbox import Request
from tests.cli.in_process import QuickFolder
from tests.cli.provider import Provider
from tests.git.company import TEAM, Company, said
from tests.git.test_causes import others
from tests.git.test_leases import left_behind
from tests.git.test_proof_before_a_removal import stranger
from tests.record.git_world import REF, git
from tests.safety.left_as_it_is import ENTERPRISE, live, twice
from tests.safety.rails import ROLES, STAFF, Story, applied, apply, crew, declared, founded, with_accept
from tests.safety.somebody_else import ONE, OVER, TWO, account, take_away

Play = Callable[[Path], Story]
PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
LEAD = ", title: Lead"


def settle(folder: QuickFolder, running: Provider, policy: str) -> None:
    """Other settings of the same target."""
    folder.write("reconciler.yaml", running.settings() + (f"policy:\n  {policy}\n" if policy else ""))


def change(running: Provider, login: str, path: str, value: object) -> None:
    """Somebody changes a value of an account on the server."""
    body = {"schemas": [PATCH_OP], "Operations": [{"op": "replace", "path": path, "value": value}]}
    target = f"/scim/v2/Users/{running.users()[login]['id']}"
    running.service.handle(Request(method="PATCH", target=target, body=json.dumps(body).encode()))


def by_lines(before: str, now: str, then: str, policy: str = "") -> Play:
    """Other lines than those that were stopped."""

    def play(path: Path) -> Story:
        with applied(path, before, policy) as (folder, _):
            folder.write("identities/a.yaml", now)
            yield apply(folder)
            folder.write("identities/a.yaml", then)
            yield apply(folder)

    return play


def by_settings(before: str, now: str, policy: str, then: str) -> Play:
    """The same lines under another policy."""

    def play(path: Path) -> Story:
        with applied(path, before, policy) as (folder, running):
            folder.write("identities/a.yaml", now)
            yield apply(folder)
            settle(folder, running, then)
            yield apply(folder)

    return play


def by_hand(before: str, now: str, hand: Callable[[Provider], None], prepare: Callable[[Provider], None]) -> Play:
    """The same lines, once somebody has changed something on the server; `prepare`: what others did before."""

    def play(path: Path) -> Story:
        with applied(path, before) as (folder, running):
            prepare(running)
            folder.write("identities/a.yaml", now)
            yield apply(folder)
            hand(running)
            yield apply(folder)

    return play


def in_her_place(running: Provider) -> None:
    """Her account is deleted, and somebody else has her userName."""
    take_away(running, "p0")
    live(running, account("p0", "2"))


def other_lines_for_twins(path: Path) -> Story:
    with applied(path, declared("p0") + crew("p0")) as (folder, running):
        live(running, {"userName": "zoe@x.example"})
        twice(running)
        folder.write("identities/a.yaml", declared("p0", "zoe") + crew("p0", "zoe"))
        yield apply(folder)
        folder.write("identities/a.yaml", declared("p0", "zoe").replace("zoe@", "zoe.two@") + crew("p0", "zoe"))
        yield apply(folder)


def meant_to_come_back(path: Path) -> Story:
    """The plan that says so, and the plan once she has come back by the merge of it."""
    with applied(path, declared("p0")) as (folder, running):
        live(running, {"userName": "zoe@x.example", "active": False})
        folder.write("identities/a.yaml", declared("p0", "zoe"))
        yield folder.run("plan")
        assert apply(folder).code == 0
        assert running.users()["zoe@x.example"]["active"] is True
        yield folder.run("plan", "--detailed-exitcode")


def spelled_otherwise(path: Path) -> Story:
    with applied(path, declared("p0") + crew("p0")) as (folder, running):
        live(running, {"userName": "ghost@x.example"})
        folder.write("identities/a.yaml", declared("p0") + crew("p0", "{live: goast@x.example}"))
        yield apply(folder)
        folder.write("identities/a.yaml", declared("p0") + crew("p0", "{live: ghost@x.example}"))
        yield apply(folder)


def tip_of_main(path: Path) -> Story:
    with founded(path) as company:
        old = git(company.world.seed, "rev-parse", "HEAD")
        company.declare(*TEAM, ann_lee="Lead")
        company.applied()
        git(company.world.seed, "checkout", "-q", old)
        yield apply(company.seed)
        git(company.world.seed, "checkout", "-q", "main")
        yield apply(company.seed)


def branch_that_is_applied(path: Path) -> Story:
    with founded(path) as company:
        company.declare(*TEAM, "cem.o")
        company.applied()
        git(company.world.seed, "checkout", "-q", "-b", "mine", "HEAD~1")
        company.declare(*TEAM, ann_lee="Boss", push=False)
        yield apply(company.seed)
        git(company.world.seed, "checkout", "-q", "main")
        company.declare(*TEAM, "cem.o", ann_lee="Lead")
        yield apply(company.seed)


def end_of_the_other(path: Path) -> Story:
    """The run that was in progress is started again by its CI system, and ends."""
    with founded(path) as company:
        left_behind(company, ago=timedelta(minutes=5), run="4711.1")
        company.declare(*TEAM, ann_lee="Lead")
        yield apply(company.seed)
        ended = company.seed.run("apply", "--auto-approve", GITHUB_RUN_ID="4711", GITHUB_RUN_ATTEMPT="2")
        assert ended.code == 0, ended.out + ended.err
        yield apply(company.seed)


def half_an_hour_later(path: Path) -> Story:
    with founded(path) as company:
        left_behind(company, ago=timedelta(minutes=28))
        company.declare(*TEAM, ann_lee="Lead")
        yield apply(company.seed)
        git(company.world.origin, "update-ref", REF, f"{REF}~1")
        left_behind(company, ago=timedelta(minutes=31))
        yield apply(company.seed)


def copy_put_back(path: Path) -> Story:
    with founded(path) as company:
        git(company.world.origin, "update-ref", "-d", REF)
        company.declare(*TEAM, ann_lee="Lead")
        yield apply(company.seed)
        command = re.search(r"git (push origin \S+)", said(company.seed.run("plan")))
        assert command
        git(company.world.seed, *command[1].rstrip(".").split())
        yield apply(company.seed)


def removed_by_hand(path: Path) -> Story:
    with founded(path) as company:
        company.seed.write("identities/b.yaml", declared("eve.x"))
        accepted = list(with_accept(company.seed))
        assert accepted[-1].code == 0
        (company.seed.path / "identities" / "b.yaml").unlink()
        company.declare(*TEAM, ann_lee="Lead")
        yield apply(company.seed)
        delete(company, "eve.x@x.example")
        yield apply(company.seed)


def name_given_back(path: Path) -> Story:
    with founded(path) as company:
        others(company, "bob.li@example.com", "userName", "bobby@example.com")
        stranger(company, "bob.li")
        yield apply(company.seed)
        others(company, "bob.li@example.com", "userName", "somebody.else@example.com")
        others(company, "bobby@example.com", "userName", "bob.li@example.com")
        yield apply(company.seed)


def delete(company: Company, login: str) -> None:
    target = f"/scim/v2/Users/{company.running.users()[login]['id']}"
    company.running.service.handle(Request(method="DELETE", target=target, headers={}, body=b""))


SMALLER, OTHER = "or a smaller change", "or another limit in `policy.limits`"
FEW, ALL = declared(*STAFF[:3]), declared(*STAFF)
NUMBERED = ", employeeNumber: '8'"
OTHER_NUMBER = {ENTERPRISE: {"employeeNumber": "7"}}
WAYS: dict[tuple[str, str], Play] = {
    ("removals", SMALLER): by_lines(ALL, FEW, declared(*STAFF[:5])),
    ("removals", OTHER): by_settings(ALL, FEW, "", "limits: {removals: 5}"),
    ("memberRemovals", SMALLER): by_lines(ALL + crew(*STAFF), ALL + crew(*STAFF[:3]), ALL + crew(*STAFF[:5])),
    ("memberRemovals", OTHER): by_settings(
        ALL + crew(*STAFF), ALL + crew(*STAFF[:3]), "", "limits: {memberRemovals: 80%}"
    ),
    ("roleRemovals", SMALLER): by_lines(
        declared(*STAFF, lines=ROLES), ALL, declared(*STAFF, **dict.fromkeys(STAFF[3:], ROLES))
    ),
    ("roleRemovals", OTHER): by_settings(declared(*STAFF, lines=ROLES), ALL, "", "limits: {roleRemovals: 100%}"),
    ("updates", SMALLER): by_lines(
        ALL, declared(*STAFF, lines=LEAD), declared(*STAFF, p0=LEAD, p1=LEAD), "limits: {updates: 2}"
    ),
    ("updates", OTHER): by_settings(
        ALL, declared(*STAFF, lines=LEAD), "limits: {updates: 2}", "limits: {updates: 100%}"
    ),
    ("creations", SMALLER): by_lines(declared("p0"), ALL, FEW, "limits: {creations: 2}"),
    ("creations", OTHER): by_settings(declared("p0"), ALL, "limits: {creations: 2}", "limits: {creations: 7}"),
    ("protect", "a change of its own that takes the name out of `policy.protect`"): by_settings(
        ALL, declared(*STAFF[1:]), "protect: [p0]", "protect: []"
    ),
    ("minimum", "or somebody else in the group"): by_lines(
        ALL + crew(*STAFF[:3]), ALL + crew(*STAFF[1:3]), ALL + crew(*STAFF[1:4]), "minimum: {group.crew: 3}"
    ),
    ("empty-source", "or `released`, to let everybody go as they are"): by_lines(
        declared("p0") + crew("p0"), crew(), "released: [p0]\n" + crew()
    ),
    ("behind", "the tip of the main branch"): tip_of_main,
    ("diverged", "the branch that is applied"): branch_that_is_applied,
    ("in-progress", "its end"): end_of_the_other,
    ("in-progress", "half an hour after its last sign of life"): half_an_hour_later,
    ("record-lost", "pushing the copy back, with the command that the plan prints"): copy_put_back,
    ("several accounts of one name", "or other lines"): other_lines_for_twins,
    ("an inactive account of another number", "or the number, where it is wrong"): by_hand(
        declared("p0"),
        declared("p0", "zoe", zoe=NUMBERED),
        lambda running: change(running, "zoe@x.example", f"{ENTERPRISE}:employeeNumber", "8"),
        lambda running: live(running, {"userName": "zoe@x.example", "active": False, **OTHER_NUMBER}),
    ),
    ("an account of another number in the place of hers", "or the number, where it is wrong"): by_hand(
        declared("p0", p0=ONE),
        declared("p0", p0=ONE),
        lambda running: change(running, "p0@x.example", f"{ENTERPRISE}:employeeNumber", "1"),
        in_her_place,
    ),
    ("an earlier name of another number", "or the number, where it is wrong"): by_hand(
        declared("p0"),
        declared("p0", "zoe", zoe=f"{TWO}, formerly: [zoe.old@x.example]"),
        lambda running: change(running, "zoe.old@x.example", f"{ENTERPRISE}:employeeNumber", "2"),
        lambda running: live(running, account("zoe.old", "1")),
    ),
    ("an account that came after a deletion", "or another userName for that account"): by_hand(
        declared("p0", "p1"),
        declared("p0", "p1", p0=OVER),
        lambda running: change(running, "p0@x.example", "userName", "eve@x.example"),
        in_her_place,
    ),
    ("an inactive account comes back", "the merge, if she is meant"): meant_to_come_back,
    ("name-taken", "or for that account"): by_hand(
        declared("p0"),
        declared("p0").replace("p0@", "eve@"),
        lambda running: change(running, "eve@x.example", "userName", "eva@x.example"),
        lambda running: live(running, {"userName": "eve@x.example"}),
    ),
    ("removal-not-proved", "to remove her all the same, do it on the server"): removed_by_hand,
    ("somebody who is not there", "or another spelling"): spelled_otherwise,
    ("the record and the name disagree", "the server, where the name is given back"): name_given_back,
}
