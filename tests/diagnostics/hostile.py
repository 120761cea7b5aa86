"""Text that somebody might write to harm whoever reads an output, and what must hold for every output."""

import re
import unicodedata

HOSTILE = {
    "colour": "a\x1b[31mred\x1b[0m",
    "link": "\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\",
    "clear the screen": "\x9b2J\x1bc",
    "override of direction": "a\u202egnp.exe",
    "isolates": "\u2066x\u2069y\u061c",
    "zero width": "pay\u200bpal\u200d\u2060x\ufeff\u00ad",
    "lines": "one\n::error::two\r\nthree",
    "return": "all is well\rno it is not",
    "odd lines": "a\u2028b\u2029c\x85d\x0be",
    "nothing": "nul\x00nul\x7f",
    "command": "::set-output name=x::y",
    "command of Azure": "x ##vso[task.setvariable variable=x]y",
    "encoded": "%0A::error::x%0D",
    "Markdown": "[x](javascript:1) `c` **b** @octocat #1 | x |\\",
    "fence": "```\n# heading\n~~~",
    "HTML": "<script>alert(1)</script><img src=x onerror=alert(1)> &lt;",
    "long": "x" * 10_000,
    "long and odd": "\u202e" * 10_000,
    "surrogates": "\ud800\udcff",
    "blanks": "Ann\u00a0Lee\u3000x \u2800",
    "tags": "x\U000e0041\U000e0001y",
    "quotes": "' \" }, {user: root} # x",
    "marks": "a" + "\u0323" * 40,
    "format": "{0} %s ${PATH} {{x}} \\u202e",
}
"""Each name says what its text would do."""

# GitHub looks for :: where a row begins, white space aside; Azure and older runners for ##…[ anywhere.
_COMMANDS = re.compile(r"^\s*::|##\w*\[", re.MULTILINE)


def is_visible(character: str) -> bool:
    """By the Unicode database, apart from what the code under test asks."""
    return character == " " or unicodedata.category(character)[0] not in "CZ"


def assert_harmless(text: str, longest: int | None = 2_000) -> None:
    """Nothing but visible characters in rows that are not too long, and no command to a CI system."""
    for row in text.split("\n"):
        assert all(map(is_visible, row)), ascii(row)[:400]
        assert not _COMMANDS.search(row), row[:400]
        assert longest is None or len(row) < longest, row[:400]
    text.encode()
