"""Plans taken apart into what can be compared one by one: differences, and creations and deletions as such. Pure.

Where an apply of one plan has created somebody meanwhile, the other speaks of her by the id she was given: `ids` says
what a ``bulkId:…`` of the first has become.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final, TypeAlias

from msgspec import Struct

from reconciler.model import Action, AttributeChange, Change, ResourceType, Value, known_after_apply
from reconciler.scim.values import same_value

Key: TypeAlias = tuple[tuple[ResourceType, str], str, str | None]
"""Folded address, path, item; of a whole resource an empty path and the action."""
Ids: TypeAlias = Mapping[str, str]
NO_IDS: Final[Ids] = MappingProxyType({})
WHOLE: Final = (Action.CREATE, Action.DELETE)


class Part(Struct, frozen=True, kw_only=True):
    """One thing that a plan does. `detail` None: `change` as a whole, which creates or deletes."""

    change: Change
    detail: AttributeChange | None

    @property
    def deletes(self) -> bool:
        """Whether it is the deletion of a resource."""
        return self.detail is None and Action.DELETE in self.change.actions

    @property
    def creates(self) -> bool:
        """Whether it is the creation of a resource."""
        return self.detail is None and Action.CREATE in self.change.actions


def is_whole(change: Change) -> bool:
    """Whether a change creates or deletes: such a one is done whole or not at all."""
    return any(each in change.actions for each in WHOLE)


def parts_of(changes: Iterable[Change], ids: Ids = NO_IDS) -> dict[Key, Part]:
    """Everything that some changes do, by what it is about."""
    found: dict[Key, Part] = {}
    for change in changes:
        folded = change.address.folded
        for action in WHOLE:
            if action in change.actions:
                found[folded, "", action] = Part(change=change, detail=None)
        for each in change.attribute_changes:
            item = each.item if each.item is None else ids.get(each.item, each.item)
            found[folded, each.path, item] = Part(change=change, detail=each)
    return found


def paths_of(changes: Iterable[Change]) -> frozenset[str]:
    """The paths of users that some changes speak of: who judges them has to have read those."""
    users = (each for each in changes if each.address.resource_type is ResourceType.USER)
    return frozenset(one.path for each in users for one in each.attribute_changes)


def same_part(one: Part, other: Part, ids: Ids = NO_IDS) -> bool:
    """Whether two parts about the same thing do the same to the same account. `ids`: for what `one` speaks of."""
    if live_id_of(one.change, ids) != live_id_of(other.change, ids):
        return False
    if one.detail is None or other.detail is None:
        return one.detail is other.detail
    return (
        one.detail.op is other.detail.op
        and same_value(given(one.detail.before, ids), other.detail.before)
        and same_value(given(one.detail.after, ids), other.detail.after)
    )


def live_id_of(change: Change, ids: Ids) -> str | None:
    """Which account a change is about; None while there is none."""
    return change.live_id or ids.get(known_after_apply(change.address))


def given(value: Value, ids: Ids) -> Value:
    """A value with the id that has been given meanwhile."""
    return ids.get(value, value) if isinstance(value, str) else value
