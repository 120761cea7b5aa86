"""Every attribute that can be declared, through a whole life: what is stored after each step, and that nothing is left.

After every step the plan is empty, and what the organisation keeps by itself (the mirror of the login, the role that
everybody has, its own entry among the external ids, what others have given) is as before.
"""

from importlib import resources
from typing import Any

import pytest
import yaml

from tests.genesys.company import ENT, GEN, Company
from tests.genesys.life import ANN, BOB, CHANGED, CHE, RENAMED, group, steps

OWN_AUTHORITY = "x-pc:scimv2:v1"
PROFILE = yaml.safe_load(resources.files("reconciler.profiles").joinpath("genesys.yaml").read_text("utf-8"))
NUMBERS = {
    "work": "+442079460958;ext=12",
    "work2": "+442079460951",
    "work3": "9001",
    "work4": "+442079460953",
    "home": "+442079460954",
    "mobile": "+447700900123",
    "other": "+442079460956",
    "microsoftteams": "+442079460957",
    "zoomphone": "+442079460958",
    "eightbyeight": "+442079460959",
    "ringcentral": "+442079460960",
}


def pairs(held: Any, key: str, value: str) -> dict[str, Any]:
    """A stored list as a mapping."""
    return {each[key]: each[value] for each in held or ()}


def seen(org: Company, name: str) -> dict[str, Any]:
    """What is stored of a person, under the names of declarations; what is not there is left out."""
    held = org.stored(name)
    ent, gen = held.get(ENT, {}), held.get(GEN, {})
    found = {
        **{each: held.get(each) for each in ("userName", "displayName", "title", "externalId", "active")},
        **{each: ent.get(each) for each in ("department", "division", "employeeNumber", "dateHire")},
        "manager": ent.get("manager", {}).get("value"),
        "emails": pairs(held.get("emails"), "type", "value"),
        "phoneNumbers": pairs(held.get("phoneNumbers"), "type", "value"),
        "roles": sorted(each["value"] for each in held.get("roles", ())),
        "routingSkills": pairs(gen.get("routingSkills"), "name", "proficiency"),
        "routingLanguages": pairs(gen.get("routingLanguages"), "name", "proficiency"),
        "externalIds": pairs(gen.get("externalIds"), "authority", "value"),
    }
    return {each: value for each, value in found.items() if value not in (None, {}, [])}


def expected(lines: dict[str, Any], *, active: bool = True, **more: Any) -> dict[str, Any]:
    return {each: value for each, value in {**lines, "active": active, **more}.items() if value is not None}


def test_the_whole_life_converges_and_stores_what_was_declared(org: Company) -> None:
    """The name of each step is in the message of what fails."""
    life = steps(org)

    def next_step(name: str) -> None:
        assert next(life) == name
        assert org.apply().said == [], name
        assert org.plan(drift=True).changes == (), name

    next_step("create")
    ids = {name: org.stored(f"{name}@example.com")["id"] for name in ("ann", "bob", "che")}
    assert seen(org, "ann@example.com") == expected(ANN, manager=ids["bob"], phoneNumbers=NUMBERS)
    assert org.members("Support") == ["ann@example.com", "bob@example.com"]
    next_step("change")
    changed = seen(org, "ann@example.com")
    assert changed == expected(CHANGED, manager=ids["che"], phoneNumbers=changed["phoneNumbers"])
    assert all(changed["phoneNumbers"][each] != NUMBERS[each] for each in NUMBERS)
    next_step("members")
    assert org.members("Support") == ["bob@example.com", "che@example.com"]
    next_step("clear")
    assert seen(org, "ann@example.com") == expected({each: RENAMED[each] for each in ("displayName",)}) | {
        "userName": "ann@example.com"
    }
    assert org.members("Support") == []
    next_step("rename")
    assert org.stored("ann.berg@example.com")["id"] == ids["ann"]
    assert org.members("Support") == ["ann.berg@example.com"]
    for step, active in (("deactivate", False), ("reactivate", True), ("remove", False)):
        next_step(step)
        assert org.stored("ann.berg@example.com")["active"] is active
    assert org.members("Support") == []
    next_step("delete")
    assert "che@example.com" not in {each["userName"] for each in org.service.dump()["User"]}
    next_step("restore")
    back = expected(CHE, title="Agent", roles=["Agent"], division="Home")
    assert seen(org, "che@example.com") == back
    assert org.stored("che@example.com")["id"] == ids["che"]
    assert org.members("Support") == ["bob@example.com", "che@example.com"]


