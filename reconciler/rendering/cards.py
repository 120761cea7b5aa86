"""The blocks of a plan as HTML: a card for each, which unfolds, with what it looks like before and after."""

from collections.abc import Iterator, Sequence
from typing import Final

from reconciler.rendering.lines import Line, Mark
from reconciler.rendering.markup import Markup, element, joined
from reconciler.rendering.view import Block, Identity
from reconciler.rendering.wording import EARLIER

_KINDS: Final = {Mark.ADD: "add", Mark.REMOVE: "remove", Mark.CHANGE: "change", Mark.NONE: "keep"}
_SPOKEN: Final = {Mark.ADD: "added", Mark.REMOVE: "removed", Mark.CHANGE: "changed", Mark.NONE: ""}
_MEMBERS: Final = "members"
_SPACE: Final = " "


def card(block: Block) -> Markup:
    """One block. Its ``data-`` attributes and those of the identities in it are what the page filters and groups by."""
    first = block.identities[0]
    single = len(block.identities) == 1
    body = list(_body(block))
    aside = "; ".join(filter(None, (EARLIER if block.earlier else "", block.aside)))
    return element(
        "details",
        element("summary", _heading(block), element("span", aside, class_="aside") if aside else ""),
        element("div", *body, class_="body") if body else "",
        class_=f"card {_KINDS[block.mark]}",
        open=True,
        data_type=block.resource_type,
        data_actions=_SPACE.join(block.actions),
        data_causes=_SPACE.join(block.causes),
        data_department=single and first.department,
        data_file=single and first.path,
    )


def spoken(text: str) -> Markup:
    """Words that are heard but not seen."""
    return element("span", text, class_="spoken")


def _heading(block: Block) -> Markup:
    if len(block.identities) == 1:
        whom = joined(element("code", block.subject, class_="who"), _label(block.identities[0]))
    else:
        count, _, kind = block.subject.partition(" ")
        whom = element("span", element("span", count, class_="tally"), _SPACE, kind, class_="who")
    predicate = block.predicate or "was changed on the server"
    return element("h3", whom, _SPACE, element("span", predicate, class_="predicate"))


def _label(identity: Identity) -> Markup:
    return joined(_SPACE, element("span", identity.label, class_="label")) if identity.label else Markup()


def _body(block: Block) -> Iterator[Markup]:
    yield from (element("p", each, class_="note") for each in block.notes)
    if block.lines:
        yield element("dl", *_differences(block.lines))
    if len(block.identities) > 1:
        yield element("ul", *map(_one_of_many, block.identities), class_="people", aria_label="Whom this concerns")


def _one_of_many(identity: Identity) -> Markup:
    key = identity.address.partition(".")[2]
    return element(
        "li",
        element("code", key),
        _label(identity),
        title=identity.place,
        data_department=identity.department,
        data_file=identity.path,
    )


def _differences(lines: Sequence[Line]) -> Iterator[Markup]:
    """An entry for each attribute; the values of a list, of which only the first says the name, stand together."""
    runs: list[list[Line]] = []
    for line in lines:
        if line.name or not runs:
            runs.append([])
        runs[-1].append(line)
    for run in runs:
        first = run[0]
        if not first.item:
            value = _scalar(first)
        elif first.name == _MEMBERS:
            value = _comings_and_goings(run)
        else:
            value = element("ul", *map(_item, run), class_="items")
        yield element("div", element("dt", first.name), element("dd", value), class_=f"line {_KINDS[first.mark]}")


def _scalar(line: Line) -> Markup:
    before = element("del", spoken("before "), line.before) if line.before is not None else ""
    after = element("ins", spoken("after "), line.after) if line.after is not None else ""
    arrow = element("span", " \u2192 ", class_="arrow", aria_hidden="true") if before and after else ""
    return joined(before, arrow, after, _aside(line))


def _item(line: Line) -> Markup:
    return element(
        "li",
        element("span", line.item, class_="sign", aria_hidden="true"),
        spoken(f"{_SPOKEN[line.item]} "),
        element("span", line.after or "", class_="value"),
        _aside(line),
        class_=_KINDS[line.item],
    )


def _comings_and_goings(run: Sequence[Line]) -> Markup:
    """The members of a group: who goes and who comes, side by side."""
    sides = []
    for title, mark in (("Go", Mark.REMOVE), ("Come", Mark.ADD)):
        found = [line for line in run if line.item is mark]
        if found:
            heading = element(
                "p", title, _SPACE, element("span", f"{len(found):,}", class_="count"), class_="side-title"
            )
            sides.append(element("div", heading, element("ul", *map(_item, found), class_="items"), class_="side"))
    return element("div", *sides, class_="sides")


def _aside(line: Line) -> Markup:
    return joined(_SPACE, element("span", f"({line.aside})", class_="aside")) if line.aside else Markup()
