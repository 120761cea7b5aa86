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
from typing import Final, TypeAlias, TypeVar
from urllib.parse import urlsplit

import orjson
from msgspec import Struct, field
from msgspec.structs import replace

from reconciler.errors import RecordTrouble
from reconciler.lazy import pattern
from reconciler.model import Address, AppliedResource, AppliedState, Json, ResourceType
from reconciler.record.lines import (
    Damage,
    entry_line,
    has_announcement,
    has_line,
    mapping_of,
    pending_line,
    read_entry,
    read_pending,
    text_or_none,
)

FORMAT: Final = 1
HEADER: Final = "header.json"
PENDING: Final = "pending.jsonl"
REPORT: Final = "report.json"

_FOLDERS: Final = {ResourceType.USER: "users", ResourceType.GROUP: "groups"}
_SHARD: Final = pattern(r"(?:users|groups)/[0-3]{3}\.jsonl")
_SHOWN: Final = 3
_MEND: Final = (
    "Put an earlier record back, or delete this one: without a record nothing is removed until an apply has reached "
    "its end."
)

_T = TypeVar("_T")
Files: TypeAlias = Mapping[str, bytes]


class Lease(Struct, frozen=True, kw_only=True):
    """Since when an apply is under way, and until when it may not be disturbed (ISO 8601, UTC)."""

    since: str
    until: str


class RecordHeader(Struct, frozen=True, kw_only=True):
    """Whose record it is and which run wrote it.

    `url_fingerprint`: see `url_fingerprint`. `source_commit`: the newest commit an apply set out for.
    `trees`: the settings file and the folders of declarations -> their ids in that commit, so that what was applied can
    be told from its like even after a rewritten history; empty outside git. `whole`: an apply has reached
    its end on this record. `generation`: commits since the chain was begun. `counts`: lines in users/, groups/ and
    pending.jsonl, so that a lost file is noticed. `lease`: of an apply that has not ended. `source_commit`, `whole` and
    `counts` are written by `encode`.
    """

    target: str
    url_fingerprint: str
    source_commit: str | None = None
    trees: Mapping[str, str] = field(default_factory=dict)
    whole: bool = False
    run: str = ""
    tool: str = ""
    generation: int = 1
    lease: Lease | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    format: int = FORMAT


def url_fingerprint(url: str) -> str:
    """SHA-256, in hex, of a base URL; the case of its host and a slash at its end make no difference."""
    parts = urlsplit(url)
    plain = parts._replace(netloc=parts.netloc.lower(), path=parts.path.rstrip("/")).geturl()
    return sha256(plain.encode()).hexdigest()


def shard_path(address: Address) -> str:
    """``users/013.jsonl``: three base-4 digits of the SHA-256 of the address.

    The digits are base 4 on purpose. Git pairs old and new files for deltas by a weak hash of their path, which
    confuses hexadecimal names and makes pushes many times larger.
    """
    first = sha256(str(address).encode()).digest()[0]
    return f"{_FOLDERS[address.resource_type]}/{first >> 6}{first >> 4 & 3}{first >> 2 & 3}.jsonl"


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
    files = {HEADER: _json_page(_header_json(written))}
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
    header = _read_header(files)
    _require_same_target(header, target, url)
    damages: list[str] = []
    entries = _collect(_entry_sources(files), _entry_at, damages)
    pending = _collect(
        _lines(files, [PENDING] if PENDING in files else []), lambda _, data: read_pending(data), damages
    )
    damages.extend(f"{path}: not a file of a record" for path in sorted(files) if not _is_known(path))
    damages.extend(f"{PENDING}: {address} has two sources" for address in _two_sources(entries, pending))
    damages = damages or list(_miscounted(header.counts, entries, pending))
    if damages:
        raise _unreadable(header.target, damages)
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
    counts = dict.fromkeys(_FOLDERS.values(), 0) | {"pending": pending}
    for path, lines in shards.items():
        counts[path.partition("/")[0]] += len(lines)
    return counts


