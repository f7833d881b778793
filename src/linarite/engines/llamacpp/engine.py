"""The llamacpp engine: the life of its process, and the path of a request into it."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, TypeVar

from linarite.domain.errors import OperationNotSupported, ServiceUnavailable
from linarite.engines.http_client import HttpClientError
from linarite.engines.llamacpp.chat import answer_chat
from linarite.engines.llamacpp.completion import answer_completion
from linarite.engines.llamacpp.embedding import answer_embedding
from linarite.engines.llamacpp.engine_process import EngineProcess
from linarite.engines.llamacpp.loaded_model import LoadedModel, look_at
from linarite.engines.llamacpp.options import read_options
from linarite.engines.llamacpp.socket_client import EngineRefusal, failure_of
from linarite.engines.llamacpp.wire import SlotState

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from linarite.domain.chat import ChatAsk, ChatEvent
    from linarite.domain.completion import CompletionAsk, CompletionEvent
    from linarite.domain.embedding import EmbeddingAsk, EmbeddingEvent
    from linarite.domain.engine import Capabilities, InstanceSpec, Surroundings

EventT = TypeVar("EventT")


class LlamacppEngine:
    """A GGUF model on llama.cpp. Implements `linarite.domain.engine.Engine`.

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

    async def busy_slots(self) -> int:
        """How many replies or vectors are being computed, asked of the process itself."""
        slots = await self._process.client.look(
            "/slots", list[SlotState], deadline_s=self._options.first_byte_s
        )
        return sum(slot.is_processing for slot in slots)

    async def start(self, progress: Callable[[float, str], None]) -> Capabilities:
        """Start the process, load the model and find out what it can do."""
        try:
            loaded = await self._process.start(progress)
            self._model = await look_at(self._process.client, self._options, loaded)
            advice = self._spec.sampling_advice
            if self._options.sampling_defaults == "model" and advice is not None:
                self._model.sampling_defaults = advice
        except HttpClientError as error:
            await self._process.end()
            raise failure_of(error, began=False) from error
        except BaseException:
            await self._process.end()
            raise
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

    async def embed(self, ask: EmbeddingAsk) -> EmbeddingEvent:
        """Turn inputs into vectors."""

        async def answer(model: LoadedModel) -> AsyncGenerator[EmbeddingEvent, None]:
            yield await answer_embedding(model, ask)

        async with aclosing(self._serve("embeddings", answer)) as events:
            return await anext(events)

    async def _serve(
        self, verb: str, answer: Callable[[LoadedModel], AsyncGenerator[EventT, None]]
    ) -> AsyncGenerator[EventT, None]:
        """Every request goes through here: admitted, counted, its failures translated."""
        model = self._admit(verb)
        began = False
        self._running += 1
        self._idle.clear()
        try:
            async with aclosing(answer(model)) as events:
                async for event in events:
                    began = True
                    yield event
        except HttpClientError as error:
            raise failure_of(error, began=began) from error
        except EngineRefusal as refusal:
            raise refusal.as_shown() from refusal
        finally:
            self._running -= 1
            if not self._running:
                self._idle.set()

    def _admit(self, verb: str) -> LoadedModel:
        if self._model is None or self._stopping or not self._process.alive:
            raise ServiceUnavailable("the engine of this deployment is not running")
        able = self._model.capabilities
        offered = {
            "chatCompletion": able.chat_completion,
            "completion": able.completion,
            "embeddings": able.embeddings,
        }
        if not offered[verb]:
            raise OperationNotSupported(verb, self._spec.model)
        return self._model
