"""An HTTP server of a test's own: a handler, a thread, a free port on loopback."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from http.server import BaseHTTPRequestHandler


@contextmanager
def answering(handler: type[BaseHTTPRequestHandler], **known: object) -> Iterator[str]:
    """The URL at which it answers while the context is open; `known` are the handler's own."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Of", (handler,), known))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
