"""Random organisations: some of those who are declared are there already, with other values, and so are strangers."""

import json
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from reconciler.sandbox import Request, SandboxService
from reconciler.scim.attributes import CORE_USER, Attribute, Kind
from tests.properties.drawn_lines import KEYS, STRANGERS, TEAMS, Lines, lines, login_of, table_of
from tests.scenarios.scenario_world import PATCH_OP, fill

Json = Any


@dataclass(frozen=True)
class Population:
    """Who is on the server, in the form that `fill` takes. `renamed`: id -> the login that she gets then."""

    users: list[dict[str, Json]] = field(default_factory=list)
    groups: list[dict[str, Json]] = field(default_factory=list)
    renamed: dict[str, str] = field(default_factory=dict)

    def settle_in(self, service: SandboxService) -> None:
        fill(service, {"users": self.users, "groups": self.groups})
        for live_id, login in self.renamed.items():
            operation = {"op": "replace", "path": "userName", "value": login}
            body = json.dumps({"schemas": [PATCH_OP], "Operations": [operation]}).encode()
            assert service.handle(Request(method="PATCH", target=f"/Users/{live_id}", body=body)).status < 300


@st.composite
def account(draw: st.DrawFn, organisation: str, live_id: str, login: str, most: int = 4) -> dict[str, Json]:
    """One person with values of her own, who may be inactive."""
    values = draw(lines(organisation, f"live.{live_id}", most, nulls=False))
    return {
        "id": live_id,
        "displayName": live_id,
        **as_scim(values, table_of(organisation)),
        "userName": login,
        "active": draw(st.sampled_from([True, True, True, False])),
    }


@st.composite
def populations(
    draw: st.DrawFn, organisation: str, *, twins: bool = False, most: int = 4, alike: bool = False
) -> Population:
    """All strangers are there, as lines may refer to them; of the others some, under their present or earlier login.

    `twins`: perhaps two groups of one name; `alike`: and people whose logins differ by case only.
    """
    renamed: dict[str, str] = {}
    people = [draw(account(organisation, f"s-{each[:3]}", each, most)) for each in STRANGERS]
    for key in KEYS:
        name = draw(st.sampled_from([None, None, "", "", "old.", "upper"]))
        if name is not None:
            login = login_of(key).upper() if name == "upper" else name + login_of(key)
            people.append(draw(account(organisation, f"l-{KEYS.index(key)}", login, most)))
            if alike and draw(st.integers(0, 2)) == 0:
                twin = f"t-{KEYS.index(key)}"
                people.append(draw(account(organisation, twin, f"{twin}@x.example", most)))
                renamed[twin] = login.swapcase()
    ids = [each["id"] for each in people]
    for number, each in enumerate(people[1:], 1):
        if draw(st.integers(0, 3)) == 0:
            each["manager"] = draw(st.sampled_from(ids[:number]))
    teams = [{"id": "g-strange", "displayName": "Strange", "members": draw(_members(ids))}]
    for number, key in enumerate(TEAMS):
        # groups of a contact centre cannot be made over SCIM
        if organisation == "genesys" or draw(st.booleans()):
            teams.append({"id": f"g-{number}", "displayName": f"Team {key}", "members": draw(_members(ids))})
    if twins and organisation != "genesys" and draw(st.integers(0, 5)) == 0:
        teams.append({"id": "g-twin", "displayName": f"Team {TEAMS[0]}", "members": draw(_members(ids))})
    return Population(people, teams, renamed)


def _members(ids: list[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(ids), unique=True, max_size=4)


def as_scim(values: Lines, table: tuple[Attribute, ...]) -> dict[str, Json]:
    """Lines as a SCIM resource has them (RFC 7643 section 8)."""
    found: dict[str, Json] = {}
    for attribute in table:
        if attribute.name not in values:
            continue
        holder = found if attribute.schema == CORE_USER else found.setdefault(attribute.schema, {})
        held = _held(attribute, values[attribute.name])
        if held:
            holder[attribute.name] = held
    return found


def _held(attribute: Attribute, value: Json) -> Json:
    match attribute.kind:
        case Kind.TEXT | Kind.DATE:
            return value
        case Kind.COMPLEX:
            return {part: each for part, each in value.items() if each is not None}
        case Kind.NAMES:
            return [{"value": each} for each in value]
        case Kind.LEVELS:
            return [{attribute.key: name, attribute.value: level} for name, level in value.items()]
        case Kind.KEYED:
            parts = {kind: each if isinstance(each, dict) else {attribute.value: each} for kind, each in value.items()}
            return [{attribute.key: kind, **each} for kind, each in parts.items() if value[kind] is not None]
    raise AssertionError(attribute.kind)
