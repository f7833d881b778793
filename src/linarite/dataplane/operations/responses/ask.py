"""Reading and checking a request for a response, to the bounds of the service's reference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from linarite.dataplane.operations.responses.tools import AskedTools, read_tools
from linarite.dataplane.parts import checks
from linarite.dataplane.parts.decode import decode, unknown_parameter
from linarite.dataplane.parts.strict_schemas import require_strict
from linarite.domain.errors import InvalidRequest
from linarite.domain.service_tier import ASKABLE

if TYPE_CHECKING:
    from collections.abc import Sequence

TOP_LOGPROBS_MAX = 20
OUTPUT_TOKENS_MIN = 16
RANGES = (
    ("temperature", 0, 2),
    ("top_p", 0, 1),
    ("max_output_tokens", OUTPUT_TOKENS_MIN, 2**31),
    ("top_logprobs", 0, TOP_LOGPROBS_MAX),
    ("max_tool_calls", 1, 2**31),
)
RESULTS = "file_search_call.results"
REASONING, LOGPROBS = "reasoning.encrypted_content", "message.output_text.logprobs"
INCLUDABLE = (
    RESULTS,
    "web_search_call.results",
    "web_search_call.action.sources",
    "message.input_image.image_url",
    "computer_call_output.output.image_url",
    "code_interpreter_call.outputs",
    REASONING,
    LOGPROBS,
)
EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh")
SUMMARIES = ("auto", "concise", "detailed")
RETENTIONS = ("in_memory", "in-memory", "24h")
"""how long a prompt may be cached: Azure's document and its page spell the first differently"""
TRUNCATIONS = ("auto", "disabled")
VERBOSITIES = ("low", "medium", "high")
UNSERVED = {
    "context_management": "what is too long is not made shorter here. Send fewer items.",
}


