"""What has become of a plan: each of its parts judged by what is live now. Pure.

As it was planned on: to do. As it is to be: done. Anything else has moved. Somebody who is to be created and whom the
record does not know must not be there: an account of that name is not the one that the plan was to make.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum

from msgspec import Struct

from reconciler.model import (
    ABSENT,
    BULK_ID,
    NOT_READ,
    Action,
    Address,
    AppliedResource,
    AttributeChange,
    Change,
    LiveResource,
    Paired,
    PatchOp,
    Plan,
    ResourceType,
    Unset,
    Value,
    known_after_apply,
    without_case,
)
from reconciler.profiles.profile import AttributeRules
from reconciler.rendering.naming import Names, attribute_name, is_reference, person, shown
from reconciler.saved.parts import Ids, Key, Part, given, live_id_of, parts_of
from reconciler.scim.attributes import name_path
from reconciler.scim.values import same_value
from reconciler.situation import NameIndex, Situation, index_names


class Stage(StrEnum):
    """How far a part of a plan is."""

    TO_DO = "to do"
    DONE = "done"
    MOVED = "moved"


class Judgement(Struct, frozen=True, kw_only=True):
    """One part and its stage. Of what has moved `what` that is, without whose, and what was `found`, in words."""

    part: Part
    stage: Stage
    what: str = ""
    found: str = ""


def ids_given(plan: Plan, situation: Situation) -> dict[str, str]:
    """What the ``bulkId:…`` of a plan have become: the ids of accounts that the record says are ours."""
    found: dict[str, str] = {}
    entries = {address.folded: entry for address, entry in situation.applied.resources.items()}
    for change in plan.changes:
        entry = entries.get(change.address.folded) if Action.CREATE in change.actions else None
        live_id = _ours(entry, change.address, situation) if entry is not None else None
        if live_id is not None:
            found[known_after_apply(change.address)] = live_id
    return found


def judge(plan: Plan, situation: Situation) -> dict[Key, Judgement]:
    """Every part of a plan by what is live in a situation, in the order of the plan."""
    ids = ids_given(plan, situation)
    by_id = {each.live_id: each for each in plan.changes if each.live_id is not None}
    judging = _Judging(plan=plan, situation=situation, ids=ids, index=index_names(situation.live), by_id=by_id)
    return {key: judging.judgement(part) for key, part in parts_of(plan.changes, ids).items()}


class _Judging(Struct, frozen=True, kw_only=True):
    plan: Plan
    situation: Situation
    ids: Ids
    index: NameIndex
    by_id: Mapping[str, Change]

    def judgement(self, part: Part) -> Judgement:
        live_id = live_id_of(part.change, self.ids)
        resource = self.situation.live.resources.get(live_id or "")
        if part.deletes:
            return Judgement(part=part, stage=Stage.DONE if resource is None else Stage.TO_DO)
        if Action.CREATE in part.change.actions and live_id is None:
            strangers = list(self._strangers(part.change))
            if not strangers:
                return Judgement(part=part, stage=Stage.TO_DO)
            there = f"it exists by now ({', '.join(sorted(strangers))}), and did not when this was planned"
            return _moved(part, _account(part), there)
        if resource is None:
            return _moved(part, _account(part), "it is no longer on the server")
        if part.detail is None:
            return Judgement(part=part, stage=Stage.DONE)
        if part.detail.item is not None:
            return self._item(part, part.detail, resource)
        return self._scalar(part, part.detail, resource)

    def _strangers(self, change: Change) -> Iterator[str]:
        """Who bears the name that somebody new is to have, unless this very plan is to free it."""
        path = name_path(change.address.resource_type)
        name = next((each.after for each in change.attribute_changes if each.path == path), None)
        if isinstance(name, str):
            for found in self.index.get((change.address.resource_type, without_case(name)), ()):
                theirs = self.by_id.get(found.id)
                if theirs is None or not _frees(theirs, path):
                    yield f"id {found.id}"

    def _item(self, part: Part, detail: AttributeChange, resource: LiveResource) -> Judgement:
        rules, item = self._rules(part), str(given(detail.item, self.ids))
        attribute = rules.table.by_path(detail.path)
        held = resource.items(attribute.name if attribute is not None else detail.path)
        what = f"{attribute_name(detail.path)} {_item_name(detail.path, item, self.plan.names)}"
        if held is None:
            return self._not_read(part, what)
        gives = detail.op is not PatchOp.REMOVE
        level = detail.after if gives else detail.before
        if item in held and level is not None and not same_value(held[item], level):
            return _moved(part, what, f"the server has it with {held[item]}")
        return Judgement(part=part, stage=Stage.DONE if (item in held) is gives else Stage.TO_DO)

    def _scalar(self, part: Part, detail: AttributeChange, resource: LiveResource) -> Judgement:
        rules, path = self._rules(part), detail.path
        after = given(detail.after, self.ids)
        if rules.in_place(resource, path, after):
            return Judgement(part=part, stage=Stage.DONE)
        before = given(detail.before, self.ids) if detail.before is not None else ABSENT
        now = resource.at(path)
        if now is NOT_READ:
            return self._not_read(part, attribute_name(path))
        if _same(now, before, path, rules):
            return Judgement(part=part, stage=Stage.TO_DO)
        names = self.plan.names
        held = "has none" if isinstance(now, Unset) else f"has {shown(now, path, names)}"
        return _moved(part, attribute_name(path), f"the server {held}; planned {_planned(detail, names)}")

    def _not_read(self, part: Part, what: str) -> Judgement:
        """What never comes back was sent with a create, or the plan could not have known what it was."""
        if Action.CREATE in part.change.actions:
            return Judgement(part=part, stage=Stage.DONE)
        return _moved(part, what, "the server does not show it any more")

    def _rules(self, part: Part) -> AttributeRules:
        return self.situation.profile.rules(part.change.address.resource_type)


def _ours(entry: AppliedResource, address: Address, situation: Situation) -> str | None:
    """The account that an earlier apply has made for an address, if it is there."""
    if entry.seen:
        return None
    if entry.live_id is not None:
        return entry.live_id if entry.live_id in situation.live.resources else None
    match = situation.matches.by_address.get(address)
    return match.live_id if isinstance(match, Paired) else None


def _frees(change: Change, path: str) -> bool:
    """Whether a change gives up the name that somebody bears."""
    return Action.DELETE in change.actions or any(each.path == path for each in change.attribute_changes)


def _same(one: Value | Unset, other: Value | Unset, path: str, rules: AttributeRules) -> bool:
    if isinstance(one, Unset) or isinstance(other, Unset):
        return one is other
    return same_value(one, other, fold=rules.folds(path))


def _moved(part: Part, what: str, found: str) -> Judgement:
    return Judgement(part=part, stage=Stage.MOVED, what=what, found=found)


def _account(part: Part) -> str:
    return "the account" if part.change.address.resource_type is ResourceType.USER else "the group"


def _planned(detail: AttributeChange, names: Names) -> str:
    before = "nothing" if detail.before is None else shown(detail.before, detail.path, names)
    after = "nothing" if detail.after is None else shown(detail.after, detail.path, names)
    return f"from {before} to {after}"


def _item_name(path: str, item: str, names: Names) -> str:
    return person(item, names) if is_reference(path) or item.startswith(BULK_ID) else item
