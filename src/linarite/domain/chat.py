"""A chat request and what a model says to it, as Azure OpenAI's chat/completions has them.

`ChatAsk` decodes straight from the request body; engines get it after the operation checked it.
A stream of `ChatEvent` is the answer; a plain reply is the same stream, folded.
Fields and defaults follow the `chat/completions` request of Azure OpenAI's v1 document.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from linarite.domain.usage import Usage


class TextPart(msgspec.Struct, tag_field="type", tag="text", frozen=True):
    """A piece of text."""

    text: str


class ImageUrl(msgspec.Struct, frozen=True, omit_defaults=True):
    """An image by https or data URL."""

    url: str
    detail: Literal["auto", "low", "high"] = "auto"


class ImagePart(msgspec.Struct, tag_field="type", tag="image_url", frozen=True):
    """An image for models that see."""

    image_url: ImageUrl


class AudioPart(msgspec.Struct, tag_field="type", tag="input_audio", frozen=True):
    """Audio for models that hear: `{data: base64, format}`."""

    input_audio: dict[str, str]


class FilePart(msgspec.Struct, tag_field="type", tag="file", frozen=True):
    """A document: `{file_id | filename, file_data}`."""

    file: dict[str, str]


class RefusalPart(msgspec.Struct, tag_field="type", tag="refusal", frozen=True):
    """A refusal the assistant gave earlier."""

    refusal: str


ContentPart = TextPart | ImagePart | AudioPart | FilePart | RefusalPart
Content = str | list[ContentPart] | None


class FunctionCall(msgspec.Struct, frozen=True):
    """A call a model wants made; `arguments` is JSON in a string, as the model wrote it."""

    name: str
    arguments: str


class ToolCall(msgspec.Struct, frozen=True, omit_defaults=True):
    """One call in an assistant message of the history."""

    id: str
    type: str = "function"
    function: FunctionCall | None = None
    custom: dict[str, Any] | None = None


class SystemMessage(
    msgspec.Struct, tag_field="role", tag="system", frozen=True, omit_defaults=True
):
    """Instructions that rank above the user's."""

    content: Content
    name: str | None = None


class DeveloperMessage(
    msgspec.Struct, tag_field="role", tag="developer", frozen=True, omit_defaults=True
):
    """What newer models call a system message."""

    content: Content
    name: str | None = None


class UserMessage(msgspec.Struct, tag_field="role", tag="user", frozen=True, omit_defaults=True):
    """What the person says."""

    content: Content
    name: str | None = None


class AssistantMessage(
    msgspec.Struct, tag_field="role", tag="assistant", frozen=True, omit_defaults=True
):
    """What the model said earlier."""

    content: Content = None
    name: str | None = None
    refusal: str | None = None
    tool_calls: list[ToolCall] | None = None
    function_call: FunctionCall | None = None
    reasoning_content: str | None = None


class ToolMessage(msgspec.Struct, tag_field="role", tag="tool", frozen=True, omit_defaults=True):
    """The result of a tool call."""

    content: Content
    tool_call_id: str
    name: str | None = None


class FunctionMessage(
    msgspec.Struct, tag_field="role", tag="function", frozen=True, omit_defaults=True
):
    """The result of a legacy function call."""

    content: Content
    name: str


Message = (
    SystemMessage
    | DeveloperMessage
    | UserMessage
    | AssistantMessage
    | ToolMessage
    | FunctionMessage
)


class FunctionDefinition(msgspec.Struct, frozen=True, omit_defaults=True):
    """A function the model may call; `parameters` is a JSON schema."""

    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class Tool(msgspec.Struct, frozen=True):
    """A tool offered to the model; only functions are run by local models."""

    type: Literal["function"]
    function: FunctionDefinition


class NamedFunction(msgspec.Struct, frozen=True):
    """The name in a forced choice."""

    name: str


class NamedToolChoice(msgspec.Struct, frozen=True):
    """`tool_choice` that forces one function."""

    type: Literal["function"]
    function: NamedFunction


class JsonSchemaFormat(msgspec.Struct, frozen=True, omit_defaults=True):
    """The schema a reply must follow."""

    name: str
    schema: dict[str, Any] | None = None
    description: str | None = None
    strict: bool | None = None


