"""What the contact centre makes of values, filters, pages and deletions; what is certain of it, without any switch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from reconciler.sandbox import SandboxService, SandboxTransport, open_sandbox
from tests.sandbox.switch_world import ENT, GEN, PATCH_OP, World, operation, refused, values

USER = "urn:ietf:params:scim:schemas:core:2.0:User"


@pytest.fixture
def world(genesys_client: httpx.Client) -> World:
    return World(genesys_client)


# --- values --------------------------------------------------------------------------------------------------------

PHONES: list[tuple[str, str | None]] = [
    ("+442079460958", "+442079460958"),
    ("+44 20 7946 0958", "+442079460958"),
    ("+44-20-7946.0958", "+442079460958"),
    ("+44 (20) 7946/0958", "+442079460958"),
    ("tel:+442079460958", "+442079460958"),
    ("TEL: +442079460958", "+442079460958"),
    ("tel:+442079460958;ext=12345", "tel:+442079460958; ext=12345"),
    ("tel:+442079460958; ext=12345", "tel:+442079460958; ext=12345"),
    ("+442079460958;EXT=7", "tel:+442079460958; ext=7"),
    ("8812", "8812"),
    ("020 7946 0958", "02079460958"),
    ("8812;ext=1", None),
    ("+44", None),
    ("+0442079460958", None),
    ("+4420794609581234567", None),
    ("++442079460958", None),
    ("call me", None),
    ("()", None),
    ("", None),
]


@pytest.mark.parametrize(("sent", "read"), PHONES)
def test_phone_numbers_are_rewritten(world: World, sent: str, read: str | None) -> None:
    answer = world.post(phoneNumbers=[{"type": "work", "value": sent}])
    if read is None:
        assert refused(answer) == (400, "invalidValue")
        return
    assert values(answer.json(), "phoneNumbers") == [read]
    path = f"/Users/{answer.json()['id']}"
    again = world.patch(path, operation("replace", "phoneNumbers", [{"type": "work", "value": read}]))
    assert again.json()["meta"]["version"] == "1"
    found = world.patch(path, operation("remove", f'phoneNumbers[value eq "{read}"]'))
    assert "phoneNumbers" not in found.json()


DAYS: list[tuple[str, str | None]] = [
    ("2026-01-02", "2026-01-02"),
    ("2026-01-02T23:30:00Z", "2026-01-02"),
    ("2026-01-02T03:04:05.678+01:00", "2026-01-02"),
    ("20260102", "2026-01-02"),
    ("02/01/2026", None),
    ("2026-02-30", None),
    ("soon", None),
]


@pytest.mark.parametrize(("sent", "read"), DAYS)
def test_days_of_hire_are_read_as_days(world: World, sent: str, read: str | None) -> None:
    answer = world.post(**{ENT: {"dateHire": sent}})
    assert answer.json()[ENT]["dateHire"] == read if read else refused(answer) == (400, "invalidValue")


LEVELS: list[tuple[Any, Any]] = [
    ([{"name": "Billing", "proficiency": 0}], [{"name": "Billing", "proficiency": 0.0}]),
    ([{"name": "Billing", "proficiency": 5}], [{"name": "Billing", "proficiency": 5.0}]),
    ([{"name": "Billing"}], [{"name": "Billing"}]),
    (
        [{"name": "Billing", "proficiency": 1}, {"name": "Sales"}, {"name": "Billing", "proficiency": 2}],
        [{"name": "Billing", "proficiency": 2.0}, {"name": "Sales"}],
    ),
    ([{"name": "Billing", "proficiency": 5.1}], None),
    ([{"name": "Billing", "proficiency": -1}], None),
    ([{"name": "Billing", "proficiency": n / 11} for n in range(51)], None),
]


@pytest.mark.parametrize(("sent", "read"), LEVELS)
def test_skills_have_a_level_and_a_place_each(world: World, sent: Any, read: Any) -> None:
    answer = world.post(**{GEN: {"routingSkills": sent}})
    assert answer.json()[GEN]["routingSkills"] == read if read else refused(answer) == (400, "invalidValue")


TYPES = [
    ("emails", "home", (400, "invalidValue")),
    ("emails", "WORK", "work"),
    ("phoneNumbers", "fax", (400, "invalidValue")),
    ("phoneNumbers", "ZoomPhone", "zoomphone"),
    ("phoneNumbers", "work4", "work4"),
]


@pytest.mark.parametrize(("attribute", "kind", "read"), TYPES)
def test_addresses_and_numbers_have_their_slots(world: World, attribute: str, kind: str, read: Any) -> None:
    held = [{"type": kind, "value": "+442079460958"}, {"type": kind, "value": "+442079460959"}]
    answer = world.post(**{attribute: held})
    if answer.status_code == 201:
        assert [(it["type"], it["value"]) for it in answer.json()[attribute][-1:]] == [(read, "+442079460959")]
        assert len(answer.json()[attribute]) == (2 if attribute == "emails" else 1)
    else:
        assert refused(answer) == read


def test_the_other_address_follows_the_name(world: World) -> None:
    work = {"type": "work", "value": "w@x.example", "primary": True}
    path = f"/Users/{world.person(emails=[work])}"
    emails = world.patch(path, operation("replace", "userName", "new@example.com")).json()["emails"]
    twin = {"type": "other", "value": "new@example.com", "primary": True}
    assert emails == [twin, {**work, "primary": False}]
    assert world.patch(path, operation("remove", "emails")).json()["emails"] == [twin]
    assert world.names(filter='emails[type eq "other" and value sw "new"]') == "new"


def test_the_entry_that_holds_the_external_id_cannot_be_changed(world: World) -> None:
    identifier = world.person()
    path, entry = f"/Users/{identifier}", {"authority": "x-pc:scimv2:v1", "value": identifier}
    assert world.client.get(path).json()[GEN] == {"externalIds": [entry]}
    named = world.patch(path, operation("add", "externalId", "e")).json()
    assert named[GEN]["externalIds"] == [{**entry, "value": "e"}]
    other = {"authority": "microsoftteams", "value": "t"}
    assert world.patch(path, operation("replace", f"{GEN}:externalIds", [other])).json()[GEN]["externalIds"] == [
        {**entry, "value": "e"},
        other,
    ]
    target = f'{GEN}:externalIds[authority eq "x-pc:scimv2:v1"].value'
    assert refused(world.patch(path, operation("replace", target, "x"))) == (400, "mutability")
    emptied = world.patch(path, operation("remove", f"{GEN}:externalIds"))
    assert emptied.json()[GEN]["externalIds"] == [{**entry, "value": "e"}]


def test_what_was_read_can_be_put_back_unchanged(world: World) -> None:
    held = {
        "externalId": "e",
        "emails": [{"type": "work", "value": "w@x.example"}],
        "phoneNumbers": [{"type": "work", "value": "tel:+442079460958;ext=1"}],
        ENT: {"dateHire": "2026-01-02T00:00:00Z", "manager": {"value": world.person("bob")}},
        GEN: {"routingSkills": [{"name": "Billing", "proficiency": 3}]},
    }
    path = f"/Users/{world.person(**held)}"
    read = world.client.get(path).json()
    put = world.client.put(path, json=read)
    assert (put.status_code, put.json()) == (200, read)


def test_roles_may_carry_more_than_their_name(world: World) -> None:
    roles = [{"value": "Agent", "display": "x", "id": "5", "VALUE2": None}, {"value": "Agent"}]
    assert world.post(roles=roles).json()["roles"] == [{"value": "Agent"}]
    added = world.change("roles", [{"value": "Admin", "scope": "all"}], "add", login="bob")
    assert values(added, "roles") == ["employee", "Admin"]


# --- what answers look like ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("base", ["/api/v2/scim/v2", "/api/v2/scim", "/Api/V2/Scim"])
def test_resources_are_shown_as_the_platform_does(genesys: SandboxService, base: str) -> None:
    with httpx.Client(transport=SandboxTransport(genesys), base_url=f"http://h{base}") as client:
        boss = client.get("/Users").json()["Resources"][0]
        created = World(client).post(**{ENT: {"manager": {"value": boss["id"]}}})
    body = created.json()
    assert created.headers["location"] == body["meta"]["location"] == f"{base.lower()}/users/{body['id']}"
    assert body[ENT]["manager"] == {"value": boss["id"], "$ref": f"{base.lower()}/users/{boss['id']}"}
    assert (created.headers["etag"], body["meta"]["version"]) == ('"1"', "1")
    assert set(body["meta"]) == {"resourceType", "lastModified", "version", "location"}
    (group,) = boss["groups"]
    assert set(group) == {"value", "type", "$ref"}
    assert boss["emails"] == [{"value": "breakglass@example.com", "type": "other", "primary": True}]


def test_versions_are_whole_numbers(world: World) -> None:
    path = f"/Users/{world.person()}"
    for number in (2, 3):
        changed = world.patch(path, operation("replace", "title", str(number)))
        assert (changed.headers["etag"], changed.json()["meta"]["version"]) == (f'"{number}"', str(number))
    for tag, status in (('"3"', 304), ("3", 304), ('"2"', 200), ('"2", "3"', 304)):
        assert world.client.get(path, headers={"If-None-Match": tag}).status_code == status
    config = world.client.get("/serviceproviderconfig")
    again = world.client.get("/serviceproviderconfig", headers={"If-None-Match": config.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_every_answer_can_be_told_from_every_other(world: World) -> None:
    answers = [
        world.client.get("/users"),
        world.post(),
        world.post(),
        world.client.get("/nothing"),
        world.client.post("http://sandbox/oauth/token"),
        world.client.get("/schemas"),
        world.client.delete(f"/users/{world.person('bob')}"),
    ]
    assert len({it.headers["inin-correlation-id"] for it in answers}) == len(answers)


def test_some_attributes_are_always_there(world: World) -> None:
    identifier = world.person(title="Lead")
    for parameters in ({"attributes": "title"}, {"attributes": ["title", "id"]}):
        found = world.client.get(f"/users/{identifier}", params=parameters).json()
        assert set(found) == {"schemas", "id", "userName", "active", "meta", "title"}
    excluded = {"excludedAttributes": "meta,userName,roles,title"}
    without = world.client.get(f"/users/{identifier}", params=excluded).json()
    assert {"meta", "userName", "active"} <= set(without)
    assert {"roles", "title"}.isdisjoint(without)


@pytest.mark.parametrize("path", ["/Me", "/Bulk", "/.search", "/Users/.search"])
def test_endpoints_that_do_not_exist(world: World, path: str) -> None:
    answer = world.client.post(path, json={})
    assert refused(answer) == (404, "not.found")


def test_discovery_takes_no_filter(world: World) -> None:
    answer = world.client.get("/schemas", params={"filter": "id pr"})
    assert refused(answer) == (403, "not.authorized")


def test_bodies_have_a_size(world: World, genesys: SandboxService) -> None:
    before = genesys.dump()
    for size, status in ((512_000, 400), (512_001, 413)):
        assert world.client.post("/users", content=b" " * size).status_code == status
    assert genesys.dump() == before


# --- lists and filters ---------------------------------------------------------------------------------------------

PAGES: list[tuple[dict[str, Any], int]] = [
    ({}, 25),
    ({"count": 10}, 10),
    ({"count": 26}, 25),
    ({"count": 100}, 25),
    ({"count": 100, "attributes": "id"}, 31),
    ({"count": 100, "excludedAttributes": "roles,externalId"}, 31),
    ({"attributes": "id"}, 25),
    ({"count": 0}, 0),
    ({"startIndex": 26, "count": 25}, 6),
]


@pytest.mark.parametrize(("parameters", "rows"), PAGES)
def test_pages_are_short_unless_attributes_are_chosen(world: World, parameters: dict[str, Any], rows: int) -> None:
    for number in range(30):
        world.person(f"p{number}")
    page = world.client.get("/users", params=parameters).json()
    assert (page["itemsPerPage"], len(page["Resources"]), page["totalResults"]) == (rows, rows, 31)


FILTERS: list[tuple[str, str | None]] = [
    ("userName eq ann@example.com", "ann"),
    ('userName eq "ann@example.com"', "ann"),
    ("USERNAME EQ ANN@EXAMPLE.COM", "ann"),
    ("active eq false", "bob"),
    ("active eq true", "breakglass ann"),
    ("active eq FALSE", "bob"),
    ("division eq Home", "breakglass ann bob"),
    ('division eq "Home"', "breakglass ann bob"),
    ("department eq Customer Care", "ann"),
    ("department eq Customer Care and active eq true", "ann"),
    ("(department eq Customer Care) or active eq false", "ann bob"),
    ("employeeNumber eq 1", "ann"),
    ("employeenumber eq 01", ""),
    ("employeeNumber eq true", "bob"),
    ("manager eq {boss}", "ann"),
    ("manager.value eq {boss}", "ann"),
    (f"{ENT}:manager eq {{boss}}", "ann"),
    ("id eq {boss}", "breakglass"),
    ("email eq ann@example.com", "ann"),
    ("email eq w@x.example", "ann"),
    ("externalId eq E-1", "ann"),
    ("externalId eq e-1", ""),
    ("dateHire eq 2026-01-02", "ann"),
    (f'{GEN}:externalIds[authority eq "teams" and value eq "t"]', "ann"),
    ("externalIds[authority eq teams and value eq t]", "ann"),
    ("routingSkills[proficiency ge 3.5]", "ann"),
    ("title eq null", "breakglass bob"),
    ("displayname eq Ann", "ann"),
    ("userName eq", None),
    ("userName eq (", None),
    ("colour eq red", None),
    ("active eq perhaps", None),
    ("routingSkills[proficiency ge high]", None),
]


@pytest.mark.parametrize(("text", "expected"), FILTERS)
def test_filters_may_name_values_and_attributes_plainly(world: World, text: str, expected: str | None) -> None:
    boss = world.client.get("/users").json()["Resources"][0]["id"]
    known = {"department": "Customer Care", "employeeNumber": "1", "dateHire": "2026-01-02", "manager": {"value": boss}}
    skills = [{"name": "Billing", "proficiency": 3.5}]
    more = {"externalIds": [{"authority": "teams", "value": "t"}], "routingSkills": skills}
    emails = [{"type": "work", "value": "w@x.example"}]
    world.person("ann", title="Lead", externalId="E-1", emails=emails, **{ENT: known, GEN: more})
    world.person("bob", active=False, **{ENT: {"employeeNumber": "true"}})
    found = world.names(filter=text.format(boss=boss))
    assert found == (expected if expected is not None else (400, "invalidFilter"))


def test_groups_are_found_by_name(world: World) -> None:
    for text in ("displayname eq All Agents", 'displayName eq "all agents"'):
        found = world.client.get("/groups", params={"filter": text}).json()["Resources"]
        assert [it["displayName"] for it in found] == ["All Agents"]


# --- deleting and coming back --------------------------------------------------------------------------------------


def test_somebody_deleted_is_gone_from_everywhere(world: World, genesys: SandboxService) -> None:
    ann, group = world.person(), world.group()
    world.person("bob", **{ENT: {"manager": {"value": ann}}})
    assert world.members(group, operation("add", "members", [{"value": ann}])) == [ann]
    world.client.delete(f"/Users/{ann}")
    assert world.names() == "breakglass bob"
    assert world.names(filter="active eq false") == world.names(filter="email eq ann@example.com") == ""
    assert world.client.get(f"/Users/{ann}").status_code == world.client.delete(f"/Users/{ann}").status_code == 404
    assert "members" not in world.client.get(group).json()
    assert "manager" not in genesys.dump()["User"][1].get(ENT, {})
    assert refused(world.patch(group, operation("add", "members", [{"value": ann}]))) == (400, "invalidValue")


def test_the_last_who_had_a_name_comes_back_under_it(tmp_path: Path) -> None:
    """Bob took Ann's name after she left; whoever is created under it then is Bob, also after a new start."""
    service = open_sandbox(tmp_path, "genesys")
    with httpx.Client(transport=SandboxTransport(service), base_url="http://sandbox") as client:
        world = World(client)
        ann, bob = world.person("ann"), world.person("bob")
        client.delete(f"/Users/{ann}")
        renamed = world.patch(f"/Users/{bob}", operation("replace", "userName", "Ann@example.com"))
        assert renamed.status_code == 200
        assert refused(world.post("ann")) == (409, "uniqueness")
        client.delete(f"/Users/{bob}")
    service.close()
    service = open_sandbox(tmp_path, "genesys")
    with httpx.Client(transport=SandboxTransport(service), base_url="http://sandbox") as client:
        world = World(client)
        back = world.post("ann", title="Back")
        assert (back.status_code, back.json()["id"], back.json()["title"]) == (201, bob, "Back")
        assert "roles" not in back.json()
        assert int(back.json()["meta"]["version"]) == 3
        assert refused(world.post("ann")) == (409, "uniqueness")
        client.delete(f"/Users/{bob}")
        assert world.post("bob").json()["id"] not in (ann, bob)
    service.close()


# --- patching ------------------------------------------------------------------------------------------------------

MESSAGES: list[tuple[Any, int]] = [
    ([PATCH_OP], 200),
    ([USER, GEN], 200),
    ([], 400),
    (None, 400),
    ("x", 400),
]


@pytest.mark.parametrize(("schemas", "status"), MESSAGES)
def test_a_patch_names_some_schema(world: World, schemas: Any, status: int) -> None:
    body = {"schemas": schemas, "Operations": [operation("add", "title", "Lead")]}
    assert world.client.patch(f"/Users/{world.person()}", json=body).status_code == status
