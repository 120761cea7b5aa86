"""A whole user or group: created, changed, let go, removed, or left as it is.

=========  ==============  =============================  ==============================================
declared   record          live                           what happens
=========  ==============  =============================  ==============================================
yes        no entry        none                           create, declared
yes        only announced  none                           create, leftover
yes        entry           none                           create, drift: others deleted it
yes        any             there                          `scalars`, `lists`, `activity`
yes        any             cannot be told                 left as it is, named
yes        entry           there, `deleteAfter` is over   delete, due
no         released        any                            nothing; the claims are dropped
no         entry           active user                    deactivate or delete, and take what is ours
no         entry           inactive user                  take what is ours
no         entry           group                          delete, or take the members that are ours
no         entry           none                           nothing
no         none            any                            not ours: nothing
=========  ==============  =============================  ==============================================
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from reconciler.diffing.activity import ACTIVE, compare_active, wish_of
from reconciler.diffing.findings import Finding
from reconciler.diffing.lists import ListRecord, cause_to_give, cause_to_take
from reconciler.diffing.references import References, Unresolved
from reconciler.diffing.scalars import NOTHING, Verdict, compare_scalar
from reconciler.model import (
    ABSENT,
    Action,
    Address,
    Ambiguous,
    AppliedResource,
    AttributeChange,
    Cause,
    DesiredItem,
    DesiredList,
    DesiredResource,
    Diagnostic,
    ItemKey,
    LiveReference,
    LiveResource,
    OnlyDesired,
    Paired,
    PatchOp,
    Phase,
    Removal,
    ResourceType,
    Severity,
    Value,
    is_known,
)
from reconciler.profiles.profile import AttributeRules
from reconciler.scim.attributes import Attribute, AttributeTable, name_path
from reconciler.scim.paths import level_path, short_path
from reconciler.situation import Situation


@dataclass(slots=True)
class Differences:
    """What was found, what is refused (an identity that cannot be planned), and what a reader should know."""

    findings: list[Finding] = field(default_factory=list)
    refused: list[Diagnostic] = field(default_factory=list)
    notices: list[Diagnostic] = field(default_factory=list)


def diff_resources(situation: Situation) -> Differences:
    """Compare everything that is declared or ours."""
    return _Diff(situation).run()


class _Diff:
    def __init__(self, situation: Situation) -> None:
        self._s = situation
        self._out = Differences()
        self._not_compared: dict[str, int] = {}
        self._creates: dict[Address, Cause] = {}
        self._folded = {(a.resource_type, a.key.casefold()) for a in situation.desired.resources}
        self._recorded = {(a.resource_type, a.key.casefold()) for a in situation.applied.resources}
        self._released = self._released_ids()
        impossible = frozenset(
            address
            for address, match in situation.matches.by_address.items()
            if isinstance(match, OnlyDesired) and not self._can_create(address)
        )
        self._references = References(situation.matches, situation.live, impossible)

    def run(self) -> Differences:
        for address, match in sorted(self._s.matches.by_address.items()):
            if isinstance(match, OnlyDesired) and self._can_create(address):
                self._creates[address] = self._create_cause(address)
        for address in sorted(self._s.desired.resources, key=_users_first):
            self._keep(self._declared(self._s.desired.resources[address]))
        for address, entry in sorted(self._s.applied.resources.items(), key=lambda each: _users_first(each[0])):
            self._keep(self._undeclared(address, entry))
        for path, count in sorted(self._not_compared.items()):
            summary = f"{short_path(path)} cannot be read here and is not compared ({count} declared)"
            self._notice("not-compared", summary)
        return self._out

    def _keep(self, finding: Finding | None) -> None:
        if finding:
            rules = self._s.profile.rules(finding.address.resource_type)
            finding.changes.sort(key=_display_order(rules.table))
            self._out.findings.append(finding)

    # --- declared

    def _declared(self, wanted: DesiredResource) -> Finding | None:
        match self._s.matches.by_address[wanted.address]:
            case Ambiguous(reason=reason):
                mend = "left as it is, with every account it may stand for; mend it on the server or in the declaration"
                self._refuse("ambiguous", wanted, reason, mend)
                return None
            case OnlyDesired():
                return self._created(wanted)
            case Paired(live_id=live_id) as match:
                return self._paired(wanted, self._s.live.resources[live_id], match)

    def _created(self, wanted: DesiredResource) -> Finding | None:
        if not self._can_create(wanted.address):
            hint = self._s.profile.lifecycle.group_hint
            reason = f"{self._s.profile.title} has no group of this name, and groups cannot be created over SCIM"
            self._refuse("group-cannot-be-created", wanted, reason, hint)
            return None
        entry = self._s.matches.entries.get(wanted.address)
        if wanted.lifecycle.phase is Phase.DELETION and entry is not None:
            return None
        finding = self._finding(wanted, None)
        cause = self._creates[wanted.address]
        if cause is Cause.DRIFT:
            finding.reason = "deleted on the server by other hands"
        finding.whole = (Action.CREATE, cause)
        rules = self._rules(wanted.address)
        for path, value in wanted.attributes.items():
            resolved = self._resolved(wanted, path, value)
            if isinstance(resolved, Unresolved):
                finding.notes.append(f"{short_path(path)}: {resolved.reason}")
            elif resolved is not None and _stored(rules, path):
                origin = wanted.origins.get(path)
                change = AttributeChange(path=path, op=PatchOp.ADD, cause=cause, after=resolved, origin=origin)
                finding.changes.append(change)
        for attribute in _lists(rules.table):
            if attribute.name in wanted.lists and _stored(rules, attribute.name):
                finding.changes += self._given_on_create(wanted, attribute, cause)
        wish = wish_of(wanted.lifecycle, entry)
        if wish.active is not None:
            finding.changes.append(AttributeChange(path=ACTIVE, op=PatchOp.ADD, cause=cause, after=wish.active))
        return finding

    def _given_on_create(
        self, wanted: DesiredResource, attribute: Attribute, cause: Cause
    ) -> Iterator[AttributeChange]:
        for item, how in self._items(wanted, attribute).items():
            yield self._give(attribute, item, how, self._member_cause(item, cause))

    def _paired(self, wanted: DesiredResource, found: LiveResource, match: Paired) -> Finding | None:
        entry = self._s.matches.entries.get(wanted.address)
        finding = self._finding(wanted, found)
        if wanted.lifecycle.phase is Phase.DELETION and entry is not None:
            finding.whole = (Action.DELETE, Cause.DUE)
            finding.reason = "deleteAfter is over"
            return finding
        self._compare_active(wanted, found, entry, match, finding)
        self._compare_attributes(wanted, found, entry, finding)
        for attribute in _lists(self._rules(wanted.address).table):
            lines = wanted.lists.get(attribute.name)
            if lines is not None or (entry is not None and self._claims(entry, attribute)):
                self._compare_list(wanted, attribute, found, entry, finding)
        self._check_rename(wanted, finding)
        return finding

    def _compare_active(
        self,
        wanted: DesiredResource,
        found: LiveResource,
        entry: AppliedResource | None,
        match: Paired,
        finding: Finding,
    ) -> None:
        if wanted.address.resource_type is not ResourceType.USER:
            return
        whole = self._s.applied.whole
        new = whole and match.by == "name" and not self._has_entry(wanted.address) and entry is None
        change = compare_active(wanted.lifecycle, live=found.active, entry=entry, new=new, whole=whole)
        if change is not None:
            finding.changes.append(
                AttributeChange(
                    path=ACTIVE, op=PatchOp.REPLACE, cause=change.cause, before=found.active, after=change.to
                )
            )
            if change.to and entry is None:
                finding.warnings.append(_takeover(found))
        elif not found.active and wish_of(wanted.lifecycle, entry).active is None:
            summary = f"{wanted.address} is inactive on the server, left so"
            self._notice("left-inactive", summary, "write active: true to bring the account back", wanted)

    def _compare_attributes(
        self, wanted: DesiredResource, found: LiveResource, entry: AppliedResource | None, finding: Finding
    ) -> None:
        rules = self._rules(wanted.address)
        applied: Mapping[str, Value] = entry.values if entry else {}
        pending: Mapping[str, Value] = entry.pending.values if entry else {}
        for path, value in wanted.attributes.items():
            resolved = self._resolved(wanted, path, value)
            if isinstance(resolved, Unresolved):
                finding.notes.append(f"{short_path(path)}: {resolved.reason}")
                continue
            live = found.at(path)
            a, p = applied.get(path, NOTHING), pending.get(path, NOTHING)
            verdict = compare_scalar(resolved, live, a, p, fold=rules.folds(path))
            if verdict is Verdict.NOT_COMPARED:
                self._not_compared[path] = self._not_compared.get(path, 0) + 1
            elif not isinstance(verdict, Verdict):
                finding.changes.append(
                    AttributeChange(
                        path=path,
                        op=verdict.op,
                        cause=self._member_cause(resolved, verdict.cause)
                        if isinstance(resolved, str)
                        else verdict.cause,
                        before=None if live is ABSENT else live,
                        after=resolved,
                        notes=("changed on the server as well",) if verdict.moved else (),
                        origin=wanted.origins.get(path),
                    )
                )
        self._note_unmanaged(wanted, applied)

    def _note_unmanaged(self, wanted: DesiredResource, applied: Mapping[str, Value]) -> None:
        table = self._rules(wanted.address).table
        gone = [path for path in applied if path not in wanted.attributes and path != ACTIVE]
        names = sorted(short_path(path) for path in gone if not _is_level(table, path))
        if names:
            summary = f"{wanted.address} is no longer managed in: {', '.join(names)}"
            self._notice("no-longer-managed", summary, "the values stay on the server as they are", wanted)

    # --- lists

    def _compare_list(
        self,
        wanted: DesiredResource | None,
        attribute: Attribute,
        found: LiveResource,
        entry: AppliedResource | None,
        finding: Finding,
    ) -> None:
        held = found.items(attribute.name)
        lines = wanted.lists.get(attribute.name) if wanted else None
        if held is None:
            if lines is not None:
                self._not_compared[attribute.path] = self._not_compared.get(attribute.path, 0) + 1
            return
        record = ListRecord.of(entry, attribute.name)
        items = self._items(wanted, attribute) if wanted and lines else {}
        changes: list[AttributeChange] = []
        for item, how in items.items():
            if item not in held:
                cause = self._member_cause(item, cause_to_give(item, record))
                changes.append(self._give(attribute, item, how, cause))
            elif how.level is not None:
                changes += self._compare_level(attribute, item, how, held[item], entry)
        left_alone = self._left_alone(found, attribute)
        expired = self._expired(lines, attribute) if lines else {}
        for item, level in held.items():
            if item in items or item in left_alone:
                continue
            change = self._take(attribute, item, level, record, lines, expired.get(item))
            if change is not None:
                changes.append(change)
        if changes:
            taken = sum(1 for each in changes if each.op is PatchOp.REMOVE)
            finding.kept[attribute.name] = len(held) - taken
        finding.changes += changes

    def _take(
        self,
        attribute: Attribute,
        item: str,
        level: float | None,
        record: ListRecord,
        lines: DesiredList | None,
        expired: str | None,
    ) -> AttributeChange | None:
        notes: tuple[str, ...] = ()
        mode = lines.mode if lines else None
        if item in self._released:
            cause = cause_to_take(item, ListRecord(record.known, mode, {}, frozenset(), frozenset()), mode, None)
            notes = (f"released; write {{live: {self._name_of(item)}}} to keep the line",)
        else:
            cause = cause_to_take(item, record, mode, expired)
        if cause is None:
            return None
        return AttributeChange(
            path=attribute.path, op=PatchOp.REMOVE, cause=cause, before=level, item=item, notes=notes, until=expired
        )

    def _compare_level(
        self, attribute: Attribute, item: str, how: DesiredItem, live: float | None, entry: AppliedResource | None
    ) -> Iterator[AttributeChange]:
        path = level_path(attribute, item)
        applied = entry.values.get(path, NOTHING) if entry else NOTHING
        pending = entry.pending.values.get(path, NOTHING) if entry else NOTHING
        verdict = compare_scalar(how.level, ABSENT if live is None else live, applied, pending)
        if not isinstance(verdict, Verdict):
            notes = ("changed on the server as well",) if verdict.moved else ()
            yield AttributeChange(
                path=path,
                op=PatchOp.REPLACE,
                cause=verdict.cause,
                before=live,
                after=how.level,
                notes=notes,
                origin=how.origin,
            )

    def _give(self, attribute: Attribute, item: str, how: DesiredItem, cause: Cause) -> AttributeChange:
        until = how.until.isoformat() if how.until else None
        return AttributeChange(
            path=attribute.path,
            op=PatchOp.ADD,
            cause=cause,
            after=how.level,
            item=item,
            origin=how.origin,
            until=until,
        )

    def _items(self, wanted: DesiredResource, attribute: Attribute) -> dict[str, DesiredItem]:
        """The wanted items by name or live id. A reference that leads nowhere is refused or left alone, and named."""
        resolved: dict[str, DesiredItem] = {}
        for key, how in wanted.lists[attribute.name].items.items():
            item = self._item_id(key)
            if isinstance(item, Unresolved):
                code = "unknown-live-member" if item.refuse else "member-left-alone"
                (self._refuse if item.refuse else self._notice_member)(code, wanted, item.reason, "")
            else:
                resolved[item] = how
        return resolved

    def _item_id(self, key: ItemKey) -> str | Unresolved:
        return key if isinstance(key, str) else self._references.id_of(key)

    def _expired(self, lines: DesiredList, attribute: Attribute) -> dict[str, str]:
        resolved = {self._item_id(key): day.isoformat() for key, day in lines.expired.items()}
        return {item: day for item, day in resolved.items() if isinstance(item, str)}

    def _left_alone(self, found: LiveResource, attribute: Attribute) -> frozenset[str]:
        """Items that no rule may take: frozen accounts, and names that the profile says are never removed."""
        never = self._s.profile.rules(found.resource_type).never_removed
        return self._s.matches.frozen | frozenset(never.get(attribute.name, ()))

    def _claims(self, entry: AppliedResource, attribute: Attribute) -> bool:
        applied = entry.lists.get(attribute.name)
        return bool(attribute.access and applied and applied.items) or attribute.name in entry.pending.take

    # --- no longer declared

    def _undeclared(self, address: Address, entry: AppliedResource) -> Finding | None:
        if self._is_declared(address) or address in self._s.desired.released:
            return None
        live_id = entry.live_id
        if live_id is None or live_id in self._s.matches.address_of or live_id in self._s.matches.frozen:
            return None
        found = self._s.live.resources.get(live_id)
        if found is None:
            return None
        finding = self._finding(None, found, address)
        finding.reason = "no longer declared"
        removal = self._removal(address.resource_type)
        if removal is Removal.DELETE:
            finding.whole = (Action.DELETE, Cause.LEFTOVER if entry.pending.delete else Cause.DECLARED)
            return finding
        if address.resource_type is ResourceType.USER and found.active and removal is Removal.DEACTIVATE:
            cause = Cause.LEFTOVER if entry.pending.leaving else Cause.DECLARED
            finding.changes.append(
                AttributeChange(path=ACTIVE, op=PatchOp.REPLACE, cause=cause, before=True, after=False)
            )
        for attribute in _lists(self._rules(address).table):
            if self._claims(entry, attribute):
                self._compare_list(None, attribute, found, entry, finding)
        return finding

    def _removal(self, resource_type: ResourceType) -> Removal:
        if resource_type is ResourceType.USER:
            return self._s.policy.removal_users
        can = self._s.profile.lifecycle.group_delete
        return self._s.policy.removal_groups if can else Removal.KEEP

    # --- small questions

    def _rules(self, address: Address) -> AttributeRules:
        return self._s.profile.rules(address.resource_type)

    def _is_declared(self, address: Address) -> bool:
        return (address.resource_type, address.key.casefold()) in self._folded

    def _has_entry(self, address: Address) -> bool:
        return (address.resource_type, address.key.casefold()) in self._recorded

    def _can_create(self, address: Address) -> bool:
        return address.resource_type is ResourceType.USER or self._s.profile.lifecycle.group_create

    def _create_cause(self, address: Address) -> Cause:
        entry = self._s.matches.entries.get(address)
        if entry is None:
            return Cause.DECLARED
        return Cause.LEFTOVER if entry.live_id is None else Cause.DRIFT

    def _member_cause(self, item: str, cause: Cause) -> Cause:
        """What refers to somebody who is created goes with her create, and is planned only where that is."""
        if is_known(item):
            return cause
        created = self._creates.get(Address.parse(item.partition(":")[2]), cause)
        return Cause.DRIFT if created is Cause.DRIFT else cause

    def _resolved(self, wanted: DesiredResource, path: str, value: Value) -> Value | Unresolved:
        if not isinstance(value, Address | LiveReference):
            return value
        resolved = self._references.id_of(value)
        if isinstance(resolved, Unresolved) and resolved.refuse:
            self._refuse("unknown-live-reference", wanted, f"{short_path(path)}: {resolved.reason}", "")
        return resolved

    def _released_ids(self) -> frozenset[str]:
        entries = self._s.applied.resources
        return frozenset(
            entry.live_id for address, entry in entries.items() if address in self._s.desired.released and entry.live_id
        )

    def _name_of(self, live_id: str) -> str:
        resource = self._s.live.resources.get(live_id)
        return resource.name if resource else live_id

    def _check_rename(self, wanted: DesiredResource, finding: Finding) -> None:
        """A group that cannot be renamed over SCIM keeps its name, and the reader is told."""
        if wanted.address.resource_type is not ResourceType.GROUP or self._s.profile.lifecycle.group_rename:
            return
        renames = [each for each in finding.changes if each.path == finding.name_path]
        if renames:
            finding.changes = [each for each in finding.changes if each.path != finding.name_path]
            reason = f"it is called {renames[0].before!s} on the server, and groups cannot be renamed over SCIM"
            self._refuse("group-cannot-be-renamed", wanted, reason, self._s.profile.lifecycle.group_hint)

    def _finding(
        self, wanted: DesiredResource | None, found: LiveResource | None, address: Address | None = None
    ) -> Finding:
        of = wanted.address if wanted else address
        assert of is not None  # noqa: S101 - one of the two is always given
        shown = (
            found.attributes.get("displayName") if found else wanted.attributes.get("displayName") if wanted else None
        )
        return Finding(
            address=of,
            label=str(shown or (found.name if found else of.key)),
            name_path=name_path(of.resource_type),
            live_id=found.id if found else None,
            version=found.version if found else None,
            source=wanted.source if wanted else None,
        )

    def _refuse(self, code: str, wanted: DesiredResource, reason: str, mend: str) -> None:
        self._out.refused.append(
            Diagnostic(
                severity=Severity.ERROR,
                code=code,
                summary=reason,
                mend=mend,
                address=wanted.address,
                source=wanted.source,
            )
        )

    def _notice_member(self, code: str, wanted: DesiredResource, reason: str, mend: str) -> None:
        self._notice(code, f"{wanted.address}: {reason}", mend, wanted)

    def _notice(self, code: str, summary: str, mend: str = "", wanted: DesiredResource | None = None) -> None:
        self._out.notices.append(
            Diagnostic(
                severity=Severity.NOTICE,
                code=code,
                summary=summary,
                mend=mend,
                address=wanted.address if wanted else None,
                source=wanted.source if wanted else None,
            )
        )


def _users_first(address: Address) -> tuple[bool, str]:
    return (address.resource_type is ResourceType.GROUP, address.key)


def _lists(table: AttributeTable) -> Iterator[Attribute]:
    return (each for each in table.attributes if each.is_list)


def _is_level(table: AttributeTable, path: str) -> bool:
    attribute = table.by_path(path)
    return attribute is not None and attribute.is_list


def _stored(rules: AttributeRules, path: str) -> bool:
    if not rules.not_stored:
        return True
    attribute = rules.table.by_path(path)
    return rules.stores(attribute, path) if attribute else path not in rules.not_stored


def _takeover(found: LiveResource) -> str:
    held = [f"{name} {', '.join(sorted(items))}" for name, items in found.lists.items() if items]
    holds = f"; it still holds {'; '.join(held)}" if held else ""
    return f"an inactive account of this name comes back{holds}"


def _display_order(table: AttributeTable) -> Callable[[AttributeChange], tuple[int, str, str]]:
    places = {each.path: place for place, each in enumerate(table.attributes)}

    def order(change: AttributeChange) -> tuple[int, str, str]:
        head = change.path.partition("[")[0]
        place = places.get(head)
        if place is None:
            place = places.get(head.rpartition(".")[0], len(places))
        return (place, change.path, change.item or "")

    return order
