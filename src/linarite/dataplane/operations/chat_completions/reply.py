"""Writing a chat answer: chunks of a stream, or the stream folded into one message."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from linarite.dataplane.parts.prompt_sizes import prompt_tokens
from linarite.dataplane.parts.replies import StreamedReply, encode
from linarite.domain.quota import Price
from linarite.web.ids import new_object_id, sorted_id

if TYPE_CHECKING:
    from linarite.domain.chat import (
        ChatAsk,
        ChatChoice,
        ChatDelta,
        ChatEvent,
        ChoiceLogprobs,
        TokenLogprob,
        ToolCallDelta,
    )
    from linarite.domain.facts import Deployment

_OPENING = b'"delta":{"content":"","refusal":null,"role":"assistant"},"finish_reason":null,'

_PROMPT = b'data: {"choices":[],"created":0,"id":"","model":"","object":"",'
"""what the service sends first where its filter looked at the prompt; clients know it"""

_NO_RESULTS = b'"content_filter_results":{},'

_WHOLE_TEXT = (
    b'{"finish_reason":%b,"index":%d,"logprobs":null,'
    b'"message":{"annotations":[],"content":%b,"refusal":null,"role":"assistant"}}'
)

_TEXT = b'[{"delta":{"content":%b},"finish_reason":null,"index":%d,"logprobs":null}]'


class ChatReply(StreamedReply):
    """One chat answer; follows the service's field order in chunks."""

    def __init__(self, ask: ChatAsk, deployment: Deployment) -> None:
        """Make the answer's id and read what the client wants to see."""
        super().__init__(
            sorted_id("chatcmpl-") if ask.store else new_object_id("chatcmpl-"),
            "chat.completion.chunk" if ask.stream else "chat.completion",
            deployment,
            streamed=bool(ask.stream),
            options=ask.stream_options,
        )
        self._ask = ask
        self._model = deployment.model.name
        self._opened: set[int] = set()
        self._folded: dict[int, FoldedChoice] = {}
        self._prompt_filter_results: list[Any] | None = None

    def be_one_body(self) -> None:
        """See StreamedReply."""
        super().be_one_body()
        self._folded = {}

    def tell_tier(self, tier: str) -> None:
        """See Reply."""
        after = b',"system_fingerprint":'
        told = b',"service_tier":"%b"' % tier.encode()
        self._tail = self._tail.replace(after, told + after)

    def frame(self, event: ChatEvent) -> bytes:
        """The chunks of an event: each choice opens with its role, as the service does."""
        usage = event.usage
        if usage is not None:
            self.counted = usage
        choices = event.choices
        if len(choices) == 1:
            choice = choices[0]
            text, index = text_of(choice), choice.index
            if text and index in self._opened:  # the usual one
                if usage is None:
                    self.pieces += 1
                return self.chunk(_TEXT % (encode(text), index), self._null_usage)
        if usage is None:
            self._count_piece(event)
        return self._chunks(event)

    def _chunks(self, event: ChatEvent) -> bytes:
        out = b""
        if event.prompt_filter_results is not None:
            results = encode(event.prompt_filter_results)
            out = _PROMPT + b'"prompt_filter_results":%b}\n\n' % results
        for choice in event.choices:
            if choice.index not in self._opened:
                out += self._opening(choice)
        shown = [render(choice) for choice in event.choices if says_something(choice)]
        if shown:
            out += self.chunk(b"[" + b",".join(shown) + b"]", self._null_usage)
        return out

    def _opening(self, choice: ChatChoice) -> bytes:
        self._opened.add(choice.index)
        annotated = b"" if choice.content_filter_results is None else _NO_RESULTS
        opening = b'[{%b%b"index":%d,"logprobs":null}]' % (annotated, _OPENING, choice.index)
        return self.chunk(opening, self._null_usage)

    def add(self, event: ChatEvent) -> None:
        """Fold an event into the message of each choice."""
        if event.usage is None:
            self._count_piece(event)
        else:
            self.counted = event.usage
        if event.prompt_filter_results is not None:
            self._prompt_filter_results = event.prompt_filter_results
        for choice in event.choices:
            folded = self._folded.get(choice.index)
            if folded is None:
                folded = self._folded[choice.index] = FoldedChoice()
            folded.add(choice)

    def prompt_tokens(self) -> int:
        """Of messages, tools and a schema."""
        return prompt_tokens(self._ask, self._model)

    @property
    def prompt(self) -> ChatAsk:
        """See CountablePrompt."""
        return self._ask

    def tell_prompt_tokens(self, count: int) -> None:
        """See CountablePrompt."""
        self._price = Price(count, *self.completion_bound())

    def completion_bound(self) -> tuple[int | None, int]:
        """Of each of the `n` choices."""
        return self._ask.completion_tokens_max, self._ask.n or 1

    def body(self) -> bytes:
        """The plain answer."""
        folded = sorted(self._folded.items())
        choices = b"[%b]" % b",".join([choice.render(index) for index, choice in folded])
        answer = self.whole(choices)
        if self._prompt_filter_results is None:
            return answer
        return answer[:-1] + b',"prompt_filter_results":%b}' % encode(self._prompt_filter_results)

    def _count_piece(self, event: ChatEvent) -> None:
        if any(tells(choice.delta) for choice in event.choices):
            self.pieces += 1


