"""A plan as Markdown, for the comment on a pull request and for the summary of a CI run.

First what a reviewer must not miss: broken safety rules, then who loses access, gets something privileged or comes
back. Then a line for each person and group, the differences folded away, and apart from them what other hands changed.

Everything in a `PlanView` is neutral already; `commonmark` makes words and code of it, and nothing is written past it.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum, auto
from typing import Final
from urllib.parse import quote

from msgspec import Struct

from reconciler.model import ResourceType
from reconciler.rendering.commonmark import code, fence, prose
from reconciler.rendering.differences import difference_rows
from reconciler.rendering.entries import ALARMING, access_entry, change_entry, drift_entry, remark_entry, rule_entry
from reconciler.rendering.folding import Risk
from reconciler.rendering.view import Block, PlanView, Stamp

COMMENT_LIMIT: Final = 65_536
"""Characters of a comment on GitHub; the longest text stays below."""
_RESERVE: Final = 1_500
"""Characters of headings, and of saying what was left out."""
_OPEN_LINES: Final = 25
"""So many lines of a list are seen at once, the others unfold."""
_TOGETHER: Final = 20
"""So many identities share a line where there is no room for a line each."""


class _Part(Enum):
    """Where something is read, from the top."""

    RULES = auto()
    ALARMS = auto()
    PEOPLE = auto()
    GROUPS = auto()
    EARLIER = auto()
    REFUSED = auto()
    ACCESS = auto()
    DETAILS = auto()
    DRIFT = auto()
    NOTES = auto()


_TITLES: Final = {
    _Part.PEOPLE: "People",
    _Part.GROUPS: "Groups",
    _Part.EARLIER: "Left from earlier merges, whatever becomes of this pull request",
    _Part.REFUSED: "Left as it is",
}


class _Item(Struct, frozen=True, kw_only=True):
    """Something that is shown whole or not at all; it tells of `amount` changes, rules or remarks.

    `vital`: without it nobody could see who loses access, or gets it back. `place`: where it stands in its part.
    """

    part: _Part
    text: str
    amount: int = 1
    vital: bool = False
    place: int = 0


def render_markdown(view: PlanView, stamp: Stamp, *, limit: int = COMMENT_LIMIT) -> str:
    """A whole plan as Markdown of fewer than `limit` characters, without a line end; 4,000 are the least that helps.

    It begins with ``<!-- reconciler:plan:TARGET -->``, by which the comment of an earlier run is found; all but
    letters, digits and ``_.-~`` is percent-encoded there. What does not fit is left out, whole and counted, in this
    order: notes, differences, drift, what is left as it is, then the changes from the least risky one. Who is deleted,
    deactivated or reactivated, gets something privileged or loses a role, a skill or a membership is named even then,
    many in a line.
    """
    head, foot = _head(view, stamp), _foot(view, stamp)
    room = limit - len(head) - len(foot) - _RESERVE
    blocks = [_block_item(each, place) for place, each in enumerate(view.blocks)]
    vital = [each for each in blocks if each.vital]
    # of equal risk: what tells of many, then groups, to which many belong
    rest = sorted(
        (each for each in blocks if not each.vital), key=lambda item: (item.amount == 1, item.part is _Part.PEOPLE)
    )
    kept, dropped = _fitting([*_rules(view), *vital, *_alarms(view), *rest, *_others(view)], room)
    if any(each.vital for each in dropped):
        kept, dropped = _fitting([*_rules(view), *_names_only(view), *_alarms(view), *rest, *_others(view)], room)
    return "\n\n".join([head, *_sections(view, kept, dropped), foot])


def _fitting(items: Sequence[_Item], room: int) -> tuple[Sequence[_Item], Sequence[_Item]]:
    """The first items, as many as there is room for, and the others."""
    count = 0
    for each in items:
        room -= len(each.text) + each.text.count("\n") * 2 + 4
        if room < 0:
            break
        count += 1
    return items[:count], items[count:]


# --- items, the most important first


def _rules(view: PlanView) -> list[_Item]:
    return [_Item(part=_Part.RULES, text=rule_entry(each)) for each in view.violations]


def _alarms(view: PlanView) -> list[_Item]:
    below = len(view.blocks)
    return [_Item(part=_Part.ALARMS, text=remark_entry(each), place=below) for each in view.warnings]


def _others(view: PlanView) -> Iterator[_Item]:
    """Everything but broken rules, warnings and changes."""
    yield from (_Item(part=_Part.REFUSED, text=remark_entry(each)) for each in view.refused)
    yield from (_Item(part=_Part.DRIFT, text=drift_entry(each), amount=len(each.identities)) for each in view.drift)
    yield from (_Item(part=_Part.ACCESS, text=access_entry(each)) for each in view.access_lines)
    for each in view.blocks:
        yield _Item(part=_Part.DETAILS, text="\n".join(difference_rows(each)), amount=len(each.identities))
    yield from (_Item(part=_Part.NOTES, text=remark_entry(each)) for each in view.notices)


def _block_item(block: Block, place: int) -> _Item:
    return _Item(
        part=_part_of(block),
        text=change_entry(block),
        amount=len(block.identities),
        vital=block.risk is not Risk.REST,
        place=place,
    )


def _names_only(view: PlanView) -> Iterator[_Item]:
    """Vital changes by address alone, those to which the same happens in one line."""
    found: dict[tuple[Risk, _Part, str], list[str]] = {}
    for each in view.blocks:
        if each.risk is not Risk.REST:
            names = found.setdefault((each.risk, _part_of(each), each.predicate), [])
            names.extend(identity.address for identity in each.identities)
    for (risk, part, predicate), names in found.items():
        loses = "loses something and " if risk is Risk.TAKES else ""
        for start in range(0, len(names), _TOGETHER):
            some = names[start : start + _TOGETHER]
            text = f"- **{loses}{predicate}:** {code(', '.join(some))}"
            yield _Item(part=part, text=text, amount=len(some), vital=True)


def _part_of(block: Block) -> _Part:
    if block.risk <= ALARMING:
        return _Part.ALARMS
    if block.earlier:
        return _Part.EARLIER
    return _Part.PEOPLE if block.resource_type is ResourceType.USER else _Part.GROUPS


# --- from the top


def _head(view: PlanView, stamp: Stamp) -> str:
    marker = f"<!-- reconciler:plan:{quote(stamp.target, safe='')} -->"
    title = f"## {_icon(view)} {code(stamp.target)}: {view.counts}"
    rows = [marker, title] if view.blocks else [marker, title, "", prose(view.summary)]
    said = [prose(each) for each in (view.divided, view.access) if each]
    return "\n".join([*rows, "", "\\\n".join(said)] if said else rows)


def _icon(view: PlanView) -> str:
    if view.violations:
        return "⛔"
    if view.warnings or any(each.risk is not Risk.REST for each in view.blocks):
        return "⚠️"
    if view.refused:
        return "❔"
    return "📝" if view.blocks else "✅"


def _sections(view: PlanView, kept: Sequence[_Item], dropped: Sequence[_Item]) -> Iterator[str]:
    texts: dict[_Part, list[str]] = {each: [] for each in _Part}
    for item in sorted(kept, key=lambda item: item.place):
        texts[item.part].append(item.text)
    if found := texts[_Part.RULES]:
        yield _alert("CAUTION", "Stopped by a safety rule, nothing will be done", found)
    if found := texts[_Part.ALARMS]:
        yield _alert("WARNING", "Look at these first", found)
    yield from _left_out(dropped, sum(len(each.identities) for each in view.blocks))
    for part, title in _TITLES.items():
        if found := texts[part]:
            yield f"### {title}"
            yield from _list(found)
    if found := texts[_Part.ACCESS]:
        yield _unfolding(f"Who gains and who loses access ({len(found):,})", _joined(found))
    if found := texts[_Part.DETAILS]:
        yield _unfolding("Every difference", fence("\n\n".join(found).split("\n"), "diff"))
    if found := texts[_Part.DRIFT]:
        count = sum(item.amount for item in kept if item.part is _Part.DRIFT)
        title = f"Changed on the server by other hands ({count:,}), not part of this plan"
        yield _unfolding(title, f"`apply --drift` puts it right.\n\n{_joined(found)}")
    if found := texts[_Part.NOTES]:
        yield _unfolding(f"Notes ({len(found):,})", _joined(found))


def _left_out(dropped: Sequence[_Item], total: int) -> Iterator[str]:
    """What there was no room for, in words and numbers."""
    if not dropped:
        return
    counts = Counter[_Part]()
    for each in dropped:
        counts[each.part] += each.amount
    vital = sum(each.amount for each in dropped if each.vital)
    changes = sum(counts[each] for each in (_Part.PEOPLE, _Part.GROUPS, _Part.EARLIER)) + sum(
        each.amount for each in dropped if each.vital and each.part is _Part.ALARMS
    )
    alarms = sum(1 for each in dropped if not each.vital and each.part is _Part.ALARMS)
    words = [
        (counts[_Part.RULES], "broken safety rules"),
        (changes, f"of {total:,} changes{'' if vital else ', the least risky ones'}"),
        (alarms, "warnings"),
        (counts[_Part.ACCESS], "people under who gains and who loses access"),
        (counts[_Part.DETAILS], "lists of differences"),
        (counts[_Part.REFUSED], "identities that are left as they are"),
        (counts[_Part.DRIFT], "changes by other hands"),
        (counts[_Part.NOTES], "notes"),
    ]
    said = "; ".join(f"{count:,} {what}" for count, what in words if count)
    yield f"**Left out, because a comment has no room for it:** {said}. `reconciler plan` shows everything."
    if vital:
        yield f"**{vital:,} of those take access away or give it back. Read the whole plan before you approve it.**"


def _foot(view: PlanView, stamp: Stamp) -> str:
    merge = " ".join(filter(None, (stamp.at_merge, view.requests)))
    marks = [f"commit {code(stamp.commit)}" if stamp.commit else "", prose(stamp.tool)]
    if view.blocks:
        marks.insert(1, f"plan {code(stamp.digest)}")
    merge += "\n\n" if merge else ""
    return f"---\n{merge}<sub>{' · '.join(filter(None, marks))}</sub>"


def _alert(kind: str, title: str, items: Iterable[str]) -> str:
    rows = [f"[!{kind}]", f"**{title}.**", "", *"\n".join(items).split("\n")]
    return "\n".join(f"> {row}".rstrip() for row in rows)


def _list(lines: Sequence[str]) -> Iterator[str]:
    """Lines of a list; many of them are folded away."""
    if len(lines) <= _OPEN_LINES + 3:
        yield _joined(lines)
        return
    yield _joined(lines[:_OPEN_LINES])
    yield _unfolding(f"{len(lines) - _OPEN_LINES:,} more lines", _joined(lines[_OPEN_LINES:]))


def _joined(lines: Iterable[str]) -> str:
    return "\n".join(lines)


def _unfolding(title: str, body: str) -> str:
    """Something to unfold. The empty line is what makes Markdown of the body; the title is never untrusted."""
    return f"<details>\n<summary>{title}</summary>\n\n{body}\n\n</details>"
