"""Items of tools that the server carries out itself, as they grow, and the events about them.

Order and names of events: Azure OpenAI's v1 document, as far as it has them, and the official SDK.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from linarite.dataplane.operations.responses.output import OpenItem
from linarite.mcp import McpTool

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from linarite.dataplane.operations.responses.output import Place
    from linarite.vector_stores.search import Hit

    NewId = Callable[[str], str]

FILE_SEARCH = "file_search"


class OfferedTool(msgspec.Struct, frozen=True):
    """A hosted tool under the name by which the model knows it."""

    label: str = ""
    """of the MCP server; "" for file_search"""
    tool: McpTool | None = None
    must_ask: bool = False
    """a person must agree first"""

    def begun(self, place: Place, new_id: NewId) -> HostedCall:
        """A call of it that the model begins."""
        if self.tool is None:
            return SearchCall(place, new_id)
        made = ApprovalRequest if self.must_ask else McpCall
        return made(place, new_id, self.label, self.tool.name)


class HostedCall(OpenItem):
    """A call that the model has begun; once it has said everything, it is carried out."""

    waits_for_person = False
    ignored = False

    def __init__(self, place: Place, item: dict[str, Any]) -> None:
        super().__init__(place, item)
        self.arguments = ""
        self._over = False

    def add(self, arguments: str) -> None:
        """Append a piece of JSON."""
        self.arguments += arguments

    def close(self, status: str) -> None:
        """See OpenItem: the model has said everything of it; it is not over yet."""
        del status

    def break_off(self) -> None:
        """It is not carried out, or not to its end."""
        if not self._over:
            self._finish("incomplete")

    def _finish(self, status: str) -> None:
        self._over = True
        super().close(status)


class SearchCall(HostedCall):
    """A search in vector stores."""

    def __init__(self, place: Place, new_id: NewId) -> None:
        item = {"id": new_id("fs"), "type": "file_search_call", "status": "in_progress"}
        super().__init__(place, item | {"queries": [], "results": None})

    def begin(self) -> None:
        """See OpenItem."""
        super().begin()
        self._tell_of("response.file_search_call.in_progress", {})

    def search(self, queries: Sequence[str]) -> None:
        """It is carried out now."""
        self.item["queries"] = list(queries)
        self.item["status"] = "searching"
        self._tell_of("response.file_search_call.searching", {})

    def found(self, hits: Sequence[Hit], *, shown: bool) -> None:
        """It is over; `shown`: what was found is told."""
        if shown:
            self.item["results"] = [_result(each) for each in hits]
        self._tell_of("response.file_search_call.completed", {})
        self._finish("completed")


class McpCall(HostedCall):
    """A call of a tool of an MCP server."""

    def __init__(
        self, place: Place, new_id: NewId, label: str, name: str, approval: str | None = None
    ) -> None:
        """`approval` is the id of the request that a person has agreed to."""
        item = {
            "id": new_id("mcp"),
            "type": "mcp_call",
            "status": "in_progress",
            "approval_request_id": approval,
            "arguments": "",
            "error": None,
            "name": name,
            "output": None,
            "server_label": label,
        }
        super().__init__(place, item)

    def begin(self) -> None:
        """See OpenItem."""
        super().begin()
        self._tell_of("response.mcp_call.in_progress", {})

    def add(self, arguments: str) -> None:
        """See HostedCall."""
        super().add(arguments)
        self._tell_of("response.mcp_call_arguments.delta", {"delta": arguments})

    def close(self, status: str) -> None:
        """See HostedCall."""
        super().close(status)
        self.item["arguments"] = self.arguments
        self._tell_of("response.mcp_call_arguments.done", {"arguments": self.arguments})

    def answered(self, output: str, error: dict[str, Any] | None) -> None:
        """It is over."""
        status = "completed" if error is None else "failed"
        self.item["error"] = error
        self.item["output"] = output if error is None else None
        self._tell_of(f"response.mcp_call.{status}", {})
        self._finish(status)


class ApprovalRequest(HostedCall):
    """A call that a person must agree to: it is told when it is whole, and ends the response."""

    waits_for_person = True

    def __init__(self, place: Place, new_id: NewId, label: str, name: str) -> None:
        item = {"id": new_id("mcpr"), "type": "mcp_approval_request", "arguments": ""}
        super().__init__(place, item | {"name": name, "server_label": label})

    def begin(self) -> None:
        """See OpenItem: nothing is told yet, but it has its place."""
        self._place.items.append(self.item)

    def close(self, status: str) -> None:
        """See HostedCall."""
        super().close(status)
        self.item["arguments"] = self.arguments
        self._tell("response.output_item.added", {"item": dict(self.item)})
        self._tell("response.output_item.done", {"item": self.item})
        self._over = True


class IgnoredCall(HostedCall):
    """A call beyond `max_tool_calls`: nobody hears of it."""

    ignored = True

    def begin(self) -> None:
        """See OpenItem."""
        self._over = True


class ToolList(OpenItem):
    """The tools of an MCP server, while they are asked for."""

    def __init__(self, place: Place, new_id: NewId, label: str) -> None:
        item = {"id": new_id("mcpl"), "type": "mcp_list_tools", "server_label": label}
        super().__init__(place, item | {"tools": [], "error": None})

    def begin(self) -> None:
        """See OpenItem."""
        super().begin()
        self._tell_of("response.mcp_list_tools.in_progress", {})

    def listed(self, tools: Sequence[McpTool]) -> None:
        """These are there."""
        self.item["tools"] = [msgspec.to_builtins(each) for each in tools]
        self._tell_of("response.mcp_list_tools.completed", {})
        self._tell("response.output_item.done", {"item": self.item})

    def failed(self, why: str) -> None:
        """They could not be had."""
        self.item["error"] = why
        self._tell_of("response.mcp_list_tools.failed", {})
        self._tell("response.output_item.done", {"item": self.item})


def _result(hit: Hit) -> dict[str, Any]:
    return {
        "file_id": hit.file_id,
        "filename": hit.filename,
        "score": hit.score,
        "attributes": dict(hit.attributes),
        "text": hit.text,
    }
