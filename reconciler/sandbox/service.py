"""The SCIM 2.0 service provider as a function from requests to answers (RFC 7644): routes, status codes, versions.

Knows HTTP's meaning but no sockets, and leaves to `Directory` what may be stored. Safe to call from many threads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote

from reconciler.sandbox.access import TOKEN_PATH, Access
from reconciler.sandbox.directory import Directory, Precondition, version_tag
from reconciler.sandbox.discovery import resource_type_documents, schema_documents, service_provider_config
from reconciler.sandbox.errors import SandboxError, ScimError
from reconciler.sandbox.messages import Request, Response, error_response, json_response, list_response
from reconciler.sandbox.projection import projection
from reconciler.sandbox.querying import query_from_parameters, query_from_search, run_query
from reconciler.sandbox.schema import JsonObject, ResourceType
from reconciler.sandbox.seeding import add_seed
from reconciler.sandbox.store import Row

_SEARCH = ".search"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Call:
    """A request inside the SCIM part of the URL space; `base` is the absolute URL that endpoints are appended to."""

    request: Request
    base: str
    segments: tuple[str, ...]
    parameters: dict[str, list[str]]


class SandboxService:
    """One organisation behind one base URL."""

    def __init__(self, directory: Directory, access: Access | None = None) -> None:
        self.directory = directory
        self.access = access or Access()
        self._resource_types = {kind.endpoint[1:].lower(): kind for kind in directory.organisation.resource_types}

    def handle(self, request: Request) -> Response:
        """Answer one request; refusals are answers too, so nothing is raised for what a client did wrong."""
        path, _, query = request.target.partition("?")
        try:
            if path == TOKEN_PATH:
                return self.access.token_response(request)
            self.access.check(request)
            return self._route(self._call(request, path, query))
        except ScimError as error:
            return error_response(error, {"WWW-Authenticate": "Bearer"} if error.status == 401 else None)
        except SandboxError as error:
            return error_response(ScimError(503, str(error)))

    def seed(self, data: Mapping[str, Any]) -> None:
        """Add what a seed names and the organisation lacks (see `seeding`); raises SandboxError."""
        add_seed(self.directory, data)

    def dump(self) -> dict[str, list[JsonObject]]:
        """Return everything stored, by resource type name, read past all caches and past HTTP."""
        return self.directory.dump()

    def close(self) -> None:
        """Release the data file."""
        self.directory.store.close()

    def _call(self, request: Request, path: str, query: str) -> _Call:
        organisation = self.directory.organisation
        for base in organisation.base_paths:
            head, tail = path[: len(base)], path[len(base) :]
            same = head.lower() == base.lower() if organisation.paths_ignore_case else head == base
            if same and (not tail or tail.startswith("/")):
                segments = tuple(unquote(segment) for segment in tail.strip("/").split("/") if segment)
                parameters = parse_qs(query, keep_blank_values=True) if query else {}
                return _Call(request=request, base=request.origin + base, segments=segments, parameters=parameters)
        raise _not_found(path)

    def _route(self, call: _Call) -> Response:
        head, *rest = call.segments or ("",)
        name = head.lower()
        if name in _DISCOVERY and (head == _DISCOVERY[name] or self.directory.organisation.paths_ignore_case):
            return self._discovery(call, name, rest)
        if name in ("me", "bulk") and not rest:
            raise ScimError(501, f"/{head} is not part of this provider.")
        if head == _SEARCH and not rest:
            return self._dispatch(call, {"POST": lambda: self._search(call, list(self._resource_types.values()))})
        if not head:
            return self._dispatch(call, {"GET": lambda: self._list(call, list(self._resource_types.values()))})
        kind = self._resource_types.get(name)
        if kind is None or (head != kind.endpoint[1:] and not self.directory.organisation.paths_ignore_case):
            raise _not_found(call.request.target)
        if not rest:
            return self._collection(call, kind)
        if len(rest) == 1 and rest[0] == _SEARCH:
            return self._dispatch(call, {"POST": lambda: self._search(call, [kind])})
        if len(rest) == 1:
            return self._resource(call, kind, rest[0])
        raise _not_found(call.request.target)

    def _collection(self, call: _Call, kind: ResourceType) -> Response:
        methods = {"GET": lambda: self._list(call, [kind]), "POST": lambda: self._create(call, kind)}
        return self._dispatch(call, methods, kind)

    def _resource(self, call: _Call, kind: ResourceType, identifier: str) -> Response:
        methods: dict[str, Callable[[], Response]] = {
            "GET": lambda: self._get(call, kind, identifier),
            "PUT": lambda: self._replace(call, kind, identifier),
            "PATCH": lambda: self._patch(call, kind, identifier),
            "DELETE": lambda: self._delete(call, kind, identifier),
        }
        return self._dispatch(call, methods, kind)

    def _dispatch(
        self, call: _Call, methods: dict[str, Callable[[], Response]], kind: ResourceType | None = None
    ) -> Response:
        refused = self.directory.organisation.refused
        allowed = {name: act for name, act in methods.items() if kind is None or (kind.name, name) not in refused}
        act = allowed.get(call.request.method)
        if act is None:
            error = ScimError(405, f"{call.request.method} is not possible here.")
            return error_response(error, {"Allow": ", ".join(allowed)})
        return act()

    def _discovery(self, call: _Call, name: str, rest: list[str]) -> Response:
        return self._dispatch(call, {"GET": lambda: self._discover(call, name, rest)})

    def _discover(self, call: _Call, name: str, rest: list[str]) -> Response:
        organisation = self.directory.organisation
        if "filter" in call.parameters:
            raise ScimError(403, "Discovery endpoints take no filter.")
        if name == "serviceproviderconfig" and not rest:
            return json_response(200, service_provider_config(organisation, call.base))
        if name == "serviceproviderconfig" or len(rest) > 1:
            raise _not_found(call.request.target)
        build = schema_documents if name == "schemas" else resource_type_documents
        documents = build(organisation, call.base)
        if not rest:
            return json_response(200, list_response(documents, total=len(documents), start_index=1))
        for document in documents:
            if document["id"].lower() == rest[0].lower():
                return json_response(200, document)
        raise _not_found(call.request.target)

    def _list(self, call: _Call, kinds: list[ResourceType]) -> Response:
        query = query_from_parameters(call.parameters)
        return json_response(200, run_query(self.directory, query, kinds, call.base))

    def _search(self, call: _Call, kinds: list[ResourceType]) -> Response:
        query = query_from_search(call.request.json())
        return json_response(200, run_query(self.directory, query, kinds, call.base))

    def _create(self, call: _Call, kind: ResourceType) -> Response:
        row = self.directory.create(kind, call.request.json())
        location = f"{call.base}{kind.endpoint}/{row.id}"
        return self._answer(call, kind, row, 201, {"Location": location})

    def _get(self, call: _Call, kind: ResourceType, identifier: str) -> Response:
        row = self.directory.find(kind, identifier)
        condition = call.request.headers.get("if-none-match")
        if condition is not None and _names_version(condition, row):
            return Response(status=304, headers={"ETag": version_tag(row)})
        return self._answer(call, kind, row, 200)

    def _replace(self, call: _Call, kind: ResourceType, identifier: str) -> Response:
        row = self.directory.replace(kind, identifier, call.request.json(), _precondition(call.request))
        return self._answer(call, kind, row, 200)

    def _patch(self, call: _Call, kind: ResourceType, identifier: str) -> Response:
        row = self.directory.patch(kind, identifier, call.request.json(), _precondition(call.request))
        return self._answer(call, kind, row, 200)

    def _delete(self, call: _Call, kind: ResourceType, identifier: str) -> Response:
        self.directory.delete(kind, identifier, _precondition(call.request))
        return Response(status=204)

    def _answer(
        self, call: _Call, kind: ResourceType, row: Row, status: int, headers: dict[str, str] | None = None
    ) -> Response:
        query = query_from_parameters(call.parameters)
        cut = projection(query.attributes, query.excluded, [kind])[kind.name]
        memberships = self.directory.store.memberships([row.id]).get(row.id, ())
        resource = cut(self.directory.represent(row, call.base, memberships))
        return json_response(status, resource, {"ETag": version_tag(row), **(headers or {})})


_DISCOVERY = {name.lower(): name for name in ("ServiceProviderConfig", "ResourceTypes", "Schemas")}


def _precondition(request: Request) -> Precondition:
    """Return the check of If-Match and If-None-Match for a write (RFC 7644 section 3.14): 412 when it fails."""

    def check(row: Row) -> None:
        must, must_not = request.headers.get("if-match"), request.headers.get("if-none-match")
        if (must is not None and not _names_version(must, row)) or (
            must_not is not None and _names_version(must_not, row)
        ):
            raise ScimError(412, f"The version of {row.id} is {version_tag(row)}; read it again.")

    return check


def _names_version(condition: str, row: Row) -> bool:
    """Compare weakly: SCIM's own examples put weak tags into If-Match, which a strong comparison never finds."""
    if condition.strip() == "*":
        return True
    return str(row.version) in [tag.strip().removeprefix("W/").strip('"') for tag in condition.split(",")]


def _not_found(target: str) -> ScimError:
    return ScimError(404, f"There is nothing at {target.partition('?')[0]}.")
