"""What is wrong with the text of a YAML file, in words that help whoever wrote it.

Takes the parser's complaint, or the text itself, and says what stands where. Never repeats the parser's own sentences,
and never quotes a value: a secret may stand there.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from msgspec import Struct

from reconciler.lazy import pattern

_CONTROL: Final = pattern("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff]")
_UNREADABLE: Final = pattern("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_ODD_BREAKS: Final = "\x85\u2028\u2029"
_PERHAPS_GLUED: Final = pattern(r"#(?<=[ \t]#)(?=[^\s#])")
"""Asked of whole files: it looks for # first, which is rare, and not for blanks, which are everywhere."""
_GLUED: Final = pattern(r"(?<![ \t])[ \t]+#(?=[^\s#])[^\r\n]*")
_LEADING_TAB: Final = pattern(r"^ *\t[ \t]*(?=[^\s#])", re.MULTILINE)


class Trouble(Struct, frozen=True):
    """One problem; `line` and `column` count from 1."""

    code: str
    summary: str
    why: str = ""
    mend: str = ""
    line: int = 1
    column: int = 1

    @classmethod
    def glued(cls, line: int, column: int) -> "Trouble":
        """A comment that may have been meant as part of the value before it."""
        return cls(
            "glued-comment",
            "a comment is glued to this value: what follows # would vanish",
            "YAML takes a # after a space as the beginning of a comment.",
            "put the value in quotes if # belongs to it, or write a space after #",
            line,
            column,
        )


def unprintable(text: str) -> bool:
    """Whether a text holds control characters other than tab and line breaks."""
    return _CONTROL.search(text) is not None


def not_utf8(data: bytes, error: UnicodeDecodeError) -> Trouble:
    """Where the first byte stands that is not UTF-8."""
    before = data[: error.start]
    line_start = before.rfind(b"\n") + 1
    wide = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    return Trouble(
        "not-utf-8",
        "the file is UTF-16, not UTF-8" if wide else f"the byte 0x{data[error.start]:02x} is not UTF-8",
        "Read in another encoding, names would come out wrong.",
        "save the file as UTF-8",
        before.count(b"\n") + 1,
        len(before[line_start:].decode("utf-8", "replace")) + 1,
    )


def odd_break(text: str) -> Trouble | None:
    """The first line break of YAML 1.1 that editors do not show as one: it would come out as another character."""
    found = min((text.find(each) for each in _ODD_BREAKS if each in text), default=None)
    return None if found is None else _forbidden(text, found)


def close_look(text: str, scalars: Callable[[str], Iterator[tuple[str, bool, Any, Any]]]) -> list[Trouble]:
    """Glued comments and tabs in indentation, which the parser passes over or trips over elsewhere.

    `scalars` gives style, emptiness, start and end of every scalar; asked only if the text looks suspicious.
    """
    tabs = list(_LEADING_TAB.finditer(text)) if "\t" in text else []
    if not tabs and not _PERHAPS_GLUED.search(text):
        return []
    found: list[Trouble] = []
    inside: set[int] = set()
    for style, empty, start, end in scalars(text):
        if style:
            inside.update(range(start.line + 1, end.line + 1))
        elif not empty and _GLUED.match(text, end.index):
            found.append(Trouble.glued(start.line + 1, start.column + 1))
    return found + _tabs(text, tabs, inside)


def _tabs(text: str, tabs: list[re.Match[str]], inside: set[int]) -> list[Trouble]:
    """The first tab of the file that is no part of a text, with how many lines have one."""
    line, counted, found = 0, 0, []
    for each in tabs:
        line += text.count("\n", counted, each.start())
        counted = each.start()
        if line not in inside:
            found.append(each)
    return [_tab(text, found[0].end(), len(found))] if found else []


