"""Text completions in their legacy shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from linarite.domain.errors import InvalidRequest
from tests.contract.engines.folding import complete, completion_ask, is_logprob

if TYPE_CHECKING:
    from linarite.domain.engine import Engine
    from tests.contract.engines.cases import EngineCase
    from tests.contract.engines.folding import Started

pytestmark = pytest.mark.anyio

both_ways = pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
PROMPT = "Once upon a time there was"


@both_ways
async def test_a_prompt_is_continued(engine: Engine, stream: bool) -> None:
    """One choice, ended, within its bound, with usage that adds up."""
    choices, usage = await complete(engine, completion_ask(PROMPT, stream=stream, max_tokens=8))
    assert choices.keys() == {0}
    assert choices[0].text
    assert choices[0].finish in {"stop", "length"}
    assert 0 < usage.completion_tokens <= 8


async def test_a_stream_says_what_a_plain_answer_says(case: EngineCase, engine: Engine) -> None:
    """Under the same seed, text, end and counts are the same."""
    if not case.reproducible:
        pytest.skip("this engine does not promise the same text for the same seed")
    plain, plain_usage = await complete(engine, completion_ask(PROMPT))
    streamed, usage = await complete(engine, completion_ask(PROMPT, stream=True))
    assert streamed == plain
    assert usage.completion_tokens == plain_usage.completion_tokens


@both_ways
async def test_choices_come_in_order_of_prompt_and_number(engine: Engine, stream: bool) -> None:
    """Choice p * n + i is the ith of prompt p, as the echo shows."""
    prompts = ["One apple", "Two pears", "Three plums"]
    ask = completion_ask(prompts, n=2, echo=True, max_tokens=3, stream=stream)
    choices, usage = await complete(engine, ask)
    assert sorted(choices) == [0, 1, 2, 3, 4, 5]
    for index, choice in choices.items():
        assert choice.text.startswith(prompts[index // 2])
    assert usage.completion_tokens <= 18


@both_ways
async def test_stop_strings_end_a_text(engine: Engine, stream: bool) -> None:
    """The stop string is not part of the text."""
    ask = completion_ask(PROMPT, stop=["e", "a"], stream=stream, max_tokens=60)
    choices, _ = await complete(engine, ask)
    assert not {"e", "a"} & set(choices[0].text)
    assert choices[0].finish == "stop"


@both_ways
async def test_logprobs_cover_the_text(case: EngineCase, engine: Engine, stream: bool) -> None:
    """Parallel lists, offsets counted from the start of the prompt, one entry a token."""
    top_max = 2 if case.alternatives else 0
    ask = completion_ask(PROMPT, logprobs=top_max, max_tokens=6, stream=stream)
    choices, _ = await complete(engine, ask)
    choice = choices[0]
    assert "".join(choice.tokens) == choice.text
    assert len(choice.token_logprobs) == len(choice.tokens)
    assert len(choice.tops) == (len(choice.tokens) if top_max else 0)
    assert all(map(is_logprob, choice.token_logprobs))
    offset = len(PROMPT)
    for token, at in zip(choice.tokens, choice.offsets, strict=True):
        assert at == offset
        offset += len(token)
    for top in choice.tops:
        assert top is not None
        # The chosen token is shown beside the asked-for ones when it is none of them.
        assert 1 <= len(top) <= 3
        assert all(map(is_logprob, top.values()))


@both_ways
async def test_echo_with_logprobs_tells_about_the_prompt(
    case: EngineCase, engine: Engine, stream: bool
) -> None:
    """The prompt comes first, from offset 0, and only its first token has no probability."""
    top = 1 if case.alternatives else 0
    ask = completion_ask(PROMPT, logprobs=top, echo=True, max_tokens=4, stream=stream)
    choices, _ = await complete(engine, ask)
    choice = choices[0]
    assert choice.text.startswith(PROMPT)
    assert "".join(choice.tokens) == choice.text
    assert choice.offsets[0] == 0
    assert choice.token_logprobs[0] is None
    assert all(map(is_logprob, choice.token_logprobs[1:]))


async def test_alternatives_are_given_or_refused(case: EngineCase, engine: Engine) -> None:
    """An engine that knows none says so, and names the parameter."""
    ask = completion_ask(PROMPT, logprobs=1, max_tokens=2)
    if case.alternatives:
        choices, _ = await complete(engine, ask)
        assert choices[0].tops
        return
    with pytest.raises(InvalidRequest) as refused:
        await complete(engine, ask)
    assert refused.value.param == "logprobs"


async def test_echo_alone_gives_the_prompt_back(engine: Engine) -> None:
    """With max_tokens=0 nothing is generated."""
    choices, usage = await complete(engine, completion_ask(PROMPT, echo=True, max_tokens=0))
    assert choices[0].text == PROMPT
    assert choices[0].finish == "length"
    assert usage.completion_tokens == 0


async def test_the_best_of_several_is_given(engine: Engine) -> None:
    """`best_of` gives `n` choices."""
    ask = completion_ask(PROMPT, n=2, best_of=3, max_tokens=4, temperature=1.0)
    choices, _ = await complete(engine, ask)
    assert sorted(choices) == [0, 1]


async def test_token_ids_are_a_prompt(engine: Engine) -> None:
    """Arrays of ids are prompts too, and are counted."""
    choices, usage = await complete(engine, completion_ask([[10, 11, 12], [20, 21]], max_tokens=3))
    assert sorted(choices) == [0, 1]
    assert usage.prompt_tokens >= 5


async def test_a_suffix_is_respected(talker: Started) -> None:
    """Filling in the middle gives a text that does not contain the suffix's place holder."""
    engine, capabilities = talker
    if not capabilities.fill_in_the_middle:
        pytest.skip("this model can't fill in the middle")
    ask = completion_ask("def add(a, b):\n    return ", suffix="\n\nprint(add(1, 2))\n")
    choices, _ = await complete(engine, ask)
    assert choices[0].finish
    assert "<|" not in choices[0].text
