"""An endpoint of somebody else: a real HTTP server that answers as it is told and keeps count."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator


@dataclass
class Request:
    """What came in."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]


@dataclass
class Answer:
    """What goes out: events of a stream, or a body."""

    events: list[str] = field(default_factory=list)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""


@dataclass
class EndpointServer:
    """A server that gives `answers` in turn, the last one again and again."""

    url: str
    answers: list[Answer]
    requests: list[Request] = field(default_factory=list)


def said(*texts: str, finish: str = "stop", usage: tuple[int, int] | None = None) -> Answer:
    """A chat answer in pieces."""
    events = [json.dumps({"choices": [{"index": 0, "delta": {"content": t}}]}) for t in texts]
    events.append(json.dumps({"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]}))
    if usage is not None:
        counts = {"prompt_tokens": usage[0], "completion_tokens": usage[1]}
        events.append(json.dumps({"choices": [], "usage": counts}))
    return Answer(events=[*events, "[DONE]"])


def refused(status: int, error: dict[str, Any], **headers: str) -> Answer:
    """An error in the usual form."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status=status, body=json.dumps({"error": error}), headers=named)


@contextmanager
def endpoint_server(
    *answers: Answer, tls: ssl.SSLContext | None = None
) -> Iterator[EndpointServer]:
    """Serve on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._reply({})

        def do_POST(self) -> None:
            length = int(self.headers["content-length"])
            self._reply(json.loads(self.rfile.read(length)))

        def _reply(self, body: dict[str, Any]) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            served.requests.append(Request(self.path, headers, body))
            answer = served.answers.pop(0) if len(served.answers) > 1 else served.answers[0]
            text = "".join(f"data: {event}\n\n" for event in answer.events) or answer.body
            data = text.encode()
            kind = "text/event-stream" if answer.events else "application/json"
            self.send_response(answer.status)
            for name, value in {"content-type": kind, **answer.headers}.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
            """Keep the test's output clean."""

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.daemon_threads = True
    if tls is not None:
        httpd.socket = tls.wrap_socket(httpd.socket, server_side=True)
    scheme = "http" if tls is None else "https"
    served = EndpointServer(f"{scheme}://127.0.0.1:{httpd.server_port}", list(answers))
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield served
    finally:
        httpd.shutdown()
        thread.join()
        httpd.server_close()
