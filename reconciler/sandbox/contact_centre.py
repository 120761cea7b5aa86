"""What the contact centre makes of a person's values, beyond the schema: how it keeps them and how it shows them.

    emails          only the `work` address is kept; answers also show `other`, which mirrors userName
    phoneNumbers    kept as E.164, perhaps with ;ext=, or as a bare extension; one value a type
    dateHire        kept as YYYY-MM-DD, whatever ISO 8601 said
    skills          proficiency from 0 to 5, at most 50; one value a name, as for languages
    externalIds     one value an authority; answers also show the entry that holds externalId, which nobody can change

Where two values want one place, the later one has it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from reconciler.sandbox.errors import ScimError, invalid_value, not_mutable
from reconciler.sandbox.schema import ENTERPRISE_USER, JsonObject, fold
from reconciler.sandbox.switches import PhoneForm, Switches, Treatment

GENESYS_USER = "urn:ietf:params:scim:schemas:extension:genesys:purecloud:2.0:User"
SCIM_AUTHORITY = "x-pc:scimv2:v1"

_EMAIL_TYPES = frozenset({"work", "other"})
_DESK_PHONES = frozenset({"work", "work2", "work3", "work4", "home", "mobile", "other"})
_PHONE_TYPES = _DESK_PHONES | {"microsoftteams", "zoomphone", "eightbyeight", "ringcentral"}
_PHONE = re.compile(r"(?:tel:)?\s*(?P<number>\+?[0-9().\-/ ]+?)\s*(?:;\s*ext=\s*(?P<extension>[0-9]+))?", re.IGNORECASE)
_MOST_LEVELS = 50
_OWN_IDS = "externalId by client"  # no attribute has blanks in its name


class Person:
    """The rules for users under one set of switches. Documents are those of `resources`."""

    def __init__(self, switches: Switches) -> None:
        self._switches = switches

    def shown(self, document: JsonObject, identifier: str, client: str) -> JsonObject:
        """Return a new document with what answers show besides what is kept; patches start from it, too."""
        shown = dict(document)
        own_ids = shown.pop(_OWN_IDS, {})
        if self._switches.external_id_per_client and client in own_ids:
            shown["externalId"] = own_ids[client]
        twin = {"value": document["userName"], "type": "other", "primary": True}
        shown["emails"] = [twin, *document.get("emails", ())]
        if "phoneNumbers" in document:
            shown["phoneNumbers"] = [
                {**each, "value": self._phone_shown(each["value"])} if "value" in each else each
                for each in document["phoneNumbers"]
            ]
        known = dict(document.get(GENESYS_USER, ()))
        held = {"authority": self._authority(client), "value": shown.get("externalId", identifier)}
        known["externalIds"] = [held, *known.get("externalIds", ())]
        shown[GENESYS_USER] = known
        return shown

    def take_in(self, document: JsonObject, held: JsonObject, identifier: str, client: str) -> None:
        """Bring a document that a client wrote into the form it is kept in; `held` is what is kept of it so far.

        Raises ScimError 400.
        """
        self._keep_own_id(document, held, client)
        self._keep_emails(document, held)
        _keep(document, "phoneNumbers", self._phones)
        enterprise, known = document.get(ENTERPRISE_USER, {}), document.get(GENESYS_USER, {})
        if "dateHire" in enterprise:
            enterprise["dateHire"] = _day(enterprise["dateHire"])
        for name in ("routingSkills", "routingLanguages"):
            _keep(known, name, _levels)
        _keep(known, "externalIds", lambda values: self._external_ids(values, identifier, document, held))
        _keep(document, "roles", lambda values: _last_of(values, "value"))
        if not known:
            document.pop(GENESYS_USER, None)

    def _authority(self, client: str) -> str:
        return f"{SCIM_AUTHORITY}:{client}" if self._switches.external_id_per_client and client else SCIM_AUTHORITY

    def _keep_own_id(self, document: JsonObject, held: JsonObject, client: str) -> None:
        """Keep externalId under the client that wrote it, where every client has its own."""
        own_ids = dict(held.get(_OWN_IDS, {}))
        if self._switches.external_id_per_client:
            mine = document.pop("externalId", None)
            own_ids = {name: value for name, value in own_ids.items() if name != client}
            if mine is not None:
                own_ids[client] = mine
        if own_ids:
            document[_OWN_IDS] = own_ids

    def _keep_emails(self, document: JsonObject, held: JsonObject) -> None:
        mirrored = {fold(name) for name in (document["userName"], held.get("userName")) if name}
        kept = []
        for each in document.pop("emails", ()):
            kind = each.get("type", "work").lower()
            if kind not in _EMAIL_TYPES:
                raise invalid_value(f"emails has no type {each['type']!r}; it has work and other.")
            if kind == "work":
                kept.append({**each, "type": kind, **({"primary": False} if "primary" in each else {})})
            elif fold(each.get("value", "")) not in mirrored and self._switches.other_email is Treatment.REFUSE:
                raise not_mutable("The address of type other follows userName and cannot be changed by itself.")
        if kept:
            document["emails"] = kept[-1:]

    def _phones(self, values: list[JsonObject]) -> list[JsonObject]:
        kept = []
        for each in values:
            kind = each.get("type", "work").lower()
            if kind not in _PHONE_TYPES:
                raise invalid_value(f"phoneNumbers has no type {each['type']!r}.")
            if "value" in each:
                kept.append({**each, "type": kind, "value": self._phone(each["value"])})
        return _last_of(kept, "type")

    def _phone(self, text: str) -> str:
        match = _PHONE.fullmatch(text.strip())
        number = "" if match is None else re.sub(r"[^0-9+]", "", match["number"])
        if match is None or not number.strip("+"):
            raise invalid_value(f"{text!r} is no phone number.")
        extension = match["extension"]
        if not number.startswith("+"):
            if extension or not self._switches.bare_extensions:
                raise invalid_value(f"{text!r} needs a + and a country code.")
            return number
        if not 7 <= len(number) - 1 <= 15 or number[1] == "0":
            raise invalid_value(f"{text!r} is no international phone number.")
        return f"{number};ext={extension}" if extension else number

    def _phone_shown(self, kept: str) -> str:
        number, _, extension = kept.partition(";ext=")
        if extension:
            return f"tel:{number}; ext={extension}"
        tel = self._switches.phone_form is PhoneForm.TEL and number.startswith("+")
        return f"tel:{number}" if tel else number

    def _external_ids(
        self, values: list[JsonObject], identifier: str, document: JsonObject, held: JsonObject
    ) -> list[JsonObject]:
        kept = []
        own = [*document.get(_OWN_IDS, {}).values(), *held.get(_OWN_IDS, {}).values()]
        true = {identifier, document.get("externalId"), held.get("externalId"), *own}
        for each in values:
            if not each.get("authority", "").startswith(SCIM_AUTHORITY):
                kept.append(each)
            elif each.get("value") not in true:
                raise not_mutable(f"The entry {each['authority']} of externalIds cannot be changed; write externalId.")
        return _last_of(kept, "authority")


def _keep(holder: JsonObject, name: str, form: Callable[[list[JsonObject]], list[JsonObject]]) -> None:
    """Put the values of one attribute into the form they are kept in; none leave no trace."""
    if name not in holder:
        return
    values = form(holder.pop(name))
    if values:
        holder[name] = values


def _last_of(values: list[JsonObject], key: str) -> list[JsonObject]:
    """Return the values with only the last of those that have the same key, in the place of the first."""
    found: dict[Any, JsonObject] = {}
    for each in values:
        found[each.get(key)] = each
    return list(found.values())


def _levels(values: list[JsonObject]) -> list[JsonObject]:
    if len(values) > _MOST_LEVELS:
        raise invalid_value(f"A person has at most {_MOST_LEVELS} skills and as many languages.")
    for each in values:
        if not 0 <= each.get("proficiency", 0) <= 5:
            raise invalid_value(f"The proficiency of {each.get('name')!r} must be from 0 to 5.")
    return _last_of([_with_number(each) for each in values], "name")


def _with_number(level: JsonObject) -> JsonObject:
    return {**level, "proficiency": float(level["proficiency"])} if "proficiency" in level else level


def _day(text: str) -> str:
    try:
        return (datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)).strftime("%Y-%m-%d")
    except ValueError as error:
        raise _no_day(text) from error


def _no_day(text: str) -> ScimError:
    return invalid_value(f"dateHire needs a day in the form of ISO 8601, not {text!r}.")
