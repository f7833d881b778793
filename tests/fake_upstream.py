"""An OpenAI-compatible endpoint for tests: real HTTP, answers by script or by the simulator.

In the test's own process: `async with serving(FakeUpstream()) as base_url`.
As a process of its own, to be killed: `python -m tests.fake_upstream PORT`, which prints its base
URL and talks slowly enough for that.
"""

from __future__ import annotations

import asyncio
import base64
import socket
import sys
import tempfile
import time
from collections import deque
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import uvicorn

from linarite.domain.chat import ChatAsk, ChatChoice, ChatEvent
from linarite.domain.completion import CompletionAsk, CompletionChoice, CompletionEvent
from linarite.domain.embedding import EmbeddingAsk
from linarite.domain.engine import InstanceSpec, Surroundings
from linarite.domain.errors import LinariteError, ModelError
from linarite.engines.simulator.engine import SimulatorEngine
from tests.engines.no_dialer import NoDialer

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

encode = msgspec.json.encode
JSON = "application/json"
EVENTS = "text/event-stream"


@dataclass
class Seen:
    """A request as it came."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: Any


@dataclass
class Answering:
    """A request under way, for a behaviour to answer."""

    seen: Seen
    send: Callable[[dict[str, Any]], Awaitable[None]]
    client_left: asyncio.Event

    async def head(self, status: int, content_type: str, headers: dict[str, str]) -> None:
        """Send status and headers."""
        lines = {"content-type": content_type, **headers}
        raw = [(name.encode(), value.encode()) for name, value in lines.items()]
        await self.send({"type": "http.response.start", "status": status, "headers": raw})

    async def piece(self, data: bytes, *, more: bool = True) -> None:
        """Send a piece of the body."""
        await self.send({"type": "http.response.body", "body": data, "more_body": more})


@dataclass
class FakeUpstream:
    """The ASGI application. `script` is used up first, one behaviour a request."""

    script: deque[Callable[[Answering], Awaitable[None]]] = field(default_factory=deque)
    always: Callable[[Answering], Awaitable[None]] | None = None
    """what happens to requests beyond the script; None: the simulator answers"""
    seen: list[Seen] = field(default_factory=list)
    active: int = 0
    """requests under way"""
    left: int = 0
    """requests whose client went before they were answered"""
    simulator: SimulatorEngine | None = None
    tokens_per_second: float = 0.0
    """the simulator's pace; 0 is as fast as possible"""

    async def __call__(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[dict[str, Any]]],
        send: Callable[[dict[str, Any]], Awaitable[None]],
    ) -> None:
        """Answer one request."""
        seen = await _read(scope, receive)
        self.seen.append(seen)
        behaviour = self.script.popleft() if self.script else self.always or self.simulate
        answering = Answering(seen, send, asyncio.Event())
        work = asyncio.create_task(_run(behaviour, answering))
        watch = asyncio.create_task(self._watch(receive, answering, work))
        self.active += 1
        try:
            await asyncio.wait({work, watch}, return_when=asyncio.FIRST_COMPLETED)
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
        finally:
            self.active -= 1
            watch.cancel()
        if not work.cancelled() and isinstance(work.exception(), CutOff):
            raise CutOff

    async def _watch(
        self,
        receive: Callable[[], Awaitable[dict[str, Any]]],
        answering: Answering,
        work: asyncio.Task[None],
    ) -> None:
        """Note when the client goes before it has its answer."""
        while (await receive())["type"] != "http.disconnect":
            pass
        self.left += not work.done()
        answering.client_left.set()

    async def simulate(self, answering: Answering) -> None:
        """Answer as the simulator does, in OpenAI's shapes."""
        if self.simulator is None:
            scratch = Path(tempfile.gettempdir())
            options = {"context_tokens": 2_000, "tokens_per_second": self.tokens_per_second}
            spec = InstanceSpec("upstream", "simulator", "sim", options=options)
            self.simulator = SimulatorEngine(spec, Surroundings(scratch, NoDialer(), threads=1))
            await self.simulator.start(lambda _share, _what: None)
        try:
            await _simulated(self.simulator, answering)
        except LinariteError as error:
            param = error.param if isinstance(error, ModelError) else None
            shown = {"message": error.message, "type": None, "param": param, "code": error.code}
            await answering.head(error.status, JSON, error.headers)
            await answering.piece(encode({"error": shown}), more=False)


