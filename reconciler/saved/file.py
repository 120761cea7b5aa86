"""A saved plan as a value and as the bytes of a file: the plan, what it is bound to, and a checksum over both.

The checksum finds accidents: a file that was cut off, merged or edited. It is no signature: whoever can write the file
can make another checksum. Pure: bytes in, values out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from msgspec import Struct

from reconciler.codecs import TEXT, Malformed, at, by_name, record, several
from reconciler.model import Json, Plan, Split, Violation
from reconciler.planfile import CHECKSUM, VIOLATION, checksum, document_of, plan_in, read, unusable, written
from reconciler.saved.splitting import BASE, encoded, split_in

_SAVED: Final = "saved"


class Binding(Struct, frozen=True, kw_only=True):
    """What a saved plan belongs to.

    `url`: fingerprint of the target's address. `day`: the day it was planned for, there (ISO date). `made`: when (ISO
    8601, UTC). `files`: SHA-256 of all that decided it, by path from the folder of the settings. `accepted`: broken
    rules that reviewed lines had lifted.
    """

    url: str
    day: str
    made: str
    files: Mapping[str, str]
    accepted: tuple[Violation, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedPlan:
    """A plan and what it belongs to; `split` if it was divided for reading. `checksum`: of one that was read."""

    plan: Plan
    binding: Binding
    split: Split | None = None
    checksum: str = field(default="", compare=False)


def dump_saved(saved: SavedPlan) -> bytes:
    """The bytes of a plan file, without a line end. `load_saved` gives back an equal value."""
    document = {**shown_document(saved.plan, saved.split), _SAVED: _BINDING.encode(saved.binding)}
    return written({**document, CHECKSUM: checksum(document)})


def load_saved(data: bytes, name: str) -> SavedPlan:
    """What `dump_saved` wrote to a file; InputError for anything else, with the place in it and the reason."""
    with unusable(name):
        document = read(data)
        if _SAVED not in document or CHECKSUM not in document:
            raise Malformed(
                "it is a plan that was printed, which says what to do but not to what it belongs",
                mend="save one by `reconciler plan --out FILE`",
            )
        binding = at(_SAVED, _BINDING.decode, document[_SAVED])
        plan = plan_in(document)
        split = split_in(document, plan)
        return SavedPlan(plan=plan, binding=binding, split=split, checksum=str(document[CHECKSUM]))


def load_shown(data: bytes, name: str) -> tuple[Plan, Split | None]:
    """A plan, saved or printed, and how it was divided. InputError as above."""
    with unusable(name):
        document = read(data)
        plan = plan_in(document)
        return plan, split_in(document, plan)


def shown_document(plan: Plan, split: Split | None) -> dict[str, Json]:
    """A plan as it is printed in JSON."""
    return {**document_of(plan), **({BASE: encoded(split)} if split is not None else {})}


_BINDING: Final = record(Binding, url=TEXT, day=TEXT, made=TEXT, files=by_name(TEXT), accepted=several(VIOLATION))
