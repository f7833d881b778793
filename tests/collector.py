"""A collector of OpenTelemetry that tests stand up: takes OTLP over HTTP.

`opentelemetry-proto` are the types that collectors are made of: what it reads, they can read.
"""

from __future__ import annotations

import gzip
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

REQUESTS: dict[str, Any] = {
    "/v1/metrics": ExportMetricsServiceRequest,
    "/v1/logs": ExportLogsServiceRequest,
    "/v1/traces": ExportTraceServiceRequest,
}


class Collector:
    """Use it as a context. `answers` are given in turn, then 200: a status, headers and a body."""

    def __init__(self, port: int = 0) -> None:
        self.taken: list[Any] = []
        """what was answered with 200, decoded"""
        self.refused = 0
        self.headers: list[Mapping[str, str]] = []
        self.answers: list[tuple[int, dict[str, str], bytes]] = []
        self.arrived = threading.Condition()
        collector = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                status, headers, answer = collector.take(self.path, dict(self.headers), body)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(answer)))
                self.send_header("connection", "close")  # or it would answer when it has ended
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def port(self) -> int:
        """Where it listens, on loopback."""
        return self._server.server_address[1]

    @property
    def url(self) -> str:
        """What goes into `otlp.endpoint`."""
        return f"http://127.0.0.1:{self.port}"

    def take(
        self, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        """Read one export, and answer."""
        if headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        assert headers["content-type"] == "application/x-protobuf"
        answer = self.answers.pop(0) if self.answers else (200, {}, b"")
        with self.arrived:
            if answer[0] == 200:
                self.taken.append(REQUESTS[path].FromString(body))
            else:
                self.refused += 1
            self.headers.append(headers)
            self.arrived.notify_all()
        return answer

    def wait_for(self, exports: int, timeout_s: float = 10.0) -> list[Any]:
        """What was taken, once there are so many of them."""
        with self.arrived:
            came = self.arrived.wait_for(lambda: len(self.taken) >= exports, timeout_s)
        assert came, f"{len(self.taken)} of {exports} exports came within {timeout_s} s"
        return self.taken

    def __enter__(self) -> Self:
        """Listen."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
