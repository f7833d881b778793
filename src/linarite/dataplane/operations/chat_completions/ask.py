"""Reading and checking a chat request, to the bounds of the service's reference."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from linarite.dataplane.operations.chat_completions.messages import check_messages
from linarite.dataplane.parts import checks
from linarite.dataplane.parts.decode import decode
from linarite.dataplane.parts.strict_schemas import require_strict
from linarite.domain.chat import ChatAsk, StrictChatAsk
from linarite.domain.errors import InvalidRequest
from linarite.domain.service_tier import ASKABLE

if TYPE_CHECKING:
    from linarite.domain.chat import FunctionDefinition, Message

TOOLS_MAX = 128
CHOICES_MAX = 128
TOP_LOGPROBS_MAX = 20
RANGES = (
    ("temperature", 0, 2),
    ("top_p", 0, 1),
    ("presence_penalty", -2, 2),
    ("frequency_penalty", -2, 2),
    ("n", 1, CHOICES_MAX),
    ("max_tokens", 1, 2**31),
    ("max_completion_tokens", 1, 2**31),
    ("top_logprobs", 0, TOP_LOGPROBS_MAX),
    ("seed", -(2**63), 2**63 - 1),
)


class AskReader:
    """Turns a body into a `ChatAsk` that engines may trust."""

    def __init__(self, *, accept_unknown_arguments: bool) -> None:
        """See ChatCompletions."""
        shape = ChatAsk if accept_unknown_arguments else StrictChatAsk
        self._decoder: msgspec.json.Decoder[ChatAsk] = msgspec.json.Decoder(shape)

    def __call__(self, body: bytes) -> ChatAsk:
        """Decode and check. Raises InvalidRequest with the `param` at fault."""
        ask = decode(self._decoder, body)
        check_messages(ask.messages)
        check_numbers(ask)
        if ask.stop is not None:
            checks.check_stop(ask.stop)
        if ask.logit_bias:
            checks.check_logit_bias(ask.logit_bias)
        if ask.metadata:
            checks.check_metadata(ask.metadata)
        if ask.tools or ask.functions or ask.tool_choice or ask.function_call:
            check_tools(ask)
        if ask.response_format is not None:
            check_response_format(ask)
        if ask.prediction is not None:
            checks.check_nesting("prediction", ask.prediction)
        if ask.user_security_context is not None:
            checks.check_nesting("user_security_context", ask.user_security_context)
        if ask.service_tier is not None:
            checks.one_of("service_tier", ask.service_tier, ASKABLE)
        check_unserved(ask)
        return ask


def check_numbers(ask: ChatAsk) -> None:
    """Ranges of the sampling parameters; combinations the service refuses."""
    for name, low, high in RANGES:
        value = getattr(ask, name)
        if value is not None:
            checks.in_range(name, value, low, high)
    if ask.max_tokens is not None and ask.max_completion_tokens is not None:
        raise InvalidRequest(
            "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.",
            param="max_tokens",
            code="invalid_parameter_combination",
        )
    if ask.top_logprobs is not None and not ask.logprobs:
        raise InvalidRequest(
            "The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled.",
            param="top_logprobs",
            code="invalid_parameter_combination",
        )
    if ask.stream_options is not None and not ask.stream:
        raise InvalidRequest(
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
            param="stream_options",
            code="invalid_parameter_combination",
        )


def check_tools(ask: ChatAsk) -> None:
    """At most 128, named properly and once; a choice needs tools and must name one of them."""
    if ask.tools and ask.functions:
        raise InvalidRequest(
            "'tools' and 'functions' can't be used together; 'functions' is the older form.",
            param="functions",
            code="invalid_parameter_combination",
        )
    _check_definitions("tools", [tool.function for tool in ask.tools or []], "function.")
    _check_definitions("functions", ask.functions or [], "")
    if ask.tool_choice is not None and not ask.tools:
        raise InvalidRequest(
            "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are "
            "specified.",
            param="tool_choice",
        )
    if ask.function_call is not None and not ask.functions:
        raise InvalidRequest(
            "Invalid value for 'function_call': 'function_call' is only allowed when 'functions' "
            "are specified.",
            param="function_call",
        )
    choice = ask.tool_choice
    if choice is not None and not isinstance(choice, str):
        _check_named("tool_choice", choice.function.name, [t.function for t in ask.tools or []])
    called = ask.function_call
    if called is not None and not isinstance(called, str):
        _check_named("function_call", called.name, ask.functions or [])


def _check_named(param: str, name: str, known: list[FunctionDefinition]) -> None:
    if all(definition.name != name for definition in known):
        raise InvalidRequest(
            f"Invalid value for '{param}': no function named '{name[:64]}' was specified in the "
            f"'{'tools' if param == 'tool_choice' else 'functions'}' parameter.",
            param=param,
        )


def _check_definitions(param: str, definitions: list[FunctionDefinition], prefix: str) -> None:
    if len(definitions) > TOOLS_MAX:
        raise checks.too_long(param, TOOLS_MAX, len(definitions))
    seen: set[str] = set()
    for at, definition in enumerate(definitions):
        where = f"{param}[{at}].{prefix}"
        checks.check_name(f"{where}name", definition.name)
        if definition.name in seen:
            raise InvalidRequest(
                f"Invalid '{where}name': the function '{definition.name}' is defined twice.",
                param=f"{where}name",
                code="invalid_value",
            )
        seen.add(definition.name)
        if definition.parameters is not None:
            _check_parameters(f"{where}parameters", definition)


def _check_parameters(param: str, definition: FunctionDefinition) -> None:
    """Arguments are named, so only a schema of an object makes sense."""
    checks.check_nesting(param, definition.parameters)
    kind = (definition.parameters or {}).get("type", "object")
    if kind != "object":
        raise InvalidRequest(
            f"Invalid schema for function '{definition.name}': schema must be a JSON Schema of "
            f"'type: \"object\"', got 'type: {msgspec.json.encode(kind).decode()[:100]}'.",
            param=param,
            code="invalid_function_parameters",
        )
    if definition.strict:
        require_strict(
            definition.parameters or {"type": "object"},
            f"function '{definition.name}'",
            param=param,
            code="invalid_function_parameters",
        )


def check_response_format(ask: ChatAsk) -> None:
    """A schema where one is needed; JSON mode only when the messages speak of JSON."""
    wanted = ask.response_format
    if wanted is None or wanted.type == "text":
        return
    if wanted.type == "json_schema":
        if wanted.json_schema is None:
            raise InvalidRequest(
                "Missing required parameter: 'response_format.json_schema'.",
                param="response_format.json_schema",
                code="missing_required_parameter",
            )
        checks.check_name("response_format.json_schema.name", wanted.json_schema.name)
        checks.check_nesting("response_format.json_schema.schema", wanted.json_schema.schema)
        if wanted.json_schema.strict:
            require_strict(
                wanted.json_schema.schema or {},
                f"response_format '{wanted.json_schema.name}'",
                param="response_format",
                code="invalid_json_schema",
            )
        return
    if not any("json" in _text_of(message).lower() for message in ask.messages):
        raise InvalidRequest(
            "'messages' must contain the word 'json' in some form, to use 'response_format' of "
            "type 'json_object'.",
            param="messages",
        )


def _text_of(message: Message) -> str:
    content = message.content
    if content is None or isinstance(content, str):
        return content or ""
    return " ".join(getattr(part, "text", "") for part in content)


def check_unserved(ask: ChatAsk) -> None:
    """Refuse what is known to the service and not served here, rather than ignore it."""
    if ask.audio is not None or (ask.modalities and ask.modalities != ["text"]):
        raise InvalidRequest(
            "Unsupported parameter: this server's models answer with text only.",
            param="audio" if ask.audio is not None else "modalities",
            code="unsupported_parameter",
        )
    if ask.web_search_options is not None:
        raise InvalidRequest(
            "Unsupported parameter: 'web_search_options' is not supported by this server.",
            param="web_search_options",
            code="unsupported_parameter",
        )
