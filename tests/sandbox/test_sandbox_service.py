"""The provider's HTTP semantics: status codes, versions, paging, projection, order, discovery, membership."""

from __future__ import annotations

import re
import time
from typing import Any

import httpx
import pytest

from reconciler.sandbox import Access, Request, SandboxService, SandboxTransport, open_sandbox

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENT = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
SEARCH = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"


def user(login: str, **attributes: Any) -> dict[str, Any]:
    return {"schemas": [USER], "userName": login, **attributes}


def create(client: httpx.Client, body: dict[str, Any], path: str = "/Users") -> dict[str, Any]:
    answer = client.post(path, json=body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def refusal(answer: httpx.Response) -> tuple[int, str | None]:
    body = answer.json()
    assert body["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
    assert body["status"] == str(answer.status_code)
    assert body["detail"]
    assert answer.headers["content-type"] == "application/scim+json"
    return answer.status_code, body.get("scimType")


# --- create, read, replace, delete ---------------------------------------------------------------------------------


def test_a_created_resource_has_what_the_provider_gives(client: httpx.Client) -> None:
    answer = client.post("/Users", json=user("ann", id="mine", meta={"version": "x"}, groups=[{"value": "g"}]))
    body = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == body["meta"]["location"] == f"http://sandbox/scim/v2/Users/{body['id']}"
    assert answer.headers["etag"] == body["meta"]["version"] == 'W/"1"'
    assert body["id"] != "mine"
    assert "groups" not in body
    assert body["meta"]["resourceType"] == "User"
    assert body["meta"]["created"] == body["meta"]["lastModified"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", body["meta"]["created"])
    assert client.get(f"/Users/{body['id']}").json() == body


def test_names_come_back_in_the_schemas_spelling(client: httpx.Client) -> None:
    sent = {
        "Schemas": [USER.upper(), ENT],
        "USERNAME": "ann",
        "Name": {"GIVENNAME": "Ann"},
        "emails": [{"VALUE": "a@x.example", "Type": "work"}],
        ENT.upper(): {"DEPARTMENT": "Sales"},
    }
    got = create(client, sent)
    del got["id"], got["meta"]
    assert got == {
        "schemas": [USER, ENT],
        "userName": "ann",
        "name": {"givenName": "Ann"},
        "emails": [{"value": "a@x.example", "type": "work"}],
        ENT: {"department": "Sales"},
    }


def test_null_and_empty_are_unassigned(client: httpx.Client) -> None:
    got = create(client, user("ann", title=None, emails=[], name={"givenName": None}, **{ENT: {"department": None}}))
    assert set(got) == {"schemas", "id", "userName", "meta"}


def test_passwords_never_come_back_and_are_not_kept(client: httpx.Client, service: SandboxService) -> None:
    got = create(client, user("ann", password="s3cret-word"))
    assert "password" not in got
    changed = client.put(f"/Users/{got['id']}", json=user("ann", password="s3cret-word"))
    assert changed.json()["meta"]["version"] == 'W/"2"'
    operation = {"op": "replace", "path": "password", "value": "s3cret-word"}
    patched = client.patch(f"/Users/{got['id']}", json={"schemas": [PATCH_OP], "Operations": [operation]})
    assert patched.json()["meta"]["version"] == 'W/"3"'
    assert "s3cret-word" not in repr(service.dump()) + patched.text


BAD_BODIES: dict[str, tuple[Any, str]] = {
    "no object": ([], "invalidSyntax"),
    "no schemas": ({"userName": "x"}, "invalidSyntax"),
    "schemas of another type": ({"schemas": [GROUP], "userName": "x"}, "invalidSyntax"),
    "unknown schema": ({"schemas": [USER, "urn:example:x"], "userName": "x"}, "invalidValue"),
    "schemas that are no list": ({"schemas": USER, "userName": "x"}, "invalidSyntax"),
    "no userName": ({"schemas": [USER]}, "invalidValue"),
    "empty userName": (user(""), "invalidValue"),
    "null userName": (user("x") | {"userName": None}, "invalidValue"),
    "unknown attribute": (user("x", favouriteColour="red"), "invalidSyntax"),
    "unknown sub-attribute": (user("x", name={"nick": "y"}), "invalidSyntax"),
    "unknown extension attribute": (user("x", **{ENT: {"floor": "3"}}), "invalidSyntax"),
    "unknown extension": (user("x", **{"urn:example:x": {}}), "invalidSyntax"),
    "an attribute twice": (user("x", username="y"), "invalidSyntax"),
    "number for text": (user("x", title=5), "invalidValue"),
    "text for boolean": (user("x", active="true"), "invalidValue"),
    "object for list": (user("x", emails={"value": "x@y.example"}), "invalidValue"),
    "text for object": (user("x", name="Ann"), "invalidValue"),
    "text for extension": (user("x", **{ENT: "Sales"}), "invalidValue"),
    "no base64": (user("x", x509Certificates=[{"value": "%%%"}]), "invalidValue"),
    "two primary values": (
        user("x", emails=[{"value": "a", "primary": True}, {"value": "b", "primary": True}]),
        "invalidValue",
    ),
}


@pytest.mark.parametrize("name", BAD_BODIES)
def test_bodies_that_do_not_fit_are_refused(client: httpx.Client, service: SandboxService, name: str) -> None:
    body, scim_type = BAD_BODIES[name]
    before = service.dump()
    assert refusal(client.post("/Users", json=body)) == (400, scim_type)
    assert service.dump() == before


def test_bodies_that_are_no_scim_json_are_refused(client: httpx.Client) -> None:
    headers = {"content-type": "application/scim+json; charset=utf-8"}
    assert refusal(client.post("/Users", content=b"{", headers=headers)) == (400, "invalidSyntax")
    assert refusal(client.post("/Users", content=b"a=b", headers={"content-type": "text/plain"})) == (415, None)


def test_user_names_are_unique_whatever_their_case(client: httpx.Client) -> None:
    create(client, user("Ann.Ng@Example.com"))
    bob = create(client, user("bob"))
    assert refusal(client.post("/Users", json=user("ANN.NG@example.COM"))) == (409, "uniqueness")
    assert refusal(client.put(f"/Users/{bob['id']}", json=user("ann.ng@example.com"))) == (409, "uniqueness")
    assert client.get(f"/Users/{bob['id']}").json() == bob
    assert client.put(f"/Users/{bob['id']}", json=user("BOB")).json()["userName"] == "BOB"


def test_group_names_need_not_be_unique(client: httpx.Client) -> None:
    for _ in range(2):
        create(client, {"schemas": [GROUP], "displayName": "Twins"}, "/Groups")


def test_put_replaces_the_whole_resource(client: httpx.Client) -> None:
    before = create(client, user("ann", title="Lead", externalId="e", **{ENT: {"department": "Sales"}}))
    after = client.put(f"/Users/{before['id']}", json=user("ann", nickName="A", id="other")).json()
    assert {key: after.get(key) for key in ("id", "nickName", "title", "externalId", ENT)} == {
        "id": before["id"],
        "nickName": "A",
        "title": None,
        "externalId": None,
        ENT: None,
    }
    assert after["meta"]["created"] == before["meta"]["created"]
    assert refusal(client.put("/Users/nobody", json=user("x"))) == (404, None)


def test_delete_takes_a_resource_out_for_good(client: httpx.Client) -> None:
    ann = create(client, user("ann"))
    gone = client.delete(f"/Users/{ann['id']}")
    assert (gone.status_code, gone.content) == (204, b"")
    for method in ("GET", "DELETE"):
        assert refusal(client.request(method, f"/Users/{ann['id']}")) == (404, None)
    assert create(client, user("ann"))["id"] != ann["id"]


def test_ids_belong_to_one_endpoint(client: httpx.Client) -> None:
    ann = create(client, user("ann"))
    assert refusal(client.get(f"/Groups/{ann['id']}")) == (404, None)


# --- membership ----------------------------------------------------------------------------------------------------


def test_groups_of_a_user_follow_the_groups(client: httpx.Client) -> None:
    ann = create(client, user("ann"))["id"]
    inner = create(client, {"schemas": [GROUP], "displayName": "Inner", "members": [{"value": ann}]}, "/Groups")["id"]
    outer = create(client, {"schemas": [GROUP], "displayName": "Outer", "members": [{"value": inner}]}, "/Groups")
    groups = client.get(f"/Users/{ann}").json()["groups"]
    base = "http://sandbox/scim/v2/Groups"
    assert groups == [
        {"value": inner, "$ref": f"{base}/{inner}", "display": "Inner", "type": "direct"},
        {"value": outer["id"], "$ref": f"{base}/{outer['id']}", "display": "Outer", "type": "indirect"},
    ]
    assert outer["members"] == [{"value": inner, "type": "Group", "$ref": f"{base}/{inner}"}]
    client.delete(f"/Groups/{inner}")
    assert "groups" not in client.get(f"/Users/{ann}").json()
    assert "members" not in client.get(f"/Groups/{outer['id']}").json()


def test_groups_may_hold_each_other(client: httpx.Client) -> None:
    one = create(client, {"schemas": [GROUP], "displayName": "One"}, "/Groups")["id"]
    two = create(client, {"schemas": [GROUP], "displayName": "Two", "members": [{"value": one}]}, "/Groups")["id"]
    ann = create(client, user("ann"))["id"]
    body = {"schemas": [GROUP], "displayName": "One", "members": [{"value": two}, {"value": ann}]}
    assert client.put(f"/Groups/{one}", json=body).status_code == 200
    assert [it["display"] for it in client.get(f"/Users/{ann}").json()["groups"]] == ["One", "Two"]


def test_a_deleted_person_leaves_groups_and_reports(client: httpx.Client, service: SandboxService) -> None:
    boss, ann = create(client, user("boss"))["id"], create(client, user("ann"))["id"]
    report = create(client, user("report", **{ENT: {"manager": {"value": boss}}}))
    assert report[ENT]["manager"] == {"value": boss, "$ref": f"http://sandbox/scim/v2/Users/{boss}"}
    members = [{"value": boss}, {"value": ann}]
    group = create(client, {"schemas": [GROUP], "displayName": "G", "members": members}, "/Groups")
    client.delete(f"/Users/{boss}")
    after = client.get(f"/Groups/{group['id']}").json()
    assert [it["value"] for it in after["members"]] == [ann]
    assert after["meta"]["version"] == 'W/"2"'
    assert ENT not in client.get(f"/Users/{report['id']}").json()
    assert boss not in repr(service.dump())


# --- versions ------------------------------------------------------------------------------------------------------

SAME, STALE = 'W/"1"', 'W/"7"'
TITLE = {"schemas": [PATCH_OP], "Operations": [{"op": "replace", "path": "title", "value": "Lead"}]}
VERSIONS = [
    ("GET", "if-none-match", SAME, 304),
    ("GET", "if-none-match", '"1"', 304),
    ("GET", "if-none-match", f"{STALE}, {SAME}", 304),
    ("GET", "if-none-match", "*", 304),
    ("GET", "if-none-match", STALE, 200),
    ("PATCH", "if-match", SAME, 200),
    ("PATCH", "if-match", f"{STALE}, {SAME}", 200),
    ("PATCH", "if-match", "*", 200),
    ("PATCH", "if-match", STALE, 412),
    ("PATCH", "if-none-match", SAME, 412),
    ("PUT", "if-match", SAME, 200),
    ("PUT", "if-match", STALE, 412),
    ("DELETE", "if-match", SAME, 204),
    ("DELETE", "if-match", STALE, 412),
]


@pytest.mark.parametrize(("method", "header", "value", "status"), VERSIONS)
def test_versions_guard_reads_and_writes(
    client: httpx.Client, method: str, header: str, value: str, status: int
) -> None:
    ann = create(client, user("ann"))
    body = {"PATCH": TITLE, "PUT": user("ann", title="Lead")}.get(method)
    answer = client.request(method, f"/Users/{ann['id']}", json=body, headers={header: value})
    assert answer.status_code == status
    if status in (204, 304):
        assert answer.content == b""
    if status == 412:
        assert refusal(answer) == (412, None)
        assert client.get(f"/Users/{ann['id']}").json() == ann
    if method != "GET" and status == 200:
        assert answer.headers["etag"] == 'W/"2"'


def test_what_changes_nothing_keeps_the_version(client: httpx.Client) -> None:
    ann = create(client, user("ann", title="Lead"))
    assert client.patch(f"/Users/{ann['id']}", json=TITLE).json() == ann
    assert client.put(f"/Users/{ann['id']}", json=user("ann", title="Lead")).json() == ann


# --- lists ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def many(client: httpx.Client, service: SandboxService) -> httpx.Client:
    """Beside the one who is there already: 250 people, user000 to user249."""
    service.seed({"users": [{"userName": f"user{n:03}", "nickName": f"n{n % 10}"} for n in range(250)]})
    return client


PAGES = [
    ({}, 251, 1, 100),
    ({"count": 10}, 251, 1, 10),
    ({"startIndex": 250, "count": 10}, 251, 250, 2),
    ({"startIndex": 252}, 251, 252, 0),
    ({"startIndex": 0, "count": 3}, 251, 1, 3),
    ({"startIndex": -5, "count": 3}, 251, 1, 3),
    ({"count": 0}, 251, 1, 0),
    ({"count": -1}, 251, 1, 0),
    ({"count": 5000}, 251, 1, 200),
    ({"startIndex": 10**30, "count": 10**30}, 251, 2**31, 0),
    ({"STARTINDEX": 3, "Count": 2}, 251, 3, 2),
    ({"filter": 'nickName eq "n3"', "count": 20}, 25, 1, 20),
    ({"filter": 'nickName eq "n3"', "startIndex": 21}, 25, 21, 5),
]


@pytest.mark.parametrize(("parameters", "total", "start", "rows"), PAGES)
def test_a_page_holds_what_was_asked_for_and_says_of_how_many(
    many: httpx.Client, parameters: dict[str, Any], total: int, start: int, rows: int
) -> None:
    body = many.get("/Users", params=parameters).json()
    assert body["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:ListResponse"]
    assert (body["totalResults"], body["startIndex"], body["itemsPerPage"]) == (total, start, rows)
    assert len(body["Resources"]) == rows


def test_pages_fit_together_in_the_order_of_creation(many: httpx.Client) -> None:
    names: list[str] = []
    while len(names) < 251:
        page = many.get("/Users", params={"startIndex": len(names) + 1, "count": 60}).json()["Resources"]
        names += [resource["userName"] for resource in page]
    assert names == ["root@example.com", *(f"user{n:03}" for n in range(250))]


@pytest.mark.parametrize(
    ("parameters", "scim_type"),
    [
        ({"startIndex": "one"}, "invalidValue"),
        ({"count": "many"}, "invalidValue"),
        ({"sortOrder": "up", "sortBy": "userName"}, "invalidValue"),
        ({"sortBy": "unknown"}, "invalidPath"),
        ({"attributes": "unknown"}, "invalidPath"),
        ({"attributes": "userName", "excludedAttributes": "title"}, "invalidValue"),
    ],
)
def test_parameters_that_mean_nothing_are_refused(
    client: httpx.Client, parameters: dict[str, str], scim_type: str
) -> None:
    assert refusal(client.get("/Users", params=parameters)) == (400, scim_type)


SORTED = [
    ({"sortBy": "userName"}, "Ann bob cleo root@example.com"),
    ({"sortBy": "USERNAME", "sortOrder": "Descending"}, "root@example.com cleo bob Ann"),
    ({"sortBy": "title"}, "cleo bob root@example.com Ann"),
    ({"sortBy": "title", "sortOrder": "descending"}, "root@example.com Ann bob cleo"),
    ({"sortBy": "emails"}, "bob Ann root@example.com cleo"),
    ({"sortBy": "emails.value"}, "bob Ann root@example.com cleo"),
    ({"sortBy": f"{ENT}:department"}, "Ann root@example.com cleo bob"),
    ({"sortBy": "meta.created", "filter": "title pr"}, "cleo bob"),
]


@pytest.mark.parametrize(("parameters", "expected"), SORTED)
def test_sorting_compares_as_the_attribute_does(
    client: httpx.Client, parameters: dict[str, str], expected: str
) -> None:
    create(client, user("cleo", title="a"))
    create(client, user("bob", title="B", emails=[{"value": "z@x.example"}, {"value": "a@x.example", "primary": True}]))
    create(client, user("Ann", emails=[{"value": "B@x.example"}], **{ENT: {"department": "x"}}))
    body = client.get("/Users", params=parameters).json()
    assert " ".join(resource["userName"] for resource in body["Resources"]) == expected


def test_a_search_is_a_list_with_its_query_in_the_body(many: httpx.Client) -> None:
    request = {
        "schemas": [SEARCH],
        "filter": 'nickName eq "n3"',
        "attributes": ["userName"],
        "startIndex": 2,
        "count": 2,
        "sortBy": "userName",
        "sortOrder": "descending",
    }
    body = many.post("/Users/.search", json=request).json()
    assert body["totalResults"] == 25
    assert [resource["userName"] for resource in body["Resources"]] == ["user233", "user223"]
    assert set(body["Resources"][0]) == {"schemas", "id", "userName"}
    everything = many.post("/.search", json={"schemas": [SEARCH]}).json()
    assert everything["totalResults"] == 252
    assert refusal(many.post("/.search", json={})) == (400, "invalidSyntax")
    assert refusal(many.get("/.search")) == (405, None)


@pytest.mark.parametrize(
    "members",
    [
        {"filter": 5},
        {"attributes": "userName"},
        {"attributes": [5]},
        {"count": True},
        {"count": 1.5},
        {"sortOrder": 5},
    ],
)
def test_a_search_with_values_of_the_wrong_type_is_refused(client: httpx.Client, members: dict[str, Any]) -> None:
    assert refusal(client.post("/.search", json={"schemas": [SEARCH], **members})) == (400, "invalidValue")
    assert refusal(client.post("/.search", json=[])) == (400, "invalidSyntax")


def test_listing_a_thousand_people_is_fast(client: httpx.Client, service: SandboxService) -> None:
    service.seed({"users": [{"userName": f"user{n}", "emails": [{"value": f"{n}@x.example"}]} for n in range(999)]})
    started = time.perf_counter()
    rows = sum(
        len(client.get("/Users", params={"startIndex": start, "count": 100}).json()["Resources"])
        for start in range(1, 1001, 100)
    )
    assert rows == 1000
    assert time.perf_counter() - started < 60


# --- projection ----------------------------------------------------------------------------------------------------

FULL = user(
    "ann",
    title="Lead",
    name={"givenName": "Ann", "familyName": "Ng"},
    emails=[{"value": "a@x.example", "type": "work"}, {"value": "b@x.example"}],
    **{ENT: {"department": "Sales", "costCenter": "7"}},
)
ALWAYS = {"schemas": [USER, ENT], "id": True}
PROJECTIONS = [
    ("attributes", "userName", {"userName": "ann"}),
    ("attributes", "USERNAME, title", {"userName": "ann", "title": "Lead"}),
    ("attributes", "name.givenName", {"name": {"givenName": "Ann"}}),
    ("attributes", "name.givenName,name.familyName", {"name": {"givenName": "Ann", "familyName": "Ng"}}),
    ("attributes", "emails.type", {"emails": [{"type": "work"}]}),
    ("attributes", f"{ENT}:department", {ENT: {"department": "Sales"}}),
    ("attributes", ENT, {ENT: {"department": "Sales", "costCenter": "7"}}),
    ("attributes", f"{USER}:title", {"title": "Lead"}),
    ("attributes", "nickName", {}),
    ("attributes", f"{ENT}:manager", {}),
    ("excludedAttributes", f"{USER},meta", {ENT: {"department": "Sales", "costCenter": "7"}}),
    ("excludedAttributes", f"{USER},meta,{ENT}:department,{ENT}:costCenter,{ENT}:manager.value", {}),
    ("excludedAttributes", f"{USER},meta,{ENT},nickName,{ENT}:division,photos.value", {}),
    ("attributes", "emails.display", {}),
    ("attributes", "emails.type,emails.value", {"emails": FULL["emails"]}),
    ("attributes", f"{ENT}:manager.value", {}),
    ("attributes", "id", {}),
    ("attributes", "meta.version", {"meta": {"version": 'W/"1"'}}),
    ("excludedAttributes", f"meta,emails,name,{ENT}", {"userName": "ann", "title": "Lead"}),
    (
        "excludedAttributes",
        f"meta,title,name.givenName,emails.value,{ENT}:department,id,schemas",
        {"userName": "ann", "name": {"familyName": "Ng"}, "emails": [{"type": "work"}], ENT: {"costCenter": "7"}},
    ),
]


@pytest.mark.parametrize(("parameter", "value", "expected"), PROJECTIONS)
def test_attributes_are_picked_and_left_out_by_path(
    client: httpx.Client, parameter: str, value: str, expected: dict[str, Any]
) -> None:
    identifier = create(client, FULL | {"schemas": [USER, ENT]})["id"]
    wanted = {**expected, "schemas": [USER, ENT], "id": identifier}
    params = {parameter: value}
    assert client.get(f"/Users/{identifier}", params=params).json() == wanted
    listed = client.get("/Users", params={**params, "filter": 'userName eq "ann"'}).json()
    assert listed["Resources"] == [wanted]
    repeated = httpx.QueryParams([(parameter, part) for part in value.split(",")])
    assert client.get(f"/Users/{identifier}", params=repeated).json() == wanted
    patched = client.patch(f"/Users/{identifier}", params=params, json=TITLE).json()
    assert patched == wanted


def test_projection_leaves_the_stored_resource_alone(client: httpx.Client) -> None:
    boss = create(client, user("boss"))["id"]
    ann = create(client, FULL | {ENT: {"department": "Sales", "manager": {"value": boss}}})
    path = f"/Users/{ann['id']}"
    for paths in (
        f"{ENT},{ENT}:manager.value",
        f"{ENT}:manager.value,{ENT}",
        "emails,emails.type",
        "name,name.givenName",
    ):
        assert client.get(path, params={"attributes": paths}).status_code == 200
        assert client.get(path, params={"excludedAttributes": paths}).status_code == 200
    assert client.get(path).json() == ann


# --- routes --------------------------------------------------------------------------------------------------------

ROUTES = [
    ("GET", "/nothing", 404, None),
    ("GET", "/users", 404, None),
    ("GET", "/Users/nobody", 404, None),
    ("GET", "/Users/a/b", 404, None),
    ("GET", "/Schemas/urn:example:x", 404, None),
    ("GET", "/ResourceTypes/Device", 404, None),
    ("GET", "/ServiceProviderConfig/x", 404, None),
    ("GET", "/Schemas?filter=id%20pr", 403, None),
    ("GET", "/Me", 501, None),
    ("POST", "/Bulk", 501, None),
    ("POST", "/ServiceProviderConfig", 405, "GET"),
    ("PUT", "/Schemas", 405, "GET"),
    ("DELETE", "/ResourceTypes/User", 405, "GET"),
    ("PATCH", "/Users", 405, "GET, POST"),
    ("POST", "/Users/nobody", 405, "GET, PUT, PATCH, DELETE"),
    ("DELETE", "/", 405, "GET"),
]


@pytest.mark.parametrize(("method", "path", "status", "allow"), ROUTES)
def test_routes_that_lead_nowhere(client: httpx.Client, method: str, path: str, status: int, allow: str | None) -> None:
    answer = client.request(method, path)
    assert refusal(answer)[0] == status
    assert answer.headers.get("allow") == allow


@pytest.mark.parametrize("base", ["http://h.example:81", "https://h.example/v2", "https://h.example/scim/v2"])
def test_locations_start_with_the_base_that_was_asked(service: SandboxService, base: str) -> None:
    with httpx.Client(transport=SandboxTransport(service), base_url=base) as client:
        resource = client.get("/Users").json()["Resources"][0]
        assert resource["meta"]["location"] == f"{base}/Users/{resource['id']}"
        assert resource["groups"][0]["$ref"] == f"{base}/Groups/{resource['groups'][0]['value']}"


def test_a_fresh_organisation_holds_somebody_nobody_declared(service: SandboxService) -> None:
    dumped = service.dump()
    assert [it["userName"] for it in dumped["User"]] == ["root@example.com"]
    assert [(it["displayName"], len(it["members"])) for it in dumped["Group"]] == [("Built-in Administrators", 1)]


@pytest.mark.parametrize(("profile", "status"), [("rfc", 201), ("rfc-strict", 400)])
def test_ids_that_nobody_has_are_taken_or_refused(profile: str, status: int) -> None:
    service = open_sandbox(None, profile)
    members = [{"value": "nobody", "type": "User"}]
    with httpx.Client(transport=SandboxTransport(service), base_url="http://sandbox") as client:
        group = client.post("/Groups", json={"schemas": [GROUP], "displayName": "G", "members": members})
        report = client.post("/Users", json=user("x", **{ENT: {"manager": {"value": "nobody"}}}))
        assert (group.status_code, report.status_code) == (status, status)
        if status == 201:
            assert [it["value"] for it in group.json()["members"]] == ["nobody"]
            assert report.json()[ENT]["manager"]["value"] == "nobody"
        else:
            assert refusal(group) == refusal(report) == (400, "invalidValue")
    service.close()


# --- access --------------------------------------------------------------------------------------------------------


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_a_token_is_asked_for_where_one_is_set() -> None:
    service = open_sandbox(None, access=Access(token="right"))
    with httpx.Client(transport=SandboxTransport(service), base_url="http://sandbox") as client:
        for headers in ({}, bearer("wrong"), bearer(""), {"Authorization": "Basic cmlnaHQ6"}):
            answer = client.get("/Users", headers=headers)
            assert refusal(answer) == (401, None)
            assert answer.headers["www-authenticate"] == "Bearer"
        assert client.get("/Users", headers=bearer("right")).status_code == 200
    service.close()


def test_client_credentials_give_tokens_that_end() -> None:
    now = [0.0]
    access = Access(client=("id", "pass:word"), lifetime=300, clock=lambda: now[0])
    service = open_sandbox(None, access=access)
    grant = {"grant_type": "client_credentials"}
    with httpx.Client(transport=SandboxTransport(service), base_url="http://sandbox") as client:
        given = client.post("/oauth/token", data=grant, auth=("id", "pass:word"))
        token = given.json().pop("access_token")
        assert given.json() == {"access_token": token, "token_type": "bearer", "expires_in": 300}
        assert client.get("/Users", headers=bearer(token)).status_code == 200
        now[0] = 301.0
        assert client.get("/Users", headers=bearer(token)).status_code == 401
        refused = [
            client.post("/oauth/token", data=grant),
            client.post("/oauth/token", data=grant, auth=("id", "wrong")),
            client.post("/oauth/token", data=grant, headers={"Authorization": "Basic %%%"}),
            client.post("/oauth/token", data={"grant_type": "password"}, auth=("id", "pass:word")),
            client.get("/oauth/token", auth=("id", "pass:word")),
        ]
        assert [(it.status_code, it.json()["error"]) for it in refused] == [
            (401, "invalid_client"),
            (401, "invalid_client"),
            (401, "invalid_client"),
            (400, "unsupported_grant_type"),
            (405, "invalid_request"),
        ]
    service.close()


def test_one_request_is_quick(service: SandboxService) -> None:
    identifier = service.dump()["User"][0]["id"]
    started = time.perf_counter()
    for _ in range(200):
        assert service.handle(Request(method="GET", target=f"/Users/{identifier}")).status == 200
    assert (time.perf_counter() - started) / 200 < 0.3
