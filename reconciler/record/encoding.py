"""The record of a target as files, and back: what was applied and what is announced, in canonical JSON.

::

    header.json                           whose record this is, and how much of it there must be
    users/000.jsonl … users/333.jsonl     64 shards, one line an address, sorted; groups/ the same
    pending.jsonl                         what an apply announced and nobody has verified
    report.json                           the end report of the run that wrote it

Bytes in, bytes out: where they are kept is the business of a record store. The same state always gives the same bytes,
so an unchanged shard stays the same object in git. Reading believes nothing: a record that is damaged in one place is
unreadable as a whole, because a missing entry would read as "never ours" and a wrong one as "ours, remove it".
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from hashlib import sha256
from typing import Final, TypeAlias

import orjson
from msgspec.structs import replace

from reconciler.errors import RecordTrouble
from reconciler.lazy import pattern
from reconciler.model import Address, AppliedResource, AppliedState, Json
from reconciler.record.header import (
    COUNTED,
    FOLDERS,
    FORMAT,
    HEADER,
    Files,
    RecordHeader,
    header_json,
    read_header,
    require_same_target,
    unreadable,
)
from reconciler.record.lines import (
    Damage,
    entry_line,
    has_announcement,
    has_line,
    pending_line,
    read_entry,
    read_pending,
)

PENDING: Final = "pending.jsonl"
REPORT: Final = "report.json"

_SHARD: Final = pattern(r"(?:users|groups)/[0-3]{3}\.jsonl")


def shard_path(address: Address) -> str:
    """``users/013.jsonl``: three base-4 digits of the SHA-256 of the address.

    The digits are base 4 on purpose. Git pairs old and new files for deltas by a weak hash of their path, which
    confuses hexadecimal names and makes pushes many times larger.
    """
    first = sha256(str(address).encode()).digest()[0]
    return f"{FOLDERS[address.resource_type]}/{first >> 6}{first >> 4 & 3}{first >> 2 & 3}.jsonl"


def encode(state: AppliedState, header: RecordHeader, report: Mapping[str, Json] | None) -> dict[str, bytes]:
    """The files of a record, path -> content. Files that would be empty are left out.

    The header's commit, `whole` and counts are taken from `state`, so the two cannot disagree. RecordTrouble if a
    value cannot be written as JSON.
    """
    shards: dict[str, list[bytes]] = {}
    pending: list[bytes] = []
    for address in sorted(state.resources, key=str):
        entry = state.resources[address]
        if has_line(entry):
            shards.setdefault(shard_path(address), []).append(_json_line(entry_line(entry), address))
        if has_announcement(entry):
            pending.append(_json_line(pending_line(entry), address))
    written = replace(
        header, source_commit=state.commit, whole=state.whole, counts=_counts(shards, len(pending)), format=FORMAT
    )
    files = {HEADER: _json_page(header_json(written))}
    files.update((path, b"".join(lines)) for path, lines in shards.items())
    if pending:
        files[PENDING] = b"".join(pending)
    if report is not None:
        files[REPORT] = _json_page(report)
    return files


def decode(files: Files, *, target: str | None = None, url: str | None = None) -> tuple[AppliedState, RecordHeader]:
    """The state and the header that `encode` wrote; `report.json` is for people and is not read.

    With `target` and `url` the record must be theirs. RecordTrouble for anything that is damaged, incomplete, written
    in a newer format, or another target's.
    """
    header = read_header(files)
    require_same_target(header, target, url)
    damages: list[str] = []
    entries = _collect(_entry_sources(files), _entry_at, damages)
    pending = _collect(
        _lines(files, [PENDING] if PENDING in files else []), lambda _, data: read_pending(data), damages
    )
    damages.extend(f"{path}: not a file of a record" for path in sorted(files) if not _is_known(path))
    damages.extend(f"{PENDING}: {address} has two sources" for address in _two_sources(entries, pending))
    damages = damages or list(_miscounted(header.counts, entries, pending))
    if damages:
        raise unreadable(header.target, damages)
    resources = entries | {
        address: replace(entries.get(address, announced), pending=announced.pending)
        for address, announced in pending.items()
    }
    return AppliedState(commit=header.source_commit, whole=header.whole, resources=resources, exists=True), header


# --- writing


def _json_line(data: Json, address: Address) -> bytes:
    try:
        return orjson.dumps(data, default=_plain, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)
    except orjson.JSONEncodeError as error:
        raise RecordTrouble(
            f"The record cannot hold a value of {address}: {error}.",
            "Change that value in the declarations; nothing was written.",
        ) from error


def _json_page(data: Json) -> bytes:
    option = orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    return orjson.dumps(data, default=_plain, option=option)


def _plain(value: object) -> object:
    """What orjson does not know by itself: mappings that are not dicts."""
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is no JSON value")


def _counts(shards: Mapping[str, list[bytes]], pending: int) -> dict[str, int]:
    counts = dict.fromkeys(FOLDERS.values(), 0) | {"pending": pending}
    for path, lines in shards.items():
        counts[path.partition("/")[0]] += len(lines)
    return counts


# --- reading: the lines

_Place: TypeAlias = tuple[str, int]


def _is_known(path: str) -> bool:
    return path in (HEADER, PENDING, REPORT) or _SHARD.fullmatch(path) is not None


def _entry_sources(files: Files) -> Iterator[tuple[_Place, bytes]]:
    return _lines(files, sorted(path for path in files if _SHARD.fullmatch(path)))


def _lines(files: Files, paths: Iterable[str]) -> Iterator[tuple[_Place, bytes]]:
    for path in paths:
        for number, line in enumerate(files[path].removesuffix(b"\n").split(b"\n"), start=1):
            yield (path, number), line


def _collect(
    lines: Iterable[tuple[_Place, bytes]],
    read: Callable[[str, object], AppliedResource],
    damages: list[str],
) -> dict[Address, AppliedResource]:
    """Address -> what its line says; what cannot be read goes to `damages` with file and line."""
    found: dict[Address, AppliedResource] = {}
    for (path, number), line in lines:
        try:
            entry = read(path, orjson.loads(line))
            if entry.address in found:
                raise Damage(f"a second line for {entry.address}")
            found[entry.address] = entry
        except orjson.JSONDecodeError:
            damages.append(f"{path}:{number}: not JSON")
        except Damage as error:
            damages.append(f"{path}:{number}: {error}")
    return found


def _entry_at(path: str, data: object) -> AppliedResource:
    entry = read_entry(data)
    if shard_path(entry.address) != path:
        raise Damage(f"{entry.address} does not belong into this file")
    return entry


def _miscounted(
    counts: Mapping[str, int], entries: Mapping[Address, object], pending: Mapping[Address, object]
) -> Iterator[str]:
    found = dict.fromkeys(FOLDERS.values(), 0) | {"pending": len(pending)}
    for address in entries:
        found[FOLDERS[address.resource_type]] += 1
    for name in COUNTED:
        if counts[name] != found[name]:
            yield f"{name}: {counts[name]} lines announced, {found[name]} readable"


def _two_sources(entries: Mapping[Address, object], pending: Mapping[Address, AppliedResource]) -> Iterator[Address]:
    return (address for address, announced in pending.items() if announced.source and address in entries)
