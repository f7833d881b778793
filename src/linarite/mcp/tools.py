"""What servers say about tools, and what tools say: read with suspicion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import msgspec

from linarite.domain.json_values import is_array, is_deeper, is_object
from linarite.mcp.server import (
    INTERNAL_ERROR,
    PROTOCOL_ERROR,
    TOOL_ERROR,
    CallResult,
    McpProblem,
    McpTool,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

NAME_MAX = 128
DEPTH_MAX = 32
IN_HEADERS = "x-mcp-header"


class ListedTool(msgspec.Struct, frozen=True, rename="camel"):
    """A tool as a server lists it."""

    name: str
    description: str | None = None
    input_schema: dict[str, Any] = {}
    annotations: dict[str, Any] | None = None


def read_tools(listed: Sequence[Any], most: int, *, modern: bool) -> list[McpTool]:
    """The tools in a list. Raises McpProblem.

    Left out are those whose arguments would have to be sent as headers, too, and those whose
    schema is nested too deeply.
    """
    if len(listed) > most:
        raise McpProblem(
            PROTOCOL_ERROR,
            INTERNAL_ERROR,
            f"The server lists more than {most} tools, which is as many as mcp.tools_max allows.",
        )
    found: dict[str, McpTool] = {}
    for each in listed:
        try:
            tool = msgspec.convert(each, ListedTool)
        except msgspec.ValidationError as problem:
            raise McpProblem(
                PROTOCOL_ERROR, INTERNAL_ERROR, f"The server describes a tool badly: {problem}."
            ) from None
        fits = 0 < len(tool.name) <= NAME_MAX and tool.name.isprintable()
        if fits and is_readable(tool.input_schema, modern=modern):
            found.setdefault(tool.name, _tool(tool))
    return list(found.values())


def _tool(listed: ListedTool) -> McpTool:
    return McpTool(listed.name, listed.description, listed.input_schema, listed.annotations)


def is_readable(schema: dict[str, Any], *, modern: bool) -> bool:
    """Whether arguments after that schema can be written and sent."""
    if is_deeper(schema, DEPTH_MAX):
        return False
    return not (modern and any(IN_HEADERS in each for each in _objects_in(schema)))


def _objects_in(value: object) -> Iterator[dict[str, Any]]:
    """The objects in a value whose depth is bounded, itself first."""
    if is_object(value):
        yield value
    children = value.values() if is_object(value) else value if is_array(value) else ()
    for child in children:
        yield from _objects_in(child)


def read_result(result: dict[str, Any]) -> CallResult:
    """What a tool said. Raises McpProblem where it is no answer."""
    if result.get("resultType", "complete") != "complete":
        raise McpProblem(
            PROTOCOL_ERROR,
            INTERNAL_ERROR,
            "The tool wants to ask something of the person first, which is not offered here.",
        )
    content: object = result.get("content")
    parts = cast("list[Any]", content) if isinstance(content, list) else []
    texts = [text for each in parts if (text := text_of(each)) is not None]
    if not parts and "structuredContent" in result:
        texts = [msgspec.json.encode(result["structuredContent"]).decode()]
    if result.get("isError") is True:
        return CallResult("\n".join(texts), {"type": TOOL_ERROR, "content": parts})
    return CallResult("\n".join(texts))


def text_of(part: object) -> str | None:
    """The text of a piece of content; of what is no text, what it is."""
    if not isinstance(part, dict):
        return None
    piece = cast("dict[str, Any]", part)
    kind = piece.get("type")
    if kind == "text":
        return str(piece.get("text", ""))
    if kind == "resource":
        resource: object = piece.get("resource")
        held = cast("dict[str, Any]", resource) if isinstance(resource, dict) else {}
        return str(held["text"]) if "text" in held else f"[resource {held.get('uri', '')}]"
    if kind == "resource_link":
        return f"[resource {piece.get('uri', '')}]"
    return f"[{kind} {piece.get('mimeType', '')}]"
