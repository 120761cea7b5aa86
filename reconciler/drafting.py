"""Live users and groups -> the lines that would declare them as they are.

Pure. Which of these lines may be written is for the checks of declarations to say.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final, TypeAlias

from msgspec import Struct, field
from msgspec.structs import replace

from reconciler.model import LiveResource, ResourceType, Value
from reconciler.profiles.profile import AttributeRules, Profile
from reconciler.scim.attributes import PRIMARY, Attribute, Kind
from reconciler.scim.paths import element_of, part_path
from reconciler.yamlsource import rows

Data: TypeAlias = dict[str, Any]
Names: TypeAlias = Mapping[str, Any]
"""Live id -> how a line names that user or group: by key, or as ``{live: userName}``, ``{group: key}``."""

_KEY: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}", re.ASCII)
_NO_KEY: Final = re.compile(r"[^A-Za-z0-9._@+-]+", re.ASCII)
_LONGEST_KEY: Final = 60


class Draft(Struct, frozen=True, kw_only=True):
    """One user or group to be declared. `data`: name -> what is written behind it, in the order of writing."""

    resource_type: ResourceType
    key: str
    live_id: str
    data: Data

    def without(self, names: Collection[str]) -> "Draft":
        """The same with some lines left out."""
        return replace(self, data={name: each for name, each in self.data.items() if name not in names})


class File(Struct, frozen=True, kw_only=True):
    """Drafts as text. `owners`: line, from 1 -> key of the draft and name of the attribute it belongs to ("": all)."""

    text: str
    owners: Mapping[int, tuple[str, str]] = field(default_factory=dict)


def keys_for(resources: Iterable[LiveResource], taken: Collection[str], logins: Collection[str] = ()) -> dict[str, str]:
    """Live id -> a key that is free: the login before its ``@`` where that will do, a group's name in small letters.

    `logins`: userNames, of which a key may be its own user's only.
    """
    used, others = {each.casefold() for each in taken}, {each.casefold() for each in logins}
    found: dict[str, str] = {}
    for each in resources:
        own = each.name.casefold()
        free = (key for key in _candidates(each) if key.casefold() not in used)
        key = next(key for key in free if key.casefold() == own or key.casefold() not in others)
        used.add(key.casefold())
        found[each.id] = key
    return found


def drafted(resource: LiveResource, key: str, profile: Profile, names: Names) -> Draft:
    """A user or group as it is. What was not read, and whom `names` does not know, is left out."""
    rules = profile.rules(resource.resource_type)
    data: Data = {}
    for attribute in rules.table.attributes:
        value = None if attribute.name in rules.unsupported else _value(attribute, resource, rules, names)
        if value not in (None, {}, []):
            data[attribute.name] = value
    if data.get("active") is not False:
        data.pop("active", None)
    for path, value in sorted(resource.attributes.items()):
        if path.startswith("urn:") and rules.table.by_path(path) is None:
            urn, name = path.rsplit(":", 1)
            data.setdefault(urn, {})[name] = value
    return Draft(resource_type=resource.resource_type, key=key, live_id=resource.id, data=data)


def file_of(drafts: Sequence[Draft], title: str, more: Data) -> File:
    """Drafts of one kind as a file; `more` is written into each of them."""
    lines = [f"# {title}", "users:" if drafts[0].resource_type is ResourceType.USER else "groups:"]
    owners: dict[int, tuple[str, str]] = {}
    for draft in drafts:
        lines.append(f"  {draft.key}:")
        owners[len(lines)] = (draft.key, "")
        for name, value in {**draft.data, **more}.items():
            for row in rows(name, value, 4):
                lines.append(row)
                owners[len(lines)] = (draft.key, name)
    return File(text="\n".join(lines) + "\n", owners=owners)


def _candidates(resource: LiveResource) -> Iterator[str]:
    name = unicodedata.normalize("NFKD", resource.name).encode("ascii", "ignore").decode()
    if resource.resource_type is ResourceType.GROUP:
        name = name.lower()
    whole = _NO_KEY.sub("-", name).strip("-._+")[:_LONGEST_KEY]
    whole = whole if _KEY.fullmatch(whole) else resource.resource_type.value
    if resource.resource_type is ResourceType.USER and _KEY.fullmatch(whole.partition("@")[0]):
        yield whole.partition("@")[0]
    yield whole
    number = 2
    while True:
        yield f"{whole}-{number}"
        number += 1


def _value(attribute: Attribute, resource: LiveResource, rules: AttributeRules, names: Names) -> Any:
    """What stands behind the name of an attribute; None for nothing."""
    found = resource.attributes
    match attribute.kind:
        case Kind.COMPLEX:
            parts = {part: found.get(part_path(attribute, part)) for part in attribute.parts}
            return {part: each for part, each in parts.items() if each is not None}
        case Kind.KEYED:
            return dict(_elements(attribute, found))
        case Kind.LEVELS:
            levels = sorted(resource.lists.get(attribute.name, {}).items())
            return {name: level for name, level in levels if level is not None}
        case Kind.NAMES:
            never = {each.casefold() for each in rules.never_removed.get(attribute.name, ())}
            return [each for each in sorted(resource.lists.get(attribute.name, {})) if each.casefold() not in never]
        case Kind.MEMBERS:
            known = [names[each] for each in resource.lists.get(attribute.name, {}) if each in names]
            return sorted(known, key=lambda each: (not isinstance(each, str), str(each)))
        case Kind.REFERENCE:
            return names.get(str(found.get(attribute.path)))
        case _:
            return _single(attribute, found.get(attribute.path))


def _single(attribute: Attribute, value: Value) -> Any:
    if attribute.kind is Kind.DATE and isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            return None
    return value


def _elements(attribute: Attribute, found: Mapping[str, Value]) -> Iterator[tuple[str, Any]]:
    """Key -> its value alone, or its parts where there are more."""
    elements: dict[str, Data] = {}
    for path, value in found.items():
        element = element_of(path) if path.startswith(attribute.path) else None
        if element is not None and element[0] == attribute.path and element[2]:
            elements.setdefault(element[1], {})[element[2]] = value
    for key, parts in sorted(elements.items()):
        ordered = {part: parts[part] for part in attribute.parts if part in parts}
        if key and attribute.value and list(ordered) == [attribute.value]:
            yield key, ordered[attribute.value]
        elif key and set(ordered) - {PRIMARY}:
            yield key, ordered
