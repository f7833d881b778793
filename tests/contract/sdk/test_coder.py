"""What only a model trained for it can do: tool calls of its own accord, filling in the middle."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from openai import AzureOpenAI

from tests.contract.sdk.test_chat import WEATHER
from tests.serving import serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.real_model, pytest.mark.slow]

SETTINGS = """
[[deployments]]
name = "coder"
model = "qwen2.5-coder-0.5b-instruct"

[instances."qwen2.5-coder-0.5b-instruct"]
options = { parallel_requests = 1, context_tokens = 2048, wait_policy = "passive" }
"""


@pytest.fixture(scope="module")
def coder(
    tmp_path_factory: pytest.TempPathFactory, coder_model_home: Path
) -> Iterator[AzureOpenAI]:
    """A client of a server with the coding model."""
    home = tmp_path_factory.mktemp("coder")
    (home / "models").symlink_to(coder_model_home / "models")
    for server in serving(home, SETTINGS):
        with AzureOpenAI(
            azure_endpoint=server.endpoint,
            api_key=server.key,
            api_version="2024-10-21",
            max_retries=0,
            _strict_response_validation=True,
        ) as client:
            yield client


def test_calls_a_tool_when_one_is_wanted(coder: AzureOpenAI) -> None:
    """With `auto`, a plain question for the weather becomes a call with the city."""
    reply = coder.chat.completions.create(
        model="coder",
        messages=[{"role": "user", "content": "What is the weather in Paris right now?"}],
        tools=[WEATHER],
        temperature=0,
        max_tokens=64,
    )
    choice = reply.choices[0]
    assert choice.finish_reason == "tool_calls"
    assert choice.message.tool_calls
    call: Any = choice.message.tool_calls[0]
    assert call.function.name == "get_weather"
    assert "paris" in json.loads(call.function.arguments)["city"].lower()


def test_fills_in_the_middle(coder: AzureOpenAI) -> None:
    """What stands between prompt and suffix is written, and neither is repeated."""
    reply = coder.completions.create(
        model="coder",
        prompt="def add(a, b):\n    return ",
        suffix="\n\nprint(add(1, 2))\n",
        temperature=0,
        max_tokens=16,
    )
    text = reply.choices[0].text
    assert "a + b" in text
    assert "def add" not in text


def test_filling_in_costs_the_text_and_three_markers(coder: AzureOpenAI) -> None:
    """No header is made up around it, and nothing of a long prefix or suffix is left out."""
    # Over twice the tokens of a batch, to whose size a cut would be made.
    numbers = " ".join(str(number) for number in range(100, 140))

    def prompt_tokens(prompt: str, suffix: str | None) -> int:
        reply = coder.completions.create(
            model="coder", prompt=prompt, suffix=suffix, max_tokens=1, temperature=0
        )
        assert reply.usage is not None
        return reply.usage.prompt_tokens

    apart = prompt_tokens(numbers, None) + prompt_tokens("\n" + numbers, None)
    assert prompt_tokens(numbers, "\n" + numbers) == apart + 3


def test_a_marker_in_the_text_is_text(coder: AzureOpenAI) -> None:
    """Code that is about fill-in markers is filled in as code."""
    told: list[int] = []
    for text in ("x = '<|fim_middle|>'", "x = 'middle'"):
        reply = coder.completions.create(
            model="coder", prompt=text, suffix="\n", max_tokens=1, temperature=0
        )
        assert reply.usage is not None
        told.append(reply.usage.prompt_tokens)
    assert told[0] > told[1] + 2
