"""An issuer's own server: real https, whose answers a test chooses."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from tests.token_signer import Signer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.authority import Authority

CONFIGURATION = "/.well-known/openid-configuration"
KEYS = "/keys"


class ExternalIssuer:
    """What it answers by path, and what it was asked."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.signer = Signer(url)
        self.asked: list[tuple[str, str]] = []
        """path and `authorization` of each request"""
        self.gate = threading.Event()
        """answers wait for it"""
        self.gate.set()
        self.answers: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.publish(CONFIGURATION, {"issuer": url, "jwks_uri": f"{url}{KEYS}"})
        self.publish(KEYS, self.signer.key_set)

    def publish(
        self,
        path: str,
        document: object,
        status: int = 200,
        **headers: str,
    ) -> None:
        """Answer a path with any JSON, or bytes as they are."""
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.answers[path] = (status, headers, body)

    def count(self, path: str) -> int:
        """How often a path was asked for."""
        return sum(asked == path for asked, _ in self.asked)


@contextmanager
def external_issuer(authority: Authority) -> Iterator[ExternalIssuer]:
    """Runs on a free port of 127.0.0.1 under a certificate of the authority's."""
    issuer: ExternalIssuer

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            issuer.asked.append((self.path, self.headers.get("authorization", "")))
            issuer.gate.wait(30)
            status, headers, body = issuer.answers.get(self.path, (404, {}, b"{}"))
            self.send_response(status)
            for name, value in {"content-length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *_: object) -> None:  # noqa: A002 - the base's name
            """Nothing."""

    server = Quiet(("127.0.0.1", 0), Handler)
    server.socket = authority.server_context("127.0.0.1").wrap_socket(
        server.socket, server_side=True, do_handshake_on_connect=False
    )
    issuer = ExternalIssuer(f"https://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield issuer
    finally:
        issuer.gate.set()
        server.shutdown()
        thread.join()
        server.server_close()


class Quiet(ThreadingHTTPServer):
    """Clients that leave are nothing to tell."""

    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Nothing."""
