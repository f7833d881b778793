"""Asking a model, and again with less where its context is too small."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

import msgspec

from linarite.dataplane.operations.responses.messages import (
    with_shorter_results,
    without_oldest,
)
from linarite.domain.errors import ContextLengthExceeded, InvalidRequest

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from linarite.domain.chat import ChatAsk, ChatEvent, Message
    from linarite.domain.engine import Slot


async def said(
    chat: ChatAsk, slot: Slot, *, truncates: bool, hosted: bool = False
) -> AsyncGenerator[ChatEvent, None]:
    """The engine's events.

    What hosted tools answered is cut to what fits its context; with `truncates` what was said
    before as well.
    """
    began = False
    while True:
        try:
            async with aclosing(slot.engine.chat(chat)) as events:
                async for event in events:
                    began = True
                    yield event
        except ContextLengthExceeded as problem:
            shorter: list[Message] | None = None
            if hosted and not began:
                shorter = with_shorter_results(chat.messages)
            if shorter is None and truncates and not began:
                shorter = without_oldest(chat.messages)
            if shorter is None:
                problem.param = "input"
                raise
            chat = msgspec.structs.replace(chat, messages=shorter)
        except InvalidRequest as problem:
            told_of_input(problem)
            raise
        else:
            return


def told_of_input(problem: InvalidRequest) -> None:
    """What is wrong with a message is of the input: where it stands in the chat, nobody sent."""
    if (problem.param or "").startswith("messages"):
        problem.param = "input"