def text_of(choice: ChatChoice) -> str | None:
    """The text of a choice that brings nothing else."""
    delta = choice.delta
    other = (
        choice.finish_reason
        or choice.logprobs
        or delta.tool_calls
        or delta.function_call
        or delta.refusal
        or delta.reasoning_content
        or choice.content_filter_results is not None
        or choice.content_filter_offsets is not None
    )
    return None if other else delta.content


def says_something(choice: ChatChoice) -> bool:
    """Whether a choice holds more than the role, which the opening chunk already told."""
    return bool(
        choice.finish_reason
        or choice.logprobs
        or choice.content_filter_results
        or choice.content_filter_offsets
        or tells(choice.delta)
    )


def tells(delta: ChatDelta) -> bool:
    """Whether it brings anything that the model wrote."""
    return bool(
        delta.content
        or delta.tool_calls
        or delta.function_call
        or delta.refusal
        or delta.reasoning_content
    )


def says_only_text(delta: ChatDelta) -> bool:
    """Whether it brings text, or nothing."""
    return not (delta.tool_calls or delta.function_call or delta.refusal or delta.reasoning_content)


def render(choice: ChatChoice) -> bytes:
    """A choice of a chunk. The usual one, a piece of text, is written by hand: it is hot."""
    delta = choice.delta
    if delta.content is not None and says_only_text(delta):
        inner = b'{"content":' + encode(delta.content) + b"}"
    else:
        inner = encode(without_role(delta))
    finish = b"null" if choice.finish_reason is None else b'"%s"' % choice.finish_reason.encode()
    logprobs = b"null" if choice.logprobs is None else encode(choice.logprobs)
    return b'{%s"delta":%s,"finish_reason":%s,"index":%d,"logprobs":%s}' % (
        filter_fields(choice),
        inner,
        finish,
        choice.index,
        logprobs,
    )


def filter_fields(choice: ChatChoice) -> bytes:
    """What a content filter said about it, as fields at the beginning of an object."""
    said = {
        "content_filter_results": choice.content_filter_results,
        "content_filter_offsets": choice.content_filter_offsets,
        "content_filter_raw": choice.content_filter_raw,
    }
    return b"".join(
        b'"%b":%b,' % (name.encode(), encode(value))
        for name, value in said.items()
        if value is not None
    )


def without_role(delta: ChatDelta) -> dict[str, Any]:
    """The delta's set fields but the role."""
    fields = {
        "content": delta.content,
        "refusal": delta.refusal,
        "tool_calls": [shown_call(call) for call in delta.tool_calls or []] or None,
        "function_call": delta.function_call,
        "reasoning_content": delta.reasoning_content,
    }
    return {name: value for name, value in fields.items() if value is not None}


