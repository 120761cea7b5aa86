"""What a plan, a report and diagnostics look like: golden files, at several widths. BLESS=1 rewrites them."""

import io
import os
import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from reconciler.model import Action, Cause, Change, Plan, ResourceType
from reconciler.rendering.layout import cells, wrapped
from reconciler.rendering.paper import PIPED_WIDTH, paper_for, write_text
from reconciler.rendering.text import render_text
from reconciler.rendering.view import view
from tests.rendering import rendered_plans as plans

GOLDEN = Path(__file__).parent / "golden"
ANSI = re.compile("\x1b\\[[0-9;]*m")


def check(name: str, text: str) -> None:
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("BLESS"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text + "\n", encoding="utf-8")
    assert text + "\n" == path.read_text(encoding="utf-8")


def text_of(plan: Plan, width: int = 100, *, colour: bool = False, verbose: bool = False) -> str:
    return render_text(view(plan, verbose=verbose), width=width, colour=colour)


CASES = {"sample": plans.SAMPLE, "edges": plans.EDGES, "quiet": plans.QUIET, "wide": plans.WIDE}


@pytest.mark.parametrize("width", [60, 80, 100, 140])
@pytest.mark.parametrize("name", CASES)
def test_golden(name: str, width: int) -> None:
    check(f"{name}-{width}", text_of(CASES[name], width))


def test_golden_with_colours() -> None:
    coloured = text_of(plans.SAMPLE, colour=True)
    check("sample-100-colour", coloured.replace("\x1b", "ESC"))
    assert ANSI.sub("", coloured) == text_of(plans.SAMPLE)


@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize("width", [60, 80, 100, 140])
@pytest.mark.parametrize("name", CASES)
def test_no_row_is_wider_than_the_screen(name: str, width: int, colour: bool) -> None:
    rows = ANSI.sub("", text_of(CASES[name], width, colour=colour)).split("\n")
    assert [row for row in rows if cells(row) > width or row != row.rstrip()] == []


# --- order, folding, words


def headings(plan: Plan) -> list[str]:
    return [f"{each.subject} {each.predicate}" for each in view(plan).blocks]


def test_what_takes_access_comes_first() -> None:
    assert headings(plans.EDGES) == [
        "user.old.one will be deleted",
        "8 users will be deactivated",
        "user.dan.o will be reactivated and updated in place",
        "user.eva.p will be reactivated",
        "user.maria.de-los-angeles.fernandez-y-garcia will be renamed and updated in place",
        "group.night-shift will be updated in place",
        "user.made.again will be created",
        "user.put.right will be updated in place",
        "user.tom.k will be updated in place",
    ]


def test_the_order_of_the_changes_does_not_matter() -> None:
    assert text_of(replace(plans.EDGES, changes=plans.EDGES.changes[::-1])) == text_of(plans.EDGES)


def equal_changes(count: int, **more) -> Plan:
    title = plans.changed("title", "Agent", "Adviser", origin=plans.TEMPLATE)
    changes = tuple(plans.change(plans.user(f"u.{number}"), title, **more) for number in range(count))
    return replace(plans.QUIET, changes=changes)


@pytest.mark.parametrize(("count", "blocks"), [(1, 1), (2, 2), (3, 1), (300, 1)])
def test_equal_changes_are_one_block_from_three_on(count: int, blocks: int) -> None:
    assert len(view(equal_changes(count)).blocks) == blocks


