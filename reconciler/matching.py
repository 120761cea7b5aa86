"""Which live resource a declared one stands for.

In passes over everybody, strongest first; what a pass pairs is out of later ones:

1. the live id that the record holds under the same key,
2. the name: userName of a user, displayName of a group,
3. `formerly`: earlier keys, and earlier userNames of whoever has had no account under any of her keys and is not over.

Ambiguity refuses the identity and *freezes* every candidate: nothing about it may change. So does an unanswered create
whose login somebody bears, with other values, while the line now asks for another login: it may be ours or not.
And so does a record that says one account where the name says another, unless git shows that the recorded one was
called so: everybody who may push can write into the record. Pure.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct, field

from reconciler.doubting import Pair, gone_with_its_key, why_another_person
from reconciler.model import (
    Address,
    Ambiguous,
    AppliedResource,
    AppliedState,
    DesiredResource,
    DesiredState,
    LiveResource,
    LiveState,
    Match,
    Matches,
    OnlyDesired,
    Paired,
    Phase,
    ResourceType,
    Standing,
    without_case,
)
from reconciler.profiles.profile import Profile
from reconciler.scim.attributes import name_path
from reconciler.scim.values import canonical_text
from reconciler.situation import NameIndex, accounts_called, index_names


def match_resources(
    desired: DesiredState,
    live: LiveState,
    applied: AppliedState,
    profile: Profile,
    stood: Mapping[tuple[ResourceType, str], Standing] | None = None,
) -> Matches:
    """Pair every declared resource with its live one, or say that it has none, or that it cannot be told.

    `stood`: folded address -> what git shows that it was called; None where the record is not kept in git.
    """
    outcome: dict[Address, Match] = {}
    index = index_names(live)
    for resource_type in ResourceType:
        matching = _Matching(
            fold=profile.rules(resource_type).folds(name_path(resource_type)),
            desired={a: r for a, r in desired.resources.items() if a.resource_type is resource_type},
            live={r.id: r for r in live.of(resource_type)},
            entries={without_case(a.key): e for a, e in applied.resources.items() if a.resource_type is resource_type},
            index=index,
            stood=stood,
        )
        outcome |= matching.run()
    address_of = {match.live_id: address for address, match in outcome.items() if isinstance(match, Paired)}
    frozen = frozenset(c for match in outcome.values() if isinstance(match, Ambiguous) for c in match.candidates)
    return Matches(
        by_address=outcome,
        address_of={live_id: address for live_id, address in address_of.items() if live_id not in frozen},
        entries=_entries(desired, outcome, applied, live),
        frozen=frozen,
    )


class _Matching(Struct):
    """The passes over one resource type; `entries` by folded key."""

    fold: bool
    desired: dict[Address, DesiredResource]
    live: dict[str, LiveResource]
    entries: dict[str, AppliedResource]
    index: NameIndex
    stood: Mapping[tuple[ResourceType, str], Standing] | None
    outcome: dict[Address, Match] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)
    _names: dict[str, list[str]] = field(default_factory=dict)
    _declared: set[str] = field(default_factory=set)
    _moved: dict[str, AppliedResource] = field(default_factory=dict)

    def run(self) -> dict[Address, Match]:
        self._names = self._live_names()
        self._declared = {without_case(each.key) for each in self.desired}
        self._moved = {e.live_id: e for key, e in self.entries.items() if e.live_id and key not in self._declared}
        self._pass("record", self._by_record)
        for address in self._open():
            self._freeze_unanswered(address)
        self._pass("name", self._by_name)
        self._pass("formerly", self._by_formerly)
        for address in self._open():
            self.outcome[address] = OnlyDesired(address)
        paired = {match.live_id for match in self.outcome.values() if isinstance(match, Paired)}
        for address, match in self.outcome.items():
            self.outcome[address] = self._contradicted(address, match, paired) or self._doubted(address, match)
        frozen = {c for match in self.outcome.values() if isinstance(match, Ambiguous) for c in match.candidates}
        if frozen:
            for address, match in self.outcome.items():
                self.outcome[address] = self._withheld(address, match, frozen)
        return self.outcome

    def _open(self) -> list[Address]:
        return [address for address in self.desired if address not in self.outcome]

    def _pass(self, by: str, find: Callable[[Address], list[str]]) -> None:
        found = {address: candidates for address in self._open() if (candidates := find(address))}
        wanted_by: dict[str, list[Address]] = defaultdict(list)
        for address, candidates in found.items():
            for live_id in candidates:
                wanted_by[live_id].append(address)
        for address, candidates in found.items():
            rivals = wanted_by[candidates[0]]
            if len(candidates) > 1:
                self.outcome[address] = Ambiguous(address, tuple(sorted(candidates)), self._twins(by, candidates))
            elif len(rivals) > 1:
                others = sorted(str(each) for each in rivals if each != address)
                reason = f"{', '.join(others)} and {address} are declared for the same account"
                self.outcome[address] = Ambiguous(address, tuple(candidates), reason)
            else:
                self.outcome[address] = Paired(address, candidates[0], by)
        self.taken |= {live_id for candidates in found.values() for live_id in candidates}

    def _by_record(self, address: Address) -> list[str]:
        entry = self.entries.get(without_case(address.key))
        return [entry.live_id] if entry and entry.live_id in self.live and entry.live_id else []

    def _by_name(self, address: Address) -> list[str]:
        return self._named(self.desired[address].attributes.get(name_path(address.resource_type)))

    def _by_formerly(self, address: Address) -> list[str]:
        found: dict[str, None] = {}
        for name in self.desired[address].formerly:
            entry = self.entries.get(without_case(name))
            live_id = entry.live_id if entry and without_case(name) not in self._declared else None
            if live_id in self.live and live_id not in self.taken:
                found[live_id] = None
            if self._may_be_called(address):
                found |= dict.fromkeys(self._named(name))
        return list(found)

    def _may_be_called(self, address: Address) -> bool:
        """Whether an account of an earlier login may be hers. It is a hint: enough to go on with it, not to delete it.

        Whoever had an account by the record, under this key or an earlier one, needs it no more: that account is gone.
        """
        own = self.entries.get(without_case(address.key))
        had_one = own is not None and own.live_id is not None
        lost = gone_with_its_key(self.desired[address], self.entries, self.live, self._declared)
        return not had_one and lost is None and self.desired[address].lifecycle.phase is not Phase.DELETION

    def _named(self, name: object) -> list[str]:
        if not isinstance(name, str):
            return []
        return [each for each in self._names.get(self._folded(name), ()) if each not in self.taken]

    def _live_names(self) -> dict[str, list[str]]:
        names: dict[str, list[str]] = defaultdict(list)
        for resource in self.live.values():
            names[self._folded(resource.name)].append(resource.id)
        return names

    def _folded(self, name: str) -> str:
        return without_case(name) if self.fold else name

    def _freeze_unanswered(self, address: Address) -> None:
        """A create without an answer may have arrived; an account with that login and other values may be anybody's."""
        entry = self.entries.get(without_case(address.key))
        if entry is None:
            return
        wanted = self.desired[address]
        asked = (wanted.attributes.get(name_path(address.resource_type)), *wanted.formerly)
        known = {self._folded(each) for each in asked if isinstance(each, str)}
        called = accounts_called(entry, self.index)
        sent = [each.id for each in called if each.id not in self.taken and self._folded(each.name) not in known]
        if sent:
            names = ", ".join(sorted({self.live[each].name for each in sent}))
            reason = f"an earlier create had no answer, and {names} holds other values than it sent"
            self.outcome[address] = Ambiguous(address, tuple(sorted({*sent, *self._by_name(address)})), reason)
            self.taken |= {*sent, *self._by_name(address)}

    def _withheld(self, address: Address, match: Match, frozen: set[str]) -> Match:
        """A name that a frozen account bears is nobody else's to take."""
        if not isinstance(match, OnlyDesired):
            return match
        held = tuple(sorted(frozen.intersection(self._holders(self.desired[address]))))
        return Ambiguous(address, held, "an account that is left as it is bears this name") if held else match

    def _contradicted(self, address: Address, match: Match, paired: set[str]) -> Match | None:
        """The record says one account and the name another; git has to show that the first one bore an earlier name."""
        if self.stood is None or not isinstance(match, Paired) or match.by != "record":
            return None
        wanted, found = self.desired[address], self.live[match.live_id]
        others = [each for each in self._holders(wanted) if each != found.id]
        if not others or found.id in self._holders(wanted):
            return None
        stood = self.stood.get(address.folded)
        earlier = {without_case(canonical_text(each)) for each in wanted.formerly}
        if without_case(canonical_text(found.name)) in earlier | (stood.names if stood else frozenset()):
            return None
        name = wanted.attributes[name_path(address.resource_type)]
        reason = f"the record says {found.name}, which no applied commit calls it, and {name} is somebody else"
        return Ambiguous(address, tuple(sorted({found.id, *(each for each in others if each not in paired)})), reason)

    def _holders(self, wanted: DesiredResource) -> list[str]:
        name = wanted.attributes.get(name_path(wanted.address.resource_type))
        return self._names.get(self._folded(name), []) if isinstance(name, str) else []

    def _doubted(self, address: Address, match: Match) -> Match:
        """A pair whose two sides look like different people is not a pair."""
        if not isinstance(match, Paired) or address.resource_type is not ResourceType.USER:
            return match
        pair = Pair(
            wanted=self.desired[address],
            found=self.live[match.live_id],
            by=match.by,
            fold=self.fold,
            own=self.entries.get(without_case(address.key)),
            holder=self._moved.get(match.live_id),
        )
        doubt = why_another_person(pair)
        return Ambiguous(address, (match.live_id,), doubt) if doubt else match

    def _twins(self, by: str, candidates: Sequence[str]) -> str:
        names = ", ".join(sorted(f"{self.live[each].name} ({each})" for each in candidates))
        what = "earlier name" if by == "formerly" else "name"
        return f"{len(candidates)} live resources fit its {what}: {names}"


