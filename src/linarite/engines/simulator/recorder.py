"""Writes every complete answer of an engine to a folder."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

import msgspec

from linarite.domain.chat import ChatEvent
from linarite.domain.completion import CompletionEvent
from linarite.domain.errors import EngineFailed
from linarite.engines.simulator.recording import Moment, Recording, described, save

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from linarite.domain.chat import ChatAsk
    from linarite.domain.completion import CompletionAsk
    from linarite.domain.embedding import EmbeddingAsk, EmbeddingEvent
    from linarite.engines.simulator.answers import Answers
    from linarite.engines.simulator.recording import Ask, Event

TextEventT = TypeVar("TextEventT", ChatEvent, CompletionEvent)


class Recorder:
    """Passes the answers of any engine on and keeps those that came to their end.

    Refused, failed and abandoned requests leave no file. Raises EngineFailed after the answer
    when the folder can't be written to: a recording that is silently missing helps nobody.
    """

    def __init__(self, source: Answers, folder: Path, model: str) -> None:
        self._source = source
        self._folder = folder
        self._model = model

    def chat(self, ask: ChatAsk) -> AsyncGenerator[ChatEvent, None]:
        """Answer a chat, and keep it."""
        return self._kept(ask, self._source.chat(ask), streamed=bool(ask.stream))

    def complete(self, ask: CompletionAsk) -> AsyncGenerator[CompletionEvent, None]:
        """Continue prompts, and keep it."""
        return self._kept(ask, self._source.complete(ask), streamed=bool(ask.stream))

    async def embed(self, ask: EmbeddingAsk) -> EmbeddingEvent:
        """Turn inputs into vectors, and keep them."""
        started = asyncio.get_running_loop().time()
        event = await self._source.embed(ask)
        await self._keep(ask, [self._moment(started, event)], streamed=False)
        return event

    async def _kept(
        self, ask: Ask, events: AsyncGenerator[TextEventT, None], *, streamed: bool
    ) -> AsyncGenerator[TextEventT, None]:
        started = asyncio.get_running_loop().time()
        moments: list[Moment] = []
        told = False
        try:
            async with aclosing(events):
                async for event in events:
                    moments.append(self._moment(started, event))
                    # Nothing follows the counts: who has them may stop reading.
                    told = event.usage is not None and not event.choices
                    yield event
            told = True
        finally:
            if told:
                await self._keep(ask, moments, streamed=streamed)

    def _moment(self, started: float, event: Event) -> Moment:
        elapsed = asyncio.get_running_loop().time() - started
        return Moment(round(elapsed * 1000, 3), msgspec.Raw(msgspec.json.encode(event)))

    async def _keep(self, ask: Ask, moments: list[Moment], *, streamed: bool) -> None:
        operation, key, request = described(ask, self._model)
        recording = Recording(
            operation=operation,
            key=key,
            model=self._model,
            recorded_at=datetime.now(UTC).isoformat(timespec="seconds"),
            streamed=streamed,
            request=request,
            events=moments,
        )
        try:
            await asyncio.to_thread(save, self._folder, recording)
        except OSError as error:
            raise EngineFailed(
                f"The answer could not be recorded in {self._folder}: {error}. Make the folder "
                "writable, or change the simulator's option record_folder."
            ) from error
