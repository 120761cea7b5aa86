"""What is left of a change where somebody else was quicker, judged path by path. Pure.

As planned on: still to be done. As it is to be: done already. Anything else: stale, and nobody's to decide here.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, TypeAlias

from msgspec import Struct

from reconciler.applying.memberships import Operations
from reconciler.applying.replacing import carried_out
from reconciler.decoding import Decoder
from reconciler.model import (
    NOT_READ,
    Json,
    LiveResource,
    PatchOp,
    PatchOperation,
    ResourceType,
    Unset,
    Value,
)
from reconciler.profiles.profile import AttributeRules, Profile
from reconciler.scim.attributes import Attribute, Kind, name_path
from reconciler.scim.paths import element_of, short_path
from reconciler.scim.values import same_value

_State: TypeAlias = Value | Unset
_ID: Final = "id"
_ACTIVE: Final = "active"


class Left(Struct, frozen=True, kw_only=True):
    """`operations`: what is still to be done. `stale`: paths, as people read them, that hold something else by now."""

    operations: Operations
    stale: tuple[str, ...]


def left_to_do(
    operations: Operations,
    before: LiveResource | None,
    now: Mapping[str, Json],
    *,
    resource_type: ResourceType,
    profile: Profile,
) -> Left:
    """Judge every operation by the resource as it was planned on (None: nobody knows) and as it has just been read."""
    decoder, rules = Decoder(resource_type, profile), profile.rules(resource_type)
    found = decoder.decode(now)
    left: list[PatchOperation] = []
    stale: dict[str, None] = {}
    for each in operations:
        wanted = decoder.decode({_ID: found.id, **carried_out({}, [each])})
        done = True
        for path, was, is_now, to_be in _touched(each, before or found, found, wanted, rules):
            if _same(is_now, to_be, path, rules):
                continue
            done = False
            if was is not NOT_READ and not _same(is_now, was, path, rules):
                stale[short_path(path)] = None
        if not done:
            left.append(each)
    return Left(operations=tuple(left), stale=tuple(stale))


def identity_changes(before: LiveResource, now: Mapping[str, Json], profile: Profile) -> list[str]:
    """What speaks against deleting a resource that is as `now`: it is called otherwise, or was at rest and is active.

    Only what both show counts, as a server may show less of one resource than of many, or of what it has just changed.
    """
    rules, path = profile.rules(before.resource_type), name_path(before.resource_type)
    found = Decoder(before.resource_type, profile).decode({**now, _ID: before.id})
    shown = path in before.attributes and path in found.attributes
    renamed = shown and not same_value(found.name, before.name, fold=rules.folds(path))
    came_back = not before.active and found.attributes.get(_ACTIVE) is True
    return [*(["name"] if renamed else []), *([_ACTIVE] if came_back else [])]


def _touched(
    operation: PatchOperation, before: LiveResource, now: LiveResource, wanted: LiveResource, rules: AttributeRules
) -> Iterator[tuple[str, _State, _State, _State]]:
    """(path, as planned on, as it is now, as it is to be) of everything that an operation is about."""
    attribute, element = rules.table.by_path(operation.path), element_of(operation.path)
    if attribute is not None and attribute.is_list:
        yield from _items(operation, attribute, before, now, wanted)
        if operation.op is PatchOp.REMOVE or element is None or element[2] is None:
            return
    for path in _paths(operation, attribute, before, now, wanted):
        yield path, before.at(path), now.at(path), wanted.at(path)


def _items(
    operation: PatchOperation, attribute: Attribute, before: LiveResource, now: LiveResource, wanted: LiveResource
) -> Iterator[tuple[str, _State, _State, _State]]:
    element = element_of(operation.path)
    gives = operation.op is not PatchOp.REMOVE
    if gives and element is not None:
        return
    names: Iterable[str] = wanted.lists.get(attribute.name, {}) if gives else [element[1]] if element else []
    for name in names:
        held = [name in (each.items(attribute.name) or {}) for each in (before, now)]
        yield f"{attribute.path} ({name})", held[0], held[1], gives


def _paths(
    operation: PatchOperation,
    attribute: Attribute | None,
    before: LiveResource,
    now: LiveResource,
    wanted: LiveResource,
) -> list[str]:
    path = operation.path
    if operation.op is PatchOp.REMOVE:
        shown = {each for one in (before, now) for each in one.attributes}
        found = {each for each in shown if each == path or each.startswith((f"{path}.", f"{path}["))}
    else:
        found = {*wanted.attributes, path}
    # the summary of a keyed attribute speaks of elements that this operation is not about
    keyed = attribute is not None and attribute.kind is Kind.KEYED
    return sorted(each for each in found if not (keyed and attribute is not None and each == attribute.path))


def _same(one: _State, other: _State, path: str, rules: AttributeRules) -> bool:
    if isinstance(one, Unset) or isinstance(other, Unset):
        return one is other
    return same_value(one, other, fold=rules.folds(path))
