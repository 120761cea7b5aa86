"""Every rail as a story: what is declared and applied first, what comes then, and what gets past it."""

import re
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from reconciler.sandbox import Request
from tests.cli.in_process import QuickFolder, quick
from tests.cli.provider import Provider, people, provider
from tests.conftest import Ran
from tests.git.company import TEAM, Company
from tests.git.test_leases import left_behind
from tests.record.git_world import REF, World, git

Story = Generator[Ran, None, None]
STAFF = [f"p{number}" for number in range(8)]


@dataclass(frozen=True, kw_only=True)
class Rail:
    """`stops`, `past`: what the page says. `ends`: the exit code. `told`: how the printed entry begins.

    `play` brings it about and gives the run that says so, then does what the page says and gives the run after.
    `codes`: what machine outputs call it, where that is not its name.
    """

    name: str
    stops: str
    past: str
    ends: int
    told: str
    play: Callable[[Path], Story]
    codes: tuple[str, ...] = ()


def declared(*keys: str, lines: str = "", **own: str) -> str:
    """Users with the same lines, some with lines of their own."""
    rows = [f"  {key}: {{userName: {key}@x.example, displayName: {key}{own.get(key, lines)}}}" for key in keys]
    return "\n".join(["users:", *rows, ""])


def crew(*members: str) -> str:
    return f"groups:\n  crew: {{displayName: Crew, members: [{', '.join(members)}]}}\n"


# --- stories outside git: the second plan breaks a rule, the line that it prints lifts it


def between(before: str, now: str, policy: str = "") -> Callable[[Path], Story]:
    def play(path: Path) -> Story:
        with applied(path, before, policy) as (folder, _):
            folder.write("identities/a.yaml", now)
            yield apply(folder)
            accept_all(folder)
            yield apply(folder)

    return play


@contextmanager
def applied(path: Path, before: str, policy: str = "") -> Iterator[tuple[QuickFolder, Provider]]:
    with provider() as running:
        folder = quick(path)
        folder.write("reconciler.yaml", running.settings() + (f"policy:\n  {policy}\n" if policy else ""))
        folder.write("identities/a.yaml", before)
        apply(folder)
        accept_all(folder)
        assert apply(folder).code == 0
        yield folder, running


def apply(folder: QuickFolder, *more: str) -> Ran:
    return folder.run("apply", "--auto-approve", *more)


def accept_all(folder: QuickFolder) -> None:
    """Copy the lines that the plan prints, with a reason."""
    lines = re.findall(r"^ +(- \{rule: .*\})$", folder.run("plan").out, re.MULTILINE)
    folder.write("acceptances.yaml", "\n".join(lines).replace("…", "agreed") + "\n" if lines else "[]\n")


def empty_target(path: Path) -> Story:
    with applied(path, declared("p0")) as (folder, running):
        for user in running.users().values():
            running.service.handle(Request(method="DELETE", target=f"/scim/v2/Users/{user['id']}"))
        folder.write("identities/a.yaml", declared("p0", "p1"))
        yield apply(folder)
        accept_all(folder)
        yield apply(folder)


# --- stories in git


@contextmanager
def founded(path: Path) -> Iterator[Company]:
    path.mkdir(exist_ok=True)
    with Company.founded(World(path)) as company:
        company.applied()
        yield company


def with_accept(folder: QuickFolder) -> Story:
    refused = apply(folder)
    yield refused
    accepted = re.findall(r"--accept\s+([\w-]+@[0-9a-f]{8})", refused.out)
    yield apply(folder, *(word for each in accepted for word in ("--accept", each)))


def behind(path: Path) -> Story:
    with founded(path) as company:
        old = git(company.world.seed, "rev-parse", "HEAD")
        company.declare(*TEAM, "cem.o")
        company.applied()
        git(company.world.seed, "checkout", "-q", old)
        yield from with_accept(company.seed)


def diverged(path: Path) -> Story:
    with founded(path) as company:
        git(company.world.seed, "commit", "-q", "--amend", "-m", "another history")
        company.declare(*TEAM, ann_lee="Lead")
        yield from with_accept(company.seed)


def dirty(path: Path) -> Story:
    with founded(path) as company:
        company.seed.write("identities/a.yaml", people(*TEAM, ann_lee="Lead"))
        yield apply(company.seed)
        company.declare(*TEAM, ann_lee="Lead")
        yield apply(company.seed)


def in_progress(path: Path) -> Story:
    with founded(path) as company:
        left_behind(company, ago=timedelta(minutes=5))
        company.declare(*TEAM, ann_lee="Lead")
        yield from with_accept(company.seed)


def record_lost(path: Path) -> Story:
    with founded(path) as company:
        git(company.world.origin, "update-ref", "-d", REF)
        company.declare(*TEAM, ann_lee="Lead")
        yield from with_accept(company.seed)