def _header_json(header: RecordHeader) -> Json:
    return {
        "format": header.format,
        "target": header.target,
        "url": header.url_fingerprint,
        "source": {
            "commit": header.source_commit,
            "trees": dict(header.trees),
        },
        "whole": header.whole,
        "run": header.run,
        "tool": header.tool,
        "generation": header.generation,
        "lease": {"since": header.lease.since, "until": header.lease.until} if header.lease else None,
        "counts": dict(header.counts),
    }


# --- reading: the header


def _read_header(files: Files) -> RecordHeader:
    try:
        data = mapping_of(orjson.loads(files[HEADER]), "the file")
        _require_known_format(data)
        source = mapping_of(data["source"], "source")
        trees = mapping_of(source.get("trees", {}), "trees")
        return RecordHeader(
            target=_typed(data, "target", str),
            url_fingerprint=_typed(data, "url", str),
            source_commit=text_or_none(source["commit"], "commit"),
            trees={path: _typed(trees, path, str) for path in trees},
            whole=_typed(data, "whole", bool),
            run=_typed(data, "run", str),
            tool=_typed(data, "tool", str),
            generation=_typed(data, "generation", int),
            lease=_lease(data.get("lease")),
            counts={name: _typed(mapping_of(data["counts"], "counts"), name, int) for name in _count_names()},
        )
    except KeyError as error:
        raise _unreadable(None, [f"{HEADER}: {error.args[0]} is missing"]) from error
    except orjson.JSONDecodeError as error:
        raise _unreadable(None, [f"{HEADER}: not JSON"]) from error
    except Damage as error:
        raise _unreadable(None, [f"{HEADER}: {error}"]) from error


def _lease(data: object) -> Lease | None:
    if data is None:
        return None
    fields = mapping_of(data, "lease")
    return Lease(since=_typed(fields, "since", str), until=_typed(fields, "until", str))


def _require_known_format(data: Mapping[str, object]) -> None:
    found = _typed(data, "format", int)
    if found > FORMAT:
        raise RecordTrouble(
            f"The record was written by a newer reconciler (format {found}; this one reads format {FORMAT}).",
            "Install that version, or a later one; nothing was written.",
        )
    if found < 1:
        raise Damage(f"there is no format {found}")


def _require_same_target(header: RecordHeader, target: str | None, url: str | None) -> None:
    if target is not None and header.target != target:
        raise RecordTrouble(
            f'The record belongs to target "{header.target}", not to "{target}".',
            "Give the target its old name back, or begin a new record.",
        )
    if url is not None and header.url_fingerprint != url_fingerprint(url):
        raise RecordTrouble(
            f'The record of target "{header.target}" was made at another url than the one in the settings.',
            "Correct the url, or begin a new record if this is another organisation: its ids are others.",
        )


def _typed(data: Mapping[str, object], name: str, kind: type[_T]) -> _T:
    value = data[name]
    if type(value) is not kind:  # exactly: True is an int for isinstance
        raise Damage(f"{name} is not of type {kind.__name__}")
    return value


def _count_names() -> tuple[str, ...]:
    return (*_FOLDERS.values(), "pending")


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
    found = dict.fromkeys(_FOLDERS.values(), 0) | {"pending": len(pending)}
    for address in entries:
        found[_FOLDERS[address.resource_type]] += 1
    for name in _count_names():
        if counts[name] != found[name]:
            yield f"{name}: {counts[name]} lines announced, {found[name]} readable"


def _two_sources(entries: Mapping[Address, object], pending: Mapping[Address, AppliedResource]) -> Iterator[Address]:
    return (address for address, announced in pending.items() if announced.source and address in entries)


def _unreadable(target: str | None, damages: list[str]) -> RecordTrouble:
    whose = f' of target "{target}"' if target is not None else ""
    more = f"; and {len(damages) - _SHOWN} more" if len(damages) > _SHOWN else ""
    return RecordTrouble(f"The record{whose} cannot be read: {'; '.join(damages[:_SHOWN])}{more}.", _MEND)
