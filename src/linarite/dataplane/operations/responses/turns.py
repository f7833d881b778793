"""The turns of a response with hosted tools: the model is asked until it wants nothing of us.

    list tools → ask the model → carry out its calls → ask it again with what they gave → …

It ends with the turn that calls none of them, or one that the application must see first.
"""

from __future__ import annotations

import math
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING

import msgspec

from linarite.dataplane.exact_prompt import count_prompt
from linarite.dataplane.operations.responses.asking import said
from linarite.dataplane.operations.responses.messages import messages_of
from linarite.dataplane.parts.prompt_sizes import prompt_tokens
from linarite.dataplane.rationing import rationed, waited_for, waits_s
from linarite.domain.quota import Price
from linarite.domain.quota_errors import RateLimitReached

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from linarite.dataplane.call import Call
    from linarite.dataplane.operations.responses.hosted_calls import HostedCalls
    from linarite.dataplane.operations.responses.hosted_output import HostedCall
    from linarite.dataplane.operations.responses.preparing import Ready
    from linarite.domain.chat import ChatAsk
    from linarite.domain.engine import Slot


async def turns(ask: Ready, hosted: HostedCalls, slot: Slot) -> AsyncGenerator[None, None]:
    """Everything that is said and done; yields whenever something may have been told."""
    answer, seat, first = ask.answer, Seat(ask.call, slot), True
    answer.begin()
    yield
    try:
        if lists := hosted.begin_lists(answer.output, ask.new_id):
            yield
            async with seat.given_up():
                await hosted.list_tools(lists)
        hosted.offer()
        calls = hosted.granted(answer.output, ask.new_id)
        yield
        while True:
            if calls:
                async with aclosing(_carried_out(ask, hosted, seat, calls)) as steps:
                    async for _ in steps:
                        yield
            if answer.output.calls_client or answer.has_run_out(ask.chat.max_completion_tokens):
                return
            chat = hosted.ask(_chat(ask, hosted), first=first)
            await _afforded(ask, seat, chat, first=first)
            first = False
            truncates = answer.response["truncation"] == "auto"
            async with aclosing(said(chat, seat.slot, truncates=truncates, hosted=True)) as events:
                async for event in events:
                    answer.take(event)
                    yield
            calls = answer.end_turn()
            if not calls:
                return
    finally:
        hosted.close()


async def _carried_out(
    ask: Ready, hosted: HostedCalls, seat: Seat, calls: Sequence[HostedCall]
) -> AsyncGenerator[None, None]:
    """Carry out calls; it is noted before and after where they may change something."""
    hosted.begin_calls(calls)
    yield
    effects = hosted.has_effects(calls)
    if effects:
        await ask.keeping.note_calls(ask.answer, under_way=True)
    async with seat.given_up():
        await hosted.carry_out(calls)
    if effects:
        await ask.keeping.note_calls(ask.answer, under_way=False)
    yield


async def _afforded(ask: Ready, seat: Seat, chat: ChatAsk, *, first: bool) -> None:
    """Return once the turn is reserved. Its place is given up while it must wait for that.

    Raises RateLimitReached where it waits too long, or no wait would help.
    """
    answer, call = ask.answer, ask.call
    lease, reply, place = call.lease, call.reply, call.place
    assert reply is not None  # noqa: S101 - every operation's parse sets it
    assert place is not None  # noqa: S101 - whoever asks a model has one
    answer.prompt, answer.prompt_tokens = chat, prompt_tokens(chat)

    async def reserve() -> None:
        price = Price(answer.prompt_tokens, chat.max_completion_tokens)
        await lease.begin_turn(price, first=first)

    try:
        await reserve()
    except RateLimitReached as refused:
        async with seat.given_up():
            if math.isinf(refused.refused.wait_s):
                await count_prompt(refused, reply, place)  # or the same refusal
            await waited_for(waits_s(call), reserve)
    lease.begun = True


def _chat(ask: Ready, hosted: HostedCalls) -> ChatAsk:
    """What the model is asked next: with everything that has been said and done."""
    items = [*ask.items, *ask.answer.output.items]
    most = ask.chat.max_completion_tokens
    usage = ask.answer.usage
    left = None if most is None else most - (0 if usage is None else usage.completion_tokens)
    return msgspec.structs.replace(
        ask.chat,
        messages=messages_of(items, ask.instructions, hosted.reader()),
        max_completion_tokens=left,
    )


class Seat:
    """A response's place on its instance: others have it while tools are waited for."""

    def __init__(self, call: Call, slot: Slot) -> None:
        self.slot = slot
        self._call = call

    @asynccontextmanager
    async def given_up(self) -> AsyncGenerator[None, None]:
        """Without the place for a while; it is waited for again as at first, and with its errors.

        Nothing is taken again where what is done meanwhile fails.
        """
        place = self._call.place
        assert place is not None  # noqa: S101 - whoever asks a model has one
        place.leave()
        yield
        self.slot = rationed(await place.enter(), self._call)
