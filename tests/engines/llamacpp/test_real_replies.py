from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
import structlog
from jsonschema import Draft202012Validator

from linarite.domain.errors import InvalidRequest
from tests.engines.llamacpp.real_engine import (
    chat_ask,
    chat_text,
    completion_ask,
    completion_text,
    running,
)

if TYPE_CHECKING:
    from linarite.domain.completion import CompletionLogprobs
    from linarite.engines.llamacpp.engine import LlamacppEngine

pytestmark = [pytest.mark.anyio, pytest.mark.real_model]

STORY = "Tell me a story about a cat."


async def test_the_same_seed_gives_the_same_text(engine: LlamacppEngine) -> None:
    """Whatever was asked before; another seed, and another choice, give another text."""
    ask = chat_ask(STORY, seed=42, max_tokens=24, n=2)
    first = await chat_text(engine, ask)
    await chat_text(engine, chat_ask(STORY, max_tokens=8))
    assert await chat_text(engine, ask) == first
    assert first[0] != first[1]
    assert await chat_text(engine, chat_ask(STORY, seed=7, max_tokens=24)) != first[:1]


async def test_without_a_seed_texts_differ(engine: LlamacppEngine) -> None:
    """At temperature 1 nothing is fixed."""
    ask = completion_ask("Once", max_tokens=16, n=4)
    assert len(set(await completion_text(engine, ask))) > 1


@pytest.mark.parametrize("least", [{"temperature": 0}, {"top_p": 0}])
async def test_the_least_is_greedy(engine: LlamacppEngine, least: dict[str, float]) -> None:
    """The likeliest token each time, as its log-probability shows."""
    ask = completion_ask("The capital of France is", **least, max_tokens=8, logprobs=1)
    seen = [choice.logprobs async for event in engine.complete(ask) for choice in event.choices]
    likely = next(logprobs for logprobs in seen if logprobs)
    assert likely.top_logprobs is not None
    for chosen, top in zip(likely.token_logprobs, likely.top_logprobs, strict=True):
        assert top is not None
        assert chosen == max(top.values())


async def test_biases_forbid_and_force_tokens(engine: LlamacppEngine) -> None:
    """-100 keeps a token out, 100 brings nothing else."""
    greedy = {"temperature": 0, "max_tokens": 6, "logprobs": 0}
    (usual,) = await completion_text(engine, completion_ask("One, two,", **greedy))
    (first,) = await completion_text(
        engine, completion_ask("One, two,", **greedy, logit_bias={"1296": -100})
    )
    (forced,) = await completion_text(
        engine, completion_ask("One, two,", **greedy, logit_bias={"1296": 100})
    )
    assert forced == " three" * 6
    assert " three" not in first
    assert forced != usual


def scored(logprobs: list[CompletionLogprobs | None]) -> CompletionLogprobs:
    """The only log-probabilities there are."""
    (found,) = [given for given in logprobs if given]
    return found


async def test_echoed_likelihoods_are_the_models_own(engine: LlamacppEngine) -> None:
    """Forcing a prompt's tokens tells what generating them would have told."""
    generated = completion_ask("The capital", temperature=0, max_tokens=6, logprobs=1)
    told = [choice async for event in engine.complete(generated) for choice in event.choices]
    written = scored([choice.logprobs for choice in told])
    text = "The capital" + "".join(choice.text for choice in told)
    echo = completion_ask(text, max_tokens=0, echo=True, logprobs=1)
    echoed = [choice async for event in engine.complete(echo) for choice in event.choices]
    prompt = scored([choice.logprobs for choice in echoed])
    assert prompt.tokens[-6:] == written.tokens
    assert prompt.text_offset[-6:] == written.text_offset
    assert prompt.token_logprobs[0] is None
    # The prompt was computed token by token, the text after it at once: the last digits differ.
    assert prompt.token_logprobs[-6:] == pytest.approx(written.token_logprobs, abs=0.05)


@pytest.mark.parametrize(
    "prompt",
    ["a", "naïve 😀 漢字", "<|im_start|>user\nHi<|im_end|>\nYes", [1, 4093, 198, 2, 0, 28]],
)
async def test_any_prompt_can_be_echoed(engine: LlamacppEngine, prompt: object) -> None:
    """Characters of several tokens and special tokens included: the tokens joined are the text."""
    ask = completion_ask(prompt, max_tokens=0, echo=True, logprobs=2)
    choices = [choice async for event in engine.complete(ask) for choice in event.choices]
    echoed = scored([choice.logprobs for choice in choices])
    text = "".join(choice.text for choice in choices)
    assert "".join(echoed.tokens) == text
    if isinstance(prompt, str):
        assert text == prompt
    assert all(value is not None for value in echoed.token_logprobs[1:])


SCHEMAS: dict[str, dict[str, Any]] = {
    "nested": {
        "type": "object",
        "properties": {
            "list": {
                "type": "array",
                "items": {"$ref": "#/$defs/pair"},
                "minItems": 1,
                "maxItems": 2,
            },
            "choice": {"anyOf": [{"type": "boolean"}, {"type": "null"}]},
        },
        "required": ["list", "choice"],
        "additionalProperties": False,
        "$defs": {
            "pair": {
                "type": "object",
                "properties": {
                    "code": {"type": "string", "pattern": "^[A-Z]{2}$"},
                    "n": {"const": 7},
                },
                "required": ["code", "n"],
                "additionalProperties": False,
            }
        },
    },
    "numbers": {
        "type": "object",
        "properties": {"year": {"type": "integer", "minimum": 1990, "maximum": 1999}},
        "required": ["year"],
        "additionalProperties": False,
    },
}


