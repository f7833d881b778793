"""A small HTTP server on loopback that answers from a table of pages."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Generator


@dataclass
class Page:
    """What a path answers."""

    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict[str, str])
    status: int = 200
    needs: str = ""
    """the authorization header without which 401 is answered"""


@dataclass
class FileServer:
    """The pages, by path without query, and what was asked for."""

    host: str
    pages: dict[str, Page] = field(default_factory=dict[str, Page])
    refusal: Page = field(default_factory=lambda: Page(status=401))
    """answered where authorization is missing"""
    asked: list[str] = field(default_factory=list[str])

    def answer(self, method: str, target: str, authorization: str) -> Page:
        """Look a page up."""
        path = urlsplit(target).path
        self.asked.append(f"{method} {path}")
        page = self.pages.get(path, Page(b"not here", status=404))
        return self.refusal if page.needs not in {"", authorization} else page


@contextmanager
def serving() -> Generator[FileServer]:
    """Run a server until the block is left."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as http:
        http.daemon_threads = True
        files = FileServer(f"127.0.0.1:{http.server_port}")
        http.files = files  # pyright: ignore[reportAttributeAccessIssue] - read by _Handler
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield files
        finally:
            http.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(send_body=True)

    def do_HEAD(self) -> None:
        self._answer(send_body=False)

    def _answer(self, *, send_body: bool) -> None:
        files: FileServer = self.server.files  # pyright: ignore[reportAttributeAccessIssue] - set where the server is made
        page = files.answer(self.command, self.path, self.headers.get("Authorization", ""))
        self.send_response(page.status)
        for name, value in page.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(page.body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        if send_body:
            self.wfile.write(page.body)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - inherited
        """Keep quiet."""
