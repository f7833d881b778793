"""What else can be done with responses than making them, by the official clients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from openai import APIResponseValidationError, AsyncOpenAI, AzureOpenAI, OpenAI
from openai.types.responses import ResponseCompactionItem
from websockets.exceptions import InvalidStatus

from tests.contract.sdk.test_responses import WEATHER, arguments_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contract.sdk.conftest import Target


@pytest.fixture(scope="module", params=["dated", "v1"])
def client(request: pytest.FixtureRequest, simulated: Target) -> Iterator[OpenAI]:
    """The official synchronous clients."""
    made = AzureOpenAI if request.param == "dated" else OpenAI
    with made(**arguments_of(simulated, request.param)) as opened:
        yield opened


ASKED: list[dict[str, Any]] = [
    {"input": "How many tokens is this?"},
    {"input": [{"role": "user", "content": "Hello"}], "instructions": "Be kind."},
    {"input": "What is the weather in Rome?", "tools": [WEATHER]},
]


@pytest.mark.parametrize("asked", ASKED, ids=["text", "instructions", "tools"])
def test_an_input_counts_what_its_answer_says(client: OpenAI, asked: Any) -> None:  # noqa: ANN401 - as the client takes it
    """Told beforehand, and by the usage of the answer."""
    told = client.responses.input_tokens.count(model="gpt-4o", **asked)
    made = client.responses.create(model="gpt-4o", **asked)
    assert made.usage is not None
    assert told.input_tokens == made.usage.input_tokens > 0


@pytest.mark.real_model
@pytest.mark.parametrize("asked", ASKED, ids=["text", "instructions", "tools"])
def test_a_real_model_counts_with_its_own_tokenizer(real: Target, asked: Any) -> None:  # noqa: ANN401 - as above
    """And its own chat template."""
    with OpenAI(**arguments_of(real, "v1")) as client:
        told = client.responses.input_tokens.count(model=real.chat, **asked)
        made = client.responses.create(model=real.chat, max_output_tokens=16, **asked)
    assert made.usage is not None
    assert told.input_tokens == made.usage.input_tokens > 0


def test_a_conversation_is_made_short(client: OpenAI) -> None:
    """What comes back is what the next request takes."""
    first = client.responses.create(model="gpt-4o", input="My name is Ada.")
    body: Any = {"model": "gpt-4o", "previous_response_id": first.id}
    # The service keeps messages of the user's, which the client's own types have no place for.
    with pytest.raises(APIResponseValidationError):
        client.responses.compact(**body)
    loose = client.with_options(_extra_kwargs={"_strict_response_validation": False})
    made = loose.responses.compact(**body)
    assert made.object == "response.compaction"
    assert made.usage.output_tokens > 0
    *kept, notes = made.output
    assert [each.type for each in kept] == ["message"]
    assert isinstance(notes, ResponseCompactionItem)
    items: Any = [*(each.to_dict(warnings=False) for each in made.output)]
    items.append({"role": "user", "content": "What is my name?"})
    assert client.responses.create(model="gpt-4o", input=items).status == "completed"
    only = client.responses.compact(model="gpt-4o", input=[{"role": "assistant", "content": "Hi"}])
    assert [each.type for each in only.output] == ["compaction"]


@pytest.mark.filterwarnings("ignore:connect:DeprecationWarning")  # of the client's own use
def test_turns_come_over_a_websocket(client: OpenAI) -> None:
    """Events as of a stream; what is not kept is gone on from on the same socket."""
    with client.responses.connect() as socket:
        previous: str | None = None
        counted: list[int] = []
        for said in ("My name is Ada.", "What is my name?"):
            socket.response.create(
                model="gpt-4o", input=said, store=False, previous_response_id=previous
            )
            events: list[Any] = []
            for event in socket:
                events.append(event)
                if event.type in {"response.completed", "error"}:
                    break
            last = events[-1]
            assert last.type == "response.completed", last
            told = "".join(e.delta for e in events if e.type == "response.output_text.delta")
            assert last.response.output_text == told != ""
            counted.append(last.response.usage.input_tokens)
            previous = last.response.id
        assert counted[1] > counted[0]
        socket.response.create(model="gpt-4o", input="x", previous_response_id="resp_none")
        refused: Any = socket.recv()
        assert (refused.type, refused.status) == ("error", 400)
        assert refused.error.code == "previous_response_not_found"


@pytest.mark.anyio
async def test_turns_come_over_a_websocket_asynchronously(simulated: Target) -> None:
    """And a wrong key is refused before there is a socket."""
    arguments = arguments_of(simulated, "v1")
    async with AsyncOpenAI(**arguments) as client, client.responses.connect() as socket:
        await socket.response.create(model="gpt-4o", input="Hello", generate=False)
        async for event in socket:
            if event.type == "response.completed":
                assert event.response.output == []
                break
    arguments["api_key"] = "wrong"
    async with AsyncOpenAI(**arguments) as wrong:
        with pytest.raises(InvalidStatus, match="401"):
            await wrong.responses.connect().enter()
