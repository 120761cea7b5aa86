"""What the files say, as raw data with places: templates, users, groups and what is released.

`View` is the part that one target reads, with look-ups by key and by userName. Keys and names compare without case and
in Unicode's composed form (NFC). Nothing here is resolved, and nothing knows a profile.
"""

import posixpath
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from reconciler.model import Address, Diagnostic, ResourceType, SourceLocation, without_case
from reconciler.scim.values import canonical_text
from reconciler.suggestions import nearest
from reconciler.yamlsource import Places


def fold(text: str) -> str:
    """The form in which keys and names are compared."""
    return without_case(canonical_text(str(text)))


ANY: Final = "*"
"""Stands among doubtful names for every name."""


class Entry(Struct, frozen=True, kw_only=True):
    """One user, group or template, without the values that have the wrong shape.

    `doubtful`: the names of which a value is left out, so that nobody knows what they would be (`ANY`: all names).
    """

    key: str
    data: dict[str, Any]
    places: Places
    source: SourceLocation
    doubtful: frozenset[str] = frozenset()

    @property
    def sound(self) -> bool:
        """Whether nothing is left out."""
        return not self.doubtful

    @property
    def path(self) -> str:
        """The file it stands in."""
        return self.places.path

    def is_for(self, target: str) -> bool:
        """Whether `targets` leaves this target in."""
        names = self.data.get("targets")
        return not isinstance(names, list) or target in names


class Released(Struct, frozen=True, kw_only=True):
    """A line of `released`."""

    address: Address
    source: SourceLocation


class Declarations(Struct, frozen=True, kw_only=True):
    """Everything that was read, in order of path and line. `folders`: where it was looked for, below the base.

    `unread`: files that were not read to their end; who stands in the rest is not known.
    """

    folders: tuple[str, ...] = ()
    files: int = 0
    templates: tuple[Entry, ...] = ()
    users: tuple[Entry, ...] = ()
    groups: tuple[Entry, ...] = ()
    released: tuple[Released, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    unread: tuple[str, ...] = ()


class View(Struct, frozen=True, kw_only=True):
    """The declarations that one set of folders holds, indexed. Of two with the same key the first counts."""

    templates: Mapping[str, Entry]
    """Folded name -> template."""
    all_templates: tuple[Entry, ...]
    users: tuple[Entry, ...]
    groups: tuple[Entry, ...]
    released: tuple[Released, ...]
    people: Mapping[str, Entry]
    """Folded key, and folded userName, -> user."""
    teams: Mapping[str, Entry]
    """Folded key -> group."""
    unread: bool
    """Whether a file was not read to its end, so that anybody may be declared in the rest."""
    nameless: bool
    """Whether somebody's userName is not known."""

    @property
    def complete(self) -> bool:
        """Whether everything was read and every entry is sound."""
        return not self.unread and all(each.sound for each in (*self.users, *self.groups, *self.all_templates))

    def user(self, name: str) -> Entry | None:
        """The user with this key or userName."""
        return self.people.get(name) or self.people.get(fold(name))

    def group(self, name: str) -> Entry | None:
        """The group with this key."""
        return self.teams.get(name) or self.teams.get(fold(name))

    def template(self, name: str) -> Entry | None:
        """The template with this name."""
        return self.templates.get(fold(name))

    def near_user(self, name: str) -> str | None:
        """The key or userName most like a name that nobody has."""
        return nearest(name, _spelled(self.users) if "@" not in name else _logins(self.users))

    def near_group(self, name: str) -> str | None:
        """The key most like a name that no group has."""
        return nearest(name, _spelled(self.groups))


def view_of(declarations: Declarations, folders: Sequence[str]) -> View:
    """The part of the declarations below `folders`.

    Only where all of them were read: whoever read other folders on purpose means those.
    """
    wanted = tuple(dict.fromkeys(normal_folder(each) for each in folders))
    whole = not wanted or not set(wanted) <= set(declarations.folders)

    def keep(path: str) -> bool:
        return whole or any(each == "." or path.startswith(f"{each}/") for each in wanted)

    users = tuple(each for each in declarations.users if keep(each.path))
    groups = tuple(each for each in declarations.groups if keep(each.path))
    templates = tuple(each for each in declarations.templates if keep(each.path))
    return View(
        templates=_first(templates),
        all_templates=templates,
        users=users,
        groups=groups,
        released=tuple(each for each in declarations.released if keep(each.source.path)),
        people=_people(users),
        teams=_first(groups),
        unread=any(keep(f"{each}/") for each in declarations.unread),
        nameless=any(each.doubtful & {"userName", ANY} for each in users),
    )


def normal_folder(folder: str) -> str:
    """``./identities/emea/`` -> ``identities/emea``."""
    return posixpath.normpath(folder.replace("\\", "/"))


def address(resource_type: ResourceType, entry: Entry) -> Address:
    """The address of a user or a group."""
    return Address(resource_type, entry.key)


def logins(entry: Entry) -> list[str]:
    """Her userName, and those that overrides give her."""
    overrides = entry.data.get("overrides")
    layers = [entry.data, *(overrides.values() if isinstance(overrides, dict) else ())]
    found = [each.get("userName") for each in layers if isinstance(each, dict)]
    return [str(each) for each in found if isinstance(each, str)]


def _first(entries: Iterable[Entry]) -> dict[str, Entry]:
    found: dict[str, Entry] = {}
    for each in entries:
        found.setdefault(fold(each.key), each)
    return found


def _people(users: Sequence[Entry]) -> dict[str, Entry]:
    found = _first(users)
    for each in users:
        for login in logins(each):
            found.setdefault(fold(login), each)
    return found


def _spelled(entries: Iterable[Entry]) -> list[str]:
    return [each.key for each in entries]


def _logins(users: Iterable[Entry]) -> list[str]:
    return [login for each in users for login in logins(each)]
