"""A receiver of webhooks: a real server on loopback that checks signatures and answers as told."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
from base64 import b64decode, b64encode
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = "whsec_" + b64encode(b"a secret of thirty-two bytes....").decode()


class Received(NamedTuple):
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:  # noqa: ANN401 - JSON
        """The body, read."""
        return json.loads(self.body)

    def is_signed_with(self, secret: str) -> bool:
        """Whether one of the signatures is right; a second implementation, by the standard."""
        key = b64decode(secret.removeprefix("whsec_"))
        head = f"{self.headers['webhook-id']}.{self.headers['webhook-timestamp']}.".encode()
        wanted = b64encode(hmac.new(key, head + self.body, hashlib.sha256).digest()).decode()
        return f"v1,{wanted}" in self.headers["webhook-signature"].split(" ")


class Receiver:
    """What it got, and the statuses that it answers with; 204 once they are used up."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.received: list[Received] = []
        self.statuses: list[int] = []
        self.headers: dict[str, str] = {}
        """sent along with the answers"""

    def wait_for(self, count: int, within_s: float = 10.0) -> list[Received]:
        """What has come, once there is so much of it."""
        until = time.monotonic() + within_s
        while len(self.received) < count:
            assert time.monotonic() < until, f"only {len(self.received)} of {count} came"
            time.sleep(0.01)
        return self.received


@contextmanager
def webhook_receiver(port: int = 0) -> Iterator[Receiver]:
    """Runs on a free port of 127.0.0.1, or on the one given."""
    receiver: Receiver

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status = receiver.statuses.pop(0) if receiver.statuses else 204
            receiver.received.append(Received(self.path, headers, body))
            self.send_response(status)
            for name, value in receiver.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    receiver = Receiver(f"http://127.0.0.1:{server.server_port}/hook")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
