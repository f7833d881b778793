"""Items as the messages of a chat: what models take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from linarite.dataplane.operations.responses.hosted_messages import (
    HOSTED,
    HostedReader,
    fitting_name,
)
from linarite.dataplane.parts.prompt_sizes import INSTRUCTIONS
from linarite.domain.chat import (
    AssistantMessage,
    DeveloperMessage,
    FilePart,
    FunctionCall,
    ImagePart,
    ImageUrl,
    RefusalPart,
    SystemMessage,
    TextPart,
    ToolCall,
    ToolMessage,
    UserMessage,
)
from linarite.domain.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.dataplane.parts.response_items import Item
    from linarite.domain.chat import Content, ContentPart, Message

CALLS = frozenset(("function_call", "custom_tool_call"))
SHORT_RESULT = 600
"""characters of a tool's answer that is not cut any further"""
OUTPUTS = frozenset(("function_call_output", "custom_tool_call_output"))
AS_SAID = HostedReader(fitting_name, {}, {})
_MESSAGES = {"user": UserMessage, "system": SystemMessage, "developer": DeveloperMessage}
_DETAILS = {"low": "low", "high": "high", "original": "high"}


def messages_of(
    items: Sequence[Item], instructions: str | None, hosted: HostedReader = AS_SAID
) -> list[Message]:
    """The conversation that items make, instructions first. Raises InvalidRequest.

    Chat templates want the results of calls right behind the calls, wherever the items have them.
    """
    outputs = {each["call_id"]: each for each in items if each["type"] in OUTPUTS}
    writer = _Writer(outputs, hosted)
    if instructions:
        writer.messages.append(SystemMessage(instructions))
    for item in items:
        writer.take(item)
    writer.close()
    for call_id in outputs.keys() - writer.called:
        raise InvalidRequest(
            f"No tool call found for function call output with call_id {call_id}.", param="input"
        )
    return writer.messages


class _Writer:
    """Messages as they grow; what the model said in one go is one message."""

    def __init__(self, outputs: dict[str, Item], hosted: HostedReader) -> None:
        self._hosted = hosted
        self.messages: list[Message] = []
        self.called: set[str] = set()
        self._outputs = outputs
        self._thought = ""
        self._said: Content = None
        self._calls: list[ToolCall] = []

    def take(self, item: Item) -> None:
        """Add one item."""
        kind = item["type"]
        if kind in CALLS:
            self._calls.append(call_of(item))
        elif kind == "reasoning":
            if self._said is not None or self._calls:
                self.close()
            self._thought += thought_of(item)
        elif kind == "message" and item["role"] == "assistant":
            if self._said is not None or self._calls:
                self.close()
            self._said = content_of(item["content"])
        elif kind in HOSTED:
            self._take_hosted(item)
        elif kind == "message":
            self.close()
            self.messages.append(_MESSAGES[item["role"]](content_of(item["content"])))

    def _take_hosted(self, item: Item) -> None:
        """A call that the server has carried out, and what came of it."""
        told = self._hosted.told(item)
        if told is None:
            return
        if self._calls:
            self.close()
        call = ToolCall(told.call_id, "function", FunctionCall(told.name, told.arguments))
        said = AssistantMessage(
            self._said, tool_calls=[call], reasoning_content=self._thought or None
        )
        self.messages += [said, ToolMessage(told.answer, told.call_id)]
        self._thought, self._said = "", None

    def close(self) -> None:
        """What the model said is whole; results of its calls follow."""
        if self._said is not None or self._calls:
            self.messages.append(
                AssistantMessage(
                    self._said,
                    tool_calls=self._calls or None,
                    reasoning_content=self._thought or None,
                )
            )
        for call in self._calls:
            output = self._outputs.get(call.id)
            if output is None:
                raise InvalidRequest(
                    f"No tool output found for function call {call.id}.", param="input"
                )
            self.called.add(call.id)
            said = output["output"]
            content = said if isinstance(said, str) else content_of(said)
            self.messages.append(ToolMessage(content, call.id))
        self._thought, self._said, self._calls = "", None, []


def call_of(item: Item) -> ToolCall:
    """A call as chat has it; free text becomes the argument that the function has."""
    arguments = item.get("arguments")
    if item["type"] == "custom_tool_call":
        arguments = msgspec.json.encode({"input": item["input"]}).decode()
    return ToolCall(item["call_id"], "function", FunctionCall(item["name"], arguments or ""))


def thought_of(item: Item) -> str:
    """The text of a reasoning item."""
    return "".join(each["text"] for each in item.get("content") or ())


def content_of(parts: Sequence[Item]) -> Content:
    """Content as chat has it: one text as a string, else parts."""
    if len(parts) == 1 and "text" in parts[0]:
        return str(parts[0]["text"])
    return [part_of(each) for each in parts]


def part_of(part: Item) -> ContentPart:
    """One part. Files that were stored have been put in by now."""
    kind = part["type"]
    if kind == "input_image":
        detail: Any = _DETAILS.get(part["detail"], "auto")
        return ImagePart(ImageUrl(part["image_url"], detail))
    if kind == "input_file":
        return FilePart({name: part[name] for name in ("filename", "file_data") if name in part})
    if kind == "refusal":
        return RefusalPart(part["refusal"])
    return TextPart(part["text"])


def without_oldest(messages: Sequence[Message]) -> list[Message] | None:
    """The older half of what was said left out; None where there is nothing to leave out.

    Instructions stay, and the newest question with all that follows; calls go with their results.
    """
    said = [each for each in messages if not isinstance(each, INSTRUCTIONS)]
    newest = max((at for at, each in enumerate(said) if isinstance(each, UserMessage)), default=0)
    if newest == 0:
        return None
    begin = (newest + 1) // 2
    while begin < newest and not isinstance(said[begin], UserMessage):
        begin += 1
    dropped = {id(each) for each in said[:begin]}
    return [each for each in messages if id(each) not in dropped]


def with_shorter_results(messages: Sequence[Message]) -> list[Message] | None:
    """The longest answer of a tool cut in half; None where all are short already."""
    answers = [
        (len(each.content), at)
        for at, each in enumerate(messages)
        if isinstance(each, ToolMessage) and isinstance(each.content, str)
    ]
    length, at = max(answers, default=(0, 0))
    if length < SHORT_RESULT:
        return None
    longest = messages[at]
    assert isinstance(longest.content, str)  # noqa: S101 - only those were looked at
    cut = f"{longest.content[: length // 2].rstrip()}\n[…]"
    shorter = list(messages)
    shorter[at] = msgspec.structs.replace(longest, content=cut)
    return shorter
