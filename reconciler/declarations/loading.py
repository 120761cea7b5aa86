"""Declaration files -> `Declarations`: read, judged by the published schema, and kept as raw data with places.

Values that have the wrong shape are reported and left out; the rest of their entry is kept, so that whatever else is
wrong with it shows in the same run. Nothing here compares entries with one another, and nothing knows a target.
"""

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

from reconciler import schemas
from reconciler.declarations.declared import ANY, Declarations, Entry, Released, normal_folder
from reconciler.declarations.files import Reading, read_folders
from reconciler.declarations.leaving_out import leave_out, left_out
from reconciler.memory import no_collection
from reconciler.model import Address, Diagnostic, ResourceType, Severity, SourceLocation
from reconciler.schemas import Hint, Own, Where
from reconciler.scim.attributes import Kind
from reconciler.yamlsource import MAX_BYTES, YamlFile, fast_parser, number, read_yaml

_SCHEMA: Final = "identities"
NO_OWN: Final = Own()
_KINDS: Final = {"users": ResourceType.USER, "groups": ResourceType.GROUP}

_SERVERS_OWN: Final = Hint(code="unknown-key", why="The service provider sets it by itself.", mend="take the line out")
_USERS_ONLY: Final = Hint(
    code="unknown-key",
    why="Only a user's own lines may hold it: templates and overrides do not nest.",
    mend="write it with the user, beside userName",
)
_ONE_PERSONS: Final = Hint(code="unknown-key", why="It belongs to one person.", mend="write it with the user")
_OTHER_WORDS: Final = {
    ("phone", "mobile", "telephone", "phonenumber"): "did you mean phoneNumbers? such as phoneNumbers: {work: +4420…}",
    ("email", "mail"): "did you mean emails? such as emails: {work: ann@example.com}",
    ("firstname", "lastname", "givenname", "familyname", "surname"): (
        "did you mean name? such as name: {givenName: Ann, familyName: Ng}"
    ),
    ("enabled", "disabled", "status", "suspended"): "did you mean active? such as active: false",
    ("login", "loginname"): "did you mean userName?",
    ("enddate", "expires", "until", "validuntil"): "did you mean endsOn? such as endsOn: 2026-12-31",
    ("startdate", "validfrom"): "did you mean startsOn? such as startsOn: 2026-12-31",
}
"""What other tools call it -> what to write."""
HINTS: Final = {
    "password": Hint(
        code="password",
        summary="a password may not stand in these files",
        why="A secret in git is known to everybody who can read the repository, for ever.",
        mend="take it out, and change the password if it is in use",
    ),
    **dict.fromkeys(("id", "meta", "schemas", "$ref"), _SERVERS_OWN),
    **dict.fromkeys(("from", "without", "overrides", "targets", "formerly"), _USERS_ONLY),
    "username": _ONE_PERSONS,
    **{name: Hint(code="unknown-key", why="", mend=mend) for names, mend in _OTHER_WORDS.items() for name in names},
    "skills": Hint(code="unknown-key", why="", mend="did you mean routingSkills?"),
    "languages": Hint(code="unknown-key", why="", mend="did you mean routingLanguages?"),
}


def load_declarations(base: Path, folders: Sequence[str], own: Own = NO_OWN) -> Declarations:
    """Everything below `base`/folder for each folder. Never raises for what is in the files: see `diagnostics`.

    `own`: attributes that a profile of the repository's own adds to those of the published schema.
    """
    with no_collection():
        reading = read_folders(base, folders)
        return _declarations(reading, tuple(dict.fromkeys(normal_folder(each) for each in folders)), own)


def declarations_in(files: Mapping[str, bytes], own: Own = NO_OWN) -> Declarations:
    """The same for files that stand in no folder: path -> content, as a commit holds them."""
    with no_collection():
        read = tuple(read_yaml(data[: MAX_BYTES + 1], path) for path, data in sorted(files.items()))
        return _declarations(Reading(files=read, diagnostics=()), (), own)


def _declarations(reading: Reading, folders: tuple[str, ...], own: Own) -> Declarations:
    box = _Box(list(reading.diagnostics), own)
    for file in reading.files:
        box.take(file)
    if not fast_parser():
        box.diagnostics.append(_slow())
    return Declarations(
        folders=folders,
        files=len(reading.files),
        templates=tuple(box.templates),
        users=tuple(box.users),
        groups=tuple(box.groups),
        released=tuple(box.released),
        diagnostics=in_order(box.diagnostics),
        unread=tuple(box.unread),
    )


