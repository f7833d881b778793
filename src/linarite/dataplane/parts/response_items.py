"""Items of responses and conversations: read as clients send them, kept as the service shows them.

Source: the item types of Azure OpenAI's v1 document (`OpenAI.InputItem`, `OpenAI.ItemResource`).
An item here is a JSON object as `input_items` shows it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from linarite.dataplane.parts.checks import check_nesting, too_long
from linarite.dataplane.parts.decode import converted
from linarite.dataplane.parts.hosted_items import HOSTED_KINDS, HOSTED_WITHOUT_STATUS
from linarite.domain.errors import InvalidRequest
from linarite.web.ids import new_guid

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Item = dict[str, Any]

ITEMS_MAX = 10_000
"""of a request, with everything that it goes on from"""
TEXT_CHARACTERS_MAX = 10_485_760
CONTENT_MAX = 2048
CALL_ID_MAX = 64

Detail = Literal["low", "high", "auto", "original"]


class InputText(msgspec.Struct, tag_field="type", tag="input_text", frozen=True):
    """Text for the model."""

    text: str


class InputImage(msgspec.Struct, tag_field="type", tag="input_image", frozen=True):
    """An image, by address (https or data) or as a stored file."""

    detail: Detail = "auto"
    file_id: str | None = None
    image_url: str | None = None


class InputFile(
    msgspec.Struct, tag_field="type", tag="input_file", frozen=True, omit_defaults=True
):
    """A document, as bytes in base64 or as a stored file."""

    file_id: str | None = None
    filename: str | None = None
    file_data: str | None = None
    file_url: str | None = None


class OutputText(msgspec.Struct, tag_field="type", tag="output_text", frozen=True):
    """Text that a model wrote."""

    text: str
    annotations: list[dict[str, Any]] = []
    logprobs: list[dict[str, Any]] | None = []


class Refusal(msgspec.Struct, tag_field="type", tag="refusal", frozen=True):
    """A model's refusal."""

    refusal: str


class SummaryText(msgspec.Struct, tag_field="type", tag="summary_text", frozen=True):
    """A summary of what a model thought."""

    text: str


class ReasoningText(msgspec.Struct, tag_field="type", tag="reasoning_text", frozen=True):
    """What a model thought."""

    text: str


Given = InputText | InputImage | InputFile
Said = OutputText | Refusal
ItemStatus = Literal["in_progress", "completed", "incomplete"]


class InputMessage(msgspec.Struct, frozen=True):
    """A message of the application's."""

    role: Literal["user", "system", "developer"]
    content: str | list[Given]
    type: Literal["message"] = "message"


class OutputMessage(msgspec.Struct, frozen=True):
    """A message of the model's; its text may come as input text too."""

    content: str | list[OutputText | Refusal | InputText]
    role: Literal["assistant"] = "assistant"
    type: Literal["message"] = "message"
    status: ItemStatus | None = None


class FunctionCall(msgspec.Struct, frozen=True):
    """A call that a model wanted made."""

    call_id: str
    name: str
    arguments: str
    type: Literal["function_call"] = "function_call"
    status: ItemStatus | None = None


class FunctionCallOutput(msgspec.Struct, frozen=True):
    """What came of a call."""

    call_id: str
    output: str | list[Given]
    type: Literal["function_call_output"] = "function_call_output"


class CustomToolCall(msgspec.Struct, frozen=True):
    """A call of a tool that takes free text."""

    call_id: str
    name: str
    input: str
    type: Literal["custom_tool_call"] = "custom_tool_call"


class CustomToolCallOutput(msgspec.Struct, frozen=True):
    """What came of it."""

    call_id: str
    output: str | list[Given]
    type: Literal["custom_tool_call_output"] = "custom_tool_call_output"


class Reasoning(msgspec.Struct, frozen=True):
    """What a model thought before."""

    summary: list[SummaryText] = []
    content: list[ReasoningText] | None = None
    encrypted_content: str | None = None
    type: Literal["reasoning"] = "reasoning"


class Compaction(msgspec.Struct, frozen=True):
    """What was said before, made short, as `/responses/compact` gave it."""

    encrypted_content: str
    type: Literal["compaction"] = "compaction"


class ItemReference(msgspec.Struct, frozen=True):
    """An item of a stored response's, by its id."""

    id: str
    type: Literal["item_reference"] = "item_reference"


KINDS: dict[str, tuple[type[msgspec.Struct], str]] = {
    "message": (InputMessage, "msg"),
    "function_call": (FunctionCall, "fc"),
    "function_call_output": (FunctionCallOutput, "fco"),
    "custom_tool_call": (CustomToolCall, "ctc"),
    "custom_tool_call_output": (CustomToolCallOutput, "ctco"),
    **HOSTED_KINDS,
    "reasoning": (Reasoning, "rs"),
    "compaction": (Compaction, "cmp"),
    "item_reference": (ItemReference, ""),
}
"""type → what it is read as, and how its ids begin"""
WITHOUT_STATUS = frozenset(("compaction", "item_reference", "reasoning", *HOSTED_WITHOUT_STATUS))
NESTED = ("results", "tools", "error")


def read_items(
    given: str | Sequence[dict[str, Any]], where: str, new_id: Callable[[str], str]
) -> list[Item]:
    """Items as a request has them under `where`, each with an id of its own (`new_id(prefix)`).

    References stay as they are. Raises InvalidRequest.
    """
    if isinstance(given, str):
        given = [{"role": "user", "content": given}]
    if len(given) > ITEMS_MAX:
        raise too_long(where, ITEMS_MAX, len(given))
    items = [_item(each, f"{where}[{at}]", new_id) for at, each in enumerate(given)]
    _rename_approvals(given, items)
    return items


