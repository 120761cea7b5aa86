"""A small world without I/O: a service provider that performs operations, and runs from plan to record.

The provider keeps canonical values and understands exactly the operations that the core makes. It remembers who gave
each value, which no part of the core can see: that is what the checks of a history are made of.
"""

import copy
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from msgspec.structs import replace

from reconciler.model import (
    AppliedState,
    CreateResource,
    DeleteResource,
    DesiredState,
    Failed,
    LiveResource,
    LiveState,
    Operation,
    PatchOp,
    PatchOperation,
    PatchResource,
    Policy,
    ResourceType,
    Result,
    Skipped,
    Succeeded,
    is_known,
    known_after_apply,
)
from reconciler.reconcile import Context, Reconciliation, reconcile
from reconciler.remembering import announce, conclude
from reconciler.scim.attributes import ENTERPRISE_USER
from reconciler.scim.paths import element_of, level_path
from tests.core.builders import NO_RECORD, OPEN, PROFILE, WORK

OTHERS = "others"


@dataclass
class Account:
    """A user or a group as the provider keeps it. `given`: (list, item) -> who gave it; `made_by`: who created it."""

    resource_type: ResourceType
    values: dict[str, Any]
    lists: dict[str, dict[str, float | None]] = field(default_factory=dict)
    given: dict[tuple[str, str], str] = field(default_factory=dict)
    made_by: str = OTHERS
    off_by: str | None = None

    @property
    def active(self) -> bool:
        return self.values.get("active") is not False

    @property
    def name(self) -> str:
        return str(self.values["userName" if self.resource_type is ResourceType.USER else "displayName"])


class Refused(Exception):
    """The provider will not do it."""