def in_order(diagnostics: Sequence[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Each once, by place."""
    nowhere = SourceLocation("", 0)
    return tuple(sorted(dict.fromkeys(diagnostics), key=lambda each: (each.source or nowhere, each.code, each.summary)))


class _Box:
    """What has been read so far."""

    def __init__(self, diagnostics: list[Diagnostic], own: Own) -> None:
        self.diagnostics = diagnostics
        self.own = own
        self.templates: list[Entry] = []
        self.users: list[Entry] = []
        self.groups: list[Entry] = []
        self.released: list[Released] = []
        # who stands in a folder that cannot be listed is as unknown as who stands behind an error
        self.unread = [each.source.path for each in diagnostics if each.code == "unreadable-folder" and each.source]

    def take(self, file: YamlFile) -> None:
        """Enter all documents of a file."""
        self.diagnostics.extend(file.diagnostics)
        if file.empty:
            self.diagnostics.append(_empty(file.path))
        for document in (*file.documents, *([file.partial] if file.partial is not None else [])):
            _read_numbers(document, self.own)
            found = schemas.findings(_SCHEMA, document, file.places, scope=_scope, hints=HINTS, own=self.own)
            self.diagnostics.extend(each.diagnostic for each in found)
            if isinstance(document, dict):
                self._enter(document, file, leave_out(document, found, file.places))
        if file.broken:
            self.unread.append(file.path)

    def _enter(self, document: dict[str, Any], file: YamlFile, doubtful: Mapping[Where, Collection[str]]) -> None:
        places = file.places
        for word, entries in (("templates", self.templates), ("users", self.users), ("groups", self.groups)):
            section = _mapping(document, word)
            for key, data in section.items():
                doubts = frozenset(doubtful.get((word, key), ())) if isinstance(data, dict) else frozenset((ANY,))
                if file.diagnostics:
                    doubts |= left_out(data, places)
                place = places.key(section, key)
                entries.append(
                    Entry(key=key, data=_mapping(section, key), places=places, source=place, doubtful=doubts)
                )
            for name in places.hidden(section) - {None, *section}:
                # its value is what is missing; that there is such a key is known
                place = places.of(section)
                entries.append(Entry(key=str(name), data={}, places=places, source=place, doubtful=frozenset((ANY,))))
        listed = document.get("released")
        if isinstance(listed, list):
            for index, text in enumerate(listed):
                if isinstance(text, str):
                    self.released.append(Released(address=_released(text), source=places.value(listed, index)))


def _mapping(data: dict[str, Any], key: str) -> dict[str, Any]:
    """The mapping that stands there; an empty one for anything else, which is reported already."""
    value = data.get(key)
    return value if isinstance(value, dict) else {}


def _released(text: str) -> Address:
    kind, _, key = text.partition(".")
    if key and kind in ("user", "group"):
        return Address(ResourceType(kind), key)
    return Address(ResourceType.USER, str(text))


def _scope(where: Where) -> tuple[Address | None, Where]:
    """``users, alice.ng, title`` -> user.alice.ng, ``title``."""
    if len(where) >= 2 and where[0] in _KINDS:
        return Address(_KINDS[str(where[0])], str(where[1])), where[2:]
    if len(where) > 2 and where[0] == "templates":
        return None, where[2:]
    return None, where


# --- numbers


def _read_numbers(document: Any, own: Own) -> None:
    """Turn plain scalars into numbers, in place, where the schema wants a number, and in undescribed extensions."""
    if not isinstance(document, dict):
        return
    plain, mapped = _numeric(own)
    deep = frozenset(each.name for each in (*own.users, *own.groups) if each.kind is Kind.JSON)
    for word in ("templates", "users", "groups"):
        section = document.get(word)
        for data in section.values() if isinstance(section, dict) else ():
            overrides = data.get("overrides") if isinstance(data, dict) else None
            for layer in (data, *(overrides.values() if isinstance(overrides, dict) else ())):
                if isinstance(layer, dict):
                    _read_layer(layer, plain, mapped, deep)


def _read_layer(layer: dict[str, Any], plain: frozenset[str], mapped: frozenset[str], deep: frozenset[str]) -> None:
    for name, value in layer.items():
        if name in mapped and isinstance(value, dict):
            for key, level in value.items():
                value[key] = _as_number(level)
        elif name in plain:
            layer[name] = _as_number(value)
        elif (name.startswith("urn:") or name in deep) and isinstance(value, dict | list):
            _read_deep(value)


def _read_deep(value: Any) -> Any:
    if isinstance(value, dict):
        for key, each in value.items():
            value[key] = _read_deep(each)
    elif isinstance(value, list):
        value[:] = [_read_deep(each) for each in value]
    else:
        return _as_number(value)
    return value


def _as_number(value: Any) -> Any:
    read = number(value)
    return value if read is None else read


@cache
def _numeric(own: Own) -> tuple[frozenset[str], frozenset[str]]:
    """The names whose value is a number, and those whose values by key are numbers, as the schema types them."""
    schema = schemas.extended(schemas.schema(_SCHEMA), own)
    sections = (schema["$defs"][each]["properties"] for each in ("user", "group"))
    nodes = {
        **schema["$defs"],
        **{name: node for each in sections for name, node in each.items() if "$ref" not in node},
    }
    plain = frozenset(name for name, node in nodes.items() if _is_numeric(node))
    mapped = frozenset(name for name, node in nodes.items() if _is_numeric(node.get("additionalProperties")))
    return plain, mapped


def _is_numeric(node: Any) -> bool:
    types = node.get("type") if isinstance(node, dict) else None
    return isinstance(types, list) and bool({"number", "integer"} & set(types)) and "string" not in types


# --- notes


def _empty(path: str) -> Diagnostic:
    return Diagnostic(
        severity=Severity.WARNING,
        code="empty-file",
        summary=f"{path} says nothing",
        detail="If people stood in it before, they would count as removed.",
        mend="remove the file, or restore what it held",
        source=SourceLocation(path, 1),
    )


def _slow() -> Diagnostic:
    return Diagnostic(
        severity=Severity.NOTICE,
        code="slow-yaml",
        summary="PyYAML has no libyaml here, so reading takes about ten times as long",
        mend="install a PyYAML wheel for this platform",
    )
