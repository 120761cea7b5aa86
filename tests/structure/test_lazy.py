"""Our `dataclass` keeps what the standard library's promises: every case is asked of both."""

import copy
import dataclasses
import pickle
import re
from collections.abc import Callable
from dataclasses import FrozenInstanceError, field, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from reconciler import lazy
from reconciler.model import Address, ResourceType
from tests.structure.test_imports import MODULES, imports_of


def classes(dataclass: Any) -> tuple[type, ...]:
    """The same five classes by one decorator or the other."""

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Person:
        """A value."""

        name: str
        titles: list[str] = field(default_factory=list)
        born: int | None = None
        secret: str = field(default="", repr=False, compare=False)
        length: int = field(init=False, compare=False)
        place: str = field(init=False, default="here")

        def __post_init__(self) -> None:
            object.__setattr__(self, "length", len(self.name))

        @property
        def loud(self) -> str:
            return self.name.upper()

    @dataclass(frozen=True, slots=True, order=True)
    class Place:
        """Has an order."""

        path: str
        line: int = 1
        note: str = field(default="-", kw_only=True)

    @dataclass(slots=True)
    class Counter:
        """Can change."""

        count: int = 0
        seen: list[int] = field(default_factory=list)

    @dataclass(frozen=True, slots=True)
    class Own:
        """Has methods of its own."""

        text: str

        def __eq__(self, other: object) -> bool:
            return isinstance(other, type(self)) and self.text.lower() == other.text.lower()

        def __repr__(self) -> str:
            return f"<{self.text}>"

    @dataclass(frozen=True, kw_only=True)
    class Open:
        """Has no slots, so that it can keep what it has worked out."""

        text: str
        more: tuple[str, ...] = ()

        @cached_property
        def worked_out(self) -> list[str]:
            return [self.text, *self.more]

    return Person, Place, Counter, Own, Open


OURS, THEIRS = classes(lazy.dataclass), classes(dataclasses.dataclass)


def told(ask: Callable[..., object], of: tuple[type, ...]) -> object:
    """What comes of it, an error too."""
    try:
        return ask(*of)
    except Exception as error:
        return type(error), str(error)


def matched(value: Any, place: type) -> object:
    match value:
        case place(path, line):  # type: ignore[misc]
            return path, line
    return None


def changed(value: Any) -> Any:
    value.count += 1
    return value


ASKED: dict[str, Callable[..., object]] = {
    "repr": lambda person, place, counter, own, open_: [
        str(each).rpartition(".")[2]
        for each in (person(name="a", secret="s"), place("p"), counter(), own("x"), open_(text="x"))
    ],
    "without slots": lambda *each: (value := each[4](text="a")).worked_out is value.worked_out,
    "assign without slots": lambda *each: setattr(each[4](text="a"), "text", "b"),
    "replace without slots": lambda *each: replace(each[4](text="a"), more=("b",)).worked_out,
    "defaults": lambda person, *_: [getattr(person(name="a"), each.name) for each in fields(person)],
    "positional": lambda _, place, *__: (place("p", 7, note="n").line, place("p", line=7).note),
    "properties": lambda person, *_: person(name="a").loud,
    "a list each": lambda person, *_: person(name="a").titles is not person(name="a").titles,
    "given for a list": lambda person, *_: person(name="a", titles=["t"]).titles,
    "equal": lambda person, *_: person(name="a") == person(name="a", secret="other"),
    "not equal": lambda person, *_: person(name="a") == person(name="b"),
    "equal to another kind": lambda person, place, *_: person(name="a") == place("a"),
    "hash": lambda _, place, *__: hash(place("p", 7)),
    "hash of what cannot be": lambda person, *_: hash(person(name="a")),
    "hash of what can change": lambda *each: hash(each[2]()),
    "in a set": lambda _, place, *__: len({place("p"), place("p", 1), place("p", 2)}),
    "own comparison": lambda *each: (each[3]("X") == each[3]("x"), len({each[3]("x"), each[3]("x")})),
    "order": lambda _, place, *__: [str(each.line) for each in sorted([place("p", 2), place("p", 1), place("o", 3)])],
    "other orders": lambda _, p, *__: (p("p") <= p("p"), p("p") > p("o"), p("p") >= p("q"), p("p") < p("p")),
    "no order": lambda person, *_: sorted([person(name="b"), person(name="a")]),
    "replace": lambda person, *_: replace(person(name="a", born=1), name="long").length,
    "replace what is not given": lambda person, *_: replace(person(name="a"), length=3),
    "too little": lambda person, *_: person(),
    "too much": lambda person, *_: person(name="a", age=3),
    "by place where only by name": lambda person, *_: person("a"),
    "too many": lambda _, place, *__: place("p", 1, "n"),
    "assign": lambda person, *_: setattr(person(name="a"), "name", "b"),
    "delete": lambda person, *_: delattr(person(name="a"), "name"),
    "change": lambda *each: changed(each[2](1)).count,
    "copy": lambda person, *_: copy.copy(person(name="a", titles=["t"])).titles,
    "deep copy": lambda person, *_: copy.deepcopy(person(name="a", titles=["t"])) == person(name="a", titles=["t"]),
    "no dictionary": lambda person, *_: hasattr(person(name="a"), "__dict__"),
    "fields": lambda person, *_: [(each.name, each.init, each.kw_only) for each in fields(person)],
    "as a dictionary": lambda person, *_: dataclasses.asdict(person(name="a")),
    "matching": lambda _, place, *__: (place.__match_args__, matched(place("p", 7), place)),
    "documentation": lambda person, *_: person.__doc__,
}


@pytest.fixture(params=["for the first time", "again"])
def ours(request: pytest.FixtureRequest) -> tuple[type, ...]:
    return classes(lazy.dataclass) if request.param == "for the first time" else OURS


@pytest.mark.parametrize("name", ASKED)
def test_as_the_library_does_it(name: str, ours: tuple[type, ...]) -> None:
    assert told(ASKED[name], ours) == told(ASKED[name], THEIRS)


@pytest.mark.parametrize("name", ["name", "age"])
def test_no_attribute_can_be_set_whatever_its_name(name: str) -> None:
    with pytest.raises(FrozenInstanceError):
        setattr(OURS[0](name="a"), name, 1)


def test_values_go_through_pickle() -> None:
    """As between processes."""
    address = Address(ResourceType.USER, "alice.ng")
    assert pickle.loads(pickle.dumps(address)) == address


def test_a_method_is_written_once() -> None:
    place = classes(lazy.dataclass)[1]
    before = place.__init__  # type: ignore[misc]
    place("p")
    written = place.__init__  # type: ignore[misc]
    place("q")
    assert written is not before
    assert place.__init__ is written  # type: ignore[misc]


def test_a_regular_expression_is_compiled_when_it_is_used() -> None:
    broken, sound = lazy.pattern("("), lazy.pattern(rb"(a+)b", re.IGNORECASE)
    found = sound.fullmatch(b"aAB")
    assert found is not None
    assert found[1] == b"aA"
    assert sound.sub(b"-", b"xaby") == b"x-y"
    assert sound.pattern == rb"(a+)b"
    with pytest.raises(re.error):
        broken.search("")


@pytest.mark.parametrize("path", [path for path in MODULES if "sandbox" not in path.parts], ids=lambda path: path.stem)
def test_every_class_of_ours_is_made_so(path: Path) -> None:
    """But those of the embedded provider, which shares nothing with us and which few runs load."""
    assert path.stem == "lazy" or "dataclasses.dataclass" not in set(imports_of(path))
