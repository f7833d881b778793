"""The official clients complete, embed and list; on both dialects, simulated and real."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import openai
import pytest

if TYPE_CHECKING:
    from openai import AsyncOpenAI, OpenAI

    from tests.contract.sdk.conftest import Target


def test_completion(client: OpenAI, target: Target) -> None:
    """A text is continued, with usage."""
    reply = client.completions.create(model=target.chat, prompt="Once upon a", max_tokens=6)
    assert reply.choices[0].text
    assert reply.usage is not None
    assert reply.usage.completion_tokens <= 6


def test_completion_streams(client: OpenAI, target: Target) -> None:
    """A continuation streams; until the end its finish reason is null, as on the service."""
    # The client's own type for chunks leaves null out, so it can't check the service strictly.
    lenient = client.with_options()
    lenient._strict_response_validation = False
    stream = lenient.completions.create(
        model=target.chat, prompt="Once upon a", max_tokens=6, stream=True
    )
    chunks = [chunk for chunk in stream if chunk.choices]
    assert "".join(chunk.choices[0].text for chunk in chunks)
    assert chunks[-1].choices[0].finish_reason in {"stop", "length"}


def test_several_prompts(client: OpenAI, target: Target) -> None:
    """Choices come in the order prompt by n."""
    reply = client.completions.create(
        model=target.chat, prompt=["One", "Two"], n=2, max_tokens=3, echo=True
    )
    assert [choice.index for choice in reply.choices] == [0, 1, 2, 3]
    starts = [choice.text[:3] for choice in reply.choices]
    assert starts == ["One", "One", "Two", "Two"]


def test_legacy_logprobs(client: OpenAI, target: Target) -> None:
    """The legacy shape has parallel lists of one length."""
    reply = client.completions.create(
        model=target.chat, prompt="Once upon a", max_tokens=4, logprobs=2
    )
    logprobs = reply.choices[0].logprobs
    assert logprobs is not None
    assert logprobs.tokens
    assert logprobs.token_logprobs is not None
    assert logprobs.text_offset is not None
    assert len(logprobs.tokens) == len(logprobs.token_logprobs) == len(logprobs.text_offset)


def test_token_prompt(client: OpenAI, target: Target) -> None:
    """A prompt may be token ids."""
    reply = client.completions.create(model=target.chat, prompt=[10, 20, 30], max_tokens=3)
    assert reply.usage is not None
    assert reply.usage.prompt_tokens == 3


def test_embeddings(client: OpenAI, target: Target) -> None:
    """Vectors come in the order of the inputs and have unit length."""
    reply = client.embeddings.create(
        model=target.vectors, input=["one", "two", "one"], encoding_format="float"
    )
    assert [item.index for item in reply.data] == [0, 1, 2]
    first, second, third = (item.embedding for item in reply.data)
    assert math.sqrt(sum(x * x for x in first)) == pytest.approx(1, abs=1e-3)
    assert first == pytest.approx(third, abs=1e-3)
    assert first != pytest.approx(second, abs=1e-3)
    assert reply.usage.prompt_tokens > 0


def test_embeddings_as_base64(client: OpenAI, target: Target) -> None:
    """The client's own choice, base64, decodes to the same vector."""
    # The client can't check its own default strictly: it decodes after checking.
    lenient = client.with_options()
    lenient._strict_response_validation = False
    one = lenient.embeddings.create(model=target.vectors, input="one").data[0].embedding
    other = client.embeddings.create(model=target.vectors, input="one", encoding_format="float")
    assert one == pytest.approx(other.data[0].embedding, abs=1e-3)


def test_embedding_dimensions(client: OpenAI, target: Target) -> None:
    """`dimensions` cuts the vector and keeps it at unit length."""
    reply = client.embeddings.create(
        model=target.vectors, input="one", dimensions=64, encoding_format="float"
    )
    vector = reply.data[0].embedding
    assert len(vector) == 64
    assert math.sqrt(sum(x * x for x in vector)) == pytest.approx(1, abs=1e-3)


def test_embedding_token_arrays(client: OpenAI, target: Target) -> None:
    """LangChain sends arrays of token ids."""
    reply = client.embeddings.create(
        model=target.vectors, input=[[5, 6, 7], [8, 9]], encoding_format="float"
    )
    assert len(reply.data) == 2


def test_too_many_inputs(client: OpenAI, target: Target) -> None:
    """2,049 inputs are one too many."""
    with pytest.raises(openai.BadRequestError) as caught:
        client.embeddings.create(model=target.vectors, input=["x"] * 2049, encoding_format="float")
    assert caught.value.code == "array_above_max_length"


def test_wrong_operation(client: OpenAI, target: Target) -> None:
    """A model that cannot chat says so as Azure does."""
    if not target.real:
        pytest.skip("the simulator can do every operation")
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(
            model=target.vectors, messages=[{"role": "user", "content": "hi"}]
        )
    assert caught.value.code == "OperationNotSupported"


def test_models(client: OpenAI) -> None:
    """Models are listed and found by name."""
    listed = list(client.models.list())
    assert listed
    found = client.models.retrieve(listed[0].id)
    assert found.id == listed[0].id
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("none-such")


@pytest.mark.anyio
async def test_async(async_client: AsyncOpenAI, target: Target) -> None:
    """The asynchronous client completes, embeds and lists."""
    text = await async_client.completions.create(model=target.chat, prompt="One", max_tokens=3)
    assert text.choices
    vectors = await async_client.embeddings.create(
        model=target.vectors, input="one", encoding_format="float"
    )
    assert vectors.data
    assert [model async for model in async_client.models.list()]
