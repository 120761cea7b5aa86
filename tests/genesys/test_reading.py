"""How an organisation is read: who is listed, what is asked for, and what where the answer is less than hoped."""

import json
from pathlib import Path
from typing import Any

import pytest

from reconciler.sandbox import Request, Switches
from reconciler.sandbox.messages import Response
from tests.genesys.company import ENT, GEN, V1, V2, Company, company

ANN = {"userName": "ann@example.com", "displayName": "Ann"}
COSTLY = {
    "externalId": "x-1",
    "roles": ["Agent"],
    "routingSkills": {"Billing": 1},
    "routingLanguages": {"English": 2},
    "externalIds": {"ringcentral": "r"},
}
PATHS = {name: f"{GEN}:{name}" if name.startswith(("routing", "externalIds")) else name for name in COSTLY}


def asked_for(org: Company, filtered: str | None = None) -> set[str]:
    """What the listings of people at work asked for; `filtered`: those of the others."""
    listings = [each for each in org.listings("users") if each.parameters.get("filter") == filtered]
    return {name for each in listings for name in each.parameters["attributes"].split(",")}


def test_people_are_read_in_two_passes_with_every_attribute_named(org: Company) -> None:
    org.elsewhere("POST", "/Users", {**ANN, "active": False})
    org.declare({"ann": ANN | {"active": False}})
    assert org.plan().changes == ()
    assert [each.parameters.get("filter") for each in org.listings("users")] == [None, "active eq false"]
    assert all("attributes" in each.parameters for each in (*org.listings("users"), *org.listings("groups")))
    assert {"id", "meta", "userName", "active", "title", f"{ENT}:division", "emails"} <= asked_for(org)


def test_what_costs_much_is_asked_for_only_where_something_needs_it(org: Company) -> None:
    org.declare({"ann": ANN | {"title": "Agent"}})
    org.apply()
    assert not asked_for(org) & set(PATHS.values())


def test_of_people_at_rest_everything_is_read(org: Company) -> None:
    """Whoever comes back comes back with the roles she has: the plan has to say which."""
    org.elsewhere("POST", "/Users", {**ANN, "roles": [{"value": "Supervisor"}], "active": False})
    bob = {"userName": "bob@example.com", "displayName": "Bob"}
    org.declare({"bob": bob})
    org.apply()
    org.declare({"bob": bob, "ann": ANN})
    plan = org.plan()
    assert [each.key for each in (change.address for change in plan.changes)] == ["ann"]
    assert "Supervisor" in str(plan)
    assert set(PATHS.values()) <= asked_for(org, "active eq false")


@pytest.mark.parametrize("name", COSTLY)
def test_a_declaration_of_what_costs_much_has_it_read_alone(name: str, org: Company) -> None:
    org.declare({"ann": ANN | {name: COSTLY[name]}})
    assert org.apply().said == []
    assert org.plan().changes == ()
    assert asked_for(org) & set(PATHS.values()) == {PATHS[name]}


def test_what_the_record_holds_is_read_too(org: Company) -> None:
    """A role whose line has left git must be taken away, so it must be seen."""
    org.declare({"ann": ANN | {"roles": ["Agent"]}})
    org.apply()
    org.declare({"ann": ANN})
    (change,) = org.plan().changes
    assert [(each.path, each.item) for each in change.attribute_changes] == [("roles", "Agent")]


def test_a_privileged_role_in_the_settings_has_roles_read(org: Company) -> None:
    org.settings(policy={"privileged": {"roles": ["Master Admin"], "groups": []}})
    org.declare({"ann": ANN})
    org.plan()
    assert "roles" in asked_for(org)


def test_pages_go_on_after_the_rows_that_came(tmp_path: Path) -> None:
    with company(tmp_path, pageCap=2) as org:
        people = {f"p{each}": {"userName": f"p{each}@example.com", "displayName": "P"} for each in range(5)}
        for each in people.values():
            org.elsewhere("POST", "/Users", each)
        org.declare(people)
        assert org.plan().changes == ()
        active = [each.parameters["startIndex"] for each in org.listings("users") if "filter" not in each.parameters]
    assert active == ["1", "3", "5"]


def test_a_group_listing_that_demands_a_filter_is_read_by_the_other_path(tmp_path: Path) -> None:
    with company(tmp_path, groupsNeedFilter=True) as org:
        org.declare({"ann": ANN}, {"support": {"displayName": "Support", "members": ["ann"]}})
        assert org.apply().said == []
        assert org.plan().changes == ()
        paths = [(each.path, each.status) for each in org.listings("groups")]
        assert paths[:2] == [(f"{V2}/groups", 400), (f"{V1}/groups", 200)]
        assert org.members("Support") == ["ann@example.com"]


@pytest.mark.parametrize("needed", [False, True])
def test_doctor_looks_where_a_plan_looks(tmp_path: Path, needed: bool) -> None:
    with company(tmp_path, groupsNeedFilter=needed, rateLimit=1200) as org:
        org.declare({"ann": ANN})
        ran = org.run("doctor")
        rows = {row.split()[1]: row.split()[0] for row in ran.out.splitlines() if row[:4] in ("pass", "warn", "fail")}
        assert (rows["users"], rows["groups"], rows["limits"]) == ("pass", "pass", "pass")
        assert "1,200 requests a minute" in ran.out
        base = V1 if needed else V2
        assert [each.path for each in org.asked if each.status == 200][1:] == [f"{V2}/users", f"{base}/groups"]


