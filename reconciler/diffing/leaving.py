"""Those whom the record holds and no line declares any more: what of ours is left on them, and whether git proves it.

Everybody who may push can write into the record. So it alone removes nobody: git must show that the address was
declared once, and that the account is called what the declarations called it. Where it does not, nothing changes.
"""

from collections.abc import Iterator
from typing import Final

from reconciler.model import (
    Address,
    AppliedList,
    AppliedResource,
    Diagnostic,
    LiveResource,
    Removal,
    ResourceType,
    Severity,
    without_case,
)
from reconciler.scim.values import canonical_text
from reconciler.situation import Situation

_MEND: Final = "remove it on the server if it is to go, or write it under `released`; mend the record if it is wrong"


def not_proved(situation: Situation) -> list[tuple[str, Diagnostic]]:
    """Live id and why it is left as it is, of each entry that would cost somebody something and that git does not show.

    Several entries may point at one account; each of them is named.
    """
    if situation.stood is None:
        return []
    return [
        (
            found.id,
            Diagnostic(
                severity=Severity.ERROR,
                code="removal-not-proved",
                summary=f"not proved, left as it is: {doubt}",
                mend=_MEND,
                address=address,
            ),
        )
        for address, entry, found in _undeclared(situation)
        if something_is_left(entry, found.id, situation) and (doubt := _doubt(situation, address, found))
    ]


def _undeclared(situation: Situation) -> Iterator[tuple[Address, AppliedResource, LiveResource]]:
    declared = {each.folded for each in (*situation.desired.resources, *situation.desired.released)}
    for address, entry in sorted(situation.applied.resources.items()):
        found = situation.live.resources.get(entry.live_id or "")
        if found is not None and address.folded not in declared and found.id not in situation.matches.address_of:
            yield address, entry, found


def _doubt(situation: Situation, address: Address, found: LiveResource) -> str:
    """What speaks against the record; empty if nothing does."""
    stood = (situation.stood or {}).get(address.folded)
    if stood is None:
        return "the record has it, but no commit that the record names and this history holds declares it"
    if found.resource_type is not address.resource_type:
        return f"the record points to a {found.resource_type} of another kind"
    if without_case(canonical_text(found.name)) not in stood.names:
        return f"{stood.path} declared it by another name than the {found.name} that the record points to"
    return ""


def something_is_left(entry: AppliedResource, live_id: str, situation: Situation) -> bool:
    """Whether something of ours is still on an account or a group that is no longer declared."""
    found = situation.live.resources.get(live_id)
    if found is None:
        return False
    if live_id in situation.matches.frozen:
        return True
    user, removal = found.resource_type is ResourceType.USER, situation.removal(found.resource_type)
    if removal is Removal.DELETE and (found.active or not user):
        return True
    if user and removal is Removal.DEACTIVATE and found.active:
        return True
    rules = situation.profile.rules(found.resource_type)
    for attribute in rules.table.lists:
        held = found.items(attribute.name)
        ours = set(entry.lists.get(attribute.name, AppliedList()).items)
        ours -= set(rules.never_removed.get(attribute.name, ()))
        if attribute.access and ours and (held is None or ours & set(held)):
            return True
    return False
