"""docs/safety.md: every rail is run into for real, its message stands on the page, and what the page says gets past it.

A run that a rule stops has written nothing, and the one that gets past it has.

BLESS=1 writes the page anew.
"""

import ast
import os
import re
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from reconciler import doubting
from reconciler.sandbox import Request, Response
from tests.cli.in_process import QuickFolder
from tests.cli.provider import WRITING, Provider
from tests.conftest import Ran
from tests.diagnostics.codes import codes, refusals
from tests.record.conftest import _plain_git  # noqa: F401
from tests.safety.left_as_it_is import REFUSED
from tests.safety.rails import STOPPING, Rail
from tests.safety.somebody_else import SOMEBODY_ELSE
from tests.safety.ways import WAYS, Play

RAILS = (*STOPPING, *SOMEBODY_ELSE, *REFUSED)
STOPS = 3
PAGE = Path(__file__).parents[2] / "docs" / "safety.md"
_HEX = [(re.compile(r"\b[0-9a-f]{40}\b"), "COMMIT"), (re.compile(r"\b[0-9a-f]{12}\b"), "COMMIT")]
_DIGEST = re.compile(r"(?<=digest: )[0-9a-f]{8}|(?<=@)[0-9a-f]{8}\b")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?: UTC|\+00:00)")
_ID = re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")


Writes = Callable[[Ran], int]


@pytest.fixture
def writes(monkeypatch: pytest.MonkeyPatch) -> Writes:
    """How many writes each run has sent."""
    sent: list[str] = []
    found: list[tuple[Ran, int]] = []
    handle, run = Provider.handle, QuickFolder.run

    def handled(self: Provider, request: Request) -> Response:
        sent.append(request.method)
        return handle(self, request)

    def counted(self: QuickFolder, *arguments: str, stdin: str | None = None, **environment: str) -> Ran:
        before = len(sent)
        ran = run(self, *arguments, stdin=stdin, **environment)
        found.append((ran, sum(each in WRITING for each in sent[before:])))
        return ran

    monkeypatch.setattr(Provider, "handle", handled)
    monkeypatch.setattr(QuickFolder, "run", counted)
    return lambda ran: next(count for each, count in found if each is ran)


@pytest.mark.parametrize("rail", RAILS, ids=lambda each: each.name)
def test_a_rail_stops_says_why_and_can_be_passed(rail: Rail, tmp_path: Path, writes: Writes) -> None:
    with closing(rail.play(tmp_path / "here")) as story:
        stopped = next(story)
        assert stopped.code == rail.ends, stopped.out + stopped.err
        message = entry(rail, stopped.out)
        part = section(rail, message)
        if os.environ.get("BLESS") == "1":
            text = re.sub(_section(rail), lambda _: part, PAGE.read_text(encoding="utf-8"))
            PAGE.write_text(text if part in text else f"{text.rstrip()}\n\n{part}", encoding="utf-8")
        assert part in PAGE.read_text(encoding="utf-8"), f"{part}\n\nrun this test with BLESS=1"
        then = passed(rail, story)
        if rail.ends == STOPS:
            assert (writes(stopped), writes(then) > 0) == (0, True)


@pytest.mark.parametrize(("way", "play"), WAYS.items(), ids=[": ".join(each) for each in WAYS])
def test_another_way_past_it(way: tuple[str, str], play: Play, tmp_path: Path) -> None:
    rail = next(each for each in RAILS if each.name == way[0])
    assert way[1] in rail.past
    with closing(play(tmp_path / "here")) as story:
        stopped = next(story)
        assert stopped.code == rail.ends, stopped.out + stopped.err
        assert rail.told in stopped.out
        passed(rail, story)


def passed(rail: Rail, story: Iterator[Ran]) -> Ran:
    """The run after the way past, in which the rail is heard of no more."""
    ran = next(story)
    assert ran.code == 0, ran.out + ran.err
    assert rail.told not in ran.out
    assert not list(story)
    return ran


def test_the_page_has_every_rail_once_and_no_other() -> None:
    headings = re.findall(r"^## (.*)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert headings == [each.name for each in RAILS]


def test_every_rule_and_every_refusal_of_the_source_is_a_rail() -> None:
    known = {code for each in RAILS for code in (each.name, *each.codes)}
    assert {each.code for each in codes() if each.kind == "rule"} <= known
    assert set(refusals()) <= known


def test_every_sign_of_somebody_else_is_a_rail() -> None:
    """Each sentence of `doubting`, apart from what the run fills in."""
    page = " ".join(PAGE.read_text(encoding="utf-8").split())
    tree = ast.parse(Path(str(doubting.__file__)).read_text(encoding="utf-8"))
    said = [each for node in ast.walk(tree) if isinstance(node, ast.Return | ast.Assign) for each in ast.walk(node)]
    sentences = {str(each.value).strip() for each in said if isinstance(each, ast.Constant) and " " in str(each.value)}
    assert len(sentences) > 5
    assert [each for each in sentences if each not in page] == []


def section(rail: Rail, message: str) -> str:
    return f"## {rail.name}\n\nIt stops {rail.stops}.\n\n```\n{message}\n```\n\nPast it: {rail.past}.\n"


def _section(rail: Rail) -> re.Pattern[str]:
    return re.compile(rf"## {re.escape(rail.name)}\n\n(?:(?!^## ).*\n)*?Past it: .*\n", re.MULTILINE)


def entry(rail: Rail, out: str) -> str:
    """The printed entry that begins as the rail says, without what differs from run to run."""
    lines = out.split("\n")
    start = next(number for number, line in enumerate(lines) if line.strip().startswith(rail.told))
    text = "\n".join(line[2:] for line in [lines[start], *_rest(lines[start + 1 :])])
    text = _MOMENT.sub("TIME", _DIGEST.sub("DIGEST", _ID.sub("ID", text)))
    for pattern, word in _HEX:
        text = pattern.sub(word, text)
    return text


def _rest(lines: list[str]) -> Iterator[str]:
    for line in lines:
        if not line.startswith("    "):
            return
        yield line
