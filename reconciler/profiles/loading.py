"""Reads the shipped profiles (`*.yaml` beside this module).

A profile may extend one other, which extends none: a key that is written replaces the base's, `attributes` are added to
the base's table. Names no provider: what a profile says is in its file.
"""

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, Final

from msgspec.structs import replace

from reconciler.errors import InputError
from reconciler.model import ResourceType, SourceLocation
from reconciler.profiles.conversion import Conversion
from reconciler.profiles.profile import DOMAIN, AttributeRules, Profile, WireRules
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


def read_profile(data: bytes, path: str, name: str) -> Profile:
    """A profile from its YAML; `path` is for messages. InputError whose `diagnostics` name every problem."""
    file = read_yaml(data, path)
    start = SourceLocation(path, 1)
    conversion = Conversion(places=file.places, problems=list(file.diagnostics))
    if len(file.documents) == 1 and isinstance(file.documents[0], dict):
        profile = _profile(conversion, file.documents[0], start, name)
    elif not conversion.problems:
        conversion.error("wrong-type", start, "a profile is one mapping, in one YAML document")
    if conversion.problems:
        problems = sorted(conversion.problems, key=lambda each: each.source or start)
        raise InputError(f"profile {name} cannot be used", problems, "mend the profile's file")
    return profile


def _source(name: str) -> bytes:
    return (_FOLDER / f"{name}{_SUFFIX}").read_bytes()


def _profile(conversion: Conversion, data: dict[str, Any], start: SourceLocation, name: str) -> Profile:
    base = _base(conversion, data)
    profile = conversion.replaced(replace(base, name="", title=""), data, "a profile", _SECTIONS | {"extends"})
    if profile.name != name and not conversion.places.has_hole(data):
        conversion.error("wrong-name", start, f"this profile is called {name}, as its file is", f"write name: {name}")
    if not profile.title and "title" not in data and not conversion.places.has_hole(data):
        conversion.error("missing-key", start, "a profile needs title", "write how people call this provider")
    return replace(
        profile,
        wire=_wire(conversion, base.wire, _section(conversion, data, "wire")),
        users=_rules(conversion, base.users, _section(conversion, data, "users"), "users"),
        groups=_rules(conversion, base.groups, _section(conversion, data, "groups"), "groups"),
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
        conversion.error(
            "unknown-profile", source, "extends must name a profile", suggestion(str(wanted), profile_names())
        )
        return _PLAIN
    if _extends(wanted):
        conversion.error("extends-twice", source, f"{wanted} extends a profile itself; one level is all there is")
        return _PLAIN
    return load_profile(str(wanted))


def _extends(name: str) -> bool:
    """Whether a shipped profile has a base: looked at before it is loaded, so that a circle cannot hang."""
    file = read_yaml(_source(name), name)
    return any(isinstance(each, dict) and "extends" in each for each in file.documents)


def _wire(conversion: Conversion, base: WireRules, data: dict[str, Any]) -> WireRules:
    wire = conversion.replaced(base, data, "wire")
    for key, url in (("regionUrl", wire.region_url), ("regionTokenUrl", wire.region_token_url)):
        if url is not None and DOMAIN not in url:
            conversion.error("unknown-value", conversion.places.value(data, key), f"wire.{key} needs {DOMAIN} in it")
    if wire.regions and wire.region_url is None:
        conversion.error(
            "missing-key", conversion.places.key(data, "regions"), "wire.regions needs regionUrl beside it"
        )
    return wire


def _rules(conversion: Conversion, base: AttributeRules, data: dict[str, Any], words: str) -> AttributeRules:
    rules = conversion.replaced(base, data, words, frozenset({"attributes"}))
    rules = replace(rules, table=rules.table.extended(_attributes(conversion, base.table, data, words)))
    for key, names in _named(rules).items():
        for name in names:
            if not _known(rules.table, name):
                mend = suggestion(name, [each.name for each in rules.table.attributes])
                source = conversion.places.value(data, key) if key in data else conversion.places.of(data)
                conversion.error("unknown-attribute", source, f"{words}.{key}: there is no attribute {name}", mend)
    return rules


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
        place, row_words = conversion.places.value(rows, index), f"{words}.attributes[{index}]"
        row = conversion.mapping(raw, place, row_words)
        attribute = conversion.made(Attribute, row, place, row_words, schema=core) if row else None
        if attribute is not None:
            found.append(attribute)
            _check_shape(conversion, attribute, place, row_words)
    return found


def _check_shape(conversion: Conversion, attribute: Attribute, source: SourceLocation, words: str) -> None:
    if attribute.kind in (Kind.COMPLEX, Kind.KEYED) and not attribute.parts:
        conversion.error("missing-key", source, f"{words} needs parts", "name the sub-attributes that are managed")
    if attribute.kind is Kind.KEYED and attribute.value is not None and attribute.value not in attribute.parts:
        conversion.error("unknown-value", source, f"{words}.value must be one of its parts", "or write value: null")


def _named(rules: AttributeRules) -> dict[str, Iterable[str]]:
    """Key -> the attributes that it speaks of."""
    return {
        "unsupported": rules.unsupported,
        "required": rules.required,
        "caseInsensitive": rules.case_insensitive,
        "readOnlyElements": rules.read_only_elements,
        "notStored": rules.not_stored,
        "modes": rules.modes,
        "neverRemoved": rules.never_removed,
        "costly": rules.costly,
        "givenAtCreate": rules.given_at_create,
        "wholeLists": rules.whole_lists,
        "existing": rules.existing,
    }


def _known(table: AttributeTable, name: str) -> bool:
    """Whether a name or path, in exactly that spelling, belongs to an attribute of the table."""
    attribute = table.get(name.partition("[")[0].partition(".")[0]) or table.by_path(name)
    return attribute is not None and name.startswith((attribute.name, attribute.path))
