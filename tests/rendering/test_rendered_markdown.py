"""Markdown of a plan: what a real renderer makes of it, and that text of others becomes nothing but words and code."""

import re
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from msgspec.structs import replace

from reconciler.model import Plan
from reconciler.rendering.commonmark import code, fence, prose
from reconciler.rendering.markdown import render_markdown
from reconciler.rendering.neutral import neutral
from reconciler.rendering.view import stamp, view
from tests.rendering import rendered_plans as plans
from tests.rendering.hostile_plans import HOSTILE, hostile_plan
from tests.rendering.twelve_plans import PLANS, PRIVILEGED, STOPPED

RENDERER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
OURS = {"h2", "h3", "p", "ul", "li", "strong", "blockquote", "hr", "br", "sub", "details", "summary", "pre", "code"}


class Page(HTMLParser):
    """What a browser would find: elements with their attributes, comments, text inside code and outside of it."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: Counter[str] = Counter()
        self.attributes: set[tuple[str, str | None]] = set()
        self.comments: list[str] = []
        self.code: list[str] = []
        self.words: list[str] = []
        self._inside = 0
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes.update(attrs)
        if tag == "code":
            self._inside += 1
            self.code.append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside -= tag == "code"

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)

    def handle_decl(self, decl: str) -> None:
        self.comments.append(decl)

    def unknown_decl(self, data: str) -> None:
        self.comments.append(data)

    def handle_pi(self, data: str) -> None:
        self.comments.append(data)

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.code[-1] += data
        else:
            self.words.append(data)


def markdown_of(plan: Plan, *, verbose: bool = False, limit: int = 10_000_000) -> str:
    return render_markdown(view(plan, verbose=verbose), stamp(plan), limit=limit)


def page_of(markdown: str) -> Page:
    return Page(RENDERER.render(markdown))


def shape(page: Page) -> Counter[str]:
    """How many elements of each kind there are, code spans aside: a word may need one or not."""
    return Counter({tag: count for tag, count in page.tags.items() if tag != "code"})


# What services look for in text that is not code: mentions, issues, commits, links, short codes, math, references.
MEANT = re.compile(
    r"@|#\d|\bGH-\d|\b[0-9a-f]{7,}\b|://|\bwww\.|\w\.\w|:\w+:|\$|[<>\[\]*_~`|\\{}^&]|(?:^|\s)[!%~&]\w", re.IGNORECASE
)
ALERTS = ("[!CAUTION]", "[!WARNING]")


def meaningful(words: list[str]) -> list[str]:
    """Text outside code in which somebody's service could find something; our own alerts and `1.5 hours` apart."""
    found = []
    for text in words:
        for alert in ALERTS:
            text = text.removeprefix(alert)
        if MEANT.search(text):
            found.append(text)
    return found


BENIGN = page_of(markdown_of(hostile_plan("word")))


@pytest.mark.parametrize("bad", HOSTILE, ids=lambda bad: ascii(bad)[:40])
@pytest.mark.parametrize("limit", [10_000_000, 9_000])
def test_text_of_others_is_words_or_code(bad: str, limit: int) -> None:
    for plan in (hostile_plan(bad), replace(hostile_plan(bad), changes=(), violations=())):
        for verbose in (False, True):
            page = page_of(markdown_of(plan, verbose=verbose, limit=limit))
            assert set(page.tags) <= OURS
            assert page.attributes <= {("class", "language-diff"), ("class", "language-yaml")}
            assert [each for each in page.comments if not each.startswith(" reconciler:plan:")] == []
            assert len(page.comments) == 1
            assert meaningful(page.words) == []


@pytest.mark.parametrize("bad", HOSTILE, ids=lambda bad: ascii(bad)[:40])
def test_text_of_others_changes_nothing_around_it(bad: str) -> None:
    """The same elements, whatever the text is."""
    assert shape(page_of(markdown_of(hostile_plan(bad)))) == shape(BENIGN)


@pytest.mark.parametrize("bad", HOSTILE, ids=lambda bad: ascii(bad)[:40])
def test_no_row_is_a_command_and_all_of_it_is_visible(bad: str) -> None:
    for row in markdown_of(hostile_plan(bad)).split("\n"):
        assert not re.search(r"^\s*::|##\w*\[", row)
        assert all(each.isprintable() or each == "\ufe0f" for each in row)


@pytest.mark.parametrize("bad", ["x --> <b>", "a/b c", "ünï", "-->", "..%2e"])
def test_the_marker_finds_the_target_and_nothing_ends_it(bad: str) -> None:
    text = markdown_of(replace(plans.SAMPLE, target=bad))
    assert re.fullmatch(r"<!-- reconciler:plan:[\w.~%-]+ -->", text.split("\n")[0], flags=re.ASCII)


def test_the_marker_of_a_usual_target() -> None:
    assert markdown_of(plans.SAMPLE).startswith("<!-- reconciler:plan:sandbox -->\n## ")


