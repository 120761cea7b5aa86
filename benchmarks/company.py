"""A made-up company of any size, the same every time: its declarations, and what a service provider holds of it.

The work per person does not depend on the size: everybody is in one team of 50 and one department of 500, has a
template, a manager, two phone numbers and three skills. Nothing here knows `reconciler`.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

FIRST: Final = ("Alice", "Bob", "Carol", "David", "Erin", "Frank", "Grace", "Heidi", "Ivan", "Judy", "Sybil", "Zoë")
LAST: Final = ("Johnson", "Müller", "García", "Smith", "O'Neil", "Nguyen", "Rossi", "Dubois", "Tanaka", "Okafor")
DEPARTMENTS: Final = ("Claims", "Sales", "Support - Tier 1", "Support - Tier 2", "Back Office", "Quality")
TITLES: Final = ("Agent", "Senior Agent", "Team Lead", "Supervisor", "Manager, Operations", "Analyst")
DIVISIONS: Final = ("Home", "EMEA", "APAC", "Americas", "Partners")
ROLES: Final = ("Communicate - User", "agent", "supervisor", "Quality Evaluator", "Workforce Agent")
SKILLS: Final = ("billing", "english", "french", "claims-intake", "vip", "chat", "voice", "retention", "german")
TEMPLATES: Final = ("agent", "expert")
TEAM: Final = 50
DEPARTMENT: Final = 500
PER_FILE: Final = 500
ENTERPRISE: Final = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
GENESYS: Final = "urn:ietf:params:scim:schemas:extension:genesys:purecloud:2.0:User"


@dataclass(frozen=True, slots=True)
class Person:
    """One person; everything about them follows from the number."""

    number: int

    @property
    def key(self) -> str:
        """What other lines call them."""
        return f"u{self.number:06d}"

    @property
    def login(self) -> str:
        """The userName."""
        return f"{self.key}.{self._of(FIRST).lower().replace('ë', 'e')}@corp.example"

    @property
    def display_name(self) -> str:
        """First and last name."""
        return f"{self._of(FIRST)} {self._of(LAST, 7)}"

    @property
    def id(self) -> str:
        """The id that the service provider gave."""
        return str(uuid.UUID(int=(self.number << 64) | 0x1234567890ABCDEF))

    @property
    def manager(self) -> "Person | None":
        """Whom they report to; number 0 is the head of all."""
        return Person(self.number // 20) if self.number else None

    @property
    def template(self) -> str:
        """The template that their lines start from."""
        return self._of(TEMPLATES)

    @property
    def values(self) -> dict[str, str]:
        """Attributes with one value."""
        return {
            "title": self._of(TITLES, 3),
            "department": self._of(DEPARTMENTS, 5),
            "division": self._of(DIVISIONS, 11),
            "employeeNumber": f"E{self.number:07d}",
        }

    @property
    def phones(self) -> dict[str, str]:
        """Type -> number."""
        return {"work": f"+1317{2000000 + self.number:07d}", "mobile": f"+1463{2000000 + self.number:07d}"}

    @property
    def roles(self) -> tuple[str, ...]:
        """What the lines themselves give; the template gives one more."""
        return (self._of(ROLES, 2),)

    @property
    def skills(self) -> dict[str, int]:
        """Skill -> proficiency."""
        names = sorted({SKILLS[(self.number * 5 + step) % len(SKILLS)] for step in (0, 2, 4)})
        return {name: 1 + (self.number + place) % 5 for place, name in enumerate(names)}

    def _of(self, choices: tuple[str, ...], stride: int = 1) -> str:
        return choices[(self.number * stride + self.number // 97) % len(choices)]


@dataclass(frozen=True, slots=True)
class Team:
    """A group: people with consecutive numbers."""

    key: str
    number: int
    people: range

    @property
    def id(self) -> str:
        """The id that the service provider gave."""
        return str(uuid.UUID(int=(self.number + 1 << 32) | 0xFEDCBA98))

    @property
    def display_name(self) -> str:
        """What it is called there."""
        return f"Group {self.key}"


def teams(size: int, big: int = 0) -> Iterator[Team]:
    """The groups of a company; with `big` one more, that holds the first so many people."""
    number = 0
    for name, width in (("team", TEAM), ("department", DEPARTMENT)):
        for start in range(0, size, width):
            yield Team(f"{name}-{start // width:04d}", number, range(start, min(start + width, size)))
            number += 1
    if big:
        yield Team("everybody", number, range(min(big, size)))


# --- declarations


def write_declarations(folder: Path, size: int, *, per_file: int = PER_FILE, big: int = 0) -> None:
    """The company as YAML below `folder`: `per_file` people in a file, the groups in files of 100."""
    folder.mkdir(parents=True)
    folder.joinpath("templates.yaml").write_text(_TEMPLATES, encoding="utf-8")
    for start in range(0, size, per_file):
        place = folder / f"users-{start // 1000:03d}" if per_file < PER_FILE else folder
        place.mkdir(exist_ok=True)
        people = (Person(number) for number in range(start, min(start + per_file, size)))
        text = "users:\n" + "".join(_user_lines(each) for each in people)
        place.joinpath(f"users-{start:06d}.yaml").write_text(text, encoding="utf-8")
    groups = list(teams(size, big))
    for start in range(0, len(groups), 100):
        text = "groups:\n" + "".join(_group_lines(each) for each in groups[start : start + 100])
        folder.joinpath(f"groups-{start:05d}.yaml").write_text(text, encoding="utf-8")


_TEMPLATES: Final = """\
templates:
  agent:
    roles: [employee]
    routingLanguages: {English: 5}
  expert:
    roles: [employee]
    routingLanguages: {English: 5, French: 3}
