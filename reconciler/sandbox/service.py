"""The SCIM 2.0 service provider as a function from requests to answers (RFC 7644): routes, status codes, versions.

Knows HTTP's meaning but no sockets, and leaves to `Directory` what may be stored. Safe to call from many threads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs, unquote

from msgspec import Struct

from reconciler.sandbox.access import Access
from reconciler.sandbox.bodies import rewritten
from reconciler.sandbox.directory import Directory, Precondition
from reconciler.sandbox.discovery import resource_type_documents, schema_documents, service_provider_config
from reconciler.sandbox.errors import ScimError, ScimType
from reconciler.sandbox.gateway import Gateway, NotAllowedError
from reconciler.sandbox.messages import Asker, Request, Response, json_response, list_response
from reconciler.sandbox.organisation import organisation
from reconciler.sandbox.projection import projection
from reconciler.sandbox.queries import query_from_parameters, query_from_search
from reconciler.sandbox.querying import run_query
from reconciler.sandbox.schema import JsonObject, ResourceType
from reconciler.sandbox.seeding import add_seed
from reconciler.sandbox.store import Row
from reconciler.sandbox.switches import Switches

_SEARCH = ".search"
_CONFIGURATION_VERSION = 1


class _Call(Struct, frozen=True, kw_only=True):
    """A request inside the SCIM part of the URL space; `path` is the base path it came in by."""

    request: Request
    path: str
    asker: Asker
    segments: tuple[str, ...]
    parameters: dict[str, list[str]]


class SandboxService:
    """One organisation behind one base URL."""

    def __init__(self, directory: Directory, access: Access | None = None) -> None:
        self.access = access or Access()
        self._set_up(directory)

    def _set_up(self, directory: Directory) -> None:
        self.directory = directory
        self._gateway = Gateway(directory.organisation, directory.faults, self.access)
        self._resource_types = {kind.endpoint[1:].lower(): kind for kind in directory.organisation.resource_types}

    def handle(self, request: Request) -> Response:
        """Answer one request; refusals are answers too, so nothing is raised for what a client did wrong."""
        return self._gateway.answer(request, self._answer)

    def switch(self, switches: Switches) -> None:
        """Go on with other switches; counted ones start anew. Not while requests are being answered."""
        kind = self.directory.organisation
        self._set_up(Directory(self.directory.store, organisation(kind.profile, switches, kind.schemas)))

    def seed(self, data: Mapping[str, Any]) -> None:
        """Add what a seed names and the organisation lacks (see `seeding`); raises SandboxError."""
        add_seed(self.directory, data)

    def dump(self) -> dict[str, list[JsonObject]]:
        """Return everything stored, by resource type name, read past all caches and past HTTP."""
        return self.directory.dump()

    def close(self) -> None:
        """Release the data file."""
        self.directory.store.close()

    def _answer(self, request: Request) -> Response:
        return self._route(self._call(request))

    def _call(self, request: Request) -> _Call:
        path, _, query = request.target.partition("?")
        organisation = self.directory.organisation
        for base in organisation.base_paths:
            head, tail = path[: len(base)], path[len(base) :]
            same = head.lower() == base.lower() if organisation.paths_ignore_case else head == base
            if same and (not tail or tail.startswith("/")):
                start = base if organisation.relative_locations else request.origin + base
                return _Call(
                    request=request,
                    path=base,
                    asker=Asker(base=start, client=self.access.client_of(request)),
                    segments=tuple(unquote(segment) for segment in tail.strip("/").split("/") if segment),
                    parameters=parse_qs(query, keep_blank_values=True) if query else {},
                )
        raise _not_found(path)

    def _route(self, call: _Call) -> Response:
        head, *rest = call.segments or ("",)
        name = head.lower()
        if name in _DISCOVERY and (head == _DISCOVERY[name] or self.directory.organisation.paths_ignore_case):
            return self._discovery(call, name, rest)
        if name in ("me", "bulk") and not rest and not self.directory.organisation.platform:
            raise ScimError(501, f"/{head} is not part of this provider.")
        if _SEARCH in call.segments and not self.directory.organisation.searchable:
            raise _not_found(call.request.target)
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
            raise NotAllowedError(f"{call.request.method} is not possible here.", list(allowed))
        return act()

    def _discovery(self, call: _Call, name: str, rest: list[str]) -> Response:
        return self._dispatch(call, {"GET": lambda: self._discover(call, name, rest)})

    def _discover(self, call: _Call, name: str, rest: list[str]) -> Response:
        organisation = self.directory.organisation
        if "filter" in call.parameters:
            raise ScimError(403, "Discovery endpoints take no filter.", gateway=True)
        if name == "serviceproviderconfig" and not rest:
            return self._configuration(call)
        if name == "serviceproviderconfig" or len(rest) > 1:
            raise _not_found(call.request.target)
        build = schema_documents if name == "schemas" else resource_type_documents
        documents = build(organisation, call.asker.base)
        if not rest:
            return json_response(200, list_response(documents, total=len(documents), start_index=1))
        for document in documents:
            if document["id"].lower() == rest[0].lower():
                return json_response(200, document)
        raise _not_found(call.request.target)

    def _configuration(self, call: _Call) -> Response:
        """Answer for the one discovery document that has a version; it is the same for as long as the service lives."""
        if self._is_known(call.request, _CONFIGURATION_VERSION):
            return self._unchanged(_CONFIGURATION_VERSION)
        content = service_provider_config(self.directory.organisation, call.asker.base)
        content["meta"]["version"] = self.directory.organisation.version(_CONFIGURATION_VERSION)
        return json_response(200, content, self._tag(_CONFIGURATION_VERSION))

    def _list(self, call: _Call, kinds: list[ResourceType]) -> Response:
        query = query_from_parameters(call.parameters)
        needed = self.directory.organisation.filter_needed
        if query.filter is None and any((call.path, kind.name) in needed for kind in kinds):
            raise ScimError(400, "A filter is needed here.", ScimType.INVALID_FILTER)
        return json_response(200, run_query(self.directory, query, kinds, call.asker))

    def _search(self, call: _Call, kinds: list[ResourceType]) -> Response:
        query = query_from_search(call.request.json())
        return json_response(200, run_query(self.directory, query, kinds, call.asker))

    def _create(self, call: _Call, kind: ResourceType) -> Response:
        row, restored = self.directory.create(kind, self._body(call, kind), call.asker)
        location = self.directory.representer.location(row, call.asker)
        status = self.directory.organisation.switches.restore_status if restored else 201
        return self._resource_answer(call, kind, row, status, {"Location": location})

    def _get(self, call: _Call, kind: ResourceType, identifier: str) -> Response:
        row = self.directory.read(kind, identifier)
        if self._is_known(call.request, row.version):
            return self._unchanged(row.version)
        return self._resource_answer(call, kind, row, 200)

    def _replace(self, call: _Call, kind: ResourceType, identifier: str) -> Response:
        body = self._body(call, kind)
        row = self.directory.replace(kind, identifier, body, self._precondition(call.request), call.asker)
        return self._resource_answer(call, kind, row, 200)

    def _patch(self, call: _Call, kind: ResourceType, identifier: str) -> Response:
        if not self.directory.organisation.supports("patch"):
            raise ScimError(501, "PATCH is not supported.")
        body = self._body(call, kind)
        row = self.directory.patch(kind, identifier, body, self._precondition(call.request), call.asker)
        return self._resource_answer(call, kind, row, 200)

    def _delete(self, call: _Call, kind: ResourceType, identifier: str) -> Response:
        self.directory.delete(kind, identifier, self._precondition(call.request))
        return Response(status=self.directory.organisation.switches.delete_status)

    def _body(self, call: _Call, kind: ResourceType) -> Any:
        return rewritten(call.request.json(), kind, self.directory.organisation)

    def _resource_answer(
        self, call: _Call, kind: ResourceType, row: Row, status: int, headers: dict[str, str] | None = None
    ) -> Response:
        query = query_from_parameters(call.parameters)
        cut = projection(query.attributes, query.excluded, [kind])[kind.name]
        memberships = self.directory.store.memberships([row.id]).get(row.id, ())
        representer = self.directory.representer
        resource = representer.answer(cut(representer.resource(row, call.asker, memberships)))
        return json_response(status, resource, {**self._tag(row.version), **(headers or {})})

    def _tag(self, version: int) -> dict[str, str]:
        organisation = self.directory.organisation
        return {"ETag": organisation.etag(version)} if organisation.supports("etag") else {}

    def _is_known(self, request: Request, version: int) -> bool:
        """Whether a reader already has this version (RFC 7644 section 3.14)."""
        condition = request.headers.get("if-none-match")
        if condition is None or not self.directory.organisation.supports("etag"):
            return False
        return _names_version(condition, version)

    def _unchanged(self, version: int) -> Response:
        return Response(status=304, headers=self._tag(version))

    def _precondition(self, request: Request) -> Precondition:
        """Return the check of If-Match and If-None-Match for a write (RFC 7644 section 3.14)."""
        status = self.directory.organisation.switches.conflict
        scim_type = ScimType.INVALID_VERSION if status == 400 else None
        must, must_not = request.headers.get("if-match"), request.headers.get("if-none-match")
        if not self.directory.organisation.supports("etag"):
            must = must_not = None

        def check(row: Row) -> None:
            stale = must is not None and not _names_version(must, row.version)
            if stale or (must_not is not None and _names_version(must_not, row.version)):
                now = self.directory.organisation.etag(row.version)
                raise ScimError(status, f"The version does not match: {row.id} is at {now}; read it again.", scim_type)

        return check


_DISCOVERY = {name.lower(): name for name in ("ServiceProviderConfig", "ResourceTypes", "Schemas")}


def _names_version(condition: str, version: int) -> bool:
    """Compare weakly: SCIM's own examples put weak tags into If-Match, which a strong comparison never finds."""
    if condition.strip() == "*":
        return True
    return str(version) in [tag.strip().removeprefix("W/").strip('"') for tag in condition.split(",")]


def _not_found(target: str) -> ScimError:
    return ScimError(404, f"There is nothing at {target.partition('?')[0]}.", gateway=True)
