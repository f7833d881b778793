"""The engine's slots, and whose prompts they hold.

llama.cpp computes only what of a prompt is not already in a slot or in its store of earlier
prompts, and it has no notion of whose they are: by the time that a first token takes, one account
could find out what another has asked. It offers two means: `id_slot` names the slot, and leaves
the store of earlier prompts alone; `cache_prompt` false computes the whole prompt.

While one account has used the model the engine chooses, which finds the most. From the second one
on each request is told its slot, and whoever takes a slot from another account computes its whole
prompt. What nobody stands behind, such as the measurement of an instance, is nobody's secret.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, contextmanager
from itertools import takewhile
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator, Mapping

_ALIKE_ENOUGH = 0.1
"""the share of a prompt for which a slot is chosen again; llama.cpp's own measure"""


class _Slot(msgspec.Struct):
    """What a slot holds."""

    account: str
    prompt: Any = None
    """messages, text or tokens"""
    used: int = 0
    """counts up; 0: not since slots are told"""


class PromptSlots:
    """Slots for replies: at most as many at a time as there are."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._places = asyncio.Semaphore(count)
        self._account = ""
        """the only one so far"""
        self._slots: list[_Slot] = []
        """empty while the engine chooses"""
        self._free: set[int] = set()
        self._uses = 0
        self._unpinned = 0
        """replies in slots that the engine has chosen"""
        self._none_unpinned = asyncio.Event()
        self._none_unpinned.set()

    @asynccontextmanager
    async def held(self, account: str, body: Mapping[str, Any]) -> AsyncGenerator[dict[str, Any]]:
        """Wait for a slot and hold it; what to add to the request."""
        async with self._places:
            if account and self._account and account != self._account and not self._slots:
                self._slots = [_Slot(self._account) for _ in range(self._count)]
                self._free = set(range(self._count))
            self._account = self._account or account
            if not self._slots:
                with self._chosen_by_engine():
                    yield {}
                return
            # Those that the engine still places could be given a slot that a newcomer has filled.
            await self._none_unpinned.wait()
            slot, own = self._take(account, body.get("messages") or body.get("prompt"))
            try:
                yield {"id_slot": slot} if own else {"id_slot": slot, "cache_prompt": False}
            finally:
                self._free.add(slot)

    @contextmanager
    def _chosen_by_engine(self) -> Generator[None]:
        self._unpinned += 1
        self._none_unpinned.clear()
        try:
            yield
        finally:
            self._unpinned -= 1
            if not self._unpinned:
                self._none_unpinned.set()

    def _take(self, account: str, prompt: Any) -> tuple[int, bool]:  # noqa: ANN401 - as `_Slot` has it
        """The account's slot whose prompt is most alike, else the one that was not used longest.

        Tells whether what it holds is the account's own.
        """
        shares = {
            slot: _share_alike(prompt, self._slots[slot].prompt)
            for slot in self._free
            if self._slots[slot].account == account
        }
        best = max(shares, key=lambda slot: shares[slot], default=None)
        if best is None or shares[best] < _ALIKE_ENOUGH:
            best = min(self._free, key=lambda slot: (self._slots[slot].used, slot))
        self._free.discard(best)
        self._uses += 1
        own = self._slots[best].account == account
        self._slots[best] = _Slot(account, prompt, self._uses)
        return best, own


def _share_alike(prompt: Any, held: Any) -> float:  # noqa: ANN401 - as `_Slot` has it
    """How much of a prompt is the beginning of what a slot holds."""
    if type(prompt) is not type(held) or not prompt:
        return 0.0
    pairs = zip(prompt, held, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs)) / len(prompt)
