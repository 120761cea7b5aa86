"""Single texts on their way to canonical values: plain text, phone numbers, e-mail addresses, days and time zones."""

import re
from datetime import date
from typing import Any, Final

from reconciler.declarations.lines import Inner, Lines
from reconciler.declarations.reporting import Reporter, quoted
from reconciler.model import BULK_ID, Address, SourceLocation
from reconciler.profiles.profile import Profile
from reconciler.scim.attributes import Attribute, Format
from reconciler.scim.values import canonical_phone, canonical_text
from reconciler.settings.zones import is_zone, zone_mend

_BARE_EXTENSION: Final = re.compile(r"[0-9]{1,6}\Z").match
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z").match


def clean(raw: Any) -> str:
    """A scalar as canonical text; nothing if it is blank or cannot be written (`Texts.text` says why)."""
    text = raw if type(raw) is str else str(raw)
    if text.isspace():
        return ""
    text = canonical_text(text)
    return "" if text.startswith(BULK_ID) else text


def holds_bulk_id(value: Any) -> bool:
    """Whether a text in some JSON, a name included, is one that stands for an id to come (RFC 7644 §3.7.2)."""
    if isinstance(value, str):
        return canonical_text(value).startswith(BULK_ID)
    if isinstance(value, dict):
        return any(holds_bulk_id(each) for pair in value.items() for each in pair)
    return isinstance(value, list) and any(holds_bulk_id(each) for each in value)


class Texts:
    """Reads texts by one profile's rules; what cannot be read is reported, and None."""

    def __init__(self, profile: Profile, report: Reporter) -> None:
        self.profile = profile
        self.report = report

    def text(self, name: str, raw: Any, at: Lines | Inner) -> str | None:
        """Any text that is more than blanks."""
        text = clean(raw)
        if text:
            return text
        if holds_bulk_id(str(raw)):
            self.bulk_id(name, at)
            return None
        mend = "write a value, null to clear it, or nothing at all"
        self.report.error("empty-text", at.place(), f"{name} holds blanks only", mend=mend, of=at.of)
        return None

    def bulk_id(self, name: str, at: Lines | Inner) -> None:
        """Say that a text would be taken for somebody's id."""
        self.report.error(
            "reserved-text",
            at.place(),
            f"{name} may not hold a text that begins with {BULK_ID}",
            why="SCIM writes the id of somebody yet to be created like this; the text would be replaced by one.",
            mend=f"write another text; for a person or a group write the key, without {BULK_ID}",
            of=at.of,
        )

    def value(self, attribute: Attribute, name: str, raw: Any, at: Inner) -> str | None:
        """The value of an element: a phone number or an e-mail address where the attribute holds such."""
        text = self.text(name, raw, at)
        if text is None:
            return None
        if attribute.format is Format.PHONE:
            return canonical_phone(text) or self._bare_extension(name, text, at)
        if attribute.name == "emails" and (" " in text or not all(text.partition("@"))):
            mend = "write it like ann@example.com"
            summary = f"{name}: {quoted(text)} is no e-mail address"
            self.report.error("wrong-email", at.place(), summary, mend=mend, of=at.of)
            return None
        return text

    def day(self, name: str, raw: Any, source: SourceLocation, of: Address | None) -> date | None:
        """A calendar day."""
        try:
            if _DAY(str(raw)):
                return date.fromisoformat(str(raw))
        except ValueError:
            pass
        mend = "write year-month-day, such as 2026-12-31"
        self.report.error("no-such-day", source, f"{name}: there is no day {quoted(raw)}", mend=mend, of=of)
        return None

    def zone(self, raw: Any, at: Lines) -> str | None:
        """The name of a time zone."""
        if is_zone(str(raw)):
            return str(raw)
        words = f"there is no time zone {quoted(raw)}"
        self.report.error("unknown-time-zone", at.place(), words, mend=zone_mend(str(raw)), of=at.of)
        return None

    def _bare_extension(self, name: str, text: str, at: Inner) -> str | None:
        """An extension alone stays as it is written, where the profile allows it."""
        allowed = self.profile.users.bare_extension
        if allowed and _BARE_EXTENSION(text):
            return text
        why = "Without + and the country code nobody can tell the country."
        self.report.error(
            "wrong-phone",
            at.place(),
            f"{name}: {quoted(text)} is no international phone number",
            why=f"{why} An extension alone has 1 to 6 digits." if allowed else why,
            mend='write it like "+44 20 7946 0958" or "+44 20 7946 0958 x12"',
            of=at.of,
        )
        return None
