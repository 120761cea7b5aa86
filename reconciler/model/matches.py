"""Which live resource a declared one stands for."""

from collections.abc import Mapping
from typing import TypeAlias

from msgspec import Struct

from reconciler.model.addresses import Address, known_after_apply
from reconciler.model.applied import AppliedResource


class Paired(Struct, frozen=True):
    """A declared resource and the live one it stands for."""

    address: Address
    live_id: str
    by: str


class OnlyDesired(Struct, frozen=True):
    """A declared resource that is not on the server."""

    address: Address


class Ambiguous(Struct, frozen=True):
    """A declared resource that may stand for several live ones, or for one that must not be guessed at."""

    address: Address
    candidates: tuple[str, ...]
    reason: str


Match: TypeAlias = Paired | OnlyDesired | Ambiguous


class Matches(Struct, frozen=True, kw_only=True):
    """The outcome of matching. `entries`: address -> the record's entry that says something about its account.

    `frozen`: live ids that nothing may change about. `ids` resolves references; a create has its ``bulkId:`` id.
    """

    by_address: Mapping[Address, Match]
    address_of: Mapping[str, Address]
    entries: Mapping[Address, AppliedResource]
    frozen: frozenset[str]

    def id_of(self, address: Address) -> str | None:
        """The live id of a declared resource, ``bulkId:…`` where it is to be created, None where it is ambiguous."""
        match self.by_address.get(address):
            case Paired(live_id=live_id):
                return live_id
            case OnlyDesired():
                return known_after_apply(address)
            case _:
                return None
