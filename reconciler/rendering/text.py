"""A plan as text for a terminal or a log. Everything in a `PlanView` is neutral already."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Final

from reconciler.rendering.layout import cells, listed, padded
from reconciler.rendering.lines import Line, Mark
from reconciler.rendering.paper import Paper, paper
from reconciler.rendering.view import Block, BrokenRule, PlanView, Remark
from reconciler.rendering.wording import EARLIER_TITLE, HERE_TITLE

_NAME_COLUMNS: Final = (12, 24)
"""Names of attributes are filled up to the first, and lined up to the second."""
_SUBJECT_COLUMNS: Final = 28
_LEAST_VALUE: Final = 24
_MARK_STYLES: Final = {Mark.ADD: "add", Mark.CHANGE: "change", Mark.REMOVE: "remove"}


def render_text(view: PlanView, *, width: int, colour: bool) -> str:
    """A whole plan as text of at most `width` columns, without a line end after the last line."""
    on = paper(width, colour)
    sections = [
        on.paragraph(view.header, 0, "bold") if view.header else [],
        remark_rows("Look at these first:", view.warnings, "!", "alarm", on),
        *_divided(view, on),
        _drift(view, on),
        remark_rows("Left as it is:", view.refused, "#", "alarm", on),
        remark_rows("Notes:", view.notices, "·", "dim", on),
        _broken_rules(view.violations, on),
        _summary(view, on),
    ]
    return "\n\n".join(["\n".join(each) for each in sections if each])


def render_blocks(title: str, blocks: Sequence[Block], *, width: int, colour: bool) -> str:
    """Some blocks of a plan under a title; empty if there are none."""
    on = paper(width, colour)
    rows = [on.paragraph(title, 0, "bold"), *(_block(each, on) for each in blocks)]
    return "\n\n".join(["\n".join(each) for each in rows]) if blocks else ""


# --- blocks


def _divided(view: PlanView, on: Paper) -> list[list[str]]:
    """The blocks; where somebody asked, under what they come from."""
    if not view.divided:
        return [_block(each, on) for each in view.blocks]
    sides = (
        (HERE_TITLE, [each for each in view.blocks if not each.earlier]),
        (EARLIER_TITLE, [each for each in view.blocks if each.earlier]),
    )
    return [
        rows
        for title, blocks in sides
        if blocks
        for rows in ([on.styled(title, "bold")], *(_block(each, on) for each in blocks))
    ]


def _block(block: Block, on: Paper) -> list[str]:
    rows = _heading(block, on)
    rows += [row for note in block.notes for row in on.paragraph(note, 4, "dim")]
    people = listed(block.people)
    signs = _signs(bool(on.styles))
    named = [cells(each.name) for each in block.lines]
    columns = _name_columns(named)
    last = block.lines[-1] if block.lines else None
    for line, taken in zip(block.lines, named, strict=True):
        aside = f"({line.aside})" if line.aside else ""
        if line is last and not aside:
            aside, people = people, ""
        rows += _line(line, taken, columns, aside, signs, on)
    return rows + (on.paragraph(people, 4, "dim") if people else [])


@cache
def _signs(colour: bool) -> Mapping[Mark, str]:
    """The signs before lines, each in its style."""
    on = paper(0, colour)
    return {mark: on.styled(mark, style) for mark, style in _MARK_STYLES.items()}


def _heading(block: Block, on: Paper) -> list[str]:
    text = f"{block.subject} {block.predicate}"
    used = 4 + cells(text)
    if used > on.width:
        rows = on.paragraph(text, 4, "bold", first=on.styled("  # ", "bold"))
        return rows + (on.paragraph(block.aside, 4, "dim") if block.aside else [])
    style = "gone" if block.mark is Mark.REMOVE else "bold"
    left = f"  {on.styled(f'# {block.subject}', 'bold')} {on.styled(block.predicate, style)}"
    return on.beside(left, used, block.aside, 4)


def _name_columns(named: Sequence[int]) -> int:
    """How many columns the names of a block get that take so many."""
    least, most = _NAME_COLUMNS
    return max([least, *[each for each in named if each <= most]])


def _line(line: Line, named: int, columns: int, aside: str, signs: Mapping[Mark, str], on: Paper) -> list[str]:
    """The rows of a line whose name takes `named` columns, in a block where names get `columns`; `signs`: styled."""
    lead = f"  {signs.get(line.mark, ' ')} {line.name}{' ' * (columns - named)} "
    column = 5 + max(columns, named)
    sign = signs.get(line.item, "=")
    value, taken = _value(line, on)
    used = column + 2 + taken
    if used <= on.width:
        row = f"{lead}{sign} {value}"
        return on.beside(row, used, aside, column + 2) if aside else [row]
    if on.width - column < _LEAST_VALUE:
        rows, lead, column = [lead.rstrip()], " " * 6, 6
    else:
        rows = []
    rows += _long_value(line, lead, sign, column, on)
    return rows + (on.paragraph(aside, column + 2, "dim") if aside else [])


def _value(line: Line, on: Paper | None) -> tuple[str, int]:
    """A value, or two with the arrow between them, and how many columns that takes."""
    before, after = line.before, line.after
    if before is None or after is None:
        value = before or after or ""
        return value, cells(value)
    arrow = on.styled("->", "change") if on else "->"
    return f"{before} {arrow} {after}", cells(before) + len(" -> ") + cells(after)


def _long_value(line: Line, lead: str, sign: str, column: int, on: Paper) -> list[str]:
    """The values of a line that is too long for one row, one below the other, their beginnings lined up."""
    rows: list[str] = []
    before, after = line.before, line.after
    if before is not None:
        rows += on.paragraph(before, column + 2, first=f"{lead}{sign} ")
        lead, sign = " " * (column - 1), on.styled("->", "change")
    if after is not None:
        rows += on.paragraph(after, column + 2, first=f"{lead}{sign} ")
    return rows


# --- what is not a change


def _drift(view: PlanView, on: Paper) -> list[str]:
    if not view.drift:
        return []
    widest = max(cells(each.subject) for each in view.drift)
    columns = min(widest, _SUBJECT_COLUMNS)
    rows = on.paragraph(view.drift_header, 0, "bold")
    for each in view.drift:
        rows += _drift_block(each, columns, on)
    return rows


def _drift_block(block: Block, columns: int, on: Paper) -> list[str]:
    found = [block.predicate] if block.predicate else []
    name = ""
    for line in block.lines:
        name = line.name or name
        sign = line.item or "="
        found.append(f"{name} {sign} {_value(line, None)[0]} {line.aside}")
    subject = f"  # {padded(block.subject, columns)}   "
    indent = cells(subject)
    extra = [*block.notes, *([listed(block.people)] if block.people.named else [])]
    if any(indent + cells(each) > on.width for each in found):
        rows, subject, indent = [f"  # {block.subject}"], " " * 6, 6
    else:
        rows = []
    for each in found:
        rows += on.paragraph(each, indent, first=subject)
        subject = " " * indent
    return rows + [row for each in extra for row in on.paragraph(each, indent, "dim")]


def remark_rows(title: str, remarks: Sequence[Remark], sign: str, style: str, on: Paper) -> list[str]:
    """A title and remarks under it, each behind a sign in a style; nothing if there are none."""
    if not remarks:
        return []
    return [on.styled(title, "bold"), *(row for each in remarks for row in _remark(each, sign, style, on))]


def _remark(remark: Remark, sign: str, style: str, on: Paper) -> list[str]:
    about = listed(remark.about)
    count = len(remark.about.named) + remark.about.hidden
    if count > 1:
        about = f"{count:,} identities: {about}"
    text = ": ".join(filter(None, (about, remark.text))) if count == 1 else remark.text or about
    lead = f"  {on.styled(sign, style)} "
    if 4 + cells(text) <= on.width:
        rows = on.beside(lead + text, 4 + cells(text), remark.place, 4)
    else:
        rows = [*on.paragraph(text, 4, first=lead), *(on.paragraph(remark.place, 4, "dim") if remark.place else [])]
    more = [about if count > 1 and remark.text else "", remark.detail, f"mend: {remark.mend}" if remark.mend else ""]
    return rows + [row for each in more if each for row in on.paragraph(each, 4)]


def _broken_rules(rules: tuple[BrokenRule, ...], on: Paper) -> list[str]:
    if not rules:
        return []
    title = "Stopped by a safety rule, nothing will be done:"
    if len(rules) > 1:
        title = f"Stopped by {len(rules)} safety rules, nothing will be done:"
    return [on.styled(title, "error"), *(row for each in rules for row in _broken_rule(each, on))]


def _broken_rule(rule: BrokenRule, on: Paper) -> list[str]:
    rows = on.paragraph(f"{rule.rule}: {rule.summary}", 4, "bold", first=f"  {on.styled('!', 'error')} ")
    rows += on.paragraph(listed(rule.items), 4) if rule.items.named else []
    rows += on.paragraph(rule.mend, 4) if rule.mend else []
    if rule.acceptance:
        rows += on.paragraph("To accept exactly this, add to acceptances.yaml in the same pull request:", 4)
        rows += [f"      {rule.acceptance}"]
    return rows


def _summary(view: PlanView, on: Paper) -> list[str]:
    rows = on.paragraph(view.summary, 0, "bold")
    rows += on.paragraph(view.divided, 0) if view.divided else []
    rows += on.paragraph(view.access, 0) if view.access else []
    for each in view.access_lines[: view.access_open]:
        whom = f"{each.whom} ({each.label})" if each.label else each.whom
        sign = on.styled("!", "alarm") if each.privileged else "·"
        rows += on.paragraph(f"{whom} {each.does}", 4, first=f"  {sign} ")
    if hidden := sum(1 for each in view.access_lines[view.access_open :] if each.privileged):
        rows += on.paragraph(f"and {hidden:,} more with something privileged", 4)
    return rows + (on.paragraph(view.requests, 0) if view.requests else [])