class ResponseFormat(msgspec.Struct, frozen=True, omit_defaults=True):
    """text, any JSON object, or JSON after a schema."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: JsonSchemaFormat | None = None


class StreamOptions(msgspec.Struct, frozen=True, omit_defaults=True):
    """`include_usage` adds a last chunk with the token counts."""

    include_usage: bool | None = None
    include_obfuscation: bool | None = None


class ChatAsk(msgspec.Struct, frozen=True, omit_defaults=True):
    """One chat request. Absent and null mean the same."""

    messages: list[Message]
    model: str | None = None
    audio: dict[str, Any] | None = None
    data_sources: list[dict[str, Any]] | None = None
    frequency_penalty: float | None = None
    function_call: Literal["none", "auto"] | NamedFunction | None = None
    functions: list[FunctionDefinition] | None = None
    logit_bias: dict[str, float] | None = None
    logprobs: bool | None = None
    max_completion_tokens: int | None = None
    max_tokens: int | None = None
    metadata: dict[str, str] | None = None
    modalities: list[str] | None = None
    n: int | None = None
    parallel_tool_calls: bool | None = None
    prediction: dict[str, Any] | None = None
    presence_penalty: float | None = None
    prompt_cache_key: str | None = None
    prompt_cache_retention: str | None = None
    reasoning_effort: str | None = None
    response_format: ResponseFormat | None = None
    safety_identifier: str | None = None
    seed: int | None = None
    service_tier: str | None = None
    stop: str | list[str] | None = None
    store: bool | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    temperature: float | None = None
    tool_choice: Literal["none", "auto", "required"] | NamedToolChoice | None = None
    tools: list[Tool] | None = None
    top_logprobs: int | None = None
    top_p: float | None = None
    user: str | None = None
    user_security_context: dict[str, Any] | None = None
    verbosity: str | None = None
    web_search_options: dict[str, Any] | None = None

    @property
    def completion_tokens_max(self) -> int | None:
        """The bound on generated tokens, by whichever of the two names it was given."""
        if self.max_completion_tokens is not None:
            return self.max_completion_tokens
        return self.max_tokens


class StrictChatAsk(ChatAsk, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """The same, refusing arguments that Azure would refuse."""


class FunctionDelta(msgspec.Struct, frozen=True, omit_defaults=True):
    """A piece of a call: the name comes once, first; `arguments` pieces are concatenated."""

    name: str | None = None
    arguments: str | None = None


class ToolCallDelta(msgspec.Struct, frozen=True, omit_defaults=True):
    """A piece of the tool call at `index`; id and type come with the first piece."""

    index: int = 0
    id: str | None = None
    type: str | None = None
    function: FunctionDelta | None = None


class ChatDelta(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is new in one choice. A whole message may come as one delta."""

    role: str | None = None
    content: str | None = None
    refusal: str | None = None
    tool_calls: list[ToolCallDelta] | None = None
    function_call: FunctionDelta | None = None
    reasoning_content: str | None = None


class TopLogprob(msgspec.Struct, frozen=True):
    """A token that could have come instead; `bytes` is its UTF-8."""

    token: str
    logprob: float
    bytes: list[int] | None = None


class TokenLogprob(msgspec.Struct, frozen=True):
    """A generated token with the natural log of its probability."""

    token: str
    logprob: float
    bytes: list[int] | None = None
    top_logprobs: list[TopLogprob] = []


class ChoiceLogprobs(msgspec.Struct, frozen=True):
    """Log-probabilities of the tokens in one delta (or message)."""

    content: list[TokenLogprob] | None = None
    refusal: list[TokenLogprob] | None = None


FinishReason = Literal["stop", "length", "tool_calls", "content_filter", "function_call"]


class ChatChoice(msgspec.Struct, frozen=True, omit_defaults=True):
    """News of one choice. The last one of a choice carries `finish_reason`.

    What Azure's content filter says about it is passed on as it came ("Content filter
    annotations"); with the asynchronous filter it may come alone, even after the last one.
    """

    index: int = 0
    delta: ChatDelta = ChatDelta()
    finish_reason: FinishReason | None = None
    logprobs: ChoiceLogprobs | None = None
    content_filter_results: dict[str, Any] | None = None
    content_filter_offsets: dict[str, Any] | None = None
    content_filter_raw: list[Any] | None = None


class ChatEvent(msgspec.Struct, frozen=True, omit_defaults=True):
    """One step of the answer.

    `usage` is the counts so far, whether or not the client asked for them; the last one is the
    whole answer's. An event that has choices may carry the counts so far; an event without choices
    carries the final ones. An engine that has no counts leaves them out.
    """

    choices: list[ChatChoice] = []
    usage: Usage | None = None
    prompt_filter_results: list[Any] | None = None
    """what Azure's content filter says about the prompt, as it came: in the first event, if any"""