def _item(given: dict[str, Any], where: str, new_id: Callable[[str], str]) -> Item:
    kind = given.get("type") or ("message" if "role" in given else "")
    if not isinstance(kind, str) or kind not in KINDS:
        raise _no_such_kind(kind, where)
    shape, prefix = KINDS[kind]
    if kind == "message" and given.get("role") == "assistant":
        shape = OutputMessage
    read = converted(given | {"type": kind}, shape, where)
    _check_call_id(read, where)
    item: Item = msgspec.to_builtins(read)
    if kind == "item_reference":
        return item
    if kind == "message":
        item["content"] = _content(read, where)
    for name in NESTED:
        if name in item:
            check_nesting(f"{where}.{name}", item[name])
    if isinstance(item.get("output"), list):
        item["output"] = _output(read, where)
    if kind == "reasoning" and item["content"] is None:
        del item["content"]
    if kind not in WITHOUT_STATUS:
        item["status"] = item.get("status") or "completed"
    return {"id": new_id(prefix)} | item


def _rename_approvals(given: Sequence[dict[str, Any]], items: Sequence[Item]) -> None:
    """What refers to a request for approval in the same input refers to its new id."""
    named = {
        str(each.get("id")): item["id"]
        for each, item in zip(given, items, strict=True)
        if item["type"] == "mcp_approval_request"
    }
    if not named:
        return
    for item in items:
        meant = item.get("approval_request_id")
        if meant in named:
            item["approval_request_id"] = named[meant]


def _no_such_kind(kind: object, where: str) -> InvalidRequest:
    if kind == "":
        return InvalidRequest(
            f"Missing required parameter: '{where}.type'.",
            param=f"{where}.type",
            code="missing_required_parameter",
        )
    known = ", ".join(f"'{each}'" for each in KINDS)
    return InvalidRequest(
        f"Invalid value: '{str(kind)[:100]}'. Supported values of this server are: {known}.",
        param=f"{where}.type",
        code="invalid_value",
    )


def _check_call_id(read: msgspec.Struct, where: str) -> None:
    call_id = getattr(read, "call_id", None)
    if isinstance(call_id, str) and len(call_id) > CALL_ID_MAX:
        raise too_long(f"{where}.call_id", CALL_ID_MAX, len(call_id), "string")


def _content(read: object, where: str) -> list[Item]:
    assert isinstance(read, InputMessage | OutputMessage)  # noqa: S101 - the table says so
    content = read.content
    if isinstance(content, str):
        text = InputText(content) if isinstance(read, InputMessage) else OutputText(content)
        parts: Sequence[msgspec.Struct] = [text]
    else:
        parts = [
            OutputText(part.text)
            if isinstance(read, OutputMessage) and isinstance(part, InputText)
            else part
            for part in content
        ]
    return _parts(parts, f"{where}.content")


def _output(read: object, where: str) -> list[Item]:
    assert isinstance(read, FunctionCallOutput | CustomToolCallOutput)  # noqa: S101 - as above
    assert not isinstance(read.output, str)  # noqa: S101 - whoever asks has looked
    return _parts(read.output, f"{where}.output")


def _parts(parts: Sequence[msgspec.Struct], where: str) -> list[Item]:
    if len(parts) > CONTENT_MAX:
        raise too_long(where, CONTENT_MAX, len(parts))
    return [_part(part, f"{where}[{at}]") for at, part in enumerate(parts)]


def _part(part: msgspec.Struct, where: str) -> Item:
    text = getattr(part, "text", "")
    if len(text) > TEXT_CHARACTERS_MAX:
        raise too_long(f"{where}.text", TEXT_CHARACTERS_MAX, len(text), "string")
    if isinstance(part, InputImage) and not (part.image_url or part.file_id):
        raise InvalidRequest(
            f"Missing required parameter: '{where}.image_url', or '{where}.file_id' of a file "
            "that was uploaded.",
            param=where,
            code="missing_required_parameter",
        )
    if isinstance(part, InputFile):
        _check_file(part, where)
    if isinstance(part, OutputText):
        check_nesting(f"{where}.annotations", part.annotations)
        check_nesting(f"{where}.logprobs", part.logprobs)
    return msgspec.to_builtins(part)


def _check_file(part: InputFile, where: str) -> None:
    if part.file_url:
        raise InvalidRequest(
            f"Unsupported parameter: '{where}.file_url' is not fetched by this server. Send "
            "'file_data', or upload the file and send its 'file_id'.",
            param=f"{where}.file_url",
            code="unsupported_parameter",
        )
    if not (part.file_id or part.file_data):
        raise InvalidRequest(
            f"Missing required parameter: '{where}.file_data', or '{where}.file_id' of a file "
            "that was uploaded.",
            param=where,
            code="missing_required_parameter",
        )


class ItemIds:
    """The ids of a response and its items: they share their digits, and sort as they were made."""

    def __init__(self, digits: str = "") -> None:
        """`digits`: those of a response that has its id already."""
        self._digits = digits or new_guid().replace("-", "")
        self._made = 0

    @property
    def response(self) -> str:
        """The response's."""
        return f"resp_{self._digits}"

    def new(self, prefix: str) -> str:
        """The next item's."""
        self._made += 1
        return f"{prefix}_{self._digits}{self._made:05x}"
