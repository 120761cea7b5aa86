"""The parts of a plan as JSON and back: every type that stands in a plan file, from the inside out. Pure."""

from collections.abc import Mapping
from typing import Final

from reconciler.codecs import (
    BOOLEAN,
    INTEGER,
    TEXT,
    Codec,
    Malformed,
    at,
    by_name,
    one_of,
    optional,
    pair,
    read_text,
    record,
    several,
    tagged,
)
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

_WHOLE: Final = 2.0**53
"""Beyond it a float cannot tell neighbouring whole numbers apart, so it stays one."""


def encode_value(value: Value) -> Json:
    """A value as it stands in a plan file; a reference as an object of its own."""
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
            plain = {name: encode_value(each) for name, each in value.items()}
            return {"$literal": plain} if any(name.startswith("$") for name in plain) else plain
        case _:
            return [encode_value(each) for each in value]


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
_VALUE: Final = Codec(encode_value, _decode_value)
_JSON: Final = Codec(encode_value, _decode_json)
_SOURCE: Final = optional(record(SourceLocation, path=TEXT, line=INTEGER, column=INTEGER))
_TEXTS: Final = several(TEXT)
_NUMBERS: Final = several(INTEGER)

DIAGNOSTIC: Final = record(
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
_ACCESS_ITEM: Final = record(AccessItem, kind=one_of(AccessKind), attribute=TEXT, name=TEXT, privileged=BOOLEAN)
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
PLAN: Final = record(
    Plan,
    target=TEXT,
    profile=TEXT,
    changes=several(_CHANGE),
    drift=several(_CHANGE),
    operations=several(_OPERATION),
    violations=several(VIOLATION),
    refused=several(DIAGNOSTIC),
    notices=several(DIAGNOSTIC),
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
