"""Who and what a run may touch, kept in a ledger of its own and judged by what the organisation held before and after.

The ledger knows which account stood for which key, and every list value that a line ever named while a run looked.
It never asks the tool. Whatever changed beyond that is an offence, told in words.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from reconciler.scim.attributes import ENTERPRISE_USER, Attribute, Kind
from tests.properties.drawn_lines import table_of
from tests.properties.meaning import Meaning, Person, Team, held, names_in, nfc
from tests.properties.stage import Stored

Json = Any


@dataclass
class Ledger:
    """`standing`: address -> the account that stood for it. `named`: account and list -> what lines ever named.

    `seen`: addresses that a run to its end has looked at since the record began.
    """

    organisation: str
    standing: dict[str, str] = field(default_factory=dict)
    named: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    alike: frozenset[str] = frozenset()

    # --- who stands for whom

    def accounts_of(self, address: str, wanted: Meaning, stored: Stored) -> set[str]:
        """The accounts that may stand for a declared address, by the strongest that is known of it."""
        return next((found for found in self._passes(address, wanted, stored) if found), set())

    def _passes(self, address: str, wanted: Meaning, stored: Stored) -> Iterator[set[str]]:
        kind, _, key = address.partition(".")
        yield {self.standing[address]} & stored.keys() if address in self.standing else set()
        taken = {self.standing[each] for each in addresses(wanted) if each in self.standing and each != address}
        if kind == "group":
            yield called(stored, wanted.teams[key].name, "displayName") - taken
            return
        yield called(stored, wanted.people[key].login, "userName") - taken
        earlier: set[str] = set()
        for name in wanted.people[key].formerly:
            earlier |= called(stored, name, "userName")
            earlier |= {self.standing[f"user.{name}"]} & stored.keys() if f"user.{name}" in self.standing else set()
        yield earlier - taken

    def note(self, wanted: Meaning, stored: Stored, *, ended: bool) -> None:
        """After a run: who stands for whom now, and what lines name of each."""
        for address in addresses(wanted):
            self._note_account(address, wanted, stored)
        lines = self._lines(wanted, stored)
        for place, items in lines.items():
            self.named.setdefault(place, set()).update(items)
        if ended:
            self.seen = (self.seen & self.standing.keys()) | set(addresses(wanted))
            self._forget(wanted, stored, lines)
        for key in wanted.released:
            self.standing.pop(key if key.startswith("group.") else f"user.{key}", None)

    def _lines(self, wanted: Meaning, stored: Stored) -> dict[tuple[str, str], set[str]]:
        """Account and list -> what lines name."""
        found: dict[tuple[str, str], set[str]] = {}
        for key, team in wanted.teams.items():
            group = self.standing.get(f"group.{key}")
            if group is not None:
                ids = [self.member_ids(each, wanted, stored) for each in team.members]
                found[group, "members"] = set().union(*ids)
        for key, person in wanted.people.items():
            live_id = self.standing.get(f"user.{key}")
            for attribute in table_of(self.organisation):
                if live_id is not None and attribute.kind in (Kind.NAMES, Kind.LEVELS):
                    lines = person.values.get(attribute.name) or ()
                    found[live_id, attribute.name] = {nfc(each) for each in lines}
        return found

    def _forget(self, wanted: Meaning, stored: Stored, lines: Mapping[tuple[str, str], set[str]]) -> None:
        """What is not there any more is nobody's; whoever left, and has nothing of ours, is ours no longer."""
        declared = set(addresses(wanted))
        speaks = {self.standing[each] for each in declared if each in self.standing}
        for (live_id, name), items in self.named.items():
            items &= self._held(live_id, name, stored) | lines.get((live_id, name), set())
        for address, live_id in list(self.standing.items()):
            here = stored.get(live_id)
            left = any(items for (each, _), items in self.named.items() if each == live_id)
            if address not in declared and (here is None or live_id in speaks or not (left or _may_sign_in(here))):
                del self.standing[address]

    def _held(self, live_id: str, name: str, stored: Stored) -> set[str]:
        here = stored.get(live_id, {})
        if name == "members":
            return members(here)
        attribute = next(each for each in table_of(self.organisation) if each.name == name)
        return names_in(attribute, held(here, name, attribute.schema))

    def _note_account(self, address: str, wanted: Meaning, stored: Stored) -> None:
        found = self.accounts_of(address, wanted, stored)
        if len(found) == 1:
            self.standing[address] = found.pop()

    def member_ids(self, member: str, wanted: Meaning, stored: Stored) -> set[str]:
        """The accounts that a member of a group may be."""
        if member.startswith(("user.", "group.")):
            return self.accounts_of(member, wanted, stored)
        return called(stored, member, "userName")

    def not_told_apart(self, wanted: Meaning, stored: Stored) -> frozenset[str]:
        """Everybody who may be somebody declared, as others may be too."""
        found = (self.accounts_of(each, wanted, stored) for each in addresses(wanted))
        return frozenset(live_id for each in found if len(each) > 1 for live_id in each)

    # --- what changed

    def offences(self, before: Stored, after: Stored, wanted: Meaning, today: date, *, drift: bool) -> list[str]:
        """Everything that a run changed and had no right to; who refers to somebody gone is not changed by that."""
        before, after = (_pruned(each, after.keys()) for each in (before, after))
        self.alike = self.not_told_apart(wanted, before)
        return [
            f"{_name(before.get(each) or after[each])} ({each}): {what}"
            for each in sorted(before.keys() | after.keys())
            if before.get(each) != after.get(each)
            for what in self._judged(each, before, after, wanted, today, drift=drift)
        ]

    def _judged(
        self, live_id: str, before: Stored, after: Stored, wanted: Meaning, today: date, *, drift: bool
    ) -> Iterator[str]:
        if live_id in self.alike:
            yield f"cannot be told apart, and was changed: {differing(before[live_id], after.get(live_id, {}))}"
            return
        declared = [a for a in addresses(wanted) if live_id in self.accounts_of(a, wanted, {**before, **after})]
        ours = [a for a, each in self.standing.items() if each == live_id]
        if live_id not in before:
            yield from () if declared else ["was created, and no line asks for it"]
        elif live_id not in after:
            over = [a for a in declared if a.startswith("user.") and wanted.people[a[5:]].is_over(today)]
            yield from () if over or (ours and not declared) else ["was deleted"]
        elif declared and live_id in before:
            address = declared[0]
            if address.startswith("group."):
                team = wanted.teams[address[6:]]
                yield from self._group(address, team, before, after, live_id, wanted, drift=drift)
            else:
                yield from self._person(address, wanted.people[address[5:]], before[live_id], after[live_id], drift)
        elif ours:
            yield from self._leaving(before, after, live_id)
        else:
            yield f"is nobody's business, and was changed: {differing(before[live_id], after[live_id])}"

    def _group(
        self, address: str, team: Team, before: Stored, after: Stored, live_id: str, wanted: Meaning, *, drift: bool
    ) -> Iterator[str]:
        changed = differing(before[live_id], after[live_id]) - {"members", "displayName"}
        if changed:
            yield f"changed {changed}"
        both = {**before, **after}
        lines = {item for each, stays in team.members.items() if stays for item in self.member_ids(each, wanted, both)}
        was, now = members(before[live_id]), members(after[live_id])
        if (now ^ was) & self.alike:
            yield f"members who cannot be told apart came or went: {(now ^ was) & self.alike}"
        if now - was - lines:
            yield f"got members that no line names: {now - was - lines}"
        gone = (was - now) & after.keys()
        exact = team.listed and not team.additive and (drift or address in self.seen)
        strange = gone - self.named.get((live_id, "members"), set()) - (gone if exact else set())
        wrong = strange | (gone & lines)
        if wrong:
            yield f"lost members that nobody took a line from: {wrong}"

    def _person(
        self, address: str, person: Person, before: Mapping[str, Json], after: Mapping[str, Json], drift: bool
    ) -> Iterator[str]:
        for attribute in table_of(self.organisation):
            was, now = (held(each, attribute.name, attribute.schema) for each in (before, after))
            if was == now:
                continue
            if attribute.kind in (Kind.NAMES, Kind.LEVELS):
                lines = person.values.get(attribute.name, ...)
                exact = drift or address in self.seen
                yield from self._names(attribute, was, now, lines, before["id"], exact=exact)
            elif attribute.name not in person.values:
                yield f"{attribute.name} has no line and was changed from {was} to {now}"
            else:
                yield from _beside(attribute, person.values[attribute.name], was, now)
        for name, line in (("manager", person.manager), ("employeeNumber", person.number or ...)):
            if line is ... and held(before, name, ENTERPRISE_USER) != held(after, name, ENTERPRISE_USER):
                yield f"{name} has no line and was changed"

    def _names(
        self, attribute: Attribute, was: Json, now: Json, lines: Json, live_id: str, *, exact: bool
    ) -> Iterator[str]:
        """`exact`: what no line names may be taken, too, where the list has a line at all."""
        had, has = names_in(attribute, was), names_in(attribute, now)
        wanted = set() if lines is ... else {nfc(each) for each in lines or ()}
        if has - had - wanted:
            yield f"{attribute.name}: was given {has - had - wanted}, which no line names"
        additive = self.organisation == "genesys" and attribute.name == "roles"
        taken = had - has
        strange = taken - self.named.get((live_id, attribute.name), set())
        if strange and (lines is ... or additive or not exact):
            yield f"{attribute.name}: lost {strange}, which we never gave"
        if taken & wanted:
            yield f"{attribute.name}: lost {taken & wanted}, which a line names"

    def _leaving(self, before: Stored, after: Stored, live_id: str) -> Iterator[str]:
        was, now = before[live_id], after[live_id]
        lists = {each.name: each for each in table_of(self.organisation) if each.kind in (Kind.NAMES, Kind.LEVELS)}
        allowed = {"active", "members", *lists} | {each.schema for each in lists.values()}
        changed = differing(was, now)
        if changed - allowed:
            yield f"is declared no more, and {changed - allowed} was changed"
        if now.get("active") is not False and "active" in changed:
            yield "is declared no more, and was brought back"
        gave = self.named.get((live_id, "members"), set())
        if members(now) - members(was) or ((members(was) - members(now)) & after.keys()) - gave:
            yield "is declared no more, and its members changed beyond what we gave"
        for name, attribute in lists.items():
            had, has = (names_in(attribute, held(each, name, attribute.schema)) for each in (was, now))
            if has - had or (had - has) - self.named.get((live_id, name), set()):
                yield f"is declared no more, and {name} changed beyond what we gave"


