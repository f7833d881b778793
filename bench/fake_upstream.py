"""An upstream that costs next to nothing: OpenAI-shaped answers from constants.

It answers at once; a stream begins at once and goes on at the pace that the prompt asks for, in
words that survive any gateway: `pace=20ms chunks=150`. A plain answer comes as late, and says it
has used as many tokens, as the prompt asks for: `after=500ms uses=1000`. Run it with a port: it
prints nothing.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from typing import cast

import httptools
import uvloop

MODEL = "fake"
_PACE = re.compile(rb"pace=(\d+)ms chunks=(\d+)")
_USES = re.compile(rb"after=(\d+)ms uses=(\d+)")
_USAGE = {"prompt_tokens": 42, "completion_tokens": 64, "total_tokens": 106}
_SHARED = {"id": "chatcmpl-0123456789abcdefghijklmnopqrs", "created": 1700000000, "model": MODEL}


def _plain(document: dict[str, object]) -> bytes:
    body = json.dumps(document).encode()
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    return head % len(body) + body


def _message(completion_tokens: int = _USAGE["completion_tokens"]) -> bytes:
    usage = _usage(completion_tokens)
    message = {"role": "assistant", "content": "All work and no play. " * 10, "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    return _plain({**_SHARED, "object": "chat.completion", "choices": [choice], "usage": usage})


def _usage(completion_tokens: int) -> dict[str, int]:
    prompt_tokens = _USAGE["prompt_tokens"]
    return {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "total_tokens": prompt_tokens + completion_tokens,
    }


def _chunk(choices: list[dict[str, object]], usage: object = None) -> bytes:
    document = {
        **_SHARED,
        "object": "chat.completion.chunk",
        "system_fingerprint": "fp_0123456789",
        "choices": choices,
        "usage": usage,
    }
    return _framed(json.dumps(document, separators=(",", ":")).encode())


def _framed(payload: bytes) -> bytes:
    event = b"data: " + payload + b"\n\n"
    return b"%x\r\n%s\r\n" % (len(event), event)


def _delta(delta: dict[str, str], finish: str | None = None) -> bytes:
    return _chunk([{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}])


MODELS = _plain({"object": "list", "data": [{"id": MODEL, "object": "model", "owned_by": "bench"}]})
MESSAGE = _message()
STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
)
ROLE = _delta({"role": "assistant", "content": ""})
WORD = _delta({"content": " word"})
STREAM_END = (
    _delta({}, "stop") + _chunk([], {**_USAGE, "completion_tokens": 64}) + _framed(b"[DONE]")
) + b"0\r\n\r\n"


class FakeUpstream(asyncio.Protocol):
    """One connection; requests on it come one after the other."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpRequestParser(self)
        self._body = b""
        self._left = 0
        self._pace_s = 0.0
        self._next_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are of no such class

    def data_received(self, data: bytes) -> None:
        """Parse."""
        self._parser.feed_data(data)

    def on_message_begin(self) -> None:
        """Forget the last request's body."""
        self._body = b""

    def on_body(self, body: bytes) -> None:
        """Keep it: it says what to answer."""
        self._body = self._body + body if self._body else body

    def on_message_complete(self) -> None:
        """Answer."""
        body = self._body
        if not body:
            self._transport.write(MODELS)
        elif b'"stream":true' in body or b'"stream": true' in body:
            pace = _PACE.search(body)
            self._pace_s = int(pace[1]) / 1000 if pace else 0.0
            self._left = int(pace[2]) if pace else 16
            self._next_at = self._loop.time()
            self._transport.write(STREAM_HEAD + ROLE + WORD)
            self._go_on()
        elif wanted := _USES.search(body):
            self._loop.call_later(int(wanted[1]) / 1000, self._answer, _message(int(wanted[2])))
        else:
            self._transport.write(MESSAGE)

    def _answer(self, message: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(message)

    def _go_on(self) -> None:
        self._left -= 1
        self._next_at += self._pace_s
        self._loop.call_at(self._next_at, self._tick)

    def _tick(self) -> None:
        if self._transport.is_closing():
            return
        if self._left > 0:
            self._transport.write(WORD)
            self._go_on()
        else:
            self._transport.write(STREAM_END)


async def serve(port: int) -> None:
    """Serve on loopback until the process is ended."""
    server = await asyncio.get_running_loop().create_server(
        FakeUpstream, "127.0.0.1", port, backlog=4096
    )
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
