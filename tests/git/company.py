"""A company that works as the product means it: a bare origin, clones of it, and an organisation reached over HTTP."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from reconciler.sandbox import Request
from tests.cli.in_process import QuickFolder, quick
from tests.cli.provider import Provider, people, provider
from tests.conftest import Folder, Ran
from tests.record.git_world import REF, World, git

TEAM = ("ann.lee", "bob.li")


@dataclass(frozen=True)
class Company:
    world: World
    running: Provider

    @classmethod
    @contextmanager
    def founded(cls, world: World, organisation: str = "rfc") -> Iterator[Self]:
        """Main declares two people; nothing was applied yet."""
        with provider(organisation) as running:
            company = cls(world, running)
            world.commit({"reconciler.yaml": running.settings(), "identities/a.yaml": people(*TEAM)})
            yield company

    @property
    def seed(self) -> QuickFolder:
        """The clone that people commit in."""
        return quick(self.world.seed)

    def clone(self, name: str, *options: str) -> QuickFolder:
        return quick(self.world.clone(name, *options))

    def declare(self, *keys: str, push: bool = True, folder: QuickFolder | None = None, **titles: str) -> str:
        """Commit that these people are declared; the commit."""
        where = (folder or self.seed).path
        return self.world.commit({"identities/a.yaml": people(*keys, **titles)}, where, push=push)

    def applied(self, folder: QuickFolder | None = None) -> Ran:
        ran = apply(folder or self.seed)
        assert ran.code == 0, ran.out + ran.err
        self.running.asked.clear()
        return ran

    def history(self) -> list[str]:
        """The messages of the record on the origin, the newest first."""
        if not self.world.tip():
            return []
        return [
            each.strip() for each in git(self.world.origin, "log", "--format=%B%x00", REF).split("\0") if each.strip()
        ]

    def active(self) -> set[str]:
        """Who is active on the server, by key, of those with an address of the company."""
        users = self.running.users()
        found = {name for name, user in users.items() if user.get("active") is not False and "@example.com" in name}
        return {name.removesuffix("@example.com") for name in found}


@dataclass(frozen=True)
class Causes:
    """What a plan says: ``user.bob.li title declared``, ``group.crew +ann.lee declared``, ``user.cem.o create due``."""

    changes: list[str]
    drift: list[str]
    codes: list[str]
    """Of notices and of what is refused."""


def causes(folder: Folder, *more: str) -> Causes:
    """Every difference of a plan with its cause, from its JSON."""
    ran = folder.run("plan", "--format", "json", *more)
    assert ran.code in (0, 5), ran.out + ran.err
    document = json.loads(ran.out)
    return Causes(
        sorted(line for change in document["changes"] for line in _lines(change, document["names"])),
        sorted(line for change in document["drift"] for line in _lines(change, document["names"])),
        sorted({each["code"] for each in (*document["notices"], *document["refused"])}),
    )


def _lines(change: dict[str, Any], names: dict[str, list[str]]) -> list[str]:
    """One for a creation or a deletion, else one for each difference."""
    whole = next((each for each in change["actions"] if each in ("create", "delete")), None)
    if whole is not None:
        return [f"{change['address']} {whole} {change['cause']}"]
    return [f"{change['address']} {_shown(each, names)} {each['cause']}" for each in change["attribute_changes"]]


def _shown(change: dict[str, Any], names: dict[str, list[str]]) -> str:
    if change["item"] is None:
        return str(change["path"])
    return f"{'-' if change['op'] == 'remove' else '+'}{names.get(change['item'], [change['item']])[0]}"


def apply(folder: QuickFolder, *more: str) -> Ran:
    return folder.run("apply", "--auto-approve", *more)


@contextmanager
def second_create_held(company: Company) -> Iterator[tuple[threading.Event, threading.Event]]:
    """The server holds the second create that it is sent: set once it is there, and what lets it through."""
    reached, let_through = threading.Event(), threading.Event()
    posts = 0

    def before(request: Request) -> None:
        nonlocal posts
        posts += request.method == "POST"
        if request.method == "POST" and posts == 2:
            reached.set()
            assert let_through.wait(60)

    company.running.before = before
    try:
        yield reached, let_through
    finally:
        let_through.set()
        company.running.before = lambda request: None


def trailers(message: str) -> dict[str, str]:
    return dict(re.findall(r"^([A-Z][A-Za-z-]+): (.*)$", message, re.MULTILINE))


def acceptance_in(text: str) -> str:
    found = re.search(r"--accept ([A-Za-z-]+@[0-9a-f]{8})", one_line(text))
    assert found, text
    return found[1]


def one_line(text: str) -> str:
    """Text without its line ends, to look for sentences that may be wrapped."""
    return " ".join(text.split())


def said(ran: Ran) -> str:
    return one_line(ran.out + ran.err)


def data(folder: Path) -> Path:
    return folder / ".reconciler"