def test_the_other_path_works_from_the_start(tmp_path: Path) -> None:
    with company(tmp_path, groupsNeedFilter=True, base=V1) as org:
        org.declare({"ann": ANN}, {"support": {"displayName": "Support", "members": ["ann"]}})
        assert org.apply().said == []
        assert org.plan().changes == ()
        assert not [each for each in org.asked if each.status >= 400]


def test_addresses_that_the_organisation_names_are_not_followed(org: Company) -> None:
    org.declare({"ann": ANN}, {"support": {"displayName": "Support", "members": ["ann"]}})
    org.apply()
    limits = "/api/v2/organizations/limits/namespaces/scim"
    assert all(each.path == limits or each.path.startswith((f"{V2}/users", f"{V2}/groups")) for each in org.asked)


def test_a_page_that_is_too_much_is_halved(tmp_path: Path) -> None:
    with company(tmp_path, refusedPage=60) as org:
        people = {f"p{each}": {"userName": f"p{each}@example.com", "displayName": "P"} for each in range(60)}
        org.service.seed({"users": list(people.values())})
        org.declare(people)
        assert org.plan().changes == ()
        pages = [(each.parameters["count"], each.status) for each in org.listings("users")]
    assert pages == [("100", 429), ("50", 200), ("50", 200), ("50", 200)]


def test_half_a_page_is_25_rows_at_least(tmp_path: Path) -> None:
    with company(tmp_path, refusedPage=24) as org:
        org.declare({"ann": ANN})
        org.settings(pageSize=40)
        answered = [0]

        def give_up(_: object) -> None:
            answered[0] += 1
            if answered[0] > 4:
                org.service.switch(Switches())

        org.before = give_up
        org.plan()
        counts = [each.parameters["count"] for each in org.listings("users")]
    assert counts[:2] == ["40", "25"]
    assert set(counts[2:]) == {"25"}


def still_listed(org: Company, name: str) -> None:
    """Whoever is called so stays in the lists of people at work, though not under her id: an index is behind."""
    row: list[dict[str, Any]] = []

    def before(request: Request) -> Response | None:
        if request.method != "GET" or "/users?" not in request.target or "filter" in request.target:
            return None
        answer = org.service.handle(request)
        page = json.loads(answer.body)
        hers = [each for each in page["Resources"] if each["userName"] == name]
        row[:] = hers or row
        if not hers and row:
            page |= {"Resources": [*page["Resources"], *row], "totalResults": page["totalResults"] + 1}
        return Response(status=200, headers=answer.headers, body=json.dumps(page).encode())

    org.before = before


def test_somebody_deleted_who_is_listed_for_a_while_is_deleted_once_and_no_more(org: Company) -> None:
    bob = {"userName": "bob@example.com", "displayName": "Bob"}
    support = {"displayName": "Support", "members": ["bob"]}
    org.settings(policy={"removal": {"users": "delete"}})
    org.declare({"ann": ANN, "bob": bob}, {"support": support | {"members": ["ann", "bob"]}})
    org.apply()
    org.declare({"bob": bob}, {"support": support})
    still_listed(org, "ann@example.com")
    assert org.apply().said == []
    again = org.apply()
    assert (again.said, again.notes) == ([], "it was gone already")
    org.before = lambda _: None
    assert org.plan().changes == ()
    assert org.members("Support") == ["bob@example.com"]


def test_people_at_rest_behind_the_last_page_are_read_by_id_or_met(tmp_path: Path) -> None:
    """More people have left than are listed: whoever is ours is known all the same, and nobody is made twice."""
    with company(tmp_path) as org:
        org.settings(pageSize=2)
        ours = {"userName": "zoe@example.com", "displayName": "Zoe", "active": False}
        for each in range(4):
            org.elsewhere("POST", "/Users", {"userName": f"a{each}@example.com", "displayName": "A", "active": False})
        org.declare({"ann": ANN, "zoe": ours}, {"support": {"displayName": "Support", "members": ["ann", "zoe"]}})
        assert org.apply().said == []
        org.elsewhere("POST", "/Users", {"userName": "old@example.com", "displayName": "Old", "active": False})
        org.service.switch(Switches(last_index=4))
        plan = org.plan(drift=True)
        assert plan.changes == ()
        said = {each.code: each.summary for each in plan.notices}
        assert "not-listed" not in said
        assert said["list-cut"] == "of 6 users with active eq false the server lists 4 and refuses the pages behind"
        new = {"userName": "old@example.com", "displayName": "New"}
        org.declare(
            {"ann": ANN, "zoe": ours | {"title": "Agent"}, "new": new},
            {"support": {"displayName": "Support", "members": ["ann"]}},
        )
        done = org.apply()
        assert done.said == []
        assert "restored: the server had this user already, and had not listed it" in done.notes
        assert org.stored("zoe@example.com")["title"] == "Agent"
        assert (org.stored("old@example.com")["displayName"], org.members("Support")) == ("New", ["ann@example.com"])
        assert org.plan(drift=True).changes == ()
        org.service.switch(Switches())
        whole = org.plan(drift=True)
        assert (whole.changes, [each for each in whole.notices if each.code == "list-cut"]) == ((), [])


def test_people_at_work_are_listed_whole_or_not_at_all(tmp_path: Path) -> None:
    with company(tmp_path, lastIndex=2) as org:
        org.settings(pageSize=1)
        for each in range(3):
            org.elsewhere("POST", "/Users", {"userName": f"a{each}@example.com", "displayName": "A"})
        org.declare({"ann": ANN})
        ran = org.run("plan")
        assert ran.code == 1
        assert "the server answered 400 (Nothing behind row 2 can be listed." in " ".join(ran.err.split())
        assert {each.path for each in org.listings("users")} == {f"{V2}/users"}
