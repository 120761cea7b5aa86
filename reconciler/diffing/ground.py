"""What every comparison of a run stands on: the situation, who refers to whom, what is created, what may not be taken.

Answers small questions and collects what has to be said; decides nothing about a value.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct, field
from msgspec.structs import replace

from reconciler.diffing.activity import dates_of
from reconciler.diffing.findings import Differences, Finding
from reconciler.diffing.references import References, Unresolved
from reconciler.model import (
    Address,
    Ambiguous,
    AppliedResource,
    Cause,
    DesiredResource,
    Diagnostic,
    LiveReference,
    LiveResource,
    Matches,
    OnlyDesired,
    Paired,
    Phase,
    ResourceType,
    Severity,
    Value,
    is_known,
)
from reconciler.profiles.profile import AttributeRules
from reconciler.scim.attributes import name_path
from reconciler.scim.paths import short_path
from reconciler.situation import NameIndex, Situation, index_names, protected_ids, released_ids

LOOK: Final = "check the spelling, or create the account on the server first"
"""The mend for a reference to somebody who is not declared and not there."""


class Ground(Struct, kw_only=True):
    """One run's common ground.

    `creates`: who is created, and why. `going`: live id of whoever is deleted because `deleteAfter` is over, and why.
    `released`, `protected`: live ids. `claims`: live id that is left as it is -> whom it may stand for.
    """

    situation: Situation
    references: References
    creates: dict[Address, Cause]
    going: dict[str, Cause]
    released: frozenset[str]
    protected: frozenset[str]
    claims: Mapping[str, Sequence[Address]]
    names: NameIndex
    differences: Differences = field(default_factory=Differences)
    not_compared: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, situation: Situation) -> "Ground":
        """The ground of a situation, before anything is compared."""
        missing = [address for address, match in situation.matches.by_address.items() if isinstance(match, OnlyDesired)]
        impossible = frozenset(address for address in missing if not can_create(situation, address))
        entries = situation.matches.entries
        over = frozenset(each for each, wanted in situation.desired.resources.items() if is_over(wanted))
        return cls(
            situation=situation,
            references=References(situation.matches, situation.live, impossible, over),
            creates={each: _create_cause(entries.get(each)) for each in missing if each not in impossible | over},
            going={
                match.live_id: _cause_to_delete(situation.desired.resources[address], entries.get(address))
                for address in over
                if isinstance(match := situation.matches.by_address[address], Paired)
            },
            released=released_ids(situation),
            protected=protected_ids(situation),
            claims=_claims(situation.matches),
            names=index_names(situation.live),
        )

    def rules(self, address: Address) -> AttributeRules:
        """The provider's rules for the attributes of that resource type."""
        return self.situation.profile.rules(address.resource_type)

    def entry(self, address: Address) -> AppliedResource | None:
        """What the record says of a declared address's account."""
        return self.situation.matches.entries.get(address)

    def cause_with_create(self, resource_id: str, cause: Cause) -> Cause:
        """What refers to somebody who is created goes with her create, and is planned only where that is."""
        if is_known(resource_id):
            return cause
        created = self.creates.get(Address.parse(resource_id.partition(":")[2]), cause)
        return Cause.DRIFT if Cause.DRIFT in (created, cause) else created

    def cause_of_value(self, written: Value, resolved: Value, cause: Cause) -> Cause:
        """A manager whom others deleted is their drift, and until she is back nobody can be given her."""
        if not isinstance(written, Address) or not isinstance(resolved, str):
            return cause
        return Cause.DRIFT if self.cause_with_create(resolved, cause) is Cause.DRIFT else cause

    def resolved(self, wanted: DesiredResource, path: str, value: Value) -> Value | Unresolved:
        """A value with an id where a reference stands; a reference that is wrong here is refused."""
        if not isinstance(value, Address | LiveReference):
            return value
        resolved = self.references.id_of(value)
        if isinstance(resolved, Unresolved) and resolved.refuse:
            self.refuse("unknown-live-reference", wanted, f"{short_path(path)}: {resolved.reason}", LOOK)
        return resolved

    def finding(self, address: Address, wanted: DesiredResource | None, found: LiveResource | None) -> Finding:
        """An empty finding of a resource, under the name that people call it by."""
        shown = (found or wanted or _NAMELESS).attributes.get("displayName")
        return Finding(
            address=address,
            label=str(shown or (found.name if found else address.key)),
            name_path=name_path(address.resource_type),
            live_id=found.id if found else None,
            version=found.version if found else None,
            source=wanted.source if wanted else None,
        )

    def leave_uncompared(self, path: str) -> None:
        """One more declaration at a path that cannot be read here."""
        self.not_compared[path] = self.not_compared.get(path, 0) + 1

    def refuse(self, code: str, wanted: DesiredResource, reason: str, mend: str = "") -> None:
        """An identity, or a part of it, that cannot be planned."""
        self.differences.refused.append(_diagnostic(Severity.ERROR, code, reason, mend, wanted))

    def notice(
        self, code: str, summary: str, mend: str = "", wanted: DesiredResource | None = None, *, detail: str = ""
    ) -> None:
        """Something a reader of the plan should know; `detail` where there is nothing to mend."""
        found = _diagnostic(Severity.NOTICE, code, summary, mend, wanted)
        self.differences.notices.append(replace(found, detail=detail))


def _claims(matches: Matches) -> dict[str, list[Address]]:
    found: dict[str, list[Address]] = {}
    for address, match in sorted(matches.by_address.items()) if matches.frozen else ():
        for each in match.candidates if isinstance(match, Ambiguous) else ():
            found.setdefault(each, []).append(address)
    return found


def can_create(situation: Situation, address: Address) -> bool:
    """Whether the provider creates resources of that type over SCIM."""
    return address.resource_type is ResourceType.USER or situation.profile.lifecycle.group_create


def is_over(wanted: DesiredResource) -> bool:
    """Whether the days that `deleteAfter` leaves an account have passed."""
    return wanted.lifecycle.phase is Phase.DELETION


_NAMELESS = LiveResource(resource_type=ResourceType.USER, id="", attributes={})


def _create_cause(entry: AppliedResource | None) -> Cause:
    if entry is None:
        return Cause.DECLARED
    return Cause.LEFTOVER if entry.live_id is None else Cause.DRIFT


def _cause_to_delete(wanted: DesiredResource, entry: AppliedResource | None) -> Cause:
    if entry is None:
        return Cause.DECLARED
    if entry.dates == dates_of(wanted.lifecycle):
        return Cause.DUE
    return Cause.LEFTOVER if entry.pending.delete else Cause.DECLARED


def _diagnostic(severity: Severity, code: str, summary: str, mend: str, wanted: DesiredResource | None) -> Diagnostic:
    return Diagnostic(
        severity=severity,
        code=code,
        summary=summary,
        mend=mend,
        address=wanted.address if wanted else None,
        source=wanted.source if wanted else None,
    )
