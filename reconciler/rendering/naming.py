"""Attributes, values and people as they are read: short names instead of paths, keys instead of ids.

Every text that leaves here is neutral (see `neutral`). Knows the RFC's attribute tables, and no provider.
"""

from collections.abc import Mapping
from functools import lru_cache
from itertools import takewhile
from typing import Final

from reconciler.model import (
    Address,
    Change,
    LiveReference,
    Origin,
    ResourceType,
    SourceLocation,
    Value,
    is_known,
    known_after_apply,
)
from reconciler.rendering.neutral import ELLIPSIS, NAME_LIMIT, neutral, one_of_json, quoted
from reconciler.scim.attributes import GROUP_ATTRIBUTES, USER_ATTRIBUTES
from reconciler.scim.paths import short_path

VALUE_LIMIT: Final = 240
"""Characters of one value in a plan."""
_ID_SHOWN: Final = 8
_LEAD_IN: Final = 24
"""Characters shown before the first difference of two long values that begin alike."""
_READING_ORDER: Final = ("userName", "displayName", *(each.name for each in USER_ATTRIBUTES.attributes))
_ORDER: Final = {name.lower(): index for index, name in reversed(list(enumerate(_READING_ORDER)))}
_REFERENCES: Final = frozenset(
    each.path for table in (USER_ATTRIBUTES, GROUP_ATTRIBUTES) for each in table.attributes if each.refers
)

Names = Mapping[str, tuple[str, str]]
"""Id -> (key or login, display name)."""


@lru_cache(maxsize=1024)
def attribute_name(path: str) -> str:
    """A path as people say it: ``department``, ``emails.work``, ``emails.work.primary``, ``routingSkills.Billing``.

    The part of an element is left out where it is what the element stands for: ``value``, or the level of a name.
    """
    return neutral(short_path(path), NAME_LIMIT)


@lru_cache(maxsize=1024)
def attribute_rank(path: str) -> tuple[int, str]:
    """Where an attribute stands among others: names first, then in the RFC's order, then those of extensions."""
    name = short_path(path)
    head = name.partition(".")[0].lower()
    return _ORDER.get(head, len(_ORDER)), name


@lru_cache(maxsize=1024)
def is_reference(path: str) -> bool:
    """Whether the values at a path are ids of users or groups."""
    return path.removesuffix(".value") in _REFERENCES


def person(resource_id: str, names: Names) -> str:
    """Whom an id means: ``carl.m (Carl Mora)``; ``id 2819c223…`` if nobody knows it."""
    found = names.get(resource_id)
    if found is None:
        return _unknown(resource_id)
    key, display = found
    if not display or display == key:
        return neutral(key, NAME_LIMIT)
    return f"{neutral(key, NAME_LIMIT)} ({neutral(display, NAME_LIMIT)})"


def shown(value: Value, path: str, names: Names) -> str:
    """One value of the attribute at `path`: text in quotes, other JSON as it is, a reference as the person it means."""
    match value:
        case str():
            return person(value, names) if is_reference(path) else quoted(value, VALUE_LIMIT)
        case None:
            return "null"
        case Address():
            found = known_after_apply(value)
            return person(found, names) if found in names else neutral(value.key, NAME_LIMIT)
        case LiveReference():
            return neutral(value.name, NAME_LIMIT)
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float() if value.is_integer():
            return str(int(value))
        case _:
            return one_of_json(value, VALUE_LIMIT)


def shown_pair(before: Value, after: Value, path: str, names: Names) -> tuple[str, str]:
    """Two values of one attribute, cut so that what differs is seen."""
    if isinstance(before, str) and isinstance(after, str) and max(len(before), len(after)) > VALUE_LIMIT:
        alike = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(before, after, strict=False)))
        if alike > VALUE_LIMIT // 2:
            before, after = (ELLIPSIS + each[alike - _LEAD_IN :] for each in (before, after))
    return shown(before, path, names), shown(after, path, names)


def address_text(address: Address) -> str:
    """``user.alice.ng``."""
    return neutral(str(address), NAME_LIMIT)


def department(change: Change) -> str:
    """The department that a change sets, or takes away; empty where it says nothing of it."""
    for each in change.attribute_changes:
        if each.item is None and each.path.endswith("department") and short_path(each.path) == "department":
            return neutral(str(each.before if each.after is None else each.after), NAME_LIMIT)
    return ""


def place(source: SourceLocation | None) -> str:
    """``identities/emea/support.yaml:14``, or nothing."""
    return neutral(f"{neutral(source.path, NAME_LIMIT)}:{source.line}") if source else ""


def origin_text(origin: Origin) -> str:
    """``template agent, identities/templates.yaml:4``."""
    return ", ".join(filter(None, (neutral(origin.via, NAME_LIMIT), place(origin.source))))


def plural(count: int, resource_type: ResourceType) -> str:
    """``1 user``, ``287 users``."""
    return f"{count:,} {resource_type}{'' if count == 1 else 's'}"


def _unknown(resource_id: str) -> str:
    if not is_known(resource_id):
        return neutral(resource_id.partition(".")[2], NAME_LIMIT)
    cut = len(resource_id) > _ID_SHOWN + 4
    return f"id {neutral(resource_id[:_ID_SHOWN] + ELLIPSIS if cut else resource_id, NAME_LIMIT)}"
