r"""The plan file: a plan as canonical JSON and back, and the digest of what it intends.

The file is one JSON object. Its members are the fields of `Plan` under their own names, all of them, always, and
``digest``; schemas/plan.schema.json describes each. Beside them may stand what others add for their own use (`BESIDE`).
Canonical means: members sorted, no white space, a whole number without a fraction; equal plans give equal bytes. All of
it is ASCII, and ``##`` is spelled ``\u0023#``: printed on a terminal or into the log of a CI system, no name in it can
do anything.

An address is text (``user.alice.ng``), an operation says its ``kind``. Where an attribute's value is a reference it is
``{"$address": "user.bob.li"}`` or ``{"$live": {"name": …, "resource_type": …}}``, and an object with a member that
begins with ``$`` is wrapped in ``{"$literal": …}``, so that no value can pass for something else.

Reading is strict: whatever is missing, unknown, of the wrong type or at odds with the digest is an InputError that
names the place. Pure: bytes in, values out; no files.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

from reconciler.codecs import (
    BOOLEAN,
    INTEGER,
    TEXT,
    Codec,
    Malformed,
    at,
    by_name,
    json_bytes,
    one_of,
    optional,
    pair,
    parsed_json,
    read_integer,
    read_object,
    read_text,
    record,
    several,
    tagged,
)
from reconciler.errors import InputError
from reconciler.model import (
    AccessChange,
    AccessItem,
    AccessKind,
    Action,
    Address,
    AttributeChange,
    Cause,
    Change,
    CreateResource,
    DeleteResource,
    Diagnostic,
    Json,
    LiveReference,
    Operation,
    Origin,
    PatchOp,
    PatchOperation,
    PatchResource,
    Plan,
    ResourceType,
    Severity,
    SourceLocation,
    Value,
    Violation,
)

FORMAT_VERSION: Final = 1
CHECKSUM: Final = "checksum"
MASKED: Final = "masked"
BESIDE: Final = frozenset({CHECKSUM, "saved", "base", MASKED})
"""Members that are no part of the plan: what a saved one is bound to, what a comparison found, what is left out."""
_UNSAFE: Final = re.compile(r"[^\x20-\x7e]|#(?=#)")
_WHOLE: Final = 2.0**53
"""Beyond it a float cannot tell neighbouring whole numbers apart, so it stays one."""


def dump(plan: Plan) -> bytes:
    """The plan as canonical JSON, without a line end. `load` gives back an equal plan."""
    return written(document_of(plan))


def load(data: bytes, name: str = "the file") -> Plan:
    """The plan that `dump` wrote, whatever stands beside it; InputError for anything else, with place and reason."""
    with unusable(name):
        return plan_in(read(data))


def document_of(plan: Plan) -> dict[str, Json]:
    """The plan and its digest as a JSON object."""
    return {**read_object(_PLAN.encode(plan)), "digest": digest(plan)}


def diagnostic_document(diagnostic: Diagnostic) -> Json:
    """A diagnostic as it stands in a plan file."""
    return _DIAGNOSTIC.encode(diagnostic)


def written(document: Mapping[str, Json]) -> bytes:
    """A JSON object as the bytes of a plan file."""
    return _UNSAFE.sub(_escaped, json_bytes(document).decode()).encode()


def checksum(document: Mapping[str, Json]) -> str:
    """SHA-256 (64 hex digits) of a whole document but its checksum: finds what was cut off or altered by accident."""
    return hashlib.sha256(json_bytes({name: each for name, each in document.items() if name != CHECKSUM})).hexdigest()


def read(data: bytes) -> dict[str, Json]:
    """The JSON object of a plan file, of a format that this version reads, unharmed. Malformed if it is not."""
    document = read_object(parsed_json(data))
    _check_format(document)
    if MASKED in document:
        raise Malformed("its people are masked, it is for reading only", MASKED, mend="use one without --mask")
    if CHECKSUM in document and document[CHECKSUM] != checksum(document):
        raise Malformed("does not match the rest; the file was altered after it was written", CHECKSUM)
    return document


def plan_in(document: Mapping[str, Json]) -> Plan:
    """The plan in such an object. Malformed, also where the digest is another plan's."""
    members = {name: each for name, each in document.items() if name not in BESIDE}
    claimed = at("digest", read_text, members.pop("digest", None))
    plan = _PLAN.decode(members)
    if claimed != digest(plan):
        raise Malformed("does not match the changes; the file was altered after it was written", "digest")
    _check_order(plan.operations)
    return plan


