"""The header of a record: whose it is, which run wrote it, and how much of it there must be. As JSON and back."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Final, TypeAlias, TypeVar
from urllib.parse import urlsplit

import orjson
from msgspec import Struct, field

from reconciler.errors import RecordTrouble
from reconciler.model import Json, ResourceType
from reconciler.record.lines import Damage, mapping_of, text_or_none

FORMAT: Final = 1
HEADER: Final = "header.json"
FOLDERS: Final = {ResourceType.USER: "users", ResourceType.GROUP: "groups"}
COUNTED: Final = (*FOLDERS.values(), "pending")
"""What the header says the number of lines of."""
_SHOWN: Final = 3
_MEND: Final = (
    "Put an earlier record back, or delete this one: without a record nothing is removed until an apply has reached "
    "its end."
)

_T = TypeVar("_T")
Files: TypeAlias = Mapping[str, bytes]
"""Path -> content."""


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
    `counts` are written by `encoding.encode`.
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


def header_json(header: RecordHeader) -> Json:
    """The header as `read_header` takes it back."""
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


def read_header(files: Files) -> RecordHeader:
    """The header among the files of a record. RecordTrouble if it is missing, damaged, or of a newer format."""
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
            counts={name: _typed(mapping_of(data["counts"], "counts"), name, int) for name in COUNTED},
        )
    except KeyError as error:
        raise unreadable(None, [f"{HEADER}: {error.args[0]} is missing"]) from error
    except orjson.JSONDecodeError as error:
        raise unreadable(None, [f"{HEADER}: not JSON"]) from error
    except Damage as error:
        raise unreadable(None, [f"{HEADER}: {error}"]) from error


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


def require_same_target(header: RecordHeader, target: str | None, url: str | None) -> None:
    """RecordTrouble if the record is another target's, as far as the two are given."""
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


def unreadable(target: str | None, damages: list[str]) -> RecordTrouble:
    """What stops an apply: the first few damages, and how many more."""
    whose = f' of target "{target}"' if target is not None else ""
    more = f"; and {len(damages) - _SHOWN} more" if len(damages) > _SHOWN else ""
    return RecordTrouble(f"The record{whose} cannot be read: {'; '.join(damages[:_SHOWN])}{more}.", _MEND)
