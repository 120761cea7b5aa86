"""What an organisation holds before anybody provisions it.

A seed is a mapping, in YAML or as data; every key may be absent:

    divisions: [EMEA]
    roles: [Night Shift Lead]
    skills: [Claims]
    languages: [Dutch]
    groups: [Tier 2, {displayName: Support EMEA, members: [ann@example.com]}]     # members by userName
    users: [{userName: ann@example.com, displayName: Ann, phoneNumbers: [{type: work, value: "+49301234"}]}]

Users are written as SCIM attributes, extensions as objects under their URN; an `id` makes it known beforehand.
Applying a seed only ever adds what is missing by name (users by userName, groups by displayName), so it may be applied
at every start.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from reconciler.sandbox.directory import Directory
from reconciler.sandbox.errors import SandboxError, ScimError
from reconciler.sandbox.schema import ResourceType, fold

CATALOGUES = ("divisions", "roles", "skills", "languages")


def read_seed(path: Path) -> dict[str, Any]:
    """Read a seed file; raises SandboxError when it cannot be read or is no mapping.

    YAML turns unquoted numbers and dates into such, so phone and employee numbers must stand in quotes.
    """
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SandboxError(f"The seed file {path} cannot be read: {error}") from error
    if not isinstance(data, dict):
        raise SandboxError(f"The seed file {path} must hold a mapping.")
    return data


def add_seed(directory: Directory, data: Mapping[str, Any]) -> None:
    """Add what a seed names and the organisation lacks, all of it or, when SandboxError is raised, nothing."""
    unknown = sorted(set(data) - {*CATALOGUES, "groups", "users"})
    if unknown:
        raise SandboxError(f"A seed has no {unknown[0]!r}; it has {', '.join([*CATALOGUES, 'groups', 'users'])}.")
    try:
        with directory.store.transaction():
            for kind in CATALOGUES:
                directory.store.add_to_catalogue(kind, _names(data, kind))
            for user in _list(data, "users"):
                _add_user(directory, user)
            for group in _list(data, "groups"):
                _add_group(directory, group)
    except ScimError as error:
        raise SandboxError(f"The seed does not fit the organisation: {error.detail}") from error


def _add_user(directory: Directory, user: Any) -> None:
    name = user.get("userName") if isinstance(user, dict) else None
    if not isinstance(name, str):
        raise SandboxError("Every user of a seed needs a userName.")
    if directory.store.by_unique_key("User", fold(name)) is None:
        kind = directory.organisation.resource_type("User")
        _found(directory, kind, user)


def _add_group(directory: Directory, group: Any) -> None:
    described = {"displayName": group} if isinstance(group, str) else group
    name = described.get("displayName") if isinstance(described, dict) else None
    if not isinstance(name, str):
        raise SandboxError("Every group of a seed needs a displayName.")
    if any(fold(row.document()["displayName"]) == fold(name) for row in directory.store.all("Group")):
        return
    kind = directory.organisation.resource_type("Group")
    members = [{"value": _user_id(directory, it, name)} for it in _list(described, "members")]
    _found(directory, kind, {**described, "members": members})


def _found(directory: Directory, kind: ResourceType, resource: Mapping[str, Any]) -> None:
    identifier = resource.get("id")
    if identifier is not None and not (isinstance(identifier, str) and identifier):
        raise SandboxError("An id in a seed must be text.")
    if identifier is not None and directory.store.types_of([identifier]):
        raise SandboxError(f"The seed gives the id {identifier!r} to a second resource.")
    directory.found(kind, {"schemas": [kind.schema.id], **resource}, identifier)


def _user_id(directory: Directory, name: Any, group: str) -> str:
    row = directory.store.by_unique_key("User", fold(name)) if isinstance(name, str) else None
    if row is None:
        raise SandboxError(f"The seed's group {group!r} names {name!r}, who is no user of this organisation.")
    return row.id


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
