"""The operation: its ask is simple enough to stand beside it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec

from linarite.dataplane.call import END_USER_MAX
from linarite.dataplane.operations.embeddings.reply import EmbeddingReply
from linarite.dataplane.parts import checks
from linarite.dataplane.parts.decode import decode
from linarite.dataplane.parts.token_arrays import check_items
from linarite.domain.embedding import EmbeddingAsk, EmbeddingEvent, StrictEmbeddingAsk
from linarite.domain.errors import InvalidRequest, OperationNotSupported

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from linarite.dataplane.call import Call, OperationKit
    from linarite.domain.engine import Slot
    from linarite.domain.facts import Facts

INPUTS_MAX = 2048
BATCH = 32
"""vectors written in one go: some milliseconds"""


class Embeddings:
    """Azure's `Embeddings_Create`."""

    name = "Embeddings_Create"
    action = "Microsoft.CognitiveServices/accounts/OpenAI/deployments/embeddings/action"
    reads_body = True

    def __init__(self, kit: OperationKit) -> None:
        """Read strictly or leniently, as settings say."""
        shape = EmbeddingAsk if kit.accept_unknown_arguments else StrictEmbeddingAsk
        self._decoder: msgspec.json.Decoder[EmbeddingAsk] = msgspec.json.Decoder(shape)

    def parse(self, call: Call, body: bytes, facts: Facts) -> EmbeddingAsk:
        """The checked ask. Raises InvalidRequest, DeploymentNotFound."""
        checks.find_path_deployment(call, facts)
        ask = decode(self._decoder, body)
        check_input(ask)
        deployment = checks.find_deployment(call, ask.model, facts, "embeddings")
        call.end_user = (ask.user or "")[:END_USER_MAX]
        call.reply = EmbeddingReply(ask, deployment)
        return ask

    async def run(self, ask: EmbeddingAsk, slot: Slot) -> AsyncGenerator[EmbeddingEvent, None]:
        """The vectors in batches. Raises OperationNotSupported, InvalidRequest.

        Writing thousands of vectors takes a good part of a second: others get their turns.
        """
        able = slot.capabilities
        if not able.embeddings:
            raise OperationNotSupported("embeddings", slot.model)
        if ask.dimensions and 0 < able.embedding_dimensions < ask.dimensions:
            raise InvalidRequest(
                f"Invalid value for 'dimensions' = {ask.dimensions}. Must be less than or equal to "
                f"{able.embedding_dimensions}.",
                param="dimensions",
                code="invalid_value",
            )
        event = await slot.engine.embed(ask)
        yield EmbeddingEvent(event.vectors[:BATCH], event.usage)
        for at in range(BATCH, len(event.vectors), BATCH):
            await asyncio.sleep(0)
            yield EmbeddingEvent(event.vectors[at : at + BATCH], event.usage)


def check_input(ask: EmbeddingAsk) -> None:
    """Between 1 and 2,048 inputs, none of them empty."""
    if isinstance(ask.input, list):
        check_items("input", ask.input, INPUTS_MAX)
    if any(not item for item in ask.inputs):
        raise InvalidRequest(
            "Invalid 'input': an input must not be empty.", param="input", code="invalid_value"
        )
    if ask.dimensions is not None:
        checks.in_range("dimensions", ask.dimensions, 1, 65_536)