def test_a_rename_is_one_change_in_place(org: Company) -> None:
    org.declare({"ann": ANN, "bob": BOB})
    org.apply()
    org.declare({"ann": ANN | {"userName": "ann.berg@example.com"}, "bob": BOB})
    ran = org.run("plan")
    assert '~ userName     = "ann@example.com" -> "ann.berg@example.com"' in ran.out
    assert "Plan: 0 to add, 0 to change, 0 to destroy; 1 to rename." in ran.out
    org.asked.clear()
    assert org.apply().said == []
    assert [each.method for each in org.writes] == ["PATCH"]


def answered(org: Company, name: str) -> dict[str, Any]:
    """A person as the organisation answers, with what it adds."""
    found = org.elsewhere("GET", f"/Users/{org.stored(name)['id']}")
    assert isinstance(found, dict)
    return found


def test_what_the_organisation_keeps_by_itself_is_nobodys_change(org: Company) -> None:
    org.declare({"ann": ANN, "bob": BOB})
    org.apply()
    for lines in (CHANGED | {"manager": "bob"}, {**CHANGED, "manager": None, "emails": None, "externalIds": None}):
        org.declare({"ann": lines, "bob": BOB})
        assert org.apply().said == []
        assert org.plan(drift=True).changes == ()
        ann = answered(org, "ann@example.com")
        assert {"type": "other", "value": "ann@example.com", "primary": True} in ann["emails"]
        assert pairs(ann[GEN]["externalIds"], "authority", "value")[OWN_AUTHORITY] == "hr-0142"
    touched = [each["path"] for write in org.writes if write.method == "PATCH" for each in write.operations]
    assert not [each for each in touched if OWN_AUTHORITY in each or '"other"' in each.partition("emails")[2]]


def test_roles_are_added_to_and_only_ours_are_taken_away(org: Company) -> None:
    org.declare({"ann": {**CHE, "roles": ["employee", "Agent"]}})
    org.apply()
    org.change("che@example.com", {"op": "add", "path": "roles", "value": [{"value": "Night Lead"}]})
    for declared, left in (
        (["Supervisor"], {"employee", "Supervisor", "Night Lead"}),
        ([], {"employee", "Night Lead"}),
    ):
        org.declare({"ann": {**CHE, "roles": declared}})
        assert org.apply(drift=True).said == []
        assert {each["value"] for each in org.stored("che@example.com")["roles"]} == left
        assert org.plan(drift=True).changes == ()


def test_an_authoritative_list_of_roles_leaves_what_everybody_has(org: Company) -> None:
    org.settings(lists={"roles": "authoritative"})
    org.declare({"che": CHE})
    org.apply()
    org.change("che@example.com", {"op": "add", "path": "roles", "value": [{"value": "Night Lead"}]})
    org.declare({"che": {**CHE, "roles": ["Agent"]}})
    assert org.apply(drift=True).said == []
    assert {each["value"] for each in org.stored("che@example.com")["roles"]} == {"employee", "Agent"}
    assert org.plan(drift=True).changes == ()


@pytest.mark.parametrize("name", ["routingSkills", "routingLanguages"])
@pytest.mark.parametrize("level", [0, 0.5, 2.5, 5, 5.0])
def test_levels_from_0_to_5(org: Company, name: str, level: float) -> None:
    known = "Billing" if name == "routingSkills" else "English"
    org.declare({"che": CHE | {name: {known: 3}}})
    org.apply()
    org.declare({"che": CHE | {name: {known: level}}})
    assert org.apply().said == []
    assert org.plan().changes == ()
    assert seen(org, "che@example.com")[name] == {known: float(level)}


