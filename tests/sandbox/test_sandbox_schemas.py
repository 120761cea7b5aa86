"""The published schemas against scim2-models' reading of RFC 7643 sections 4.1 to 4.3."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
import scim2_models

MODELS: dict[str, Any] = {
    "urn:ietf:params:scim:schemas:core:2.0:User": scim2_models.User,
    "urn:ietf:params:scim:schemas:core:2.0:Group": scim2_models.Group,
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": scim2_models.EnterpriseUser,
}
COMPARED = ("type", "multiValued", "mutability", "returned", "uniqueness", "caseExact", "referenceTypes")


def flat(attributes: list[dict[str, Any]], prefix: str = "") -> dict[str, dict[str, Any]]:
    """Return attributes and sub-attributes by dotted name, cut down to what is compared."""
    found: dict[str, dict[str, Any]] = {}
    for attribute in attributes:
        name = prefix + attribute["name"]
        found[name] = {key: attribute.get(key) for key in COMPARED}
        found |= flat(attribute.get("subAttributes", []), f"{name}.")
    return found


@pytest.mark.parametrize("urn", MODELS)
def test_published_attributes_are_those_of_the_rfc(client: httpx.Client, urn: str) -> None:
    ours = client.get(f"/Schemas/{urn}").json()
    theirs = MODELS[urn].to_schema().model_dump()
    assert ours["id"] == theirs["id"]
    assert flat(ours["attributes"]) == flat(theirs["attributes"])


@pytest.mark.parametrize(
    ("urn", "required"),
    [
        ("urn:ietf:params:scim:schemas:core:2.0:User", ["userName"]),
        ("urn:ietf:params:scim:schemas:core:2.0:Group", ["displayName"]),
        ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User", []),
    ],
)
def test_required_attributes_are_those_of_the_rfc(client: httpx.Client, urn: str, required: list[str]) -> None:
    attributes = client.get(f"/Schemas/{urn}").json()["attributes"]
    assert [attribute["name"] for attribute in attributes if attribute["required"]] == required


def test_every_resource_type_names_published_schemas(client: httpx.Client, genesys_client: httpx.Client) -> None:
    for each in (client, genesys_client):
        published = {schema["id"] for schema in each.get("/Schemas").json()["Resources"]}
        named = set()
        for kind in each.get("/ResourceTypes").json()["Resources"]:
            named |= {kind["schema"], *(extension["schema"] for extension in kind["schemaExtensions"])}
        assert published == named


def test_discovery_documents_are_valid_for_scim2_models(client: httpx.Client, genesys_client: httpx.Client) -> None:
    for each in (client, genesys_client):
        scim2_models.ServiceProviderConfig.model_validate(each.get("/ServiceProviderConfig").json())
        for schema in each.get("/Schemas").json()["Resources"]:
            scim2_models.Schema.model_validate(schema)
        for kind in each.get("/ResourceTypes").json()["Resources"]:
            scim2_models.ResourceType.model_validate(kind)


def test_the_contact_centre_publishes_only_what_it_takes(genesys_client: httpx.Client) -> None:
    schemas = {schema["name"]: schema for schema in genesys_client.get("/Schemas").json()["Resources"]}
    names = {name: [it["name"] for it in schema["attributes"]] for name, schema in schemas.items()}
    assert names == {
        "User": ["userName", "displayName", "title", "active", "password", "emails", "phoneNumbers", "groups", "roles"],
        "EnterpriseUser": ["division", "department", "manager", "employeeNumber", "dateHire"],
        "GenesysUser": ["routingSkills", "routingLanguages", "externalIds"],
        "Group": ["displayName", "members"],
    }
    mutability = {it["name"]: it["mutability"] for it in schemas["Group"]["attributes"]}
    assert mutability == {"displayName": "readOnly", "members": "readWrite"}
