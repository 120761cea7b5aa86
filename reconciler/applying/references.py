"""The ids that a run has been given for what it created, in the place of references (``bulkId:…``, RFC 7644 §3.7.2)."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from reconciler.applying.memberships import Operations, added, without_members
from reconciler.model import BULK_ID, Address, is_known, known_after_apply


class Unresolved(Exception):
    """A reference (``bulkId:…``) to something that was not created."""

    def __init__(self, bulk_id: str) -> None:
        super().__init__(bulk_id)
        self.bulk_id = bulk_id


def references_in(value: Any) -> Iterator[str]:
    """Every reference in some JSON."""
    if isinstance(value, str) and not is_known(value):
        yield value
    elif isinstance(value, Mapping | list | tuple):
        for each in value.values() if isinstance(value, Mapping) else value:
            yield from references_in(each)


class References:
    """What was created so far in this run, and which ids it has."""

    def __init__(self) -> None:
        self._ids: dict[str, str] = {}

    def give(self, address: Address, live_id: str) -> None:
        """It was created, and this is its id."""
        self._ids[known_after_apply(address)] = live_id

    def resolved(self, value: Any) -> Any:
        """The same JSON with ids in the place of references. Raises Unresolved."""
        if isinstance(value, str):
            if is_known(value):
                return value
            if value not in self._ids:
                raise Unresolved(value)
            return self._ids[value]
        if isinstance(value, Mapping):
            return {name: self.resolved(each) for name, each in value.items()}
        if isinstance(value, list | tuple):
            return [self.resolved(each) for each in value]
        return value

    def without_missing(self, operations: Operations) -> tuple[Operations, tuple[str, ...]]:
        """A chunk of members without those who were not created, and who they are."""
        missing = tuple(each for each in sorted(added(operations)) if not is_known(each) and each not in self._ids)
        return without_members(operations, lambda member: member in missing), missing

    def are_fresh(self, ids: Collection[str]) -> bool:
        """Whether any of these was created in this run."""
        return not set(ids).isdisjoint(self._ids.values())

    def name_of(self, live_id: str) -> str:
        """The address of what was created with this id; else the id."""
        return next((each.removeprefix(BULK_ID) for each, given in self._ids.items() if given == live_id), live_id)
