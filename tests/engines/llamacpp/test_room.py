from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from linarite.domain.chat import ChatAsk
from linarite.domain.completion import CompletionAsk
from linarite.domain.embedding import EmbeddingAsk
from linarite.domain.errors import ContextLengthExceeded
from linarite.engines.llamacpp.chat import answer_chat
from linarite.engines.llamacpp.completion import answer_completion
from linarite.engines.llamacpp.embedding import answer_embedding
from linarite.engines.text_chat.room import require_room_for_words
from tests.engines.llamacpp.scripted_server import scripted_model

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from linarite.engines.llamacpp.loaded_model import LoadedModel

pytestmark = pytest.mark.anyio

LONG = "w" * 200_000
"""in a context of 1,000 tokens"""


async def chat(model: LoadedModel) -> None:
    """A chat of two messages that are too long together."""
    messages = [{"role": "user", "content": LONG[:100_000]}] * 2
    async for _ in answer_chat(model, msgspec.convert({"messages": messages}, ChatAsk)):
        pass


async def complete(model: LoadedModel) -> None:
    """A completion whose second prompt is too long."""
    async for _ in answer_completion(model, CompletionAsk(prompt=["short", LONG])):
        pass


async def embed(model: LoadedModel) -> None:
    """An input that is too long behind one that is not."""
    await answer_embedding(model, EmbeddingAsk(input=["short", LONG]))


@pytest.mark.parametrize("ask", [chat, complete, embed])
async def test_what_cannot_fit_never_reaches_the_engine(
    ask: Callable[[LoadedModel], Awaitable[Any]],
) -> None:
    """The engine would be busy for seconds with each megabyte."""
    async with scripted_model({}) as (model, server):
        with pytest.raises(ContextLengthExceeded, match="at least 1562 tokens"):
            await ask(model)
        assert not server.asked


def test_blanks_are_no_words() -> None:
    """Vocabularies of embedding models drop them, so such a text may fit."""
    require_room_for_words("a" + " " * 1_000_000, 1)
    with pytest.raises(ContextLengthExceeded):
        require_room_for_words("a " * 300, 1)