def shown_call(call: ToolCallDelta) -> dict[str, Any]:
    """A piece of a tool call; unlike the struct's own encoding, `index` 0 is shown."""
    shown: dict[str, Any] = {"index": call.index}
    if call.id is not None:
        shown["id"] = call.id
        shown["type"] = call.type or "function"
    if call.function is not None:
        shown["function"] = call.function
    return shown


class FoldedChoice:
    """A choice as it grows."""

    _function: dict[str, str] | None = None
    _logprobs: list[TokenLogprob] | None = None
    _refusal_logprobs: list[TokenLogprob] | None = None
    _finish: str | None = None
    _filter: dict[str, Any] | None = None
    _only_text = True

    def __init__(self) -> None:
        """Start with nothing said."""
        self._content: list[str] = []
        self._refusal: list[str] = []
        self._reasoning: list[str] = []
        self._calls: dict[int, dict[str, Any]] = {}

    def add(self, choice: ChatChoice) -> None:
        """Append what is new."""
        delta = choice.delta
        if (
            choice.logprobs is None
            and choice.content_filter_results is None
            and says_only_text(delta)
        ):
            if delta.content is not None:
                self._content.append(delta.content)
        else:
            self._only_text = False
            self._add_all(choice, delta)
        self._finish = choice.finish_reason or self._finish

    def _add_all(self, choice: ChatChoice, delta: ChatDelta) -> None:
        if delta.content is not None:
            self._content.append(delta.content)
        if delta.refusal is not None:
            self._refusal.append(delta.refusal)
        if delta.reasoning_content is not None:
            self._reasoning.append(delta.reasoning_content)
        for call in delta.tool_calls or []:
            self._add_call(call)
        if delta.function_call is not None:
            function = self._function or {"name": "", "arguments": ""}
            function["name"] += delta.function_call.name or ""
            function["arguments"] += delta.function_call.arguments or ""
            self._function = function
        if choice.logprobs is not None:
            self._add_logprobs(choice.logprobs)
        if choice.content_filter_results is not None:
            # Pieces of a stream are judged one by one; what came last of a category holds.
            self._filter = {**(self._filter or {}), **choice.content_filter_results}

    def _add_logprobs(self, logprobs: ChoiceLogprobs) -> None:
        if logprobs.content is not None:
            self._logprobs = self._logprobs or []
            self._logprobs.extend(logprobs.content)
        if logprobs.refusal is not None:
            self._refusal_logprobs = self._refusal_logprobs or []
            self._refusal_logprobs.extend(logprobs.refusal)

    def _add_call(self, call: ToolCallDelta) -> None:
        known = self._calls.setdefault(
            call.index, {"id": "", "type": "function", "function": {"name": "", "arguments": ""}}
        )
        known["id"] = call.id or known["id"]
        if call.function is not None:
            known["function"]["name"] += call.function.name or ""
            known["function"]["arguments"] += call.function.arguments or ""

    def render(self, index: int) -> bytes:
        """The choice as a plain answer shows it. The usual one is written by hand: it is hot."""
        if not self._only_text:
            return encode(self._whole(index))
        content = encode("".join(self._content) if self._content else None)
        finish = b"null" if self._finish is None else b'"%b"' % self._finish.encode()
        return _WHOLE_TEXT % (finish, index, content)

    def _whole(self, index: int) -> dict[str, Any]:
        calls = [call for _, call in sorted(self._calls.items())]
        spoken = bool(self._content) and not (calls and not any(self._content))
        message: dict[str, Any] = {
            "annotations": [],
            "content": "".join(self._content) if spoken else None,
            "refusal": "".join(self._refusal) if self._refusal else None,
            "role": "assistant",
        }
        if self._reasoning:
            message["reasoning_content"] = "".join(self._reasoning)
        if calls:
            message["tool_calls"] = calls
        if self._function is not None:
            message["function_call"] = self._function
        logprobs = None
        if self._logprobs is not None or self._refusal_logprobs is not None:
            logprobs = {"content": self._logprobs, "refusal": self._refusal_logprobs}
        annotated = {} if self._filter is None else {"content_filter_results": self._filter}
        return {
            **annotated,
            "finish_reason": self._finish,
            "index": index,
            "logprobs": logprobs,
            "message": message,
        }
