"""What a run must leave alone for the moment, and what it must never do: who came back, what others moved, the rails.

Kept beside the `Ledger` in a history: it sees what others do on the server and what lines say, and holds every run
against that. Lines are spelled ``(account, list or attribute, item)``.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from tests.properties.bystanders import Ledger, called, is_active, members
from tests.properties.meaning import Meaning, Person, held, nfc
from tests.properties.stage import Stored

Line = tuple[str, str, str | None]
Json = Any
PROTECTED = ("sam@x.example", "user.flo", "group.blue")
PRIVILEGED = "Admin"
PRIVILEGED_TEAM = "Tier-2"
MOST = 1
SEVERAL = 2
MANY = 3
POLICY = f"""\
policy:
  limits: {{removals: {MOST}, memberRemovals: {MOST}, roleRemovals: {MOST}, updates: {SEVERAL}, creations: {MANY}}}
  protect: [{", ".join(PROTECTED)}]
  privileged: {{roles: [{PRIVILEGED}], groups: [{PRIVILEGED_TEAM}]}}
  minimum: {{group.red: 1, group.blue: 1, group.Tier-2: 1}}
"""


@dataclass
class Witness:
    """`verified`: line -> what it said when a run to its end found it in place. `whole`: such a run has been.

    `moved`: line that others moved since -> what it said. `off`: account that others switched off -> her key, and the
    lines about her being here, as long as they stay. `deleted`: addresses whose account others deleted.
    `here`: account -> those lines when a run to its end last looked.
    """

    ledger: Ledger
    verified: dict[Line, object] = field(default_factory=dict)
    moved: dict[Line, object] = field(default_factory=dict)
    off: dict[str, tuple[str, object]] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    here: dict[str, object] = field(default_factory=dict)
    whole: bool = False

    # --- what happens beside the runs

    def lines_changed(self, wanted: Meaning, stored: Stored) -> None:
        """A commit or a new day: what says something else now is nothing to be left alone any more."""
        says = lines(wanted, stored, self.ledger)
        self.moved = {line: said for line, said in self.moved.items() if _still(line, said, says)}
        self.off = {
            live_id: (key, here)
            for live_id, (key, here) in self.off.items()
            if key in wanted.people and wanted.people[key].here == here
        }

    def others_moved(self, line: Line, wanted: Meaning, stored: Stored) -> None:
        """Others have changed something; `stored` is from before that."""
        says = lines(wanted, stored, self.ledger)
        if line in says:
            if line in self.verified and self.verified[line] == says[line]:
                self.moved[line] = says[line]
            return
        live_id, name, item = line
        exact = (live_id, name, None)
        ours = item in self.ledger.named.get((live_id, name), set())
        if says.get(exact) == ("exact", True) and self.verified.get(exact) == says[exact] and not ours:
            self.moved[line] = ("added", says[exact])

    def others_switched(self, live_id: str, wanted: Meaning, stored: Stored, *, active: bool) -> None:
        self.off.pop(live_id, None)
        person = person_of(live_id, wanted, stored, self.ledger)
        if not active and person is not None and self.here.get(live_id) == person.here:
            self.off[live_id] = (person.key, person.here)

    def others_deleted(self, live_id: str, wanted: Meaning) -> None:
        for address, standing in self.ledger.standing.items():
            if standing == live_id and address in self.ledger.seen and address in self._declared(wanted):
                self.deleted.add(address)

    # --- after a run

    def looked(self, wanted: Meaning, stored: Stored, refused: set[str]) -> None:
        """A run has reached its end: what is in place is verified now."""
        self.whole = True
        says = lines(wanted, stored, self.ledger)
        strange = {self.ledger.standing[each] for each in refused if each in self.ledger.standing}
        self.verified = {
            line: said
            for line, said in says.items()
            if not {line[0], line[2]} & strange and _in_place(line, said, stored)
        }
        for key, person in wanted.people.items():
            if f"user.{key}" in self.ledger.standing and f"user.{key}" not in refused:
                self.here[self.ledger.standing[f"user.{key}"]] = person.here
        self.here = {live_id: here for live_id, here in self.here.items() if live_id in self.ledger.standing.values()}
        self.deleted &= self._declared(wanted)

    def undone(self, before: Stored, after: Stored, wanted: Meaning) -> Iterator[str]:
        """What others had moved, and a run that was not asked to has put right."""
        for line in self.moved:
            live_id = line[0]
            gone = {live_id, line[2]} - {None} - after.keys() if line[1] == "members" else {live_id} - after.keys()
            if not gone and _value(line, before) != _value(line, after):
                yield f"others had moved {line}, and it was put back: {_value(line, after)}"
        for address in self.deleted & self._declared(wanted):
            if address.startswith("user."):
                made = called(after, wanted.people[address[5:]].login, "userName") - before.keys()
                if made:
                    yield f"others had deleted {address}, and she was made again"

    def comebacks(self, before: Stored, after: Stored, wanted: Meaning, today: date, *, drift: bool) -> Iterator[str]:
        """Whoever is active again and has no right to be."""
        for live_id in before.keys() & after.keys():
            if "userName" not in before[live_id] or is_active(before[live_id]) or not is_active(after[live_id]):
                continue
            person = person_of(live_id, wanted, before, self.ledger)
            if person is None:
                yield f"{after[live_id]['userName']} came back, and no line declares her"
            elif drift and person.wanted_active(today):
                continue
            elif live_id in self.off:
                yield f"{person.key} was switched off by others and came back, although no line about that changed"
            elif not self.whole:
                yield f"{person.key} came back without a whole record"

    def _declared(self, wanted: Meaning) -> set[str]:
        return {*(f"user.{each}" for each in wanted.people), *(f"group.{each}" for each in wanted.teams)}

    # --- rails

    def rails(
        self, before: Stored, after: Stored, wanted: Meaning, today: date, *, all_done: bool
    ) -> Iterator[tuple[str, str]]:
        """Every rule that a run has broken, and how."""
        off = [each for each in _switched_off(before, after) if not self._due(each, before, wanted, today)]
        if len(off) > MOST:
            yield "removals", f"{off} were put off or deleted"
        for live_id in before.keys() & after.keys():
            if "displayName" in before[live_id] and "userName" not in before[live_id]:
                lost = (members(before[live_id]) - members(after[live_id])) & after.keys()
                lost -= _expired(live_id, wanted, before, self.ledger)
                if len(lost) > MOST:
                    yield "memberRemovals", f"{live_id} lost {lost}"
        roles = [(each, role) for each in before.keys() & after.keys() for role in _lost_roles(each, before, after)]
        if len(roles) > MOST:
            yield "roleRemovals", f"taken: {roles}"
        yield from (("protect", each) for each in self._protected_losses(before, after, wanted))
        for live_id, each in after.items():
            if (PRIVILEGED in roles_of(before.get(live_id, {}))) is not (PRIVILEGED in roles_of(each)):
                yield "privileged", f"{PRIVILEGED} of {live_id} changed"
        yield from (("privileged", each) for each in self._privileged_gains(before, after, wanted))
        yield from (("privileged", each) for each in self._privileged_losses(off, before, wanted))
        retitled = [each for each in before.keys() & after.keys() if _title(each, before) != _title(each, after)]
        if len(retitled) > SEVERAL:
            yield "updates", f"titles of {retitled} changed"
        if len(after.keys() - before.keys()) > MANY:
            yield "creations", f"{after.keys() - before.keys()} were made"
        if not wanted.people and before != after and self._people_of_ours(before, wanted):
            yield "empty-source", "nobody is declared any more, and something was changed"
        if all_done:
            yield from self._minimum(before, after, wanted)

    def _privileged_gains(self, before: Stored, after: Stored, wanted: Meaning) -> Iterator[str]:
        address = f"group.{PRIVILEGED_TEAM}"
        for live_id in self.ledger.accounts_of(address, wanted, after) if PRIVILEGED_TEAM in wanted.teams else ():
            gained = _people(live_id, after, set()) - _people(live_id, before, set())
            yield from (f"{each} came into {PRIVILEGED_TEAM}" for each in gained)

    def _privileged_losses(self, off: Collection[str], before: Stored, wanted: Meaning) -> Iterator[str]:
        """Whoever goes, and not only because her day has come, and had something that is privileged."""
        inside: set[str] = set()
        if PRIVILEGED_TEAM in wanted.teams:
            teams = self.ledger.accounts_of(f"group.{PRIVILEGED_TEAM}", wanted, before)
            inside = set[str]().union(*(_people(each, before, set()) for each in teams))
        for live_id in off:
            if live_id in inside or PRIVILEGED in roles_of(before[live_id]):
                yield f"{live_id} went with a privilege"

    def _people_of_ours(self, stored: Stored, wanted: Meaning) -> set[str]:
        ours = {address for address in self.ledger.seen if self.ledger.standing.get(address) in stored}
        return {address for address in ours if address.startswith("user.") and address[5:] not in wanted.released}

    def _due(self, live_id: str, before: Stored, wanted: Meaning, today: date) -> bool:
        person = person_of(live_id, wanted, before, self.ledger)
        if person is None or person.active is not None or self.here.get(live_id) != person.here:
            return False
        return person.wanted_active(today) is False

    def _protected_losses(self, before: Stored, after: Stored, wanted: Meaning) -> Iterator[str]:
        people = called(before, "sam@x.example", "userName") | called(before, "user.flo", "userName")
        if "flo" in wanted.people:
            people |= self.ledger.accounts_of("user.flo", wanted, before)
        for live_id in people & before.keys():
            if is_active(before[live_id]) and not (live_id in after and is_active(after[live_id])):
                yield f"{live_id} is active no more"
            if live_id in after and _lost_roles(live_id, before, after):
                yield f"{live_id} lost roles"
        blue = self.ledger.accounts_of("group.blue", wanted, before) if "blue" in wanted.teams else set()
        for live_id, each in before.items():
            lost = members(each) - members(after.get(live_id, {}))
            if lost & people or (live_id in blue and lost):
                yield f"{live_id} lost {lost}"

    def _minimum(self, before: Stored, after: Stored, wanted: Meaning) -> Iterator[tuple[str, str]]:
        teams = (self.ledger.accounts_of(f"group.{each}", wanted, before) for each in wanted.teams)
        for live_id in set[str]().union(*teams):
            was, now = _active_people(live_id, before), _active_people(live_id, after)
            if was - now and not now:
                yield "minimum", f"nobody is left in {live_id}"


def lines(wanted: Meaning, stored: Stored, ledger: Ledger) -> dict[Line, object]:
    """What the lines say of title, roles and members; ``(account, list, None)`` says whether the list is exact."""
    found: dict[Line, object] = {}
    for key, person in wanted.people.items():
        for live_id in _one(ledger.accounts_of(f"user.{key}", wanted, stored)):
            if "title" in person.values:
                found[live_id, "title", None] = nfc(person.values["title"])
            if "roles" in person.values:
                found[live_id, "roles", None] = ("exact", ledger.organisation != "genesys")
                found |= {(live_id, "roles", role): True for role in person.values["roles"] or ()}
    for key, team in wanted.teams.items():
        for live_id in _one(ledger.accounts_of(f"group.{key}", wanted, stored)):
            if team.listed:
                found[live_id, "members", None] = ("exact", not team.additive)
            for each, stays in team.members.items():
                for item in _one(ledger.member_ids(each, wanted, stored)) if stays else ():
                    found[live_id, "members", item] = True
    return found


def person_of(live_id: str, wanted: Meaning, stored: Stored, ledger: Ledger) -> Person | None:
    """The declared person that an account stands for."""
    people = wanted.people.items()
    return next((p for key, p in people if live_id in ledger.accounts_of(f"user.{key}", wanted, stored)), None)


def roles_of(stored: Mapping[str, Json]) -> set[str]:
    return {each["value"] for each in stored.get("roles", ())}


def _one(found: set[str]) -> set[str]:
    return found if len(found) == 1 else set()


def _still(line: Line, said: object, says: Mapping[Line, object]) -> bool:
    if isinstance(said, tuple) and said[0] == "added":
        return line not in says and says.get((line[0], line[1], None)) == said[1]
    # a line that says None is another thing than no line
    return line in says and says[line] == said


def _value(line: Line, stored: Stored) -> object:
    live_id, name, item = line
    held_here = stored.get(live_id, {})
    if name == "title":
        return nfc(held(held_here, "title"))
    return item in (roles_of(held_here) if name == "roles" else members(held_here))


def _in_place(line: Line, said: object, stored: Stored) -> bool:
    if line[2] is None and line[1] != "title":
        return True
    return _value(line, stored) == said


def _switched_off(before: Stored, after: Stored) -> list[str]:
    people = [live_id for live_id, each in before.items() if "userName" in each and is_active(each)]
    return [each for each in people if each not in after or not is_active(after[each])]


def _lost_roles(live_id: str, before: Stored, after: Stored) -> set[str]:
    return roles_of(before[live_id]) - roles_of(after[live_id])


def _expired(live_id: str, wanted: Meaning, stored: Stored, ledger: Ledger) -> set[str]:
    for key, team in wanted.teams.items():
        if live_id in ledger.accounts_of(f"group.{key}", wanted, stored):
            passed = [each for each, stays in team.members.items() if not stays]
            return {item for each in passed for item in ledger.member_ids(each, wanted, stored)}
    return set()


def _title(live_id: str, stored: Stored) -> object:
    return nfc(held(stored[live_id], "title"))


def _active_people(live_id: str, stored: Stored) -> set[str]:
    return {each for each in _people(live_id, stored, set()) if is_active(stored[each])}


def _people(live_id: str, stored: Stored, passed: set[str]) -> set[str]:
    """The people of a group, through the groups in it."""
    here = stored.get(live_id, {})
    if "userName" in here:
        return {live_id}
    if live_id in passed:
        return set()
    return {each for item in members(here) for each in _people(item, stored, passed | {live_id})}
