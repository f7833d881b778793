"""The functions a chat offers, and which of them the model must or may call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from linarite.domain.chat import FunctionDefinition, NamedFunction, NamedToolChoice
from linarite.domain.errors import InvalidRequest

if TYPE_CHECKING:
    from linarite.domain.chat import ChatAsk

CALL_OPENING = "<tool_call>\n"
CALL_CLOSING = "\n</tool_call>"
_NO_ARGUMENTS: dict[str, Any] = {
    "type": "object",
    "properties": {},
    "additionalProperties": False,
}


class Toolbox(msgspec.Struct, frozen=True):
    """What may be called in a chat."""

    functions: list[FunctionDefinition]
    forced: list[FunctionDefinition]
    """one of these must be called; none: the model decides"""
    named: bool
    """the one function was forced by name"""
    calls_max: int | None
    legacy: bool
    """asked for with `functions`, and answered in that shape"""

    @property
    def names(self) -> set[str]:
        """The functions' names."""
        return {function.name for function in self.functions}

    def as_tools(self) -> list[dict[str, Any]]:
        """The functions as templates take them."""
        return [
            {"type": "function", "function": msgspec.to_builtins(function)}
            for function in self.functions
        ]


def toolbox_of(ask: ChatAsk) -> Toolbox | None:
    """What a chat offers; None when the model must not call anything. Raises InvalidRequest."""
    if ask.tools:
        return _from_tools(ask, [tool.function for tool in ask.tools])
    if isinstance(ask.tool_choice, NamedToolChoice) or ask.tool_choice == "required":
        raise InvalidRequest(
            "'tool_choice' is only allowed when 'tools' are specified.", param="tool_choice"
        )
    if ask.functions and ask.function_call != "none":
        choice = ask.function_call
        forced = isinstance(choice, NamedFunction) and choice.name
        return Toolbox(
            functions=ask.functions,
            forced=_named(ask.functions, forced, "function_call") if forced else [],
            named=bool(forced),
            calls_max=1,
            legacy=True,
        )
    return None


def _from_tools(ask: ChatAsk, functions: list[FunctionDefinition]) -> Toolbox | None:
    choice = ask.tool_choice
    if choice == "none":
        return None
    forced: list[FunctionDefinition] = []
    if isinstance(choice, NamedToolChoice):
        forced = _named(functions, choice.function.name, "tool_choice")
    elif choice == "required":
        forced = functions
    return Toolbox(
        functions=functions,
        forced=forced,
        named=isinstance(choice, NamedToolChoice),
        calls_max=1 if forced or ask.parallel_tool_calls is False else None,
        legacy=False,
    )


def _named(functions: list[FunctionDefinition], name: str, param: str) -> list[FunctionDefinition]:
    found = [function for function in functions if function.name == name]
    if not found:
        offered = "tools" if param == "tool_choice" else "functions"
        raise InvalidRequest(
            f"Invalid value for '{param}': no function named '{name}' was specified in the "
            f"'{offered}' parameter.",
            param=param,
        )
    return found[:1]


def instruction(toolbox: Toolbox) -> str:
    """Tell a model whose template knows no tools how to call one, in the form most models know."""
    described = "\n".join(msgspec.json.encode(tool).decode() for tool in toolbox.as_tools())
    several = (
        " To call several functions, write one such block for each."
        if toolbox.calls_max is None
        else ""
    )
    return (
        "You can call these functions, described between the tags as one JSON object a line:\n"
        f"<tools>\n{described}\n</tools>\n"
        "To call a function, write nothing but a JSON object with its name and its arguments "
        f'between tags:\n{CALL_OPENING}{{"name": "function_name", "arguments": {{}}}}'
        f"{CALL_CLOSING}\n"
        f"Call a function only when it helps to answer.{several}"
    )


def known_call(function: FunctionDefinition) -> str:
    """How a call of just this function is written, up to its arguments."""
    return f'{CALL_OPENING}{{"name": {msgspec.json.encode(function.name).decode()}, "arguments": '


def forced_opening(toolbox: Toolbox) -> str:
    """How every reply begins where a function must be called; "" where the model decides."""
    if len(toolbox.forced) == 1:
        return known_call(toolbox.forced[0])
    return CALL_OPENING if toolbox.forced else ""


def arguments_schema(function: FunctionDefinition) -> dict[str, Any]:
    """The JSON schema of a function's arguments, which are an object in any case."""
    schema = function.parameters
    return {"type": "object", **schema} if schema else _NO_ARGUMENTS
