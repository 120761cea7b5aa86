"""Finds `reconciler.yaml` and reads it into `Settings`, every problem of the file in one run, each with its place.

The schema says what shape the file has; what no schema can say (targets that exist, URLs, folders, time zones, what the
profile knows) is said here. Reads no secret, and of the environment only what a profile names for settings left out.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from reconciler.errors import InputError, UsageError
from reconciler.model import Diagnostic, Policy, ResourceType, Severity, SourceLocation
from reconciler.schemas import problems as schema_problems
from reconciler.scim.attributes import Attribute
from reconciler.settings import RecordSettings, Settings, Target
from reconciler.settings.auth import hide_secrets
from reconciler.settings.policy import read_policy
from reconciler.settings.section import Section
from reconciler.settings.targets import read_target
from reconciler.suggestions import suggestion
from reconciler.yamlsource import Quoted, number, read_yaml

NAME: Final = "reconciler.yaml"
_OTHER_NAMES: Final = ("reconciler.yml", "reconcile.yaml", ".reconciler.yaml")


def find_settings(start: Path, explicit: Path | None) -> Path:
    """The settings file: `explicit` if given, else the nearest `reconciler.yaml` from `start` upwards.

    Raises UsageError if `explicit` is no file, InputError if there is none anywhere.
    """
    if explicit is not None:
        return _explicit(explicit)
    start = start.resolve()
    for folder in (start, *start.parents):
        if (folder / NAME).is_file():
            return folder / NAME
    for folder in (start, *start.parents):
        for name in _OTHER_NAMES:
            if (folder / name).is_file():
                raise InputError(f"there is no {NAME}, but there is {folder / name}", mend=f"rename it to {NAME}")
    raise InputError(
        f"there is no {NAME} in {start} or above it",
        mend="go to the folder that holds it, or name it with --settings FILE",
    )


def load_settings(path: Path, environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings in a file. InputError whose `diagnostics` name every problem, sorted by place."""
    path = path.absolute()
    try:
        data = path.read_bytes()
    except OSError as error:
        why = (error.strerror or "no reason given").lower()
        raise InputError(f"{path} cannot be read ({why})", mend="check the path and its permissions") from error
    file = read_yaml(data, path.name)
    problems = list(file.diagnostics)
    read = file.documents if file.partial is None else (*file.documents, file.partial)
    root = _root(read, path.name, problems)
    settings = None
    if root is not None:
        whole = Section(data=root, places=file.places, problems=problems)
        settings = _settings(whole, path, environment)
    if settings is None or problems:
        problems.sort(key=lambda each: (each.source or SourceLocation(path.name, 1), each.code, each.summary))
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        raise InputError(f"{path.name} cannot be used: {count}", problems)
    return settings


def _explicit(path: Path) -> Path:
    if path.is_dir():
        raise UsageError(f"{path} is a folder", f"name the file in it: {path / NAME}")
    if not path.is_file():
        raise UsageError(f"there is no settings file {path}", "check the path")
    return path.absolute()


def _root(documents: tuple[Any, ...], name: str, problems: list[Diagnostic]) -> dict[str, Any] | None:
    if len(documents) == 1 and isinstance(documents[0], dict):
        return documents[0]
    if not problems:
        problems.append(
            Diagnostic(
                severity=Severity.ERROR,
                code="wrong-type",
                summary="the settings are one mapping" + (", not several documents" if len(documents) > 1 else ""),
                mend="begin with targets:",
                source=SourceLocation(name, 1),
            )
        )
    return None


def _settings(whole: Section, path: Path, environment: Mapping[str, str]) -> Settings | None:
    targets = whole.section("targets")
    for _, section in targets.sections() if targets is not None else ():
        hide_secrets(section)
    _read_numbers(whole)
    whole.problems.extend(schema_problems("settings", whole.data, whole.places))
    policy = read_policy(whole.section("policy"), Policy())
    if targets is None:
        return None
    found = {
        name: read_target(section, targets.key_place(name), policy, path.parent, environment)
        for name, section in targets.sections()
    }
    _check_alike(targets, [target for target in found.values() if target is not None])
    default = _default_target(whole, list(targets.data))
    if default is None:
        return None
    return Settings(
        path=path,
        folder=path.parent,
        default_target=default,
        targets={name: target for name, target in found.items() if target is not None},
        record=_record(whole.section("record")),
    )


def _check_alike(section: Section, targets: Sequence[Target]) -> None:
    """Declarations are shared by targets, so an attribute has one shape, whichever profile adds it."""
    found: dict[tuple[ResourceType, str], tuple[str, Attribute]] = {}
    for target in targets:
        own = target.own_profile
        tables = [own.profile.rules(each).table for each in ResourceType] if own is not None else []
        for kind, attribute in ((each.resource_type, one) for each in tables for one in each.attributes):
            path = own.path if own is not None else ""
            other_path, other = found.setdefault((kind, attribute.name), (path, attribute))
            if path != other_path and _shape(other) != _shape(attribute):
                summary = f"{path} gives {attribute.name} another shape than {other_path} does"
                place = section.section(target.name) or section
                section.error("other-shape", place.place("profile"), summary, "write its row alike in both")


def _shape(attribute: Attribute) -> tuple[object, ...]:
    return attribute.kind, attribute.parts, attribute.key, attribute.value, attribute.minimum, attribute.maximum


def _record(section: Section | None) -> RecordSettings:
    if section is None:
        return RecordSettings()
    plain = RecordSettings()
    keep = section.data.get("keep")
    return RecordSettings(
        remote=section.text("remote"),
        ref=section.text("ref") or plain.ref,
        keep=keep if isinstance(keep, int) else plain.keep,
        email=section.text("email") or plain.email,
    )


def _default_target(whole: Section, names: list[str]) -> str | None:
    if "defaultTarget" not in whole:
        if len(names) == 1:
            return names[0]
        if names and not whole.incomplete:
            whole.error(
                "no-default-target",
                whole.key_place("targets"),
                f"there are {len(names)} targets, and no defaultTarget",
                f"write defaultTarget: {names[0]}",
            )
        return None
    written = whole.text("defaultTarget")
    targets = whole.section("targets")
    unread = targets is None or targets.incomplete
    if written is not None and names and written not in names and not unread:
        words = f'defaultTarget: there is no target "{written}"'
        whole.error("unknown-target", whole.place("defaultTarget"), words, suggestion(written, names))
    return written


def _read_numbers(whole: Section) -> None:
    """Plain scalars become numbers where the settings hold numbers; everywhere else they stay text."""
    targets = whole.section("targets")
    each_target = [section for _, section in targets.sections()] if targets is not None else []
    _read_number(whole.section("record"), "keep")
    for section in each_target:
        _read_number(section, "pageSize")
        _read_number(section, "writesAtOnce")
    for section in (whole, *each_target):
        policy = section.section("policy")
        for key in ("limits", "minimum"):
            counts = policy.section(key) if policy is not None else None
            for name in counts.data if counts is not None else ():
                _read_number(counts, name)


def _read_number(section: Section | None, key: str) -> None:
    raw = section.data.get(key) if section is not None else None
    if section is None or not isinstance(raw, str) or isinstance(raw, Quoted):
        return
    value = number(raw)
    if value is not None:
        section.data[key] = value
