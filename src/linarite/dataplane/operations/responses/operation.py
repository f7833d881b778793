"""Responses: create. The other operations on them are in `stored.py`.

Source: Azure OpenAI's v1 document, and "Azure OpenAI Responses API".
"""

from __future__ import annotations

import time
from contextlib import aclosing
from typing import TYPE_CHECKING

import msgspec

from linarite.dataplane.call import END_USER_MAX
from linarite.dataplane.operations.responses.answer import Answer
from linarite.dataplane.operations.responses.ask import AskReader
from linarite.dataplane.operations.responses.messages import without_oldest
from linarite.dataplane.operations.responses.preparing import Asked, Request
from linarite.dataplane.operations.responses.reply import ResponseReply
from linarite.dataplane.operations.responses.shape import new_response
from linarite.dataplane.parts.checks import find_deployment
from linarite.dataplane.parts.response_items import ItemIds, read_items
from linarite.domain.errors import (
    ContextLengthExceeded,
    EngineFailed,
    LinariteError,
    OperationNotSupported,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from linarite.dataplane.call import Call, OperationKit
    from linarite.dataplane.operations.responses.preparing import Ready
    from linarite.domain.chat import ChatEvent
    from linarite.domain.engine import Slot
    from linarite.domain.facts import Facts


class CreateResponse:
    """Azure's `createResponse`."""

    name = "Responses_Create"
    action = "Microsoft.CognitiveServices/accounts/OpenAI/responses/write"
    reads_body = True

    def __init__(self, kit: OperationKit) -> None:
        """Take who keeps what is stored."""
        self._kit = kit
        self._read = AskReader(accept_unknown_arguments=kit.accept_unknown_arguments)

    def parse(self, call: Call, body: bytes, facts: Facts) -> Asked:
        """What is asked. Raises InvalidRequest, DeploymentNotFound."""
        ask, tools = self._read(body)
        deployment = find_deployment(call, ask.model, facts)
        call.end_user = (ask.safety_identifier or ask.user or "")[:END_USER_MAX]
        if ask.service_tier is not None:
            call.service_tier_asked = ask.service_tier
        ids = ItemIds()
        items = read_items(ask.input if ask.input is not None else [], "input", ids.new)
        streamed = bool(ask.stream)
        response = new_response(ask, tools, ids.response, deployment.name, int(time.time()))
        answer = Answer(response, ids.new, tools.custom, logprobs=ask.wants_logprobs, told=streamed)
        call.reply = ResponseReply(answer, ask.max_output_tokens, streamed=streamed)
        call.error_frame = answer.error_frame
        return Asked(call, self._kit, Request(ask, tools, items, ids), answer)

    async def run(self, ask: Ready, slot: Slot) -> AsyncGenerator[bytes, None]:
        """The events, or nothing worth sending until the response is whole.

        What is kept is on disk before its last event is told. Raises OperationNotSupported.
        """
        if not slot.capabilities.chat_completion:
            raise OperationNotSupported("responses", slot.model)
        answer = ask.answer
        try:
            async with aclosing(self._said(ask, slot)) as events:
                async for event in events:
                    if not answer.began:
                        answer.begin()
                    answer.take(event)
                    yield b"".join(answer.taken())
            if not answer.began:
                raise EngineFailed("The engine gave no answer.")
        except LinariteError as problem:
            if answer.began:
                answer.fail(problem)
                await self._keep(ask)
                yield b"".join(answer.taken())
            raise
        answer.finish()
        await self._keep(ask)
        answer.tell_end()
        yield b"".join(answer.taken())

    async def _said(self, ask: Ready, slot: Slot) -> AsyncGenerator[ChatEvent, None]:
        """The engine's events; with `truncation` "auto" to as much as fits its context."""
        chat = ask.chat
        while True:
            try:
                async with aclosing(slot.engine.chat(chat)) as events:
                    async for event in events:
                        yield event
            except ContextLengthExceeded:
                shorter = None
                if ask.answer.response["truncation"] == "auto" and not ask.answer.began:
                    shorter = without_oldest(chat.messages)
                if shorter is None:
                    raise
                chat = msgspec.structs.replace(chat, messages=shorter)
            else:
                return

    async def _keep(self, ask: Ready) -> None:
        """Keep the response, and with it what it adds to its conversation."""
        if ask.new is None:
            return
        made = self._kit.responses.made(ask.new)
        if ask.conversation is None or ask.answer.response["status"] == "failed":
            await self._kit.responses.keep(made)
            return
        said = [*ask.said, *ask.answer.response["output"]]
        await self._kit.conversations.keep_with(ask.conversation, made, said)