DIFFERENT = [
    plans.change(plans.user("x"), plans.changed("title", "Agent", "Adviser")),
    plans.change(plans.user("x"), plans.changed("title", "Lead", "Adviser", origin=plans.TEMPLATE)),
    plans.change(plans.user("x"), plans.changed("title", "Agent", "Lead", origin=plans.TEMPLATE)),
    plans.change(plans.user("x"), plans.changed("nickName", "Agent", "Adviser", origin=plans.TEMPLATE)),
    plans.change(plans.user("x"), plans.added("title", "Adviser", origin=plans.TEMPLATE)),
    plans.change(plans.group("x"), plans.changed("title", "Agent", "Adviser", origin=plans.TEMPLATE)),
    replace(equal_changes(1).changes[0], cause=Cause.LEFTOVER),
    replace(equal_changes(1).changes[0], actions=(Action.RENAME, Action.UPDATE)),
    replace(equal_changes(1).changes[0], reason="because"),
    replace(equal_changes(1).changes[0], notes=("inactive on the server",)),
    replace(equal_changes(1).changes[0], warnings=("privileged",)),
    replace(
        equal_changes(1).changes[0],
        attribute_changes=(*equal_changes(1).changes[0].attribute_changes, plans.added("nickName", "A")),
    ),
]


@pytest.mark.parametrize("different", DIFFERENT)
def test_a_change_that_differs_stands_alone(different: Change) -> None:
    plan = equal_changes(3)
    blocks = view(replace(plan, changes=(*plan.changes, different))).blocks
    assert sorted(each.subject for each in blocks)[0] == "3 users"
    assert len(blocks) == 2


def test_true_is_not_one_and_a_creation_is_never_folded() -> None:
    values = [plans.change(plans.user(f"u.{n}"), plans.added("custom", value)) for n, value in enumerate([1, True, 1])]
    assert len(view(replace(plans.QUIET, changes=tuple(values))).blocks) == 3
    created = [plans.change(plans.user(f"u.{n}"), actions=(Action.CREATE,)) for n in range(4)]
    assert len(view(replace(plans.QUIET, changes=tuple(created))).blocks) == 4


def test_everybody_who_loses_something_is_named() -> None:
    keys = [f"u.{number:03}" for number in range(120)]
    for action, difference in (
        (Action.DEACTIVATE, plans.changed("active", True, False)),
        (Action.DELETE, plans.changed("active", True, False)),
        (Action.UPDATE, plans.gone("roles", None, "Supervisor")),
        (Action.REACTIVATE, plans.changed("active", False, True)),
    ):
        changes = tuple(plans.change(plans.user(key), difference, actions=(action,)) for key in keys)
        block = view(replace(plans.QUIET, changes=changes)).blocks[0]
        assert (list(block.people.named), block.people.hidden) == (keys, 0)


def test_verbose_names_everybody_and_every_layer() -> None:
    text = text_of(plans.SAMPLE, verbose=True)
    assert all(key in text for key in plans.ADVISERS)
    assert "--verbose" not in text


@pytest.mark.parametrize(
    ("actions", "words"),
    [
        ((Action.CREATE,), "will be created"),
        ((Action.UPDATE,), "will be updated in place"),
        ((Action.RENAME,), "will be renamed"),
        ((Action.UPDATE, Action.RENAME), "will be renamed and updated in place"),
        ((Action.REACTIVATE,), "will be reactivated"),
        ((Action.DEACTIVATE,), "will be deactivated"),
        ((Action.DELETE,), "will be deleted"),
        ((Action.RENAME, Action.UPDATE, Action.REACTIVATE), "will be reactivated, renamed and updated in place"),
        ((), "will be updated in place"),
    ],
)
def test_words_for_actions(actions: tuple[Action, ...], words: str) -> None:
    assert headings(replace(plans.QUIET, changes=(plans.change(plans.user("a"), actions=actions),))) == [
        f"user.a {words}"
    ]


