"""The openvino engine: the life of its process, and the path of a request into it."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, NoReturn, TypeVar

from linarite.domain.errors import OperationNotSupported, ServiceUnavailable
from linarite.engines.openvino.chat import answer_chat
from linarite.engines.openvino.completion import answer_completion
from linarite.engines.openvino.engine_process import EngineProcess
from linarite.engines.openvino.loaded_model import LoadedModel
from linarite.engines.openvino.options import read_options

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from linarite.domain.chat import ChatAsk, ChatEvent
    from linarite.domain.completion import CompletionAsk, CompletionEvent
    from linarite.domain.embedding import EmbeddingAsk
    from linarite.domain.engine import Capabilities, InstanceSpec, Surroundings

EventT = TypeVar("EventT")


class OpenvinoEngine:
    """A GGUF model on OpenVINO GenAI. Implements `linarite.domain.engine.Engine`.

    Construction raises SetupError for options that are wrong.
    """

    def __init__(self, spec: InstanceSpec, surroundings: Surroundings) -> None:
        self._spec = spec
        self._options = read_options(spec)
        self._process = EngineProcess(spec, self._options, surroundings)
        self._model: LoadedModel | None = None
        self._stopping = False
        self._running = 0
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def pid(self) -> int | None:
        """The id of the engine's process, once there is one."""
        return self._process.pid

    async def running_replies(self) -> int:
        """How many replies are being generated, asked of the process itself."""
        return await self._process.channel.running(self._options.first_byte_s)

    async def start(self, progress: Callable[[float, str], None]) -> Capabilities:
        """Start the process and load the model."""
        try:
            loaded = await self._process.start(progress)
        except BaseException:
            await self._process.end()
            raise
        self._model = LoadedModel(self._process.channel, self._options, loaded)
        progress(1.0, "ready")
        return self._model.capabilities

    async def wait_exit(self) -> str:
        """Wait until the process has ended, or was killed for not answering probes."""
        return await self._process.wait_exit()

    async def stop(self, grace_s: float) -> None:
        """Take no more requests, give running ones their time, then end the process."""
        self._stopping = True
        if self._process.alive:
            try:
                async with asyncio.timeout(grace_s):
                    await self._idle.wait()
            except TimeoutError:
                pass
        await self._process.end()

    def chat(self, ask: ChatAsk) -> AsyncGenerator[ChatEvent, None]:
        """Answer a chat."""
        return self._serve("chatCompletion", lambda model: answer_chat(model, ask))

    def complete(self, ask: CompletionAsk) -> AsyncGenerator[CompletionEvent, None]:
        """Continue prompts."""
        return self._serve("completion", lambda model: answer_completion(model, ask))

    async def embed(self, ask: EmbeddingAsk) -> NoReturn:  # noqa: ARG002 - the port's signature
        """Refuse: this engine makes no vectors."""
        raise OperationNotSupported("embeddings", self._spec.model)

    async def _serve(
        self, verb: str, answer: Callable[[LoadedModel], AsyncGenerator[EventT, None]]
    ) -> AsyncGenerator[EventT, None]:
        """Every request goes through here: admitted and counted."""
        model = self._admit(verb)
        self._running += 1
        self._idle.clear()
        try:
            async with aclosing(answer(model)) as events:
                async for event in events:
                    yield event
        finally:
            self._running -= 1
            if not self._running:
                self._idle.set()

    def _admit(self, verb: str) -> LoadedModel:
        if self._model is None or self._stopping or not self._process.alive:
            raise ServiceUnavailable("the engine of this deployment is not running")
        if verb == "chatCompletion" and not self._model.capabilities.chat_completion:
            raise OperationNotSupported(verb, self._spec.model)
        return self._model
