"""A plan as one HTML file, for people who would rather look: it can be searched, filtered, grouped and printed.

The file needs nothing but itself: style and script stand in it, and its policy lets no other script, no image and no
request through. Everything is in the page as it is written, so that it reads without a script too; page.js only shows,
hides and regroups. Text of others goes through `markup`, which escapes it, and nowhere else.
"""

import base64
import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Final

from reconciler.model import Action, Cause, ResourceType
from reconciler.rendering.access import AccessLine
from reconciler.rendering.cards import card, spoken
from reconciler.rendering.folding import Risk
from reconciler.rendering.markup import Markup, element, joined
from reconciler.rendering.view import Block, BrokenRule, People, PlanView, Remark, Stamp
from reconciler.rendering.wording import EARLIER_TITLE, main_action

_LEVELS: Final = {
    Risk.DELETES: "Deleted",
    Risk.DEACTIVATES: "Deactivated",
    Risk.PRIVILEGED: "Privileged, or to be looked at",
    Risk.REACTIVATES: "Active again",
    Risk.TAKES: "Lose a role, a skill or a membership",
    Risk.REST: "Everything else",
}
_TILES: Final = {
    Action.DELETE: ("to destroy", "remove"),
    Action.DEACTIVATE: ("to deactivate", "remove"),
    Action.REACTIVATE: ("to reactivate", "change"),
    Action.CREATE: ("to add", "add"),
    Action.UPDATE: ("to change", "change"),
    Action.RENAME: ("to rename", "change"),
}
_ALWAYS: Final = (Action.CREATE, Action.UPDATE, Action.DELETE)
_ACTIONS: Final = {each: each.capitalize() for each in _TILES}
_TYPES: Final = {ResourceType.USER: "People", ResourceType.GROUP: "Groups"}
_CAUSES: Final = {
    Cause.DECLARED: "Declared",
    Cause.LEFTOVER: "Announced before",
    Cause.DUE: "Due by date",
    Cause.DRIFT: "Other hands",
}
_SPACE: Final = " "


def render_html(view: PlanView, stamp: Stamp) -> str:
    """A whole plan as an HTML document. Best made from a verbose view: the page folds by itself.

    All of it is ASCII, other characters are written as references: however it is stored, every browser reads the same.
    """
    document = element("html", _head(stamp), _body(view, stamp), lang="en")
    return f"<!doctype html>\n{document.encode('ascii', 'xmlcharrefreplace').decode()}"


# --- the document


def _head(stamp: Stamp) -> Markup:
    style, script = _asset("page.css"), _asset("page.js")
    policy = "; ".join(
        (
            "default-src 'none'",
            f"style-src '{_fingerprint(style)}'",
            f"script-src '{_fingerprint(script)}'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
        )
    )
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="referrer", content="no-referrer"),
        element("link", rel="icon", href="data:,"),
        element("title", f"Plan for {stamp.target}"),
        element("style", style),
        element("script", script, type="module"),
    )


@cache
def _asset(name: str) -> Markup:
    """A file beside this module."""
    return Markup(files("reconciler.rendering").joinpath(name).read_text(encoding="utf-8"))