def _beside(attribute: Attribute, line: Json, was: Json, now: Json) -> Iterator[str]:
    """Parts and elements of an attribute that changed, although the lines speak of others only."""
    if attribute.kind is Kind.COMPLEX and line is not None:
        changed = differing(was or {}, now or {}) - line.keys()
        if changed:
            yield f"{attribute.name}: {changed} has no line and was changed"
    if attribute.kind is Kind.KEYED and line is not None:
        kinds = {each.casefold() for each in line}
        had, has = (_elements(attribute, each, kinds) for each in (was, now))
        if had != has:
            yield f"{attribute.name}: elements beside {kinds} changed from {had} to {has}"


def _elements(attribute: Attribute, found: Json, without: set[str]) -> list[tuple[tuple[str, Json], ...]]:
    """Elements of other kinds; that one is preferred no longer follows from another one that is."""
    return sorted(
        tuple(sorted((name, part) for name, part in each.items() if name != "primary"))
        for each in found or ()
        if str(each.get(attribute.key)).casefold() not in without
    )


def _pruned(stored: Stored, there: Collection[str]) -> Stored:
    """The same without references to anybody who is not there."""
    pruned: Stored = {}
    for live_id, each in stored.items():
        kept = dict(each)
        if "members" in kept:
            kept["members"] = [member for member in kept["members"] if member["value"] in there]
        more = dict(kept.pop(ENTERPRISE_USER, {}))
        if more.get("manager", {}).get("value") not in there:
            more.pop("manager", None)
        pruned[live_id] = {**kept, **({ENTERPRISE_USER: more} if more else {})}
    return {live_id: {k: v for k, v in each.items() if v != []} for live_id, each in pruned.items()}


def differing(one: Mapping[str, Json], other: Mapping[str, Json]) -> set[str]:
    return {name for name in one.keys() | other.keys() if one.get(name) != other.get(name)}


def members(group: Mapping[str, Json]) -> set[str]:
    return {each["value"] for each in group.get("members", ())}


def addresses(wanted: Meaning) -> list[str]:
    return [*(f"user.{each}" for each in wanted.people), *(f"group.{each}" for each in wanted.teams)]


def called(stored: Stored, name: str, by: str) -> set[str]:
    """Everybody of a userName, or every group of a displayName, whatever the case."""
    groups = by == "displayName"
    return {
        live_id
        for live_id, each in stored.items()
        if ("userName" in each) is not groups and str(each.get(by)).casefold() == name.casefold()
    }


def _may_sign_in(stored: Mapping[str, Json]) -> bool:
    return "userName" in stored and is_active(stored)


def is_active(stored: Mapping[str, Json]) -> bool:
    return stored.get("active") is not False


def _name(stored: Mapping[str, Json]) -> str:
    return str(stored.get("userName", stored.get("displayName")))
