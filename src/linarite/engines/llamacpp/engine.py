"""The llamacpp engine: the path of a request into its process."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, TypeVar

from linarite.domain.errors import ServiceUnavailable
from linarite.engines.http_client import HttpClientError
from linarite.engines.llamacpp.chat import answer_chat
from linarite.engines.llamacpp.completion import answer_completion
from linarite.engines.llamacpp.counting import prompt_tokens_of
from linarite.engines.llamacpp.embedding import answer_embedding
from linarite.engines.llamacpp.engine_process import EngineProcess
from linarite.engines.llamacpp.loaded_model import LoadedModel, look_at
from linarite.engines.llamacpp.options import read_options
from linarite.engines.llamacpp.socket_client import EngineRefusal, failure_of
from linarite.engines.llamacpp.use import use_of
from linarite.engines.llamacpp.wire import SlotState
from linarite.engines.worker_process.worker_engine import WorkerEngine

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from linarite.domain.chat import ChatAsk, ChatEvent
    from linarite.domain.completion import CompletionAsk, CompletionEvent
    from linarite.domain.embedding import EmbeddingAsk, EmbeddingEvent
    from linarite.domain.engine import EngineUse, InstanceSpec, Surroundings

EventT = TypeVar("EventT")

LOOK_S = 2.0
"""how long the process may take to say how it stands"""


class LlamacppEngine(WorkerEngine[LoadedModel]):
    """A GGUF model on llama.cpp. Implements `linarite.domain.engine.Engine`.

    Construction raises SetupError for options that are wrong.
    """

    def __init__(self, spec: InstanceSpec, surroundings: Surroundings) -> None:
        self._options = read_options(spec)
        self._process = EngineProcess(spec, self._options, surroundings)
        super().__init__(spec, self._process)

    async def busy_slots(self) -> int:
        """How many replies or vectors are being computed, asked of the process itself."""
        slots = await self._process.client.look(
            "/slots", list[SlotState], deadline_s=self._options.first_byte_s
        )
        return sum(slot.is_processing for slot in slots)

    async def use(self) -> EngineUse:
        """Asked of the process: `/slots` and `/metrics`."""
        if self._model is None:
            raise ServiceUnavailable("the engine has no model yet")
        client = self._process.client
        try:
            slots = await client.look("/slots", list[SlotState], deadline_s=LOOK_S)
            counted = await client.read_text("/metrics", deadline_s=LOOK_S)
        except HttpClientError as error:
            raise failure_of(error, began=False) from error
        return use_of(slots, counted)

    async def _load(self, progress: Callable[[float, str], None]) -> LoadedModel:
        loaded = await self._process.start(progress)
        try:
            model = await look_at(self._process.client, self._options, loaded)
        except HttpClientError as error:
            raise failure_of(error, began=False) from error
        advice = self._spec.sampling_advice
        if self._options.sampling_defaults == "model" and advice is not None:
            model.sampling_defaults = advice
        return model

    def chat(self, ask: ChatAsk) -> AsyncGenerator[ChatEvent, None]:
        """Answer a chat."""
        return self._serve("chatCompletion", lambda model: answer_chat(model, ask))

    def complete(self, ask: CompletionAsk) -> AsyncGenerator[CompletionEvent, None]:
        """Continue prompts."""
        return self._serve("completion", lambda model: answer_completion(model, ask))

    async def prompt_tokens(self, ask: ChatAsk) -> int:
        """Rendered and cut into tokens by the process, which computes nothing for that."""

        async def count(model: LoadedModel) -> AsyncGenerator[int, None]:
            yield await prompt_tokens_of(model, ask)

        async with aclosing(self._serve("chatCompletion", count)) as counts:
            return await anext(counts)

    async def embed(self, ask: EmbeddingAsk) -> EmbeddingEvent:
        """Turn inputs into vectors."""

        async def answer(model: LoadedModel) -> AsyncGenerator[EmbeddingEvent, None]:
            yield await answer_embedding(model, ask)

        async with aclosing(self._serve("embeddings", answer)) as events:
            return await anext(events)

    async def _serve(
        self, verb: str, answer: Callable[[LoadedModel], AsyncGenerator[EventT, None]]
    ) -> AsyncGenerator[EventT, None]:
        """Every request goes through here: its failures are translated."""
        began = False
        with self._admitted(verb) as model:
            try:
                async with aclosing(answer(model)) as events:
                    async for event in events:
                        began = True
                        yield event
            except HttpClientError as error:
                raise failure_of(error, began=began) from error
            except EngineRefusal as refusal:
                raise refusal.as_shown() from refusal