class CutOff(Exception):
    """The server closes the connection in the middle of the answer."""


# Behaviours.


def plain(
    body: object, status: int = 200, headers: dict[str, str] | None = None
) -> Callable[[Answering], Awaitable[None]]:
    """Answer with this JSON, or these bytes."""

    async def behave(answering: Answering) -> None:
        await answering.head(status, JSON, headers or {})
        await answering.piece(body if isinstance(body, bytes) else encode(body), more=False)

    return behave


def refusal(
    status: int, code: str | None = None, headers: dict[str, str] | None = None
) -> Callable[[Answering], Awaitable[None]]:
    """Refuse in OpenAI's shape."""
    error = {"message": f"no ({status})", "type": "some_type", "param": "p", "code": code}
    return plain({"error": error}, status, headers)


def stream(
    *payloads: object, done: bool = True, cut: bool = False, then_stall: bool = False
) -> Callable[[Answering], Awaitable[None]]:
    """Stream these as events, each a JSON value or the bytes of a whole event."""

    async def behave(answering: Answering) -> None:
        await answering.head(200, EVENTS, {})
        for payload in payloads:
            is_raw = isinstance(payload, bytes)
            event = payload if is_raw else b"data: " + encode(payload) + b"\n\n"
            await answering.piece(event)
        if cut:
            raise CutOff
        if then_stall:
            await answering.client_left.wait()
        await answering.piece(b"data: [DONE]\n\n" if done else b"", more=False)

    return behave


async def stall(answering: Answering) -> None:
    """Never answer."""
    await answering.client_left.wait()


async def cut_plain(answering: Answering) -> None:
    """Close the connection in the middle of a plain answer."""
    await answering.head(200, JSON, {"content-length": "1000"})
    await answering.piece(b'{"choices":[')
    raise CutOff


def slow_head(seconds: float) -> Callable[[Answering], Awaitable[None]]:
    """Take this long before the answer begins."""

    async def behave(answering: Answering) -> None:
        await asyncio.sleep(seconds)
        await plain(chat_answer("slow"))(answering)

    return behave


def chat_answer(text: str) -> dict[str, Any]:
    """A plain answer to a chat."""
    message = {"role": "assistant", "content": text}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
    }


def chat_piece(text: str | None = None, finish: str | None = None) -> dict[str, Any]:
    """A piece of a streamed answer to a chat."""
    delta = {} if text is None else {"content": text}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}],
        "usage": None,
    }


# Serving.


