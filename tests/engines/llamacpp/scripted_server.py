"""A server on a unix socket that answers as llama.cpp would, with what a test tells it to.

For what a real model does not do on demand: write a certain text, break off, answer nonsense.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from linarite.domain.engine import Capabilities
from linarite.engines.llamacpp.loaded_model import LoadedModel
from linarite.engines.llamacpp.options import LlamacppOptions
from linarite.engines.llamacpp.socket_client import SocketClient
from linarite.engines.llamacpp.wire import Properties, TemplateAbilities

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

Reply = bytes | list[bytes]
"""a whole answer with its head, or server-sent events; b"…" as an event cuts the connection"""

CUT = b"\x00cut"
STALL = b"\x00stall"


class ScriptedServer:
    """Answers each path with the replies scripted for it, in order; the last one is repeated."""

    def __init__(self, replies: Mapping[str, Sequence[Reply]]) -> None:
        self._replies = {path: list(scripted) for path, scripted in replies.items()}
        self.asked: list[tuple[str, dict[str, Any]]] = []
        """paths and bodies, as they came"""
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._active = 0
        self.left_early = 0
        """connections that the other side closed before the answer was complete"""

    def bodies(self, path: str) -> list[dict[str, Any]]:
        """What was posted to a path."""
        return [body for asked, body in self.asked if asked == path]

    async def until_quiet(self) -> None:
        """Return once no connection is open."""
        await self._quiet.wait()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request and close."""
        self._active += 1
        self._quiet.clear()
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            path = head.split(b" ")[1].decode()
            length = next(
                (
                    int(line[15:])
                    for line in head.split(b"\r\n")
                    if line.startswith(b"content-length:")
                ),
                0,
            )
            body = await reader.readexactly(length)
            self.asked.append((path, json.loads(body) if body else {}))
            scripted = self._replies[path]
            await self._write(scripted.pop(0) if len(scripted) > 1 else scripted[0], reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            self.left_early += 1
        finally:
            writer.close()
            self._active -= 1
            if not self._active:
                self._quiet.set()

    async def _write(
        self, reply: Reply, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if isinstance(reply, bytes):
            writer.write(reply)
            await writer.drain()
            return
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        for event in reply:
            if event == CUT:
                return
            if event == STALL:
                # Until the other side has had enough.
                await reader.read()
                raise ConnectionResetError
            data = b"data: " + event + b"\n\n"
            writer.write(b"%x\r\n%b\r\n" % (len(data), data))
            await writer.drain()
        writer.write(b"0\r\n\r\n")


def whole(body: object, status: int = 200) -> bytes:
    """A whole answer of JSON."""
    data = json.dumps(body).encode()
    head = f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {len(data)}"
    return head.encode() + b"\r\n\r\n" + data


def refusal(status: int, message: str, **more: object) -> bytes:
    """llama.cpp's way to refuse."""
    kinds = {400: "invalid_request_error", 501: "not_supported_error", 503: "unavailable_error"}
    error = {"code": status, "message": message, "type": kinds.get(status, "server_error"), **more}
    return whole({"error": error}, status)


def completion(*texts: str, prompt: int = 5, stop_type: str = "eos") -> list[bytes]:
    """The events of `/completion`."""
    progress = {"prompt_progress": {"total": prompt, "cache": 0}, "tokens_evaluated": prompt}
    events: list[dict[str, Any]] = [{"content": "", **progress}]
    for number, text in enumerate(texts, 1):
        events.append({"content": text, "tokens_predicted": number, "tokens_evaluated": prompt})
    last = {"content": "", "stop": True, "stop_type": stop_type, "tokens_predicted": len(texts)}
    events.append({**last, "tokens_evaluated": prompt, "timings": {"cache_n": 2}})
    return [json.dumps(event).encode() for event in events]


def chat(*texts: str, finish: str = "stop") -> list[bytes]:
    """The events of `/v1/chat/completions`."""
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": None}]
    deltas += [{"content": text} for text in texts]
    events: list[dict[str, Any]] = [{"choices": [{"index": 0, "delta": delta}]} for delta in deltas]
    events.append({"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
    usage = {"prompt_tokens": 7, "completion_tokens": len(texts), "total_tokens": 7 + len(texts)}
    events.append({"choices": [], "usage": usage})
    return [*(json.dumps(event).encode() for event in events), b"[DONE]"]


@asynccontextmanager
async def scripted_model(
    replies: Mapping[str, Sequence[Reply]], *, knows_tools: bool = True, **options: float
) -> AsyncIterator[tuple[LoadedModel, ScriptedServer]]:
    """A model whose engine is the script."""
    server = ScriptedServer(replies)
    typed = msgspec.convert(options, LlamacppOptions)
    with tempfile.TemporaryDirectory(prefix="scr") as folder:
        path = str(Path(folder) / "s.sock")
        client = SocketClient(path, typed, 16)
        listening = await asyncio.start_unix_server(server.serve, path)
        abilities = TemplateAbilities(knows_tools, knows_tools)
        try:
            yield (
                LoadedModel(
                    client,
                    typed,
                    Properties(chat_template_caps=abilities, bos_token="<s>"),
                    Capabilities(chat_completion=True, completion=True, context_tokens=1_000),
                ),
                server,
            )
        finally:
            await client.close()
            await server.until_quiet()
            listening.close()
            await listening.wait_closed()