# --- words and code


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("removed from identities/leeds.yaml", "removed from `identities/leeds.yaml`"),
        ("template agent, identities/templates.yaml:4", "template agent, `identities/templates.yaml:4`"),
        ("9 of 58 users; at most 5% may (reconciler.yaml:21)", "9 of 58 users; at most 5% may (`reconciler.yaml:21`)"),
        ("ann@example.com and Ann.Lee@example.com,", "`ann@example.com` and `Ann.Lee@example.com`,"),
        ("write them under `released`", "write them under `released`"),
        ("one-time, José's (Ünï) 1,000", "one-time, José's (Ünï) 1,000"),
        ("a\\", "`a\\`"),
        ("x`y", "``x`y``"),
        ("` `", "` `"),
        ("`a", "`` `a ``"),
        ("1. one", "`1`. one"),
        ("deadbeef1 facade", "`deadbeef1` facade"),
        ("f(x) (until 2031-12-31)", "`f(x)` (until `2031-12-31`)"),
        ("", ""),
    ],
)
def test_prose(text: str, written: str) -> None:
    assert prose(text) == written


@given(st.text(max_size=60) | st.text(alphabet="`\\ a1.@()[]!<&*_#:-", max_size=30))
@settings(max_examples=400)
def test_a_sentence_says_the_same_and_means_nothing_else(text: str) -> None:
    text = neutral(text)
    page = page_of(f"- {prose(text)}")
    assert set(page.tags) <= {"ul", "li", "code"}
    assert page.attributes == set()
    assert meaningful(page.words) == []


@given(st.text(max_size=60) | st.text(alphabet="` \\a", max_size=20))
@settings(max_examples=400)
def test_a_code_span_holds_exactly_the_text(text: str) -> None:
    text = neutral(text).strip() or "x"
    assert page_of(f"x {code(text)} y").code == [text]


ROWS = st.sampled_from(["```", "````", "`````x", "   ```", "``` ", "~~~", "a", "", "- `b`"])


@given(st.lists(ROWS, min_size=1, max_size=5))
@settings(max_examples=200)
def test_a_fence_holds_exactly_the_rows(rows: list[str]) -> None:
    assert page_of(fence(rows, "diff")).code == ["\n".join(rows) + "\n"]


# --- what a reviewer sees


def headings(page_text: str) -> list[str]:
    return re.findall(r"^(?:### (.+)|<summary>(.+)</summary>|> \*\*(.+)\*\*)$", page_text, flags=re.MULTILINE)


def test_what_stops_and_what_warns_comes_first() -> None:
    said = ["".join(each) for each in headings(markdown_of(plans.EDGES))]
    assert said == [
        "Stopped by a safety rule, nothing will be done.",
        "Look at these first.",
        "People",
        "Groups",
        "Left as it is",
        "Every difference",
        "Changed on the server by other hands (10), not part of this plan",
        "Notes (2)",
    ]


@pytest.mark.parametrize(
    ("plan", "title"),
    [
        (plans.SAMPLE, "## ⚠️ `sandbox`: 1 to add, 288 to change, 0 to destroy; 1 to deactivate"),
        (STOPPED, "## ⛔ `sandbox`: 0 to add, 0 to change, 1 to destroy; 30 to deactivate"),
        (plans.QUIET, "## ✅ `sandbox`: no changes"),
        (PLANS["renamed"], "## 📝 `sandbox`: 0 to add, 0 to change, 0 to destroy; 2 to rename"),
        (PLANS["refused"], "## ⚠️ `sandbox`: no changes"),
        (replace(PLANS["refused"], notices=()), "## ❔ `sandbox`: no changes"),
    ],
)
def test_the_title_says_how_bad_it_is_and_how_much(plan: Plan, title: str) -> None:
    assert markdown_of(plan).split("\n")[1] == title


def test_the_warning_block_holds_removals_privileges_and_returns() -> None:
    text = markdown_of(PRIVILEGED)
    block = text[text.index("> [!WARNING]") : text.index("### People")]
    assert re.findall(r"^> - `user\.([a-z.]+)`", block, flags=re.MULTILINE) == ["dan.o", "eva.p", "dan.o"]
    assert "gets the privileged role Master Admin" in block


def test_the_acceptance_can_be_copied() -> None:
    page = page_of(markdown_of(STOPPED))
    assert '- {rule: removals, digest: 3f2a9c41, reason: "…"}\n' in page.code


def test_the_foot_names_the_commit_the_plan_and_what_a_merge_does() -> None:
    foot = markdown_of(PLANS["leavers"]).rpartition("\n---\n")[2]
    assert foot.startswith("At merge, apply makes these 31 changes and no other.")
    assert "commit `07f69fb2c1a94d1f8d5e1c1f8e2b7a6d5c4b3a29`" in foot
    assert f"plan `{stamp(PLANS['leavers']).digest}`" in foot
    assert "this changes nothing: apply stops at the safety rule" in markdown_of(STOPPED)


def rows_of(plan: Plan) -> Iterator[str]:
    text = markdown_of(plan)
    yield from text[text.index("```diff") :].split("\n")[1:]


def test_every_row_of_a_diff_begins_with_a_sign_of_ours() -> None:
    for plan in PLANS.values():
        if plan.changes:
            rows = list(rows_of(plan))
            for row in rows[: rows.index("```")]:
                assert row == "" or row[:2] in ("@@", "+ ", "- ", "  ", "! ")


def test_a_long_list_unfolds() -> None:
    changes = tuple(
        plans.change(plans.user(f"u.{number:03}"), plans.changed("title", f"{number}", "Lead")) for number in range(60)
    )
    text = markdown_of(replace(plans.QUIET, changes=changes))
    assert "<summary>35 more lines</summary>" in text
    assert text.count("\n- `user.u.") == 60
