"""Values as JSON and back, strictly: the text of JSON, and small codecs that are put together to those of our values.

A codec writes one type and reads it again. What cannot be read is `Malformed`, which carries the place; containers add
their part of the place on the way up, so that reading what is right costs nothing for it. Knows no type of the model.
"""

import json
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Final, Generic, NoReturn, TypeVar

import orjson
from msgspec import Struct

from reconciler.model import Json

T = TypeVar("T")


class Malformed(Exception):
    """Something cannot be read. `place`: where, as ``changes[3].op``; `reason`: what is wrong; `mend`: what to do."""

    def __init__(self, reason: str, place: str = "", mend: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.place = place
        self.mend = mend

    def within(self, outer: str) -> "Malformed":
        """The same fault, seen from the container."""
        joint = "" if not self.place or self.place.startswith("[") else "."
        return Malformed(self.reason, f"{outer}{joint}{self.place}", self.mend)


def json_bytes(document: Json) -> bytes:
    """Canonical JSON: members sorted, no white space, UTF-8."""
    try:
        return orjson.dumps(document, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        # orjson spells neither lone surrogates (a file name that is no UTF-8) nor integers beyond 64 bits; JSON can.
        return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def parsed_json(data: bytes) -> Json:
    """The JSON in UTF-8 bytes; Malformed also where a member stands twice or a number is out of range."""
    try:
        parsed: Json = json.loads(
            data.decode(), object_pairs_hook=_unrepeated, parse_constant=_no_number, parse_float=_finite
        )
    except UnicodeDecodeError:
        raise Malformed("is not UTF-8 text") from None
    except json.JSONDecodeError as fault:
        raise Malformed(f"is not JSON: {fault.msg.lower()}", f"line {fault.lineno}, column {fault.colno}") from None
    except (ValueError, RecursionError):
        raise Malformed("is not JSON that can be read: a number is too long, or it is nested too deeply") from None
    return parsed


def _unrepeated(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Malformed("an object has two members of the same name")
    return found


def _no_number(name: str) -> NoReturn:
    raise Malformed(f"{name} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise Malformed("a number is too large")
    return number


class Codec(Struct, Generic[T], frozen=True):
    """How one type is written and read. `decode` raises Malformed."""

    encode: Callable[[T], Json]
    decode: Callable[[Json], T]


def at(place: str, decode: Callable[[Json], T], raw: Json) -> T:
    """What `decode` reads; a fault in it is told with the place before it."""
    try:
        return decode(raw)
    except Malformed as fault:
        raise fault.within(place) from None


def read_text(raw: Json) -> str:
    """A JSON string."""
    if not isinstance(raw, str):
        raise Malformed("must be text")
    return raw


def read_integer(raw: Json) -> int:
    """A whole JSON number."""
    if not isinstance(raw, int) or isinstance(raw, bool):
        raise Malformed("must be a whole number")
    return raw


def read_object(raw: Json) -> dict[str, Json]:
    """A JSON object, as a dict of the caller's own."""
    if not isinstance(raw, dict):
        raise Malformed("must be an object")
    return dict(raw)


def _read_boolean(raw: Json) -> bool:
    if not isinstance(raw, bool):
        raise Malformed("must be true or false")
    return raw


def _array(raw: Json) -> list[Json]:
    if not isinstance(raw, list):
        raise Malformed("must be an array")
    return raw


def _as_it_is(value: Any) -> Any:
    return value


TEXT: Final[Codec[str]] = Codec(_as_it_is, read_text)
INTEGER: Final[Codec[int]] = Codec(_as_it_is, read_integer)
BOOLEAN: Final[Codec[bool]] = Codec(_as_it_is, _read_boolean)


def one_of(kind: type[StrEnum]) -> Codec[Any]:
    """A member of a closed set, by its value."""
    members = {each.value: each for each in kind}

    def decode(raw: Json) -> StrEnum:
        found = members.get(raw) if isinstance(raw, str) else None
        if found is None:
            raise Malformed(f"must be one of {', '.join(members)}")
        return found

    return Codec(_as_it_is, decode)


def optional(codec: Codec[T]) -> Codec[T | None]:
    """The same, or null."""
    return Codec(
        lambda value: None if value is None else codec.encode(value),
        lambda raw: None if raw is None else codec.decode(raw),
    )


def several(codec: Codec[T]) -> Codec[tuple[T, ...]]:
    """An array of any length."""

    def decode(raw: Json) -> tuple[T, ...]:
        return tuple([at(f"[{index}]", codec.decode, each) for index, each in enumerate(_array(raw))])

    return Codec(lambda values: [codec.encode(each) for each in values], decode)


def pair(one: Codec[Any], other: Codec[Any]) -> Codec[tuple[Any, Any]]:
    """An array of two."""

    def decode(raw: Json) -> tuple[Any, Any]:
        found = _array(raw)
        if len(found) != 2:
            raise Malformed("must hold two values")
        return at("[0]", one.decode, found[0]), at("[1]", other.decode, found[1])

    return Codec(lambda values: [one.encode(values[0]), other.encode(values[1])], decode)


def by_name(codec: Codec[T], name: Codec[Any] = TEXT) -> Codec[Mapping[Any, T]]:
    """An object with members of any name and one type."""

    def decode(raw: Json) -> Mapping[Any, T]:
        return {at(key, name.decode, key): at(key, codec.decode, each) for key, each in read_object(raw).items()}

    return Codec(lambda values: {str(key): codec.encode(each) for key, each in values.items()}, decode)


def record(kind: type[T], /, **fields: Codec[Any]) -> Codec[T]:
    """A Struct as an object: every field is there under its own name, and nothing else."""

    def encode(value: T) -> Json:
        return {name: codec.encode(getattr(value, name)) for name, codec in fields.items()}

    def decode(raw: Json) -> T:
        found = read_object(raw)
        if missing := fields.keys() - found.keys():
            raise Malformed("is missing", min(missing))
        if unknown := found.keys() - fields.keys():
            raise Malformed("is not known here", min(unknown))
        return kind(**{name: at(name, codec.decode, found[name]) for name, codec in fields.items()})

    return Codec(encode, decode)


def tagged(**codecs: tuple[type[Any], Codec[Any]]) -> Codec[Any]:
    """One of several Structs; the member ``kind`` says which."""
    tags = {kind: (tag, codec) for tag, (kind, codec) in codecs.items()}

    def encode(value: object) -> Json:
        tag, codec = tags[type(value)]
        written = codec.encode(value)
        return {**read_object(written), "kind": tag}

    def decode(raw: Json) -> object:
        found = read_object(raw)
        tag = found.pop("kind", None)
        if not isinstance(tag, str) or tag not in codecs:
            raise Malformed(f"must be one of {', '.join(codecs)}", "kind")
        return codecs[tag][1].decode(found)

    return Codec(encode, decode)