def _entries(
    desired: DesiredState, outcome: Mapping[Address, Match], applied: AppliedState, live: LiveState
) -> dict[Address, AppliedResource]:
    """Whose entry says something about an account: its own key's, else that of a key that is declared no more.

    A released key is declared no more, too: who is declared again under another key is not new. Of somebody who has no
    account the entry under an earlier key says that she had one: others deleted it.
    """
    own = {address.folded: entry for address, entry in applied.resources.items()}
    declared = {address.folded for address in outcome}
    moved = {e.live_id: e for a, e in applied.resources.items() if e.live_id and a.folded not in declared}
    by_key = {kind: {key: e for (each, key), e in own.items() if each is kind} for kind in ResourceType}
    taken = {kind: {key for each, key in declared if each is kind} for kind in ResourceType}
    entries: dict[Address, AppliedResource] = {}
    for address, match in outcome.items():
        entry = own.get(address.folded)
        if isinstance(match, Paired) and (entry is None or entry.live_id != match.live_id):
            entry = moved.get(match.live_id)
        elif isinstance(match, OnlyDesired) and (entry is None or entry.seen):
            kind = address.resource_type
            entry = gone_with_its_key(desired.resources[address], by_key[kind], live.resources, taken[kind])
        if entry is not None and not entry.seen:
            entries[address] = entry
    return entries
