"""What a service provider answered, as values: success, refusal, and JSON that is bounded before anybody walks it.

Reads leniently (RFC 7644 §3.12 errors, other error bodies, web pages) and keeps no more of a refusal than one line.
Everything here that came from a server is untrusted text; whoever prints it makes it safe for the medium.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, Final, NoReturn, TypeGuard

import orjson
from msgspec import Struct

from reconciler.model import BULK_ID, Json

MAX_BODY: Final = 100 * 1024 * 1024
"""Bytes of one answer, after decompression."""
MAX_DEPTH: Final = 64
"""Containers inside one another. SCIM needs about six."""
_MAX_DETAIL: Final = 300
_CONTAINERS: Final = frozenset({dict, list})
_ID: Final = re.compile(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,1024}")
_REQUEST_ID = re.compile(r"(request|correlation)-?id$")


class Answer(Struct, frozen=True, kw_only=True):
    """A success. `version` is ``meta.version`` of the body; an ETag header alone may be a mere body hash."""

    status: int
    body: Mapping[str, Json] | None = None
    version: str | None = None
    request_id: str | None = None
    location: str | None = None
    attempts: int = 1


class Refusal(Struct, frozen=True, kw_only=True):
    """A failure of one request. `status` None: no answer. `unknown`: the server may have done it all the same.

    `later`: the server asked to come back later, to the last try. `withheld`: we sent it no more, for reasons of ours.
    """

    status: int | None
    scim_type: str | None = None
    detail: str = ""
    request_id: str | None = None
    unknown: bool = False
    later: bool = False
    withheld: bool = False
    attempts: int = 1

    def __str__(self) -> str:
        head = " ".join(str(each) for each in (self.status, self.scim_type) if each)
        return ": ".join(each for each in (head, self.detail) if each) or "refused"


class Unreadable(ValueError):
    """A body that is not JSON, or too deep; the text says which, without quoting it."""


def read_json(body: bytes) -> Any:
    """The JSON value of a body. Raises Unreadable; a web page is called by that name."""
    try:
        document = _parsed(body)
    except (ValueError, RecursionError):
        raise Unreadable(_what_instead(body)) from None
    if _too_deep(document):
        raise Unreadable(f"JSON nested deeper than {MAX_DEPTH} levels")
    return document


def folded(mapping: Mapping[str, Any]) -> dict[str, Any]:
    """The same members with lower-case names: attribute names compare without case (RFC 7643 §2.1)."""
    return {name.lower(): value for name, value in mapping.items()}


def member(mapping: Mapping[str, Any], name: str) -> Any:
    """The member of that name in any case; nearly all are spelled as the standard has them."""
    value = mapping.get(name)
    if value is None:
        lower = name.lower()
        value = next((each for spelled, each in mapping.items() if spelled.lower() == lower), None)
    return value


def is_usable_id(found: object) -> TypeGuard[str]:
    """Whether an id can be kept and made a part of an address (RFC 7643 §3.1 says only that it is text).

    Not "." and "..", which would change the address; nothing that passes for the placeholder of somebody new, and no
    control characters, halves of characters or texts without end, which only a server makes that means harm.
    """
    return (
        isinstance(found, str)
        and _ID.fullmatch(found) is not None
        and found not in (".", "..")
        and not found.startswith(BULK_ID)
    )


def version_of(body: Mapping[str, Json] | None) -> str | None:
    """``meta.version`` byte for byte as received (RFC 7644 §3.14)."""
    meta = member(body, "meta") if body else None
    version = member(meta, "version") if isinstance(meta, dict) else None
    return version if isinstance(version, str) and version else None


def request_id_of(headers: Mapping[str, str]) -> str | None:
    """The id under which the provider can find this request in its own logs."""
    for name, value in headers.items():
        if _REQUEST_ID.search(name.lower()):
            return value[:100]
    return None


def error_of(body: bytes) -> tuple[str | None, str]:
    """(scimType, detail) of an error body; a web page or nothing gives a few words of our own."""
    if not body.strip():
        return None, ""
    try:
        document = read_json(body)
    except Unreadable as problem:
        return None, f"({problem})"
    if not isinstance(document, dict):
        return None, ""
    members = folded(document)
    scim_type = members.get("scimtype")
    words = (members.get(name) for name in ("detail", "message", "error_description", "error"))
    detail = next((each for each in words if isinstance(each, str) and each.strip()), "")
    return (one_line(scim_type, 40) if isinstance(scim_type, str) and scim_type else None), one_line(detail)


def one_line(text: str, limit: int = _MAX_DETAIL) -> str:
    """Text without line breaks, cut to a length that leaves a message readable."""
    line = " ".join(text[: limit * 4].split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _parsed(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        # Lone surrogates are JSON (RFC 8259 §8.2), and some providers store them; NaN is not.
        return json.loads(body, parse_constant=_no_number)


def _no_number(name: str) -> NoReturn:
    raise ValueError(name)


def _too_deep(document: Any) -> bool:
    level = [document] if type(document) in _CONTAINERS else []
    for _ in range(MAX_DEPTH):
        level = [
            child
            for node in level
            for child in (node.values() if type(node) is dict else node)
            if type(child) in _CONTAINERS
        ]
        if not level:
            return False
    return bool(level)


def _what_instead(body: bytes) -> str:
    start = body[:1024].lstrip().lower()
    if not start:
        return "an empty answer"
    if start.startswith((b"<!doctype html", b"<html")) or b"<html" in start:
        return "a web page"
    return "an answer that is not JSON"
