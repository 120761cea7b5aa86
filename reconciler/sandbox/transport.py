"""The embedded provider behind httpx's transport seam: requests are answered in process, without sockets.

The one module here that knows httpx.
"""

from __future__ import annotations

import httpx

from reconciler.sandbox.messages import Request
from reconciler.sandbox.service import SandboxService


class SandboxTransport(httpx.BaseTransport):
    """Hands every request to a service; closing the transport leaves the service open."""

    def __init__(self, service: SandboxService) -> None:
        self._service = service

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request as the provider would over HTTP; raises httpx.ReadError for an answer that is dropped."""
        url = request.url
        answer = self._service.handle(
            Request(
                method=request.method,
                target=url.raw_path.decode("ascii"),
                headers={name.lower(): value for name, value in request.headers.items()},
                body=request.read(),
                origin=f"{url.scheme}://{url.netloc.decode('ascii')}",
            )
        )
        if answer.dropped:
            raise httpx.ReadError("the connection was closed before an answer came", request=request)
        return httpx.Response(answer.status, headers=dict(answer.headers), content=answer.body, request=request)
