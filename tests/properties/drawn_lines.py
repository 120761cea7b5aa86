"""Random declarations: people with any attribute that a profile lets them have, layers, lists, dates, groups.

What is drawn is right by construction, so that a refusal is a finding: keys, logins, numbers and addresses of people
differ, managers and groups in groups go one way only, dates stand in order. Attributes come from the tables of the
profile, so a new one is drawn by itself.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from typing import Any
from unicodedata import normalize

from hypothesis import strategies as st

from reconciler.profiles.loading import load_profile
from reconciler.scim.attributes import Attribute, Format, Kind
from tests.properties.stage import CLIENT_PROFILES, TODAY

KEYS = ("ann", "bob.li", "cat_3", "D-4", "eve@5", "flo")
TEAMS = ("red", "blue", "Tier-2")
DATED = "Tier-2"
"""Only this one has members with a last day, who are then named nowhere else (a line without an end contradicts)."""
STRANGERS = ("sam@x.example", "tia@x.example", "uwe@x.example")
CERTIFICATES = ("MIIB", "MIICAQ==", "MIID+/8=")
CATALOGUES = {
    "roles": ("Agent", "Supervisor", "Admin", "Quality Evaluator"),
    "division": ("Home",),
    "routingSkills": ("Billing", "Refunds", "Sales"),
    "routingLanguages": ("English", "German"),
}

Json = Any
Lines = dict[str, Json]


@dataclass(frozen=True)
class Declarations:
    """What YAML files say, as data."""

    templates: Mapping[str, Lines] = field(default_factory=dict)
    users: Mapping[str, Lines] = field(default_factory=dict)
    groups: Mapping[str, Lines] = field(default_factory=dict)
    released: list[str] = field(default_factory=list)

    def files(self, parts: int = 1, places: Sequence[int] = (0,), *, backwards: bool = False) -> dict[str, str]:
        """The files: every entry goes into one of so many documents, by turns; two documents share a file.

        `backwards`: entries, and the lines of each, in the opposite order.
        """
        sections = {"templates": self.templates, "users": self.users, "groups": self.groups}
        entries = [(name, key, lines) for name, section in sections.items() for key, lines in section.items()]
        entries = entries[::-1] if backwards else entries
        documents: list[dict[str, dict[str, Lines]]] = [{} for _ in range(parts)]
        for number, (name, key, lines) in enumerate(entries):
            ordered = dict(reversed(lines.items())) if backwards else lines
            documents[places[number % len(places)] % parts].setdefault(name, {})[key] = ordered
        texts = [text_of(each) for each in documents]
        if self.released:
            texts.append("released:\n" + "".join(f"- {json.dumps(each)}\n" for each in self.released))
        texts = [each for each in texts if each] or ["users: {}\n"]
        return {f"f{number // 2}/f{number}.yaml": "---\n".join(texts[number : number + 2])
                for number in range(0, len(texts), 2)}  # fmt: skip


def text_of(document: Mapping[str, Mapping[str, Lines]]) -> str:
    """One YAML document, an attribute a line."""
    text = ""
    for name, section in document.items():
        text += f"{name}:\n"
        for key, lines in section.items():
            text += f"  {json.dumps(key)}:{'' if lines else ' {}'}\n"
            text += "".join(
                f"    {json.dumps(each)}: {json.dumps(v, ensure_ascii=False)}\n" for each, v in lines.items()
            )
    return text


# --- values

_LETTERS = "abcXYZ019 äßéñ日本م🙂-'\"#:,.&@*!%{}[]|<>/\\=~`\u0301\u200f"
TEXTS = st.one_of(
    st.text(_LETTERS, min_size=1, max_size=8).map(lambda each: " ".join(each.split())).filter(bool),
    st.sampled_from(["no", "null", "1e3", "000142", "~", "true", "2026-01-02", "- a", "? b", "&c", "Ä", "A\u0308"]),
)
SHORT = st.sampled_from(["One", "Two", "drei", "0"])


@lru_cache
def table_of(organisation: str) -> tuple[Attribute, ...]:
    """What a person of that organisation can have, but for what has rules of its own here."""
    rules = load_profile(CLIENT_PROFILES[organisation]).users
    own = ("userName", "active", "employeeNumber", "manager")
    return tuple(each for each in rules.table.attributes if each.name not in (*rules.unsupported, *own))


def value_of(attribute: Attribute, organisation: str, owner: str | None) -> st.SearchStrategy[Json]:
    """A value as a line has it, without null; `owner`: whose it is, None for a template."""
    names = CATALOGUES.get(attribute.name) if organisation == "genesys" or attribute.name == "roles" else None
    names = CERTIFICATES if attribute.name == "x509Certificates" else names
    match attribute.kind:
        case Kind.TEXT:
            return st.sampled_from(names) if names else TEXTS | SHORT
        case Kind.DATE:
            return st.dates(date(2000, 1, 1), date(2030, 12, 31)).map(date.isoformat)
        case Kind.COMPLEX:
            return st.dictionaries(st.sampled_from(attribute.parts), TEXTS | st.none(), min_size=1, max_size=3)
        case Kind.NAMES:
            return st.lists(
                st.sampled_from(names) if names else TEXTS,
                unique_by=lambda each: normalize("NFC", each).casefold(),
                max_size=3,
            )
        case Kind.LEVELS:
            levels = st.sampled_from([0, 1, 2.5, 3, 4.5, 5])
            return st.dictionaries(st.sampled_from(names or ("One", "Two")), levels, min_size=1, max_size=2)
        case Kind.KEYED:
            return _keyed(attribute, owner)
    raise AssertionError(attribute.kind)


@st.composite
def _keyed(draw: st.DrawFn, attribute: Attribute, owner: str | None) -> Json:
    kinds = attribute.keys or (*attribute.types[:3],) or ("acme", "badge office")
    chosen = draw(st.lists(st.sampled_from(kinds), unique=True, min_size=1, max_size=3))
    found: dict[str, Json] = {}
    primary = draw(st.sampled_from([None, *chosen])) if owner and "primary" in attribute.parts else None
    for number, kind in enumerate(chosen):
        if owner is None and (attribute.name, kind) == ("emails", "work"):
            continue  # nobody shares it
        value = draw(_bare(attribute, kind, owner))
        if kind == primary:
            found[kind] = {**(value if isinstance(value, dict) else {attribute.value: value}), "primary": True}
        elif number and draw(st.integers(0, 3)) == 0:
            found[kind] = None
        elif "display" in attribute.parts and draw(st.integers(0, 3)) == 0:
            found[kind] = {"value": value, "display": draw(SHORT)}
        else:
            found[kind] = value
    return found or {attribute.keys[0] if attribute.keys else kinds[-1]: None}


def _bare(attribute: Attribute, kind: str, owner: str | None) -> st.SearchStrategy[Json]:
    if attribute.value is None:
        parts = [each for each in attribute.parts if each != "primary"]
        return st.dictionaries(st.sampled_from(parts), TEXTS, min_size=1, max_size=3)
    if attribute.format is Format.PHONE:
        return st.sampled_from(["+44 20 7946 0958", "+442079460959", "+49 30 901820", "+1 212 555 0123"])
    if attribute.name == "emails":
        whose = (owner or "shared").replace("@", ".")
        return st.sampled_from([f"{whose}.{kind}@mail.example", f"{whose}.{kind}.2@mail.example"])
    if attribute.name == "photos":
        return st.sampled_from(["https://x.example/1.png", "https://x.example/2.png"])
    return SHORT


@st.composite
def lines(draw: st.DrawFn, organisation: str, owner: str | None, most: int = 4, *, nulls: bool = True) -> Lines:
    """Some lines of a person or a template: what stands in the table."""
    chosen = draw(st.lists(st.sampled_from(table_of(organisation)), unique_by=lambda each: each.name, max_size=most))
    found: Lines = {}
    for each in chosen:
        if nulls and draw(st.integers(0, 5)) == 0 and not _needed(each, organisation):
            found[each.name] = None
        else:
            found[each.name] = draw(value_of(each, organisation, owner))
    return found


def _needed(attribute: Attribute, organisation: str) -> bool:
    return organisation == "genesys" and attribute.name in ("displayName", "division")


# --- people and groups


@st.composite
def stays(draw: st.DrawFn) -> Lines:
    """The lines about somebody's being here."""
    day = TODAY + timedelta(days=draw(st.integers(-5, 5)))
    later = day + timedelta(days=draw(st.integers(0, 5)))
    over = {"endsOn": day.isoformat(), "deleteAfter": draw(st.integers(1, 4))}
    return draw(
        st.sampled_from([
            {}, {}, {}, {"active": True}, {"active": False}, {"startsOn": day.isoformat()}, {"endsOn": day.isoformat()},
            {"startsOn": day.isoformat(), "endsOn": later.isoformat()}, over,
        ])
    )  # fmt: skip


