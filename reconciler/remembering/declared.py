"""What the record keeps of one declared resource that is on the server: the rows of the table, value by value."""

from collections.abc import Mapping

from msgspec import Struct

from reconciler.diffing.activity import ACTIVE, Wish, dates_of, wish_of
from reconciler.diffing.references import References, Unresolved
from reconciler.model import (
    Address,
    AppliedDates,
    AppliedItem,
    AppliedList,
    AppliedResource,
    Change,
    DesiredResource,
    ListMode,
    LiveReference,
    LiveResource,
    Pending,
    ResourceType,
    Value,
)
from reconciler.profiles.profile import AttributeRules
from reconciler.scim.attributes import Attribute, name_path
from reconciler.scim.paths import level_path
from reconciler.situation import Situation


class Verified(Struct, frozen=True, kw_only=True):
    """One declared resource as it was found after a run.

    `left`: what the plan left to others. `whole`: the record was whole before this run; `commit`: what it is to name.
    """

    wanted: DesiredResource
    found: LiveResource
    left: Change | None
    references: References
    after: Situation
    whole: bool
    commit: str | None

    def entry(self, announced: AppliedResource | None) -> AppliedResource:
        """The entry after the run, from the one before it; an entry of another account says nothing."""
        fresh = announced is None or announced.seen or announced.live_id != self.found.id
        known = AppliedResource(address=self.wanted.address, live_id=self.found.id) if fresh else announced
        assert known is not None  # noqa: S101 - an announced entry that is not fresh exists
        values, open_ = self._values(known)
        dates = known.dates
        if self.wanted.address.resource_type is ResourceType.USER:
            wish = wish_of(self.wanted.lifecycle, known)
            active, dates = self._active(wish, known, fresh=fresh)
            values |= active
            open_ |= self._open_active(wish, known)
        rules = self.after.profile.rules(self.found.resource_type)
        table = rules.table
        lists = {each.name: self._list(each, known) for each in table.lists}
        return AppliedResource(
            address=self.wanted.address,
            live_id=self.found.id,
            source=source_of(self.wanted, self.found, rules, known.source, self.commit),
            values=values,
            lists={name: kept.applied for name, kept in lists.items() if kept.applied.mode or kept.applied.items},
            dates=dates,
            pending=Pending(
                values=open_,
                give={name: kept.give for name, kept in lists.items() if kept.give},
                take={name: kept.take for name, kept in lists.items() if kept.take},
            ),
        )

    def _values(self, known: AppliedResource) -> tuple[dict[str, Value], dict[str, Value]]:
        """A and P of everything that is no list and not `active`."""
        rules = self.after.profile.rules(self.found.resource_type)
        values, unresolved = self._wanted_values()
        left = {each.path for each in (self.left.attribute_changes if self.left else ()) if each.item is None}
        here = {path: value for path, value in values.items() if rules.in_place(self.found, path, value)}
        kept = {path: known.values[path] for path in (*values, *unresolved) if path in known.values}
        open_ = {
            path: value
            for path, value in known.pending.values.items()
            if (path in values and path not in here and path not in left) or path in unresolved
        }
        return {**kept, **here}, open_

    def _wanted_values(self) -> tuple[dict[str, Value], list[str]]:
        """Path -> wanted value with ids for references, and the paths whose reference leads nowhere."""
        values: dict[str, Value] = {}
        unresolved: list[str] = []
        for path, value in self.wanted.attributes.items():
            resolved = self.references.id_of(value) if isinstance(value, Address | LiveReference) else value
            if isinstance(resolved, Unresolved):
                unresolved.append(path)
            else:
                values[path] = resolved
        for attribute in self.after.profile.rules(self.found.resource_type).table.lists:
            lines = self.wanted.lists.get(attribute.name)
            for item, how in (lines.items if lines else {}).items():
                if isinstance(item, str) and how.level is not None:
                    values[level_path(attribute, item)] = how.level
        return values, unresolved

    def _active(self, wish: Wish, known: AppliedResource, *, fresh: bool) -> tuple[Mapping[str, Value], AppliedDates]:
        """A for `active`, and the dates it was brought about by."""
        dates = dates_of(self.wanted.lifecycle)
        if wish.active is None:
            return {}, dates
        if wish.active is self.found.active:
            return {ACTIVE: wish.active}, dates
        if wish.active and (fresh or not self.whole):
            return {ACTIVE: True}, known.dates
        return ({ACTIVE: known.values[ACTIVE]} if ACTIVE in known.values else {}), known.dates

    def _open_active(self, wish: Wish, known: AppliedResource) -> Mapping[str, Value]:
        """P for `active`, as long as it is what is wanted, not in place and not left to others.

        The departure of somebody who is declared again is over: who switches her off from here on is somebody else.
        """
        announced = known.pending.values.get(ACTIVE)
        left = self.left is not None and any(each.path == ACTIVE for each in self.left.attribute_changes)
        wanted = announced is True if wish.active is None else announced is wish.active
        return {ACTIVE: announced} if wanted and announced is not self.found.active and not left else {}

    def _list(self, attribute: Attribute, known: AppliedResource) -> "KeptList":
        applied = known.lists.get(attribute.name, AppliedList())
        give, take = known.pending.give.get(attribute.name, {}), known.pending.take.get(attribute.name, frozenset())
        held, lines = self.found.items(attribute.name), self.wanted.lists.get(attribute.name)
        mode = lines.mode if lines else None
        if held is None:
            return KeptList(AppliedList(mode=mode, items=applied.items), give, take)
        declared = self._declared_items(attribute)
        frozen = self.after.matches.frozen
        never = self.after.profile.rules(self.found.resource_type).never_removed.get(attribute.name, ())
        ours = {item: how for item, how in declared.items() if item in held}
        for item, how in applied.items.items():
            lost = item in declared and item not in held
            to_take = item not in declared and item in held and item not in never and (attribute.access or bool(lines))
            if item in frozen or lost or to_take:
                ours[item] = how
        changes = self.left.attribute_changes if self.left else ()
        left = {each.item for each in changes if each.path == attribute.path}
        may_take = frozenset(held) if mode is ListMode.AUTHORITATIVE else applied.items.keys() & held.keys()
        return KeptList(
            AppliedList(mode=mode, items=ours),
            {i: how for i, how in give.items() if i in frozen or (i in declared and i not in held and i not in left)},
            frozenset(i for i in take if i in frozen or (i in may_take and i not in declared and i not in left)),
        )

    def _declared_items(self, attribute: Attribute) -> dict[str, AppliedItem]:
        lines = self.wanted.lists.get(attribute.name)
        declared: dict[str, AppliedItem] = {}
        for key, how in (lines.items if lines else {}).items():
            item = key if isinstance(key, str) else self.references.id_of(key)
            if isinstance(item, str):
                until = how.until.isoformat() if how.until else None
                known = declared.get(item)
                before = known.until if known is not None else until
                # a key that leads to her, if there is one, says who she is whatever she is called
                by_name = isinstance(key, LiveReference) and (known is None or known.live is not None)
                longest = None if None in (before, until) else max(before or "", until or "")
                live = key.name if by_name and isinstance(key, LiveReference) else None
                declared[item] = AppliedItem(until=longest, live=live)
        return declared


def source_of(
    wanted: DesiredResource, found: LiveResource | None, rules: AttributeRules, known: str | None, commit: str | None
) -> str | None:
    """The commit that an entry names: this one, unless the account still bears the name of an earlier one.

    A removal is proved by the name that a commit declares, and a rename may fail or be left to others.
    """
    path = name_path(wanted.address.resource_type)
    if found is None or known is None or path not in wanted.attributes:
        return commit
    return commit if rules.in_place(found, path, wanted.attributes[path]) else known


class KeptList(Struct, frozen=True):
    """What the record keeps of one list."""

    applied: AppliedList
    give: Mapping[str, AppliedItem]
    take: frozenset[str]
