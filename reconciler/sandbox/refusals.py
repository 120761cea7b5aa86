"""Answers that say no: refused requests in one of two error bodies, and the faults that take an answer's place."""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from reconciler.sandbox.errors import ScimError
from reconciler.sandbox.limits import retry_headers
from reconciler.sandbox.messages import Response, error_response
from reconciler.sandbox.switches import ErrorShape, Failure, Switches

# Statuses that a SCIM error of its own is declared for even where the platform's body is used for all others.
_ALWAYS_SCIM = 409
_CODES: Mapping[int, str] = {
    400: "bad.request",
    401: "bad.credentials",
    403: "not.authorized",
    404: "not.found",
    405: "method.not.allowed",
    409: "general.conflict",
    412: "precondition.failed",
    413: "request.entity.too.large",
    415: "unsupported.media.type",
    429: "too.many.requests.retry.after",
    500: "internal.server.error",
    501: "not.implemented",
    503: "service.unavailable",
}
_FAILURE_PAGE = b"<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body>Bad Gateway</body></html>"
RETRY_SECONDS = 1


def refusal(
    error: ScimError, shape: ErrorShape, correlation: str, headers: Mapping[str, str] | None = None
) -> Response:
    """Return a refusal in the shape that the provider uses for its kind (see `ErrorShape`)."""
    if shape is ErrorShape.MIXED:
        platform = error.gateway
    else:
        platform = shape is ErrorShape.PLATFORM and error.status != _ALWAYS_SCIM
    if platform:
        return platform_error(error.status, error.detail, correlation, headers)
    return error_response(error, headers)


def platform_error(status: int, message: str, correlation: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return an error in the platform's own form; `status` is a number there."""
    content = {
        "message": message,
        "code": _CODES.get(status, "internal.server.error"),
        "status": status,
        "contextId": correlation,
        "details": [],
        "errors": [],
    }
    sent = {"Content-Type": "application/json", **(headers or {})}
    return Response(status=status, headers=sent, body=orjson.dumps(content))


def failed(failure: Failure, switches: Switches, shape: ErrorShape, correlation: str) -> Response | None:
    """Return the answer that a failure puts in place of the true one; None when the request is to take effect."""
    match failure:
        case Failure.RATE_TEXT:
            text = b"Internal error: rate limit exceeded in a downstream service"
            return Response(status=500, headers={"Content-Type": "text/plain"}, body=text)
        case Failure.HTML:
            return Response(status=502, headers={"Content-Type": "text/html; charset=utf-8"}, body=_FAILURE_PAGE)
        case Failure.TOO_MANY:
            error = ScimError(429, "Too many requests; retry later.", gateway=True)
            return refusal(error, shape, correlation, retry_headers(switches, RETRY_SECONDS))
        case Failure.CONFLICT:
            return refusal(ScimError(409, "The version does not match: somebody else wrote."), shape, correlation)
        case _:
            return None