@pytest.mark.parametrize("name", ["routingSkills", "routingLanguages"])
def test_names_of_skills_and_languages_are_taken_by_the_letter(org: Company, name: str) -> None:
    org.service.seed({"skills": ["Rail", "rail"], "languages": ["Rail", "rail"]})
    org.declare({"che": CHE | {name: {"Rail": 3, "rail": 4}}})
    assert org.apply().said == []
    org.declare({"che": CHE | {name: {"Rail": 3}}})
    (change,) = org.plan().changes
    assert [(each.path.rpartition(":")[2], each.item) for each in change.attribute_changes] == [(name, "rail")]
    assert org.apply().said == []
    assert seen(org, "che@example.com")[name] == {"Rail": 3.0}


@pytest.mark.parametrize(
    "spelled", ["+44 20 7946 0958 x12", "tel:+442079460958;ext=12", "tel:+442079460958; ext=12", "+442079460958;ext=12"]
)
def test_every_spelling_of_an_extension_is_the_same_number(org: Company, spelled: str) -> None:
    org.declare({"che": CHE | {"phoneNumbers": {"work": "+44 (20) 7946-0958 ext. 12"}}})
    org.apply()
    org.declare({"che": CHE | {"phoneNumbers": {"work": spelled}}})
    assert org.plan(drift=True).changes == ()
    org.declare({"che": CHE | {"phoneNumbers": {"work": "+44 20 7946 0958 x13"}}})
    assert len(org.plan().changes) == 1


@pytest.mark.parametrize("name", sorted(PROFILE["users"]["unsupported"]))
def test_what_cannot_be_kept_is_refused_with_its_line_and_the_reason(org: Company, name: str) -> None:
    shapes: dict[str, Any] = {
        "name": {"givenName": "Ann"},
        "addresses": {"work": {"locality": "Leeds"}},
        "entitlements": ["x"],
        "x509Certificates": ["x"],
    }
    value = shapes.get(name, {"work": "x"} if name in ("ims", "photos") else "x")
    org.declare({"ann": ANN | {"manager": None, name: value}})
    ran = org.run("validate")
    said = " ".join(ran.err.split())
    assert ran.code == 1
    assert f"error[unsupported-attribute]: Genesys Cloud does not take {name}" in said
    assert PROFILE["users"]["unsupported"][name] in said
    assert "identities/all.yaml:" in said
    assert not org.asked


@pytest.mark.parametrize(
    ("lines", "code", "place"),
    [
        ({"routingSkills": {"Billing": 5.5}}, "out-of-range", "routingSkills.Billing"),
        ({"routingLanguages": {"English": -1}}, "out-of-range", "routingLanguages.English"),
        ({"routingSkills": {f"S{each}": 1 for each in range(51)}}, "too-many-values", "routingSkills"),
        ({"routingLanguages": {f"L{each}": 1 for each in range(51)}}, "too-many-values", "routingLanguages"),
        ({"emails": {"other": "che@example.com"}}, "read-only-element", "emails.other"),
        ({"emails": {"home": "che@example.com"}}, "unknown-type", '"home"'),
        ({"phoneNumbers": {"fax": "+44 20 7946 0958"}}, "unknown-type", '"fax"'),
        ({"phoneNumbers": {"work": "call me"}}, "wrong-phone", "phoneNumbers.work"),
        ({"externalIds": {"x-pc:scimv2:v1": "a"}}, "read-only-element", "externalIds.x-pc:scimv2:v1"),
        ({"externalIds": {"x-pc:scimv2:v1:client": "a"}}, "read-only-element", "externalIds.x-pc:scimv2:v1"),
        ({"dateHire": "31.12.2020"}, "wrong-form", "dateHire"),
        ({"password": "not this"}, "password", "password"),
    ],
)
def test_values_that_cannot_be_kept_are_refused_with_their_line(
    org: Company, lines: dict[str, Any], code: str, place: str
) -> None:
    org.declare({"che": CHE | lines})
    ran = org.run("validate")
    assert ran.code == 1
    assert f"error[{code}]" in ran.err
    assert place in ran.err
    assert "not this" not in ran.err


def test_fifty_skills_are_possible(org: Company) -> None:
    names = [f"S{each}" for each in range(50)]
    org.service.seed({"skills": names})
    org.declare({"che": CHE | {"routingSkills": dict.fromkeys(names, 1)}}, group("che"))
    assert org.apply().said == []
    assert org.plan().changes == ()
