"""From a request's prompt to the tokens the model starts from."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from linarite.domain.json_values import is_array, is_object
from linarite.engines.openvino.messages import ChatPrompt, TextPrompt
from linarite.engines.text_chat.thinking import begins_thinking

if TYPE_CHECKING:
    from linarite.engines.openvino.messages import TokenPrompt, Why
    from linarite.engines.openvino.worker.native import Native

_THOUGHT_SKIPPED = "\n</think>\n\n"
_CUT = "\U0010fffe"
"""a code point that is no character and that no text may contain: put into what spells a special
token, taken out again before the text becomes tokens"""


class Prompted(NamedTuple):
    """A prompt as tokens."""

    ids: list[int]
    thinking: bool = False


class BadPrompt(Exception):
    """The prompt cannot be made."""

    def __init__(self, why: Why) -> None:
        super().__init__(why)
        self.why: Why = why


class FillTokens(NamedTuple):
    """What a vocabulary has for filling in the middle."""

    prefix: str
    suffix: str
    middle: str


class Prompts:
    """Makes prompts for one model."""

    def __init__(
        self, tokenizer: Native, pieces: list[bytes], control: set[str], fill: FillTokens | None
    ) -> None:
        self._tokenizer = tokenizer
        self._pieces = pieces
        self._fill = fill
        self._control = (
            re.compile("|".join(map(re.escape, sorted(control, key=len, reverse=True))))
            if control
            else None
        )

    def make(self, prompt: ChatPrompt | TextPrompt | TokenPrompt) -> Prompted:
        """The tokens of a prompt. Raises BadPrompt."""
        try:
            return self._made(prompt)
        except BadPrompt:
            raise
        except Exception as error:  # one that nobody thought of must not end the others
            raise BadPrompt("prompt") from error

    def _made(self, prompt: ChatPrompt | TextPrompt | TokenPrompt) -> Prompted:
        if isinstance(prompt, ChatPrompt):
            return self._chat(prompt)
        if isinstance(prompt, TextPrompt):
            return Prompted(self._text(prompt))
        return Prompted(self._tokens(prompt))

    def text_of(self, ids: list[int]) -> str:
        """The text of tokens, special ones included."""
        return b"".join(self._pieces[token] for token in ids).decode("utf-8", "replace")

    def _chat(self, prompt: ChatPrompt) -> Prompted:
        messages = [_with_call_objects(message) for message in prompt.messages]
        try:
            rendered: str = self._tokenizer.apply_chat_template(
                self._plain(messages), add_generation_prompt=True, tools=self._plain(prompt.tools)
            )
        except Exception as error:  # whatever a template says no with
            raise BadPrompt("template") from error
        thinking = begins_thinking(rendered)
        if thinking and prompt.skip_thoughts:
            rendered, thinking = rendered + _THOUGHT_SKIPPED, False
        return Prompted(self._encode(rendered + prompt.opening), thinking)

    def _text(self, prompt: TextPrompt) -> list[int]:
        if not prompt.suffix:
            return self._encode(prompt.text)
        before, (prefix, rest) = self._plain(prompt.text), self._around_gap(prompt.suffix)
        return self._encode(f"{prefix}{before}{rest}")

    def _tokens(self, prompt: TokenPrompt) -> list[int]:
        if any(not 0 <= token < len(self._pieces) for token in prompt.ids):
            raise BadPrompt("tokens")
        if not prompt.suffix:
            return list(prompt.ids)
        prefix, rest = self._around_gap(prompt.suffix)
        return [*self._encode(prefix), *prompt.ids, *self._encode(rest)]

    def _around_gap(self, suffix: str) -> tuple[str, str]:
        """What comes before and behind the text before a gap."""
        if self._fill is None:
            raise BadPrompt("prompt")
        fill = self._fill
        return fill.prefix, f"{fill.suffix}{self._plain(suffix)}{fill.middle}"

    def _plain(self, value: Native) -> Native:
        """What a caller wrote, so that none of it becomes a special token of the model's."""
        if isinstance(value, str):
            text = value.replace(_CUT, "")
            if self._control is None:
                return text
            return self._control.sub(lambda found: found[0][0] + _CUT + found[0][1:], text)
        if is_array(value):
            return [self._plain(item) for item in value]
        if is_object(value):
            return {key: self._plain(item) for key, item in value.items()}
        return value

    def _encode(self, text: str) -> list[int]:
        ids: list[int] = []
        for part in text.split(_CUT):
            if part:
                encoded = self._tokenizer.encode(part, add_special_tokens=False)
                ids += encoded.input_ids.data[0].tolist()
        if not ids:
            raise BadPrompt("prompt")
        return ids


def _with_call_objects(message: dict[str, Any]) -> dict[str, Any]:
    """Templates write the arguments of calls as JSON themselves."""
    calls: list[dict[str, Any]] = message.get("tool_calls") or []
    if not calls:
        return message
    told: list[dict[str, Any]] = []
    for call in calls:
        function = call["function"]
        arguments = msgspec.json.decode(function["arguments"])
        told.append({**call, "function": {**function, "arguments": arguments}})
    return {**message, "tool_calls": told}
