"""The two records of a run: what it is about to do (`announce`), and what was then found in place (`conclude`).

=============================================================  ==================  ==============
outcome, per attribute or list value                            A                   P
=============================================================  ==================  ==============
in place as declared (written or found)                         D, until, mode      cleared
failed, skipped, unknown, "server kept Y"                       unchanged           kept
drift, left                                                     unchanged (1)       cleared
taken and verified gone, or already gone                        forgotten           cleared
no line any more (not access)                                   forgotten           cleared
not read, frozen                                                unchanged           unchanged
create without an answer                                        empty               all that was sent
undeclared, and nothing of ours is left on it                   entry dropped
undeclared, something failed                                    entry kept whole    kept
released                                                        entry and claims dropped
=============================================================  ==================  ==============

(1) D where `activity` says that the record keeps A = true. Pure.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from reconciler.diffing.activity import ACTIVE, dates_of, wish_of
from reconciler.diffing.references import References, Unresolved
from reconciler.model import (
    Action,
    Address,
    Ambiguous,
    AppliedDates,
    AppliedItem,
    AppliedList,
    AppliedResource,
    AppliedState,
    AttributeChange,
    Change,
    DesiredList,
    DesiredResource,
    LiveReference,
    LiveResource,
    Paired,
    PatchOp,
    Pending,
    Removal,
    ResourceType,
    Value,
)
from reconciler.profiles.profile import AttributeRules
from reconciler.scim.attributes import Attribute
from reconciler.scim.paths import level_path
from reconciler.situation import Situation


def announce(situation: Situation, changes: Iterable[Change], commit: str | None) -> AppliedState:
    """The record before the first write: every planned change as pending, new list modes, moved entries."""
    resources = _carried(situation)
    for change in changes:
        wanted = situation.desired.resources.get(change.address)
        entry = resources.get(change.address) or AppliedResource(address=change.address, live_id=change.live_id)
        lists = dict(entry.lists)
        for name, lines in (wanted.lists if wanted else {}).items():
            lists[name] = replace(lists.get(name, AppliedList()), mode=lines.mode)
        resources[change.address] = replace(
            entry,
            live_id=change.live_id or (entry.live_id if Action.CREATE not in change.actions else None),
            source=commit if wanted else entry.source,
            lists=lists,
            pending=_announced(entry.pending, change, situation, leaving=wanted is None),
        )
    return replace(situation.applied, commit=commit, resources=resources, exists=True)


def conclude(
    announced: AppliedState, after: Situation, drift: Iterable[Change], created: Mapping[Address, str]
) -> AppliedState:
    """The record after verification. `after`: the same declarations against what the server then showed.

    `drift`: what the plan left to others. `created`: ids that creates were answered with.
    """
    left = {change.address: change for change in drift}
    references = References(after.matches, after.live)
    resources: dict[Address, AppliedResource] = {}
    for address, wanted in after.desired.resources.items():
        entry = announced.resources.get(address)
        match after.matches.by_address[address]:
            case Paired(live_id=live_id):
                if entry is None or entry.seen or entry.live_id not in (None, live_id):
                    entry = AppliedResource(address=address, live_id=live_id)
                found = after.live.resources[live_id]
                open_ = _Left.of(left.get(address))
                resources[address] = _declared(wanted, found, entry, open_, references, announced, after)
            case Ambiguous():
                if entry is not None or not announced.whole:
                    seen = AppliedResource(address=address, live_id=None, source=announced.commit, seen=True)
                    resources[address] = entry or seen
            case _ if entry is not None:
                resources[address] = replace(entry, live_id=created.get(address, entry.live_id))
    declared = {entry.live_id for entry in resources.values() if entry.live_id}
    for address, entry in announced.resources.items():
        if address not in after.desired.resources and address not in after.desired.released:
            kept = _undeclared(entry, after, declared)
            if kept is not None:
                resources[address] = kept
    return replace(announced, whole=True, resources=dict(sorted(resources.items())))


def _carried(situation: Situation) -> dict[Address, AppliedResource]:
    """The settled entries under the keys they now have: a changed key takes its entry along; released ones are gone."""
    matches, applied = situation.matches, situation.applied
    moved = {entry.address: address for address, entry in matches.entries.items() if entry.address != address}
    resources = {}
    for address, entry in applied.resources.items():
        if address in situation.desired.released:
            continue
        target = moved.get(address, address)
        resources[target] = replace(entry, address=target)
    return resources


def _announced(pending: Pending, change: Change, situation: Situation, *, leaving: bool) -> Pending:
    rules = situation.profile.rules(change.address.resource_type)
    values = dict(pending.values)
    give = {name: dict(items) for name, items in pending.give.items()}
    take = {name: set(items) for name, items in pending.take.items()}
    for each in change.attribute_changes:
        attribute = rules.table.by_path(each.path)
        if each.item is None:
            values[each.path] = each.after
        elif attribute is not None:
            _announce_item(each, attribute, values, give, take)
    return Pending(
        values=values,
        give={name: items for name, items in give.items() if items},
        take={name: frozenset(items) for name, items in take.items() if items},
        delete=pending.delete or Action.DELETE in change.actions,
        leaving=leaving and (pending.leaving or bool({Action.DEACTIVATE, Action.DELETE} & set(change.actions))),
    )


def _announce_item(
    change: AttributeChange,
    attribute: Attribute,
    values: dict[str, Value],
    give: dict[str, dict[str, AppliedItem]],
    take: dict[str, set[str]],
) -> None:
    assert change.item is not None  # noqa: S101 - the caller looked
    given, taken = give.setdefault(attribute.name, {}), take.setdefault(attribute.name, set())
    if change.op is PatchOp.REMOVE:
        taken.add(change.item)
        given.pop(change.item, None)
        return
    given[change.item] = AppliedItem(until=change.until)
    taken.discard(change.item)
    if change.after is not None:
        values[level_path(attribute, change.item)] = change.after


@dataclass(frozen=True, slots=True)
class _Left:
    """What the plan left to others on one resource, so that nothing of it stays announced."""

    paths: frozenset[str]
    items: frozenset[tuple[str, str]]

    @classmethod
    def of(cls, change: Change | None) -> "_Left":
        changes = change.attribute_changes if change else ()
        return cls(
            frozenset(each.path for each in changes if each.item is None),
            frozenset((each.path, each.item) for each in changes if each.item is not None),
        )


def _declared(
    wanted: DesiredResource,
    found: LiveResource,
    entry: AppliedResource,
    left: _Left,
    references: References,
    announced: AppliedState,
    after: Situation,
) -> AppliedResource:
    """What the record keeps of one declared resource that is on the server."""
    rules = after.profile.rules(found.resource_type)
    values, unresolved = _wanted_values(wanted, references, rules)
    here = {path: value for path, value in values.items() if rules.in_place(found, path, value)}
    known = {path: entry.values[path] for path in (*values, *unresolved) if path in entry.values}
    open_ = {
        path: value
        for path, value in entry.pending.values.items()
        if (path in values and path not in here and path not in left.paths) or path in unresolved
    }
    dates = entry.dates
    if wanted.address.resource_type is ResourceType.USER:
        active, dates = _concluded_active(wanted, found, entry, whole=announced.whole)
        here |= active
        if ACTIVE in entry.pending.values and ACTIVE not in left.paths and not _active_is_settled(wanted, found, entry):
            open_[ACTIVE] = entry.pending.values[ACTIVE]
    lists = {
        attribute.name: _concluded_list(attribute, wanted, found, entry, left, references, after)
        for attribute in rules.table.attributes
        if attribute.is_list
    }
    return AppliedResource(
        address=wanted.address,
        live_id=found.id,
        source=announced.commit,
        values={**known, **here},
        lists={name: kept.applied for name, kept in lists.items() if kept.applied.mode or kept.applied.items},
        dates=dates,
        pending=Pending(
            values=open_,
            give={name: kept.give for name, kept in lists.items() if kept.give},
            take={name: kept.take for name, kept in lists.items() if kept.take},
            leaving=entry.pending.leaving and not found.active,
        ),
    )


def _wanted_values(
    wanted: DesiredResource, references: References, rules: AttributeRules
) -> tuple[dict[str, Value], list[str]]:
    """Path -> wanted value with ids for references, and the paths whose reference leads nowhere."""
    values: dict[str, Value] = {}
    unresolved: list[str] = []
    for path, value in wanted.attributes.items():
        if isinstance(value, Address | LiveReference):
            resolved = references.id_of(value)
            if isinstance(resolved, Unresolved):
                unresolved.append(path)
                continue
            value = resolved
        values[path] = value
    for name, lines in wanted.lists.items():
        attribute = rules.table.get(name)
        for item, how in lines.items.items():
            if attribute is not None and isinstance(item, str) and how.level is not None:
                values[level_path(attribute, item)] = how.level
    return values, unresolved


def _concluded_active(
    wanted: DesiredResource, found: LiveResource, entry: AppliedResource, *, whole: bool
) -> tuple[dict[str, Value], AppliedDates]:
    """A for `active`, and the dates it was brought about by."""
    wish = wish_of(wanted.lifecycle, entry)
    if wish.active is None:
        return {}, dates_of(wanted.lifecycle)
    if wish.active is found.active:
        return {ACTIVE: wish.active}, dates_of(wanted.lifecycle)
    if wish.active and (not whole or not entry.values):
        return {ACTIVE: True}, entry.dates
    return ({ACTIVE: entry.values[ACTIVE]} if ACTIVE in entry.values else {}), entry.dates


def _active_is_settled(wanted: DesiredResource, found: LiveResource, entry: AppliedResource) -> bool:
    wish = wish_of(wanted.lifecycle, entry)
    return found.active if wish.active is None else wish.active is found.active


@dataclass(frozen=True, slots=True)
class _KeptList:
    applied: AppliedList
    give: Mapping[str, AppliedItem]
    take: frozenset[str]


def _concluded_list(
    attribute: Attribute,
    wanted: DesiredResource,
    found: LiveResource,
    entry: AppliedResource,
    left: _Left,
    references: References,
    after: Situation,
) -> _KeptList:
    name = attribute.name
    applied = entry.lists.get(name, AppliedList())
    give, take = entry.pending.give.get(name, {}), entry.pending.take.get(name, frozenset())
    held, lines = found.items(name), wanted.lists.get(name)
    if held is None:
        return _KeptList(applied, give, take)
    declared = _declared_items(lines, references)
    ours = {item: how for item, how in declared.items() if item in held}
    ours |= {item: how for item, how in applied.items.items() if item in declared and item not in held}
    if attribute.access or lines is not None:
        released = _released_ids(after)
        ours |= {
            item: how
            for item, how in applied.items.items()
            if item not in declared and item in held and item not in released
        }
    path = attribute.path
    return _KeptList(
        AppliedList(mode=lines.mode if lines else None, items=ours),
        {i: how for i, how in give.items() if i in declared and i not in held and (path, i) not in left.items},
        frozenset(i for i in take if i in held and i not in declared and (path, i) not in left.items),
    )


def _declared_items(lines: DesiredList | None, references: References) -> dict[str, AppliedItem]:
    declared: dict[str, AppliedItem] = {}
    for key, how in (lines.items if lines else {}).items():
        item = key if isinstance(key, str) else references.id_of(key)
        if isinstance(item, str):
            declared[item] = AppliedItem(until=how.until.isoformat() if how.until else None)
    return declared


def _released_ids(after: Situation) -> frozenset[str]:
    entries = after.applied.resources
    return frozenset(e.live_id for a, e in entries.items() if a in after.desired.released and e.live_id)


def _undeclared(entry: AppliedResource, after: Situation, declared: Iterable[str]) -> AppliedResource | None:
    """The entry of something no longer declared: kept while anything of ours is left on it."""
    live_id = entry.live_id
    if live_id is None or live_id in declared:
        return None
    found = after.live.resources.get(live_id)
    if found is None:
        return None
    if live_id in after.matches.frozen:
        return entry
    user = found.resource_type is ResourceType.USER
    removal = after.policy.removal_users if user else after.policy.removal_groups
    if removal is Removal.DELETE and (user or after.profile.lifecycle.group_delete):
        return entry
    if user and removal is Removal.DEACTIVATE and found.active:
        return entry
    table = after.profile.rules(found.resource_type).table
    for name, applied in entry.lists.items():
        attribute, held = table.get(name), found.items(name)
        if attribute is not None and attribute.access and (held is None or set(applied.items) & set(held)):
            return entry
    return None
