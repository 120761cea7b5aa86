"""Signs that a live account is not that of the person whom a line means, though a name or a key says so. Pure.

A login is not a person: it is given to others once it is free. Where the record or the employeeNumber tells that the
account is somebody else's, nothing is guessed.
"""

from collections.abc import Collection, Mapping

from msgspec import Struct

from reconciler.model import AppliedResource, DesiredResource, LiveResource, Phase, without_case
from reconciler.scim.values import same_value


class Pair(Struct, frozen=True, kw_only=True):
    """A declared person and an account that was found for her. `by`: the pass that found it.

    `fold`: logins compare without case. `own`: the record's entry under her key. `holder`: the entry that holds the
    account under a key that is declared no more.
    """

    wanted: DesiredResource
    found: LiveResource
    by: str
    fold: bool
    own: AppliedResource | None = None
    holder: AppliedResource | None = None


def why_another_person(pair: Pair) -> str:
    """Why the account is left alone, in words; empty where nothing speaks against it."""
    return _came_after_her(pair) or _has_another_number(pair)


def gone_with_its_key(
    wanted: DesiredResource,
    entries: Mapping[str, AppliedResource],
    there: Collection[str],
    declared: Collection[str],
) -> AppliedResource | None:
    """The entry of an earlier key (`formerly`) whose account is gone; None where no earlier key had one that is.

    `entries`: by folded key; `there`: live ids; `declared`: folded keys.
    """
    earlier = (entries.get(without_case(each)) for each in wanted.formerly if without_case(each) not in declared)
    lost = (each for each in earlier if each is not None and each.live_id is not None and each.live_id not in there)
    return next(lost, None)


def _came_after_her(pair: Pair) -> str:
    """Nobody is deleted for bearing the login of somebody who was deleted before."""
    over = pair.wanted.lifecycle.phase is Phase.DELETION
    if not over or pair.by != "name" or pair.own is None or (pair.own.live_id is None and not pair.own.seen):
        return ""
    name = pair.found.name
    return f"deleteAfter is over and her account is gone: {name} came after it, and deleting it would hit somebody else"


def _has_another_number(pair: Pair) -> str:
    """Another employeeNumber, where that and something else that names her do not fit together."""
    wanted, found = pair.wanted, pair.found
    path = next((each for each in wanted.attributes if each.endswith(":employeeNumber")), None)
    if path is None or not isinstance(found.attributes.get(path), str):
        return ""
    if same_value(found.attributes[path], wanted.attributes[path]):
        return ""
    if pair.by == "record":
        renamed = not same_value(found.name, wanted.attributes.get("userName"), fold=pair.fold)
        together = "userName and employeeNumber changed together under one key: this looks like another person"
        return together if renamed else ""
    if pair.by == "formerly":
        return f"{found.name}, an earlier name, belongs to another employeeNumber: this looks like another person"
    if pair.holder is not None:
        key = pair.holder.address
        return f"key and employeeNumber changed together: {found.name} is {key} by the record, with another number"
    if not found.active:
        return "an inactive account with this userName belongs to another employeeNumber"
    if pair.own is not None and pair.own.live_id is not None:
        return "her account is gone, and the one with this userName belongs to another employeeNumber"
    return ""
