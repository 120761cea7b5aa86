"""The embedded provider with the data of a target, opened for a while; what is wrong is told as the target's."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from reconciler.errors import TargetError
from reconciler.model import ResourceType
from reconciler.profiles.profile import RFC
from reconciler.project import Project
from reconciler.recording import data_folder, made_data_folder
from reconciler.sandbox import KINDS, SandboxError, SandboxService, open_sandbox, read_switches
from reconciler.scim.attributes import PRIMARY, Attribute, Kind
from reconciler.settings import Target

_PLAIN: Final = "rfc"
"""The organisation for a profile that has none of its own: switches make it as odd as that provider."""


@contextmanager
def embedded_service(project: Project, target: Target) -> Iterator[SandboxService]:
    """The embedded provider with the data of a target. TargetError where its data or its seed cannot be used."""
    made_data_folder(project)
    folder = sandbox_folder(project, target)
    service = _opened(target, folder, project.settings.folder)
    try:
        yield service
    except sqlite3.Error as error:
        raise _unusable(target, folder, str(error)) from error
    finally:
        service.close()


def sandbox_folder(project: Project, target: Target) -> Path:
    """Where the embedded provider keeps the data of a target."""
    return data_folder(project) / "sandbox" / target.name


def _opened(target: Target, folder: Path, beside: Path) -> SandboxService:
    seed = beside / target.sandbox_seed if target.sandbox_seed else None
    if seed is not None and not seed.is_file():
        summary = f'target "{target.name}": there is no seed file {seed}'
        raise TargetError(summary, "correct sandbox: {seed: FILE} in the settings, or add the file")
    try:
        switches = read_switches(target.sandbox_switches)
    except SandboxError as error:
        mend = "correct sandbox: {switches: ...} in the settings; docs/sandbox.md lists them"
        raise TargetError(_said(target, error), mend) from error
    try:
        return open_sandbox(folder, _kind(target), seed, switches=switches, schemas=_schemas(target))
    except SandboxError as error:
        begin_again = f"to begin with a fresh organisation delete {folder}"
        mend = f"mend {seed}; if that is right, {begin_again}" if seed else begin_again
        raise TargetError(_said(target, error), mend) from error
    except sqlite3.Error as error:
        raise _unusable(target, folder, str(error)) from error
    except OSError as error:
        raise _unusable(target, folder, (error.strerror or "no reason given").lower()) from error


def _kind(target: Target) -> str:
    """Which organisation it is: the profile's own, else that of the profile it extends, else a plain one."""
    own = target.own_profile
    names = (target.profile, own.profile.extends if own is not None else None)
    return next((each for each in names if each is not None and each in KINDS), _PLAIN)


def _schemas(target: Target) -> dict[str, list[dict[str, Any]]]:
    """Resource type -> schemas (RFC 7643 §7) of what the target's own profile adds: the rehearsal has it as well."""
    own = target.own_profile
    found: dict[str, list[dict[str, Any]]] = {}
    for name, resource_type in (("User", ResourceType.USER), ("Group", ResourceType.GROUP)):
        table = own.profile.rules(resource_type).table if own is not None else RFC.rules(resource_type).table
        known = RFC.rules(resource_type).table.attributes
        added = [each for each in table.attributes if each not in known and each.kind is not Kind.MEMBERS]
        for urn in dict.fromkeys(each.schema for each in added):
            rows = [_definition(each) for each in added if each.schema == urn]
            words = f"What {target.profile} has besides."
            found.setdefault(name, []).append({"id": urn, "name": name, "description": words, "attributes": rows})
    return found


def _definition(attribute: Attribute) -> dict[str, Any]:
    """An attribute as a schema describes it, by the shape in which it is sent."""
    name, kind = attribute.name, attribute.kind
    if kind in (Kind.COMPLEX, Kind.REFERENCE):
        return _row(name, "complex", parts=attribute.parts or ("value", "displayName"))
    if kind is Kind.KEYED:
        return _row(name, "complex", many=True, parts=(attribute.key, *attribute.parts))
    if kind is Kind.NAMES:
        return _row(name, "complex", many=True, parts=("value", "display", "type", "primary"))
    if kind is Kind.LEVELS:
        level = attribute.value or "value"
        return _row(name, "complex", many=True, parts=(attribute.key, level), numbers=(level,))
    return _row(name, {Kind.BOOLEAN: "boolean", Kind.NUMBER: "decimal"}.get(kind, "string"))


def _row(
    name: str, kind: str, *, many: bool = False, parts: Sequence[str] = (), numbers: Sequence[str] = ()
) -> dict[str, Any]:
    below = [_row(each, "decimal" if each in numbers else "boolean" if each == PRIMARY else "string") for each in parts]
    return {
        "name": name,
        "type": kind,
        "multiValued": many,
        "description": f"The {name}.",
        "required": False,
        "caseExact": True,
        "mutability": "readWrite",
        "returned": "default",
        "uniqueness": "none",
        **({"subAttributes": below} if below else {}),
    }


def _said(target: Target, error: SandboxError) -> str:
    said = " ".join(str(error).split()).rstrip(".")
    return f'target "{target.name}": {said[:1].lower()}{said[1:]}'


def _unusable(target: Target, folder: Path, why: str) -> TargetError:
    return TargetError(
        f'target "{target.name}": the embedded organisation in {folder} cannot be used ({why})',
        "check its permissions; to begin with a fresh one delete that folder",
    )
