"""The operation as its route row names it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.dataplane.call import END_USER_MAX
from linarite.dataplane.operations.chat_completions.ask import AskReader
from linarite.dataplane.operations.chat_completions.grounded_reply import NothingFound, polite
from linarite.dataplane.operations.chat_completions.grounding import over_documents
from linarite.dataplane.operations.chat_completions.reply import ChatReply
from linarite.dataplane.operations.chat_completions.storing import (
    ToBeStored,
    stored,
    to_be_stored,
)
from linarite.dataplane.parts.checks import find_deployment, find_path_deployment
from linarite.domain.errors import OperationNotSupported

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from linarite.dataplane.call import Call, OperationKit
    from linarite.dataplane.operations.chat_completions.grounding import Grounding
    from linarite.domain.chat import ChatAsk, ChatEvent
    from linarite.domain.engine import Slot
    from linarite.domain.facts import Facts


class ChatCompletions:
    """Azure's `ChatCompletions_Create`."""

    name = "ChatCompletions_Create"
    action = "Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/completions/action"
    reads_body = True

    def __init__(self, kit: OperationKit) -> None:
        """Read strictly or leniently, as settings say."""
        self._read = AskReader(accept_unknown_arguments=kit.accept_unknown_arguments)
        self._kit = kit

    def parse(self, call: Call, body: bytes, facts: Facts) -> ChatAsk | ToBeStored | Grounding:
        """The checked ask. Raises InvalidRequest, DeploymentNotFound, DataSourceInvalid."""
        find_path_deployment(call, facts)
        ask = self._read(body)
        deployment = find_deployment(call, ask.model, facts, "chatCompletion")
        call.end_user = (ask.safety_identifier or ask.user or "")[:END_USER_MAX]
        call.reply = ChatReply(ask, deployment)
        if ask.service_tier is not None:
            call.service_tier_asked = ask.service_tier
        if ask.data_sources:
            return over_documents(call, ask, facts, self._kit)
        if ask.store:
            return to_be_stored(call, ask, facts)
        return ask

    def run(
        self, ask: ChatAsk | ToBeStored | NothingFound, slot: Slot
    ) -> AsyncGenerator[ChatEvent, None]:
        """The engine's events. Raises OperationNotSupported."""
        if isinstance(ask, ToBeStored):
            return stored(ask, self.run(ask.served, slot), self._kit.completions)
        if not slot.capabilities.chat_completion:
            raise OperationNotSupported("chatCompletion", slot.model)
        if type(ask) is NothingFound:  # isinstance takes ten times as long: this is hot
            return polite(ask)
        events: AsyncGenerator[ChatEvent, None] = slot.engine.chat(ask)
        return events
