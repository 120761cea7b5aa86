"""YAML data -> the values of a profile, led by their type hints, so that a new field needs no code here.

A key is the field's name in camelCase. A key or a value that does not fit is a diagnostic with its place; the field
then keeps what it had, so that one run finds every problem. Knows no field by name and no provider.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Final, TypeVar, Union, get_args, get_origin, get_type_hints

from msgspec import Struct, field
from msgspec.structs import fields, replace

from reconciler.model import Diagnostic, Severity, SourceLocation
from reconciler.suggestions import suggestion
from reconciler.yamlsource import Places, Quoted, number

_T = TypeVar("_T")
_WRONG: Final = object()
"""Stands for a value that did not fit and has been reported."""


class Conversion(Struct, kw_only=True):
    """One file on its way into values; `problems` collects what does not fit."""

    places: Places
    problems: list[Diagnostic] = field(default_factory=list)

    def error(self, code: str, source: SourceLocation, summary: str, mend: str = "") -> None:
        """Note one problem."""
        self.problems.append(Diagnostic(severity=Severity.ERROR, code=code, summary=summary, mend=mend, source=source))

    def mapping(self, raw: Any, source: SourceLocation, words: str) -> dict[str, Any]:
        """The mapping that stands there; an empty one, and a problem, if something else does."""
        if isinstance(raw, dict):
            return raw
        self.error("wrong-type", source, f"{words} must be a mapping, not {_spoken(raw)}")
        return {}

    def replaced(self, base: _T, data: dict[str, Any], words: str, apart: frozenset[str] = frozenset()) -> _T:
        """`base` with every written field in place of its own; keys in `apart` are somebody else's."""
        return replace(base, **self._written(type(base), data, words, apart))  # type: ignore[type-var]

    def made(self, cls: type[_T], data: dict[str, Any], source: SourceLocation, words: str, **given: Any) -> _T | None:
        """A new value of a class; `given` fills fields that are not written. None if it cannot be made."""
        written = given | self._written(cls, data, words, frozenset())
        missing = [each for each in _required(cls) if each not in written]
        for name in missing:
            if camel_case(name) not in data and not self.places.has_hole(data):
                self.error("missing-key", source, f"{words} needs {camel_case(name)}")
        return None if missing else cls(**written)

    def _written(self, cls: type, data: dict[str, Any], words: str, apart: frozenset[str]) -> dict[str, Any]:
        hints = _hints(cls)
        written = {}
        for key, raw in data.items():
            if key in apart:
                continue
            if key not in hints:
                mend = suggestion(key, hints.keys() | apart)
                self.error("unknown-key", self.places.key(data, key), f"{words} has no key {key}", mend)
                continue
            name, hint = hints[key]
            value = self._value(hint, raw, self.places.value(data, key), f"{words}.{key}")
            if value is not _WRONG:
                written[name] = value
        return written

    def _value(self, hint: Any, raw: Any, source: SourceLocation, words: str) -> Any:
        origin, arguments = get_origin(hint), get_args(hint)
        if origin in (Union, UnionType):
            if raw is None and NoneType in arguments:
                return None
            return self._value(next(each for each in arguments if each is not NoneType), raw, source, words)
        if origin is tuple:
            return self._items(arguments[0], raw, source, words)
        if origin is Mapping:
            return self._entries(arguments[1], raw, source, words)
        if isinstance(hint, type) and issubclass(hint, StrEnum):
            return self._choice(hint, raw, source, words)
        wanted, read = _SCALARS[hint]
        value = read(raw)
        if value is None:
            self.error("wrong-type", source, f"{words} must be {wanted}, not {_spoken(raw)}")
            return _WRONG
        return value

    def _items(self, hint: Any, raw: Any, source: SourceLocation, words: str) -> Any:
        if not isinstance(raw, list):
            self.error("wrong-type", source, f"{words} must be a list, not {_spoken(raw)}")
            return _WRONG
        found = [
            self._value(hint, each, self.places.value(raw, index), f"{words} item {index + 1}")
            for index, each in enumerate(raw)
        ]
        return tuple(each for each in found if each is not _WRONG)

    def _entries(self, hint: Any, raw: Any, source: SourceLocation, words: str) -> Any:
        entries = self.mapping(raw, source, words)
        found = {
            str(key): self._value(hint, each, self.places.value(entries, key), f"{words}.{key}")
            for key, each in entries.items()
        }
        return {key: each for key, each in found.items() if each is not _WRONG}

    def _choice(self, hint: type[StrEnum], raw: Any, source: SourceLocation, words: str) -> Any:
        known = [each.value for each in hint]
        if isinstance(raw, str) and raw in known:
            return hint(raw)
        mend = suggestion(raw, known) if isinstance(raw, str) else f"known: {', '.join(known)}"
        self.error("unknown-value", source, f"{words} cannot be {_spoken(raw)}", mend)
        return _WRONG


def camel_case(name: str) -> str:
    """``page_size`` -> ``pageSize``: how a field is written in YAML."""
    head, *tail = name.split("_")
    return head + "".join(each.capitalize() for each in tail)


@cache
def _hints(cls: type) -> dict[str, tuple[str, Any]]:
    """YAML key -> field name and its type, of the fields that are given. Sections are composed by the caller."""
    types = get_type_hints(cls)
    return {
        camel_case(each.name): (each.name, types[each.name])
        for each in fields(cls)
        if not _is_section(types[each.name])
    }


def _is_section(of: Any) -> bool:
    return isinstance(of, type) and issubclass(of, Struct)


def _required(cls: type) -> list[str]:
    return [each.name for each in fields(cls) if each.required]


def _text(raw: Any) -> str | None:
    return str(raw) if isinstance(raw, str) and raw else None


def _truth(raw: Any) -> bool | None:
    return raw if isinstance(raw, bool) else None


def _whole(raw: Any) -> int | None:
    value = _amount(raw)
    return int(value) if value is not None and value == int(value) and value >= 1 else None


def _amount(raw: Any) -> float | None:
    value = number(raw) if isinstance(raw, str) and not isinstance(raw, Quoted) else None
    return float(value) if value is not None and value >= 0 else None


_SCALARS: Final[Mapping[Any, tuple[str, Callable[[Any], Any]]]] = {
    str: ("text", _text),
    bool: ("true or false", _truth),
    int: ("a whole number of at least 1", _whole),
    float: ("a number of at least 0", _amount),
}


def _spoken(raw: Any) -> str:
    """What stands there, in words."""
    if isinstance(raw, dict):
        return "a mapping"
    if isinstance(raw, list):
        return "a list"
    if raw is None or isinstance(raw, bool):
        return {None: "null", True: "true", False: "false"}[raw]
    return str(raw) if number(raw) is not None else f'"{raw}"'
