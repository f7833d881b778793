"""Responses, by the official clients, each answer checked against their types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from openai import (
    APIStatusError,
    AsyncAzureOpenAI,
    AsyncOpenAI,
    AzureOpenAI,
    BadRequestError,
    NotFoundError,
    OpenAI,
)
from pydantic import BaseModel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai.types.responses import Response

    from tests.contract.sdk.conftest import Target

VERSION = "2025-04-01-preview"
WEATHER: Any = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather in a city.",
    "strict": True,
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
}
NOTE: Any = {"type": "custom", "name": "note", "description": "Writes a note."}


class City(BaseModel):
    """A structured answer."""

    name: str
    people: int


def arguments_of(target: Target, dialect: str) -> dict[str, Any]:
    """What clients of a dialect are made with."""
    server = target.server
    common = {"api_key": server.key, "max_retries": 0, "_strict_response_validation": True}
    if dialect == "dated":
        return common | {"azure_endpoint": server.endpoint, "api_version": VERSION}
    return common | {"base_url": f"{server.endpoint}/openai/v1/"}


@pytest.fixture(scope="module", params=["dated", "v1"])
def client(request: pytest.FixtureRequest, simulated: Target) -> Iterator[OpenAI]:
    """The official synchronous clients."""
    made = AzureOpenAI if request.param == "dated" else OpenAI
    with made(**arguments_of(simulated, request.param)) as opened:
        yield opened


def ask(client: OpenAI, **said: Any) -> Response:  # noqa: ANN401 - as the client takes it
    """A response of the simulated model."""
    asked: Any = {"model": "gpt-4o", "input": "Hello"} | said
    made: Response = client.responses.create(**asked)
    return made


@pytest.mark.real_model
def test_a_real_model_goes_on_from_what_was_said(real: Target) -> None:
    """It reads what an earlier response left, streams, and counts."""
    with OpenAI(**arguments_of(real, "v1")) as client:
        first = client.responses.create(
            model=real.chat, input="My name is Ada.", max_output_tokens=24, temperature=0
        )
        assert first.output_text
        assert first.usage is not None
        with client.responses.stream(
            model=real.chat,
            input="Say hello.",
            previous_response_id=first.id,
            max_output_tokens=24,
        ) as stream:
            events: list[Any] = list(stream)
        told = "".join(e.delta for e in events if e.type == "response.output_text.delta")
        assert events[-1].type in {"response.completed", "response.incomplete"}
        final = client.responses.retrieve(events[-1].response.id)
        assert final.output_text == told != ""
        assert final.usage is not None
        assert final.usage.input_tokens > first.usage.input_tokens
        parsed = client.responses.parse(
            model=real.chat, input="A city, please.", text_format=City, max_output_tokens=200
        )
        assert isinstance(parsed.output_parsed, City)


@pytest.mark.real_model
def test_what_a_real_model_cannot_read_is_named_as_it_was_sent(real: Target) -> None:
    """It stands in `input`: a request for a response has no `messages`."""
    picture = {"type": "input_image", "image_url": "data:image/png;base64,AA=="}
    for content in ([picture], "word " * 20_000):
        items: Any = [{"role": "user", "content": content}]
        with (
            OpenAI(**arguments_of(real, "v1")) as client,
            pytest.raises(BadRequestError) as refused,
        ):
            client.responses.create(model=real.chat, input=items, store=False)
        assert refused.value.param == "input"


def test_a_response_says_what_was_asked(client: OpenAI) -> None:
    """Everything that the request decides is repeated in it."""
    made = ask(
        client,
        instructions="Be kind.",
        temperature=0.5,
        top_p=0.9,
        max_output_tokens=300,
        metadata={"team": "blue"},
        reasoning={"effort": "low"},
        text={"verbosity": "low"},
        truncation="auto",
        user="u-1",
        tools=[WEATHER, NOTE],
        tool_choice="none",
        parallel_tool_calls=False,
    )
    assert made.status == "completed"
    assert made.id.startswith("resp_")
    assert (made.model, made.instructions, made.user) == ("gpt-4o", "Be kind.", "u-1")
    assert (made.temperature, made.top_p, made.max_output_tokens) == (0.5, 0.9, 300)
    assert (made.metadata, made.truncation) == ({"team": "blue"}, "auto")
    assert (made.tool_choice, made.parallel_tool_calls) == ("none", False)
    assert made.service_tier == "default", "the one that served it"
    assert [tool.type for tool in made.tools] == ["function", "custom"]
    assert made.reasoning is not None
    assert made.reasoning.effort == "low"
    assert made.usage is not None
    assert made.usage.total_tokens == made.usage.input_tokens + made.usage.output_tokens
    assert made.model_extra is not None
    assert made.model_extra["content_filters"] == []


def test_a_response_is_kept_until_it_is_deleted(client: OpenAI) -> None:
    """Found as it was answered; then it is absent like any other."""
    made = ask(client)
    assert client.responses.retrieve(made.id) == made
    client.responses.delete(made.id)
    for call in (client.responses.retrieve, client.responses.delete, client.responses.cancel):
        with pytest.raises(NotFoundError, match=f"Response with id '{made.id}' not found"):
            call(made.id)
    with pytest.raises(NotFoundError):
        client.responses.input_items.list(made.id)


def test_what_is_not_stored_is_not_found(client: OpenAI) -> None:
    """Nor can it be gone on from."""
    made = ask(client, store=False)
    with pytest.raises(NotFoundError):
        client.responses.retrieve(made.id)
    with pytest.raises(BadRequestError, match="not found") as refused:
        ask(client, previous_response_id=made.id)
    assert refused.value.code == "previous_response_not_found"
    assert refused.value.param == "previous_response_id"


def test_a_response_goes_on_from_another(client: OpenAI) -> None:
    """The model reads what was said before: its input is longer by that; instructions are not."""
    first = ask(client, input="word " * 50, instructions="word " * 500)
    second = ask(client, previous_response_id=first.id)
    third = ask(client, previous_response_id=second.id)
    plain = ask(client)
    inputs = [each.usage.input_tokens for each in (plain, second, third) if each.usage]
    assert plain.usage is not None
    assert inputs[0] + 50 < inputs[1] < inputs[2]
    assert inputs[1] < 400
    assert second.previous_response_id == first.id
    client.responses.delete(first.id)
    fourth = ask(client, previous_response_id=third.id)
    assert fourth.usage is not None
    assert fourth.usage.input_tokens < inputs[2], "what was deleted is not read any more"


def test_input_items_are_listed_in_parts(client: OpenAI) -> None:
    """Newest first or oldest first, each once."""
    said = [{"role": "user", "content": f"number {each}"} for each in range(7)]
    made = ask(client, input=said)
    texts = [
        part.text
        for item in client.responses.input_items.list(made.id, limit=3)
        if item.type == "message"
        for part in item.content
        if part.type == "input_text"
    ]
    assert texts == [f"number {each}" for each in range(6, -1, -1)]
    page = client.responses.input_items.list(made.id, limit=2, order="asc")
    assert page.has_more
    rest = client.responses.input_items.list(made.id, order="asc", after=page.data[-1].id)
    assert len(rest.data) == 5
    wrongs: list[Any] = [{"limit": 0}, {"limit": 101}, {"order": "up"}]
    for wrong in wrongs:
        with pytest.raises(BadRequestError):
            client.responses.input_items.list(made.id, **wrong)


def test_a_stream_tells_the_response_that_is_kept(client: OpenAI) -> None:
    """Numbered from 0 without a gap; the helper folds it to what GET answers."""
    with client.responses.stream(model="gpt-4o", input="Tell a story.") as stream:
        events = list(stream)
        final = stream.get_final_response()
    assert [event.sequence_number for event in events] == list(range(len(events)))
    kinds = [event.type for event in events]
    assert kinds[:4] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
    ]
    assert kinds[-4:] == [
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    told = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert final.output_text == told
    kept = client.responses.retrieve(final.id)
    assert kept.output_text == told
    assert kept.usage == final.usage


@pytest.mark.parametrize("streamed", [False, True])
def test_tools_are_called_and_answered(client: OpenAI, streamed: bool) -> None:
    """By `previous_response_id`, and by sending the output back."""
    said: dict[str, Any] = {"model": "gpt-4o", "input": "The weather in Paris?", "tools": [WEATHER]}
    if streamed:
        with client.responses.stream(**said, tool_choice="required") as stream:
            events = list(stream)
            made: Response = stream.get_final_response()
        pieces = [e.delta for e in events if e.type == "response.function_call_arguments.delta"]
        assert "".join(pieces) == '{"city":"Paris"}'
    else:
        made = client.responses.create(**said, tool_choice="required")
    call = made.output[0]
    assert call.type == "function_call"
    assert (call.name, call.arguments) == ("get_weather", '{"city":"Paris"}')
    result: Any = {"type": "function_call_output", "call_id": call.call_id, "output": "sunny"}
    after = ask(client, previous_response_id=made.id, input=[result], tools=[WEATHER])
    assert "sunny" in after.output_text
    history: list[Any] = [{"role": "user", "content": said["input"]}, *made.output, result]
    assert "sunny" in ask(client, input=history, tools=[WEATHER], store=False).output_text
    with pytest.raises(BadRequestError, match="No tool output found for function call"):
        ask(client, previous_response_id=made.id)
    with pytest.raises(BadRequestError, match="No tool call found for function call output"):
        ask(client, input=[result])


def test_results_may_stand_anywhere_behind_their_calls(client: OpenAI) -> None:
    """Models want them right behind; clients send them as they come."""
    calls = [
        {"type": "function_call", "call_id": f"c{each}", "name": "get_weather", "arguments": "{}"}
        for each in range(2)
    ]
    results = [
        {"type": "function_call_output", "call_id": f"c{each}", "output": f"result {each}"}
        for each in (1, 0)
    ]
    asked = {"role": "user", "content": "Weather?"}
    for order in ([*calls, *results], [calls[0], results[1], calls[1], results[0]]):
        assert "result" in ask(client, input=[asked, *order]).output_text


def test_a_tool_of_free_text(client: OpenAI) -> None:
    """Its calls are told as text, and their results read."""
    forced: Any = {"type": "custom", "name": "note"}
    made = ask(client, input="Write: buy milk", tools=[NOTE], tool_choice=forced)
    call = made.output[0]
    assert call.type == "custom_tool_call"
    assert call.name == "note"
    result: Any = {"type": "custom_tool_call_output", "call_id": call.call_id, "output": "written"}
    assert "written" in ask(client, previous_response_id=made.id, input=[result]).output_text
    with client.responses.stream(
        model="gpt-4o", input="Write: buy milk", tools=[NOTE], tool_choice=forced
    ) as stream:
        kinds = [event.type for event in stream]
    assert "response.custom_tool_call_input.done" in kinds


def test_some_of_the_tools_may_be_allowed(client: OpenAI) -> None:
    """The others are not offered."""
    allowed: Any = {"type": "allowed_tools", "mode": "required", "tools": [{"name": "note"}]}
    made = client.responses.with_raw_response.create(
        model="gpt-4o", input="Write", tools=[WEATHER, NOTE], tool_choice=allowed
    )
    output = made.http_response.json()["output"]
    assert {each["name"] for each in output} == {"note"}


def test_structured_answers_are_parsed(client: OpenAI) -> None:
    """By `parse`, and by the streaming helper."""
    parsed = client.responses.parse(model="gpt-4o", input="A city", text_format=City)
    assert isinstance(parsed.output_parsed, City)
    with client.responses.stream(model="gpt-4o", input="A city", text_format=City) as stream:
        for _ in stream:
            pass
        assert isinstance(stream.get_final_response().output_parsed, City)
    loose = ask(client, input="JSON, please", text={"format": {"type": "json_object"}})
    assert loose.output_text.startswith("{")


def test_log_probabilities_come_where_they_are_asked_for(client: OpenAI) -> None:
    """In the whole and in the stream."""
    wanted: Any = {"include": ["message.output_text.logprobs"], "top_logprobs": 2}
    part: Any = ask(client, **wanted).output[0]
    logprobs = part.content[0].logprobs
    assert logprobs
    assert all(len(each.top_logprobs) == 2 for each in logprobs)
    plain: Any = ask(client).output[0]
    assert plain.content[0].logprobs == []


def test_an_answer_that_is_cut_is_incomplete(client: OpenAI) -> None:
    """And says why; it can be gone on from."""
    made = ask(client, input="Tell a long story.", max_output_tokens=16)
    assert made.status == "incomplete"
    assert made.incomplete_details is not None
    assert made.incomplete_details.reason == "max_output_tokens"
    assert ask(client, previous_response_id=made.id).status == "completed"


def test_items_can_be_referred_to(client: OpenAI) -> None:
    """By the ids that responses gave them."""
    made = ask(client, input="word " * 50)
    referred: list[Any] = [
        {"type": "item_reference", "id": made.output[0].id},
        {"role": "user", "content": "Go on."},
    ]
    after = ask(client, input=referred)
    plain = ask(client, input="Go on.")
    assert after.usage is not None
    assert plain.usage is not None
    assert after.usage.input_tokens > plain.usage.input_tokens


def test_stored_files_are_read_for_the_model(client: OpenAI) -> None:
    """One that is not there is named; a text model says that it reads none."""
    part: dict[str, Any] = {"type": "input_file", "file_id": "file-0"}
    with pytest.raises(BadRequestError, match="No such File object: file-0"):
        ask(client, input=[{"role": "user", "content": [part]}])
    image = client.files.create(file=("dot.png", b"\x89PNG\r\n\x1a\n"), purpose="vision")
    content: list[dict[str, Any]] = [
        {"type": "input_text", "text": "What is this?"},
        {"type": "input_image", "file_id": image.id, "detail": "low"},
        {"type": "input_image", "image_url": "data:image/png;base64,AA=="},
    ]
    made = ask(client, input=[{"role": "user", "content": content}])
    kept: Any = client.responses.input_items.list(made.id).data[0]
    assert kept.content[1].file_id == image.id
    assert kept.content[1].image_url is None, "what is stored is where the image is, not its bytes"
    client.files.delete(image.id)
    with pytest.raises(BadRequestError, match="No such File object"):
        ask(client, previous_response_id=made.id)


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"extra_body": {"shape": 1}}, "shape", "unknown_parameter"),
    ({"tools": [{"type": "web_search"}]}, "tools[0].type", "unsupported_tool"),
    ({"tools": [{"type": "code_interpreter"}]}, "tools[0].type", "unsupported_tool"),
    ({"tools": [{"type": "image_generation"}]}, "tools[0].type", "unsupported_tool"),
    ({"tools": [{"type": "computer_use_preview"}]}, "tools[0].type", "unsupported_tool"),
    ({"tools": [{"type": "hammer"}]}, "tools[0].type", "invalid_value"),
    ({"tools": [{"type": "function"}]}, "tools[0].name", "missing_required_parameter"),
    ({"tools": [{}]}, "tools[0].type", "missing_required_parameter"),
    ({"reasoning": {"summary": "long"}}, "reasoning.summary", "invalid_value"),
    ({"reasoning": {"generate_summary": "x"}}, "reasoning.generate_summary", "invalid_value"),
    ({"prompt_cache_retention": "7d"}, "prompt_cache_retention", "invalid_value"),
    ({"input": []}, "input", "missing_required_parameter"),
    ({"tools": [WEATHER, WEATHER]}, "tools[1].name", "invalid_value"),
    ({"tool_choice": {"type": "code_interpreter"}}, "tool_choice.type", "unsupported_tool"),
    ({"temperature": 3}, "temperature", "decimal_above_max_value"),
    ({"max_output_tokens": 2}, "max_output_tokens", "integer_below_min_value"),
    ({"input": [{"type": "hammer"}]}, "input[0].type", "invalid_value"),
    ({"input": [{"role": "user"}]}, "input[0].content", "missing_required_parameter"),
    ({"input": [{}]}, "input[0].type", "missing_required_parameter"),
    ({"input": 3}, "input", "invalid_type"),
    ({"include": ["everything"]}, "include[0]", "invalid_value"),
    ({"prompt": {"id": "p", "of": "x"}}, "prompt.of", "unknown_parameter"),
    ({"background": True, "store": False}, "background", "invalid_parameter_combination"),
    (
        {"text": {"format": {"type": "json_schema"}}},
        "text.format.name",
        "missing_required_parameter",
    ),
    ({"truncation": "some"}, "truncation", "invalid_value"),
    ({"reasoning": {"effort": "some"}}, "reasoning.effort", "invalid_value"),
    (
        {"metadata": {str(each): "x" for each in range(17)}},
        "metadata",
        "object_above_max_properties",
    ),
]


@pytest.mark.parametrize(("said", "param", "code"), REFUSED, ids=lambda each: str(each)[:40])
def test_what_is_wrong_is_named(
    client: OpenAI, said: dict[str, Any], param: str, code: str
) -> None:
    """With the field and the service's code."""
    with pytest.raises(BadRequestError) as refused:
        ask(client, **said)
    assert (refused.value.param, refused.value.code) == (param, code)
    assert refused.value.type == "invalid_request_error"


