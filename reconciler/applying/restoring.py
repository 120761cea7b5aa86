"""What the answer to a create shows besides what was sent: an account that had been there before. Pure.

Some providers answer the create of somebody deleted with the old account: its id, and values or access that nobody sent
(RFC 7644 §3.6 would have them forget it). What was sent has to be brought about on it then.
"""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Final

from msgspec import Struct

from reconciler.decoding import Decoder
from reconciler.model import AttributeChange, Cause, Json, LiveResource, PatchOp, PatchOperation, ResourceType
from reconciler.planning.encoding import patch_operations
from reconciler.profiles.profile import AttributeRules, Profile
from reconciler.scim.attributes import Kind
from reconciler.scim.paths import short_path
from reconciler.transport.answers import Answer, member

_OLD: Final = 60.0
"""Seconds between the making of an account and its last change, from which on this create cannot have made it."""
_REUSED: Final = 200
_UNSEEN: Final = "an account with this userName, which the plan did not know of,"
_AT_REST: Final = "an inactive account with this userName, which no listing shows,"


class Restored(Struct, frozen=True, kw_only=True):
    """An earlier account. `amends`: what makes it hold all that was sent. `brought`: names of what else it has."""

    amends: tuple[PatchOperation, ...]
    brought: tuple[str, ...]


def restored(
    sent: Mapping[str, Json],
    answer: Answer,
    live_id: str,
    *,
    resource_type: ResourceType,
    profile: Profile,
    known: Collection[str],
) -> Restored | None:
    """What came back, if it was an earlier account; `known` are ids that accounts had before this run."""
    if answer.body is None:
        return None
    rules = profile.rules(resource_type)
    decoder = Decoder(resource_type, profile)
    wanted, found = decoder.decode({**sent, "id": live_id}), decoder.decode({**answer.body, "id": live_id})
    said = live_id in known or answer.status == _REUSED or _is_old(answer.body)
    brought = tuple(_brought(wanted, found, rules))
    has_more = profile.lifecycle.restores and not set(brought) <= set(rules.given_at_create)
    if not said and not has_more and not _is_other(wanted, found, rules):
        return None
    shown = found.attributes or found.lists
    changes = tuple(_amends(wanted, found, rules)) if shown else ()
    return Restored(amends=patch_operations(changes, found, rules), brought=brought)


def why_not_hers(sent: Mapping[str, Json], body: Mapping[str, Json], profile: Profile) -> str:
    """Why an account that a create met is left alone, in words; empty where it may be brought to what was sent.

    Nobody who reviewed the plan saw it. One of another number is another person's; one at rest may be, and what it
    holds would come back with it.
    """
    rules = profile.users
    decoder = Decoder(ResourceType.USER, profile)
    wanted, found = decoder.decode({**sent, "id": body["id"]}), decoder.decode(body)
    number = next((each.path for each in rules.table.attributes if each.name == "employeeNumber"), "")
    known = number in wanted.attributes and number in found.attributes
    if known and not rules.in_place(found, number, wanted.attributes[number]):
        return f"{_UNSEEN if found.active else _AT_REST} belongs to another employeeNumber"
    if found.active:
        return ""
    names = [each.name for each in rules.table.lists if each.access and _extra(each.name, wanted, found, rules)]
    mend = "take them away on the server, or declare them"
    return f"{_AT_REST} still holds {' and '.join(names)} that nobody declared; {mend}" if names else ""


def _is_old(body: Mapping[str, Json]) -> bool:
    meta = member(body, "meta")
    if not isinstance(meta, Mapping):
        return False
    try:
        made, changed = (datetime.fromisoformat(str(member(meta, name))) for name in ("created", "lastModified"))
        return (changed - made).total_seconds() > _OLD
    except (ValueError, TypeError):
        return False


def _is_other(wanted: LiveResource, found: LiveResource, rules: AttributeRules) -> bool:
    """Another state of activity, a plain text that says something else, or access that nobody sent."""
    # what every account gets by itself may stand there although something else was sent
    by_itself = rules.given_at_create
    texts = (each.path for each in rules.table.attributes if each.kind is Kind.TEXT and each.name not in by_itself)
    shown = (path for path in texts if path in wanted.attributes and path in found.attributes)
    changed = any(not rules.in_place(found, path, wanted.attributes[path]) for path in shown)
    return found.active != wanted.active or changed or _more_access(wanted, found, rules)


def _more_access(wanted: LiveResource, found: LiveResource, rules: AttributeRules) -> bool:
    """Nobody gives access to an account that is only made; what every account has by itself is in the profile."""
    return any(_extra(each.name, wanted, found, rules) for each in rules.table.lists if each.access)


def _extra(name: str, wanted: LiveResource, found: LiveResource, rules: AttributeRules) -> frozenset[str]:
    """The values of a list that nobody sent."""
    sent = wanted.lists.get(name, {}).keys() | set(rules.never_removed.get(name, ()))
    return frozenset(found.lists.get(name, {}).keys() - sent)


def _amends(wanted: LiveResource, found: LiveResource, rules: AttributeRules) -> Iterator[AttributeChange]:
    """What was sent and is not there, each part of an element and each value of a list by itself."""
    for path, value in wanted.attributes.items():
        attribute = rules.table.by_path(path)
        summary = attribute is not None and attribute.kind is Kind.KEYED and path == attribute.path
        level_of_one_that_is_missing = attribute is not None and attribute.is_list and path not in found.attributes
        if summary or level_of_one_that_is_missing or rules.in_place(found, path, value):
            continue
        before = found.attributes.get(path)
        op = PatchOp.ADD if before is None else PatchOp.REPLACE
        yield AttributeChange(path=path, op=op, cause=Cause.DECLARED, before=before, after=value)
    for attribute in rules.table.lists:
        held = found.lists.get(attribute.name, {})
        for item, level in wanted.lists.get(attribute.name, {}).items():
            if item not in held:
                yield AttributeChange(path=attribute.path, op=PatchOp.ADD, cause=Cause.DECLARED, item=item, after=level)


def _brought(wanted: LiveResource, found: LiveResource, rules: AttributeRules) -> Iterator[str]:
    """The names of attributes with something that nobody sent; values that are not declared are shown nowhere."""
    single = [path for path in found.attributes if path not in wanted.attributes]
    owners = ((path, rules.table.by_path(path)) for path in single)
    names = {short_path(owner.path if owner else path) for path, owner in owners if not (owner and owner.is_list)}
    yield from sorted(names | {name for name in found.lists if _extra(name, wanted, found, rules)})
