"""Responses: what an input counts, before anybody answers it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import msgspec

from linarite.dataplane.operations.responses.answer import answer_to
from linarite.dataplane.operations.responses.asking import told_of_input
from linarite.dataplane.operations.responses.keeping import Keeping
from linarite.dataplane.operations.responses.messages import without_oldest
from linarite.dataplane.operations.responses.operation import CreateResponse
from linarite.dataplane.operations.responses.preparing import Asked
from linarite.dataplane.operations.responses.shape import new_response
from linarite.dataplane.parts.documents import DocumentReply
from linarite.dataplane.parts.response_items import ItemIds
from linarite.domain.engine import CountsPrompts
from linarite.domain.errors import InvalidRequest, OperationNotSupported

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from linarite.dataplane.call import Call, OperationKit
    from linarite.dataplane.operations.responses.preparing import Ready
    from linarite.domain.engine import Slot
    from linarite.domain.facts import Facts


class CountInputTokens:
    """OpenAI's `getInputTokenCounts`: by the deployment's own tokenizer and chat template.

    Takes everything that a request for a response may say, so that the same can be counted and
    then asked. Nothing is generated, kept or charged.
    """

    name = "Responses_CountInputTokens"
    action = CreateResponse.action
    reads_body = True

    def __init__(self, kit: OperationKit) -> None:
        """Read requests as they are read to be answered."""
        self._kit = kit
        self._create = CreateResponse(kit)

    def parse(self, call: Call, body: bytes, facts: Facts) -> Asked:
        """What is asked. Raises InvalidRequest, DeploymentNotFound."""
        ids = ItemIds()
        request = self._create.request(call, body, facts, ids)
        ask = msgspec.structs.replace(request.ask, store=False, background=None, stream=None)
        request = request._replace(ask=ask)
        response = new_response(ask, request.tools, ids.response, ask.model or "", int(time.time()))
        call.reply = DocumentReply()
        return Asked(
            call,
            self._kit,
            request,
            answer_to(request, response, told=False),
            Keeping(self._kit.responses, self._kit.conversations),
        )

    async def run(self, ask: Ready, slot: Slot) -> AsyncGenerator[dict[str, Any], None]:
        """The count; with `truncation` "auto" of as much as would be answered.

        Raises OperationNotSupported where the engine can't tell.
        """
        engine, able = slot.engine, slot.capabilities
        if not able.chat_completion or not isinstance(engine, CountsPrompts):
            raise OperationNotSupported("responsesInputTokens", slot.model)
        chat, limit = ask.chat, able.context_tokens
        if ask.hosted is not None:  # MCP servers are not asked for what they have
            ask.hosted.offer()
            chat = ask.hosted.ask(chat, first=False)
        fits = limit - (chat.completion_tokens_max or 1)
        try:
            count = await engine.prompt_tokens(chat)
            while ask.answer.response["truncation"] == "auto" and limit and count > fits:
                shorter = without_oldest(chat.messages)
                if shorter is None:
                    break
                chat = msgspec.structs.replace(chat, messages=shorter)
                count = await engine.prompt_tokens(chat)
        except InvalidRequest as problem:
            told_of_input(problem)
            raise
        yield {"object": "response.input_tokens", "input_tokens": count}
