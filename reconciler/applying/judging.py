"""What single answers of a service provider mean for an operation. Pure."""

from collections.abc import Collection, Mapping
from typing import Final
from urllib.parse import unquote

from reconciler.model import Json
from reconciler.transport.answers import Answer, Refusal, folded

_NAMED: Final = 5
"""How many ids a message names."""


def id_in(answer: Answer) -> str | None:
    """The id a create was given: from the body, else the last part of Location (RFC 7644 §3.3)."""
    found = folded(answer.body).get("id") if answer.body else None
    if not isinstance(found, str) or not found:
        found = unquote((answer.location or "").partition("?")[0].rstrip("/").rpartition("/")[2])
    # "." and ".." would change the address that the id becomes a part of.
    return found if found not in ("", ".", "..") else None


def taken_name(refusal: Refusal, body: Mapping[str, Json]) -> str:
    """What a conflict on create is about, which the server's own words often leave out."""
    name = body.get("userName", body.get("displayName"))
    return f"{name} exists already on the server: " if refusal.status == 409 and isinstance(name, str) else ""


def is_version_conflict(answer: Answer | Refusal) -> bool:
    """412, or what some servers answer instead of it: 409, or 400 with the type meant for protocol versions."""
    if not isinstance(answer, Refusal):
        return False
    return (
        answer.status == 412
        or (answer.status == 409 and answer.scim_type != "uniqueness")
        or (answer.status == 400 and answer.scim_type == "invalidVers")
    )


def is_gone(refusal: Refusal) -> bool:
    """There is nothing under that id."""
    return refusal.status in (404, 410)


def is_no_target(refusal: Refusal) -> bool:
    """What was to be removed is not there, or the whole resource is not (RFC 7644 §3.12 ``noTarget``)."""
    return is_gone(refusal) or (refusal.scim_type or "").lower() == "notarget"


def same_version(one: str | None, other: str | None) -> bool:
    """Weak comparison (RFC 9110 §8.8.3.2): what is sent stays as it was received, with its ``W/``."""
    return one is not None and other is not None and one.removeprefix("W/") == other.removeprefix("W/")


def named(ids: Collection[str]) -> str:
    """The first few ids, and how many more."""
    shown = sorted(ids)[:_NAMED]
    return ", ".join(shown) + (f" and {len(ids) - len(shown)} more" if len(ids) > len(shown) else "")
