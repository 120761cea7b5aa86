"""What single answers of a service provider mean for an operation. Pure."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final
from urllib.parse import unquote

from msgspec.structs import replace

from reconciler.model import (
    CreateResource,
    DeleteResource,
    Failed,
    Json,
    Operation,
    PatchResource,
    Succeeded,
)
from reconciler.scim.paths import short_path
from reconciler.transport.answers import Answer, Refusal, folded, is_usable_id

_NO_METHOD: Final = (405, 501)
_ABOUT_CONTENT: Final = (400, 403, 409, 413, 422)
"""What a request with one bad value is answered by one server or another."""
_ABOUT_A_MEMBER: Final = (404, 500)
"""The same where the bad value is the id of a member that there is not."""
_NO_CREDENTIAL: Final = 401
_FORBIDDEN: Final = 403
_VERBS: Final = {CreateResource: "create", PatchResource: "update", DeleteResource: "delete"}
_NAMED: Final = 5
"""How many names a message has."""


def id_in(answer: Answer) -> str | None:
    """The id a create was given: from the body, else the last part of Location (RFC 7644 §3.3)."""
    found = folded(answer.body).get("id") if answer.body else None
    if not isinstance(found, str) or not found:
        found = unquote((answer.location or "").partition("?")[0].rstrip("/").rpartition("/")[2])
    return found if is_usable_id(found) else None


def taken_name(refusal: Refusal, body: Mapping[str, Json]) -> str:
    """What a conflict on create is about, which the server's own words often leave out."""
    name = body.get("userName", body.get("displayName"))
    return f"{name} exists already on the server: " if refusal.status == 409 and isinstance(name, str) else ""


def is_version_conflict(answer: Answer | Refusal) -> bool:
    """412, or what some servers answer instead of it: 409, or 400 with the type meant for protocol versions.

    A 400 without any type may be one too, if it speaks of a version: error bodies that are not SCIM's have no types.
    """
    if not isinstance(answer, Refusal):
        return False
    return (
        answer.status == 412
        or (answer.status == 409 and answer.scim_type != "uniqueness")
        or (answer.status == 400 and (answer.scim_type or "").lower() == "invalidvers")
        or (answer.status == 400 and not answer.scim_type and "version" in answer.detail.lower())
    )


def is_collision(answer: Answer | Refusal) -> bool:
    """A conflict that is not said to be about a value: two writers may have met."""
    return isinstance(answer, Refusal) and answer.status == 409 and (answer.scim_type or "").lower() != "uniqueness"


def takes_no_such_patch(refusal: Refusal) -> bool:
    """The server has no PATCH, or not for a path of this form (RFC 7644 §3.12 ``invalidPath``, ``invalidFilter``)."""
    return refusal.status in _NO_METHOD or (
        refusal.status == 400 and (refusal.scim_type or "").lower() in ("invalidpath", "invalidfilter")
    )


def takes_no_patch(refusal: Refusal) -> bool:
    """The server has no PATCH at all."""
    return refusal.status in _NO_METHOD


def may_concern_a_part(refusal: Refusal, *, members: bool) -> bool:
    """Whether a change may have been refused for one of the things that it asks for, so that the others can be had."""
    return refusal.status in _ABOUT_CONTENT or (members and refusal.status in _ABOUT_A_MEMBER)


def is_gone(refusal: Refusal) -> bool:
    """There is nothing under that id."""
    return refusal.status in (404, 410)


def is_no_target(refusal: Refusal) -> bool:
    """What was to be removed is not there, or the whole resource is not (RFC 7644 §3.12 ``noTarget``)."""
    return is_gone(refusal) or (refusal.scim_type or "").lower() == "notarget"


def same_version(one: str | None, other: str | None) -> bool:
    """Weak comparison (RFC 9110 §8.8.3.2): what is sent stays as it was received, with its ``W/``."""
    return one is not None and other is not None and one.removeprefix("W/") == other.removeprefix("W/")


def missing_rights(operation: Operation, refusal: Refusal, sent: Iterable[str], rights: Mapping[str, str]) -> str:
    """The rights that a request takes, in words: those of the attributes that the refusal names, else all it may be.

    An attribute without a right of its own takes that of the whole.

    Empty where it is not about a right, where the server names one itself, or where the profile knows none.
    """
    known = {right for each in rights.values() for right in each.split(" and ")}
    if refusal.status != _FORBIDDEN or any(each in refusal.detail for each in known):
        return ""
    verb = _verb(operation)
    names = [short_path(each).partition("[")[0].partition(".")[0] for each in sent]
    said = [each for each in dict.fromkeys(names) if re.search(rf"\b{re.escape(each)}\b", refusal.detail)]
    if own := [rights[each] for each in said if each in rights]:
        return " and ".join(own)
    whole = rights.get(f"{operation.address.resource_type.value}s.{verb}", "")
    if said:
        return whole
    others = [f"for {each} {rights[each]}" for each in dict.fromkeys(names) if each in rights]
    return ", ".join(each for each in (whole, *others) if each)


def named(names: Collection[str]) -> str:
    """The first few names, and how many more."""
    shown = sorted(names)[:_NAMED]
    return ", ".join(shown) + (f" and {len(names) - len(shown)} more" if len(names) > len(shown) else "")


def explained(operation: Operation, refusal: Refusal, sent: Iterable[str], rights: Mapping[str, str]) -> Refusal:
    """The refusal with what to look at where it is about the credential: the rights that such a request takes.

    `sent`: names or paths. Where the profile knows no rights, it is said what the credential may have no right to do.
    """
    needed = missing_rights(operation, refusal, sent, rights)
    look = f"it takes {needed}" if needed else ""
    if refusal.status == _NO_CREDENTIAL:
        look = "the credential is not accepted: check the token and its expiry"
    elif refusal.status == _FORBIDDEN and not rights:
        look = f"the credential may have no right to {_verb(operation)} {operation.address.resource_type.value}s"
    return replace(refusal, detail=f"{refusal.detail.rstrip('.')}; {look}".lstrip("; ")) if look else refusal


def _verb(operation: Operation) -> str:
    return next(word for kind, word in _VERBS.items() if isinstance(operation, kind))


def with_request(refusal: Refusal) -> str:
    """A refusal, how often it was tried, and the id under which the provider can find it."""
    tries = f"{refusal.attempts} tries" if refusal.later and refusal.attempts > 1 else ""
    request = f"request {refusal.request_id}" if refusal.request_id else ""
    about = ", ".join(each for each in (tries, request) if each)
    return f"{str(refusal).rstrip('.')} ({about})" if about else str(refusal)


def in_words(refusal: Refusal) -> str:
    """What the server said; the status stands beside it in the result."""
    return with_request(replace(refusal, status=None))


def succeeded(operation: Operation, live_id: str, notes: Sequence[str]) -> Succeeded:
    """It is done, and what there is to say of that."""
    return Succeeded(number=operation.number, live_id=live_id, note="; ".join(notes))


def failed(operation: Operation, refusal: Refusal, lead: str = "") -> Failed:
    """It was refused, in the server's words behind a `lead` of ours."""
    message = lead + in_words(refusal)
    return Failed(number=operation.number, message=message, status=refusal.status, unknown=refusal.unknown)


def names_in(body: Mapping[str, Json]) -> list[str]:
    """The attributes of a resource, those of its extensions too (RFC 7643 §3.3)."""
    inner = [
        name for urn, each in body.items() if urn.startswith("urn:") and isinstance(each, Mapping) for name in each
    ]
    return [*(name for name in body if not name.startswith("urn:")), *inner]
