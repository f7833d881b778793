"""The openvino engine: the path of a request into its process."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, NoReturn, TypeVar

import msgspec

from linarite.domain.errors import ContextLengthExceeded, OperationNotSupported
from linarite.engines.openvino.chat import answer_chat
from linarite.engines.openvino.completion import answer_completion
from linarite.engines.openvino.engine_process import EngineProcess
from linarite.engines.openvino.loaded_model import LoadedModel
from linarite.engines.openvino.options import read_options
from linarite.engines.worker_process.worker_engine import WorkerEngine

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from linarite.domain.chat import ChatAsk, ChatEvent
    from linarite.domain.completion import CompletionAsk, CompletionEvent
    from linarite.domain.embedding import EmbeddingAsk
    from linarite.domain.engine import InstanceSpec, Surroundings

EventT = TypeVar("EventT")


class OpenvinoEngine(WorkerEngine[LoadedModel]):
    """A GGUF model on OpenVINO GenAI. Implements `linarite.domain.engine.Engine`.

    Construction raises SetupError for options that are wrong.
    """

    def __init__(self, spec: InstanceSpec, surroundings: Surroundings) -> None:
        self._options = read_options(spec)
        self._process = EngineProcess(spec, self._options, surroundings)
        super().__init__(spec, self._process)

    async def running_replies(self) -> int:
        """How many replies are being generated, asked of the process itself."""
        return await self._process.channel.running(self._options.first_byte_s)

    async def _load(self, progress: Callable[[float, str], None]) -> LoadedModel:
        loaded = await self._process.start(progress)
        return LoadedModel(self._process.channel, self._options, loaded)

    def chat(self, ask: ChatAsk) -> AsyncGenerator[ChatEvent, None]:
        """Answer a chat."""
        return self._serve("chatCompletion", lambda model: answer_chat(model, ask))

    def complete(self, ask: CompletionAsk) -> AsyncGenerator[CompletionEvent, None]:
        """Continue prompts."""
        return self._serve("completion", lambda model: answer_completion(model, ask))

    async def prompt_tokens(self, ask: ChatAsk) -> int:
        """Counted where the prompt is made, for a reply of no tokens: nothing is computed."""
        nothing = msgspec.structs.replace(ask, max_completion_tokens=0, n=1, stream=None)
        prompted = 0
        try:
            async with aclosing(self.chat(nothing)) as events:
                async for event in events:
                    prompted = event.usage.prompt_tokens if event.usage else prompted
        except ContextLengthExceeded as problem:
            if not problem.prompt_tokens:
                raise
            return problem.prompt_tokens
        return prompted

    async def embed(self, ask: EmbeddingAsk) -> NoReturn:  # noqa: ARG002 - the port's signature
        """Refuse: this engine makes no vectors."""
        raise OperationNotSupported("embeddings", self._spec.model)

    async def _serve(
        self, verb: str, answer: Callable[[LoadedModel], AsyncGenerator[EventT, None]]
    ) -> AsyncGenerator[EventT, None]:
        """Every request goes through here."""
        with self._admitted(verb) as model:
            async with aclosing(answer(model)) as events:
                async for event in events:
                    yield event
