"""What hosted tools did, as a model reads it: each call with its answer right behind."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from linarite.dataplane.operations.responses.approvals import REQUEST, refusal_told
from linarite.dataplane.operations.responses.hosted_output import FILE_SEARCH
from linarite.dataplane.parts.hosted_items import HOSTED_KINDS
from linarite.mcp import McpTool

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from linarite.dataplane.parts.response_items import Item

NAME_MAX = 64
UNNAMED = re.compile(r"[^a-zA-Z0-9_-]")
HOSTED = frozenset(HOSTED_KINDS)
FOUND = (
    "Passages of the user's files. Answer the user's question from them, in whole "
    "sentences. After a sentence you can name the passage that it comes from by its number, like "
    "[1]. If they don't answer the question, say so."
)
NOTHING_FOUND = "Nothing was found in the user's files. Say so."
REPEATED = ""
"""of a search that found what had been found: small models that see two go on and on"""
NOT_KEPT = "What was found then is not repeated here. Search again if it is needed."


class Told(NamedTuple):
    """A call, and what came of it."""

    call_id: str
    name: str
    arguments: str
    answer: str


class HostedReader(NamedTuple):
    """How a model reads what hosted tools did."""

    name_of: Callable[[str, str], str]
    """the name by which the model knows a tool, by the label of its server and its own name"""
    refused: Mapping[str, str]
    """as Approvals has them"""
    found: Mapping[str, str]
    """what searches of this response found, by the ids of their items"""

    def told(self, item: Item) -> Told | None:
        """A call with its answer; None of an item that says nothing to a model."""
        kind = item["type"]
        if kind == "file_search_call" and self.found.get(item["id"]) == REPEATED:
            return None
        if kind == "file_search_call":
            queries: list[str] = item["queries"]
            arguments = {"query": queries[0]} if len(queries) == 1 else {"queries": queries}
            name = self.name_of("", FILE_SEARCH)
            return Told(item["id"], name, _json(arguments), self._found(item))
        if kind == "mcp_call":
            name = self.name_of(item["server_label"], item["name"])
            return Told(item["id"], name, item["arguments"] or "{}", answer_of(item))
        if kind == REQUEST and item["id"] in self.refused:
            name = self.name_of(item["server_label"], item["name"])
            answer = _json(refusal_told(self.refused[item["id"]]))
            return Told(item["id"], name, item["arguments"] or "{}", answer)
        return None

    def _found(self, item: Item) -> str:
        if item["id"] in self.found:
            return self.found[item["id"]]
        results: list[dict[str, Any]] | None = item.get("results")
        if results is None:
            return NOT_KEPT
        told = [(at, each["filename"], each["text"]) for at, each in enumerate(results, 1)]
        return passages_told(told)


def passages_told(passages: Sequence[tuple[int, str, str]]) -> str:
    """Passages: of each its number, its file's name, its text."""
    if not passages:
        return NOTHING_FOUND
    parts = [f"[{at}] {text} (from {name})" for at, name, text in passages]
    return "\n\n".join((FOUND, *parts))


def answer_of(item: Item) -> str:
    """What a tool answered."""
    error: object = item.get("error")
    if error is not None:
        return _json({"error": error})
    return item.get("output") or ""


def fitting_name(label: str, name: str) -> str:
    """A tool's name as models take names."""
    fits = f"{label}_{name}" if label else name
    return UNNAMED.sub("_", fits)[:NAME_MAX]


def tools_listed(items: Sequence[Item]) -> dict[str, list[McpTool]]:
    """The tools that MCP servers had as it was said last, by label: they are not asked again."""
    return {
        each["server_label"]: msgspec.convert(each["tools"], list[McpTool])
        for each in items
        if each["type"] == "mcp_list_tools" and each.get("error") is None
    }


def question_in(items: Sequence[Item]) -> str:
    """What the person said last."""
    for item in reversed(items):
        if item["type"] == "message" and item["role"] == "user":
            return " ".join(each["text"] for each in item["content"] if "text" in each)
    return ""


def _json(told: object) -> str:
    return msgspec.json.encode(told).decode()