def test_what_can_be_done_instead_of_a_hosted_tool_is_said(client: OpenAI) -> None:
    """The refusal teaches."""
    with pytest.raises(BadRequestError, match="Offer a tool of type 'function'"):
        ask(client, tools=[{"type": "web_search"}])


def test_a_synchronous_response_is_not_cancelled_nor_streamed_again(client: OpenAI) -> None:
    """Only one that is made in the background is."""
    made = ask(client)
    with pytest.raises(BadRequestError, match="Cannot cancel a synchronous response"):
        client.responses.cancel(made.id)
    with pytest.raises(APIStatusError, match="can't be streamed"):
        client.responses.retrieve(made.id, stream=True)


@pytest.mark.anyio
@pytest.mark.parametrize("dialect", ["dated", "v1"])
async def test_the_asynchronous_clients(simulated: Target, dialect: str) -> None:
    """The same for them."""
    made = AsyncAzureOpenAI if dialect == "dated" else AsyncOpenAI
    async with made(**arguments_of(simulated, dialect)) as client:
        response = await client.responses.create(model="gpt-4o", input="Hello")
        assert await client.responses.retrieve(response.id) == response
        async with client.responses.stream(model="gpt-4o", input="Hello") as stream:
            kinds = [event.type async for event in stream]
        assert kinds[-1] == "response.completed"
