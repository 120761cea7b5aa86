"""The `policy` of the settings: what a run may do, as a `Policy` with defaults filled in.

A target's policy is read over the one for all targets, key by key down to the last mapping; lists replace lists.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from msgspec.structs import replace

from reconciler.lazy import pattern
from reconciler.model import Limit, Policy, Removal, ResourceType, SourceLocation
from reconciler.settings.section import Section

_LIMITS: Final[Mapping[str, str]] = {
    "removals": "removals",
    "memberRemovals": "member_removals",
    "roleRemovals": "role_removals",
    "updates": "updates",
    "creations": "creations",
}
_OPEN_LIMITS: Final = frozenset({"updates", "creations"})
_KEY: Final = pattern(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}")
_GROUP: Final = f"{ResourceType.GROUP}."
_USER: Final = f"{ResourceType.USER}."


def read_policy(section: Section | None, base: Policy) -> Policy:
    """`base` with every written key in place of its own.

    `Policy.sources` names each written key as it is written below `policy`: ``limits.removals``, ``removal.users``,
    ``protect``, ``privileged.roles``, ``minimum`` and ``minimum.group.administrators``.
    """
    if section is None:
        return base
    written: dict[str, Any] = {}
    sources: dict[str, SourceLocation] = {}
    for read in (_removal, _drift, _limits, _privileged, _protect):
        read(section, written, sources)
    if isinstance(section.data.get("minimum"), dict):
        sources["minimum"] = section.key_place("minimum")
        written["minimum"] = {**base.minimum, **_minimum(section, sources)}
    return replace(base, **written, sources={**base.sources, **sources})


def _removal(section: Section, written: dict[str, Any], sources: dict[str, SourceLocation]) -> None:
    removal = section.section("removal")
    for key, choices in (("users", tuple(Removal)), ("groups", (Removal.KEEP, Removal.DELETE))):
        word = removal.text(key) if removal is not None else None
        if removal is not None and word in choices:
            written[f"removal_{key}"] = Removal(word)
            sources[f"removal.{key}"] = removal.place(key)


def _drift(section: Section, written: dict[str, Any], sources: dict[str, SourceLocation]) -> None:
    word = section.text("drift")
    if word in ("report", "correct"):
        written["drift_correct"] = word == "correct"
        sources["drift"] = section.place("drift")


def _limits(section: Section, written: dict[str, Any], sources: dict[str, SourceLocation]) -> None:
    limits = section.section("limits")
    if limits is None:
        return
    for key, name in _LIMITS.items():
        if key not in limits:
            continue
        limit = _limit(limits, key)
        if limit is not None or (key in _OPEN_LIMITS and limits.data[key] is None):
            written[name] = limit
            sources[f"limits.{key}"] = limits.place(key)


def _limit(limits: Section, key: str) -> Limit | None:
    raw = limits.data[key]
    if isinstance(raw, int | float) and not isinstance(raw, bool):
        return Limit(number=int(raw))
    if not isinstance(raw, str) or not re.fullmatch(r"\d{1,3}(\.\d+)?%", raw, re.ASCII):
        return None
    share = float(raw.removesuffix("%")) / 100
    if share == 0:
        limits.error(
            "bad-limit",
            limits.place(key),
            f"{limits.name_of(key)} is a share of nothing, which would still allow 3",
            "write 0 to allow none",
        )
        return None
    return Limit(share=share)


def _privileged(section: Section, written: dict[str, Any], sources: dict[str, SourceLocation]) -> None:
    privileged = section.section("privileged")
    if privileged is None:
        return
    for key in ("roles", "groups"):
        if isinstance(privileged.data.get(key), list):
            names = privileged.texts(key)
            written[f"privileged_{key}"] = tuple(name for name, _ in names)
            sources[f"privileged.{key}"] = privileged.key_place(key)
    for name, source in privileged.texts("groups"):
        if name.startswith(_GROUP):
            words = f"{privileged.name_of('groups')} holds keys of groups, without {_GROUP}"
            privileged.error("bad-address", source, words, f"write {name.removeprefix(_GROUP)}")


def _protect(section: Section, written: dict[str, Any], sources: dict[str, SourceLocation]) -> None:
    if not isinstance(section.data.get("protect"), list):
        return
    names = section.texts("protect")
    written["protect"] = tuple(name for name, _ in names)
    sources["protect"] = section.key_place("protect")
    for name, source in names:
        for prefix in (_GROUP, _USER):
            if name.startswith(prefix) and not _KEY.fullmatch(name.removeprefix(prefix)):
                words = f'{section.name_of("protect")}: "{name}" is no key of a {prefix.removesuffix(".")}'
                section.error("bad-address", source, words, f"write {prefix}KEY, or a userName")


def _minimum(section: Section, sources: dict[str, SourceLocation]) -> dict[str, int]:
    minimum = section.section("minimum")
    if minimum is None:
        return {}
    found = {}
    for key, count in minimum.data.items():
        if isinstance(count, int | float) and not isinstance(count, bool):
            found[str(key)] = int(count)
            sources[f"minimum.{key}"] = minimum.place(key)
    return found