@dataclass
class Server:
    """A service provider. `dangling`: whether a deleted person stays in the member lists she was in.

    `moved`: (account, path or list, item) -> everybody who ever wrote there. `deleted`: account -> who deleted it.
    """

    accounts: dict[str, Account] = field(default_factory=dict)
    moved: dict[tuple[str, str, str | None], set[str]] = field(default_factory=dict)
    deleted: dict[str, str] = field(default_factory=dict)
    dangling: bool = False
    last: int = 0

    def live(self) -> LiveState:
        return LiveState(resources={live_id: _shown(live_id, each) for live_id, each in self.accounts.items()})

    def snapshot(self) -> Any:
        """What the provider holds, with names instead of ids, so that two worlds can be compared."""
        names = {live_id: each.name for live_id, each in self.accounts.items()}

        def items(account: Account) -> list[tuple[str, str, str]]:
            held = ((name, item, level) for name, each in account.lists.items() for item, level in each.items())
            return sorted((name, names.get(item, item), str(level)) for name, item, level in held)

        return sorted(
            (
                str(each.resource_type),
                sorted((path, str(names.get(value, value))) for path, value in each.values.items()),
                items(each),
            )
            for each in self.accounts.values()
        )

    def named(self, resource_type: ResourceType, name: str) -> list[str]:
        return [
            live_id
            for live_id, each in self.accounts.items()
            if each.resource_type is resource_type and each.name.casefold() == name.casefold()
        ]

    def create(self, resource_type: ResourceType, values: Mapping[str, Any], by: str) -> str:
        name = values["userName" if resource_type is ResourceType.USER else "displayName"]
        if self.named(resource_type, name):
            raise Refused(f"{name} is taken")
        self.last += 1
        live_id = f"s{self.last}"
        self.accounts[live_id] = Account(resource_type, dict(values), made_by=by)
        return live_id

    def set(self, live_id: str, path: str, value: Any, by: str) -> None:
        account = self.accounts[live_id]
        self.moved.setdefault((live_id, path, None), set()).add(by)
        if path in ("userName", "displayName") and set(self.named(account.resource_type, value)) - {live_id}:
            raise Refused(f"{value} is taken")
        if path == "active" and account.active is not value:
            account.off_by = None if value else by
        if value is None:
            account.values.pop(path, None)
        else:
            account.values[path] = value

    def give(self, live_id: str, name: str, item: str, level: float | None, by: str) -> None:
        held = self.accounts[live_id].lists.setdefault(name, {})
        self.moved.setdefault((live_id, name, item), set()).add(by)
        if item not in held:
            self.accounts[live_id].given[name, item] = by
        held[item] = level

    def take(self, live_id: str, name: str, item: str, by: str) -> None:
        self.moved.setdefault((live_id, name, item), set()).add(by)
        self.accounts[live_id].lists.get(name, {}).pop(item, None)
        self.accounts[live_id].given.pop((name, item), None)

    def delete(self, live_id: str, by: str) -> None:
        del self.accounts[live_id]
        self.deleted[live_id] = by
        if not self.dangling:
            for other, account in self.accounts.items():
                if live_id in account.lists.get("members", {}):
                    self.take(other, "members", live_id, by)

    def perform(self, operation: Operation, by: str, ids: Mapping[str, str]) -> str:
        """Do it and give the id of what it was done to. Refused if it cannot be done."""
        match operation:
            case CreateResource(address=address, body=body):
                return self._post(address.resource_type, _with_ids(body, ids), by)
            case PatchResource(live_id=live_id, operations=operations):
                live_id = ids.get(live_id, live_id)
                if live_id not in self.accounts:
                    raise Refused("404")
                before = copy.deepcopy(self.accounts[live_id])
                try:
                    for each in operations:
                        self._patch(live_id, replace(each, value=_with_ids(each.value, ids)), by)
                except (Refused, KeyError):
                    self.accounts[live_id] = before  # RFC 7644 §3.5.2: all of it or nothing
                    raise
                return live_id
            case DeleteResource(live_id=live_id):
                if live_id not in self.accounts:
                    raise Refused("404")
                self.delete(live_id, by)
                return live_id

    def _post(self, resource_type: ResourceType, body: Mapping[str, Any], by: str) -> str:
        values = {path: value for path, value in body.items() if isinstance(value, str | bool)}
        if "manager" in body.get(ENTERPRISE_USER, {}):
            values[f"{ENTERPRISE_USER}:manager"] = body[ENTERPRISE_USER]["manager"]["value"]
        live_id = self.create(resource_type, values, by)
        for each in body.get("roles", []):
            self.give(live_id, "roles", each["value"], None, by)
        for each in body.get(WORK, {}).get("skills", []):
            self.give(live_id, "skills", each["name"], each.get("level"), by)
        return live_id

    def _patch(self, live_id: str, operation: PatchOperation, by: str) -> None:
        path, value = operation.path, operation.value
        element = element_of(path)
        if element is not None:
            name = element[0].rpartition(":")[2]
            level = value if isinstance(value, int | float) else None
            if operation.op is PatchOp.REMOVE and element[2] is None:
                self.take(live_id, name, element[1], by)
            else:
                self.give(live_id, name, element[1], level, by)
        elif isinstance(value, list):
            for each in value:
                self.give(live_id, path.rpartition(":")[2], each.get("value") or each["name"], each.get("level"), by)
        else:
            self.set(live_id, path, value["value"] if isinstance(value, dict) else value, by)


def _shown(live_id: str, account: Account) -> LiveResource:
    skills = account.lists.get("skills", {})
    levels = {level_path(_SKILLS, item): level for item, level in skills.items() if level is not None}
    lists = {name: dict(held) for name, held in account.lists.items() if held}
    return LiveResource(
        resource_type=account.resource_type, id=live_id, attributes={**account.values, **levels}, lists=lists
    )


_SKILLS = PROFILE.users.table.get("skills")


def _with_ids(value: Any, ids: Mapping[str, str]) -> Any:
    if isinstance(value, str) and not is_known(value):
        if value not in ids:
            raise KeyError(value)
        return ids[value]
    if isinstance(value, dict):
        return {key: _with_ids(each, ids) for key, each in value.items()}
    if isinstance(value, list):
        return [_with_ids(each, ids) for each in value if isinstance(each, dict) and _resolvable(each, ids)]
    return value


def _resolvable(element: Mapping[str, Any], ids: Mapping[str, str]) -> bool:
    """A chunk of members loses those who were not created, not all of them."""
    return all(not isinstance(each, str) or is_known(each) or each in ids for each in element.values())