ACCEPT = "a reviewed line in `acceptances.yaml`, which the plan prints: it holds for exactly these items"
LIMIT = f"{ACCEPT}; or a smaller change; or another limit in `policy.limits`"
ONE_RUN = "`--accept RULE@DIGEST` on the command line, which a person decides for this one run"
ROLES = ", roles: [Agent]"

STOPPING = (
    Rail(
        name="removals",
        stops="more people (or groups) deactivated or deleted than `policy.limits.removals` allows",
        past=LIMIT,
        ends=3,
        told="! removals:",
        play=between(declared(*STAFF), declared(*STAFF[:3])),
    ),
    Rail(
        name="memberRemovals",
        stops="more members taken out of one group than `policy.limits.memberRemovals` allows",
        past=LIMIT,
        ends=3,
        told="! memberRemovals:",
        play=between(declared(*STAFF) + crew(*STAFF), declared(*STAFF) + crew(*STAFF[:3])),
    ),
    Rail(
        name="roleRemovals",
        stops="more roles taken than `policy.limits.roleRemovals` allows",
        past=LIMIT,
        ends=3,
        told="! roleRemovals:",
        play=between(declared(*STAFF, lines=ROLES), declared(*STAFF)),
    ),
    Rail(
        name="updates",
        stops="more people and groups changed than `policy.limits.updates` allows, if it is set",
        past=LIMIT,
        ends=3,
        told="! updates:",
        play=between(declared(*STAFF), declared(*STAFF, lines=", title: Lead"), "limits: {updates: 2}"),
    ),
    Rail(
        name="creations",
        stops="more people and groups created than `policy.limits.creations` allows, if it is set",
        past=LIMIT,
        ends=3,
        told="! creations:",
        play=between(declared("p0"), declared(*STAFF), "limits: {creations: 2}"),
    ),
    Rail(
        name="privileged",
        stops="every change of a role or a group that `policy.privileged` names, in either direction and through "
        "nested groups; and an account that comes back, is put off or is deleted with one",
        past=ACCEPT,
        ends=3,
        told="! privileged:",
        play=between(declared("p0"), declared("p0", lines=", roles: [Boss]"), "privileged: {roles: [Boss]}"),
    ),
    Rail(
        name="protect",
        stops="whatever would take the account, a role or a group from those whom `policy.protect` names",
        past=f"{ACCEPT}; better, a change of its own that takes the name out of `policy.protect`",
        ends=3,
        told="! protect:",
        play=between(declared(*STAFF), declared(*STAFF[1:]), "protect: [p0]"),
    ),
    Rail(
        name="minimum",
        stops="a group left with fewer active people than `policy.minimum` says, those in nested groups counted",
        past=f"{ACCEPT}; or somebody else in the group",
        ends=3,
        told="! minimum:",
        play=between(
            declared(*STAFF[:3]) + crew(*STAFF[:3]),
            declared(*STAFF[:3]) + crew(*STAFF[1:3]),
            "minimum: {group.crew: 3}",
        ),
    ),
    Rail(
        name="empty-source",
        stops="declarations that suddenly name nobody: a wrong folder, a bad merge",
        past=f"{ACCEPT}; or `released`, to let everybody go as they are",
        ends=3,
        told="! empty-source:",
        play=between(declared("p0") + crew("p0"), crew()),
    ),
    Rail(
        name="empty-target",
        stops="a server that suddenly shows nobody, or none of ours: a wrong URL or the wrong credential",
        past=ACCEPT,
        ends=3,
        told="! empty-target:",
        play=empty_target,
    ),
    Rail(
        name="behind",
        stops="an apply from a checkout older than what was applied last, as in an old job run again (a plan notes it)",
        past=f"the tip of the main branch; to go back on purpose, {ONE_RUN}",
        ends=3,
        told="! behind:",
        play=behind,
    ),
    Rail(
        name="diverged",
        stops="an apply on a history that does not contain what was applied last (a plan notes it)",
        past=f"the branch that is applied; after a rewritten main, {ONE_RUN}",
        ends=3,
        told="! diverged:",
        play=diverged,
    ),
    Rail(
        name="dirty",
        stops="an apply of declarations or settings that no commit holds (a plan notes it)",
        past="a commit",
        ends=3,
        told="! dirty:",
        play=dirty,
    ),
    Rail(
        name="in-progress",
        stops="an apply while another one, that has announced what it does, has not ended (a plan notes it)",
        past=f"its end; it may be taken over half an hour after its last sign of life, or sooner with {ONE_RUN}",
        ends=3,
        told="! in-progress:",
        play=in_progress,
    ),
    Rail(
        name="record-lost",
        stops="an apply while the record is gone on the remote and this clone still has a copy",
        past=f"pushing the copy back, with the command that the plan prints; to go on from the copy, {ONE_RUN}",
        ends=3,
        told="! record-lost:",
        play=record_lost,
    ),
)
