from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from linarite.domain.completion import CompletionAsk, CompletionEvent
from linarite.domain.errors import InvalidRequest
from linarite.engines.llamacpp.completion import answer_completion
from linarite.engines.llamacpp.fill_in import FillIn
from tests.engines.llamacpp.scripted_server import completion, scripted_model, whole

if TYPE_CHECKING:
    from linarite.engines.llamacpp.loaded_model import LoadedModel

pytestmark = pytest.mark.anyio


async def answer(model: LoadedModel, **fields: object) -> list[CompletionEvent]:
    """All events."""
    ask = msgspec.convert(fields, CompletionAsk)
    return [event async for event in answer_completion(model, ask)]


async def test_defaults() -> None:
    """Sixteen tokens, one choice, and no probabilities, which cost time."""
    async with scripted_model({"/completion": [completion("a", "b")]}) as (model, server):
        events = await answer(model, prompt="x")
    (sent,) = server.bodies("/completion")
    assert (sent["prompt"], sent["n_predict"]) == ("x", 16)
    assert "n_probs" not in sent
    assert [choice.text for event in events for choice in event.choices] == ["ab", ""]
    assert events[-1].usage is not None
    assert events[-1].usage.total_tokens == 7


@pytest.mark.parametrize("prompt", [None, "", [""]])
async def test_no_prompt_is_the_beginning_of_a_text(prompt: object) -> None:
    """A model continues something; the service puts its own first token there."""
    async with scripted_model({"/completion": [completion("a")]}) as (model, server):
        await answer(model, prompt=prompt)
    assert server.bodies("/completion")[0]["prompt"] == "<s>"


async def test_a_suffix_is_filled_in_between() -> None:
    """The prompt is the markers and what is around the gap; ids are taken as they are."""
    script = {
        "/completion": [completion("b")],
        "/tokenize": [whole({"tokens": [{"id": 7, "piece": "x"}]})],
    }
    async with scripted_model(script) as (model, server):
        model.fill_in = FillIn([1], prefix=101, suffix=102, middle=103)
        await answer(model, prompt="a", suffix="c")
        await answer(model, prompt=[5, 6], suffix="c")
    prompts = [body["prompt"] for body in server.bodies("/completion")]
    assert prompts == [[1, 101, 7, 102, 7, 103], [1, 101, 5, 6, 102, 7, 103]]
    assert not any(body["parse_special"] for body in server.bodies("/tokenize"))


async def test_a_suffix_needs_a_model_that_can() -> None:
    """Others refuse, and say what to do."""
    async with scripted_model({}) as (model, _):
        with pytest.raises(InvalidRequest, match="suffix") as refused:
            await answer(model, prompt="a", suffix="c")
    assert refused.value.param == "suffix"


async def test_the_likeliest_are_given_and_all_are_counted() -> None:
    """best_of ranks by the mean log-probability of a token, not by the sum."""

    def likely(text: str, *logprobs: float) -> list[bytes]:
        tokens = [{"token": text, "bytes": [97], "logprob": value} for value in logprobs]
        events = [msgspec.json.decode(event) for event in completion(*[text] * len(logprobs))]
        for event, token in zip(events[1:], tokens, strict=False):
            event["completion_probabilities"] = [token]
        return [msgspec.json.encode(event) for event in events]

    script = {"/completion": [likely("w", -2.0), likely("l", -1.0, -1.0, -1.0), likely("m", -1.5)]}
    async with scripted_model(script, parallel_requests=1) as (model, server):
        events = await answer(model, prompt="x", n=2, best_of=3)
    texts: dict[int, str] = {}
    for event in events[:-1]:
        choice = event.choices[0]
        texts[choice.index] = texts.get(choice.index, "") + choice.text
    assert texts == {0: "lll", 1: "m"}
    assert events[-1].usage is not None
    assert events[-1].usage.completion_tokens == 5
    assert [body["n_probs"] for body in server.bodies("/completion")] == [1, 1, 1]


async def test_a_prompt_of_several_choices_counts_once() -> None:
    """Every prompt's tokens, and the tokens of every choice."""
    script = {"/completion": [completion("a", "b", prompt=5)]}
    async with scripted_model(script) as (model, _):
        events = await answer(model, prompt=["x", "y"], n=3)
    usage = events[-1].usage
    assert usage is not None
    assert (usage.prompt_tokens, usage.completion_tokens) == (10, 12)
    assert sorted({choice.index for event in events for choice in event.choices}) == list(range(6))
