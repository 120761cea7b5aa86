"""What text is written on: how wide it is, and the codes of its colours.

Colours are asked from rich once, as the bytes that switch them on and off; rows are put together by whoever writes
them, because rich takes a thousand times as long for a big plan.
"""

from collections.abc import Mapping
from functools import cache
from os import get_terminal_size
from typing import Final, TextIO

from msgspec import Struct

from reconciler.rendering.layout import cells, wrapped

PIPED_WIDTH: Final = 100
"""Columns where nobody's screen says how many there are."""
_WIDEST: Final = 160
_STYLES: Final = {
    "bold": "bold",
    "dim": "dim",
    "add": "green",
    "change": "yellow",
    "remove": "red",
    "gone": "bold red",
    "alarm": "bold yellow",
    "error": "bold red",
}
_PLAIN: Final = str.maketrans({"…": "...", "·": "*"})


class Paper(Struct, frozen=True):
    """What is written on: so many columns, and the codes that switch each style on and off."""

    width: int
    styles: Mapping[str, tuple[str, str]]

    @property
    def column(self) -> int:
        """Where the right column begins."""
        return min(self.width // 2 + 4, 64)

    def styled(self, text: str, style: str) -> str:
        """The text in a style of this paper; as it is on paper without colours."""
        on, off = self.styles.get(style, ("", ""))
        return f"{on}{text}{off}"

    def beside(self, left: str, used: int, aside: str, below: int) -> list[str]:
        """A row of `used` columns and, dim, something in the right column; below the row where it does not fit."""
        if not aside:
            return [left]
        column = max(used + 2, self.column)
        if column + cells(aside) <= self.width:
            return [f"{left}{' ' * (column - used)}{self.styled(aside, 'dim')}"]
        return [left, *self.paragraph(aside, below, "dim")]

    def paragraph(self, text: str, indent: int, style: str = "", first: str = "") -> list[str]:
        """Wrapped text; `first` stands before its first row, in the indent."""
        rows = [" " * indent + self.styled(each, style) for each in wrapped(text, self.width - indent)]
        return [first + rows[0][indent:], *rows[1:]] if first else rows


def paper(width: int, colour: bool) -> Paper:
    """Paper of at least 40 columns, with colours or without."""
    return Paper(max(width, 40), _codes() if colour else {})


def paper_for(stream: TextIO, environment: Mapping[str, str]) -> Paper:
    """Paper as wide as the terminal behind a stream, coloured if there is one and nobody objects.

    No colours in a file or a pipe, in CI, on a dumb terminal, or with NO_COLOR (https://no-color.org).
    """
    if not stream.isatty():
        return paper(PIPED_WIDTH, colour=False)
    plain = environment.get("NO_COLOR") or environment.get("CI") or environment.get("TERM") == "dumb"
    return paper(_terminal_width(stream), colour=not plain)


def write_text(stream: TextIO, text: str) -> None:
    """Write a text and end its line; what the stream's encoding cannot say is spelled out."""
    encoding = stream.encoding or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        text = text.translate(_PLAIN).encode(encoding, "backslashreplace").decode(encoding)
    stream.write(text + "\n")


@cache
def _codes() -> Mapping[str, tuple[str, str]]:
    """Each style as what is written before and after: rich renders it once around a mark."""
    # a log or a pipe has no colours, and is not kept waiting for rich
    from rich.style import Style

    found = {}
    for name, style in _STYLES.items():
        on, _, off = Style.parse(style).render("|").partition("|")
        found[name] = (on, off)
    return found


def _terminal_width(stream: TextIO) -> int:
    try:
        return min(get_terminal_size(stream.fileno()).columns or PIPED_WIDTH, _WIDEST)
    except OSError:
        return PIPED_WIDTH