"""


def _user_lines(person: Person) -> str:
    values = person.values
    lines = [
        f"  {person.key}:",
        f"    from: [{person.template}]",
        f"    userName: {person.login}",
        f"    displayName: {person.display_name}",
        f"    title: {values['title']}",
        f"    department: {values['department']}",
        f"    division: {values['division']}",
        f"    employeeNumber: {values['employeeNumber']}",
        *([f"    manager: {person.manager.key}"] if person.manager else []),
        "    emails:",
        f"      work: {person.login}",
        "    phoneNumbers:",
        *(f'      {kind}: "{number}"' for kind, number in person.phones.items()),
        "    roles:",
        *(f"      - {role}" for role in person.roles),
        "    routingSkills:",
        *(f"      {name}: {level}" for name, level in person.skills.items()),
    ]
    return "\n".join(lines) + "\n"


def _group_lines(team: Team) -> str:
    members = "".join(f"      - {Person(number).key}\n" for number in team.people)
    return f"  {team.key}:\n    displayName: {team.display_name}\n    members:\n{members}"


# --- what the service provider holds


def user_row(person: Person, title: str | None = None) -> dict[str, Any]:
    """A person as the service provider answers; `title` says what others made of the title there."""
    values = person.values
    languages = {"English": 5} | ({"French": 3} if person.template == "expert" else {})
    manager = {"manager": {"value": person.manager.id}} if person.manager else {}
    return {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", GENESYS, ENTERPRISE],
        "id": person.id,
        "userName": person.login,
        "displayName": person.display_name,
        "title": title if title is not None else values["title"],
        "active": True,
        "emails": [{"value": person.login, "type": "work", "primary": True}],
        "phoneNumbers": [
            {"value": number, "type": kind, "primary": kind == "work"} for kind, number in person.phones.items()
        ],
        "roles": [{"value": role} for role in ("employee", *person.roles)],
        "groups": [{"value": str(uuid.UUID(int=person.number // TEAM + 1 << 32 | 0xFEDCBA98))}],
        ENTERPRISE: {
            "department": values["department"],
            "division": values["division"],
            "employeeNumber": values["employeeNumber"],
            **manager,
        },
        GENESYS: {
            "routingSkills": [{"name": name, "proficiency": level} for name, level in person.skills.items()],
            "routingLanguages": [{"name": name, "proficiency": level} for name, level in languages.items()],
        },
        "meta": {
            "resourceType": "User",
            "lastModified": "2026-06-02T08:30:00.000Z",
            "version": f'W/"{person.number:08x}"',
            "location": f"https://api.example/scim/v2/users/{person.id}",
        },
    }


def group_row(team: Team, leave_out: int = 0) -> dict[str, Any]:
    """A group as the service provider answers; `leave_out`: so many of its last members are not in it there."""
    people = team.people[: len(team.people) - leave_out]
    return {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
        "id": team.id,
        "displayName": team.display_name,
        "members": [{"value": Person(number).id, "type": "User"} for number in people],
        "meta": {"resourceType": "Group", "version": f'W/"{team.number:08x}"'},
    }
