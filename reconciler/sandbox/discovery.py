"""What the provider says of itself: ServiceProviderConfig, ResourceTypes and Schemas (RFC 7644 section 4).

Everything is taken from the organisation and the schemas in use, so that it is true.
"""

from __future__ import annotations

from reconciler.sandbox.organisation import Organisation
from reconciler.sandbox.schema import CORE, JsonObject, ResourceType


def service_provider_config(organisation: Organisation, base: str) -> JsonObject:
    """Return the features the provider has, RFC 7643 section 5."""
    return {
        "schemas": [CORE + "ServiceProviderConfig"],
        "patch": _feature("patch", organisation),
        "bulk": {"supported": False, "maxOperations": 0, "maxPayloadSize": 0},
        "filter": {**_feature("filter", organisation), "maxResults": organisation.max_page},
        "changePassword": {"supported": False},
        "sort": _feature("sort", organisation),
        "etag": _feature("etag", organisation),
        "authenticationSchemes": [
            {
                "type": "oauthbearertoken",
                "name": "Bearer token",
                "description": "A bearer token, given at start or by the client credentials grant at /oauth/token.",
                "specUri": "https://www.rfc-editor.org/info/rfc6750",
                "primary": True,
            }
        ],
        "meta": {"resourceType": "ServiceProviderConfig", "location": f"{base}/ServiceProviderConfig"},
    }


def resource_type_documents(organisation: Organisation, base: str) -> list[JsonObject]:
    """Return the resource types, RFC 7643 section 6."""
    return [_resource_type_document(kind, base) for kind in organisation.resource_types]


def schema_documents(organisation: Organisation, base: str) -> list[JsonObject]:
    """Return the schemas in use, RFC 7643 section 7."""
    schemas = [schema for kind in organisation.resource_types for schema in (kind.schema, *kind.extensions.values())]
    return [
        {**schema.document, "meta": {"resourceType": "Schema", "location": f"{base}/Schemas/{schema.id}"}}
        for schema in schemas
    ]


def _feature(name: str, organisation: Organisation) -> JsonObject:
    return {"supported": name not in organisation.switches.unsupported}


def _resource_type_document(kind: ResourceType, base: str) -> JsonObject:
    return {
        "schemas": [CORE + "ResourceType"],
        "id": kind.name,
        "name": kind.name,
        "description": kind.schema.document["description"],
        "endpoint": kind.endpoint,
        "schema": kind.schema.id,
        "schemaExtensions": [{"schema": urn, "required": False} for urn in kind.extensions],
        "meta": {"resourceType": "ResourceType", "location": f"{base}/ResourceTypes/{kind.name}"},
    }
