"""What a repository declares, in a form that a history can change line by line, and the changes people make to it."""

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from reconciler.model import Address, DesiredList, DesiredState, ItemKey, ListMode, LiveReference, ResourceType, Value
from tests.core.builders import ADDITIVE, AUTHORITATIVE, MANAGER, a, group, lifecycle, listed, user

KEYS = ("ann", "bob", "cat", "dan", "eve")
TEAMS = ("red", "blue")
ROLES = ("agent", "lead", "admin")
SKILLS = ("Billing", "Refunds")
TITLES = ("Agent", "Lead", None)
BOSS = "boss@x.io"


@dataclass
class Person:
    """The lines of one person; `lines` are title and manager, in desired state's own form."""

    login: str
    lines: dict[str, str | None] = field(default_factory=dict)
    roles: tuple[ListMode, set[str]] | None = None
    skills: dict[str, int] | None = None
    active: bool | None = None
    starts: date | None = None
    ends: date | None = None
    delete_after: int | None = None
    formerly: tuple[str, ...] = ()

    @property
    def here(self) -> tuple[object, ...]:
        """The lines about her being here."""
        return (self.active, self.starts, self.ends, self.delete_after)


@dataclass
class Team:
    """The lines of one group; `members`: key, team or login of somebody not declared -> last day."""

    name: str
    mode: ListMode = AUTHORITATIVE
    members: dict[str, date | None] | None = field(default_factory=dict)


@dataclass
class Declarations:
    """All lines of a repository, and those of earlier commits."""

    today: date
    people: dict[str, Person] = field(default_factory=dict)
    teams: dict[str, Team] = field(default_factory=dict)
    released: set[str] = field(default_factory=set)

    def state(self) -> DesiredState:
        wanted = [self._user(key) for key in self.people] + [self._group(key) for key in self.teams]
        return DesiredState(
            resources={each.address: each for each in wanted},
            released=frozenset(a(each) for each in self.released),
            today=self.today,
        )

    def _user(self, key: str):
        person = self.people[key]
        lists: dict[str, DesiredList] = {}
        if person.roles is not None:
            lists["roles"] = listed(*sorted(person.roles[1]), mode=person.roles[0])
        if person.skills is not None:
            lists["skills"] = listed(levels=person.skills)
        attributes: dict[str, Value] = {path: value for path, value in person.lines.items() if path != MANAGER}
        boss = person.lines.get(MANAGER)
        if MANAGER in person.lines and (boss is None or (boss < key and boss in self.people)):
            attributes[MANAGER] = a(f"user.{boss}") if boss else None
        here = lifecycle(person.active, person.starts, person.ends, person.delete_after, self.today)
        return user(key, attributes, name=person.login, lists=lists, here=here, formerly=person.formerly)

    def _group(self, key: str):
        team = self.teams[key]
        if team.members is None:
            return group(key, name=team.name)
        known = {name: day for name, day in team.members.items() if name in self.people or "@" in name}
        passed: dict[ItemKey, date] = {
            self._member(name): day for name, day in known.items() if day is not None and day < self.today
        }
        until: dict[ItemKey, date] = {
            self._member(name): day for name, day in known.items() if self._member(name) not in passed
        }
        return group(key, listed(mode=team.mode, until=until, expired=passed), name=team.name)

    def _member(self, name: str) -> Address | LiveReference:
        return LiveReference(ResourceType.USER, name) if "@" in name else a(f"user.{name}")


# --- what people change, each one thing


def change_something(declarations: Declarations, history: list[Declarations], random: Random) -> None:
    """One commit: one to three lines are changed, or an earlier commit is reverted to."""
    if history and random.random() < 0.12:
        earlier = copy.deepcopy(random.choice(history))
        declarations.people, declarations.teams, declarations.released = earlier.people, earlier.teams, earlier.released
    else:
        for _ in range(random.choice((1, 1, 2, 3))):
            random.choice(_MOVES)(declarations, random)
    declarations.released -= {f"user.{key}" for key in declarations.people}
    history.append(copy.deepcopy(declarations))


def _come(declarations: Declarations, random: Random) -> None:
    key = random.choice(KEYS)
    login = f"{key}@x.io"
    if key not in declarations.people and login not in _logins(declarations):
        declarations.people[key] = Person(
            login, roles=(random.choice((AUTHORITATIVE, ADDITIVE)), {random.choice(ROLES)})
        )


def _leave(declarations: Declarations, random: Random) -> None:
    if declarations.people:
        declarations.people.pop(random.choice(sorted(declarations.people)))


