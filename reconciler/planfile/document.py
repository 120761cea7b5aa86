"""The plan file as bytes: written, read strictly, and found out when it was altered or cut off. No files, no clock."""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

from reconciler.codecs import Malformed, at, json_bytes, parsed_json, read_integer, read_object, read_text
from reconciler.errors import InputError
from reconciler.model import Diagnostic, Json, Operation, Plan
from reconciler.planfile.digests import digest
from reconciler.planfile.shape import DIAGNOSTIC, PLAN

FORMAT_VERSION: Final = 1
CHECKSUM: Final = "checksum"
MASKED: Final = "masked"
BESIDE: Final = frozenset({CHECKSUM, "saved", "base", MASKED})
"""Members that are no part of the plan: what a saved one is bound to, what a comparison found, what is left out."""
_UNSAFE: Final = re.compile(r"[^\x20-\x7e]|#(?=#)")


def dump(plan: Plan) -> bytes:
    """The plan as canonical JSON, without a line end. `load` gives back an equal plan."""
    return written(document_of(plan))


def load(data: bytes, name: str = "the file") -> Plan:
    """The plan that `dump` wrote, whatever stands beside it; InputError for anything else, with place and reason."""
    with unusable(name):
        return plan_in(read(data))


def document_of(plan: Plan) -> dict[str, Json]:
    """The plan and its digest as a JSON object."""
    return {**read_object(PLAN.encode(plan)), "digest": digest(plan)}


def diagnostic_document(diagnostic: Diagnostic) -> Json:
    """A diagnostic as it stands in a plan file."""
    return DIAGNOSTIC.encode(diagnostic)


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
    plan = PLAN.decode(members)
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
