"""What the simulator's tests build: engines, requests, folded answers, a clock that jumps."""

from __future__ import annotations

import asyncio
import selectors
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from linarite.domain.chat import ChatAsk, ChatEvent
from linarite.domain.completion import CompletionAsk, CompletionEvent
from linarite.domain.engine import InstanceSpec, Surroundings
from linarite.engines.simulator.engine import SimulatorEngine
from tests.engines.no_dialer import NoDialer

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Coroutine

ResultT = TypeVar("ResultT")
EventT = TypeVar("EventT")


def simulator(**options: object) -> SimulatorEngine:
    """An engine that is not started yet."""
    spec = InstanceSpec(name="sim", engine="simulator", model="sim-model", options=options)
    return SimulatorEngine(spec, Surroundings(Path("/unused"), NoDialer(), threads=1))


@asynccontextmanager
async def running(**options: object) -> AsyncIterator[SimulatorEngine]:
    """A started engine, stopped at the end."""
    engine = simulator(**options)
    await engine.start(lambda _share, _what: None)
    try:
        yield engine
    finally:
        await engine.stop(0)


def chat_ask(text: str | list[dict[str, Any]], **fields: object) -> ChatAsk:
    """A chat of one user message, or of the messages given."""
    messages = [{"role": "user", "content": text}] if isinstance(text, str) else text
    return msgspec.convert({"messages": messages, **fields}, ChatAsk)


def function(name: str, description: str = "", **properties: object) -> dict[str, Any]:
    """A function whose properties are all required."""
    parameters = {"type": "object", "properties": properties, "required": list(properties)}
    return {"name": name, "description": description, "parameters": parameters}


def tool(name: str, description: str = "", **properties: object) -> dict[str, Any]:
    """A tool with such a function."""
    return {"type": "function", "function": function(name, description, **properties)}


async def collect(events: AsyncGenerator[EventT, None]) -> list[EventT]:
    """All events, in order."""
    return [event async for event in events]


async def say(engine: SimulatorEngine, text: str, **fields: object) -> str:
    """The text of a reply that is not streamed."""
    return chat_text(await collect(engine.chat(chat_ask(text, **fields))))


async def calls(engine: SimulatorEngine, ask: ChatAsk) -> list[tuple[str, Any]]:
    """Names and decoded arguments of the calls in the first choice."""
    made: dict[int, list[str]] = {}
    for event in await collect(engine.chat(ask)):
        for choice in event.choices:
            for piece in choice.delta.tool_calls or []:
                call = made.setdefault(piece.index, ["", ""])
                assert piece.function is not None
                call[0] += piece.function.name or ""
                call[1] += piece.function.arguments or ""
    return [(name, msgspec.json.decode(arguments)) for name, arguments in made.values()]


def chat_text(events: list[ChatEvent], index: int = 0) -> str:
    """The folded content of a choice."""
    return "".join(
        choice.delta.content or ""
        for event in events
        for choice in event.choices
        if choice.index == index
    )


def chat_finish(events: list[ChatEvent], index: int = 0) -> str | None:
    """The one finish reason of a choice."""
    reasons = [
        choice.finish_reason
        for event in events
        for choice in event.choices
        if choice.index == index and choice.finish_reason
    ]
    assert len(reasons) == 1
    return reasons[0]


def completion_texts(events: list[CompletionEvent]) -> dict[int, str]:
    """The folded text of each choice."""
    texts: dict[int, str] = {}
    for event in events:
        for choice in event.choices:
            texts[choice.index] = texts.get(choice.index, "") + choice.text
    return texts


async def complete(
    engine: SimulatorEngine, prompt: object, **fields: object
) -> list[CompletionEvent]:
    """All events of a completion."""
    return await collect(
        engine.complete(msgspec.convert({"prompt": prompt, **fields}, CompletionAsk))
    )


class JumpingClock(asyncio.SelectorEventLoop):
    """An event loop whose time jumps to the next timer instead of passing.

    Waits take no time and their ends are exact, whatever else the machine does. Work in threads
    is waited for.
    """

    def __init__(self) -> None:
        self._jumped = 0.0
        super().__init__(_JumpingSelector(self))

    def time(self) -> float:
        """Seconds jumped over since the loop was made."""
        return self._jumped

    def jump(self, seconds: float) -> None:
        """Move the clock."""
        self._jumped += seconds


class _JumpingSelector(selectors.DefaultSelector):
    def __init__(self, loop: JumpingClock) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None:
            return super().select(None)
        self._loop.jump(timeout)
        return []


def on_jumping_clock(test: Coroutine[Any, Any, ResultT]) -> ResultT:
    """Run a test where waiting takes no time."""
    with asyncio.Runner(loop_factory=JumpingClock) as runner:
        return runner.run(test)


async def timed(events: AsyncGenerator[EventT, None]) -> list[tuple[float, EventT]]:
    """Events with the seconds after which they came."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    return [(loop.time() - started, event) async for event in events]
