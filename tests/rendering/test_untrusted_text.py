"""Nothing that a server or a YAML file says reaches a terminal or a log as anything but visible characters."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import fields, replace

from reconciler.model import Failed, NotTried, Result, Severity, Skipped, Succeeded
from reconciler.rendering.diagnostics import render_diagnostics
from reconciler.rendering.neutral import ELLIPSIS, NAME_LIMIT, neutral, quoted
from reconciler.rendering.report import render_report
from reconciler.rendering.text import render_text
from reconciler.rendering.view import view
from tests.rendering.hostile_plans import HOSTILE, SPELLED, hostile_diagnostic, hostile_plan


@pytest.mark.parametrize(("text", "spelled"), SPELLED)
def test_what_cannot_be_seen_is_spelled_out(text: str, spelled: str) -> None:
    assert neutral(text).startswith(spelled)
    assert "\x1b" in text or neutral(text) == spelled


@pytest.mark.parametrize("size", [NAME_LIMIT - 1, NAME_LIMIT, NAME_LIMIT + 1, 10_000])
@pytest.mark.parametrize("letter", ["x", "é", "\u202e", " ", "\\"])
def test_long_text_is_cut(letter: str, size: int) -> None:
    found = neutral(letter * size, NAME_LIMIT)
    assert len(found) <= NAME_LIMIT
    assert found.endswith(ELLIPSIS) == (len(letter * size) > NAME_LIMIT or not letter.isprintable())
    assert len(quoted(letter * size)) <= NAME_LIMIT + 2


def test_a_value_cannot_pass_for_two() -> None:
    assert quoted('Agent" -> "Lead') == '"Agent\\" -> \\"Lead"'
    assert quoted("\\u202e") != quoted("\u202e")


def is_visible(character: str) -> bool:
    """By the Unicode database, apart from what the code under test asks."""
    return character == " " or unicodedata.category(character)[0] not in "CZ"


# GitHub looks for :: where a row begins, white space aside; Azure, TeamCity and older runners for ##…[ anywhere.
COMMANDS = re.compile(r"^\s*::|##\w*\[", re.MULTILINE)


@given(
    st.text() | st.text(alphabet=st.characters(categories=["Cs", "Cf", "Cc", "Zl", "Zp", "Zs", "Mn"]) | st.just(":"))
)
@settings(max_examples=300)
def test_neutral_text_is_visible_and_stays_as_it_is(text: str) -> None:
    found = neutral(text)
    assert all(map(is_visible, found))
    assert not COMMANDS.search(found)
    assert neutral(found) == found
    assert found.encode() or not text


# --- through every writer


def written(bad: str, width: int) -> Iterator[str]:
    plan = hostile_plan(bad)
    yield render_text(view(plan), width=width, colour=False)
    yield render_text(view(plan, verbose=True), width=width, colour=False)
    yield render_text(view(replace(plan, changes=())), width=width, colour=False)
    found = [hostile_diagnostic(bad, each, sourced) for each in Severity for sourced in (True, False)]
    yield render_diagnostics(found, width=width, colour=False)
    results: list[Result] = [
        Failed(number=0, message=bad, status=400),
        Skipped(number=1, message=bad, because=0),
        NotTried(number=2, message=bad),
        Succeeded(number=3, live_id=bad, note=bad),
    ]
    yield render_report(plan, results, found, width=width, colour=False)


@pytest.mark.parametrize("bad", HOSTILE, ids=lambda bad: ascii(bad)[:30])
@pytest.mark.parametrize("width", [40, 61, 100])
def test_no_writer_lets_anything_through(bad: str, width: int) -> None:
    for text in written(bad, width):
        assert [row for row in text.split("\n") if not all(map(is_visible, row)) or COMMANDS.search(row)] == []
        assert len(text) < 120_000
        assert text.encode()


@pytest.mark.parametrize("bad", HOSTILE, ids=lambda bad: ascii(bad)[:30])
def test_every_text_of_a_view_is_neutral(bad: str) -> None:
    """A writer may rely on it."""

    def texts(value: Any) -> Iterator[str]:
        if isinstance(value, str):
            yield value
        elif isinstance(value, tuple):
            for each in value:
                yield from texts(each)
        elif isinstance(value, Struct):
            for field in fields(value):
                yield from texts(getattr(value, field.name))

    found = list(texts(view(hostile_plan(bad))))
    assert len(found) > 100
    assert [text for text in found if neutral(text, 100_000) != text] == []


def test_colours_are_the_only_escapes() -> None:
    hostile = view(hostile_plan("a\x1b[31mred\x1b[0m"))
    coloured = render_text(hostile, width=100, colour=True)
    ours = {
        code for style in ("bold", "dim", "green", "yellow", "red", "bold red", "bold yellow") for code in codes(style)
    }
    assert set(re.findall(r"\x1b\[[0-9;]*m", coloured)) == ours
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == render_text(hostile, width=100, colour=False)


def codes(style: str) -> list[str]:
    numbers = {"bold": "1", "dim": "2", "green": "32", "yellow": "33", "red": "31"}
    return [f"\x1b[{';'.join(numbers[word] for word in style.split())}m", "\x1b[0m"]
