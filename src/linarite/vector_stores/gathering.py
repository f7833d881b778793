"""Texts of several files that are asked together: what waits for a call to end is in the next."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

from linarite.domain.vector_store_errors import EmbeddingRefused

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    Vectors = list[bytes]
    Ask = Callable[[Sequence[str]], Awaitable[Vectors]]


class _Wanted(NamedTuple):
    """What one of those who ask wants."""

    texts: Sequence[str]
    vectors: asyncio.Future[list[bytes]]


class Gatherer:
    """Asks one deployment for one caller."""

    def __init__(self, ask: Ask, texts_max: int, calls_at_once: int) -> None:
        """`texts_max` are in a call; whoever asks has no more."""
        self._ask = ask
        self._texts_max = texts_max
        self._calls_at_once = calls_at_once
        self._waiting: list[_Wanted] = []
        self._calls: dict[asyncio.Task[None], list[_Wanted]] = {}

    async def ask(self, texts: Sequence[str]) -> list[bytes]:
        """The vectors of some texts. Raises what the call does."""
        wanted = _Wanted(texts, asyncio.get_running_loop().create_future())
        self._waiting.append(wanted)
        self._begin()
        try:
            return await wanted.vectors
        except asyncio.CancelledError:
            self._give_up(wanted)
            raise

    def _begin(self) -> None:
        while self._waiting and len(self._calls) < self._calls_at_once:
            some, texts = list[_Wanted](), 0
            while self._waiting and texts + len(self._waiting[0].texts) <= self._texts_max:
                some.append(self._waiting.pop(0))
                texts += len(some[-1].texts)
            call = asyncio.create_task(self._call(some))
            self._calls[call] = some
            call.add_done_callback(self._ended)

    def _ended(self, call: asyncio.Task[None]) -> None:
        for each in self._calls.pop(call):
            if not each.vectors.done():  # it was cancelled
                each.vectors.cancel()
        self._begin()

    def _give_up(self, wanted: _Wanted) -> None:
        if wanted in self._waiting:
            self._waiting.remove(wanted)
        for call, some in self._calls.items():
            if all(each.vectors.done() for each in some):
                call.cancel()

    async def _call(self, some: Sequence[_Wanted]) -> None:
        try:
            vectors = await self._ask([text for each in some for text in each.texts])
        except EmbeddingRefused as refusal:
            if len(some) == 1:
                _tell(some[0], refusal)
                return
            for each in some:  # it may be about one of them
                await self._call([each])
        except Exception as problem:  # noqa: BLE001 - whoever asked is told
            for each in some:
                _tell(each, problem)
        else:
            at = 0
            for each in some:
                _tell(each, vectors[at : at + len(each.texts)])
                at += len(each.texts)


def _tell(wanted: _Wanted, what: list[bytes] | Exception) -> None:
    if wanted.vectors.done():
        return
    if isinstance(what, Exception):
        wanted.vectors.set_exception(what)
    else:
        wanted.vectors.set_result(what)
