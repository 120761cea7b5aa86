"""An account of who did what, kept beside a repository's record, and the nine properties checked against it.

The ledger knows what the core cannot know: it sees every write of the provider with its author. It judges plans and
outcomes by that, never by the record.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from reconciler.diffing.ground import Ground
from reconciler.diffing.references import Unresolved
from reconciler.model import (
    Action,
    Address,
    Ambiguous,
    AttributeChange,
    Cause,
    Change,
    CreateResource,
    DesiredResource,
    Lifecycle,
    ListMode,
    LiveReference,
    LiveResource,
    Paired,
    PatchOp,
    Phase,
    ResourceType,
    Value,
    is_known,
)
from reconciler.reconcile import Reconciliation
from reconciler.scim.paths import element_of, level_path
from reconciler.scim.values import same_value
from reconciler.situation import Situation
from tests.core.edits import Declarations
from tests.core.world import OTHERS, Ran, Repository, Server

Line = tuple[Address, str, str | None]
"""Address, path, and the item of a list."""


@dataclass
class Ledger:
    """What has to hold for one repository. Live ids throughout.

    `declared_ever`: (account, list) -> items a line of ours ever named. `verified`: line -> the value it had when a
    finished run found it in place. `lines_when_off`: account -> the lines about somebody's being here when others
    switched her off, as long as they stay; only lines that a run had looked at before (`here_when_verified`).
    `left_by_us`: accounts that we switched off because nobody declares them any more. `ours`: accounts that were
    declared once and have not been seen to be rid of everything that is ours. `forgotten`: accounts of a lost record.
    """

    repository: Repository
    declarations: Declarations
    declared_ever: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    verified: dict[Line, tuple[str, object]] = field(default_factory=dict)
    lines_when_off: dict[str, tuple[str, object]] = field(default_factory=dict)
    here_when_verified: dict[str, object] = field(default_factory=dict)
    left_by_us: set[str] = field(default_factory=set)
    ours: set[str] = field(default_factory=set)
    forgotten: set[str] = field(default_factory=set)

    # --- what happens beside the runs

    def forget_record(self, server: Server) -> None:
        """The record is lost, and with it every power that comes from it."""
        for live_id, account in server.accounts.items():
            self._disown(account)
            self.forgotten.add(live_id)
        self.verified.clear()
        self.left_by_us.clear()
        self.ours.clear()

    def lines_changed(self, server: Server) -> None:
        """A commit or a new day: a line that left, or says something else now, is a new line when it comes back."""
        situation = self.repository.plan(server).situation
        standing: dict[Line, object] = {}
        for address, wanted in situation.desired.resources.items():
            standing |= {(address, path, item): value for (_, path, item), value in _lines(wanted, situation)}
        self.verified = {line: known for line, known in self.verified.items() if standing.get(line, _GONE) == known[1]}
        people = self.declarations.people
        self.lines_when_off = {
            live_id: (key, here)
            for live_id, (key, here) in self.lines_when_off.items()
            if key in people and people[key].here == here
        }

    def before_others(self, server: Server, live_id: str) -> None:
        """Others change an account. One that no record names yet is theirs from then on (a known limit)."""
        recorded = {entry.live_id for entry in self.repository.record.resources.values()}
        if live_id not in recorded:
            self._disown(server.accounts[live_id])

    def switched_by_others(self, server: Server, live_id: str) -> None:
        self.left_by_us.discard(live_id)
        self.lines_when_off.pop(live_id, None)
        key = self._key_of(live_id)
        here = self.declarations.people[key].here if key is not None else None
        if not server.accounts[live_id].active and key is not None and self.here_when_verified.get(key) == here:
            self.lines_when_off[live_id] = (key, here)

    def _disown(self, account) -> None:
        account.given = {key: OTHERS if by == self.repository.name else by for key, by in account.given.items()}
        account.made_by = OTHERS

    def _key_of(self, live_id: str) -> str | None:
        entries = self.repository.record.resources.items()
        keys = (address.key for address, entry in entries if entry.live_id == live_id)
        return next((key for key in keys if key in self.declarations.people), None)

    # --- a plan

    def check_plan(self, plan: Reconciliation, server: Server, *, drift: bool) -> None:
        situation = plan.situation
        self._note_declared(situation)
        known = {e.live_id for e in situation.applied.resources.values()} | set(situation.matches.address_of)
        for operation in plan.plan.operations:
            if not isinstance(operation, CreateResource) and is_known(operation.live_id):
                assert operation.live_id in known, "1: an operation on an account that is neither ours nor declared"
                assert operation.live_id not in situation.matches.frozen, "1: an operation on a frozen account"
            assert all(number < operation.number for number in operation.depends_on)
        for change in plan.plan.changes:
            for each in change.attribute_changes:
                self._check_take(change, each, situation)
                if not drift:
                    self._check_verified(change, each, situation)
                    assert each.cause is not Cause.DRIFT, "5: drift in a plan that leaves it"
            if not drift:
                self._check_return(change, server)
        for change in plan.plan.drift:
            self._check_drift(change, server, situation)

    def _note_declared(self, situation: Situation) -> None:
        references = Ground.of(situation).references
        for address, wanted in situation.desired.resources.items():
            match = situation.matches.by_address[address]
            if isinstance(match, Paired):
                for name, lines in wanted.lists.items():
                    named = [
                        key if isinstance(key, str) else references.id_of(key) for key in (*lines.items, *lines.expired)
                    ]
                    ever = self.declared_ever.setdefault((match.live_id, name), set())
                    ever |= {item for item in named if isinstance(item, str)}

    def _check_take(self, change: Change, each: AttributeChange, situation: Situation) -> None:
        if each.item is None or each.op is not PatchOp.REMOVE:
            return
        name = each.path.rpartition(":")[2]
        assert each.item not in situation.matches.frozen, "1: a frozen member would be taken"
        wanted = situation.desired.resources.get(change.address)
        lines = wanted.lists.get(name) if wanted else None
        if lines is None or lines.mode is ListMode.ADDITIVE:
            given = situation.live.resources[str(change.live_id)]
            ever = self.declared_ever.get((given.id, name), set())
            assert each.item in ever, "1: others' value would be taken from a list that is not authoritative"
        if not situation.applied.exists:
            assert each.cause is Cause.DRIFT, "7: something would be taken without a record"

    def _check_verified(self, change: Change, each: AttributeChange, situation: Situation) -> None:
        """Whoever moved a line that has not changed since it was verified is not undone by the way."""
        wanted = situation.desired.resources.get(change.address)
        line = (change.address, each.path, each.item)
        if wanted is None or line not in self.verified or Action.DELETE in change.actions:
            return
        live_id, value = self.verified[line]
        now = dict(_lines(wanted, situation)).get(line, _GONE)
        assert live_id != change.live_id or value != now, f"5: {line} was verified, others moved it: {each.cause}"

    def _check_drift(self, change: Change, server: Server, situation: Situation) -> None:
        """Drift is what other hands did, and nothing that we did ourselves or have not done yet."""
        if change.live_id is None:
            gone = situation.applied.resources[change.address].live_id
            assert gone is not None, "drift: a create that others have nothing to do with"
            assert server.deleted[gone] != self.repository.name, f"4: we deleted {change.address}, and she is declared"
            return
        account = server.accounts[change.live_id]
        if account.made_by != self.repository.name or change.live_id in self.forgotten:
            return
        for each in change.attribute_changes:
            refers = each.item if each.item is not None else each.after
            if each.path != "active" and (not isinstance(refers, str) or is_known(refers)):
                assert self._moved_by_others(change.live_id, each, server), f"drift that nobody brought about: {each}"

    def _moved_by_others(self, live_id: str, each: AttributeChange, server: Server) -> bool:
        element = element_of(each.path)
        name = (element[0] if element else each.path).rpartition(":")[2]
        item = element[1] if element else each.item
        writers = server.moved.get((live_id, each.path if item is None else name, item), set())
        released = server.accounts[live_id].given.get((name, str(item))) == OTHERS
        return bool(writers - {self.repository.name}) or released

    def _check_return(self, change: Change, server: Server) -> None:
        for each in change.attribute_changes:
            if each.path != "active" or each.after is not True or change.live_id is None:
                continue
            account = server.accounts[change.live_id]
            if account.off_by in (None, self.repository.name) or change.live_id not in self.lines_when_off:
                continue
            here = self.declarations.people[change.address.key].here
            assert here != self.lines_when_off[change.live_id][1], "4: somebody switched off by others comes back"

    # --- a run

    def after_run(self, ran: Ran, server: Server, *, finished: bool) -> None:
        plan = ran.planned
        self._note_declared(self.repository.plan(server).situation)
        self._note_releases(plan.situation, server)
        self._note_departures(plan, server)
        self.ours |= {str(e.live_id) for e in self.repository.record.resources.values() if e.live_id}
        if finished:
            self._note_verified(server)
            self._note_gone(server)
        if ran.clean:
            self._check_outcome(server, plan)

    def _note_releases(self, situation: Situation, server: Server) -> None:
        released = {each.folded for each in situation.desired.released}
        gone = {e.live_id for address, e in situation.applied.resources.items() if address.folded in released}
        gone -= situation.matches.address_of.keys()
        for live_id in gone & server.accounts.keys():
            self._disown(server.accounts[live_id])
            self.ours.discard(live_id)
        for account in server.accounts.values():
            for name, item in account.given:
                if item in gone and account.given[name, item] == self.repository.name:
                    account.given[name, item] = OTHERS

    def _note_departures(self, plan: Reconciliation, server: Server) -> None:
        for change in plan.plan.changes:
            account = server.accounts.get(change.live_id or "")
            if account is None or account.resource_type is ResourceType.GROUP:
                continue
            declared = change.address in plan.situation.desired.resources
            if Action.DEACTIVATE in change.actions and not declared and account.off_by == self.repository.name:
                self.left_by_us.add(str(change.live_id))
            if account.active:
                self.left_by_us.discard(str(change.live_id))

    def _note_gone(self, server: Server) -> None:
        """A finished run that found a leaver inactive, without anything from us, is done with her."""
        declared = self.repository.plan(server).situation.matches.address_of
        for live_id in self.ours - declared.keys():
            account = server.accounts.get(live_id)
            if account is None or not (account.active or self.repository.name in account.given.values()):
                self.ours = self.ours - {live_id}

    def _note_verified(self, server: Server) -> None:
        situation = self.repository.plan(server).situation
        self.here_when_verified = {key: person.here for key, person in self.declarations.people.items()}
        self.verified.clear()
        for address, wanted in situation.desired.resources.items():
            match = situation.matches.by_address[address]
            if isinstance(match, Paired):
                found = situation.live.resources[match.live_id]
                for line, value in _lines(wanted, situation):
                    if _in_place(line, value, found, situation) and _says_something(value):
                        self.verified[line] = (match.live_id, value)

    def _check_outcome(self, server: Server, before: Reconciliation) -> None:
        plan = self.repository.plan(server)
        situation = plan.situation
        left = plan.plan.changes
        assert not left, f"6: the plan after a run without failures is not empty: {left}"
        shown = {
            (change.address, each.path, each.item) for change in plan.plan.drift for each in change.attribute_changes
        }
        whole = {change.address for change in plan.plan.drift}
        given_back = {(address, path) for address, path, item in shown if item is not None}
        for address, wanted in situation.desired.resources.items():
            match = situation.matches.by_address[address]
            if isinstance(match, Paired):
                found = situation.live.resources[match.live_id]
                for line, value in _lines(wanted, situation):
                    named = line in shown or (line[0], line[1].partition("[")[0]) in given_back
                    assert named or _in_place(line, value, found, situation), f"2: {line} is neither in place nor named"
            elif not isinstance(match, Ambiguous) and wanted.lifecycle.phase is not Phase.DELETION:
                assert address in whole, f"2: {address} is neither there nor named"
        self._check_removals(server, situation)
        self._check_comebacks(server, before)

    def _check_removals(self, server: Server, situation: Situation) -> None:
        references = Ground.of(situation).references
        frozen = situation.matches.frozen
        for live_id, account in server.accounts.items():
            if live_id in frozen:
                continue
            address = situation.matches.address_of.get(live_id)
            wanted = situation.desired.resources.get(address) if address else None
            for (name, item), by in account.given.items():
                if by == self.repository.name and item not in frozen:
                    lines = wanted.lists.get(name) if wanted else None
                    named = [
                        key if isinstance(key, str) else references.id_of(key) for key in (lines.items if lines else ())
                    ]
                    assert item in named, f"3: {account.name} still has {name} {item}, which we gave and no line names"
            user = account.resource_type is ResourceType.USER
            if user and wanted is None and live_id in self.ours:
                assert not account.active, f"3: {account.name} is ours, declared no more, and still active"
        self.ours = {live_id for live_id in self.ours if live_id in situation.matches.address_of}

    def _check_comebacks(self, server: Server, before: Reconciliation) -> None:
        """Whoever we removed is back when she is declared again under the name she has."""
        situation = before.situation
        if not situation.applied.whole:
            return
        for address, match in situation.matches.by_address.items():
            wanted = situation.desired.resources[address]
            undated = wanted.lifecycle.active is None and wanted.lifecycle.phase is Phase.UNDATED
            if isinstance(match, Paired) and undated and match.live_id in self.left_by_us and situation.is_new(address):
                assert server.accounts[match.live_id].active, f"4: {address} was removed by us and is declared again"


_GONE = object()


def _lines(wanted: DesiredResource, situation: Situation) -> Iterator[tuple[Line, Value | Lifecycle]]:
    """What every line of a resource says; a list value that is declared says "given"."""
    references = Ground.of(situation).references
    table = situation.profile.rules(wanted.address.resource_type).table
    for path, value in wanted.attributes.items():
        resolved = references.id_of(value) if isinstance(value, Address | LiveReference) else value
        if not isinstance(resolved, Unresolved):
            yield (wanted.address, path, None), resolved
    for name, lines in wanted.lists.items():
        attribute = table.get(name)
        for key, how in lines.items.items():
            item = key if isinstance(key, str) else references.id_of(key)
            if isinstance(item, str):
                yield (wanted.address, attribute.path, item), "given"
                if how.level is not None:
                    yield (wanted.address, level_path(attribute, item), None), how.level
    yield (wanted.address, "active", None), wanted.lifecycle


def _says_something(value: Value | Lifecycle) -> bool:
    """Only a written `active` is a line that others can move; what dates say changes with the day."""
    return not isinstance(value, Lifecycle) or value.active is not None


def _in_place(line: Line, value: Value | Lifecycle, found: LiveResource, situation: Situation) -> bool:
    _, path, item = line
    rules = situation.profile.rules(found.resource_type)
    if item is not None:
        return item in (found.items(rules.table.by_path(path).name) or ())
    if isinstance(value, Lifecycle):
        off = value.phase in (Phase.BEFORE, Phase.AFTER, Phase.DELETION)
        says = value.active if value.active is not None else False if off else found.active
        return says is found.active
    return same_value(found.attributes.get(path), value, fold=rules.folds(path))
