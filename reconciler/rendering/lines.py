"""The differences of one change as lines: from attribute changes to names, signs and shown values."""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from itertools import repeat
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from reconciler.model import Action, AttributeChange, Change, PatchOp, Value, without_case
from reconciler.rendering import wording
from reconciler.rendering.complexes import differing_members
from reconciler.rendering.naming import Names, attribute_name, attribute_rank, is_reference, person, shown, shown_pair
from reconciler.rendering.neutral import NAME_LIMIT, neutral
from reconciler.scim.paths import short_path


class Mark(StrEnum):
    """The sign before a line, as in Terraform; NONE where a line belongs to the one above."""

    ADD = "+"
    CHANGE = "~"
    REMOVE = "-"
    NONE = ""

    __hash__ = str.__hash__


_NOTHING: Final = "nothing"
_NAMED: Final = 5
"""How many members of a complex value are named."""
_MARKS: Final = {PatchOp.ADD: Mark.ADD, PatchOp.REPLACE: Mark.CHANGE, PatchOp.REMOVE: Mark.REMOVE}
_OPPOSITE: Final = {PatchOp.ADD: Mark.REMOVE, PatchOp.REPLACE: Mark.CHANGE, PatchOp.REMOVE: Mark.ADD}


class Line(Struct, frozen=True, kw_only=True):
    """One difference. A scalar has `before` and `after`, None where it is not said; a list value stands in `after`.

    `item`: the sign of a list value. `name` is empty for all but the first value of a list. `aside`: notes.
    """

    mark: Mark
    name: str
    item: Mark = Mark.NONE
    before: str | None = None
    after: str | None = None
    aside: str = ""


def change_lines(change: Change, names: Names, *, kept: bool, cause: bool, verbose: bool) -> tuple[Line, ...]:
    """What a change does, a line each. `kept`: say how many values stay; `cause`: say why a line is there."""
    new = Action.CREATE in change.actions
    via = verbose or (not new and wording.common_origin(change) is None)
    mark = Mark.ADD if new else Mark.CHANGE
    lines: list[Line] = []
    for path, some in _by_path(change, new):
        asides = [wording.notes(each, cause=cause, via=via) for each in some]
        if some[0].item is None:
            lines += map(_scalar, some, repeat(names), asides)
            continue
        of_list = _list_lines(some, names, mark, _MARKS, asides)
        lines += _with_kept(of_list, change.kept.get(short_path(path), 0) if kept else 0)
    return tuple(lines)


def drift_lines(change: Change, names: Names) -> tuple[Line, ...]:
    """What others did: each difference the other way round, from what is declared to what the server holds."""
    lines: list[Line] = []
    for _, some in _by_path(change, Action.CREATE in change.actions):
        asides = ["; ".join(("on the server", *(neutral(note) for note in each.notes))) for each in some]
        if some[0].item is not None:
            lines += _list_lines(some, names, Mark.CHANGE, _OPPOSITE, asides)
            continue
        for each, note in zip(some, asides, strict=True):
            note = _with_members(note, each.after, each.before)
            before, after = shown_pair(each.after, each.before, each.path, names)
            lines.append(
                Line(
                    mark=_OPPOSITE[each.op],
                    name=attribute_name(each.path),
                    before=_NOTHING if each.after is None else before,
                    after=_NOTHING if each.before is None else after,
                    aside=note,
                )
            )
    return tuple(lines)


def _by_path(change: Change, new: bool) -> Iterable[tuple[str, list[AttributeChange]]]:
    """The differences by attribute, in reading order: `active` first (but for somebody new), then as in the RFC."""
    found: dict[str, list[AttributeChange]] = {}
    for each in change.attribute_changes:
        found.setdefault(each.path, []).append(each)
    if len(found) == 1:
        return found.items()
    paths = sorted(found, key=attribute_rank)
    if not new and "active" in found:
        paths.remove("active")
        paths.insert(0, "active")
    return [(path, found[path]) for path in paths]


def _scalar(change: AttributeChange, names: Names, aside: str) -> Line:
    path, op = change.path, change.op
    if op is PatchOp.ADD and change.before is None:
        return Line(mark=Mark.ADD, name=attribute_name(path), after=shown(change.after, path, names), aside=aside)
    before, after = shown_pair(change.before, change.after, path, names)
    return Line(
        mark=_MARKS[op],
        name=attribute_name(path),
        before=None if op is PatchOp.ADD else before,
        after=None if op is PatchOp.REMOVE else after,
        aside=_with_members(aside, change.before, change.after),
    )


def _with_members(aside: str, before: Value, after: Value) -> str:
    """What is said of a difference, and the members in which two complex values differ."""
    members = differing_members(before, after)
    if not members:
        return aside
    more = [f"{len(members) - _NAMED:,} more"] if len(members) > _NAMED else []
    return "; ".join(filter(None, (aside, f"in it {', '.join(members[:_NAMED] + more)}")))


def _list_lines(
    changes: Sequence[AttributeChange], names: Names, mark: Mark, marks: Mapping[PatchOp, Mark], asides: Sequence[str]
) -> list[Line]:
    rows = [(marks[each.op], _item(each, names), aside) for each, aside in zip(changes, asides, strict=True)]
    if len(rows) > 1:
        rows.sort(key=lambda row: (row[0] is not Mark.REMOVE, without_case(row[1])))
    name = attribute_name(changes[0].path)
    lines = [Line(mark=mark, name=name, item=rows[0][0], after=rows[0][1], aside=rows[0][2])]
    nothing = Mark.NONE
    lines += [Line(mark=nothing, name="", item=item, after=text, aside=aside) for item, text, aside in rows[1:]]
    return lines


def _with_kept(lines: list[Line], count: int) -> list[Line]:
    if not count:
        return lines
    last = lines[-1]
    return [*lines[:-1], replace(last, aside="; ".join(filter(None, (last.aside, f"{count:,} unchanged"))))]


def _item(change: AttributeChange, names: Names) -> str:
    item = change.item or ""
    text = person(item, names) if is_reference(change.path) else neutral(item, NAME_LIMIT)
    level = change.before if change.op is PatchOp.REMOVE else change.after
    return text if level is None else f"{text} = {shown(level, change.path, names)}"
