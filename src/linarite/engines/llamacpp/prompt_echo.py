"""The prompt of a completion, given back with the likelihood of each of its tokens.

llama.cpp tells no probabilities of prompt tokens. So the prompt's tokens are forced upon a
generation, one after the other, and that tells how likely each was. It takes as long as generating
them.
"""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import msgspec

from linarite.domain.completion import CompletionLogprobs
from linarite.domain.errors import ContextLengthExceeded
from linarite.engines.llamacpp.generation import COMPLETION, Generation
from linarite.engines.llamacpp.tokenizing import text_of, tokens_of
from linarite.engines.llamacpp.wire import CHUNK_FIELDS, TokenProbability
from linarite.engines.text_chat.logprobs import completion_logprobs, legacy_token

if TYPE_CHECKING:
    from linarite.domain.completion import Prompt
    from linarite.engines.llamacpp.loaded_model import LoadedModel
    from linarite.engines.llamacpp.socket_client import SocketClient


class PromptEcho(msgspec.Struct, frozen=True):
    """A prompt as the caller sees it."""

    text: str
    tokens: int
    logprobs: CompletionLogprobs | None


async def echo_of(model: LoadedModel, prompt: Prompt, top: int | None) -> PromptEcho:
    """Look up a prompt's text and length; with `top`, also how likely its tokens were.

    Raises ContextLengthExceeded, EngineFailed, EngineRefusal and HttpClientError.
    """
    client = model.client
    tokens = prompt if isinstance(prompt, list) else await tokens_of(client, prompt)
    if len(tokens) > model.context_tokens:
        raise ContextLengthExceeded(model.context_tokens, len(tokens))
    text = prompt if isinstance(prompt, str) else await text_of(client, prompt)
    if top is None or not tokens:
        return PromptEcho(text, len(tokens), None)
    first = await text_of(client, tokens[:1])
    seen = await _likelihoods(client, tokens, top)
    logprobs = completion_logprobs(seen, top, len(first))
    if isinstance(prompt, str) and not text.startswith(first):
        # The model's own beginning, which the caller did not write.
        return PromptEcho(text, len(tokens), completion_logprobs(seen, top, 0))
    first_logprobs = CompletionLogprobs(
        tokens=[first, *logprobs.tokens],
        token_logprobs=[None, *logprobs.token_logprobs],
        top_logprobs=None if logprobs.top_logprobs is None else [None, *logprobs.top_logprobs],
        text_offset=[0, *logprobs.text_offset],
    )
    return PromptEcho(text, len(tokens), first_logprobs)


async def _likelihoods(client: SocketClient, tokens: list[int], top: int) -> list[TokenProbability]:
    """How likely each token but the first was, given those before it.

    Streamed, though nobody reads along: only then does the engine notice that its caller has left.

    A token that ends a reply ends the generation too, even when it was forced; the next one then
    starts behind it.
    """
    seen: list[TokenProbability] = []
    position = 1
    while position < len(tokens):
        forced = await _force(client, tokens[:position], tokens[position:], top)
        for probability in forced:
            # A character of several tokens comes as one, under the last one's id.
            while position < len(tokens) and tokens[position] != probability.id:
                position += 1
            position += 1
            seen.append(await _with_text(client, probability))
        if not forced:
            position += 1
    return seen


async def _force(
    client: SocketClient, prompt: list[int], following: list[int], top: int
) -> list[TokenProbability]:
    forced = " ".join(f"<[{token}]>" for token in following)
    body: dict[str, Any] = {
        "prompt": prompt,
        "n_predict": len(following),
        "temperature": 0,
        "n_probs": max(1, top),
        "grammar": f"%llguidance {{}}\nstart: {forced}",
        "response_fields": CHUNK_FIELDS,
        "stream": True,
        "return_progress": True,
    }
    seen: list[TokenProbability] = []
    generation = Generation(client, COMPLETION, body)
    whole = len(prompt) + len(following)
    async with aclosing(generation.steps(whole, len(following))) as steps:
        async for step in steps:
            seen += step.probabilities
    return seen


async def _with_text(client: SocketClient, probability: TokenProbability) -> TokenProbability:
    """Special tokens have no text in a reply; in a prompt they have."""
    if probability.bytes:
        return probability
    text = await text_of(client, [probability.id])
    return msgspec.structs.replace(
        probability, token=legacy_token(text.encode()), bytes=list(text.encode())
    )
