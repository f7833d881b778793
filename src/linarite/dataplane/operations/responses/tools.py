"""The tools of a request: what the model is offered, and how its calls are told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from linarite.dataplane.operations.responses.hosted_tools import (
    HostedTools,
    read_file_search,
    read_mcp,
    shown_file_search,
)
from linarite.dataplane.parts import checks
from linarite.dataplane.parts.decode import converted
from linarite.dataplane.parts.strict_schemas import require_strict
from linarite.domain.chat import FunctionDefinition, NamedFunction, NamedToolChoice, Tool
from linarite.domain.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.dataplane.operations.responses.hosted_tools import FileSearch, McpTools

TOOLS_MAX = 128
SERVERS_MAX = 20
"""MCP servers that are asked for their tools at once"""
NOT_SERVED = (
    "apply_patch",
    "code_interpreter",
    "computer",
    "computer_use",
    "computer_use_preview",
    "image_generation",
    "local_shell",
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


class FileSearchChoice(msgspec.Struct, frozen=True):
    """`tool_choice` that forces a search."""

    type: Literal["file_search"]


class McpChoice(msgspec.Struct, frozen=True):
    """`tool_choice` that forces a tool of an MCP server, or any of them."""

    server_label: str
    type: Literal["mcp"] = "mcp"
    name: str | None = None


class AllowedTools(msgspec.Struct, frozen=True):
    """`tool_choice` that offers some of the tools."""

    mode: Literal["auto", "required"]
    tools: list[dict[str, Any]]
    type: Literal["allowed_tools"] = "allowed_tools"


class HostedChoice(msgspec.Struct, frozen=True):
    """Which hosted tools the model is offered."""

    file_search: bool = False
    mcp: frozenset[tuple[str, str | None]] = frozenset()
    """labels of servers, each with the name of a tool, or None for all of them"""
    forced: bool = False
    """one of them must be called: `choice` is not known before they are"""

    def takes(self, label: str, name: str) -> bool:
        """Whether a tool of an MCP server is among them."""
        return (label, None) in self.mcp or (label, name) in self.mcp


NO_HOSTED = HostedTools()


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
    hosted: HostedTools = NO_HOSTED
    """those that this server carries out itself; offered once it is known what they are"""
    hosted_choice: HostedChoice | None = None
    """which of these, where `tool_choice` says so"""


NO_TOOLS = AskedTools()


def read_tools(given: Sequence[dict[str, Any]], choice: str | dict[str, Any] | None) -> AskedTools:
    """The tools and the choice among them. Raises InvalidRequest."""
    if not given and choice is None:
        return NO_TOOLS
    if len(given) > TOOLS_MAX:
        raise checks.too_long("tools", TOOLS_MAX, len(given))
    hosted, given_here, shown = _split(given)
    if len(hosted.mcp) > SERVERS_MAX:
        raise InvalidRequest(
            f"Invalid 'tools': {len(hosted.mcp)} MCP servers. At most {SERVERS_MAX} are asked for "
            "one response.",
            param="tools",
            code="array_above_max_length",
        )
    tools = [_tool(each, where) for where, each in given_here]
    names: set[str] = set()
    for (where, _), tool in zip(given_here, tools, strict=True):
        if tool.name in names:
            raise _twice(f"{where}.name", tool.name)
        names.add(tool.name)
    asked = AskedTools(
        offered=[_offered(tool) for tool in tools],
        custom=frozenset(tool.name for tool in tools if isinstance(tool, CustomTool)),
        shown=[each if each is not None else _shown(tools.pop(0)) for each in shown],
        hosted=hosted,
    )
    return asked if choice is None else _chosen(asked, choice, names)


def _split(
    given: Sequence[dict[str, Any]],
) -> tuple[HostedTools, list[tuple[str, dict[str, Any]]], list[dict[str, Any] | None]]:
    """The hosted tools; the others with their places; all as they are shown, None for others."""
    searches: list[FileSearch] = []
    servers: dict[str, McpTools] = {}
    others: list[tuple[str, dict[str, Any]]] = []
    shown: list[dict[str, Any] | None] = []
    for at, each in enumerate(given):
        where = f"tools[{at}]"
        if each.get("type") == "file_search":
            if searches:
                raise _twice(f"{where}.type", "file_search")
            searches.append(read_file_search(each, where))
            shown.append(shown_file_search(searches[0]))
        elif each.get("type") == "mcp":
            server = read_mcp(each, where)
            if server.server_label in servers:
                raise _twice(f"{where}.server_label", server.server_label)
            servers[server.server_label] = server
            shown.append(server.shown)
        else:
            others.append((where, each))
            shown.append(None)
    hosted = HostedTools(searches[0] if searches else None, tuple(servers.values()))
    return hosted, others, shown


def _twice(param: str, name: str) -> InvalidRequest:
    return InvalidRequest(
        f"Invalid '{param}': the tool '{name}' is defined twice.",
        param=param,
        code="invalid_value",
    )


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
    if kind is None:
        return InvalidRequest(
            f"Missing required parameter: '{where}.type'.",
            param=f"{where}.type",
            code="missing_required_parameter",
        )
    if kind not in NOT_SERVED:
        return InvalidRequest(
            f"Invalid value: '{str(kind)[:100]}'. Supported values of this server are: 'function', "
            "'custom', 'file_search' and 'mcp'.",
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
    if tool.strict:  # without a word it is as strict as the schema lets it be
        require_strict(
            tool.parameters or {"type": "object"},
            f"function '{tool.name}'",
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
    there = bool(names or asked.hosted != NO_HOSTED)
    if isinstance(choice, str):
        checks.one_of("tool_choice", choice, PLAIN_CHOICES)
        if choice == "required" and not there:
            raise _needs_tools()
        return replace(asked, choice=choice if there else None, shown_choice=choice)
    kind = choice.get("type")
    checks.check_nesting("tool_choice", choice)
    if kind == "allowed_tools":
        return _allowed(asked, choice, names)
    if kind in ("file_search", "mcp"):
        hosted = _hosted_choice(asked.hosted, [choice])
        return replace(
            asked,
            choice="required",
            shown_choice=choice,
            hosted_choice=replace(hosted, forced=True),
        )
    if kind not in ("function", "custom"):
        raise _unsupported(kind, "tool_choice")
    named = converted(choice, NamedChoice, "tool_choice")
    if named.name not in names:
        raise _not_named(named.name)
    forced = NamedToolChoice("function", NamedFunction(named.name))
    return replace(asked, choice=forced, shown_choice=msgspec.to_builtins(named))


def _allowed(asked: AskedTools, choice: dict[str, Any], names: set[str]) -> AskedTools:
    allowed = converted(choice, AllowedTools, "tool_choice")
    kinds = ("file_search", "mcp")
    hosted = [each for each in allowed.tools if each.get("type") in kinds]
    wanted = {str(each.get("name")) for each in allowed.tools if each.get("type") not in kinds}
    for name in wanted - names:
        raise _not_named(name)
    return msgspec.structs.replace(
        asked,
        offered=[tool for tool in asked.offered if tool.function.name in wanted],
        choice=allowed.mode,
        shown_choice=choice,
        hosted_choice=_hosted_choice(asked.hosted, hosted),
    )


def _hosted_choice(hosted: HostedTools, chosen: Sequence[dict[str, Any]]) -> HostedChoice:
    """Which hosted tools are meant. Raises InvalidRequest for those that are not among them."""
    search, servers = False, set[tuple[str, str | None]]()
    for each in chosen:
        if each.get("type") == "file_search":
            converted(each, FileSearchChoice, "tool_choice")
            if hosted.file_search is None:
                raise _not_named("file_search")
            search = True
            continue
        server = converted(each, McpChoice, "tool_choice")
        if server.server_label not in hosted.labels:
            raise _not_named(server.server_label)
        servers.add((server.server_label, server.name))
    return HostedChoice(search, frozenset(servers))


def _needs_tools() -> InvalidRequest:
    return InvalidRequest(
        "Tool choice 'required' must be specified with 'tools' parameter.", param="tool_choice"
    )


def _not_named(name: str) -> InvalidRequest:
    return InvalidRequest(
        f"Tool choice '{name[:64]}' not found in 'tools' parameter.", param="tool_choice"
    )