@contextmanager
def unusable(what: str) -> Iterator[None]:
    """Whatever is Malformed inside is an InputError outside."""
    try:
        yield
    except Malformed as fault:
        place = f"{fault.place}: " if fault.place else ""
        raise InputError(
            f"{what} cannot be used as a plan: {place}{fault.reason}", mend=fault.mend or "make the plan again"
        ) from None


def digest(plan: Plan) -> str:
    """SHA-256 (64 hex digits) of what the plan intends, whatever words, places, versions or causes stand beside it.

    Covers target, profile, of each change the address, the live id, the actions and the attribute changes (path, op,
    before, after, item), and of each violation the rule and its items. The order of none of them matters.
    """
    return hashlib.sha256(json_bytes(_intent(plan))).hexdigest()


def violation_digest(rule: str, items: Iterable[str]) -> str:
    """What an acceptance names: the first 8 hex digits of the SHA-256 over a rule and its items, in any order."""
    return hashlib.sha256(json_bytes([rule, *sorted(items)])).hexdigest()[:8]


def _check_format(document: Mapping[str, Json]) -> None:
    written = at("format_version", read_integer, document.get("format_version"))
    if written == FORMAT_VERSION:
        return
    tool = document.get("tool_version")
    by = f" (by version {tool})" if isinstance(tool, str) and tool else ""
    age = "newer" if written > FORMAT_VERSION else "older"
    raise Malformed(
        f"written in the {age} format {written}{by}, this version reads format {FORMAT_VERSION}",
        "format_version",
        "read it with the version that wrote it, or make the plan again",
    )


def _check_order(operations: Sequence[Operation]) -> None:
    """An operation may only wait for one that stands before it, so nothing can wait for ever."""
    seen: set[int] = set()
    for index, each in enumerate(operations):
        if each.number in seen:
            raise Malformed(f"the number {each.number} is taken", f"operations[{index}].number")
        if not seen.issuperset(each.depends_on):
            raise Malformed("names an operation that does not come before this one", f"operations[{index}].depends_on")
        seen.add(each.number)


def _escaped(found: re.Match[str]) -> str:
    """As JSON spells it. Such characters stand in strings only, where an escape means the same."""
    units = found.group().encode("utf-16-be")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


# --- the intent


def _intent(plan: Plan) -> Json:
    return {
        "target": plan.target,
        "profile": plan.profile,
        "changes": sorted((_change_intent(each) for each in plan.changes), key=json_bytes),
        "violations": sorted(([each.rule, *sorted(each.items)] for each in plan.violations), key=json_bytes),
    }


def _change_intent(change: Change) -> Json:
    differences: list[Json] = [
        [each.path, each.op, _encode_value(each.before), _encode_value(each.after), each.item]
        for each in change.attribute_changes
    ]
    return {
        "address": str(change.address),
        "live_id": change.live_id,
        "actions": sorted(change.actions),
        "attributes": differences if len(differences) < 2 else sorted(differences, key=json_bytes),
    }


# --- values


def _encode_value(value: Value) -> Json:
    match value:
        case float() if value.is_integer() and abs(value) < _WHOLE:
            return int(value)
        case None | str() | bool() | int() | float():
            return value
        case Address():
            return {"$address": str(value)}
        case LiveReference():
            return {"$live": {"resource_type": value.resource_type, "name": value.name}}
        case Mapping():
            plain = {name: _encode_value(each) for name, each in value.items()}
            return {"$literal": plain} if any(name.startswith("$") for name in plain) else plain
        case _:
            return [_encode_value(each) for each in value]


def _decode_value(raw: Json) -> Value:
    if isinstance(raw, list):
        return [_decode_json(each) for each in raw]
    if not isinstance(raw, dict):
        return raw
    if not any(name.startswith("$") for name in raw):
        return {name: _decode_json(each) for name, each in raw.items()}
    return _decode_special(raw)


def _decode_special(raw: Mapping[str, Json]) -> Value:
    match raw:
        case {"$address": address} if len(raw) == 1:
            return at("$address", _ADDRESS.decode, address)
        case {"$live": reference} if len(raw) == 1:
            return at("$live", _LIVE.decode, reference)
        case {"$literal": Mapping() as literal} if len(raw) == 1:
            return {name: _decode_json(each) for name, each in literal.items()}
    raise Malformed("an object whose members begin with $ has no meaning here")


