"""The tools of a request: what the model is offered, and how its calls are told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from linarite.dataplane.parts import checks
from linarite.dataplane.parts.decode import converted
from linarite.domain.chat import FunctionDefinition, NamedFunction, NamedToolChoice, Tool
from linarite.domain.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

TOOLS_MAX = 128
HOSTED = (
    "apply_patch",
    "code_interpreter",
    "computer",
    "computer_use_preview",
    "file_search",
    "image_generation",
    "local_shell",
    "mcp",
    "namespace",
    "shell",
    "tool_search",
    "web_search",
    "web_search_2025_08_26",
    "web_search_preview",
    "web_search_preview_2025_03_11",
)
"""tools that Azure's own servers carry out"""
FREE_TEXT: dict[str, Any] = {
    "type": "object",
    "properties": {"input": {"type": "string"}},
    "required": ["input"],
    "additionalProperties": False,
}
"""how a tool that takes free text is offered to models that know functions alone"""

Choice = Literal["none", "auto", "required"] | NamedToolChoice
PLAIN_CHOICES = ("none", "auto", "required")


class FunctionTool(msgspec.Struct, frozen=True):
    """A function of the application's."""

    name: str
    type: Literal["function"] = "function"
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class CustomTool(msgspec.Struct, frozen=True):
    """A tool of the application's that takes free text."""

    name: str
    type: Literal["custom"] = "custom"
    description: str | None = None
    format: dict[str, Any] | None = None


class NamedChoice(msgspec.Struct, frozen=True):
    """`tool_choice` that forces one tool."""

    type: Literal["function", "custom"]
    name: str


class AllowedTools(msgspec.Struct, frozen=True):
    """`tool_choice` that offers some of the tools."""

    mode: Literal["auto", "required"]
    tools: list[dict[str, Any]]
    type: Literal["allowed_tools"] = "allowed_tools"


class AskedTools(msgspec.Struct, frozen=True):
    """What a request says about tools."""

    offered: list[Tool] = []
    """as chat models take them"""
    choice: Choice | None = None
    custom: frozenset[str] = frozenset()
    """names of those that take free text"""
    shown: list[dict[str, Any]] = []
    """as the response repeats them"""
    shown_choice: Any = "auto"


NO_TOOLS = AskedTools()


def read_tools(given: Sequence[dict[str, Any]], choice: str | dict[str, Any] | None) -> AskedTools:
    """The tools and the choice among them. Raises InvalidRequest."""
    if not given and choice is None:
        return NO_TOOLS
    if len(given) > TOOLS_MAX:
        raise checks.too_long("tools", TOOLS_MAX, len(given))
    tools = [_tool(each, f"tools[{at}]") for at, each in enumerate(given)]
    names: set[str] = set()
    for at, tool in enumerate(tools):
        if tool.name in names:
            raise InvalidRequest(
                f"Invalid 'tools[{at}].name': the tool '{tool.name}' is defined twice.",
                param=f"tools[{at}].name",
                code="invalid_value",
            )
        names.add(tool.name)
    asked = AskedTools(
        offered=[_offered(tool) for tool in tools],
        custom=frozenset(tool.name for tool in tools if isinstance(tool, CustomTool)),
        shown=[_shown(tool) for tool in tools],
    )
    return asked if choice is None else _chosen(asked, choice, names)


def _tool(given: dict[str, Any], where: str) -> FunctionTool | CustomTool:
    kind = given.get("type")
    if kind == "function":
        tool = converted(given, FunctionTool, where)
        if tool.parameters is not None:
            _check_parameters(tool, f"{where}.parameters")
    elif kind == "custom":
        tool = converted(given, CustomTool, where)
        _check_free(tool, where)
    else:
        raise _unsupported(kind, where)
    checks.check_name(f"{where}.name", tool.name)
    return tool


def _unsupported(kind: object, where: str) -> InvalidRequest:
    if kind not in HOSTED:
        return InvalidRequest(
            f"Invalid value: '{str(kind)[:100]}'. Supported values of this server are: 'function' "
            "and 'custom'.",
            param=f"{where}.type",
            code="invalid_value",
        )
    return InvalidRequest(
        f"Unsupported tool: '{kind}' is carried out by Azure's own servers, and not by this one. "
        "Offer a tool of type 'function' (or 'custom') instead, carry out its calls in the "
        "application, and send what comes of them as 'function_call_output'.",
        param=f"{where}.type",
        code="unsupported_tool",
    )


def _check_parameters(tool: FunctionTool, where: str) -> None:
    checks.check_nesting(where, tool.parameters)
    kind = (tool.parameters or {}).get("type", "object")
    if kind != "object":
        raise InvalidRequest(
            f"Invalid schema for function '{tool.name}': schema must be a JSON Schema of "
            f"'type: \"object\"', got 'type: {msgspec.json.encode(kind).decode()[:100]}'.",
            param=where,
            code="invalid_function_parameters",
        )


def _check_free(tool: CustomTool, where: str) -> None:
    checks.check_nesting(f"{where}.format", tool.format)
    kind = (tool.format or {}).get("type", "text")
    if kind != "text":
        raise InvalidRequest(
            f"Unsupported value: '{where}.format.type' must be 'text': this server's models are "
            "not held to grammars of custom tools. Offer a 'function' with a JSON schema.",
            param=f"{where}.format.type",
            code="unsupported_value",
        )


def _offered(tool: FunctionTool | CustomTool) -> Tool:
    parameters = FREE_TEXT if isinstance(tool, CustomTool) else tool.parameters
    strict = tool.strict if isinstance(tool, FunctionTool) else None
    return Tool("function", FunctionDefinition(tool.name, tool.description, parameters, strict))


def _shown(tool: FunctionTool | CustomTool) -> dict[str, Any]:
    shown: dict[str, Any] = msgspec.to_builtins(tool)
    if isinstance(tool, FunctionTool):
        return shown | {"strict": tool.strict is not False}
    return shown | {"format": tool.format or {"type": "text"}}


def _chosen(asked: AskedTools, choice: str | dict[str, Any], names: set[str]) -> AskedTools:
    replace = msgspec.structs.replace
    if isinstance(choice, str):
        checks.one_of("tool_choice", choice, PLAIN_CHOICES)
        if choice == "required" and not names:
            raise _needs_tools()
        return replace(asked, choice=choice if names else None, shown_choice=choice)
    kind = choice.get("type")
    checks.check_nesting("tool_choice", choice)
    if kind == "allowed_tools":
        allowed = converted(choice, AllowedTools, "tool_choice")
        wanted = {str(each.get("name")) for each in allowed.tools}
        for name in wanted - names:
            raise _not_named(name)
        offered = [tool for tool in asked.offered if tool.function.name in wanted]
        return replace(asked, offered=offered, choice=allowed.mode, shown_choice=choice)
    if kind not in ("function", "custom"):
        raise _unsupported(kind, "tool_choice")
    named = converted(choice, NamedChoice, "tool_choice")
    if named.name not in names:
        raise _not_named(named.name)
    forced = NamedToolChoice("function", NamedFunction(named.name))
    return replace(asked, choice=forced, shown_choice=msgspec.to_builtins(named))


def _needs_tools() -> InvalidRequest:
    return InvalidRequest(
        "Tool choice 'required' must be specified with 'tools' parameter.", param="tool_choice"
    )


def _not_named(name: str) -> InvalidRequest:
    return InvalidRequest(
        f"Tool choice '{name[:64]}' not found in 'tools' parameter.", param="tool_choice"
    )
