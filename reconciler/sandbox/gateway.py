"""What stands before the SCIM part: sign-in, size and rate of requests, the shape of refusals, and failures by switch.

Every answer of the service passes here.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable

from msgspec.structs import replace

from reconciler.sandbox.access import TOKEN_PATH, Access, bearer_token
from reconciler.sandbox.errors import SandboxError, ScimError
from reconciler.sandbox.faults import Faults
from reconciler.sandbox.limits import LIMITS_PATH, Rate, RateLimiter, limits_document, retry_headers
from reconciler.sandbox.messages import Request, Response, json_response
from reconciler.sandbox.organisation import Organisation
from reconciler.sandbox.refusals import RETRY_SECONDS, failed, refusal
from reconciler.sandbox.switches import Failure, RateScope

CORRELATION = "ININ-Correlation-Id"


class NotAllowedError(ScimError):
    """The method is not possible at this place; `methods` are."""

    def __init__(self, detail: str, methods: list[str]) -> None:
        super().__init__(405, detail, gateway=True)
        self.methods = methods


class Gateway:
    """The gateway of one organisation."""

    def __init__(self, organisation: Organisation, faults: Faults, access: Access) -> None:
        self._organisation = organisation
        self._switches = organisation.switches
        self._faults = faults
        self._access = access
        allowed = self._switches.rate_limit
        self._limiter = None if allowed is None else RateLimiter(allowed, access.clock)

    def answer(self, request: Request, act: Callable[[Request], Response]) -> Response:
        """Return what `act` answers, or a refusal or failure in its place, with the headers that every answer has."""
        correlation = str(uuid.uuid4()) if self._organisation.platform else ""
        path = request.target.partition("?")[0]
        if self._is_token_path(path):
            return self._marked(self._access.token_response(request), correlation, None)
        rate: Rate | None = None
        try:
            self._access.check(request)
            rate = self._rate(request)
            response = self._admitted(request, path, act, rate, correlation)
        except ScimError as error:
            response = self._refused(error, correlation)
        except SandboxError as error:
            response = self._refused(ScimError(503, str(error), gateway=True), correlation)
        return self._marked(response, correlation, rate)

    def _admitted(
        self, request: Request, path: str, act: Callable[[Request], Response], rate: Rate | None, correlation: str
    ) -> Response:
        if rate is not None and rate.exceeded:
            error = ScimError(429, f"More than {rate.allowed} requests a minute.", gateway=True)
            shape = self._organisation.error_shape
            return refusal(error, shape, correlation, retry_headers(self._switches, rate.reset))
        most = self._organisation.max_body
        if most is not None and len(request.body) > most:
            raise ScimError(413, f"A body has at most {most} bytes.", gateway=True)
        if self._organisation.platform and path.lower() in (LIMITS_PATH, f"{LIMITS_PATH}/defaults"):
            return self._limits(request, path)
        failure = self._faults.next_failure(request.method)
        instead = failed(failure, self._switches, self._organisation.error_shape, correlation)
        if instead is not None:
            return instead
        response = act(request)
        return replace(response, dropped=True) if failure is Failure.DROP else response

    def _limits(self, request: Request, path: str) -> Response:
        if not self._switches.limits_listed:
            raise ScimError(404, f"There is nothing at {path}.", gateway=True)
        if request.method != "GET":
            raise NotAllowedError(f"{request.method} is not possible here.", ["GET"])
        document = limits_document(self._switches, defaults=path.lower().endswith("/defaults"))
        return json_response(200, document, {"Content-Type": "application/json"})

    def _is_token_path(self, path: str) -> bool:
        return any(path == base + TOKEN_PATH for base in ("", *self._organisation.base_paths))

    def _rate(self, request: Request) -> Rate | None:
        if self._limiter is None:
            return None
        client = self._switches.rate_scope is RateScope.CLIENT
        return self._limiter.take((self._access.client_of(request) if client else bearer_token(request)) or "")

    def _refused(self, error: ScimError, correlation: str) -> Response:
        headers = {"WWW-Authenticate": "Bearer"} if error.status == 401 else {}
        if error.status == 429:
            headers |= retry_headers(self._switches, RETRY_SECONDS)
        if isinstance(error, NotAllowedError):
            headers["Allow"] = ", ".join(error.methods)
        return refusal(error, self._organisation.error_shape, correlation, headers)

    def _marked(self, response: Response, correlation: str, rate: Rate | None) -> Response:
        headers = {CORRELATION: correlation} if correlation else {}
        if rate is not None:
            headers |= rate.headers()
        return replace(response, headers={**response.headers, **headers}) if headers else response
