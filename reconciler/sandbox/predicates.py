"""What a filter tree means for the resources of one type: a tree and a resource type in, a yes-or-no function out.

Names, types and letter case follow the schema (RFC 7644 section 3.4.2.2, RFC 7643 section 2.2).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, assert_never

from reconciler.sandbox.errors import ScimError, ScimType
from reconciler.sandbox.filters import (
    And,
    Bare,
    Comparison,
    Filter,
    Not,
    Operand,
    Operator,
    Or,
    Present,
    ValuePath,
    meant,
)
from reconciler.sandbox.schema import (
    Attribute,
    AttributeType,
    PathError,
    Place,
    ResourceType,
    Returned,
    fold,
    instant,
    normal,
)

Predicate = Callable[[Any], bool]
_Test = Callable[[Any], bool]

_TEXT = {AttributeType.STRING, AttributeType.REFERENCE, AttributeType.BINARY}
_NUMBERS = {AttributeType.INTEGER, AttributeType.DECIMAL}
_ORDERS = {Operator.GT, Operator.GE, Operator.LT, Operator.LE}
_PARTS = {Operator.CO, Operator.SW, Operator.EW}


class _Scope(Protocol):
    """Where the names of a filter are looked up: a resource, or one value of a multi-valued attribute."""

    def values(self, path: str) -> tuple[Callable[[Any], list[Any]], Attribute | None]: ...


def compile_filter(tree: Filter, resource_type: ResourceType, aliases: Mapping[str, str] | None = None) -> Predicate:
    """Return a test over resources as they are shown to clients; raises ScimError 400 invalidFilter.

    `aliases`: lower-case name -> the path it stands for, where the schemas have no such name.
    """
    return _compile(tree, _ResourceScope(resource_type, aliases or {}))


def compile_value_filter(tree: Filter, attribute: Attribute) -> Predicate:
    """Return a test over single values of a multi-valued attribute; raises ScimError 400 invalidFilter."""
    return _compile(tree, _ValueScope(attribute))


def equality_on(tree: Filter, attribute: Attribute) -> str | None:
    """Return the text that every match must hold in a core attribute, when the filter says so, else None.

    Lets a look-up by a unique attribute use the index in place of a walk through everything.
    """
    if isinstance(tree, And):
        return next((found for term in tree.terms if (found := equality_on(term, attribute)) is not None), None)
    if not isinstance(tree, Comparison) or tree.operator is not Operator.EQ:
        return None
    same = tree.path.lower() == attribute.name.lower()
    return tree.operand if same and isinstance(tree.operand, str) else None


def mentions(tree: Filter, name: str) -> bool:
    """Whether a filter asks for the attribute `name` or one of its sub-attributes, under any spelling."""
    match tree:
        case And() | Or():
            return any(mentions(term, name) for term in tree.terms)
        case Not():
            return mentions(tree.inner, name)
        case Comparison() | Present() | ValuePath():
            return name.lower() in tree.path.lower()
        case _:
            assert_never(tree)


def _compile(tree: Filter, scope: _Scope) -> Predicate:
    match tree:
        case And():
            tests = [_compile(term, scope) for term in tree.terms]
            return lambda subject: all(test(subject) for test in tests)
        case Or():
            tests = [_compile(term, scope) for term in tree.terms]
            return lambda subject: any(test(subject) for test in tests)
        case Not():
            inner = _compile(tree.inner, scope)
            return lambda subject: not inner(subject)
        case Present():
            values, _ = scope.values(tree.path)
            return lambda subject: any(_present(value) for value in values(subject))
        case ValuePath():
            return _compile_value_path(tree, scope)
        case Comparison():
            return _compile_comparison(tree, scope)
        case _:
            assert_never(tree)


def _compile_value_path(tree: ValuePath, scope: _Scope) -> Predicate:
    values, attribute = scope.values(tree.path)
    if attribute is None or not attribute.multi_valued:
        raise _refusal(f"{tree.path} holds one value, so it takes no value filter")
    inner = _compile(tree.inner, _ValueScope(attribute))
    return lambda subject: any(inner(value) for value in values(subject))


def _compile_comparison(tree: Comparison, scope: _Scope) -> Predicate:
    values, attribute = scope.values(tree.path)
    if attribute is not None and attribute.type is AttributeType.COMPLEX:
        # RFC 7644 section 3.4.2.2: a complex attribute without sub-attribute stands for its `value`.
        values, attribute = scope.values(f"{tree.path}.value")
    if attribute is None:
        raise _refusal(f"{tree.path} is a whole schema and cannot be compared")
    operand = tree.operand
    if isinstance(operand, Bare):
        operand = meant(operand, is_text=attribute.type in _TEXT)
    if operand is None:
        return _compare_with_null(tree, values)
    if tree.operator is Operator.NE:
        # "Not identical" holds when no value is identical, so `ne` is the opposite of `eq` for lists and gaps too.
        same = _test(attribute, Operator.EQ, operand)
        return lambda subject: not any(same(value) for value in values(subject))
    test = _test(attribute, tree.operator, operand)
    return lambda subject: any(test(value) for value in values(subject))


def _compare_with_null(tree: Comparison, values: Callable[[Any], list[Any]]) -> Predicate:
    """`eq null` and `ne null` ask whether the attribute is unassigned (RFC 7643 section 2.5)."""
    if tree.operator is Operator.EQ:
        return lambda subject: not any(_present(value) for value in values(subject))
    if tree.operator is Operator.NE:
        return lambda subject: any(_present(value) for value in values(subject))
    raise _refusal(f"null can only be compared by eq and ne, not by {tree.operator}")


def _test(attribute: Attribute, operator: Operator, operand: Operand) -> _Test:
    kind = attribute.type
    if kind in _TEXT and isinstance(operand, str):
        if kind is AttributeType.BINARY and operator in _ORDERS:
            raise _refusal(f"{attribute.name} is binary and has no order")
        return _text_test(operator, operand, exact=attribute.case_exact)
    if kind is AttributeType.DATE_TIME and isinstance(operand, str):
        return _date_time_test(attribute, operator, operand)
    if kind is AttributeType.BOOLEAN and isinstance(operand, bool):
        if operator is not Operator.EQ:
            raise _refusal(f"{attribute.name} is boolean and takes eq and ne only")
        return _ordered_test(operator, operand)
    if kind in _NUMBERS and isinstance(operand, int | float) and not isinstance(operand, bool):
        if operator in _PARTS:
            raise _refusal(f"{attribute.name} is a number and has no parts to look into")
        return _ordered_test(operator, operand)
    raise _refusal(f"{attribute.name} is of type {kind} and cannot be compared with {operand!r}")


def _text_test(operator: Operator, operand: str, *, exact: bool) -> _Test:
    form = normal if exact else fold
    test = _plain_text_test(operator, form(operand))
    return lambda value: test(form(value))


def _plain_text_test(operator: Operator, operand: str) -> _Test:
    match operator:
        case Operator.CO:
            return lambda value: operand in value
        case Operator.SW:
            return lambda value: bool(value.startswith(operand))
        case Operator.EW:
            return lambda value: bool(value.endswith(operand))
        case _:
            return _ordered_test(operator, operand)


def _date_time_test(attribute: Attribute, operator: Operator, operand: str) -> _Test:
    if operator in _PARTS:
        return _text_test(operator, operand, exact=False)
    try:
        test = _ordered_test(operator, instant(operand))
    except ValueError as error:
        raise _refusal(f"{attribute.name} is a dateTime and {operand!r} is none") from error
    return lambda value: test(instant(value))


def _ordered_test(operator: Operator, operand: Any) -> _Test:
    match operator:
        case Operator.EQ:
            return lambda value: bool(value == operand)
        case Operator.GT:
            return lambda value: bool(value > operand)
        case Operator.GE:
            return lambda value: bool(value >= operand)
        case Operator.LT:
            return lambda value: bool(value < operand)
        case Operator.LE:
            return lambda value: bool(value <= operand)
        case _:
            raise _refusal(f"{operator} looks into text only")


def _present(value: Any) -> bool:
    """Whether a value is assigned and not empty (RFC 7644 table 3: pr)."""
    if isinstance(value, Mapping):
        return any(_present(part) for part in value.values())
    return value is not None and value not in ("", [])


class _ResourceScope:
    def __init__(self, resource_type: ResourceType, aliases: Mapping[str, str]) -> None:
        self._resource_type = resource_type
        self._aliases = aliases

    def values(self, path: str) -> tuple[Callable[[Any], list[Any]], Attribute | None]:
        place = self._place(path)
        leaf = place.leaf
        if leaf is not None and leaf.returned is Returned.NEVER:
            raise _refusal(f"{path} is never given back, so it cannot be asked for either")
        return place.values, leaf

    def _place(self, path: str) -> Place:
        try:
            return self._resource_type.place(path)
        except PathError as error:
            head, dot, rest = path.partition(".")
            alias = self._aliases.get(head.lower())
            if alias is None:
                raise _refusal(str(error)) from error
            return self._place(f"{alias}{dot}{rest}")


class _ValueScope:
    def __init__(self, attribute: Attribute) -> None:
        self._attribute = attribute

    def values(self, path: str) -> tuple[Callable[[Any], list[Any]], Attribute | None]:
        sub_attribute = self._attribute.sub_attributes.get(path.lower())
        if sub_attribute is not None:
            name = sub_attribute.name
            return lambda value: [value[name]] if name in value else [], sub_attribute
        if not self._attribute.sub_attributes and path.lower() == "value":
            return lambda value: [value], self._attribute
        raise _refusal(f"{self._attribute.name} has no sub-attribute {path!r}")


def _refusal(detail: str) -> ScimError:
    return ScimError(400, f"The filter cannot be used: {detail}.", ScimType.INVALID_FILTER)
