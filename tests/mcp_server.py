"""An MCP server for tests, as a process: `python -m tests.mcp_server HOME` prints its port.

By path: `/session` wants a handshake, gives sessions and answers in events; `/plain` wants a
handshake and answers in JSON; `/modern` is of 2026-07-28; the others are hostile or broken.
What was called, and every request's headers, stand in files of HOME, one JSON a line.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

MODERN, HANDSHAKE = "2026-07-28", "2025-06-18"
META = "io.modelcontextprotocol/protocolVersion"
NUMBERS = {"type": "object", "properties": {"a": {"type": "number"}, "b": {"type": "number"}}}
TEXT = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
TOOLS: list[dict[str, Any]] = [
    {
        "name": "add",
        "description": "Adds two numbers.",
        "inputSchema": NUMBERS | {"required": ["a", "b"]},
        "annotations": {"readOnlyHint": True},
    },
    {"name": "note", "description": "Writes a text down.", "inputSchema": TEXT},
    {"name": "fail", "description": "Goes wrong.", "inputSchema": {"type": "object"}},
    {"name": "files.list", "description": "Lists files.", "inputSchema": {"type": "object"}},
]
SLOW_S = 1.5


class McpHandler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    wbufsize = 64 * 1024  # head and body in one write: in two, the second waits for an ACK
    home: Path
    sessions: set[str] = set()  # noqa: RUF012 - one process, one server

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        """Say nothing."""

    def do_DELETE(self) -> None:
        """A session ends."""
        self._noted("requests", {"path": self.path, "method": "DELETE"})
        self.sessions.discard(self.headers.get("mcp-session-id", ""))
        self._json(200, {})

    def do_POST(self) -> None:
        """One message."""
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        asked: dict[str, Any] = json.loads(body)
        headers = {name.lower(): value for name, value in self.headers.items()}
        self._noted("requests", {"path": self.path, "headers": headers, "asked": asked})
        kind = self.path.partition("?")[0].strip("/")
        if kind in HOSTILE:
            HOSTILE[kind](self, asked)
        elif "id" not in asked or "method" not in asked:
            self._json(202, None)
        elif kind == "modern":
            self._modern(asked)
        else:
            self._with_handshake(asked, kind)

    def _modern(self, asked: dict[str, Any]) -> None:
        params = asked.get("params", {})
        if params.get("_meta", {}).get(META) != MODERN:
            data = {"supported": [MODERN]}
            self._error(400, asked, -32022, "Unsupported protocol version", data)
        elif self.headers.get("mcp-method") != asked["method"]:
            self._error(400, asked, -32020, "Header mismatch")
        elif asked["method"] == "server/discover":
            self._result(asked, {"supportedVersions": [MODERN], "capabilities": {"tools": {}}})
        else:
            self._answer(asked)

    def _with_handshake(self, asked: dict[str, Any], kind: str) -> None:
        method = asked["method"]
        if method == "initialize":
            self._result(asked, {"protocolVersion": HANDSHAKE, "capabilities": {"tools": {}}})
        elif method == "server/discover" or "mcp-protocol-version" not in self.headers:
            self._error(400, asked, -32000, "Bad Request: Server not initialized")
        elif kind == "session" and self.headers.get("mcp-session-id") not in self.sessions:
            self._error(404, asked, -32001, "Session not found")
        else:
            self._answer(asked)

    def _answer(self, asked: dict[str, Any]) -> None:
        if asked["method"] == "tools/list":
            first = "cursor" not in asked.get("params", {})
            page = {"tools": TOOLS[:2], "nextCursor": "2"} if first else {"tools": TOOLS[2:]}
            self._result(asked, page)
        elif asked["method"] == "tools/call":
            self._call(asked)
        else:
            self._error(200, asked, -32601, "Method not found")

    def _call(self, asked: dict[str, Any]) -> None:
        name, arguments = asked["params"]["name"], asked["params"]["arguments"]
        self._noted("calls", {"name": name, "arguments": arguments})
        if "slow" in self.path:
            time.sleep(SLOW_S)
        if name == "add":
            self._text(asked, str(arguments["a"] + arguments["b"]))
        elif name == "note":
            self._text(asked, f"Written down: {arguments['text']}")
        elif name == "fail":
            self._text(asked, "It went wrong.", error=True)
        else:
            self._error(200, asked, -32602, f"Unknown tool: {name}")

    def _text(self, asked: dict[str, Any], text: str, *, error: bool = False) -> None:
        content = [{"type": "text", "text": text}]
        self._result(asked, {"content": content, "isError": error, "resultType": "complete"})

    def _result(self, asked: dict[str, Any], result: dict[str, Any]) -> None:
        message = {"jsonrpc": "2.0", "id": asked["id"], "result": result}
        if not self.path.startswith("/session"):
            self._json(200, message)
            return
        progress = {"jsonrpc": "2.0", "method": "notifications/progress", "params": {}}
        ping = {"jsonrpc": "2.0", "id": "p1", "method": "ping"}
        frames = [
            f"event: message\r\ndata: {json.dumps(each)}\r\n\r\n" for each in (progress, ping)
        ]
        frames.append(f"id: 7\nevent: message\ndata: {json.dumps(message)}\n\n")
        self._events("".join(frames).encode(), session=asked["method"] == "initialize")

    def _events(self, data: bytes, *, session: bool = False) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        if session:
            made = f"s-{len(self.sessions)}-{time.monotonic_ns()}"
            self.sessions.add(made)
            self.send_header("Mcp-Session-Id", made)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _error(
        self, status: int, asked: dict[str, Any], code: int, message: str, data: object = None
    ) -> None:
        told = {"code": code, "message": message} | ({"data": data} if data else {})
        self._json(status, {"jsonrpc": "2.0", "id": asked.get("id"), "error": told})

    def _json(self, status: int, told: object) -> None:
        data = b"" if told is None else json.dumps(told).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _noted(self, name: str, told: object) -> None:
        with (self.home / f"{name}.jsonl").open("a") as lines:
            lines.write(json.dumps(told) + "\n")

    # Those that mean ill.

    def endless(self, asked: dict[str, Any]) -> None:
        """Events without end."""
        del asked
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        note = b'data: {"jsonrpc":"2.0","method":"notifications/message","params":{}}\n\n'
        try:
            while True:
                self.wfile.write(note * 1000)
        except OSError:
            self.close_connection = True

    def silent(self, asked: dict[str, Any]) -> None:
        """No answer, until the other side leaves."""
        del asked
        time.sleep(SLOW_S)
        self.close_connection = True

    def page(self, asked: dict[str, Any]) -> None:
        """A web page."""
        del asked
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.send_header("content-length", "6")
        self.end_headers()
        self.wfile.write(b"<html>")

    def moved(self, asked: dict[str, Any]) -> None:
        """A redirect to where nobody should go."""
        del asked
        self.send_response(307)
        self.send_header("location", "http://169.254.169.254/latest")
        self.send_header("content-length", "0")
        self.end_headers()

    def denied(self, asked: dict[str, Any]) -> None:
        """Wants other credentials."""
        self._error(401, asked, -32001, "Unauthorized")

    def deep(self, asked: dict[str, Any]) -> None:
        """JSON nested too deeply."""
        del asked
        data = b'{"jsonrpc":"2.0","id":1,"result":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def nested(self, asked: dict[str, Any]) -> None:
        """JSON that can be read, and hardly be written with something around it."""
        if asked["method"] != "tools/call":
            self._modern(asked)
            return
        value: list[Any] = []
        for _ in range(900):
            value = [value]
        self._result(asked, {"content": [{"type": "x", "x": value}], "isError": True})

    def pages(self, asked: dict[str, Any]) -> None:
        """A list of tools on pages without end, none of them too long."""
        if asked["method"] != "tools/list":
            self._modern(asked)
            return
        tool = {"name": "t", "annotations": {"x": "x" * 30_000}}
        self._noted("pages", {})
        self._result(asked, {"tools": [tool], "nextCursor": "more"})

    def breaks(self, asked: dict[str, Any]) -> None:
        """Carries out a call, and dies before it answers."""
        if asked["method"] != "tools/call":
            self._modern(asked)
            return
        self._noted("broken", asked["params"])
        self.close_connection = True


HOSTILE = {
    "endless": McpHandler.endless,
    "silent": McpHandler.silent,
    "page": McpHandler.page,
    "moved": McpHandler.moved,
    "denied": McpHandler.denied,
    "deep": McpHandler.deep,
    "nested": McpHandler.nested,
    "pages": McpHandler.pages,
    "breaks": McpHandler.breaks,
}


def main() -> None:
    """Serve until killed."""
    McpHandler.home = Path(sys.argv[1])
    server = ThreadingHTTPServer(("127.0.0.1", 0), McpHandler)
    print(server.server_address[1], flush=True)
    server.serve_forever()


@contextmanager
def running(home: Path) -> Iterator[str]:
    """One in a process of its own, by its URL."""
    command = [sys.executable, "-m", "tests.mcp_server", str(home)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.kill()


if __name__ == "__main__":
    main()