def syntax_trouble(text: str, error: Any) -> Trouble:
    """The parser's complaint in our words, with the place where a person should look."""
    mark, context = getattr(error, "problem_mark", None), getattr(error, "context_mark", None)
    if mark is None:
        return _unreadable(text)
    problem, where = str(error.problem or ""), str(error.context or "")
    character = _character(text, mark)
    conflict = _CONFLICT.search(text)
    if conflict is not None:
        return _conflict(text, conflict)
    slip = _slip(text, problem, where, mark, context)
    if slip is not None:
        return slip
    if "tab character" in problem or (character == "\t" and "cannot start" in problem):
        return _tab(text, _index(text, mark.line, mark.column) + 1)
    for needle, build in _SENTENCES:
        if needle in problem or needle in where:
            code, summary, mend, at_context = build(character)
            place = context if at_context and context is not None else mark
            return Trouble(code, summary, _REST, mend, place.line + 1, place.column + 1)
    return Trouble("yaml-syntax", "this is not valid YAML", _REST, _LOOK, mark.line + 1, mark.column + 1)


_REST: Final = "What follows in this file is not read, so it is not checked either."
_LOOK: Final = "look at the indentation, colons, brackets and quotes of this line and the one before"
_CONFLICT: Final = pattern(r"^(?:<{7}|>{7}) ", re.MULTILINE)
_KEY: Final = pattern(r"[ ]*(?:- )*([\w.@+-]+):")
_CLOSE_COLON: Final = pattern(r"[\w.@+-]+:(?=\S)")
_Sentence = tuple[str, str, str, bool]


def _conflict(text: str, found: re.Match[str]) -> Trouble:
    summary = "git left a merge conflict in this file"
    mend = "keep the lines that are right, and take out those that begin with <<<<<<<, ======= and >>>>>>>"
    return Trouble("yaml-syntax", summary, _REST, mend, text.count("\n", 0, found.start()) + 1, 1)


def _slip(text: str, problem: str, where: str, mark: Any, context: Any) -> Trouble | None:
    """What the line itself tells about some frequent slips, where the parser only says what it waited for."""
    line = _line(text, mark.line)
    if "mapping values are not allowed" in problem:
        key = _KEY.match(line)
        if key is not None and key.end() == mark.column + 1:
            summary = f"{key[1]} is indented deeper than the key before it, so it reads as part of its value"
            return _at(mark.line, key.start(1), summary, "indent keys of one mapping alike")
    elif "could not find expected ':'" in problem and context is not None:
        rest = _line(text, context.line)[context.column :]
        close = _CLOSE_COLON.match(rest)
        if close is not None:
            return _at(context.line, context.column + close.end(), "a space is missing after this colon", "write it")
        return _at(context.line, context.column, "this key has no colon and no value", "write them, or take it out")
    elif "expected ',' or" in problem and context is not None and context.line == mark.line:
        closing = "}" if "mapping" in where else "]"
        summary = f"a comma or {closing} is missing before this"
        mend = "put a value in quotes if a colon, comma or bracket belongs to it"
        return _at(mark.line, mark.column, summary, mend)
    elif "did not find expected key" in problem and line[mark.column : mark.column + 2] == "- ":
        summary = "a list item stands among keys"
        return _at(mark.line, mark.column, summary, "write the key of the list above it, and the items below that key")
    return None


def _at(line: int, column: int, summary: str, mend: str) -> Trouble:
    """A syntax problem; line and column count from 0."""
    return Trouble("yaml-syntax", summary, _REST, mend, line + 1, column + 1)


def _line(text: str, number: int) -> str:
    """One line by its number, from 0."""
    start = _index(text, number, 0)
    return text[start:].split("\n", 1)[0]


def _mapping_values(_: str) -> _Sentence:
    summary = "a colon stands where no key can be"
    return "yaml-syntax", summary, "put the value in quotes if the colon belongs to it, or mend the indentation", False


def _end_of_quotes(_: str) -> _Sentence:
    return "yaml-syntax", "the quotation mark opened here is not closed", "close it at the end of the value", True


def _escape(_: str) -> _Sentence:
    summary = "a backslash in double quotes begins an escape that does not exist"
    return "yaml-syntax", summary, "use single quotes, or write the backslash twice", False


def _flow_list(_: str) -> _Sentence:
    return "yaml-syntax", "the list opened here with [ is not closed", "write ] at its end, and , between items", True


