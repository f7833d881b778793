from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from linarite.domain.chat import ChatAsk
from linarite.domain.completion import CompletionAsk
from linarite.domain.engine import InstanceSpec, SamplingAdvice, Surroundings
from linarite.domain.errors import InvalidRequest
from linarite.engines.llamacpp.engine import LlamacppEngine
from linarite.engines.llamacpp.options import LlamacppOptions
from linarite.engines.llamacpp.sampling import sampling_of
from linarite.hosting.models.catalogue import known
from tests.engines.llamacpp.real_engine import (
    CALM,
    SMALL_MODEL,
    chat_ask,
    completion_ask,
    completion_text,
    running,
)
from tests.engines.no_dialer import NoDialer
from tests.model_home import model_file

if TYPE_CHECKING:
    from pathlib import Path

RANDOM = 2**32 - 1


def sample(
    choice: int = 0, options: LlamacppOptions | None = None, **fields: object
) -> dict[str, Any]:
    """What is sent for a chat with these fields."""
    chat = {"messages": [{"role": "user", "content": "x"}], **fields}
    return sampling_of(msgspec.convert(chat, ChatAsk), options or LlamacppOptions(), choice)


def test_defaults_are_the_services() -> None:
    """Temperature 1 and top_p 1 mean the whole distribution: no sampler of llama.cpp's own."""
    sent = sample()
    assert (sent["temperature"], sent["top_p"], sent["seed"]) == (1.0, 1.0, RANDOM)
    assert sent["samplers"] == ["penalties", "temperature", "top_p"]
    assert not {"presence_penalty", "logit_bias", "stop", "repeat_last_n"} & sent.keys()
    assert sent["stream"] is True
    assert sampling_of(CompletionAsk(prompt="x"), LlamacppOptions(), 0) == sent


@pytest.mark.parametrize(("temperature", "top_p"), [(0, 1), (1, 0)])
def test_the_likeliest_token_is_not_drawn_from_all(temperature: float, top_p: float) -> None:
    """Drawing it from the vocabulary takes one thread for longer than it takes to find it."""
    sent = sample(temperature=temperature, top_p=top_p, presence_penalty=0.5)
    assert (sent["samplers"], sent["top_k"]) == (["penalties", "top_k"], 1)
    assert sent["presence_penalty"] == 0.5
    assert "top_k" not in sample(temperature=0.01, top_p=0.01)


def test_unlikely_tokens_are_left_out_where_an_option_says_so() -> None:
    """After temperature, so that the share is that of the distribution that is drawn from."""
    floored = LlamacppOptions(min_p=1e-6)
    sent = sample(options=floored)
    assert sent["samplers"] == ["penalties", "temperature", "min_p", "top_p"]
    assert sent["min_p"] == 1e-6
    assert "min_p" not in sample(options=floored, temperature=0)


@pytest.mark.anyio
@pytest.mark.real_model
async def test_a_floor_leaves_the_likeliest(tmp_path: Path) -> None:
    """With a share of 1 there is nothing else to draw, at whatever temperature."""
    async with running(tmp_path, min_p=1.0) as engine:
        hot = completion_ask("The capital of France is", temperature=2, max_tokens=12, n=2)
        cold = completion_ask("The capital of France is", temperature=0, max_tokens=12)
        (greedy,) = await completion_text(engine, cold)
        assert await completion_text(engine, hot) == [greedy, greedy]


def test_the_authors_advice_holds_where_a_request_says_nothing() -> None:
    """Each of the two by itself."""
    chat = {"messages": [{"role": "user", "content": "x"}]}
    advice = SamplingAdvice(temperature=0.7, top_p=0.8)
    for more, expected in (
        ({}, (0.7, 0.8)),
        ({"temperature": 0}, (0, 0.8)),
        ({"top_p": 1}, (0.7, 1)),
    ):
        ask = msgspec.convert(chat | more, ChatAsk)
        sent = sampling_of(ask, LlamacppOptions(), 0, advice)
        assert (sent["temperature"], sent["top_p"]) == expected


@pytest.mark.anyio
@pytest.mark.real_model
@pytest.mark.parametrize(("said", "expected"), [("azure", (1, 1)), ("model", (0.2, 0.9))])
async def test_whose_defaults_hold_is_an_option(
    scratch: Path, said: str, expected: tuple[float, float]
) -> None:
    """The service's, unless the instance says that the model's are wanted."""
    options = {**CALM, "sampling_defaults": said}
    spec = InstanceSpec(
        "test",
        "llamacpp",
        SMALL_MODEL,
        model_path=str(model_file(SMALL_MODEL)),
        options=options,
        sampling_advice=known(SMALL_MODEL).sampling_advice,
    )
    engine = LlamacppEngine(spec, Surroundings(scratch, NoDialer(), threads=2))
    await engine.start(lambda _share, _what: None)
    try:
        assert engine._model is not None
        sent = engine._model.sampling(chat_ask("x"), 0)
    finally:
        await engine.stop(0)
    assert (sent["temperature"], sent["top_p"]) == expected


def test_zero_is_not_absent() -> None:
    """Temperature 0 is greedy, and a seed of 0 is a seed."""
    sent = sample(temperature=0, top_p=0, seed=0)
    assert (sent["temperature"], sent["top_p"], sent["seed"]) == (0, 0, 0)


@pytest.mark.parametrize("seed", [0, 7, -1, 2**32 - 1, 2**32, 2**63 - 1, -(2**63)])
def test_every_seed_is_a_fixed_one(seed: int) -> None:
    """Never the number that stands for a random one, and another for each choice."""
    seeds = [sample(choice, seed=seed)["seed"] for choice in range(3)]
    assert all(0 <= sent < RANDOM for sent in seeds)
    assert len(set(seeds)) == 3
    assert sample(seed=seed)["seed"] == seeds[0]


def test_a_seed_computes_its_prompt_anew() -> None:
    """A cached prompt was computed in other portions, which may change the last digits."""
    assert sample()["cache_prompt"] is True
    assert sample(seed=1)["cache_prompt"] is False
    assert sample(options=LlamacppOptions(seed_skips_prompt_cache=False), seed=1)["cache_prompt"]
    assert not sample(options=LlamacppOptions(prompt_cache=False))["cache_prompt"]


def test_penalties_and_stops_are_passed_on() -> None:
    """As they were given; empty stops, which would end every reply, are left out."""
    sent = sample(presence_penalty=0.5, stop=["END", ""])
    assert (sent["presence_penalty"], sent["frequency_penalty"]) == (0.5, 0.0)
    assert sent["repeat_last_n"] == LlamacppOptions().penalty_last_tokens
    assert sent["stop"] == ["END"]
    assert sample(stop="END")["stop"] == ["END"]


def test_too_many_stops_are_refused() -> None:
    """The service takes four."""
    with pytest.raises(InvalidRequest) as refused:
        sample(stop=list("abcde"))
    assert refused.value.param == "stop"


def test_biases_are_by_token_id() -> None:
    """Texts of ids become ids."""
    assert sample(logit_bias={"28": -100, "7": 1.5})["logit_bias"] == [[28, -100], [7, 1.5]]


@pytest.mark.parametrize("bias", [{"cat": 1}, {"1": 101}, {"-1": 1}, {"1.5": 1}, {"²": 1}])
def test_wrong_biases_are_refused(bias: dict[str, float]) -> None:
    """What is no id, or out of range, is told with its parameter."""
    with pytest.raises(InvalidRequest) as refused:
        sample(logit_bias=bias)
    assert refused.value.param == "logit_bias"