@pytest.mark.parametrize(
    ("count", "per_minute", "words"),
    [
        (0, 300, ""),
        (1, None, "1 request."),
        (1, 300, "1 request, a few seconds at 300 a minute."),
        (150, 300, "150 requests, about half a minute at 300 a minute."),
        (291, 300, "291 requests, about 1 minute at 300 a minute."),
        (3_000, 300, "3,000 requests, about 10 minutes at 300 a minute."),
        (36_000, 300, "36,000 requests, about 2 hours at 300 a minute."),
        (27_500, 300, "27,500 requests, about 1.5 hours at 300 a minute."),
    ],
)
def test_how_long_it_takes(count: int, per_minute: int | None, words: str) -> None:
    assert view(replace(plans.SAMPLE, requests=count, requests_per_minute=per_minute)).requests == words


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {},
            'No changes. Target "sandbox" matches the declarations '
            "(58 users, 12 groups; 3 live identities are not ours).",
        ),
        ({"unmanaged": 0}, 'No changes. Target "sandbox" matches the declarations (58 users, 12 groups).'),
        (
            {"unmanaged": 1, "matched": {ResourceType.USER: 1}},
            'No changes. Target "sandbox" matches the declarations (1 user; 1 live identity is not ours).',
        ),
        ({"unmanaged": 0, "matched": {}}, 'No changes. Target "sandbox" matches the declarations.'),
        (
            {"drift": plans.SAMPLE.drift},
            'No changes to make on target "sandbox" (58 users, 12 groups; 3 live identities are not ours).',
        ),
        (
            {"refused": plans.EDGES.refused, "unmanaged": 0},
            'No changes to make on target "sandbox" (58 users, 12 groups).',
        ),
        # dates that are new break a rule, and change nothing today
        (
            {"violations": plans.EDGES.violations, "unmanaged": 0},
            'No changes to make on target "sandbox" (58 users, 12 groups).',
        ),
    ],
)
def test_nothing_to_do(change: dict, words: str) -> None:
    found = view(replace(plans.QUIET, **change))
    assert found.summary == words
    assert found.header == ""


# --- terminals


class Screen(io.StringIO):
    """A terminal that does not say how wide it is."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "environment", "coloured"),
    [
        (Screen(), {}, True),
        (Screen(), {"NO_COLOR": ""}, True),
        (Screen(), {"NO_COLOR": "1"}, False),
        (Screen(), {"CI": "true"}, False),
        (Screen(), {"TERM": "dumb"}, False),
        (io.StringIO(), {}, False),
    ],
)
def test_colours_only_on_a_terminal_that_wants_them(stream: io.StringIO, environment: dict, coloured: bool) -> None:
    on = paper_for(stream, environment)
    assert ("\x1b" in on.styled("x", "bold")) is coloured
    assert on.width == PIPED_WIDTH


def test_the_width_is_that_of_the_terminal() -> None:
    termios = pytest.importorskip("termios")
    ours, theirs = os.openpty()
    with open(ours, "wb", closefd=True), open(theirs, "w", encoding="utf-8", closefd=True) as stream:
        termios.tcsetwinsize(theirs, (24, 77))
        assert paper_for(stream, {}).width == 77
        termios.tcsetwinsize(theirs, (24, 999))
        assert paper_for(stream, {}).width == 160


@pytest.mark.parametrize(("encoding", "written"), [("utf-8", "Zoë … 李\n"), ("ascii", "Zo\\xeb ... \\u674e\n")])
def test_what_an_encoding_cannot_say_is_spelled_out(encoding: str, written: str) -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding, newline="\n")
    write_text(stream, "Zoë … 李")
    stream.flush()
    assert raw.getvalue().decode(encoding) == written


@given(st.text(alphabet="ab: 李é", max_size=120), st.integers(20, 60))
@example(" " + ":" * 17 + " 李", 20)  # the colon is not the first character of its row
def test_wrapping_keeps_the_words_and_the_width(text: str, width: int) -> None:
    rows = wrapped(text, width)
    kept = "".join(rows).replace("\\u003a", ":").replace(" ", "")
    assert kept == text.replace(" ", "")
    assert all(cells(row.replace("\\u003a", ":")) <= width for row in rows)
    assert not any(row.lstrip().startswith("::") for row in rows) or cells(text) <= width


# --- many changes


def test_a_big_plan_is_printed_whole() -> None:
    changes = tuple(
        plans.change(
            plans.user(f"agent.{number:05}"),
            plans.changed("title", f"Agent {number}", "Adviser"),
            plans.added(plans.SKILLS, 3, "Quality"),
            source=plans.at(number + 1),
        )
        for number in range(10_000)
    )
    plan = replace(plans.SAMPLE, changes=changes)
    assert text_of(plan).count("\n") > 40_000