@pytest.mark.parametrize("name", SCHEMAS)
@pytest.mark.parametrize("strict", [True, False])
async def test_schemas_are_kept_to(engine: LlamacppEngine, name: str, strict: bool) -> None:
    """References, patterns, ranges and alternatives hold, at full temperature."""
    described = {"name": name, "schema": SCHEMAS[name], "strict": strict}
    form = {"type": "json_schema", "json_schema": described}
    ask = chat_ask("Make something up.", response_format=form, n=2, max_tokens=200)
    for text in await chat_text(engine, ask):
        Draft202012Validator(SCHEMAS[name]).validate(msgspec.json.decode(text))


@pytest.mark.parametrize(
    "broken",
    [
        {"type": "objekt"},
        {"type": "string", "pattern": "(("},
        {"$ref": "#/$defs/nowhere"},
        {"$ref": "https://example.org/schema.json"},
        {"type": "array", "items": {}, "uniqueItems": True},
    ],
)
async def test_schemas_that_cannot_be_kept_to_are_refused(
    engine: LlamacppEngine, broken: dict[str, Any]
) -> None:
    """Never an answer that only looks as if it had been held to it."""
    schema = {"type": "object", "properties": {"x": broken}, "required": ["x"]}
    form = {"type": "json_schema", "json_schema": {"name": "a", "schema": schema, "strict": True}}
    with pytest.raises(InvalidRequest) as refused:
        await chat_text(engine, chat_ask("x", response_format=form))
    assert refused.value.param == "response_format"
    tool = {"type": "function", "function": {"name": "f", "parameters": schema, "strict": True}}
    with pytest.raises(InvalidRequest) as refused:
        await chat_text(engine, chat_ask("x", tools=[tool], tool_choice="required"))
    assert refused.value.param == "tools"


async def test_unenforceable_keywords_are_passed_over_where_not_strict(
    engine: LlamacppEngine,
) -> None:
    """As the service does: the rest of the schema still holds."""
    items = {"type": "array", "items": {"enum": [1, 2]}, "uniqueItems": True, "maxItems": 2}
    schema = {"type": "object", "properties": {"x": items}, "required": ["x"]}
    form = {"type": "json_schema", "json_schema": {"name": "a", "schema": schema}}
    (text,) = await chat_text(engine, chat_ask("x", response_format=form, max_tokens=60))
    assert set(msgspec.json.decode(text)["x"]) <= {1, 2}


async def test_functions_with_unusual_names_and_schemas(engine: LlamacppEngine) -> None:
    """Each function's references point into its own schema, and names need not be words."""
    colour = {"$ref": "#/$defs/c", "$defs": {"c": {"enum": ["red", "blue"]}}}
    size = {"$ref": "#/$defs/c", "$defs": {"c": {"enum": [1, 2]}}}
    tools = [
        {
            "type": "function",
            "function": {
                "name": name,
                "parameters": {
                    "type": "object",
                    "properties": {"v": {"$ref": "#/$defs/c"}},
                    "required": ["v"],
                    "$defs": schema["$defs"],
                },
            },
        }
        for name, schema in (("paint-it", colour), ("size_2", size))
    ] + [{"type": "function", "function": {"name": "reset"}}]
    allowed = {"paint-it": {"red", "blue"}, "size_2": {1, 2}}
    ask = chat_ask("Do it.", tools=tools, tool_choice="required", n=4, max_tokens=60)
    called = 0
    async for event in engine.chat(ask):
        for choice in event.choices:
            assert choice.delta.tool_calls is not None
            (call,) = choice.delta.tool_calls
            assert call.function is not None
            arguments = msgspec.json.decode(call.function.arguments or "")
            name = call.function.name or ""
            assert arguments["v"] in allowed[name] if name in allowed else arguments == {}
            called += 1
    assert called == 4


async def test_what_callers_send_is_never_logged() -> None:
    """Not a word of a prompt, a schema, a template's refusal or a reply, at any level."""
    canary = "xylophonecanary"
    refusing = "{{ raise_exception('" + canary + "') if messages[0].content == 'refuse' }}"
    schema = {"type": "object", "properties": {canary: {"pattern": f"(({canary}"}}}
    form = {"type": "json_schema", "json_schema": {"name": "a", "schema": schema, "strict": True}}
    with structlog.testing.capture_logs() as logged, tempfile.TemporaryDirectory() as folder:
        async with running(
            Path(folder), chat_template=refusing + "{{ messages[-1].content }}"
        ) as engine:
            asks = [
                chat_ask(canary, max_tokens=4),
                chat_ask("refuse"),
                chat_ask(canary, response_format=form),
                chat_ask(f"{canary} " * 1_000),
                chat_ask(canary, stop=[canary], logprobs=True, max_tokens=4),
            ]
            outcomes = await asyncio.gather(
                *(chat_text(engine, ask) for ask in asks),
                completion_text(engine, completion_ask([999_999])),
                return_exceptions=True,
            )
    assert sum(isinstance(outcome, InvalidRequest) for outcome in outcomes) == 4
    assert not any(canary in str(outcome) for outcome in outcomes[1:4])
    assert any(line["event"] == "engine says" for line in logged)
    assert canary not in repr(logged)
