"""The contact-centre organisation and what seeds may add to it."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from reconciler.sandbox import SandboxService, SandboxTransport

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
ENT = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
GEN = "urn:ietf:params:scim:schemas:extension:genesys:purecloud:2.0:User"
PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


def ann(**attributes: Any) -> dict[str, Any]:
    return {"userName": "ann@example.com", "displayName": "Ann", **attributes}


def patch(path: str, value: Any, verb: str = "replace") -> dict[str, Any]:
    return {"schemas": [PATCH_OP], "Operations": [{"op": verb, "path": path, "value": value}]}


def test_a_fresh_organisation_is_not_empty(genesys: SandboxService) -> None:
    dumped = genesys.dump()
    assert [(it["userName"], it["displayName"]) for it in dumped["User"]] == [("breakglass@example.com", "Break Glass")]
    assert {"value": "Master Admin"} in dumped["User"][0]["roles"]
    assert [it["displayName"] for it in dumped["Group"]] == ["Administrators", "All Agents"]


@pytest.mark.parametrize("base", ["/api/v2/scim/v2", "/api/v2/scim", "", "/API/v2/SCIM/v2"])
@pytest.mark.parametrize("endpoint", ["/Users", "/users", "/USERS", "/Groups", "/groups", "/schemas", "/resourcetypes"])
def test_every_base_path_and_spelling_leads_there(genesys: SandboxService, base: str, endpoint: str) -> None:
    with httpx.Client(transport=SandboxTransport(genesys), base_url="http://api.example") as client:
        listed = client.get(base + endpoint)
        assert listed.status_code == 200
        for resource in listed.json()["Resources"]:
            assert client.get(f"{base}{endpoint}/{resource['id']}").status_code == 200
    assert client.is_closed


def test_a_new_person_gets_role_and_division(genesys_client: httpx.Client) -> None:
    got = genesys_client.post("/users", json=ann()).json()
    assert got["roles"] == [{"value": "employee"}]
    assert got[ENT] == {"division": "Home"}
    assert got["active"] is True
    given = ann(userName="bob@example.com", roles=[{"value": "Agent", "display": "x", "primary": True}], active=False)
    bob = genesys_client.post("/users", json=given).json()
    assert bob["roles"] == [{"value": "Agent"}]
    assert bob["active"] is False


def test_everything_a_contact_centre_knows_of_a_person(genesys_client: httpx.Client) -> None:
    sent = ann(
        externalId="e-1",
        title="Agent",
        emails=[{"type": "work", "value": "a@x.example"}],
        phoneNumbers=[{"type": "work2", "value": "tel:+442079460958;ext=12"}],
        **{
            ENT: {"division": "Home", "department": "Support", "employeeNumber": "0042", "dateHire": "2026-01-02"},
            GEN: {
                "routingSkills": [{"name": "Billing", "proficiency": 4}, {"name": "Refunds", "proficiency": 3.5}],
                "routingLanguages": [{"name": "English", "proficiency": 5.0}],
                "externalIds": [{"authority": "microsoftteams", "value": "x"}],
            },
        },
    )
    got = genesys_client.post("/users", json=sent).json()
    assert got["schemas"] == [USER, ENT, GEN]
    twin = {"type": "other", "value": "ann@example.com", "primary": True}
    own = {"authority": "x-pc:scimv2:v1", "value": "e-1"}
    shown = sent | {
        "emails": [twin, *sent["emails"]],
        "phoneNumbers": [{"type": "work2", "value": "tel:+442079460958; ext=12"}],
        GEN: sent[GEN] | {"externalIds": [own, *sent[GEN]["externalIds"]]},
    }
    assert {key: got[key] for key in sent} == shown
    path = f"/users/{got['id']}"
    changed = genesys_client.patch(path, json=patch(f'{GEN}:routingSkills[name eq "Billing"].proficiency', 2)).json()
    assert changed[GEN]["routingSkills"][0] == {"name": "Billing", "proficiency": 2}
    added = patch(f"{GEN}:routingSkills", [{"name": "Sales", "proficiency": 1}], "add")
    assert len(genesys_client.patch(path, json=added).json()[GEN]["routingSkills"]) == 3


NUMBERS = [
    ("proficiency eq 3.5", 1),
    ("proficiency eq 3.50", 1),
    ("proficiency ne 3.5", 0),
    ("proficiency gt 3", 1),
    ("proficiency lt 35e-1", 0),
    ("proficiency le 3.5", 1),
    ("proficiency pr", 1),
    ("proficiency co 3", None),
    ('proficiency eq "3.5"', None),
    ("proficiency gt true", None),
]


@pytest.mark.parametrize(("text", "total"), NUMBERS)
def test_numbers_are_compared_as_numbers(genesys_client: httpx.Client, text: str, total: int | None) -> None:
    genesys_client.post("/users", json=ann(**{GEN: {"routingSkills": [{"name": "Billing", "proficiency": 3.5}]}}))
    answer = genesys_client.get("/users", params={"filter": f"{GEN}:routingSkills[{text}]"})
    assert (answer.status_code, answer.json().get("totalResults")) == (
        (200, total) if total is not None else (400, None)
    )


def test_a_proficiency_must_be_a_number(genesys_client: httpx.Client) -> None:
    for value in ("5", True, None, [5]):
        skills = {"routingSkills": [{"name": "Billing", "proficiency": value}]}
        answer = genesys_client.post("/users", json=ann(**{GEN: skills}))
        assert answer.status_code == (201 if value is None else 400)


UNKNOWN_NAMES = [
    ("roles", [{"value": "Agnet"}], "Agnet"),
    ("roles", [{"value": "agent"}], "agent"),
    (ENT, {"division": "Nowhere"}, "Nowhere"),
    (GEN, {"routingSkills": [{"name": "billing", "proficiency": 1}]}, "billing"),
    (GEN, {"routingLanguages": [{"name": "Klingon", "proficiency": 1}]}, "Klingon"),
]


@pytest.mark.parametrize(("attribute", "value", "name"), UNKNOWN_NAMES)
def test_names_the_organisation_lacks_are_refused(
    genesys_client: httpx.Client, genesys: SandboxService, attribute: str, value: Any, name: str
) -> None:
    created = genesys_client.post("/users", json=ann(**{attribute: value}))
    identifier = genesys_client.post("/users", json=ann()).json()["id"]
    before = genesys.dump()
    patched = genesys_client.patch(f"/users/{identifier}", json=patch(attribute, value))
    replaced = genesys_client.put(f"/users/{identifier}", json=ann(**{attribute: value}))
    for answer in (created, patched, replaced):
        assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidValue")
        assert repr(name) in answer.json()["detail"]
    assert genesys.dump() == before


@pytest.mark.parametrize("attribute", ["name", "locale", "preferredLanguage", "photos", "addresses", "nickName", "ims"])
def test_attributes_it_does_not_have_are_refused(genesys_client: httpx.Client, attribute: str) -> None:
    answer = genesys_client.post("/users", json=ann(**{attribute: "x"}))
    assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidSyntax")


def test_display_name_is_needed(genesys_client: httpx.Client) -> None:
    answer = genesys_client.post("/users", json={"userName": "ann@example.com"})
    assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidValue")


def test_groups_are_only_filled(genesys_client: httpx.Client) -> None:
    group = genesys_client.get("/groups").json()["Resources"][1]
    path = f"/groups/{group['id']}"
    created = genesys_client.post("/groups", json={"displayName": "New"})
    assert (created.status_code, created.headers["allow"]) == (405, "GET")
    removed = genesys_client.delete(path)
    assert (removed.status_code, removed.headers["allow"]) == (405, "GET, PUT, PATCH")
    renamed = genesys_client.patch(path, json=patch("displayName", "Other"))
    assert (renamed.status_code, renamed.json()["scimType"]) == (400, "mutability")
    person = genesys_client.post("/users", json=ann()).json()["id"]
    body = {"displayName": group["displayName"], "externalId": "g", "members": [{"value": person}]}
    filled = genesys_client.put(path, json=body).json()
    assert filled["externalId"] == "g"
    assert filled["displayName"] == group["displayName"]
    assert [it["value"] for it in filled["members"]] == [person]
    nested = genesys_client.patch(path, json=patch("members", [{"value": group["id"]}], "add"))
    assert nested.status_code == 400


def test_a_listing_shows_active_people_unless_a_filter_says_otherwise(genesys_client: httpx.Client) -> None:
    gone = genesys_client.post("/users", json=ann(active=False)).json()["id"]
    listed = genesys_client.get("/users").json()
    assert [it["userName"] for it in listed["Resources"]] == ["breakglass@example.com"]
    assert listed["totalResults"] == 1
    inactive = genesys_client.get("/users", params={"filter": "active eq false"}).json()
    assert [it["id"] for it in inactive["Resources"]] == [gone]
    by_name = genesys_client.get("/users", params={"filter": 'userName eq "ann@example.com"'}).json()
    assert [it["id"] for it in by_name["Resources"]] == [gone]
    assert genesys_client.get(f"/users/{gone}").status_code == 200