def _release(declarations: Declarations, random: Random) -> None:
    if declarations.people and random.random() < 0.3:
        key = random.choice(sorted(declarations.people))
        declarations.people.pop(key)
        declarations.released.add(f"user.{key}")


def _rename(declarations: Declarations, random: Random) -> None:
    if declarations.people:
        person = declarations.people[random.choice(sorted(declarations.people))]
        login = f"{random.choice(KEYS)}{random.choice(('', '.new'))}@x.io"
        if login not in _logins(declarations):
            person.login = login


def _rekey(declarations: Declarations, random: Random) -> None:
    free = [key for key in KEYS if key not in declarations.people]
    if declarations.people and free:
        old, new = random.choice(sorted(declarations.people)), random.choice(free)
        person = declarations.people[new] = declarations.people.pop(old)
        person.formerly = random.choice(((), (old,)))
        declarations.released.discard(f"user.{old}")


def _of_somebody(change: Callable[[Person, Random], None]) -> Callable[[Declarations, Random], None]:
    def move(declarations: Declarations, random: Random) -> None:
        if declarations.people:
            change(declarations.people[random.choice(sorted(declarations.people))], random)

    return move


def _title(person: Person, random: Random) -> None:
    if random.random() < 0.25:
        person.lines.pop("title", None)
    else:
        person.lines["title"] = random.choice(TITLES)


def _manager(declarations: Declarations, random: Random) -> None:
    """Only people before her in the alphabet, so that nobody is above herself."""
    if declarations.people:
        key = random.choice(sorted(declarations.people))
        above = [each for each in declarations.people if each < key]
        chosen = random.choice([*above, None, ""])
        if chosen == "":
            declarations.people[key].lines.pop(MANAGER, None)
        else:
            declarations.people[key].lines[MANAGER] = chosen


def _roles(person: Person, random: Random) -> None:
    if random.random() < 0.2:
        person.roles = None
        return
    mode, names = person.roles or (AUTHORITATIVE, set())
    person.roles = (random.choice((mode, AUTHORITATIVE, ADDITIVE)), names ^ {random.choice(ROLES)})


def _skills(person: Person, random: Random) -> None:
    if random.random() < 0.2:
        person.skills = None
        return
    person.skills = {**(person.skills or {}), random.choice(SKILLS): random.randint(1, 5)}
    if random.random() < 0.4:
        person.skills.pop(random.choice(SKILLS), None)


def _active(person: Person, random: Random) -> None:
    person.starts = person.ends = person.delete_after = None
    person.active = random.choice((True, False, None, None))


def _dates(person: Person, random: Random) -> None:
    day = date(2026, 6, 15) + timedelta(days=random.randint(-10, 40))
    person.active = None
    match random.randint(0, 4):
        case 0:
            person.starts = day
        case 1 | 2:
            person.ends = day
            person.delete_after = random.choice((None, None, 3))
        case 3:
            person.starts = person.ends = person.delete_after = None
        case _:
            person.starts, person.ends = day, day + timedelta(days=random.randint(0, 15))


def _team(declarations: Declarations, random: Random) -> None:
    key = random.choice(TEAMS)
    if key not in declarations.teams:
        declarations.teams[key] = Team(key)
    elif random.random() < 0.1:
        declarations.teams.pop(key)
    elif random.random() < 0.1:
        declarations.teams[key].name = random.choice((key, f"{key} team"))


def _members(declarations: Declarations, random: Random) -> None:
    if not declarations.teams:
        return
    team = declarations.teams[random.choice(sorted(declarations.teams))]
    chance = random.random()
    if chance < 0.1:
        team.members = None
    elif chance < 0.25:
        team.mode = random.choice((AUTHORITATIVE, ADDITIVE))
    else:
        members = dict(team.members or {})
        name = random.choice([*sorted(declarations.people), BOSS])
        if name in members and random.random() < 0.6:
            members.pop(name)
        else:
            days = random.choice((None, None, 1, 5, 12))
            members[name] = None if days is None else declarations.today + timedelta(days=days)
        team.members = members


def _logins(declarations: Declarations) -> set[str]:
    return {person.login for person in declarations.people.values()}


_MOVES: tuple[Callable[[Declarations, Random], None], ...] = (
    _come, _come, _come, _leave, _leave, _release, _rename, _rekey,
    _of_somebody(_title), _of_somebody(_title), _manager, _of_somebody(_roles), _of_somebody(_roles),
    _of_somebody(_skills), _of_somebody(_active), _of_somebody(_active), _of_somebody(_dates), _of_somebody(_dates),
    _team, _team, _members, _members, _members,
)  # fmt: skip
