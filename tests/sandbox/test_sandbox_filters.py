"""Filters: the RFC's grammar, letter case, types, and scim2-models as a second opinion on every row."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
import scim2_models

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

PEOPLE: dict[str, dict[str, Any]] = {
    "ann": {
        "userName": "Ann.Ng@Example.com",
        "externalId": "A-1",
        "displayName": "Ann Ng",
        "title": "Lead",
        "active": True,
        "name": {"familyName": "Ng", "givenName": "Ann"},
        "emails": [
            {"type": "work", "value": "ann@work.example", "primary": True},
            {"type": "home", "value": "ann@home.example"},
        ],
        ENTERPRISE: {"department": "Support", "employeeNumber": "0042"},
    },
    "bob": {
        "userName": "bob@example.com",
        "displayName": 'Bob "the Builder" \\ Li',
        "active": False,
        "name": {"familyName": "Li"},
        "emails": [{"type": "home", "value": "BOB@work.example"}],
        ENTERPRISE: {"department": "support"},
    },
    "cleo": {"userName": "cleo@example.org", "displayName": "Çleo Žák", "title": "", "active": True},
}

MATCHES: list[tuple[str, str]] = [
    ('userName eq "ann.ng@example.com"', "ann"),
    ('USERNAME EQ "ANN.NG@EXAMPLE.COM"', "ann"),
    ('userName ne "ann.ng@example.com"', "bob cleo"),
    ('userName co "EXAMPLE.COM"', "ann bob"),
    ('userName sw "b"', "bob"),
    ('userName ew ".org"', "cleo"),
    ('userName gt "bob@example.com"', "cleo"),
    ('userName ge "bob@example.com"', "bob cleo"),
    ('userName lt "bob@example.com"', "ann"),
    ('userName le "bob@example.com"', "ann bob"),
    ('externalId eq "A-1"', "ann"),
    ('externalId eq "a-1"', ""),
    ("externalId pr", "ann"),
    ("not (externalId pr)", "bob cleo"),
    ("NOT(externalId PR)", "bob cleo"),
    ('title eq "lead"', "ann"),
    ("title pr", "ann"),
    ("active eq true", "ann cleo"),
    ("active eq True", "ann cleo"),
    ("active ne true", "bob"),
    ("active eq false", "bob"),
    ('name.familyName eq "ng"', "ann"),
    ("name pr", "ann bob"),
    ("name.givenName pr", "ann"),
    ('emails.value co "work.example"', "ann bob"),
    ('emails co "work.example"', "ann bob"),
    ('emails.type eq "work"', "ann"),
    ("emails pr", "ann bob"),
    ('emails[type eq "work"]', "ann"),
    ('emails[type eq "work" and value co "home"]', ""),
    ('emails[type eq "home" and value co "@work"]', "bob"),
    ('emails[type eq "work" or value co "@work"]', "ann bob"),
    ("emails[not (primary eq true)]", "ann bob"),
    ("emails[primary eq true]", "ann"),
    ('emails[type eq "home"] and active eq true', "ann"),
    (f'{USER}:userName sw "cleo"', "cleo"),
    (f'{USER.upper()}:name.familyName eq "LI"', "bob"),
    (f'{ENTERPRISE}:department eq "SUPPORT"', "ann bob"),
    (f'{ENTERPRISE}:employeeNumber eq "0042"', "ann"),
    (f"{ENTERPRISE}:department pr and active eq false", "bob"),
    ('displayName eq "Bob \\"the Builder\\" \\\\ Li"', "bob"),
    ('displayName eq "\\u00c7leo \\u017d\\u00e1k"', "cleo"),
    ('displayName eq "çleo žák"', "cleo"),
    ('displayName co "(" or displayName co "]"', ""),
    ('userName sw "a" or userName sw "b" and active eq true', "ann"),
    ('(userName sw "a" or userName sw "b") and active eq false', "bob"),
    ('not (userName sw "a") and not (userName sw "b")', "cleo"),
    ('active eq true and (title eq "Lead" or (userName ew "org" and not (title pr)))', "ann cleo"),
    ("externalId eq null", "bob cleo"),
    ("externalId ne null", "ann"),
    ('nickName ne "x"', "ann bob cleo"),
    ('emails.type ne "work"', "bob cleo"),
    ('  userName   eq   "bob@example.com"  ', "bob"),
]

META: list[tuple[str, str]] = [
    ('meta.resourceType eq "User"', "ann bob cleo"),
    ('meta.resourceType eq "user"', ""),
    ('meta.created sw "20"', "ann bob cleo"),
    ('meta.version ge "W/"', "ann bob cleo"),
    (f"{ENTERPRISE} pr", "ann bob"),
    ('meta.created gt "2000-01-01T00:00:00Z"', "ann bob cleo"),
    ('meta.lastModified lt "2000-01-01T00:00:00+01:00"', ""),
    ('schemas eq "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"', "ann bob"),
]

REFUSED = [
    "userName",
    "userName eq",
    'userName is "x"',
    "userName eq x",
    "userName eq 'x'",
    'userName eq "x',
    'userName eq "\\q"',
    'userName eq "x" and',
    'userName eq "x" userName eq "y"',
    '(userName eq "x"',
    'userName eq "x")',
    'emails[type eq "work"',
    'emails[emails[type eq "work"]]',
    'userName[value eq "x"]',
    'name[familyName eq "x"]',
    'emails[unknown eq "x"]',
    'unknown eq "x"',
    'name.unknown eq "x"',
    'urn:example:unknown:userName eq "x"',
    'active eq "true"',
    "active eq 1",
    "active gt true",
    "active co true",
    "userName eq 5",
    "userName eq true",
    'meta.created gt "yesterday"',
    'name eq "x"',
    f'{ENTERPRISE} eq "x"',
    f"{ENTERPRISE}[department pr]",
    'x509Certificates.value gt "QQ=="',
    "userName eq " + '"' + "x" * 20_000 + '"',
    'emails[type eq "work")',
    "1 pr",
    'password eq "secret"',
    "password pr",
    "userName gt null",
    "userName eq 01",
    "not userName pr",
    "[]",
    "and",
    "(" * 60 + "userName pr" + ")" * 60,
]


@pytest.fixture
def people(client: httpx.Client) -> httpx.Client:
    for person in PEOPLE.values():
        schemas = [USER, *([ENTERPRISE] if ENTERPRISE in person else [])]
        assert client.post("/Users", json={"schemas": schemas, **person}).status_code == 201
    return client


def found(client: httpx.Client, text: str) -> str:
    answer = client.get("/Users", params={"filter": f'({text}) and not (userName sw "root")'})
    assert answer.status_code == 200, answer.text
    by_name = {person["userName"]: key for key, person in PEOPLE.items()}
    return " ".join(by_name[resource["userName"]] for resource in answer.json()["Resources"])


def test_every_filter_finds_exactly_its_people(people: httpx.Client) -> None:
    wrong = {text: (expected, got) for text, expected in MATCHES + META if (got := found(people, text)) != expected}
    assert wrong == {}
    assert len(MATCHES) >= 40


def test_scim2_models_reads_the_filters_the_same_way() -> None:
    model: Any = scim2_models.User[scim2_models.EnterpriseUser]
    loaded = {key: model.model_validate({"schemas": [USER, ENTERPRISE], **person}) for key, person in PEOPLE.items()}
    wrong = {}
    for text, expected in MATCHES:
        test: Any = scim2_models.ScimFilter[model](text.strip())
        theirs = " ".join(key for key, person in loaded.items() if test.match(person))
        if theirs != expected:
            wrong[text] = (expected, theirs)
    assert wrong == {}


@pytest.mark.parametrize("text", REFUSED)
def test_refused_filters_say_invalid_filter(client: httpx.Client, text: str) -> None:
    answer = client.get("/Users", params={"filter": text})
    assert (answer.status_code, answer.json().get("scimType")) == (400, "invalidFilter")
    assert answer.json()["status"] == "400"


@pytest.mark.parametrize(
    "value", ['a"b', "a\\b", "tab\there", "new\nline", "ünïcödé 😀", "a/b?c&d=e+f%20", "]", "\u2028"]
)
def test_any_text_can_be_looked_for(client: httpx.Client, value: str) -> None:
    sent = {"schemas": [USER], "userName": "odd@example.com", "displayName": value}
    identifier = client.post("/Users", json=sent).json()["id"]
    text = f"displayName eq {json.dumps(value, ensure_ascii=False)}"
    answer = client.get("/Users", params={"filter": text}).json()
    assert [resource["id"] for resource in answer["Resources"]] == [identifier]
    inside = client.get("/Users", params={"filter": f"not ({text}) and displayName pr"}).json()
    assert identifier not in [resource["id"] for resource in inside["Resources"]]


def test_composed_and_decomposed_letters_are_the_same(client: httpx.Client) -> None:
    client.post("/Users", json={"schemas": [USER], "userName": "z\u0301oe@example.com"})
    for text in ('userName eq "\u017aoe@example.com"', 'userName sw "\u0179o"', 'userName eq "Z\u0301OE@example.com"'):
        assert client.get("/Users", params={"filter": text}).json()["totalResults"] == 1


def test_what_is_worked_out_for_an_answer_can_be_looked_for(client: httpx.Client) -> None:
    group = client.get("/Groups").json()["Resources"][0]
    for text in (f'meta.location eq "{group["meta"]["location"]}"', f'members.$ref eq "{group["members"][0]["$ref"]}"'):
        assert client.get("/Groups", params={"filter": text}).json()["totalResults"] == 1


def test_members_and_groups_can_be_looked_for(client: httpx.Client) -> None:
    ann = client.post("/Users", json={"schemas": [USER], "userName": "ann"}).json()["id"]
    kind = "urn:ietf:params:scim:schemas:core:2.0:Group"
    group = client.post("/Groups", json={"schemas": [kind], "displayName": "G", "members": [{"value": ann}]}).json()
    by_member = client.get("/Groups", params={"filter": f'members[value eq "{ann}" and type eq "User"]'}).json()
    assert [it["displayName"] for it in by_member["Resources"]] == ["G"]
    other_case = client.get("/Groups", params={"filter": f'members.value eq "{ann.upper()}"'}).json()
    assert other_case["totalResults"] == 0
    by_group = client.get("/Users", params={"filter": f'groups.value eq "{group["id"]}"'}).json()
    assert [it["userName"] for it in by_group["Resources"]] == ["ann"]
    by_display = client.get("/Users", params={"filter": 'groups.display eq "g"'}).json()
    assert [it["userName"] for it in by_display["Resources"]] == ["ann"]


def test_a_search_over_all_types_passes_over_those_without_the_attribute(client: httpx.Client) -> None:
    request = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"]}
    users = client.post("/.search", json={**request, "filter": "userName pr"}).json()
    assert [it["meta"]["resourceType"] for it in users["Resources"]] == ["User"]
    both = client.get("/", params={"filter": "displayName pr"}).json()
    assert sorted(it["meta"]["resourceType"] for it in both["Resources"]) == ["Group", "User"]
    neither = client.post("/.search", json={**request, "filter": "unknown pr"})
    assert (neither.status_code, neither.json()["scimType"]) == (400, "invalidFilter")