def _flow_mapping(_: str) -> _Sentence:
    return "yaml-syntax", "the mapping opened here with { is not closed", "write } at its end, and , between keys", True


def _cannot_start(character: str) -> _Sentence:
    return "yaml-syntax", f"a value cannot begin with {character}", "put the value in quotes", False


def _anchor_name(_: str) -> _Sentence:
    return "yaml-syntax", "a value that begins with & or * needs quotes", "put the value in quotes", True


def _key_expected(_: str) -> _Sentence:
    summary = "a key with a colon is missing here, or the line is indented wrongly"
    return "yaml-syntax", summary, "indent keys of one mapping alike, and write a colon and a space after each", False


def _dash_expected(_: str) -> _Sentence:
    return "yaml-syntax", "a dash is missing here, or the line is indented wrongly", _LOOK, False


def _no_list_here(_: str) -> _Sentence:
    summary = "a list cannot begin in this place"
    return "yaml-syntax", summary, "begin the list on the next line; put a text that begins with - in quotes", False


def _tag_broken(_: str) -> _Sentence:
    return "tag", "a YAML tag (!) stands here", "take the tag out; put a text that begins with ! in quotes", True


def _directive(_: str) -> _Sentence:
    return "yaml-syntax", "a line with % at its beginning cannot be understood", "take it out", False


def _block_indent(_: str) -> _Sentence:
    return "yaml-syntax", "the text block after | or > cannot be understood", _LOOK, False


def _nesting(_: str) -> _Sentence:
    return "too-deep", "brackets are nested too deep", "look for a bracket that is not closed", False


_SENTENCES: Final[tuple[tuple[str, Callable[[str], _Sentence]], ...]] = (
    ("nesting depth", _nesting),
    ("mapping values are not allowed", _mapping_values),
    ("scanning a quoted scalar", _end_of_quotes),
    ("parsing a quoted scalar", _escape),
    ("scanning a double-quoted scalar", _escape),
    ("parsing a flow sequence", _flow_list),
    ("parsing a flow mapping", _flow_mapping),
    ("cannot start any token", _cannot_start),
    ("scanning an alias", _anchor_name),
    ("scanning an anchor", _anchor_name),
    ("tag", _tag_broken),
    ("directive", _directive),
    ("incompatible YAML document", _directive),
    ("scanning a block scalar", _block_indent),
    ("could not find expected ':'", _key_expected),
    ("did not find expected key", _key_expected),
    ("parsing a block mapping", _key_expected),
    ("expected '-' indicator", _dash_expected),
    ("parsing a block collection", _dash_expected),
    ("block sequence entries", _no_list_here),
)


def _tab(text: str, index: int, lines: int = 1) -> Trouble:
    start = text.rfind("\n", 0, index) + 1
    return Trouble(
        "tab-indentation",
        "a tab stands in the indentation" + (f", here and in {_more_lines(lines - 1)}" if lines > 1 else ""),
        "How wide a tab is depends on the editor; YAML does not allow it.",
        "use spaces",
        text.count("\n", 0, index) + 1,
        text.index("\t", start) - start + 1,
    )


def _unreadable(text: str) -> Trouble:
    found = _UNREADABLE.search(text)
    return _forbidden(text, found.start() if found else 0)


def _forbidden(text: str, index: int) -> Trouble:
    start = text.rfind("\n", 0, index) + 1
    return Trouble(
        "control-character",
        f"the character U+{ord(text[index : index + 1] or chr(0)):04X} may not stand in these files",
        "It would disturb logs and terminals, and no directory keeps it.",
        "take it out",
        text.count("\n", 0, index) + 1,
        index - start + 1,
    )


def _character(text: str, mark: Any) -> str:
    index = _index(text, mark.line, mark.column)
    return text[index : index + 1]


def _index(text: str, line: int, column: int) -> int:
    start = 0
    for _ in range(line):
        start = text.find("\n", start) + 1
    return start + column


def _more_lines(count: int) -> str:
    return "1 more line" if count == 1 else f"{count:,} more lines"