@asynccontextmanager
async def serving(
    app: FakeUpstream, *, certificate: Path | None = None, port: int = 0
) -> AsyncGenerator[str, None]:
    """Serve on 127.0.0.1; gives the base URL, without a path."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    config = uvicorn.Config(
        app,
        log_config=None,
        lifespan="off",
        ssl_certfile=certificate,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.005)
    scheme = "https" if certificate else "http"
    try:
        yield f"{scheme}://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await running
        listener.close()
        if app.simulator is not None:
            await app.simulator.stop(0)


async def _read(scope: dict[str, Any], receive: Callable[[], Awaitable[dict[str, Any]]]) -> Seen:
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    return Seen(
        method=scope["method"],
        path=scope["path"],
        query=scope["query_string"].decode(),
        headers={name.decode(): value.decode() for name, value in scope["headers"]},
        body=msgspec.json.decode(body) if body else None,
    )


async def _run(behaviour: Callable[[Answering], Awaitable[None]], answering: Answering) -> None:
    await behaviour(answering)


async def _simulated(simulator: SimulatorEngine, answering: Answering) -> None:
    operation = answering.seen.path.rstrip("/").rpartition("/")[2]
    body = answering.seen.body
    if operation == "models":
        await plain({"object": "list", "data": [{"id": "sim", "object": "model"}]})(answering)
    elif operation == "embeddings":
        await _embed(simulator, answering)
    elif answering.seen.path.rstrip("/").endswith("chat/completions"):
        events = simulator.chat(msgspec.convert(body, ChatAsk))
        await _tell(answering, events, "chat.completion")
    else:
        events = simulator.complete(msgspec.convert(body, CompletionAsk))
        await _tell(answering, events, "text_completion")


async def _embed(simulator: SimulatorEngine, answering: Answering) -> None:
    ask = msgspec.convert(answering.seen.body, EmbeddingAsk)
    event = await simulator.embed(ask)
    data = [
        {
            "object": "embedding",
            "index": index,
            "embedding": base64.b64encode(vector).decode()
            if ask.encoding_format == "base64"
            else memoryview(vector).cast("f").tolist(),
        }
        for index, vector in enumerate(event.vectors)
    ]
    await plain({"object": "list", "data": data, "model": "sim", "usage": event.usage})(answering)


async def _tell(
    answering: Answering,
    events: AsyncGenerator[ChatEvent, None] | AsyncGenerator[CompletionEvent, None],
    kind: str,
) -> None:
    body = answering.seen.body
    head = {"id": "id-1", "created": int(time.time()), "model": "sim"}
    async with aclosing(events):
        if not body.get("stream"):
            choices: dict[int, dict[str, Any]] = {}
            usage = None
            async for event in events:
                for choice in event.choices:
                    _fold(choices, _shown(choice))
                usage = event.usage or usage
            whole = {**head, "object": kind, "choices": list(choices.values()), "usage": usage}
            await plain(whole)(answering)
            return
        wants_usage = (body.get("stream_options") or {}).get("include_usage")
        head["object"] = kind + (".chunk" if kind.startswith("chat") else "")
        begun = False
        async for event in events:
            if not begun:
                await answering.head(200, EVENTS, {})
                begun = True
            for choice in event.choices:
                chunk = {**head, "choices": [_shown(choice)]}
                await answering.piece(b"data: " + encode(chunk) + b"\n\n")
            if event.usage is not None and wants_usage:
                last = {**head, "choices": [], "usage": event.usage}
                await answering.piece(b"data: " + encode(last) + b"\n\n")
        await answering.piece(b"data: [DONE]\n\n", more=False)


def _shown(choice: ChatChoice | CompletionChoice) -> dict[str, Any]:
    """A choice as OpenAI shows it: every field, and none of Azure's content filter."""
    return {
        name: msgspec.to_builtins(getattr(choice, name))
        for name in choice.__struct_fields__
        if not name.startswith("content_filter")
    }


def _fold(choices: dict[int, dict[str, Any]], news: dict[str, Any]) -> None:
    """Add a piece of a choice to what there is of it."""
    index = news["index"]
    if "delta" not in news:
        choice = choices.setdefault(
            index, {"index": index, "text": "", "finish_reason": None, "logprobs": None}
        )
        choice["text"] += news["text"]
        if news["logprobs"]:
            kept = choice["logprobs"] or {name: [] for name in news["logprobs"]}
            choice["logprobs"] = {
                name: kept[name] + (new or []) for name, new in news["logprobs"].items()
            }
    else:
        choice = choices.setdefault(
            index,
            {"index": index, "message": {"role": "assistant", "content": None}, "logprobs": None},
        )
        _fold_delta(choice["message"], news["delta"])
        if news["logprobs"]:
            kept = choice["logprobs"] or {"content": [], "refusal": None}
            kept["content"] += news["logprobs"]["content"] or []
            choice["logprobs"] = kept
    choice["finish_reason"] = news["finish_reason"]


def _fold_delta(message: dict[str, Any], delta: dict[str, Any]) -> None:
    if delta.get("content") is not None:
        message["content"] = (message["content"] or "") + delta["content"]
    for piece in delta.get("tool_calls") or []:
        calls = message.setdefault("tool_calls", [])
        index = piece.get("index", 0)
        if index == len(calls):
            calls.append({"id": "", "type": "function", "function": {"name": "", "arguments": ""}})
        calls[index]["id"] += piece.get("id") or ""
        for name, value in (piece.get("function") or {}).items():
            calls[index]["function"][name] += value or ""
    if piece := delta.get("function_call"):
        call = message.setdefault("function_call", {"name": "", "arguments": ""})
        for name, value in piece.items():
            call[name] += value or ""


async def _main() -> None:
    async with serving(FakeUpstream(tokens_per_second=20), port=int(sys.argv[1])) as base_url:
        print(base_url, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_main())
