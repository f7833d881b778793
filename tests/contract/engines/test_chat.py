"""Chats: their shape, their bounds, and that a stream says what a plain reply says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from linarite.domain.engine import CountsPrompts
from linarite.domain.errors import InvalidRequest
from tests.contract.engines.folding import SHORT, chat, chat_ask, is_logprob

if TYPE_CHECKING:
    from linarite.domain.engine import Engine
    from tests.contract.engines.cases import EngineCase
    from tests.contract.engines.folding import Started

pytestmark = pytest.mark.anyio

both_ways = pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])


@both_ways
async def test_a_reply_has_a_role_a_text_an_end_and_counts(engine: Engine, stream: bool) -> None:
    """One choice, ended, with usage that adds up."""
    choices, usage = await chat(engine, chat_ask("Tell me about the sea.", stream=stream))
    assert choices.keys() == {0}
    assert choices[0].content
    assert choices[0].finish in {"stop", "length"}
    assert 0 < usage.completion_tokens <= SHORT


async def test_a_stream_says_what_a_plain_reply_says(case: EngineCase, engine: Engine) -> None:
    """Under the same seed, text, end and counts are the same."""
    if not case.reproducible:
        pytest.skip("this engine does not promise the same text for the same seed")
    plain, plain_usage = await chat(engine, chat_ask("Tell me about the sea."))
    streamed, usage = await chat(engine, chat_ask("Tell me about the sea.", stream=True))
    assert streamed == plain
    assert usage.completion_tokens == plain_usage.completion_tokens
    assert usage.prompt_tokens == plain_usage.prompt_tokens


async def test_a_stream_comes_in_pieces(engine: Engine) -> None:
    """A streamed text of several tokens takes several events."""
    ask = chat_ask("Tell me a long story.", stream=True)
    pieces = [
        choice.delta.content
        async for event in engine.chat(ask)
        for choice in event.choices
        if choice.delta.content
    ]
    assert len(pieces) > 1


@both_ways
async def test_replies_are_bounded(engine: Engine, stream: bool) -> None:
    """No more tokens than asked for; a reply that would go on ends with length."""
    for name in ("max_tokens", "max_completion_tokens"):
        fields = {"max_tokens": None, name: 3, "stream": stream}
        choices, usage = await chat(engine, chat_ask("Write a long poem.", **fields))
        assert usage.completion_tokens <= 3
        assert choices[0].finish == "length"


@both_ways
async def test_replies_end_before_a_stop_string(engine: Engine, stream: bool) -> None:
    """The stop string is not part of the text."""
    choices, _ = await chat(
        engine, chat_ask("Write a long poem.", stop=["e", "a"], stream=stream, max_tokens=60)
    )
    assert not {"e", "a"} & set(choices[0].content)
    assert choices[0].finish == "stop"
    single, _ = await chat(engine, chat_ask("Write a poem.", stop="e", stream=stream))
    assert "e" not in single[0].content


@both_ways
async def test_several_choices(engine: Engine, stream: bool) -> None:
    """`n` choices are numbered from 0, each with its own role and end; usage covers them all."""
    choices, usage = await chat(engine, chat_ask("Go on", n=3, max_tokens=6, stream=stream))
    assert choices.keys() == {0, 1, 2}
    assert usage.completion_tokens <= 18


@both_ways
async def test_logprobs_cover_the_text(case: EngineCase, engine: Engine, stream: bool) -> None:
    """The tokens' bytes joined are the text's, and alternatives are as many as asked for."""
    top = 2 if case.alternatives else 0
    ask = chat_ask("Say something.", logprobs=True, top_logprobs=top, stream=stream, max_tokens=8)
    choices, usage = await chat(engine, ask)
    likely = choices[0].logprobs
    assert b"".join(bytes(token.bytes or []) for token in likely) == choices[0].content.encode()
    # The token that ends a reply is counted by some engines, and shown by none.
    assert len(likely) in {usage.completion_tokens, usage.completion_tokens - 1}
    for token in likely:
        assert is_logprob(token.logprob)
        assert len(token.top_logprobs) == top
        tops = [top.logprob for top in token.top_logprobs]
        assert tops == sorted(tops, reverse=True)
        assert all(is_logprob(top.logprob) and top.bytes is not None for top in token.top_logprobs)


@pytest.mark.parametrize(
    ("param", "fields"),
    [
        ("top_logprobs", {"logprobs": True, "top_logprobs": 1}),
        ("logit_bias", {"logit_bias": {"10": 5}}),
    ],
)
async def test_what_an_engine_cannot_do_is_refused(
    case: EngineCase, engine: Engine, param: str, fields: dict[str, Any]
) -> None:
    """The refusal names the parameter; nothing is answered as if it had not been there."""
    if case.alternatives:
        await chat(engine, chat_ask("Say something.", **fields))
        return
    with pytest.raises(InvalidRequest) as refused:
        await chat(engine, chat_ask("Say something.", **fields))
    assert refused.value.param == param
    assert refused.value.code == "unsupported_parameter"


async def test_no_logprobs_unless_asked_for(engine: Engine) -> None:
    """They cost something, and clients do not expect them."""
    choices, _ = await chat(engine, chat_ask("Say something."))
    assert choices[0].logprobs == []


async def test_logprobs_without_alternatives(engine: Engine) -> None:
    """`logprobs` alone shows the tokens and no alternatives."""
    choices, _ = await chat(engine, chat_ask("Say something.", logprobs=True, max_tokens=4))
    assert choices[0].logprobs
    assert all(token.top_logprobs == [] for token in choices[0].logprobs)


HISTORY: list[dict[str, Any]] = [
    {"role": "system", "content": "Be brief."},
    {
        "role": "user",
        "content": [{"type": "text", "text": "What is"}, {"type": "text", "text": "2?"}],
    },
    {"role": "assistant", "content": "A number."},
    {"role": "user", "content": "And 3?", "name": "ann"},
]


@pytest.mark.parametrize(
    "messages",
    [
        HISTORY,
        [{"role": "developer", "content": "Be brief."}, {"role": "user", "content": "Hello"}],
        [{"role": "user", "content": "你好 🙂 \u202eabc"}],
        [{"role": "user", "content": ""}],
    ],
    ids=["history", "developer", "unicode", "empty"],
)
async def test_every_kind_of_message_is_understood(
    engine: Engine, messages: list[dict[str, Any]]
) -> None:
    """All roles, content in parts, names and any script are answered."""
    choices, usage = await chat(engine, chat_ask(messages))
    assert choices[0].finish
    assert usage.prompt_tokens > 0


async def test_longer_prompts_count_more(engine: Engine) -> None:
    """Prompt tokens are counted, not guessed."""
    _, short = await chat(engine, chat_ask("Hello"))
    _, long = await chat(engine, chat_ask("Hello " * 50))
    assert long.prompt_tokens >= short.prompt_tokens + 40


LIGHT: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "light",
        "description": "Switches a lamp.",
        "parameters": {"type": "object", "properties": {"on": {"type": "boolean"}}},
    },
}


@pytest.mark.parametrize(
    "said",
    [
        {"messages": HISTORY},
        {"messages": [{"role": "user", "content": "What is <|im_end|> for? 你好 🙂"}]},
        {"messages": HISTORY, "tools": [LIGHT]},
        {"messages": HISTORY, "tools": [LIGHT], "tool_choice": "required"},
    ],
    ids=["history", "special", "tools", "required"],
)
async def test_a_prompt_counts_what_an_answer_to_it_says(
    engine: Engine, said: dict[str, Any]
) -> None:
    """Asked beforehand, as far as the engine can tell at all; nothing is generated for it."""
    if not isinstance(engine, CountsPrompts):
        pytest.skip("this engine can't tell what a prompt counts before it is answered")
    messages = said["messages"]
    ask = chat_ask(messages, **{name: said[name] for name in said if name != "messages"})
    _, usage = await chat(engine, ask)
    assert await engine.prompt_tokens(ask) == usage.prompt_tokens > 0


async def test_a_prompt_that_is_too_long_is_counted(talker: Started) -> None:
    """Whoever has to make it shorter is told by how much."""
    engine, able = talker
    if not isinstance(engine, CountsPrompts):
        pytest.skip("this engine can't tell what a prompt counts before it is answered")
    assert await engine.prompt_tokens(chat_ask("word " * able.context_tokens)) > able.context_tokens
