"""Filter expressions of RFC 7644 section 3.4.2.2: text in, a tree out.

Only the grammar lives here; what the names mean is looked up in `predicates`. Written from the RFC's ABNF and shared
with nobody, so that a client that builds a wrong filter is found out.
"""

from __future__ import annotations

import re
from enum import StrEnum

import orjson
from msgspec import Struct

from reconciler.sandbox.errors import ScimError, ScimType

Operand = str | int | float | bool | None


class Bare(str):
    """An operand without quotes, as some providers take them; its attribute decides whether it is text."""

    __slots__ = ()


class Operator(StrEnum):
    """Comparison operators; `pr` is a node of its own."""

    EQ = "eq"
    NE = "ne"
    CO = "co"
    SW = "sw"
    EW = "ew"
    GT = "gt"
    GE = "ge"
    LT = "lt"
    LE = "le"


class Comparison(Struct, frozen=True, kw_only=True):
    """`path operator operand`."""

    path: str
    operator: Operator
    operand: Operand


class Present(Struct, frozen=True, kw_only=True):
    """`path pr`."""

    path: str


class ValuePath(Struct, frozen=True, kw_only=True):
    """`path[inner]`: some value of a multi-valued attribute matches the inner filter."""

    path: str
    inner: Filter


class Not(Struct, frozen=True, kw_only=True):
    """`not (inner)`."""

    inner: Filter


class And(Struct, frozen=True, kw_only=True):
    """Two or more terms that must all match."""

    terms: tuple[Filter, ...]


class Or(Struct, frozen=True, kw_only=True):
    """Two or more terms of which one must match."""

    terms: tuple[Filter, ...]


Filter = Comparison | Present | ValuePath | Not | And | Or