class Reasoning(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How hard to think, and whether to tell of it."""

    effort: str | None = None
    summary: str | None = None
    generate_summary: str | None = None


class Format(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """text, any JSON object, or JSON after a schema."""

    type: Literal["text", "json_object", "json_schema"]
    name: str | None = None
    schema: dict[str, Any] | None = None
    description: str | None = None
    strict: bool | None = None


class Text(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the text is to be like."""

    format: Format | None = None
    verbosity: str | None = None


class StreamOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing here changes what is sent: no event is padded."""

    include_obfuscation: bool | None = None


class Conversation(msgspec.Struct, frozen=True):
    """The conversation that a response belongs to."""

    id: str


class Prompt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A prompt that settings have."""

    id: str
    variables: dict[str, str | dict[str, Any]] | None = None
    version: str | None = None


class ResponseAsk(msgspec.Struct, frozen=True):
    """One request for a response. Absent and null mean the same."""

    background: bool | None = None
    context_management: list[Any] | None = None
    conversation: str | Conversation | None = None
    include: list[str] | None = None
    input: str | list[dict[str, Any]] | None = None
    instructions: str | None = None
    max_output_tokens: int | None = None
    max_tool_calls: int | None = None
    metadata: dict[str, str] | None = None
    model: str | None = None
    parallel_tool_calls: bool | None = None
    previous_response_id: str | None = None
    prompt: Prompt | None = None
    prompt_cache_key: str | None = None
    prompt_cache_retention: str | None = None
    reasoning: Reasoning | None = None
    safety_identifier: str | None = None
    service_tier: str | None = None
    store: bool | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    temperature: float | None = None
    text: Text | None = None
    tool_choice: str | dict[str, Any] | None = None
    tools: list[dict[str, Any]] | None = None
    top_logprobs: int | None = None
    top_p: float | None = None
    truncation: str | None = None
    user: str | None = None

    @property
    def stored(self) -> bool:
        """Whether it is kept, which is the default."""
        return self.store is not False

    @property
    def conversation_id(self) -> str:
        """The conversation that it belongs to; "" for none."""
        named = self.conversation
        return named.id if isinstance(named, Conversation) else named or ""

    def includes(self, what: str) -> bool:
        """Whether the answer is to have that as well."""
        return what in (self.include or ())

    @property
    def wants_logprobs(self) -> bool:
        """Whether probabilities of tokens are to be told."""
        return bool(self.top_logprobs) or self.includes(LOGPROBS)


class StrictResponseAsk(ResponseAsk, frozen=True, forbid_unknown_fields=True):
    """The same, refusing arguments that Azure would refuse."""


class AskReader:
    """Turns a body into a `ResponseAsk` and the tools in it."""

    def __init__(self, *, accept_unknown_arguments: bool) -> None:
        """See OperationKit."""
        shape = ResponseAsk if accept_unknown_arguments else StrictResponseAsk
        self._decoder: msgspec.json.Decoder[ResponseAsk] = msgspec.json.Decoder(shape)

    def __call__(self, body: bytes) -> tuple[ResponseAsk, AskedTools]:
        """Decode and check. Raises InvalidRequest with the `param` at fault."""
        ask = decode(self._decoder, body, unknown_parameter)
        for name, low, high in RANGES:
            checks.in_range(name, getattr(ask, name), low, high)
        if ask.metadata:
            checks.check_metadata(ask.metadata)
        for at, name in enumerate(ask.include or ()):
            checks.one_of(f"include[{at}]", name, INCLUDABLE)
        _check_choices(ask)
        if ask.text is not None and ask.text.format is not None:
            _check_format(ask, ask.text.format)
        _check_unserved(ask)
        _check_combinations(ask)
        return ask, read_tools(ask.tools or [], ask.tool_choice)


def _check_choices(ask: ResponseAsk) -> None:
    reasoning = ask.reasoning or Reasoning()
    said: Sequence[tuple[str, str | None, Sequence[str]]] = (
        ("service_tier", ask.service_tier, ASKABLE),
        ("truncation", ask.truncation, TRUNCATIONS),
        ("text.verbosity", ask.text.verbosity if ask.text else None, VERBOSITIES),
        ("reasoning.effort", reasoning.effort, EFFORTS),
        ("reasoning.summary", reasoning.summary, SUMMARIES),
        ("reasoning.generate_summary", reasoning.generate_summary, SUMMARIES),
        ("prompt_cache_retention", ask.prompt_cache_retention, RETENTIONS),
    )
    for name, value, allowed in said:
        if value is not None:
            checks.one_of(name, value, allowed)


def _check_format(ask: ResponseAsk, wanted: Format) -> None:
    if wanted.type == "json_schema":
        for name in ("name", "schema"):
            if getattr(wanted, name) is None:
                raise _missing(f"text.format.{name}")
        checks.check_nesting("text.format.schema", wanted.schema)
        if wanted.strict:
            require_strict(
                wanted.schema or {},
                f"response_format '{wanted.name}'",
                param="text.format.schema",
                code="invalid_json_schema",
            )
        checks.check_name("text.format.name", wanted.name or "")
    if wanted.type == "json_object" and not _speaks_of_json(ask):
        raise InvalidRequest(
            "Response input messages must contain the word 'json' in some form to use "
            "'text.format' of type 'json_object'.",
            param="input",
        )


def _speaks_of_json(ask: ResponseAsk) -> bool:
    if ask.previous_response_id or ask.conversation_id or ask.prompt:
        return True  # it may have been said before
    said = msgspec.json.encode(ask.input) + (ask.instructions or "").encode()
    return b"json" in said.lower()


def _missing(name: str) -> InvalidRequest:
    return InvalidRequest(
        f"Missing required parameter: '{name}'.", param=name, code="missing_required_parameter"
    )


def _check_unserved(ask: ResponseAsk) -> None:
    """Refuse what is known to the service and not served here, rather than ignore it."""
    for name, why in UNSERVED.items():
        if getattr(ask, name) is not None:
            raise InvalidRequest(
                f"Unsupported parameter: '{name}' is not supported by this server: {why}",
                param=name,
                code="unsupported_parameter",
            )


def require_input(ask: ResponseAsk) -> None:
    """Refuse a request whose `input` says nothing and that goes on from nothing."""
    if not (ask.previous_response_id or ask.conversation_id or ask.prompt):
        raise InvalidRequest(
            "One of 'input', 'previous_response_id', 'conversation' or 'prompt' must be provided.",
            param="input",
            code="missing_required_parameter",
        )


def _check_combinations(ask: ResponseAsk) -> None:
    if ask.previous_response_id and ask.conversation_id:
        raise InvalidRequest(
            "Mutually exclusive parameters. Ensure you are only providing one of: "
            "'previous_response_id' or 'conversation'.",
            param="previous_response_id",
            code="mutually_exclusive_parameters",
        )
    if ask.input is None:
        require_input(ask)
    if ask.background and not ask.stored:
        raise InvalidRequest(
            "Background mode needs the response to be kept: 'store' must not be false.",
            param="background",
            code="invalid_parameter_combination",
        )
    if ask.stream_options is not None and not ask.stream:
        raise InvalidRequest(
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
            param="stream_options",
            code="invalid_parameter_combination",
        )
