"""Gives recorded answers, at the pace at which they were recorded or at another."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

from linarite.domain.chat import ChatEvent
from linarite.domain.completion import CompletionEvent
from linarite.domain.embedding import EmbeddingEvent
from linarite.domain.errors import EngineFailed, InvalidRequest
from linarite.engines.simulator.recording import (
    UnreadableRecordingError,
    described,
    events_of,
    load,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from linarite.domain.chat import ChatAsk
    from linarite.domain.completion import CompletionAsk
    from linarite.domain.embedding import EmbeddingAsk
    from linarite.engines.simulator.answers import Answers
    from linarite.engines.simulator.recording import Ask, EventT
    from linarite.engines.simulator.steps import Waits


class Replayer:
    """Answers from a folder; what is not there goes to `otherwise`, if there is such a source.

    Raises InvalidRequest for a request that was never recorded, EngineFailed for a file that
    can't be read.
    """

    def __init__(
        self, folder: Path, model: str, speed: float, waits: Waits, otherwise: Answers | None
    ) -> None:
        self._folder = folder
        self._model = model
        self._speed = speed
        self._waits = waits
        self._otherwise = otherwise

    async def chat(self, ask: ChatAsk) -> AsyncGenerator[ChatEvent, None]:
        """Give the recorded answer to a chat."""
        found = await self._find(ask, ChatEvent)
        source = self._replayed(found) if found else self._source(ask).chat(ask)
        async with aclosing(source):
            async for event in source:
                yield event

    async def complete(self, ask: CompletionAsk) -> AsyncGenerator[CompletionEvent, None]:
        """Give the recorded continuations."""
        found = await self._find(ask, CompletionEvent)
        source = self._replayed(found) if found else self._source(ask).complete(ask)
        async with aclosing(source):
            async for event in source:
                yield event

    async def embed(self, ask: EmbeddingAsk) -> EmbeddingEvent:
        """Give the recorded vectors."""
        found = await self._find(ask, EmbeddingEvent)
        if not found:
            return await self._source(ask).embed(ask)
        async for event in self._replayed(found):
            return event
        raise EngineFailed("A recording has no event.")

    async def _find(self, ask: Ask, kind: type[EventT]) -> list[tuple[float, EventT]]:
        key = described(ask, self._model)[1]
        try:
            recording = await asyncio.to_thread(load, self._folder, key)
            return events_of(recording, kind) if recording else []
        except UnreadableRecordingError as error:
            raise EngineFailed(f"{error} Record the request again, or repair the file.") from error

    def _source(self, ask: Ask) -> Answers:
        if self._otherwise is not None:
            return self._otherwise
        operation, key, _ = described(ask, self._model)
        raise InvalidRequest(
            f"No answer of model '{self._model}' is recorded for this {operation} request: "
            f"{key}.json is not in {self._folder}. To record it, set the simulator's options wraps "
            "(the engine to ask) and record_folder, and send the request again.",
            code="recording_not_found",
        )

    async def _replayed(self, timed: list[tuple[float, EventT]]) -> AsyncGenerator[EventT, None]:
        started = asyncio.get_running_loop().time()
        for at_ms, event in timed:
            if self._speed:
                await self._waits.until(started + at_ms / 1000 / self._speed)
            yield event