def _decode_json(raw: Json) -> Json:
    """A value inside a value, where no reference can stand."""
    value = _decode_value(raw)
    if isinstance(value, Address | LiveReference):
        raise Malformed("a reference cannot stand inside a value")
    return value


def _decode_address(raw: Json) -> Address:
    try:
        return Address.parse(read_text(raw))
    except ValueError:
        raise Malformed("must be an address such as user.alice.ng") from None


# --- the types, from the inside out

_ADDRESS: Final = Codec(str, _decode_address)
_LIVE: Final = record(LiveReference, resource_type=one_of(ResourceType), name=TEXT)
_VALUE: Final = Codec(_encode_value, _decode_value)
_JSON: Final = Codec(_encode_value, _decode_json)
_SOURCE: Final = optional(record(SourceLocation, path=TEXT, line=INTEGER, column=INTEGER))
_TEXTS: Final = several(TEXT)
_NUMBERS: Final = several(INTEGER)

_DIAGNOSTIC: Final = record(
    Diagnostic,
    severity=one_of(Severity),
    code=TEXT,
    summary=TEXT,
    detail=TEXT,
    mend=TEXT,
    address=optional(_ADDRESS),
    source=_SOURCE,
)
_ATTRIBUTE_CHANGE: Final = record(
    AttributeChange,
    path=TEXT,
    op=one_of(PatchOp),
    cause=one_of(Cause),
    before=_VALUE,
    after=_VALUE,
    item=optional(TEXT),
    notes=_TEXTS,
    origin=optional(record(Origin, source=_SOURCE, via=TEXT)),
    until=optional(TEXT),
)
_CHANGE: Final = record(
    Change,
    address=_ADDRESS,
    actions=several(one_of(Action)),
    cause=one_of(Cause),
    label=TEXT,
    live_id=optional(TEXT),
    version=optional(TEXT),
    attribute_changes=several(_ATTRIBUTE_CHANGE),
    reason=TEXT,
    source=_SOURCE,
    notes=_TEXTS,
    kept=by_name(INTEGER),
    warnings=_TEXTS,
)
_OPERATION: Final = tagged(
    create=(
        CreateResource,
        record(CreateResource, number=INTEGER, address=_ADDRESS, body=by_name(_JSON), depends_on=_NUMBERS),
    ),
    patch=(
        PatchResource,
        record(
            PatchResource,
            number=INTEGER,
            address=_ADDRESS,
            live_id=TEXT,
            operations=several(record(PatchOperation, op=one_of(PatchOp), path=TEXT, value=_JSON)),
            version=optional(TEXT),
            depends_on=_NUMBERS,
        ),
    ),
    delete=(
        DeleteResource,
        record(DeleteResource, number=INTEGER, address=_ADDRESS, live_id=TEXT, depends_on=_NUMBERS),
    ),
)
VIOLATION: Final = record(
    Violation, rule=TEXT, summary=TEXT, actual=INTEGER, limit=INTEGER, items=_TEXTS, digest=TEXT, mend=TEXT
)
_ACCESS_ITEM: Final = record(AccessItem, kind=one_of(AccessKind), name=TEXT, privileged=BOOLEAN)
_ACCESS: Final = record(
    AccessChange,
    person=TEXT,
    name=TEXT,
    label=TEXT,
    gains=several(_ACCESS_ITEM),
    loses=several(_ACCESS_ITEM),
    starts=BOOLEAN,
    ends=BOOLEAN,
)
_PLAN: Final = record(
    Plan,
    target=TEXT,
    profile=TEXT,
    changes=several(_CHANGE),
    drift=several(_CHANGE),
    operations=several(_OPERATION),
    violations=several(VIOLATION),
    refused=several(_DIAGNOSTIC),
    notices=several(_DIAGNOSTIC),
    names=by_name(pair(TEXT, TEXT)),
    matched=by_name(INTEGER, one_of(ResourceType)),
    unmanaged=INTEGER,
    requests=INTEGER,
    requests_per_minute=optional(INTEGER),
    access=several(_ACCESS),
    commit=optional(TEXT),
    tool_version=TEXT,
    format_version=INTEGER,
)
