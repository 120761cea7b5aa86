"""Requests and answers without a network: what the service takes and gives, and the SCIM messages it speaks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from msgspec import Struct, field

from reconciler.sandbox.errors import ScimError, invalid_syntax
from reconciler.sandbox.schema import JsonObject

LIST_RESPONSE = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
SCIM_JSON = "application/scim+json"
_ACCEPTED = {SCIM_JSON, "application/json"}


class Request(Struct, frozen=True, kw_only=True):
    """One HTTP request; `target` is path and query as on the wire, header names are lower case.

    `origin` (scheme and host) is what locations in the answer start with.
    """

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    origin: str = "http://sandbox"

    def json(self) -> Any:
        """Return the body as JSON; raises ScimError 400 or 415."""
        media_type = self.headers.get("content-type", SCIM_JSON).partition(";")[0].strip().lower()
        if media_type not in _ACCEPTED:
            raise ScimError(415, f"Send {SCIM_JSON}, not {media_type}.", gateway=True)
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            raise invalid_syntax(f"The body is no JSON: {error}.") from error


class Response(Struct, frozen=True, kw_only=True):
    """One HTTP answer; 204 and 304 have no body. One that is `dropped` never arrives: the connection ends instead."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    dropped: bool = False

    def json(self) -> Any:
        """Return the body as JSON."""
        return orjson.loads(self.body)


class Asker(Struct, frozen=True, kw_only=True):
    """From where a resource is looked at: the URL or path that endpoints are appended to, and the OAuth client's id.

    The id is empty where nobody signed in.
    """

    base: str
    client: str = ""


def json_response(status: int, content: Any, headers: Mapping[str, str] | None = None) -> Response:
    """Return an answer that carries a SCIM message or resource."""
    return Response(status=status, headers={"Content-Type": SCIM_JSON, **(headers or {})}, body=orjson.dumps(content))


def error_response(error: ScimError, headers: Mapping[str, str] | None = None) -> Response:
    """Return a refusal in the form of RFC 7644 section 3.12; `status` is text there."""
    content: JsonObject = {"schemas": [ERROR], "status": str(error.status)}
    if error.scim_type is not None:
        content["scimType"] = error.scim_type
    content["detail"] = error.detail
    return json_response(error.status, content, headers)


def list_response(resources: list[JsonObject], *, total: int, start_index: int) -> JsonObject:
    """Return the answer to a query (RFC 7644 section 3.4.2); `Resources` is there even when it is empty."""
    return {
        "schemas": [LIST_RESPONSE],
        "totalResults": total,
        "startIndex": start_index,
        "itemsPerPage": len(resources),
        "Resources": resources,
    }
