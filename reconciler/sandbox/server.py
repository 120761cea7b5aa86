"""The embedded provider over HTTP/1.1 on the loopback interface, for clients in other processes."""

from __future__ import annotations

import contextlib
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from reconciler.sandbox.errors import ScimError
from reconciler.sandbox.messages import Request, Response, error_response
from reconciler.sandbox.service import SandboxService

_MAX_BODY = 10_000_000
_BODILESS = {204, 304}
_DRAIN_SECONDS = 0.2
_DRAIN_READS = 100


class SandboxServer:
    """A running server; also a context manager that stops it at the end."""

    def __init__(self, service: SandboxService, port: int) -> None:
        handler = type("Handler", (_Handler,), {"service": service})
        self._server = _Server(("127.0.0.1", port), handler)
        self.port: int = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def wait(self) -> None:
        """Block until the server is stopped by another thread or the program is interrupted."""
        while self._thread.is_alive():
            self._thread.join(0.5)

    def stop(self) -> None:
        """Take no more requests and free the port; the service stays open. May be called again."""
        self._server.shutdown()
        self._server.close_kept_connections()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> SandboxServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def serve(service: SandboxService, port: int = 0) -> SandboxServer:
    """Start answering on 127.0.0.1; port 0 takes a free one. Raises OSError when the port is taken."""
    return SandboxServer(service, port)


class _Server(ThreadingHTTPServer):
    """One thread a connection; stopping lets requests under way end and closes connections that are kept open."""

    daemon_threads = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self._connections: set[socket.socket] = set()
        super().__init__(address, handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    def close_kept_connections(self) -> None:
        for connection in list(self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RD)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "reconciler-sandbox"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = -1
    service: SandboxService

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_PUT(self) -> None:
        self._answer()

    def do_PATCH(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def log_message(self, format: str, *args: Any) -> None:
        """Stay quiet: requests may carry personal data."""

    def _answer(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > _MAX_BODY or "Transfer-Encoding" in self.headers:
            self.close_connection = True
            self._send(error_response(ScimError(413, f"A body has a Content-Length of at most {_MAX_BODY} bytes.")))
            self._drain()
            return
        host = self.headers.get("Host") or f"127.0.0.1:{self.connection.getsockname()[1]}"
        request = Request(
            method=self.command,
            target=self.path,
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(int(length)),
            origin=f"http://{host}",
        )
        answer = self.service.handle(request)
        if answer.dropped:
            self.close_connection = True
        else:
            self._send(answer)

    def _send(self, answer: Response) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status not in _BODILESS:
            self.send_header("Content-Length", str(len(answer.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if answer.status not in _BODILESS:
            self.wfile.write(answer.body)
        self.wfile.flush()

    def _drain(self) -> None:
        """Read on for a moment: closing on unread bytes resets the connection, and the answer may be lost with it."""
        self.connection.settimeout(_DRAIN_SECONDS)
        with contextlib.suppress(OSError):
            for _ in range(_DRAIN_READS):
                if not self.connection.recv(65_536):
                    return
