"""The port every engine implements, and what describes an instance of one."""

from __future__ import annotations

from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import msgspec

from linarite.domain.dial import Dialer

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from linarite.domain.chat import ChatAsk, ChatEvent
    from linarite.domain.completion import CompletionAsk, CompletionEvent
    from linarite.domain.embedding import EmbeddingAsk, EmbeddingEvent


ON_BEHALF_OF: ContextVar[str] = ContextVar("on behalf of", default="")
"""the id of the account whose request is served; "" where nobody's is

What an engine keeps of prompts in order to be faster is never used for another account.
"""


class Capabilities(msgspec.Struct, frozen=True):
    """What a running instance can do, told by the engine once it has loaded its model."""

    chat_completion: bool = False
    """takes `chat`"""
    completion: bool = False
    """takes `complete`"""
    embeddings: bool = False
    """takes `embed`"""
    fill_in_the_middle: bool = False
    """`complete` honours `suffix`"""
    reads_files: bool = False
    """takes documents as they are; others are given the text in them"""
    context_tokens: int = 0
    """tokens one request may use, prompt and completion together; 0 when unknown"""
    embedding_dimensions: int = 0
    """length of a vector; 0 when it makes none or it is unknown"""
    parallel_requests: int = 1
    """requests that run at the same time; more wait in the gateway's queue"""


class SamplingAdvice(msgspec.Struct, frozen=True):
    """What a model's authors recommend where a request says nothing."""

    temperature: float = 1.0
    top_p: float = 1.0


class InstanceSpec(msgspec.Struct, frozen=True):
    """What to run: an engine, a model, and the engine's own options."""

    name: str
    """unique among instances; also names its log lines and its scratch folder"""
    engine: str
    """a key of `linarite.engines.ENGINES`"""
    model: str
    """the model's name, as shown to clients"""
    model_version: str = ""
    """of the model; "" is its default one"""
    model_path: str | None = None
    """the verified model file, for engines that read one"""
    options: dict[str, Any] = {}
    """the engine's own settings; each engine folder has an `options.py` that types them"""
    sampling_advice: SamplingAdvice | None = None
    """of the model's authors, if the catalogue knows it"""

    def __repr__(self) -> str:
        """Hide the options: they may hold a key."""
        return f"InstanceSpec(name={self.name!r}, engine={self.engine!r}, model={self.model!r})"


class Surroundings(msgspec.Struct, frozen=True):
    """What the process around it hands to every engine."""

    scratch: Path
    """an existing private folder (0700) for sockets and the like; its path is short"""
    dialer: Dialer
    """the only way to reach another machine"""
    threads: int
    """processor threads that engines may share without starving the gateway"""


class Engine(Protocol):
    """A model that answers.

    Life: `start` once, then requests in any number, then `stop` once. After `wait_exit` returned
    the object is spent; supervision makes a new one.

    Requests are async generators. Closing or cancelling one ends the generation in the engine
    within a second. They raise `InvalidRequest` and `ContextLengthExceeded` before the first
    event, `ServiceUnavailable` when the engine is not (or no longer) there and nothing was
    yielded yet, `EngineFailed` when it breaks off later, `RequestTimedOut` past a deadline.
    Deadlines (first byte, idle) live in here, never around a `yield`.
    """

    async def start(self, progress: Callable[[float, str], None]) -> Capabilities:
        """Load the model; `progress(share between 0 and 1, what is going on)`.

        Raises SetupError when it cannot work as configured (the message says what to change).
        """
        ...

    async def wait_exit(self) -> str:
        """Return the reason, for people, once the engine can serve no more. Until then wait.

        Watches the process and its health. Never returns after `stop` was called.
        """
        ...

    async def stop(self, grace_s: float) -> None:
        """Free everything; running requests get `grace_s` seconds. Never raises; idempotent."""
        ...

    def chat(self, ask: ChatAsk) -> AsyncGenerator[ChatEvent, None]:
        """Answer a chat. Not streamed when `ask.stream` is not set: few, large events.

        Others without choices may come before, so that an answer that breaks off has its counts.
        """
        ...

    def complete(self, ask: CompletionAsk) -> AsyncGenerator[CompletionEvent, None]:
        """Continue each of `ask.prompts`, honouring n, best_of, echo, suffix and logprobs."""
        ...

    async def embed(self, ask: EmbeddingAsk) -> EmbeddingEvent:
        """Turn each of `ask.inputs` into a vector."""
        ...


class EngineUse(msgspec.Struct, frozen=True):
    """How much of an engine is in use, as it tells itself; None is what it does not tell."""

    slots: int = 0
    """requests that it can compute at a time"""
    slots_busy: int = 0
    kv_cache_share: float | None = None
    """of the memory for contexts, between 0 and 1"""
    prompt_tokens: int | None = None
    """that it has computed since it started"""
    generated_tokens: int | None = None
    prompt_tokens_per_s: float | None = None
    """over the time since it was asked before"""
    generated_tokens_per_s: float | None = None


@runtime_checkable
class Measured(Protocol):
    """An engine that tells how much of it is in use; not every one does."""

    async def use(self) -> EngineUse:
        """How it stands now; takes no place of a request, and is given up after a second or two.

        Raises LinariteError when it does not say.
        """
        ...


@runtime_checkable
class CountsPrompts(Protocol):
    """An engine that can tell what a chat counts without answering it; not every one can."""

    async def prompt_tokens(self, ask: ChatAsk) -> int:
        """What the usage of an answer to it would say; also of what is too long to be answered.

        Raises ContextLengthExceeded only for what is so long that nobody counts it to its end,
        else as `Engine.chat`, and OperationNotSupported where it can't tell after all.
        """
        ...


class Slot(msgspec.Struct, frozen=True):
    """Leave to run one request on an instance, held for as long as the request runs."""

    engine: Any
    """the running `Engine`"""
    capabilities: Capabilities
    """what it said it can do when it started"""
    model: str
    """the model's name, for messages"""