@st.composite
def person(draw: st.DrawFn, organisation: str, key: str, keys: Sequence[str], templates: Sequence[str]) -> Lines:
    """The lines of one person; her managers are among the keys before hers."""
    found: Lines = {"userName": login_of(key)}
    if organisation == "genesys":
        found["displayName"] = key
    if draw(st.booleans()) and templates:
        found["from"] = draw(st.lists(st.sampled_from(templates), unique=True, min_size=1, max_size=2))
    found |= draw(lines(organisation, key)) | draw(stays())
    if draw(st.integers(0, 2)) == 0:
        found["employeeNumber"] = f"00{KEYS.index(key)}{draw(st.sampled_from(['', '', '9']))}"
    above = [*keys[: keys.index(key)], None]
    if draw(st.integers(0, 2)) == 0:
        stranger = {"live": draw(st.sampled_from(STRANGERS))}
        found["manager"] = draw(st.sampled_from([*above, stranger]))
    if draw(st.integers(0, 3)) == 0:
        found["overrides"] = {"here": draw(lines(organisation, key, 2).filter(bool))}
    if draw(st.integers(0, 5)) == 0:
        found["formerly"] = [f"old.{login_of(key)}"]
    if draw(st.integers(0, 9)) == 0:
        found["targets"] = ["there"]
    return found