_TOKEN = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[()\[\]]|[^\s()\[\]"]+)', re.DOTALL)
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_PATH = re.compile(r"(?:urn:[A-Za-z0-9_:.$-]+|[A-Za-z$][A-Za-z0-9_$-]*(?:\.[A-Za-z$][A-Za-z0-9_$-]*)?)", re.IGNORECASE)
_WORDS: dict[str, Operand] = {"true": True, "false": False, "null": None}
_BRACKETS = frozenset("()[]")
_ENDS = frozenset({"and", "or", *_BRACKETS})
_OPERATORS = frozenset(operator.value for operator in Operator)
_MAX_DEPTH = 40
_MAX_LENGTH = 20_000


def parse_filter(text: str, *, bare_operands: bool = False) -> Filter:
    """Return the tree of a filter; raises ScimError 400 invalidFilter that says where the text goes wrong.

    With `bare_operands`, text may stand without quotes, as far as the next `and`, `or`, bracket or end.
    """
    parser = _Parser(text, bare_operands=bare_operands)
    tree = parser.disjunction()
    parser.expect_end()
    return tree


class _Parser:
    """Recursive descent: or binds weaker than and, not and grouping bind strongest."""

    def __init__(self, text: str, *, bare_operands: bool) -> None:
        self._tokens = _tokens(text)
        self._bare_operands = bare_operands
        self._at = 0
        self._depth = 0
        self._inside = False

    def disjunction(self) -> Filter:
        terms = [self._conjunction()]
        while self._take_word("or"):
            terms.append(self._conjunction())
        return terms[0] if len(terms) == 1 else Or(terms=tuple(terms))

    def expect_end(self) -> None:
        if self._at < len(self._tokens):
            raise _refusal(f"unexpected {self._tokens[self._at]!r}")

    def _conjunction(self) -> Filter:
        terms = [self._term()]
        while self._take_word("and"):
            terms.append(self._term())
        return terms[0] if len(terms) == 1 else And(terms=tuple(terms))

    def _term(self) -> Filter:
        if self._take("("):
            return self._group()
        if self._peek_word("not") and self._tokens[self._at + 1 : self._at + 2] == ["("]:
            self._at += 2
            return Not(inner=self._group())
        return self._attribute_expression()

    def _group(self) -> Filter:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise _refusal(f"parentheses are nested more than {_MAX_DEPTH} deep")
        inner = self.disjunction()
        self._need(")")
        self._depth -= 1
        return inner

    def _attribute_expression(self) -> Filter:
        path = self._next("an attribute path")
        if not _PATH.fullmatch(path):
            raise _refusal(f"{path!r} is no attribute path")
        if self._take("["):
            return self._value_path(path)
        word = self._next("an operator").lower()
        if word == "pr":
            return Present(path=path)
        if word not in _OPERATORS:
            raise _refusal(f"{word!r} is no operator")
        return Comparison(path=path, operator=Operator(word), operand=self._operand())

    def _operand(self) -> Operand:
        token = self._next("a value")
        if not self._bare_operands or token.startswith('"') or token in _BRACKETS:
            return _operand(token)
        words = [token]
        while self._at < len(self._tokens) and self._tokens[self._at].lower() not in _ENDS:
            words.append(self._next("a value"))
        return Bare(" ".join(words))

    def _value_path(self, path: str) -> Filter:
        if self._inside:
            raise _refusal("a value filter cannot hold another one")
        self._inside = True
        inner = self.disjunction()
        self._need("]")
        self._inside = False
        return ValuePath(path=path, inner=inner)

    def _next(self, wanted: str) -> str:
        if self._at >= len(self._tokens):
            raise _refusal(f"it ends where {wanted} should stand")
        self._at += 1
        return self._tokens[self._at - 1]

    def _need(self, token: str) -> None:
        found = self._next(repr(token))
        if found != token:
            raise _refusal(f"{token!r} should stand where {found!r} does")

    def _take(self, token: str) -> bool:
        if self._tokens[self._at : self._at + 1] == [token]:
            self._at += 1
            return True
        return False

    def _take_word(self, word: str) -> bool:
        if self._peek_word(word):
            self._at += 1
            return True
        return False

    def _peek_word(self, word: str) -> bool:
        return self._at < len(self._tokens) and self._tokens[self._at].lower() == word


def _tokens(text: str) -> list[str]:
    if len(text) > _MAX_LENGTH:
        raise _refusal(f"it is longer than {_MAX_LENGTH} characters")
    tokens = []
    at, end = 0, len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None:
            raise _refusal(f"no token starts at {text[at : at + 20]!r}")
        tokens.append(match.group(1))
        at = match.end()
    return tokens


def meant(operand: Bare, *, is_text: bool) -> Operand:
    """Return what an operand without quotes says for a text attribute, or for one of another type."""
    lowered = operand.lower()
    if lowered == "null":
        return None
    if is_text:
        return str(operand)
    if lowered in _WORDS:
        return _WORDS[lowered]
    return float(operand) if _NUMBER.fullmatch(operand) else str(operand)


def equality_only(tree: Filter) -> bool:
    """Whether a filter is one comparison by eq, or several joined by and inside brackets."""
    if isinstance(tree, ValuePath):
        terms = tree.inner.terms if isinstance(tree.inner, And) else (tree.inner,)
        return all(isinstance(term, Comparison) and term.operator is Operator.EQ for term in terms)
    return isinstance(tree, Comparison) and tree.operator is Operator.EQ


def _operand(token: str) -> Operand:
    lowered = token.lower()
    if lowered in _WORDS:
        return _WORDS[lowered]
    if not token.startswith('"') and not _NUMBER.fullmatch(token):
        raise _refusal(f"{token!r} is no JSON value; text stands in double quotes")
    try:
        value: Operand = orjson.loads(token)
    except orjson.JSONDecodeError as error:
        raise _refusal(f"{token} is no JSON string: {error}") from error
    return value


def _refusal(detail: str) -> ScimError:
    return ScimError(400, f"The filter cannot be read: {detail}.", ScimType.INVALID_FILTER)
