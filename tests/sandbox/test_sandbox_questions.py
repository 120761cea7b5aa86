"""Open questions about the contact centre: each switch with its default and at least one other answer."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from reconciler.sandbox import Access, Switches
from tests.sandbox.switch_world import (
    BASE,
    ENT,
    ERROR,
    GEN,
    Trial,
    World,
    cases,
    from_settings,
    operation,
    refused,
    sandbox,
    trial,
    values,
)


def post_after_delete(world: World) -> Any:
    first = world.person(title="Lead", roles=[{"value": "Admin"}])
    world.client.delete(f"/Users/{first}")
    again = world.post("ANN")
    body = again.json()
    same = body["id"] == first
    return again.status_code, same, body.get("title"), values(body, "roles"), body["active"], body["userName"]


def put_less(world: World) -> Any:
    after = world.put({"title": "Lead", ENT: {"department": "Sales", "division": "Home"}}, {ENT: {"division": "Home"}})
    return after.get("title"), after[ENT]


def put_null(world: World) -> Any:
    before = {"title": "Lead", "externalId": "e", ENT: {"department": "Sales"}}
    after = world.put(before, {"title": None, ENT: {"department": None}})
    return after.get("title"), after.get("externalId"), after.get(ENT)


def empty_values(world: World) -> Any:
    after = world.change("title", "", title="Lead", externalId="e")
    nothing = world.patch(f"/Users/{after['id']}", operation("replace", None, {"externalId": None, "phoneNumbers": []}))
    return after.get("title"), nothing.json().get("externalId")


def replace_roles(world: World) -> Any:
    return values(world.change("roles", [{"value": "Admin"}], roles=[{"value": "Agent"}]), "roles")


def replace_skills(world: World) -> Any:
    held: Any = {GEN: {"routingSkills": [{"name": "Billing", "proficiency": 1}, {"name": "Sales", "proficiency": 2}]}}
    after = world.change(f"{GEN}:routingSkills", [{"name": "Billing", "proficiency": 4}], **held)
    return [(it["name"], it["proficiency"]) for it in after[GEN]["routingSkills"]]


def remove_title(world: World) -> Any:
    return world.change("title", None, "remove", title="Lead").get("title")


def unknown_names(world: World) -> Any:
    answer = world.post(
        roles=[{"value": "Agent"}, {"value": "Nobody"}],
        **{ENT: {"division": "Mars"}, GEN: {"routingSkills": [{"name": "Flying", "proficiency": 1}]}},
    )
    if answer.status_code != 201:
        return refused(answer)
    body = answer.json()
    return values(body, "roles"), body.get(ENT), body[GEN].get("routingSkills")


def unknown_division_later(world: World) -> Any:
    after = world.change(f"{ENT}:division", "Mars")
    return after if isinstance(after, tuple) else after[ENT]["division"]


def unknown_attributes(world: World) -> Any:
    created = world.post(name={"givenName": "Ann"}, emails=[{"type": "work", "value": "w@x.example", "colour": "red"}])
    if created.status_code != 201:
        return refused(created)
    path = f"/Users/{created.json()['id']}"
    patched = world.patch(path, operation("replace", "name.givenName", "B"), operation("add", "title", "Lead"))
    return "name" in created.json(), values(created.json(), "emails"), patched.json()["title"]


def forbidden(world: World) -> Any:
    identifier = world.person()
    body = {GEN: {"routingSkills": [{"name": "Billing", "proficiency": 1}]}}
    return [
        world.post("bob", roles=[{"value": "Agent"}]).status_code,
        world.patch(
            f"/Users/{identifier}", operation("replace", 'roles[value eq "employee"].value', "Agent")
        ).status_code,
        world.patch(f"/Users/{identifier}", operation("add", GEN, body[GEN])).status_code,
        world.patch(f"/Users/{identifier}", operation("add", None, {"title": "x"})).status_code,
    ]


def forbidden_name(world: World) -> Any:
    """One change of a title that may not be written, and of a department."""
    identifier = str(next(each["id"] for each in world.client.get("/Users").json()["Resources"]))
    path = f"/Users/{identifier}"
    changes = operation("replace", "title", "Lead"), operation("add", f"{ENT}:department", "Sales")
    status = world.patch(path, *changes).status_code
    held = world.client.get(path).json()
    return status, held.get(ENT, {}).get("department", ""), held.get("title")


def missing_slot(world: World) -> Any:
    after = world.change('phoneNumbers[type eq "work"].value', "+442079460958")
    return after if isinstance(after, tuple) else after["phoneNumbers"]


def other_email(world: World) -> Any:
    after = world.change('emails[type eq "other"].value', "new@x.example")
    return after if isinstance(after, tuple) else values(after, "emails")


def rename_group(world: World) -> Any:
    path = world.group()
    patched = world.patch(path, operation("replace", "displayName", "New"), operation("add", "externalId", "g"))
    replaced = world.client.put(path, json={"displayName": "New"})
    return [it.json()["displayName"] if it.status_code == 200 else refused(it) for it in (patched, replaced)]


def nest(world: World) -> Any:
    first, last = world.client.get("/Groups?filter=displayName%20pr").json()["Resources"]
    answer = world.patch(f"/Groups/{last['id']}", operation("add", "members", [{"value": first["id"]}]))
    return [it["type"] for it in answer.json()["members"]] if answer.status_code == 200 else refused(answer)


def long_patches(world: World) -> Any:
    ids = [world.person(name) for name in ("ann", "bob", "cleo")]
    path = world.group()
    one_each = [operation("add", "members", [{"value": it}]) for it in ids]
    pathless = operation("add", None, {"members": [{"value": it} for it in ids]})
    removals = [operation("remove", f'members[value eq "{it}"]') for it in ids]
    results = [world.members(path, *each) for each in (one_each, [pathless], removals)]
    return [len(it) if isinstance(it, list) else it for it in results]


def stale(world: World) -> Any:
    path = f"/Users/{world.person()}"
    stale = {"If-Match": '"7"'}
    answer = world.client.delete(path, headers=stale)
    assert world.client.get(path).status_code == 200
    assert world.client.delete(path, headers={"If-Match": world.client.get(path).headers["etag"]}).is_success
    return answer.status_code, answer.json().get("scimType"), answer.json()["schemas"]


def delete(world: World) -> Any:
    path = f"/Users/{world.person()}"
    return world.client.delete(path).status_code, world.client.get(path).status_code


def phones(world: World) -> Any:
    sent = ["+44 (20) 7946-0958", "tel:+44 20 7946 0959; ext=12", "tel:+442079460960", "1234"]
    kinds = ["work", "work2", "mobile", "other"]
    answer = world.post(phoneNumbers=[{"type": kind, "value": it} for kind, it in zip(kinds, sent, strict=True)])
    return values(answer.json(), "phoneNumbers") if answer.status_code == 201 else refused(answer)


def plain_phones(world: World) -> Any:
    after = world.change(
        'phoneNumbers[type eq "work"].value',
        "+1 617-555-0143",
        phoneNumbers=[{"type": "work", "value": "+442079460958"}, {"type": "home", "value": "tel:+442079460959;ext=7"}],
    )
    return values(after, "phoneNumbers")


def letter_case(world: World) -> Any:
    world.person("ann")
    schema = world.client.get("/Schemas/urn:ietf:params:scim:schemas:core:2.0:User").json()
    (exact,) = [it["caseExact"] for it in schema["attributes"] if it["name"] == "userName"]
    return world.post("ANN").status_code, world.names(filter='userName eq "Ann@example.com"'), exact


def find_inactive(world: World) -> Any:
    world.person("ann", active=False, externalId="e")
    return [
        world.names(filter=text)
        for text in ('userName eq "ann@example.com"', "email eq ann@example.com", "externalId eq e", "active eq false")
    ]


def find_by_email(world: World) -> Any:
    world.person(emails=[{"type": "work", "value": "w@x.example"}])
    return world.names(filter="email eq w@x.example"), world.names(filter="email eq ann@example.com")


def operators(world: World) -> Any:
    world.person(**{GEN: {"externalIds": [{"authority": "a", "value": "b"}]}})
    return [
        world.names(filter=text)
        for text in (
            "displayName eq Ann",
            f'{GEN}:externalIds[authority eq "a" and value eq "b"]',
            'displayName sw "A"',
            "displayName eq Ann and active eq true",
        )
    ]


def sort(world: World) -> Any:
    world.person("zoe")
    world.person("ann")
    supported = world.client.get("/ServiceProviderConfig").json()["sort"]["supported"]
    return world.names(sortBy="userName"), supported


def group_case(world: World) -> Any:
    texts = ("displayname eq all agents", "displayname eq All Agents")
    return tuple(world.client.get("/groups", params={"filter": text}).json()["totalResults"] for text in texts)


def features(world: World) -> Any:
    path = f"/Users/{world.person()}"
    config = world.client.get("/ServiceProviderConfig").json()
    said = [name for name in ("patch", "filter", "sort", "etag") if config[name]["supported"]]
    patched = world.patch(path, operation("add", "title", "Lead")).status_code
    found = world.names(filter="userName eq ann@example.com")
    read = world.client.get(path)
    stale = world.client.delete(path, headers={"If-Match": '"7"'}).status_code
    return said, patched, found, read.headers.get("etag"), read.json()["meta"].get("version"), stale


def large_pages(world: World) -> Any:
    queries: list[dict[str, str | int]] = [
        {"count": 25},
        {"count": 26, "attributes": "id"},
        {"startIndex": 51, "count": 1},
    ]
    answers = [world.client.get("/Users", params=each) for each in queries]
    found = [(it.status_code, it.headers.get("retry-after")) for it in answers]
    return [pair if pair[1] else pair[0] for pair in found]


def slot_filters(world: World) -> Any:
    identifier = world.person(
        phoneNumbers=[{"type": "work", "value": "+442079460958"}],
        **{GEN: {"externalIds": [{"authority": "teams", "value": "t"}]}},
    )
    group, path = world.group(), f"/Users/{identifier}"
    world.members(group, operation("add", "members", [{"value": identifier}]))
    return [
        world.patch(path, operation("replace", f'{GEN}:externalIds[authority eq "teams"].value', "u")).status_code,
        world.patch(path, operation("remove", 'roles[value eq "employee"]')).status_code,
        world.patch(path, operation("replace", 'phoneNumbers[type sw "w"].value', "+442079460959")).status_code,
        world.patch(group, operation("remove", f'members[value eq "{identifier}"]')).status_code,
    ]


def groups_without_filter(world: World) -> Any:
    answers = [world.client.get(f"http://sandbox{path}/groups") for path in (BASE, "/api/v2/scim")]
    answers.append(world.client.get("/groups", params={"filter": "displayname eq All Agents"}))
    return [len(it.json()["Resources"]) if it.status_code == 200 else refused(it) for it in answers]


def listed(world: World) -> Any:
    world.person()
    rows = [
        world.client.get("/Users").json()["Resources"][-1],
        world.client.get("/Users", params={"attributes": "roles"}).json()["Resources"][-1],
        world.client.get(f"/Users/{world.client.get('/Users').json()['Resources'][-1]['id']}").json(),
    ]
    group = world.client.get("/Groups?filter=displayName%20pr").json()["Resources"][0]
    return [("roles" in it, ENT in it and "division" in it[ENT]) for it in rows], "members" in group


def wait_for_sight(world: World) -> Any:
    identifier = world.person()
    by_id = [world.client.get(f"/Users/{identifier}").status_code for _ in range(4)]
    world.person("bob")
    lists = [world.names(filter='userName ne "x"') for _ in range(4)]
    return by_id, lists


def error_shapes(world: World) -> Any:
    world.person()
    answers = [
        world.client.get("/Users/nobody"),
        world.post("bob", roles=[{"value": "x"}]),
        world.post("ann"),
        world.client.get("/nothing"),
        world.client.post("/Groups", json={}),
        world.client.post("/Users", content=b"x" * 512_001),
        world.client.get("/Schemas?filter=id%20pr"),
    ]
    shapes = []
    for answer in answers:
        body = answer.json()
        scim = body.get("schemas") == [ERROR] and body["status"] == str(answer.status_code) and body["detail"]
        known = body.get("contextId") == answer.headers["inin-correlation-id"]
        platform = body["status"] == answer.status_code and known
        assert bool(scim) != bool(platform and body["message"] and body["code"])
        shapes.append((answer.status_code, "scim" if scim else "platform"))
    return shapes


def limits(world: World) -> Any:
    found = []
    for path in ("", "/defaults"):
        answer = world.client.get(f"http://sandbox/api/v2/organizations/limits/namespaces/scim{path}")
        found.append(answer.json()["entities"] if answer.status_code == 200 else refused(answer))
    return found


def rate(world: World) -> Any:
    answers = [world.client.get("/Users") for _ in range(3)]
    names = ("count", "allowed", "reset")
    return [(it.status_code, *(it.headers.get(f"inin-ratelimit-{name}") for name in names)) for it in answers]


def too_many(world: World) -> Any:
    world.client.get("/Users")
    answer = world.client.get("/Users")
    assert refused(answer) == (429, "too.many.requests.retry.after")
    after = answer.headers["retry-after"]
    return "seconds" if after.isdigit() else f"a date in {parsedate_to_datetime(after).tzinfo}"


# --- what comes of it -----------------------------------------------------------------------------------------------

HOME = {"division": "Home"}
PLATFORM_404 = (404, "not.found")
NUMBERS = ["+442079460958", "tel:+442079460959; ext=12", "+442079460960", "1234"]
LIMIT = {"key": "token.rate.per.minute", "namespace": "scim", "value": 300}
SIGHT = ([404, 404, 200, 200], ["breakglass ann"] * 2 + ["breakglass ann bob"] * 2)
BY_SCIM, BY_GATEWAY = [(404, "scim"), (400, "scim"), (409, "scim")], [(it, "platform") for it in (404, 405, 413, 403)]
BY_PART = [*BY_SCIM, *BY_GATEWAY]

TRIALS: dict[str, Trial] = {
    "somebody who was deleted comes back": trial(
        post_after_delete,
        ({}, (201, True, "Lead", [], True, "ANN@example.com")),
        ({"restore_status": 200}, (200, True, "Lead", [], True, "ANN@example.com")),
        ({"restore_keeps": False}, (201, True, None, [], True, "ANN@example.com")),
        ({"restore": False}, (201, False, None, ["employee"], True, "ANN@example.com")),
    ),
    "a PUT with less": trial(
        put_less,
        ({}, (None, {"division": "Home"})),
        ({"put_keeps_omitted": True}, ("Lead", {"division": "Home", "department": "Sales"})),
    ),
    "a PUT with null": trial(
        put_null,
        ({}, (None, None, None)),
        ({"put_keeps_omitted": True}, (None, "e", {"division": "Home"})),
        (
            {"put_keeps_omitted": True, "empty_values_ignored": True},
            ("Lead", "e", {"department": "Sales", **HOME}),
        ),
    ),
    "empty values": trial(empty_values, ({}, ("", None)), ({"empty_values_ignored": True}, ("Lead", "e"))),
    "replacing roles": trial(replace_roles, ({}, ["Admin"]), ({"replace_merges": ("ROLES",)}, ["Agent", "Admin"])),
    "replacing skills": trial(
        replace_skills,
        ({}, [("Billing", 4.0)]),
        ({"replace_merges": ("roles",)}, [("Billing", 4.0)]),
        ({"replace_merges": ("routingSkills",)}, [("Billing", 4.0), ("Sales", 2.0)]),
    ),
    "removing": trial(remove_title, ({}, None), ({"unremovable": ("title",)}, "Lead"), everywhere=True),
    "names that the organisation lacks": trial(
        unknown_names,
        ({}, (400, "invalidValue")),
        ({"unknown_names": "ignore"}, (["Agent"], HOME, None)),
    ),
    "a division that the organisation lacks": trial(
        unknown_division_later, ({}, (400, "invalidValue")), ({"unknown_names": "ignore"}, "Home")
    ),
    "attributes that no schema has": trial(
        unknown_attributes,
        ({}, (400, "invalidSyntax")),
        ({"unknown_attributes": "ignore"}, (False, ["ann@example.com", "w@x.example"], "Lead")),
    ),
    "attributes that the token may not write": trial(
        forbidden, ({}, [201, 200, 200, 200]), ({"forbidden": ("roles", "routingSkills")}, [403, 403, 403, 200])
    ),
    "attributes that the token may not write, passed over": trial(
        forbidden_name,
        ({"forbidden": ("title",)}, (403, "", None)),
        ({"forbidden": ("title",), "forbidden_writes": "ignore"}, (200, "Sales", None)),
    ),
    "a slot that is empty": trial(
        missing_slot,
        ({}, (400, "noTarget")),
        ({"missing_slot_created": True}, [{"type": "work", "value": "+442079460958"}]),
    ),
    "the address that mirrors the name": trial(
        other_email, ({}, ["ann@example.com"]), ({"other_email": "refuse"}, (400, "mutability"))
    ),
    "another name for a group": trial(
        rename_group,
        ({}, [(400, "mutability")] * 2),
        ({"group_rename": "ignore"}, ["All Agents"] * 2),
    ),
    "groups in groups": trial(nest, ({}, (400, "invalidValue")), ({"nested_groups": True}, ["Group"])),
    "long patches": trial(
        long_patches,
        ({}, [3, 3, 0]),
        ({"operations_per_patch": 2}, [(400, "tooMany"), 3, (400, "tooMany")]),
        ({"members_per_patch": 2}, [(400, "tooMany")] * 3),
        ({"members_per_patch": 3, "operations_per_patch": 3}, [3, 3, 0]),
        ({"members_per_group": 3}, [3, 3, 0]),
        ({"members_per_group": 2}, [(400, "tooMany"), (400, "tooMany"), (400, "noTarget")]),
    ),
    "a version that is not the latest": trial(
        stale,
        ({}, (412, None, [ERROR])),
        ({"conflict": 400}, (400, "invalidVers", [ERROR])),
        ({"conflict": 409}, (409, None, [ERROR])),
        everywhere=True,
    ),
    "deleting": trial(delete, ({}, (204, 404)), ({"delete_status": 200}, (200, 404))),
    "phone numbers of every form": trial(phones, ({}, NUMBERS), ({"bare_extensions": False}, (400, "invalidValue"))),
    "phone numbers as they are read": trial(
        plain_phones,
        ({}, ["+16175550143", "tel:+442079460959; ext=7"]),
        ({"phone_form": "tel"}, ["tel:+16175550143", "tel:+442079460959; ext=7"]),
    ),
    "letter case of names": trial(
        letter_case, ({}, (409, "ann", False)), ({"case_exact": ("username",)}, (201, "", True))
    ),
    "looking for inactive people": trial(
        find_inactive, ({}, ["ann"] * 4), ({"inactive_found": False}, ["", "", "", "ann"])
    ),
    "looking for addresses": trial(find_by_email, ({}, ("ann", "ann")), ({"email_is_user_name": True}, ("", "ann"))),
    "operators of filters": trial(
        operators,
        ({}, ["ann"] * 4),
        ({"only_equality": True}, ["ann", "ann", (400, "invalidFilter"), (400, "invalidFilter")]),
    ),
    "sorting": trial(
        sort, ({}, ("ann breakglass zoe", True)), ({"unsupported": ("sort",)}, ("breakglass zoe ann", False))
    ),
    "letter case of group names": trial(
        group_case, ({}, (1, 1)), ({"case_exact": ("displayName",)}, (0, 1)), ({"case_exact": ("userName",)}, (1, 1))
    ),
    "features": trial(
        features,
        ({}, (["patch", "filter", "sort", "etag"], 200, "ann", '"2"', "2", 412)),
        ({"unsupported": ("patch", "filter")}, (["sort", "etag"], 501, (400, "invalidFilter"), '"1"', "1", 412)),
        ({"unsupported": ("etag",)}, (["patch", "filter", "sort"], 200, "ann", None, None, 204)),
    ),
    "large pages": trial(
        large_pages,
        ({}, [200, 200, 200]),
        ({"refused_page": 25}, [200, (429, "1"), 200]),
        ({"last_index": 50}, [200, 200, 400]),
    ),
    "value filters of patches": trial(
        slot_filters,
        ({}, [200, 200, 200, 200]),
        ({"only_slot_filters": True}, [200, 400, 400, 200]),
    ),
    "groups without a filter": trial(
        groups_without_filter, ({}, [2, 2, 1]), ({"groups_need_filter": True}, [(400, "invalidFilter"), 2, 1])
    ),
    "what lists leave out": trial(
        listed,
        ({}, ([(True, True), (True, False), (True, True)], True)),
        (
            {"listed_without": ("roles", "division", "members")},
            ([(False, False), (True, False), (True, True)], False),
        ),
    ),
    "new people": trial(
        wait_for_sight,
        ({}, ([200] * 4, ["breakglass ann bob"] * 4)),
        ({"visibility_delay": 2}, SIGHT),
    ),
    "shapes of errors": trial(
        error_shapes,
        ({}, BY_PART),
        ({"errors": "scim"}, [(status, "scim") for status, _ in BY_PART]),
        ({"errors": "platform"}, [(status, "scim" if status == 409 else "platform") for status, _ in BY_PART]),
    ),
    "pages about limits": trial(
        limits,
        ({}, [[LIMIT], [LIMIT]]),
        ({"rate_limit": 100}, [[LIMIT | {"value": 100}], [LIMIT]]),
        ({"limits_listed": False}, [PLATFORM_404] * 2),
    ),
    "the rate of requests": trial(
        rate,
        ({}, [(200, None, None, None)] * 3),
        ({"rate_limit": 2}, [(200, "1", "2", "60"), (200, "2", "2", "60"), (429, "3", "2", "60")]),
    ),
    "when to come back": trial(
        too_many,
        ({"rate_limit": 1}, "seconds"),
        ({"rate_limit": 1, "retry_after": "date"}, "a date in UTC"),
    ),
}


@pytest.mark.parametrize(("each", "profile", "settings", "expected"), cases(TRIALS))
def test_each_switch_has_its_answers(each: Trial, profile: str, settings: dict[str, Any], expected: Any) -> None:
    with sandbox(from_settings(settings), profile) as world:
        assert each.act(world) == expected


# --- two clients ----------------------------------------------------------------------------------------------------


def sign_in(world: World, client_id: str) -> dict[str, str]:
    grant = {"grant_type": "client_credentials"}
    for path in ("/oauth/token", f"{BASE}/oauth/token", "/api/v2/scim/oauth/token"):
        answer = world.client.post(f"http://sandbox{path}", data=grant, auth=(client_id, "secret"))
        assert answer.json()["token_type"] == "bearer"
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


@pytest.mark.parametrize(("own", "second"), [(False, "mine"), (True, None)])
def test_an_external_id_belongs_to_the_organisation_or_to_the_client(own: bool, second: str | None) -> None:
    with sandbox(Switches(external_id_per_client=own)) as world:
        one, two = sign_in(world, "one"), sign_in(world, "two")
        world.client.headers.update(one)
        path = f"/Users/{world.person(externalId='mine')}"
        assert world.client.get(path).json()["externalId"] == "mine"
        entry = world.client.get(path).json()[GEN]["externalIds"][0]
        assert entry == {"authority": "x-pc:scimv2:v1:one" if own else "x-pc:scimv2:v1", "value": "mine"}
        assert world.names(filter="externalId eq mine") == "ann"
        world.client.headers.update(two)
        assert world.client.get(path).json().get("externalId") == second
        assert world.names(filter="externalId eq mine") == ("ann" if second else "")
        world.patch(path, operation("replace", "externalId", "yours"))
        assert world.client.get(path).json()["externalId"] == "yours"
        world.client.headers.update(one)
        assert world.client.get(path).json()["externalId"] == ("mine" if own else "yours")
        assert world.patch(path, operation("remove", "externalId")).json().get("externalId") is None
        world.client.headers.update(two)
        assert world.client.get(path).json().get("externalId") == ("yours" if own else None)


@pytest.mark.parametrize(("scope", "statuses"), [("token", [200, 200, 200, 429]), ("client", [200, 429, 429, 429])])
def test_a_budget_belongs_to_the_token_or_to_the_client(scope: str, statuses: list[int]) -> None:
    now = [0.0]
    access = Access(clock=lambda: now[0])
    with sandbox(from_settings({"rate_limit": 1, "rate_scope": scope}), access=access) as world:
        tokens = [sign_in(world, "one") for _ in range(3)]
        order = [*tokens, tokens[0]]
        assert [world.client.get("/Users", headers=each).status_code for each in order] == statuses
        now[0] = 59.0
        answer = world.client.get("/Users", headers=tokens[0])
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
        now[0] = 60.0
        assert world.client.get("/Users", headers=tokens[0]).status_code == 200
