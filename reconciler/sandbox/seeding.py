"""What an organisation holds before anybody provisions it.

A seed is a mapping, in YAML or as data; every key may be absent:

    divisions: [EMEA]
    roles: [Night Shift Lead]
    skills: [Claims]
    languages: [Dutch]
    groups: [Tier 2, {displayName: Support EMEA, members: [ann@example.com]}]     # members by userName
    users: [{userName: ann@example.com, displayName: Ann, phoneNumbers: [{type: work, value: "+49301234"}]}]

Users are written as SCIM attributes, extensions as objects under their URN; an `id` makes it known beforehand. A seed
only ever adds: users that are missing by userName, groups that are missing by displayName, members that a group lacks.

A seed file is applied once, and again only when its content has changed. Then only what it did not name before is
added: whoever was seeded, and was renamed or removed since, does not come back, nor does a member taken out of a group.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from reconciler.sandbox.directory import PROVIDER, Directory
from reconciler.sandbox.errors import SandboxError, ScimError
from reconciler.sandbox.patching import PATCH_OP
from reconciler.sandbox.schema import JsonObject, ResourceType, fold
from reconciler.sandbox.store import Row

CATALOGUES = ("divisions", "roles", "skills", "languages")
# What is remembered of a seed file stands among the catalogues of names, under names of its own.
_CONTENT = "seed content"
_USERS, _GROUPS, _MEMBERS = "seeded users", "seeded groups", "seeded members"


def apply_seed_file(directory: Directory, path: Path) -> None:
    """Apply a seed file unless this very content was applied before; all of it or, on SandboxError, nothing.

    YAML turns unquoted numbers and dates into such, so phone and employee numbers must stand in quotes.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SandboxError(f"The seed file {path} cannot be read: {error}") from error
    digest = hashlib.sha256(content).hexdigest()
    with directory.store.transaction():
        if directory.store.catalogue(_CONTENT) == {digest}:
            return
        _add(_Seeding(directory, once=True), _parsed(content, path))
        directory.store.replace_catalogue(_CONTENT, [digest])


def add_seed(directory: Directory, data: Mapping[str, Any]) -> None:
    """Add what a seed names and the organisation lacks, all of it or, when SandboxError is raised, nothing."""
    _add(_Seeding(directory, once=False), data)


def _parsed(content: bytes, path: Path) -> Mapping[str, Any]:
    try:
        data = yaml.safe_load(content)
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise SandboxError(f"The seed file {path} cannot be read: {error}") from error
    if not isinstance(data, dict):
        raise SandboxError(f"The seed file {path} must hold a mapping.")
    return data


def _add(seeding: _Seeding, data: Mapping[str, Any]) -> None:
    unknown = sorted(str(key) for key in set(data) - {*CATALOGUES, "groups", "users"})
    if unknown:
        raise SandboxError(f"A seed has no {unknown[0]!r}; it has {', '.join([*CATALOGUES, 'groups', 'users'])}.")
    store = seeding.directory.store
    try:
        with store.transaction():
            for kind in CATALOGUES:
                store.add_to_catalogue(kind, _names(data, kind))
            for user in _list(data, "users"):
                seeding.add_user(user)
            for group in _list(data, "groups"):
                seeding.add_group(group)
    except ScimError as error:
        raise SandboxError(f"The seed does not fit the organisation: {error.detail}") from error


class _Seeding:
    """One run over a seed; with `once`, what an earlier run of this kind added or found is not added again."""

    def __init__(self, directory: Directory, *, once: bool) -> None:
        self.directory = directory
        self._once = once
        self._known = {kind: directory.store.catalogue(kind) for kind in (_USERS, _GROUPS, _MEMBERS)} if once else {}

    def add_user(self, user: Any) -> None:
        name = user.get("userName") if isinstance(user, dict) else None
        if not isinstance(name, str):
            raise SandboxError("Every user of a seed needs a userName.")
        if self._is_due(_USERS, fold(name)) and self._user(name) is None:
            _found(self.directory, self.directory.organisation.resource_type("User"), user)

    def add_group(self, group: Any) -> None:
        described = {"displayName": group} if isinstance(group, str) else group
        name = described.get("displayName") if isinstance(described, dict) else None
        if not isinstance(name, str):
            raise SandboxError("Every group of a seed needs a displayName.")
        due, held = self._is_due(_GROUPS, fold(name)), self._group(name)
        members = self._new_members(name, _list(described, "members"))
        kind = self.directory.organisation.resource_type("Group")
        if held is not None:
            _add_members(self.directory, kind, held, members)
        elif due:
            _found(self.directory, kind, {**described, "members": members})

    def _new_members(self, group: str, names: list[Any]) -> list[JsonObject]:
        found = []
        for name in names:
            row = self._user(name) if isinstance(name, str) else None
            seeded = isinstance(name, str) and fold(name) in self._known.get(_USERS, ())
            if row is None and not seeded:
                raise SandboxError(f"The seed's group {group!r} names {name!r}, who is no user of this organisation.")
            if row is not None and self._is_due(_MEMBERS, f"{fold(group)}\n{fold(name)}"):
                found.append({"value": row.id})
        return found

    def _is_due(self, kind: str, key: str) -> bool:
        """Whether an entry has not been applied before; from now on it has."""
        if not self._once:
            return True
        self.directory.store.add_to_catalogue(kind, [key])
        return key not in self._known[kind]

    def _user(self, name: str) -> Row | None:
        kind = self.directory.organisation.resource_type("User")
        return self.directory.store.by_unique_key(kind.name, self.directory.key(kind, name))

    def _group(self, name: str) -> Row | None:
        rows = self.directory.store.all("Group")
        return next((row for row in rows if fold(row.document()["displayName"]) == fold(name)), None)


def _add_members(directory: Directory, kind: ResourceType, group: Row, members: list[JsonObject]) -> None:
    if members:
        operation = {"op": "add", "path": "members", "value": members}
        directory.patch(kind, group.id, {"schemas": [PATCH_OP], "Operations": [operation]}, lambda _: None, PROVIDER)


def _found(directory: Directory, kind: ResourceType, resource: Mapping[str, Any]) -> None:
    identifier = resource.get("id")
    if identifier is not None and not (isinstance(identifier, str) and identifier):
        raise SandboxError("An id in a seed must be text.")
    if identifier is not None and directory.store.types_of([identifier]):
        raise SandboxError(f"The seed gives the id {identifier!r} to a second resource.")
    directory.found(kind, {"schemas": [kind.schema.id], **resource}, identifier)


def _names(data: Mapping[str, Any], kind: str) -> list[str]:
    names = _list(data, kind)
    if not all(isinstance(name, str) for name in names):
        raise SandboxError(f"{kind} of a seed must be a list of names.")
    return names


def _list(data: Mapping[str, Any], key: str) -> list[Any]:
    value = data.get(key) or []
    if not isinstance(value, list):
        raise SandboxError(f"{key} of a seed must be a list.")
    return value
