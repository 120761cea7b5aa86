"""The page of a plan, read as a browser would: whole in itself, under a strict policy, and no text becomes markup."""

import base64
import hashlib
import re
from collections import Counter
from html.parser import HTMLParser
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from reconciler.model import Plan
from reconciler.rendering.html import render_html
from reconciler.rendering.markup import Markup, element, joined
from reconciler.rendering.view import stamp, view
from tests.rendering import rendered_plans as plans
from tests.rendering.hostile_plans import HOSTILE, hostile_plan
from tests.rendering.twelve_plans import PLANS

VOID = {"meta", "link", "input"}


class Page(HTMLParser):
    """Elements, attributes and text of a page. Fails where an element is not closed in its order."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str | None]] = []
        self.others: list[str] = []
        self.text: Counter[str] = Counter()
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_comment(self, data: str) -> None:
        self.others.append(data)

    unknown_decl = handle_pi = handle_comment

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] not in ("style", "script"):
            self.text[data] += 1


def page_of(plan: Plan) -> Page:
    return Page(html_of(plan))


def html_of(plan: Plan) -> str:
    return render_html(view(plan, verbose=True), stamp(plan))


def shape(page: Page) -> tuple[Counter[str], Counter[tuple[str, str]]]:
    return page.tags, Counter((tag, name) for tag, name, _ in page.attributes)


BENIGN = page_of(hostile_plan("word"))


@pytest.mark.parametrize("bad", HOSTILE, ids=lambda bad: ascii(bad)[:40])
def test_text_of_others_stays_text(bad: str) -> None:
    """The same elements with the same attributes, whatever the text is."""
    plan = hostile_plan(bad)
    page = page_of(plan)
    assert shape(page) == shape(BENIGN)
    assert page.others == []
    assert stamp(plan).target in page.text


@pytest.mark.parametrize("name", PLANS)
def test_nothing_is_fetched_and_nothing_runs_but_our_script(name: str) -> None:
    page = page_of(PLANS[name])
    assert page.tags["script"] == page.tags["style"] == 1
    assert not {"img", "iframe", "object", "embed", "base", "svg", "video", "audio"} & set(page.tags)
    assert [each for each in page.attributes if each[1] in ("src", "srcset", "action", "style", "srcdoc")] == []
    assert [each for each in page.attributes if each[1].startswith("on")] == []
    assert {value for _, name, value in page.attributes if name == "href"} == {"#changes", "data:,"}
    assert not re.search(r"url\(|@import|fetch\(|XMLHttpRequest|innerHTML|eval\(", html_of(PLANS[name]))


def test_the_policy_lets_in_exactly_what_stands_in_the_page() -> None:
    html = html_of(plans.SAMPLE)
    [policy] = [value for tag, name, value in Page(html).attributes if tag == "meta" and "default-src" in (value or "")]
    for tag in ("style", "script"):
        [inline] = re.findall(rf"<{tag}[^>]*>(.*?)</{tag}>", html, flags=re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert "*" not in policy
    # what the policy comes after is not bound by it
    assert html.index("Content-Security-Policy") < html.index("<style")


@pytest.mark.parametrize("name", ["page.css", "page.js"])
def test_what_stands_in_the_page_cannot_end_its_element(name: str) -> None:
    text = files("reconciler.rendering").joinpath(name).read_text(encoding="utf-8")
    assert text.isascii()
    assert "</" not in text
    assert "<!--" not in text
    assert "\r" not in text


def test_the_page_is_ascii_and_says_everything() -> None:
    html = html_of(plans.WIDE)
    assert html.isascii()
    assert any("Đội trưởng ca đêm" in text for text in Page(html).text)


def test_a_plan_without_changes_has_nothing_to_search() -> None:
    page = page_of(plans.QUIET)
    assert page.tags["form"] == page.tags["details"] == 0
    assert view(plans.QUIET).summary in page.text


def test_controls_have_names_and_headings_their_order() -> None:
    page = page_of(PLANS["edges"])
    assert page.tags["h1"] == page.tags["main"] == 1
    assert page.tags["h3"] == page.tags["details"] == page.tags["summary"]
    assert page.tags["label"] == page.tags["input"] + page.tags["select"]
    assert page.tags["legend"] == page.tags["fieldset"] == 3


def test_groupings_are_offered_where_they_say_something() -> None:
    def offered(plan: Plan) -> set[str | None]:
        return {value for tag, name, value in page_of(plan).attributes if (tag, name) == ("option", "value")}

    assert offered(PLANS["newcomers"]) == {"risk", "department", "file"}
    assert offered(PLANS["causes"]) == {"risk", "file", "cause"}
    assert offered(replace(plans.QUIET, changes=(plans.ZED,))) == {"risk"}


# --- elements


@given(st.text(), st.text())
def test_an_element_holds_the_text_and_its_attribute_the_value(text: str, value: str) -> None:
    page = Page(element("p", text, "", title=value))
    assert page.tags == {"p": 1}
    assert "".join(page.text) == text
    assert page.attributes == ([("p", "title", value)] if value else [])


def test_finished_markup_is_not_escaped_and_text_is() -> None:
    assert joined("<b>", element("i", "&")) == "&lt;b&gt;<i>&amp;</i>"
    assert isinstance(joined("x"), Markup)
    assert element("input", id="a", hidden=True, title="", class_="b") == '<input id="a" hidden class="b">'
