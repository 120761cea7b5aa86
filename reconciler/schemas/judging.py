"""What is wrong with data by a published schema, with its place, said for administrators.

jsonschema-rs judges whole documents quickly and says where they fail; jsonschema picks the likeliest reason where a
schema offers alternatives. Sentences are ours: a schema may give its own under ``errorMessage`` ("must be …"), which
editors show as well. Values under ``writeOnly`` are never repeated. No other module imports either library.

A type ``[string, number, boolean]`` means text: it keeps editors quiet, which read ``000142`` as a number. Data from
our reader holds text there, so it is judged as text.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Final, TypeAlias

import jsonschema_rs
from msgspec import Struct

from reconciler.model import Address, Diagnostic, Severity, SourceLocation
from reconciler.schemas.extending import Own, extended
from reconciler.schemas.published import schema
from reconciler.schemas.words import Fault, word
from reconciler.suggestions import nearest
from reconciler.yamlsource import Places, Quoted

Where: TypeAlias = tuple[str | int, ...]
"""Keys and indices from the root of the data to a value."""

Scope: TypeAlias = Callable[[Where], tuple[Address | None, Where]]
"""Splits a path into the resource it belongs to and the path within that resource."""

_NO_OWN: Final = Own()
_TEXT: Final = {"string", "number", "boolean"}


class Hint(Struct, frozen=True, kw_only=True):
    """What to say about a key that people may expect, but that is not there for a reason.

    `summary` stands instead of "there is no key …" where it is given.
    """

    code: str
    why: str
    mend: str
    summary: str = ""


class Finding(Struct, frozen=True, kw_only=True):
    """A problem and the path of the value that has it. `meant`: the key that an unknown key is a slip for, if any."""

    where: Where
    diagnostic: Diagnostic
    meant: str | None = None


class _Judge(Struct, frozen=True, kw_only=True):
    schema: dict[str, Any]
    validator: Any


def problems(
    name: str,
    data: Any,
    places: Places,
    *,
    scope: Scope | None = None,
    hints: Mapping[str, Hint] | None = None,
) -> tuple[Diagnostic, ...]:
    """What is wrong with `data`, one document of the file of `places`, by the schema `name`; empty if nothing is."""
    return tuple(each.diagnostic for each in findings(name, data, places, scope=scope, hints=hints))


def findings(
    name: str,
    data: Any,
    places: Places,
    *,
    scope: Scope | None = None,
    hints: Mapping[str, Hint] | None = None,
    own: Own = _NO_OWN,
) -> tuple[Finding, ...]:
    """As `problems`, each with the path of the value. `hints`: lower-case key -> what to say instead of "unknown".

    `own`: attributes that the schema of declarations is to know besides.
    """
    judge = _judge(name, own)
    if _fits(judge, data):
        return ()
    data_seen = _plain(data)
    faults = [each for error in judge.validator.iter_errors(data_seen) for each in _faults(judge, error, data)]
    found: dict[tuple[Where, str, str], Finding] = {}
    unknown: dict[Where, list[str]] = {}
    for fault in faults:
        if fault.keyword == "unknown":
            unknown.setdefault(fault.where, []).append(str(fault.subject))
    for fault in faults:
        if _is_news(fault, unknown.get(fault.where, ()), data, places):
            finding = _finding(fault, data, places, scope, hints or {})
            found.setdefault((finding.where, finding.diagnostic.code, finding.diagnostic.summary), finding)
    return tuple(found.values())


def _fits(judge: _Judge, data: Any) -> bool:
    try:
        return bool(judge.validator.is_valid(data))
    except ValueError:  # jsonschema-rs takes no subclass of str
        return bool(judge.validator.is_valid(_plain(data)))


@cache
def _judge(name: str, own: Own) -> _Judge:
    strict = schema(name, _strict)
    if own:
        strict = json.loads(json.dumps(extended(schema(name), own)), object_hook=_strict)
    return _Judge(schema=strict, validator=jsonschema_rs.Draft202012Validator(strict))


def _strict(node: dict[str, Any]) -> dict[str, Any]:
    """A part of a schema without the types that only editors need."""
    types = node.get("type")
    if isinstance(types, list) and set(types) >= _TEXT:
        node["type"] = [each for each in types if each not in ("number", "boolean")]
    return node


def _plain(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _plain(value) for key, value in data.items()}
    if isinstance(data, list):
        return [_plain(value) for value in data]
    return str(data) if isinstance(data, Quoted) else data


def _faults(judge: _Judge, error: Any, data: Any) -> Iterator[Fault]:
    where = _where(data, error.instance_path, error.instance)
    pointer = list(error.schema_path)
    keyword = str(error.kind.name)
    if keyword in ("anyOf", "oneOf"):
        node = _at(judge.schema, pointer[: pointer.index(keyword)])
        yield from _likeliest(judge, node, where, _at(data, where))
    elif keyword == "propertyNames":
        node = _at(judge.schema, pointer[:-1])
        yield Fault(where, "propertyNames", node, error.kind.as_dict()["error"].instance)
    elif keyword in ("additionalProperties", "unevaluatedProperties"):
        node = _at(judge.schema, pointer[:-1])
        for key in error.kind.as_dict()["unexpected"]:
            yield Fault(where, "unknown", node, key)
    elif keyword == "required":
        yield Fault(where, "required", _at(judge.schema, pointer[:-1]), error.kind.as_dict()["property"])
    elif keyword == "falseSchema":
        yield Fault(where, keyword, {}, _at(data, where))
    else:
        yield Fault(where, keyword, _at(judge.schema, pointer[:-1]), _at(data, where))


def _likeliest(judge: _Judge, node: Any, where: Where, instance: Any) -> Iterator[Fault]:
    """Of several alternatives that all fail, what is wrong by the one that was most likely meant."""
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    choices = [each for one in node.get("anyOf", ()) for each in one.get("enum", ())]
    if choices and isinstance(instance, str):
        # words to choose from, or a text of another form: whoever missed both may have meant one of the words
        yield Fault(where, "enum", {**node, "enum": choices}, instance)
        return
    errors = Draft202012Validator(judge.schema).evolve(schema=node).iter_errors(instance)
    best = best_match(errors)
    if best is None or best.validator in ("anyOf", "oneOf"):
        yield Fault(where, "type", node, instance)
        return
    together = best.parent.context if best.parent is not None else [best]
    for each in together:
        if best.parent is None or each.relative_schema_path[0] == best.relative_schema_path[0]:
            yield from _as_faults(each, where)


def _as_faults(error: Any, where: Where) -> Iterator[Fault]:
    """An error of jsonschema; one for each key where it is about several."""
    inside = where + tuple(error.absolute_path)
    known = error.schema if isinstance(error.schema, dict) else {}
    if error.validator == "additionalProperties":
        for key in error.instance:
            if key not in known.get("properties", {}):
                yield Fault(inside, "unknown", known, key)
    elif error.validator == "required":
        # jsonschema gives an error for each key that is missing, and does not say which
        for key in known["required"]:
            if key not in error.instance:
                yield Fault(inside, "required", known, key)
    elif error.validator in ("anyOf", "oneOf"):
        yield Fault(inside, "type", known, error.instance)
    else:
        yield Fault(inside, str(error.validator), known, error.instance)


def _is_news(fault: Fault, unknown: Sequence[str], data: Any, places: Places) -> bool:
    """What is wrong only because of an error that is reported already is not reported again."""
    if fault.keyword in ("type", "minItems", "minProperties") and _is_cut(_at(data, fault.where), places):
        return False
    if fault.keyword != "required":
        return True
    if places.may_hide(_at(data, fault.where), str(fault.subject)):
        return False
    known = fault.node.get("properties", {})
    return all(nearest(each, known) != fault.subject for each in unknown)


def _is_cut(value: Any, places: Places) -> bool:
    """Whether nobody knows what is missing from a value, as an error that is reported already cut it off."""
    return isinstance(value, dict | list) and None in places.hidden(value)


def _finding(fault: Fault, data: Any, places: Places, scope: Scope | None, hints: Mapping[str, Hint]) -> Finding:
    address, inner = scope(fault.where) if scope else (None, fault.where)
    code, summary, why, mend = word(fault, inner, str(address or ""))
    hint = _hint(fault, hints)
    if hint is not None:
        code, summary, why, mend = hint.code, hint.summary or summary, hint.why, hint.mend
    return Finding(
        where=(*fault.where, fault.subject) if fault.names_key else fault.where,
        meant=_meant(fault),
        diagnostic=Diagnostic(
            severity=Severity.ERROR,
            code=code,
            summary=summary,
            detail=why,
            mend=mend,
            address=address,
            source=_place(fault, data, places),
        ),
    )


def _meant(fault: Fault) -> str | None:
    if fault.keyword != "unknown" or not isinstance(fault.node, dict):
        return None
    return nearest(str(fault.subject), fault.node.get("properties", {}))


def _hint(fault: Fault, hints: Mapping[str, Hint]) -> Hint | None:
    """The hint for an unknown key, unless only its case is wrong."""
    if fault.keyword != "unknown":
        return None
    key = str(fault.subject).lower()
    known = {each.lower() for each in fault.node.get("properties", {})} if isinstance(fault.node, dict) else set()
    return None if key in known else hints.get(key)


def _place(fault: Fault, data: Any, places: Places) -> SourceLocation:
    container = _at(data, fault.where)
    if fault.names_key and isinstance(container, dict):
        return places.key(container, fault.subject)
    if not fault.where:
        return places.of(container) if isinstance(container, dict | list) else SourceLocation(places.path, 1)
    parent, last = _at(data, fault.where[:-1]), fault.where[-1]
    if fault.keyword in ("required", "minProperties") and isinstance(parent, dict):
        return places.key(parent, str(last))
    return places.value(parent, last)


def _where(data: Any, path: Sequence[str | int], instance: Any) -> Where:
    """A path as jsonschema-rs gives it, which takes the keys ``"5"``, ``"05"`` and ``"+5"`` for the index 5."""
    if not any(isinstance(step, int) for step in path):
        return tuple(path)
    fitting = (where for where, value in _paths(data, path) if _plain(value) == instance)
    return next(fitting, ())


def _paths(data: Any, path: Sequence[str | int]) -> Iterator[tuple[Where, Any]]:
    """Every way to follow a path in which an index may stand for a key, and what it leads to."""
    if not path:
        yield (), data
        return
    step = path[0]
    for key in _keys_like(data, step) if isinstance(data, dict) and isinstance(step, int) else (step,):
        for where, value in _paths(data[key], path[1:]):
            yield (key, *where), value


def _keys_like(data: dict[str, Any], index: int) -> Iterator[str]:
    text = str(index)
    if text in data:
        yield text
    yield from (key for key in data if key != text and (key.removeprefix("+").lstrip("0") or "0") == text)


def _at(data: Any, where: Sequence[str | int]) -> Any:
    for step in where:
        data = data[step]
    return data
