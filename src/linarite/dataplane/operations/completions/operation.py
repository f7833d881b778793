"""The operation as its route row names it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.dataplane.call import END_USER_MAX
from linarite.dataplane.operations.completions.ask import AskReader
from linarite.dataplane.operations.completions.reply import CompletionReply
from linarite.dataplane.parts.checks import find_deployment, find_path_deployment
from linarite.domain.errors import InvalidRequest, OperationNotSupported

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from linarite.dataplane.call import Call, OperationKit
    from linarite.domain.completion import CompletionAsk, CompletionEvent
    from linarite.domain.engine import Slot
    from linarite.domain.facts import Facts


class Completions:
    """Azure's `Completions_Create`."""

    name = "Completions_Create"
    action = "Microsoft.CognitiveServices/accounts/OpenAI/deployments/completions/action"
    reads_body = True

    def __init__(self, kit: OperationKit) -> None:
        """Read strictly or leniently, as settings say."""
        self._read = AskReader(accept_unknown_arguments=kit.accept_unknown_arguments)

    def parse(self, call: Call, body: bytes, facts: Facts) -> CompletionAsk:
        """The checked ask. Raises InvalidRequest, DeploymentNotFound."""
        find_path_deployment(call, facts)
        ask = self._read(body)
        deployment = find_deployment(call, ask.model, facts, "completion")
        call.end_user = (ask.user or "")[:END_USER_MAX]
        call.reply = CompletionReply(ask, deployment)
        return ask

    def run(self, ask: CompletionAsk, slot: Slot) -> AsyncGenerator[CompletionEvent, None]:
        """The engine's events. Raises OperationNotSupported, InvalidRequest."""
        if not slot.capabilities.completion:
            raise OperationNotSupported("completion", slot.model)
        if ask.suffix is not None and not slot.capabilities.fill_in_the_middle:
            raise InvalidRequest(
                f"Unsupported parameter: 'suffix' is not supported with this model, {slot.model}: "
                "it was not trained to fill in the middle.",
                param="suffix",
                code="unsupported_parameter",
            )
        events: AsyncGenerator[CompletionEvent, None] = slot.engine.complete(ask)
        return events
