"""Who a declared member or manager is on the server: a live id, the id a create will give, or a reason why neither."""

from collections import defaultdict

from msgspec import Struct, field

from reconciler.model import (
    Address,
    Ambiguous,
    LiveReference,
    LiveState,
    Matches,
    OnlyDesired,
    Reference,
    ResourceType,
    known_after_apply,
    without_case,
)


class Unresolved(Struct, frozen=True):
    """Why a reference has no id. `refuse`: the declaration is wrong here; `quiet`: nothing anybody has to hear of.

    Otherwise it is only left alone.
    """

    reason: str
    refuse: bool = False
    quiet: bool = False


class References(Struct):
    """Resolves references against what was matched.

    `impossible`: declared resources that cannot be created; `over`: those that go, or stay away, as their time is over.
    """

    matches: Matches
    live: LiveState
    impossible: frozenset[Address] = frozenset()
    over: frozenset[Address] = frozenset()
    _by_name: dict[tuple[ResourceType, str], list[str]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        for resource in self.live.resources.values():
            self._by_name[(resource.resource_type, without_case(resource.name))].append(resource.id)

    def id_of(self, reference: Reference) -> str | Unresolved:
        """The id of a declared or live resource, ``bulkId:…`` for one that an apply creates."""
        if isinstance(reference, LiveReference):
            return self._live(reference)
        match self.matches.by_address.get(reference):
            case None:
                return Unresolved(f"{reference} is not declared for this target")
            case Ambiguous():
                return Unresolved(f"{reference} cannot be told apart on the server, left as it is")
            case _ if reference in self.over:
                return Unresolved(f"{reference} is past the days that deleteAfter leaves her", quiet=True)
            case OnlyDesired() if reference in self.impossible:
                return Unresolved(f"{reference} does not exist and cannot be created")
            case OnlyDesired():
                return known_after_apply(reference)
            case paired:
                frozen = paired.live_id in self.matches.frozen
                return Unresolved(f"{reference} is left as it is") if frozen else paired.live_id

    def _live(self, reference: LiveReference) -> str | Unresolved:
        found = self._by_name.get((reference.resource_type, without_case(reference.name)), [])
        if len(found) == 1:
            held = found[0] in self.matches.frozen
            return Unresolved(f"{reference.name} is left as it is") if held else found[0]
        if not found:
            return Unresolved(f"{reference.name} does not exist on the server", refuse=True)
        return Unresolved(f"{len(found)} live resources are called {reference.name}", refuse=True)
