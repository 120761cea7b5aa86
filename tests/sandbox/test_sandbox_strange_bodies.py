"""Bodies that no sensible client sends: every one is answered, and a refusal changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.sandbox import Request, SandboxService, Switches, open_sandbox, read_switches
from tests.sandbox.switch_world import ENT, GEN, PATCH_OP

TOLERANT: dict[str, Any] = {
    "unknownAttributes": "ignore",
    "unknownNames": "ignore",
    "emptyValuesIgnored": True,
    "missingSlotCreated": True,
    "putKeepsOmitted": True,
    "externalIdPerClient": True,
    "replaceMerges": ["roles", "routingSkills", "externalIds"],
    "membersPerPatch": 2,
}
NAMES = ["userName", "displayName", "title", "active", "emails", "phoneNumbers", "roles", "externalId", "groups"]
URNS = [ENT, GEN, "urn:example:none", f"{ENT}:dateHire", f"{GEN}:routingSkills", f"{GEN}:externalIds", f"{ENT}:manager"]
PARTS = ["value", "type", "primary", "name", "proficiency", "authority", "dateHire", "division", "manager", "$ref"]
PATHS = [
    *NAMES,
    *URNS,
    'emails[type eq "other"].value',
    'emails[type eq "work"]',
    'phoneNumbers[type eq "work" and primary eq true].value',
    'roles[value eq "employee"]',
    f'{GEN}:externalIds[authority sw "x-pc"].value',
    "emails.value",
    "emails[",
    "",
]
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-9, 9),
    st.sampled_from(
        ["", "ann@example.com", "work", "other", "Billing", "Home", "+442079460958", "x-pc:scimv2:v1", "é"]
    ),
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from([*PARTS, "Value", "zzz"]), inner, max_size=3)
    ),
    max_leaves=8,
)
RESOURCES = st.dictionaries(st.sampled_from([*NAMES, *URNS[:3], "schemas", "TITLE", "zzz"]), VALUES, max_size=6)
OPERATIONS = st.dictionaries(st.sampled_from(["op", "path", "value"]), VALUES, max_size=3)
LIKELY = st.fixed_dictionaries(
    {"op": st.sampled_from(["add", "replace", "remove", "Add"])},
    optional={"path": st.sampled_from(PATHS), "value": st.one_of(VALUES, RESOURCES)},
)
PATCHES = st.fixed_dictionaries(
    {"schemas": st.just([PATCH_OP]), "Operations": st.lists(st.one_of(LIKELY, OPERATIONS), max_size=3)}
)


@pytest.fixture(scope="module", params=["default", "tolerant"])
def service(request: pytest.FixtureRequest) -> Iterator[SandboxService]:
    switches = Switches() if request.param == "default" else read_switches(TOLERANT)
    opened = open_sandbox(None, "genesys", switches=switches)
    yield opened
    opened.close()


def send(service: SandboxService, method: str, target: str, body: Any) -> None:
    before = service.dump()
    answer = service.handle(Request(method=method, target=target, body=orjson.dumps(body)))
    assert answer.status in (200, 201, 400, 403, 404, 409), answer.body
    if answer.status >= 400:
        assert service.dump() == before
    for listed in ("/users?filter=active%20eq%20false", "/users?attributes=emails&count=100", "/groups"):
        assert service.handle(Request(method="GET", target=listed)).status == 200


def quietly(examples: int) -> Any:
    return settings(
        max_examples=examples, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
    )


@quietly(50)
@given(body=st.one_of(VALUES, RESOURCES, RESOURCES.map(lambda it: {"userName": "z", "displayName": "Z", **it})))
def test_any_resource_is_answered(service: SandboxService, body: Any) -> None:
    send(service, "POST", "/users", body)
    identifier = service.dump()["User"][0]["id"]
    send(service, "PUT", f"/users/{identifier}", body)


@quietly(80)
@given(body=PATCHES, kind=st.sampled_from(["User", "Group"]))
def test_any_patch_is_answered(service: SandboxService, body: Any, kind: str) -> None:
    identifier = service.dump()[kind][0]["id"]
    send(service, "PATCH", f"/{kind}s/{identifier}", body)
