"""SCIM paths and filters as text (RFC 7644 §3.4.2.2, §3.10). Builds them; never parses what a server sends."""

import json
from functools import lru_cache
from urllib.parse import quote

from reconciler.lazy import pattern
from reconciler.scim.attributes import Attribute


def quoted(value: str) -> str:
    """A filter operand: a JSON string (RFC 7644 §3.4.2.2), not yet percent-encoded."""
    return json.dumps(value, ensure_ascii=False)


def element_path(attribute: Attribute, key: str, part: str | None = None) -> str:
    """One element of a KEYED or LEVELS attribute, or one part of it: ``emails[type eq "work"].value``."""
    return _element(attribute.path, attribute.key, key, part)


@lru_cache(maxsize=65536)
def _element(head: str, sub_attribute: str, key: str, part: str | None) -> str:
    # one text for all who have the element: there are few elements and many people
    path = f"{head}[{sub_attribute} eq {quoted(key)}]"
    return f"{path}.{part}" if part else path


_ELEMENT = pattern(r'(?P<head>.*?)\[(?P<told_by>\w+) eq (?P<key>"(?:[^"\\]|\\.)*")\](?:\.(?P<part>\w+))?')


@lru_cache(maxsize=65536)
def element_of(path: str) -> tuple[str, str, str | None] | None:
    """The inverse of `element_path`: the attribute's path, the key, the part; None for any other path."""
    found = _ELEMENT.fullmatch(path)
    return (found["head"], json.loads(found["key"]), found["part"]) if found else None


def part_path(attribute: Attribute, part: str) -> str:
    """One part of a COMPLEX attribute: ``name.givenName``."""
    return f"{attribute.path}.{part}"


def level_path(attribute: Attribute, name: str) -> str:
    """The number of one name in a LEVELS list: ``routingSkills[name eq "Billing"].proficiency``."""
    return element_path(attribute, name, attribute.value)


def item_path(attribute: Attribute, item: str) -> str:
    """One value of a list, for removal: ``members[value eq "2819c223"]`` (RFC 7644 §3.5.2.2)."""
    key = attribute.key if attribute.key != "type" else "value"
    return f"{attribute.path}[{key} eq {quoted(item)}]"


def equals_filter(path: str, value: str) -> str:
    """``userName eq "ann@example.com"``, to be sent as a query parameter."""
    return f"{path} eq {quoted(value)}"


def url_path(base: str, resource_id: str | None = None) -> str:
    """``/Users/<id>`` with the id percent-encoded: some providers' ids are client-chosen text."""
    return base if resource_id is None else f"{base}/{quote(resource_id, safe='')}"


@lru_cache(maxsize=1024)
def short_path(path: str) -> str:
    """A path as people say it, without URN and filter: ``department``, ``emails.work``, ``routingSkills.Billing``.

    The part of an element is left out where it is what the element stands for: ``value``, or the level of a name.
    """
    if path.isalpha():
        return path
    found = _ELEMENT.fullmatch(path)
    if found is None:
        return _without_urn(path)
    try:
        name = f"{_without_urn(found['head'])}.{json.loads(found['key'], strict=False)}"
    except ValueError:
        return _without_urn(path)
    part = found["part"]
    return name if part in (None, "value") or found["told_by"] == "name" else f"{name}.{part}"


def _without_urn(path: str) -> str:
    if not path.startswith("urn:"):
        return path
    head, bracket, rest = path.partition("[")
    return head.rpartition(":")[2] + bracket + rest
