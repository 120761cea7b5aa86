"""The standard library's `dataclass` and `re.compile`, whose work is done when it is first needed.

The library writes the source of every method and compiles it when the class is made: most of a millisecond a class. A
short run makes some 150 classes, has instances of a few dozen, and compares, hashes or prints even fewer. Here a class
begins with stand-ins: the first call of one writes the method, puts it in its own place and calls it. Fields,
`replace`, matching and all methods but one are the library's; that one is `__init__`, which fills the slots of a frozen
class directly, in two thirds of the time. Type checkers see the library's decorator.

A regular expression takes between a fifth of a millisecond and six of them to compile; most stand ready for mistakes.
"""

import dataclasses
import re
from collections.abc import Callable
from dataclasses import MISSING, Field, FrozenInstanceError, fields
from types import MemberDescriptorType
from typing import TYPE_CHECKING, Any, AnyStr, Final, NoReturn, TypeVar, cast

__all__ = ["dataclass", "pattern"]

_T = TypeVar("_T")

_ORDER: Final = ("__lt__", "__le__", "__gt__", "__ge__")
_ASKED: Final[dict[str, dict[str, Any]]] = {
    "__repr__": {"repr": True},
    "__eq__": {"eq": True},
    "__hash__": {"unsafe_hash": True},
    **{name: {"eq": True, "order": True} for name in _ORDER},
}
"""Method -> what makes the library write it."""


def _dataclass(
    *, slots: bool = False, frozen: bool = False, kw_only: bool = False, order: bool = False
) -> Callable[[type[_T]], type[_T]]:
    """The library's decorator as far as it is used here."""

    def made(plain: type[_T]) -> type[_T]:
        # otherwise the library looks for a signature to put there, for several milliseconds
        plain.__doc__ = plain.__doc__ or plain.__name__
        cls: type[_T] = dataclasses.dataclass(init=False, repr=False, eq=False, slots=slots, kw_only=kw_only)(plain)
        for name in ("__init__", "__repr__", "__eq__", *(_ORDER if order else ())):
            _stand_in(cls, name)
        if frozen:
            _stand_in(cls, "__hash__")
            for method in (_getstate, _setstate, _setattr, _delattr):
                setattr(cls, f"_{method.__name__}__", method)
        else:
            cls.__hash__ = None  # type: ignore[assignment]
        return cls

    return made


if TYPE_CHECKING:
    from dataclasses import dataclass
else:
    dataclass = _dataclass


def _stand_in(cls: type, name: str) -> None:
    """Until it is called for the first time. A method that the class has itself stays."""
    # a class that compares by itself has None for its hash, from Python
    if cls.__dict__.get(name) is not None:
        return

    def stand_in(self: Any, *positional: Any, **named: Any) -> Any:
        method = _initializer(cls) if name == "__init__" else _of_the_library(cls, name)
        setattr(cls, name, method)
        return method(self, *positional, **named)

    stand_in.__name__, stand_in.__qualname__ = name, f"{cls.__qualname__}.{name}"
    setattr(cls, name, stand_in)


def _of_the_library(cls: type, name: str) -> Callable[..., Any]:
    """The method of a class that has the same fields and nothing else."""
    asked = {"init": False, "repr": False, "eq": False} | _ASKED[name]
    fields_of = [(each.name, each.type, each) for each in fields(cls)]
    twin = dataclasses.make_dataclass(cls.__name__, fields_of, namespace={"__doc__": cls.__doc__}, **asked)
    method: Callable[..., Any] = getattr(twin, name)
    return method


def _initializer(cls: Any) -> Callable[..., None]:
    scope: dict[str, Any] = {"_missing": MISSING}
    positional, named, body = ["self"], list[str](), list[str]()
    for each in fields(cls):
        parameter, value = _parameter(each, scope)
        if parameter:
            (named if each.kw_only else positional).append(parameter)
        if value:
            body.append(_filled(cls, each.name, value, scope))
    if hasattr(cls, "__post_init__"):
        body.append("self.__post_init__()")
    head = ", ".join([*positional, "*", *named] if named else positional)
    # out of names that are fields in our own source, as the library does it
    exec(f"def __init__({head}):\n " + "\n ".join(body or ["pass"]), scope)  # noqa: S102
    made: Callable[..., None] = scope["__init__"]
    made.__qualname__ = f"{cls.__qualname__}.__init__"
    return made


def _parameter(of: "Field[Any]", scope: dict[str, Any]) -> tuple[str, str]:
    """A field as a parameter, and the value it gets; empty where it is none or gets none. `scope`: what they name."""
    name, default = of.name, f"_default_{of.name}"
    if of.default_factory is not MISSING:
        scope[default] = of.default_factory
        if not of.init:
            return "", f"{default}()"
        return f"{name}=_missing", f"{default}() if {name} is _missing else {name}"
    if of.default is not MISSING:
        scope[default] = of.default
        return (f"{name}={default}", name) if of.init else ("", default)
    return (name, name) if of.init else ("", "")


def _filled(cls: Any, name: str, value: str, scope: dict[str, Any]) -> str:
    """A statement that gives a field its value. `scope`: what it names."""
    if cls.__setattr__ is not _setattr:
        return f"self.{name} = {value}"
    slot = cls.__dict__.get(name)
    if isinstance(slot, MemberDescriptorType):
        scope[f"_put_{name}"] = slot.__set__
        return f"_put_{name}(self, {value})"
    scope["_put"] = object.__setattr__
    return f"_put(self, {name!r}, {value})"


def _setattr(self: Any, name: str, value: Any) -> NoReturn:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _delattr(self: Any, name: str) -> NoReturn:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _getstate(self: Any) -> list[Any]:
    return [getattr(self, each.name) for each in fields(self)]


def _setstate(self: Any, state: list[Any]) -> None:
    for each, value in zip(fields(self), state, strict=True):
        object.__setattr__(self, each.name, value)


class _Pattern:
    def __init__(self, *given: Any) -> None:
        self._given = given

    def __getattr__(self, name: str) -> Any:
        """Only asked for what is not there yet."""
        found = getattr(re.compile(*self._given), name)
        setattr(self, name, found)
        return found


def pattern(text: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """What `re.compile` gives, compiled when one of its methods is first asked for."""
    return cast("re.Pattern[AnyStr]", _Pattern(text, flags))
