"""One spelling for every value: both sides of a comparison pass through here once, at the border.

Reading is lenient (a provider may answer ``"False"``), and never guesses: what cannot be understood stays text.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache

from reconciler.model import Json, Value, without_case
from reconciler.scim.attributes import Attribute, Format, Kind

_CANONICAL_PHONE = re.compile(r"(?:tel:)?(\+[0-9]{7,15})(?:; ?ext=([0-9]{1,11}))?", re.ASCII | re.IGNORECASE).fullmatch
"""E.164 (at most 15 digits), or RFC 3966 without separators, also with the blank that some providers write."""


def canonical_text(raw: str) -> str:
    """NFC, so that two ways to write é are one."""
    return raw if raw.isascii() else unicodedata.normalize("NFC", raw)


def canonical_boolean(raw: object) -> bool | None:
    """True and False, also where a provider writes them as text or as 1 and 0; None for anything else."""
    if isinstance(raw, bool) or raw in (0, 1):
        return bool(raw)
    if isinstance(raw, str):
        return {"true": True, "false": False}.get(raw.strip().lower())
    return None


def canonical_number(raw: object) -> float | int | None:
    """A number, integral where it can be (4.0 is 4), also from text; None for anything else."""
    if type(raw) is int:
        return raw
    if isinstance(raw, bool):
        return None
    if isinstance(raw, str):
        try:
            raw = float(raw)
        except ValueError:
            return None
    if not isinstance(raw, int | float) or raw != raw or raw in (float("inf"), float("-inf")):
        return None
    return int(raw) if raw == int(raw) else raw


def canonical_date(raw: object) -> str | None:
    """The day as YYYY-MM-DD from any ISO 8601 date or date-time; None for anything else."""
    if not isinstance(raw, str):
        return None
    try:
        return date.fromisoformat(raw).isoformat()
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(raw).date().isoformat()
    except ValueError:
        return None


def canonical_phone(raw: str) -> str | None:
    """An international number as ``+442079460958`` or ``+442079460958;ext=12``; None if it is not one.

    Reads E.164, RFC 3966 (``tel:``) and what people write. Without ``+`` there is no country, so nothing is guessed.
    """
    found = _CANONICAL_PHONE(raw)
    return _with_extension(found[1], found[2]) if found else _parsed_phone(raw)


@lru_cache(maxsize=65536)
def _parsed_phone(raw: str) -> str | None:
    text = raw.strip()
    if text[:4].lower() == "tel:":
        text = text[4:].strip()
    if not text.startswith("+"):
        return None
    import phonenumbers

    try:
        parsed = phonenumbers.parse(text.replace("; ext=", ";ext="), None)
    except phonenumbers.NumberParseException:
        return None
    number = str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))
    return _with_extension(number, parsed.extension)


def _with_extension(number: str, extension: str | None) -> str:
    return f"{number};ext={extension}" if extension else number


def wire_phone(canonical: str) -> str:
    """A canonical number as it is sent: RFC 3966 where it has an extension, else plain E.164."""
    return f"tel:{canonical}" if ";ext=" in canonical else canonical


def live_value(attribute: Attribute, part: str | None, raw: object) -> Value:
    """What a provider answered, canonical. Unreadable values keep their text, so that they show up as different."""
    if attribute.kind is Kind.TEXT and isinstance(raw, str):
        return canonical_text(raw)
    if part == "primary" or attribute.kind is Kind.BOOLEAN:
        read: Value = canonical_boolean(raw)
        return read if read is not None else str(raw)
    if attribute.kind is Kind.NUMBER or (attribute.kind is Kind.LEVELS and part == attribute.value):
        number = canonical_number(raw)
        return number if number is not None else str(raw)
    if attribute.kind is Kind.DATE:
        return canonical_date(raw) or str(raw)
    if attribute.kind is Kind.JSON:
        return canonical_json(raw)
    text = canonical_text(raw if isinstance(raw, str) else str(raw))
    if attribute.format is Format.PHONE and part == "value":
        return canonical_phone(text) or text
    return text


def canonical_json(raw: object) -> Json:
    """A JSON value with NFC text, integral numbers, and without members that hold nothing (RFC 7643 §2.5)."""
    if isinstance(raw, str):
        return canonical_text(raw)
    if isinstance(raw, bool) or raw is None:
        return raw
    if isinstance(raw, int | float):
        return canonical_number(raw)
    if isinstance(raw, Mapping):
        members = {canonical_text(str(key)): canonical_json(value) for key, value in raw.items()}
        return {key: value for key, value in members.items() if not unassigned(value)}
    if isinstance(raw, Sequence):
        return [canonical_json(value) for value in raw]
    return str(raw)


def unassigned(value: object) -> bool:
    """Whether a JSON value stands for none: null and empty are one state (RFC 7643 §2.5). False and 0 are values."""
    return not value and value is not False and value != 0


def same_value(one: Value, other: Value, *, fold: bool = False) -> bool:
    """Whether two canonical values are equal; `fold` ignores case. True is never 1."""
    if isinstance(one, str) and isinstance(other, str):
        return one == other or (fold and without_case(one) == without_case(other))
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same_value(value, other[name]) for name, value in one.items())
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(same_value, one, other))
    return bool(one == other)
