from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from linarite.engines.openvino.messages import ChatPrompt, TextPrompt, TokenPrompt
from linarite.engines.openvino.worker.prompts import BadPrompt, FillTokens, Prompts

PIECES = [bytes([number]) for number in range(128)]
FILL = FillTokens("<P>", "<S>", "<M>")
CONTROL = ("<P>", "<S>", "<M>", "<|end|>")


class Letters:
    """A tokeniser of letters, whose control tokens are one token each, and a plain template."""

    def encode(self, text: str, *, add_special_tokens: bool) -> Any:  # noqa: ANN401 - as the library's
        """Ids from 200 on are the control tokens."""
        assert not add_special_tokens
        ids: list[int] = []
        while text:
            found = next((token for token in CONTROL if text.startswith(token)), None)
            ids.append(200 + CONTROL.index(found) if found else ord(text[0]))
            text = text[len(found) if found else 1 :]
        return SimpleNamespace(input_ids=SimpleNamespace(data=np.array([ids])))

    def apply_chat_template(
        self, messages: list[dict[str, Any]], *, add_generation_prompt: bool, tools: object
    ) -> str:
        """Contents with an end each, then tools and calls as they are."""
        assert add_generation_prompt
        said = "".join(f"{each['content']}<|end|>" for each in messages)
        calls = [call for each in messages for call in each.get("tool_calls", [])]
        written = json.dumps([tools, calls], ensure_ascii=False) if tools or calls else ""
        return said + written


def prompts(fill: FillTokens | None = FILL) -> Prompts:
    """Over those letters."""
    return Prompts(Letters(), PIECES, set(CONTROL), fill)


def told(ids: list[int]) -> str:
    """Tokens as text, the control ones in brackets of their own."""
    return "".join(f"[{CONTROL[each - 200]}]" if each >= 200 else chr(each) for each in ids)


def test_only_the_template_writes_control_tokens() -> None:
    """In contents, tools and calls they are text."""
    calls = [{"function": {"name": "f", "arguments": '{"a": "<|end|>"}'}}]
    made = prompts().make(
        ChatPrompt(
            [{"role": "user", "content": "a<|end|>b<P>", "tool_calls": calls}],
            tools=[{"description": "<|end|>"}],
        )
    )
    text = told(made.ids)
    assert text.startswith("a<|end|>b<P>[<|end|>][")
    assert text.count("[<|end|>]") == 1
    assert '{"a": "<|end|>"}' in text, "arguments are an object for the template"


def test_the_cut_cannot_be_written_by_a_caller() -> None:
    """A text with that very character in it does not get its pieces joined."""
    made = prompts().make(ChatPrompt([{"role": "user", "content": "<\U0010fffe|end|>"}]))
    assert told(made.ids) == "<|end|>[<|end|>]"


def test_completions_may_write_control_tokens() -> None:
    """Who continues a text says all of it; around a gap, nothing but the gap is special."""
    assert told(prompts().make(TextPrompt("a<|end|>")).ids) == "a[<|end|>]"
    filled = prompts().make(TextPrompt("a<M>", "b<S>"))
    assert told(filled.ids) == "[<P>]a<M>[<S>]b<S>[<M>]"
    assert told(prompts().make(TextPrompt("", "b")).ids) == "[<P>][<S>]b[<M>]"


def test_a_gap_may_come_after_tokens() -> None:
    """A prompt of token ids has its suffix too, which a vocabulary without markers refuses."""
    filled = prompts().make(TokenPrompt([ord("a")], "b<S>"))
    assert told(filled.ids) == "[<P>]a[<S>]b<S>[<M>]"
    with pytest.raises(BadPrompt):
        prompts(fill=None).make(TokenPrompt([ord("a")], "b"))


@pytest.mark.parametrize(
    ("prompt", "why"),
    [
        (TokenPrompt([1, 128]), "tokens"),
        (TokenPrompt([-1]), "tokens"),
        (TextPrompt(""), "prompt"),
        (TextPrompt("a", "b"), "prompt"),
        (ChatPrompt([{"role": "user"}]), "template"),
        (ChatPrompt([{"tool_calls": [{"function": {}}]}]), "prompt"),
    ],
)
def test_prompts_that_cannot_be_made(
    prompt: ChatPrompt | TextPrompt | TokenPrompt, why: str
) -> None:
    """Whatever is wrong with one, it is a refusal and nothing worse."""
    with pytest.raises(BadPrompt) as refused:
        prompts(fill=None).make(prompt)
    assert refused.value.why == why


def test_a_begun_thought_is_told_or_ended() -> None:
    """Some templates open it; a reply that must be JSON has none."""
    letters = prompts()
    asked = [{"role": "user", "content": "a<think>\n"}]
    letters._tokenizer.apply_chat_template = lambda messages, **_: messages[0]["content"]
    assert letters.make(ChatPrompt(asked)).thinking
    ended = letters.make(ChatPrompt(asked, opening="{", skip_thoughts=True))
    assert not ended.thinking
    assert told(ended.ids).endswith("</think>\n\n{")