# --- runs


class Fault(Enum):
    """What may happen to one operation. A lost answer: it was done, and nobody knows."""

    NONE = "none"
    FAILS = "fails"
    ANSWER_LOST = "answer lost"
    REQUEST_LOST = "request lost"


@dataclass(kw_only=True)
class Run:
    """What goes wrong in one run. `dies_after`: how many operations are done before the run is gone (None: it is not);
    `final`: whether the last record is written."""

    faults: Mapping[int, Fault] = field(default_factory=dict)
    dies_after: int | None = None
    final: bool = True
    drift: bool = False

    @property
    def reaches_its_end(self) -> bool:
        return self.dies_after is None and self.final


@dataclass(kw_only=True)
class Ran:
    """What came of a run. `clean`: it reached its end, and every operation was done and answered."""

    planned: Reconciliation
    clean: bool


@dataclass
class Repository:
    """One repository with its own record. `declared` gives its desired state; `name` signs what it writes."""

    name: str
    declared: Callable[[], DesiredState]
    record: AppliedState = NO_RECORD
    policy: Policy = OPEN
    commit: int = 0

    def plan(self, server: Server, *, drift: bool = False, record: AppliedState | None = None) -> Reconciliation:
        context = Context(target="t", correct_drift=drift, reactivate=drift, commit=str(self.commit))
        known = self.record if record is None else record
        return reconcile(self.declared(), server.live(), known, PROFILE, self.policy, context)

    def apply(self, server: Server, run: Run | None = None) -> Ran:
        """One run, as the command makes it: plan, announce, write, read again, conclude."""
        run = run or Run()
        planned = self.plan(server, drift=run.drift)
        operations = planned.plan.operations
        announced = announce(planned.situation, planned.plan.changes, str(self.commit))
        if operations:
            self.record = announced
        results = self._write(server, operations, run)
        if not run.reaches_its_end:
            return Ran(planned=planned, clean=False)
        created = _created(operations, results)
        entries = {
            address: replace(entry, live_id=created.get(address, entry.live_id))
            for address, entry in announced.resources.items()
        }
        again = self.plan(server, drift=run.drift, record=replace(announced, resources=entries))
        self.record = conclude(again.situation.applied, again.situation, again.plan.drift, created)
        return Ran(planned=planned, clean=all(isinstance(each, Succeeded) for each in results.values()))

    def _write(self, server: Server, operations: Iterable[Operation], run: Run) -> dict[int, Result]:
        ids: dict[str, str] = {}
        results: dict[int, Result] = {}
        for done, operation in enumerate(operations):
            if run.dies_after is not None and done >= run.dies_after:
                break
            results[operation.number] = self._one(server, operation, run, ids, results)
        return results

    def _one(
        self, server: Server, operation: Operation, run: Run, ids: dict[str, str], results: Mapping[int, Result]
    ) -> Result:
        fault = run.faults.get(operation.number, Fault.NONE)
        members = isinstance(operation, PatchResource) and all(
            each.path.startswith("members") for each in operation.operations
        )
        for number in operation.depends_on:
            if not members and not isinstance(results[number], Succeeded):
                return Skipped(number=operation.number, message="needs another", because=number)
        if fault in (Fault.FAILS, Fault.REQUEST_LOST):
            return Failed(number=operation.number, message=fault.value, unknown=fault is Fault.REQUEST_LOST)
        try:
            live_id = server.perform(operation, self.name, ids)
        except (Refused, KeyError) as refused:
            return Failed(number=operation.number, message=str(refused))
        if fault is Fault.ANSWER_LOST:
            return Failed(number=operation.number, message=fault.value, unknown=True)
        if isinstance(operation, CreateResource):
            ids[known_after_apply(operation.address)] = live_id
        return Succeeded(number=operation.number, live_id=live_id)


def _created(operations: Iterable[Operation], results: Mapping[int, Result]) -> dict[Any, str]:
    return {
        each.address: result.live_id
        for each in operations
        if isinstance(each, CreateResource) and isinstance(result := results.get(each.number), Succeeded)
    }
