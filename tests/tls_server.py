"""A server over real TLS that tests stand up: a function answers its requests."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from email.message import Message

    from tests.authority import Authority


class Request(NamedTuple):
    """What was asked."""

    method: str
    path: str
    headers: Message
    body: bytes


Answer = tuple[int, dict[str, str], bytes]
"""status, headers (the length of the body is added where it is missing), body"""


@contextmanager
def tls_server(authority: Authority, answer: Callable[[Request], Answer]) -> Iterator[str]:
    """Runs on a free port of 127.0.0.1 under a certificate of the authority's; gives its origin.

    `answer` is called in a thread of the connection, not before somebody knows the origin.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            asked = Request(self.command, self.path, self.headers, body)
            status, headers, content = answer(asked)
            self.send_response(status)
            for name, value in {"content-length": str(len(content)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *_: object) -> None:  # noqa: A002 - the base's name
            """Nothing."""

    server = _Server(("127.0.0.1", 0), Handler)
    server.socket = authority.server_context("127.0.0.1").wrap_socket(
        server.socket, server_side=True, do_handshake_on_connect=False
    )
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    """Clients that leave are nothing to tell."""

    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Nothing."""
