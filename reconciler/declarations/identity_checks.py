"""One person, one key: everything that must not stand twice within the declarations of one set of folders."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from reconciler.declarations.declared import Entry, View, fold, logins
from reconciler.declarations.reporting import Reporter, quoted
from reconciler.declarations.resolution import Resolution
from reconciler.model import Address, DesiredResource, ResourceType, SourceLocation
from reconciler.scim.paths import element_path
from reconciler.suggestions import suggestion


def check_keys(view: View, report: Reporter) -> None:
    """Keys of users, groups and templates stand once; no key is somebody else's userName."""
    _once(view.users, "user", "repeated-user", report)
    _once(view.groups, "group", "repeated-group", report)
    _once(view.all_templates, "template", "repeated-template", report)
    by_login = {fold(login): each for each in view.users for login in logins(each)}
    for each in view.users:
        other = by_login.get(fold(each.key))
        if other is not None and fold(other.key) != fold(each.key):
            report.error(
                "key-is-a-login",
                each.source,
                f"the key {quoted(each.key)} is the userName of {other.key} ({other.source})",
                why="A reference to it could mean either of them.",
                mend="choose another key",
                of=Address(ResourceType.USER, each.key),
            )


def check_targets(view: View, known: Collection[str], report: Reporter) -> None:
    """`targets` and `overrides` name targets of the settings."""
    for kind, entries in ((ResourceType.USER, view.users), (ResourceType.GROUP, view.groups)):
        for each in entries:
            for name, source in _target_names(each):
                if name not in known:
                    report.error(
                        "unknown-target",
                        source,
                        f"the settings have no target {quoted(name)}",
                        mend=suggestion(name, known),
                        of=Address(kind, each.key),
                    )


def check_released(view: View, report: Reporter) -> None:
    """Nobody is released and declared, or released twice."""
    seen: dict[tuple[ResourceType, str], SourceLocation] = {}
    for each in view.released:
        kind, key = each.address.resource_type, fold(each.address.key)
        entries = view.teams if kind is ResourceType.GROUP else view.people
        entry = entries.get(key)
        if entry is not None:
            report.error(
                "released-but-declared",
                each.source,
                f"{each.address} is released here and declared in {entry.source}",
                mend="take one of the two out",
                of=each.address,
            )
        first = seen.setdefault((kind, key), each.source)
        if first is not each.source:
            report.error(
                "repeated-item",
                each.source,
                f"{each.address} is released twice, first in {first}",
                mend="take one out",
                of=each.address,
            )


def check_same_person(found: Resolution, report: Reporter) -> None:
    """No two users of a target share a userName, a work e-mail address or an employeeNumber; no two groups a name."""
    table = found.compiler.profile.users.table
    emails, number = table.get("emails"), table.get("employeeNumber")
    paths = {"userName": "userName"}
    if emails is not None:
        paths["work e-mail address"] = element_path(emails, "work", "value")
    if number is not None:
        paths["employeeNumber"] = number.path
    for name, path in paths.items():
        _unique(found.users, name, path, "same-person", report)
    _unique(found.groups, "displayName", "displayName", "same-group", report)


def check_formerly(found: Resolution, report: Reporter) -> None:
    """An earlier name is nobody's present one, and one person's only."""
    for resources, label in ((found.users, "userName"), (found.groups, "displayName")):
        present = {fold(address.key): address for address in resources}
        for address, resource in resources.items():
            present.setdefault(fold(str(resource.attributes.get(label))), address)
        claimed: dict[str, Address] = {}
        for address, resource in resources.items():
            for name, source in _formerly(found, resource):
                holder = present.get(fold(name))
                first = claimed.setdefault(fold(name), address)
                if holder is not None:
                    whose = f"its own present key or {label}"
                    if holder != address:
                        whose = f"the present key or {label} of {holder} ({resources[holder].source})"
                    report.error(
                        "formerly-in-use",
                        source,
                        f"formerly names {quoted(name)}, which is {whose}",
                        why="An earlier name is looked for only where nobody has it now.",
                        mend="take it out",
                        of=address,
                    )
                elif first != address:
                    report.error(
                        "formerly-twice",
                        source,
                        f"formerly names {quoted(name)}, and so does that of {first} ({resources[first].source})",
                        mend="keep it with the one whose name it was",
                        of=address,
                    )


def _once(entries: Iterable[Entry], what: str, code: str, report: Reporter) -> None:
    first: dict[str, Entry] = {}
    for each in entries:
        earlier = first.setdefault(fold(each.key), each)
        if earlier is each:
            continue
        spelled = "" if earlier.key == each.key else f" (as {quoted(earlier.key)}; keys compare without case)"
        report.error(
            code,
            each.source,
            f"the {what} {quoted(each.key)} is declared twice: here and in {earlier.source}{spelled}",
            mend="keep one of them, or join what they hold",
        )


def _unique(resources: Mapping[Address, DesiredResource], name: str, path: str, code: str, report: Reporter) -> None:
    first: dict[str, DesiredResource] = {}
    for address, resource in resources.items():
        value = resource.attributes.get(path)
        if not isinstance(value, str):
            continue
        earlier = first.setdefault(fold(value), resource)
        if earlier is not resource:
            origin = resource.origins.get(path)
            report.error(
                code,
                (origin.source if origin else None) or resource.source,
                f"{address} and {earlier.address} ({earlier.source}) have the same {name}, {quoted(value)}",
                why="" if value == earlier.attributes[path] else "Compared without case, they are one.",
                mend="give one of them another, or take one of the two out",
                of=address,
            )


def _target_names(entry: Entry) -> Iterator[tuple[str, SourceLocation]]:
    names = entry.data.get("targets")
    if isinstance(names, list):
        for index, name in enumerate(names):
            yield str(name), entry.places.value(names, index)
    overrides = entry.data.get("overrides")
    if isinstance(overrides, dict):
        for name in overrides:
            yield name, entry.places.key(overrides, name)


def _formerly(found: Resolution, resource: DesiredResource) -> Iterator[tuple[str, SourceLocation]]:
    view, address = found.compiler.view, resource.address
    of_users = address.resource_type is ResourceType.USER
    entry = (view.people if of_users else view.teams)[fold(address.key)]
    names: Any = entry.data.get("formerly", [])
    for index, name in enumerate(names):
        yield str(name), entry.places.value(names, index)
