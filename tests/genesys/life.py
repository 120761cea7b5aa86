"""The whole life of people in a contact centre, step by step: what is declared at each, every attribute used."""

from collections.abc import Iterator, Mapping
from typing import Any

from tests.genesys.company import Company

Lines = dict[str, Any]

BOB: Lines = {"userName": "bob@example.com", "displayName": "Bob", "roles": ["Supervisor"]}
CHE: Lines = {"userName": "che@example.com", "displayName": "Che"}
PHONES = {
    "work": "+44 20 7946 0958 x12",
    "work2": "+44 20 7946 0951",
    "work3": "9001",
    "work4": "+44 20 7946 0953",
    "home": "+44 20 7946 0954",
    "mobile": "+44 7700 900123",
    "other": "+44 20 7946 0956",
    "microsoftteams": "+44 20 7946 0957",
    "zoomphone": "+44 20 7946 0958",
    "eightbyeight": "+44 20 7946 0959",
    "ringcentral": "+44 20 7946 0960",
}
ANN: Lines = {
    "userName": "ann@example.com",
    "displayName": "Ann Lee",
    "title": "Agent",
    "department": "Support",
    "division": "EMEA",
    "manager": "bob",
    "employeeNumber": "000142",
    "dateHire": "2024-03-01",
    "externalId": "hr-142",
    "emails": {"work": "ann.lee@example.com"},
    "phoneNumbers": PHONES,
    "roles": ["Agent", "Supervisor"],
    "routingSkills": {"Billing": 4, "Refunds": 3.5},
    "routingLanguages": {"English": 5, "French": 0},
    "externalIds": {"microsoftteams": "teams-1", "https://idp.example.com/": "subject-1"},
}
CHANGED: Lines = ANN | {
    "displayName": "Ann Lee-Berg",
    "title": "Lead",
    "department": "Sales",
    "division": "APAC",
    "manager": "che",
    "dateHire": "2025-01-31",
    "externalId": "hr-0142",
    "emails": {"work": "ann.berg@example.com"},
    "phoneNumbers": {kind: value[:-1] + ("3" if value[-1] != "3" else "4") for kind, value in PHONES.items()},
    "roles": ["Agent", "Quality Evaluator"],
    "routingSkills": {"Billing": 2, "Sales": 1},
    "routingLanguages": {"English": 4.5, "German": 3},
    "externalIds": {"microsoftteams": "teams-2", "https://idp.example.com/": "subject-2", "ringcentral": "ring-1"},
}
CLEARED: Lines = {name: each if name in ("userName", "displayName") else None for name, each in CHANGED.items()}
RENAMED: Lines = CLEARED | {"userName": "ann.berg@example.com"}


def group(*members: str) -> Mapping[str, Lines]:
    return {"support": {"displayName": "Support", "members": list(members)}}


def steps(company: Company) -> Iterator[str]:
    """Declare one stage of the life after the other; the caller applies at each name that comes."""
    company.declare({"ann": ANN, "bob": BOB, "che": CHE}, group("ann", "bob"))
    yield "create"
    company.declare({"ann": CHANGED, "bob": BOB, "che": CHE}, group("ann", "bob"))
    yield "change"
    company.declare({"ann": CHANGED, "bob": BOB, "che": CHE}, group("bob", "che"))
    yield "members"
    company.declare({"ann": CLEARED, "bob": BOB, "che": CHE}, group())
    yield "clear"
    company.declare({"ann": RENAMED, "bob": BOB, "che": CHE}, group("ann"))
    yield "rename"
    company.declare({"ann": RENAMED | {"active": False}, "bob": BOB, "che": CHE}, group("ann"))
    yield "deactivate"
    company.declare({"ann": RENAMED | {"active": True}, "bob": BOB, "che": CHE}, group("ann"))
    yield "reactivate"
    company.declare({"bob": BOB, "che": CHE}, group())
    yield "remove"
    company.settings(policy={"removal": {"users": "delete"}})
    company.declare({"bob": BOB}, group("bob"))
    yield "delete"
    company.declare({"bob": BOB, "che": CHE | {"title": "Agent", "roles": ["Agent"]}}, group("bob", "che"))
    yield "restore"