def _fingerprint(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _body(view: PlanView, stamp: Stamp) -> Markup:
    parts = [
        _top(view, stamp),
        _panel("Stopped by a safety rule, nothing will be done", "stop", map(_rule, view.violations)),
        _panel("Look at these first", "alarm", map(_remark, view.warnings)),
        _tools([*view.blocks, *view.drift]) if view.blocks or view.drift else "",
        element("div", *_levels(view.blocks), id="changes", tabindex="-1"),
        _drift(view),
        _panel("Left as it is", "plain", map(_remark, view.refused)),
        _panel("Who gains and who loses access", "plain", map(_access, view.access_lines)),
        _panel("Notes", "plain", map(_remark, view.notices)),
    ]
    skip = element("a", "Skip to the changes", href="#changes", class_="skip")
    return element("body", skip, element("main", *parts), _foot(view, stamp))


def _top(view: PlanView, stamp: Stamp) -> Markup:
    counts = Counter[Action]()
    for block in view.blocks:
        counts[main_action(block.actions)] += len(block.identities)
    tiles = [
        element("li", element("b", f"{counts[action]:,}"), _SPACE, words, class_=kind if counts[action] else "none")
        for action, (words, kind) in _TILES.items()
        if counts[action] or action in _ALWAYS
    ]
    ahead = _SPACE.join(filter(None, (stamp.at_merge, view.requests)))
    return element(
        "header",
        element("p", "Plan", element("span", f" · profile {stamp.profile}"), class_="kicker"),
        element("h1", stamp.target),
        element("ul", *tiles, class_="tiles", aria_label="How many changes") if view.blocks else "",
        "" if view.blocks else element("p", view.summary, class_="summary"),
        element("p", view.divided) if view.divided else "",
        element("p", view.access) if view.access else "",
        element("p", ahead) if ahead else "",
    )


def _foot(view: PlanView, stamp: Stamp) -> Markup:
    entries = [("Commit", stamp.commit), ("Plan", stamp.digest if view.blocks else ""), ("Made by", stamp.tool)]
    rows = [
        element("div", element("dt", name), element("dd", element("code", value))) for name, value in entries if value
    ]
    return element("footer", element("dl", *rows))


# --- changes


def _levels(blocks: Sequence[Block]) -> Iterator[Markup]:
    """The cards, a section for each risk; page.js may group them otherwise."""
    here, earlier = [block for block in blocks if not block.earlier], [block for block in blocks if block.earlier]
    for risk, title in _LEVELS.items():
        found = [block for block in here if block.risk is risk]
        if found:
            yield _level("Changes" if len(found) == len(here) and risk is Risk.REST else title, found, "level")
    if earlier:
        yield _level(EARLIER_TITLE.removesuffix(":"), earlier, "level")


def _level(title: str, blocks: Sequence[Block], class_: str) -> Markup:
    count = sum(len(block.identities) for block in blocks)
    heading = element("h2", title, _SPACE, element("span", f"{count:,}", class_="count"))
    return element("section", heading, *map(card, blocks), class_=class_)


def _drift(view: PlanView) -> Markup:
    if not view.drift:
        return Markup()
    return element("div", _level(view.drift_header.removesuffix(":"), view.drift, "level drift"), id="drift")


def _tools(blocks: list[Block]) -> Markup:
    """What narrows and orders the list. Of no use without a script, which therefore unhides it."""
    search = element(
        "label",
        spoken("Search"),
        element("input", type="search", id="search", placeholder="Search people, groups, values", autocomplete="off"),
        class_="search",
    )
    every = [
        _chips("Action", "actions", _count(blocks, lambda block: block.actions), _ACTIONS.items()),
        _chips("Kind", "type", _count(blocks, lambda block: (block.resource_type,)), _TYPES.items()),
        _chips("Cause", "causes", _count(blocks, lambda block: block.causes), _CAUSES.items()),
    ]
    buttons = [
        element("button", words, type="button", id=name)
        for words, name in (("Unfold all", "unfold"), ("Fold all", "fold"), ("Clear", "clear"))
    ]
    status = element("p", id="status", role="status")
    row = element("div", search, _grouping(blocks), element("div", *buttons, class_="buttons"), class_="row")
    return element(
        "form", row, element("div", *every, class_="row filters"), status, id="tools", role="search", hidden=True
    )


def _count(blocks: Iterable[Block], values: Callable[[Block], Iterable[str]]) -> Counter[str]:
    found = Counter[str]()
    for block in blocks:
        for value in values(block):
            found[value] += len(block.identities)
    return found


def _chips(title: str, name: str, counts: Mapping[str, int], words: Iterable[tuple[str, str]]) -> Markup:
    """A choice of several values; none chosen means all. Nothing where there is nothing to choose."""
    if len(counts) < 2:
        return Markup()
    chips = [
        element(
            "label",
            element("input", type="checkbox", name=name, value=value),
            element("span", word, class_="word"),
            _SPACE,
            element("span", f"{counts[value]:,}", class_="count"),
            class_="chip",
        )
        for value, word in words
        if value in counts
    ]
    return element("fieldset", element("legend", title), *chips)


def _grouping(blocks: Sequence[Block]) -> Markup:
    identities = [identity for block in blocks for identity in block.identities]
    choices = [
        ("risk", "Risk", True),
        ("department", "Department", any(each.department for each in identities)),
        ("file", "File", any(each.path for each in identities)),
        ("cause", "Cause", len({cause for block in blocks for cause in block.causes}) > 1),
    ]
    options = [element("option", words, value=value) for value, words, useful in choices if useful]
    return element("label", "Group by ", element("select", *options, id="grouping"), class_="grouping")


# --- what is not a change


def _panel(title: str, class_: str, entries: Iterable[Markup]) -> Markup:
    found = list(entries)
    if not found:
        return Markup()
    return element("section", element("h2", title), element("ul", *found), class_=f"panel {class_}")


def _remark(remark: Remark) -> Markup:
    count = len(remark.about.named) + remark.about.hidden
    lead = joined(_people(remark.about), ": ") if count == 1 else Markup()
    where = element("span", remark.place, class_="aside") if remark.place else ""
    rows = [
        element("p", lead, element("span", remark.text), _SPACE, where),
        element("p", f"{count:,} identities: ", _people(remark.about)) if count > 1 else "",
        element("p", remark.detail) if remark.detail else "",
        element("p", element("b", "Mend: "), remark.mend) if remark.mend else "",
    ]
    return element("li", *rows)


def _access(line: AccessLine) -> Markup:
    label = joined(" (", line.label, ")") if line.label else Markup()
    does = element("strong", line.does) if line.privileged else line.does
    return element("li", element("code", line.whom), label, _SPACE, does)


def _rule(rule: BrokenRule) -> Markup:
    rows = [
        element("p", element("b", rule.rule), ": ", rule.summary),
        element("p", _people(rule.items)) if rule.items.named else "",
        element("p", rule.mend) if rule.mend else "",
    ]
    if rule.acceptance:
        where = element("code", "acceptances.yaml")
        rows.append(element("p", "To accept exactly this, add to ", where, " in the same pull request:"))
        rows.append(element("pre", element("code", rule.acceptance)))
    return element("li", *rows)


def _people(people: People) -> Markup:
    pieces: list[str] = []
    for name in people.named:
        pieces += [", " if pieces else "", element("code", name)]
    return joined(*pieces, f" and {people.hidden:,} more" if people.hidden else "")
