"""Reads profiles: the shipped ones (`*.yaml` beside this module), and those that somebody wrote for a provider.

A profile may extend a shipped one, which extends none: a key that is written replaces the base's, `attributes` are
added to the base's table. Names no provider: what a profile says is in its file. Whether what it says can be meant is
judged in `checks`.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeAlias

from msgspec.structs import replace

from reconciler.errors import InputError
from reconciler.model import ResourceType, SourceLocation
from reconciler.profiles.checks import check_attribute, check_kinds, check_rules, check_table, check_wire
from reconciler.profiles.conversion import Conversion
from reconciler.profiles.profile import RFC, AttributeRules, Profile
from reconciler.scim.attributes import CORE_GROUP, CORE_USER, Attribute, AttributeTable, Kind
from reconciler.suggestions import suggestion
from reconciler.yamlsource import read_yaml

# importlib.resources would bring zip files and temporary folders, 15 ms of every start
_FOLDER: Final = Path(__file__).parent
_SUFFIX: Final = ".yaml"
_PLAIN: Final = Profile(name="", title="")
_SECTIONS: Final = frozenset({"wire", "users", "groups", "membership", "lifecycle"})
GROUP_PREFIX: Final = "group."
"""In `notStored`, before the name of a group's attribute; a plain name is a user's."""


Kinds: TypeAlias = Mapping[ResourceType, Mapping[str, Kind]]
"""Type of resource -> attribute -> its shape."""


@cache
def profile_names() -> tuple[str, ...]:
    """The names of the shipped profiles, sorted."""
    names = (each.name for each in _FOLDER.iterdir())
    return tuple(sorted(name.removesuffix(_SUFFIX) for name in names if name.endswith(_SUFFIX)))


@cache
def load_profile(name: str) -> Profile:
    """A shipped profile. InputError for an unknown name, or with `diagnostics` if its file is wrong."""
    if name not in profile_names():
        raise InputError(f'there is no profile "{name}"', mend=suggestion(name, profile_names()))
    return read_profile(_source(name), f"profiles/{name}{_SUFFIX}", name)


@cache
def known_kinds() -> Kinds:
    """The shape of every attribute of the standard and of the shipped profiles."""
    tables = [(each, RFC.rules(each).table) for each in ResourceType]
    tables += [(each, load_profile(name).rules(each).table) for name in profile_names() for each in ResourceType]
    return {
        each: {one.name: one.kind for of, table in tables if of is each for one in table.attributes}
        for each in ResourceType
    }


def read_profile(data: bytes, path: str, name: str, kinds: Kinds | None = None) -> Profile:
    """A profile from its YAML; `path` is for messages. InputError whose `diagnostics` name every problem.

    `kinds`: the shapes that attributes have elsewhere, and must have here (`known_kinds`).
    """
    file = read_yaml(data, path)
    start = SourceLocation(path, 1)
    conversion = Conversion(places=file.places, problems=list(file.diagnostics))
    if len(file.documents) == 1 and isinstance(file.documents[0], dict):
        profile = _profile(conversion, file.documents[0], start, name, kinds or {})
    elif not conversion.problems:
        conversion.error("wrong-type", start, "a profile is one mapping, in one YAML document")
    if conversion.problems:
        problems = sorted(conversion.problems, key=lambda each: each.source or start)
        raise InputError(f"profile {name} cannot be used", problems, "mend the profile's file")
    return profile


def _source(name: str) -> bytes:
    return (_FOLDER / f"{name}{_SUFFIX}").read_bytes()


def _profile(conversion: Conversion, data: dict[str, Any], start: SourceLocation, name: str, kinds: Kinds) -> Profile:
    base = _base(conversion, data)
    profile = conversion.replaced(replace(base, name="", title=""), data, "a profile", _SECTIONS | {"extends"})
    if profile.name != name and not conversion.places.has_hole(data):
        conversion.error("wrong-name", start, f"this profile is called {name}, as its file is", f"write name: {name}")
    if not profile.title and "title" not in data and not conversion.places.has_hole(data):
        conversion.error("missing-key", start, "a profile needs title", "write how people call this provider")
    wire_data = _section(conversion, data, "wire")
    users = _rules(conversion, base.users, _section(conversion, data, "users"), "users")
    groups = _rules(conversion, base.groups, _section(conversion, data, "groups"), "groups")
    for rules, words in ((users, "users"), (groups, "groups")):
        known = kinds.get(rules.table.resource_type, {})
        check_kinds(conversion, rules.table, known, _section(conversion, data, words), words)
    wire = conversion.replaced(base.wire, wire_data, "wire")
    check_wire(conversion, wire, users.table, wire_data)
    return replace(
        profile,
        extends=base.name or None,
        wire=wire,
        users=users,
        groups=groups,
        membership=conversion.replaced(base.membership, _section(conversion, data, "membership"), "membership"),
        lifecycle=conversion.replaced(base.lifecycle, _section(conversion, data, "lifecycle"), "lifecycle"),
    )


def _section(conversion: Conversion, data: dict[str, Any], key: str) -> dict[str, Any]:
    return conversion.mapping(data[key], conversion.places.value(data, key), key) if key in data else {}


def _base(conversion: Conversion, data: dict[str, Any]) -> Profile:
    if "extends" not in data:
        return _PLAIN
    source = conversion.places.value(data, "extends")
    wanted = data["extends"]
    if not isinstance(wanted, str) or wanted not in profile_names():
        words = "extends must name a profile that comes with reconciler"
        conversion.error("unknown-profile", source, words, suggestion(str(wanted), profile_names()))
        return _PLAIN
    if _extends(wanted):
        conversion.error("extends-twice", source, f"{wanted} extends a profile itself; one level is all there is")
        return _PLAIN
    return load_profile(str(wanted))


def _extends(name: str) -> bool:
    """Whether a shipped profile has a base: looked at before it is loaded, so that a circle cannot hang."""
    file = read_yaml(_source(name), name)
    return any(isinstance(each, dict) and "extends" in each for each in file.documents)


def _rules(conversion: Conversion, base: AttributeRules, data: dict[str, Any], words: str) -> AttributeRules:
    rules = conversion.replaced(base, data, words, frozenset({"attributes"}))
    rules = replace(rules, table=rules.table.extended(_attributes(conversion, base.table, data, words)))
    check_table(conversion, rules.table, data, f"{words}.attributes")
    check_rules(conversion, rules, data, words)
    return replace(
        rules,
        required=tuple(_path(rules.table, each) for each in rules.required),
        case_insensitive=tuple(_path(rules.table, each) for each in rules.case_insensitive),
    )


def _path(table: AttributeTable, name: str) -> str:
    """``badge`` -> ``urn:acme:2.0:User:badge``: people write names, values stand at paths."""
    head, dot, rest = name.partition(".")
    attribute = table.get(head)
    return name if attribute is None or name.startswith("urn:") else f"{attribute.path}{dot}{rest}"


def _attributes(conversion: Conversion, table: AttributeTable, data: dict[str, Any], words: str) -> list[Attribute]:
    if "attributes" not in data:
        return []
    rows, source = data["attributes"], conversion.places.value(data, "attributes")
    if not isinstance(rows, list):
        conversion.error("wrong-type", source, f"{words}.attributes must be a list")
        return []
    core = CORE_USER if table.resource_type is ResourceType.USER else CORE_GROUP
    found = []
    for index, raw in enumerate(rows):
        place, row_words = conversion.places.value(rows, index), f"{words}.attributes item {index + 1}"
        row = conversion.mapping(raw, place, row_words)
        attribute = conversion.made(Attribute, row, place, row_words, schema=core) if row else None
        if attribute is not None:
            found.append(attribute)
            check_attribute(conversion, attribute, row, row_words)
    return found
