"""The simulator as an engine: its life, and the path of a request through it."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING

from linarite.domain.engine import Capabilities, CountsPrompts
from linarite.domain.errors import (
    ContextLengthExceeded,
    EngineFailed,
    OperationNotSupported,
    ServiceUnavailable,
)
from linarite.engines import build_engine
from linarite.engines.simulator.faults import FaultPlan, FaultyPlayer
from linarite.engines.simulator.options import read_options, wrapped_spec
from linarite.engines.simulator.prompt import least_tokens, prompt_tokens, question_of
from linarite.engines.simulator.recorder import Recorder
from linarite.engines.simulator.replayer import Replayer
from linarite.engines.simulator.steps import Waits
from linarite.engines.simulator.synthetic import SyntheticAnswers

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from linarite.domain.chat import ChatAsk, ChatEvent
    from linarite.domain.completion import CompletionAsk, CompletionEvent
    from linarite.domain.embedding import EmbeddingAsk, EmbeddingEvent
    from linarite.domain.engine import Engine, InstanceSpec, Surroundings
    from linarite.engines.simulator.answers import Answers
    from linarite.engines.simulator.options import Wraps
    from linarite.engines.simulator.steps import EventT

_LOADING_STEPS = 10


class SimulatorEngine:
    """Answers without a model. Implements `linarite.domain.engine.Engine`.

    Construction raises SetupError for options that are wrong.
    """

    def __init__(self, spec: InstanceSpec, surroundings: Surroundings) -> None:
        options = read_options(spec)
        self._options = options
        self._waits = Waits()
        self._wrapped = _wrapped(spec, options.wraps, surroundings) if options.wraps else None
        self._model = spec.model
        self._answers = self._source(spec.model)
        self._plan = FaultPlan(options)
        self._player = FaultyPlayer(options, spec.model, self._waits)
        self._serving = False
        self._broken_off = False
        self._running = 0
        self._idle = asyncio.Event()
        self._idle.set()

    def _source(self, model: str) -> Answers:
        """Recordings first, then the wrapped engine or made-up answers, which may be recorded."""
        options = self._options
        source: Answers = self._wrapped or SyntheticAnswers(options, model, self._waits)
        if options.record_folder:
            source = Recorder(source, Path(options.record_folder).expanduser(), model)
        if options.replay_folder:
            folder = Path(options.replay_folder).expanduser()
            otherwise = source if self._wrapped else None
            source = Replayer(folder, model, options.replay_speed, self._waits, otherwise)
        return source

    @property
    def running(self) -> int:
        """How many requests are under way."""
        return self._running

    async def start(self, progress: Callable[[float, str], None]) -> Capabilities:
        """Take as long as options say, and start the wrapped engine if there is one."""
        for step in range(_LOADING_STEPS if self._options.load_s else 0):
            progress(step / _LOADING_STEPS, "pretending to load a model")
            await asyncio.sleep(self._options.load_s / _LOADING_STEPS)
        options = self._options
        capabilities = Capabilities(
            chat_completion="chat" in options.operations,
            completion="completion" in options.operations,
            embeddings="embeddings" in options.operations,
            fill_in_the_middle="completion" in options.operations,
            reads_files=self._wrapped is None,
            context_tokens=options.context_tokens,
            embedding_dimensions=options.embedding_dimensions,
            parallel_requests=options.parallel_requests,
        )
        if self._wrapped:
            capabilities = await self._wrapped.start(progress)
        progress(1.0, "ready")
        self._serving = True
        return capabilities

    async def wait_exit(self) -> str:
        """Wait for ever, or until the wrapped engine has come to its end."""
        if self._wrapped:
            return f"the wrapped engine ended: {await self._wrapped.wait_exit()}"
        await asyncio.Event().wait()
        return ""

    async def stop(self, grace_s: float) -> None:
        """Take no more requests, give running ones their time, then break them off."""
        self._serving = False
        try:
            async with asyncio.timeout(grace_s):
                await self._idle.wait()
        except TimeoutError:
            self._broken_off = True
            self._waits.break_off()
        if self._wrapped:
            await self._wrapped.stop(0 if self._broken_off else grace_s)

    def chat(self, ask: ChatAsk) -> AsyncGenerator[ChatEvent, None]:
        """Answer a chat, or fail as planned."""
        return self._serve(self._answers.chat(ask), question_of(ask))

    def complete(self, ask: CompletionAsk) -> AsyncGenerator[CompletionEvent, None]:
        """Continue prompts, or fail as planned."""
        text = " ".join(prompt for prompt in ask.prompts if isinstance(prompt, str))
        return self._serve(self._answers.complete(ask), text)

    async def embed(self, ask: EmbeddingAsk) -> EmbeddingEvent:
        """Turn inputs into vectors, or fail as planned."""
        text = " ".join(text for text in ask.inputs if isinstance(text, str))
        async with aclosing(self._serve(_as_events(self._answers, ask), text)) as events:
            async for event in events:
                return event
        raise EngineFailed("No vectors came.")

    async def prompt_tokens(self, ask: ChatAsk) -> int:
        """By the simulator's own rule, or as the wrapped engine counts; recordings don't tell."""
        if isinstance(self._wrapped, CountsPrompts):
            return await self._wrapped.prompt_tokens(ask)
        if self._wrapped is not None or self._options.replay_folder:
            raise OperationNotSupported("responsesInputTokens", self._model)
        limit, least = self._options.context_tokens, least_tokens(ask)
        if least > limit:
            raise ContextLengthExceeded(limit, least, at_least=True)
        return prompt_tokens(ask)

    async def _serve(
        self, events: AsyncGenerator[EventT, None], text: str
    ) -> AsyncGenerator[EventT, None]:
        if not self._serving:
            raise ServiceUnavailable("the simulator is not running")
        fault = self._plan.next(text)
        if fault:
            events = self._player.play(fault, events)
        self._running += 1
        self._idle.clear()
        try:
            async with aclosing(events):
                async for event in events:
                    if self._broken_off:
                        raise EngineFailed("The engine was stopped during this request.")
                    yield event
        finally:
            self._running -= 1
            if not self._running:
                self._idle.set()


async def _as_events(answers: Answers, ask: EmbeddingAsk) -> AsyncGenerator[EmbeddingEvent, None]:
    yield await answers.embed(ask)


def _wrapped(spec: InstanceSpec, wraps: Wraps, surroundings: Surroundings) -> Engine:
    return build_engine(wrapped_spec(spec, wraps), surroundings)