@st.composite
def team(draw: st.DrawFn, organisation: str, key: str, keys: Sequence[str], before: Sequence[str]) -> Lines:
    """The lines of one group; the groups in it are among those before it."""
    found: Lines = {"displayName": f"Team {key}"}
    if draw(st.integers(0, 4)):
        members: list[Json] = []
        for each in draw(st.lists(st.sampled_from([*keys, *STRANGERS]), unique=True, max_size=4)):
            name = {"live": each} if each in STRANGERS else {"user": each}
            day = TODAY + timedelta(days=draw(st.integers(-3, 3)))
            until = {"until": day.isoformat()} if key == DATED and draw(st.booleans()) else {}
            members.append({**name, **until} if until or each in STRANGERS else each)
        if before and organisation != "genesys" and draw(st.booleans()):
            members.append({"group": draw(st.sampled_from(before))})
        found["members"] = members
    if draw(st.integers(0, 3)) == 0:
        found["membership"] = "additive"
    if key != DATED and draw(st.integers(0, 3)) == 0:
        found["memberRule"] = {draw(st.sampled_from(["title", "department"])): draw(st.lists(SHORT, min_size=1))[:1]}
    return found


@st.composite
def declarations(draw: st.DrawFn, organisation: str, *, released: bool = False) -> Declarations:
    """Everything that a repository declares."""
    keys = draw(st.lists(st.sampled_from(KEYS), unique=True, min_size=1, max_size=5))
    names = draw(st.lists(st.sampled_from(["agent", "lead"]), unique=True))
    teams = draw(st.lists(st.sampled_from(TEAMS), unique=True, max_size=3))
    templates = {each: draw(lines(organisation, None)) for each in names}
    users = {each: draw(person(organisation, each, keys, names)) for each in keys}
    groups = {each: draw(team(organisation, each, keys, teams[:number])) for number, each in enumerate(teams)}
    open_teams = [each for each in teams if each != DATED]
    for each in (*templates.values(), *users.values()):
        if open_teams and draw(st.integers(0, 3)) == 0:
            each["groups"] = draw(st.lists(st.sampled_from(open_teams), unique=True, min_size=1, max_size=2))
    for key in keys:
        _take_out(draw, users[key], templates)
    gone = [each for each in KEYS if each not in keys]
    let_go = draw(st.lists(st.sampled_from(gone), unique=True, max_size=1)) if released and gone else []
    return Declarations(templates, users, groups, let_go)


def _take_out(draw: st.DrawFn, found: Lines, templates: Mapping[str, Lines]) -> None:
    """`without` something that a template gives."""
    for template in found.get("from", ()):
        for name in ("roles", "groups", "entitlements"):
            given = [each for each in templates[template].get(name) or () if each not in (found.get(name) or ())]
            if given and draw(st.integers(0, 2)) == 0:
                found.setdefault("without", {})[name] = [draw(st.sampled_from(given))]


def login_of(key: str) -> str:
    return f"{key.replace('@', '.')}@x.example"
