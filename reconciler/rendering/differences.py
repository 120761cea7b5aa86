"""The differences of a block for Markdown: as rows that every service colours as a diff, and as a few words.

What comes out is code, for a fence or a code span. A row of a diff begins with a sign of ours, never with what others
wrote.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from reconciler.rendering.layout import cells, listed, padded
from reconciler.rendering.lines import Line, Mark
from reconciler.rendering.view import Block

_GIST: Final = 140
"""Characters of differences in a few words; where there are more, the attributes are named."""
_LONGEST_GIST: Final = 1_000
_NAMED: Final = 6
"""So many attributes are named in a few words."""
_NAME_COLUMNS: Final = 24


def difference_rows(block: Block) -> list[str]:
    """A block as rows of a unified diff: whom it concerns as the heading of a hunk, then what goes and what comes."""
    columns = max((width for line in block.lines if (width := cells(line.name)) <= _NAME_COLUMNS), default=0)
    rows = [f"@@ {block.subject} {block.predicate} @@{f' {block.aside}' if block.aside else ''}"]
    rows += [f"  {each}" for each in block.notes]
    for line, name in _named(block.lines):
        rows += _rows(line, padded(name, columns))
    if block.people.named:
        rows.append(f"  {listed(block.people, f' and {block.people.hidden:,} more')}")
    return rows


def gist(lines: Sequence[Line], *, unless_longer: bool = False) -> list[str]:
    """Each difference in a few words: ``title = "Agent" -> "Lead"``, ``roles - Supervisor``.

    Where that is too much, with `unless_longer` sooner, only the names of the attributes. That somebody's `active`
    changes is not said: it is what happens to her.
    """
    told = [(line, name) for line, name in _named(lines) if name != "active"]
    said = [_words(line, name) for line, name in told]
    if sum(map(len, said)) <= (_GIST if unless_longer else _LONGEST_GIST):
        return said
    names = list(dict.fromkeys(name for _, name in told))
    more = [f"… {len(names) - _NAMED:,} more"] if len(names) > _NAMED else []
    return names[:_NAMED] + more


def _named(lines: Sequence[Line]) -> Iterator[tuple[Line, str]]:
    """Each line with the name of its attribute, which only the first value of a list has."""
    name = ""
    for line in lines:
        name = line.name or name
        yield line, name


def _rows(line: Line, name: str) -> list[str]:
    aside = f"  ({line.aside})" if line.aside else ""
    if line.item:
        return [f"{_sign(line.item)} {name}   {line.after or ''}{aside}"]
    values = [(Mark.REMOVE, line.before), (Mark.ADD, line.after)]
    rows = [f"{_sign(mark)} {name} = {value}" for mark, value in values if value is not None]
    return [*rows[:-1], rows[-1] + aside] if rows else []


def _sign(mark: Mark) -> str:
    return "!" if mark is Mark.CHANGE else mark


def _words(line: Line, name: str) -> str:
    aside = f" ({line.aside})" if line.aside else ""
    if line.item:
        return f"{name} {line.item} {line.after or ''}{aside}"
    if line.before is None or line.after is None:
        return f"{line.mark} {name} = {line.before or line.after or ''}{aside}"
    return f"{name} = {line.before} -> {line.after}{aside}"
