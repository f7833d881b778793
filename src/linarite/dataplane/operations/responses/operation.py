"""Responses: create. The other operations on them are in `stored.py`.

Source: Azure OpenAI's v1 document, and "Azure OpenAI Responses API".
"""

from __future__ import annotations

import time
from contextlib import aclosing
from typing import TYPE_CHECKING

from linarite.dataplane.call import END_USER_MAX
from linarite.dataplane.operations.responses.answer import RATE_EXCEEDED, answer_to
from linarite.dataplane.operations.responses.ask import AskReader, require_input
from linarite.dataplane.operations.responses.asking import said
from linarite.dataplane.operations.responses.keeping import Keeping
from linarite.dataplane.operations.responses.preparing import Asked, Queued, Request, queued_body
from linarite.dataplane.operations.responses.reply import ResponseReply
from linarite.dataplane.operations.responses.shape import new_response
from linarite.dataplane.operations.responses.turns import turns
from linarite.dataplane.parts.checks import find_deployment
from linarite.dataplane.parts.response_items import ItemIds, read_items
from linarite.domain.errors import (
    InvalidRequest,
    LinariteError,
    OperationNotSupported,
)
from linarite.domain.quota_errors import RateLimitReached
from linarite.responses.prompts import filled_in

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from linarite.dataplane.call import Call, OperationKit
    from linarite.dataplane.operations.responses.ask import ResponseAsk
    from linarite.dataplane.operations.responses.preparing import Ready
    from linarite.dataplane.parts.response_items import Item
    from linarite.domain.engine import Slot
    from linarite.domain.facts import Facts


class CreateResponse:
    """Azure's `createResponse`."""

    name = "Responses_Create"
    action = "Microsoft.CognitiveServices/accounts/OpenAI/responses/write"
    reads_body = True
    generate = True
    """False: no model is asked, and later turns go on from what is put down; set before each"""

    def __init__(self, kit: OperationKit) -> None:
        """Take who keeps what is stored."""
        self._kit = kit
        self._read = AskReader(accept_unknown_arguments=kit.accept_unknown_arguments)

    def parse(self, call: Call, body: bytes, facts: Facts) -> Asked:
        """What is asked. Raises InvalidRequest, DeploymentNotFound."""
        ids = ItemIds()
        request = self.request(call, body, facts, ids)
        ask = request.ask
        if self.generate and ask.input == [] and not ask.instructions:
            require_input(ask)
        response = new_response(ask, request.tools, ids.response, ask.model or "", int(time.time()))
        streamed = bool(ask.stream)
        answer = answer_to(request, response, told=streamed)
        call.reply = ResponseReply(answer, ask.max_output_tokens, streamed=streamed)
        call.error_frame = answer.error_frame
        keeping = self.keeping()
        if ask.background and call.maker is not None:
            raise InvalidRequest(
                "Invalid value: 'background' can't be used in a batch, which is in the background "
                "itself.",
                param="background",
                code="invalid_value",
            )
        return Asked(call, self._kit, request, answer, keeping, queued_body(ask, body))

    def keeping(self) -> Keeping:
        """What becomes of an answer beside being sent."""
        return Keeping(self._kit.responses, self._kit.conversations)

    def request(self, call: Call, body: bytes, facts: Facts, ids: ItemIds) -> Request:
        """What a body says; the call learns what it says about itself."""
        ask, tools = self._read(body)
        find_deployment(call, ask.model, facts, "responses")
        call.end_user = (ask.safety_identifier or ask.user or "")[:END_USER_MAX]
        if ask.service_tier is not None:
            call.service_tier_asked = ask.service_tier
        items = read_items(ask.input if ask.input is not None else [], "input", ids.new)
        return Request(ask, tools, items, ids, self._prompted(ask, facts, ids))

    def _prompted(self, ask: ResponseAsk, facts: Facts, ids: ItemIds) -> Sequence[Item]:
        """The messages of the prompt that is named. Raises InvalidRequest, NoSuchPrompt."""
        named = ask.prompt
        if named is None:
            return ()
        found = self._kit.prompts.find(facts.account.id, named.id, named.version)
        return read_items(filled_in(found, named.variables or {}), "prompt", ids.new)

    async def run(self, ask: Ready | Queued, slot: Slot | None) -> AsyncGenerator[bytes, None]:
        """The events, or nothing worth sending until the response is whole.

        What is kept is on disk before its last event is told. Raises OperationNotSupported.
        """
        if isinstance(ask, Queued):
            async for frame in self._queue(ask):
                yield frame
            return
        assert slot is not None  # noqa: S101 - a deployment answers
        if not slot.capabilities.chat_completion:
            raise OperationNotSupported("responses", slot.model)
        answer, keeping, hosted = ask.answer, ask.keeping, ask.hosted
        try:
            if hosted is None:
                truncates = answer.response["truncation"] == "auto"
                async with aclosing(said(ask.chat, slot, truncates=truncates)) as events:
                    async for event in events:
                        answer.take(event)
                        yield await keeping.told(answer)
            else:
                async with aclosing(turns(ask, hosted, slot)) as steps:
                    async for _ in steps:
                        yield await keeping.told(answer)
            answer.require_begun()
        except LinariteError as problem:
            if answer.began:
                answer.fail(problem)
                await keeping.end(ask)
                yield await keeping.told(answer)
            if not ends_as_it_is(ask, problem):
                raise
            return
        answer.finish()
        answer.tell_end()
        await keeping.end(ask)
        yield await keeping.told(answer)

    async def _queue(self, ask: Queued) -> AsyncGenerator[bytes, None]:
        """Have it made in the background; with `stream` its events, else nothing more."""
        background = self._kit.background
        ask.answer.queue()
        await background.queue(ask.made, ask.answer.taken())
        if not ask.streamed:
            yield b""
            return
        async with aclosing(background.events.follow(ask.made, -1)) as frames:
            async for frame in frames:
                yield frame


def ends_as_it_is(ask: Ready, problem: LinariteError) -> bool:
    """Whether a response that its limits have broken off is the answer, failed as it is.

    A refusal would be asked again, and what its tools have done would be done again.
    """
    call, done = ask.call, ask.answer.output.items
    streamed = call.reply is not None and call.reply.streamed
    if not isinstance(problem, RateLimitReached) or streamed or not done:
        return False
    call.limited_by, call.refused_by = problem.limited_by, problem.control
    call.error_code, call.finish = RATE_EXCEEDED, "failed"
    return True
