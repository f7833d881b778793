"""The output of a response as it grows: a chat's events become items, and events about them.

Order and names of events: Azure OpenAI's v1 document (`OpenAI.ResponseStreamEvent`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from linarite.domain.errors import EngineFailed
from linarite.web.ids import new_object_id

if TYPE_CHECKING:
    from linarite.dataplane.operations.responses.citations import Citing
    from linarite.dataplane.operations.responses.hosted_output import HostedCall
    from linarite.dataplane.parts.response_items import Item
    from linarite.domain.chat import ChatChoice, TokenLogprob, ToolCallDelta

Tell = Callable[[str, dict[str, Any]], None]
"""takes an event: its type and its fields"""


class Hosted(Protocol):
    """What knows the tools that the server carries out itself."""

    def knows(self, name: str) -> bool:
        """Whether the model was offered one of them under that name."""
        ...

    def begun(self, name: str, place: Place, new_id: Callable[[str], str]) -> HostedCall:
        """A call of it."""
        ...

    def citing(self) -> Callable[[], Citing] | None:
        """What begins a text that may cite what was found; None where nothing was."""
        ...


class Output:
    """Items in the order in which the model began them; at most one is open."""

    def __init__(
        self,
        new_id: Callable[[str], str],
        tell: Tell,
        custom: frozenset[str],
        *,
        logprobs: bool,
    ) -> None:
        """`new_id` takes what an id begins with; `custom` names tools that take free text."""
        self.items: list[Item] = []
        self.seal: Callable[[str], str] | None = None
        """what seals what is thought; None where that is not wanted"""
        self.hosted: Hosted | None = None
        """what knows the tools that the server carries out itself"""
        self.calls_client = False
        """a call in this turn is one that the application, or a person, must see first"""
        self._new_id = new_id
        self._tell = tell
        self._custom = custom
        self._logprobs = logprobs
        self._open: OpenText | OpenCall | HostedCall | None = None
        self._call_at = -1
        """index of the newest call, as the model counts them"""
        self._calls: list[HostedCall] = []
        """hosted ones of this turn"""

    def take(self, choice: ChatChoice) -> None:
        """Add what is new."""
        delta = choice.delta
        if delta.reasoning_content:
            self._text_of("reasoning_text").add(delta.reasoning_content, [])
        logprobs = choice.logprobs.content if choice.logprobs is not None else None
        if delta.content:
            shown = logprobs_shown(logprobs) if self._logprobs and logprobs else []
            self._text_of("output_text").add(delta.content, shown)
        if delta.refusal:
            self._text_of("refusal").add(delta.refusal, [])
        for call in delta.tool_calls or ():
            self._take_call(call)

    def close(self, status: str) -> None:
        """Nothing comes any more. A model that said nothing has said an empty text."""
        if not self.items:
            self._text_of("output_text")
        self._close_open(status)
        for call in self._calls:
            call.break_off()

    def end_turn(self) -> list[HostedCall]:
        """The model has said what it says before it knows what its calls give; those of ours."""
        self._close_open("completed")
        self._call_at = -1
        calls, self._calls = self._calls, []
        self.calls_client = self.calls_client or any(each.waits_for_person for each in calls)
        return [each for each in calls if not each.waits_for_person]

    def place(self) -> Place:
        """That of the next item."""
        return Place(self._tell, self.items, len(self.items))

    def _close_open(self, status: str) -> None:
        if self._open is not None:
            self._open.close(status)
            self._open = None

    def _text_of(self, kind: str) -> OpenText:
        opened = self._open
        if isinstance(opened, OpenText):
            if opened.kind == kind:
                return opened
            if "reasoning_text" not in (kind, opened.kind):  # both are parts of a message
                opened.turn_to(kind)
                return opened
        citing = self.hosted.citing() if self.hosted is not None else None
        begun = OpenText(self.place(), self._new_id, kind, self.seal, citing)
        self._begin(begun)
        return begun

    def _take_call(self, call: ToolCallDelta) -> None:
        if call.index > self._call_at:
            self._call_at = call.index
            name = (call.function.name if call.function is not None else None) or ""
            self._begin(self._begun_call(name, call.id))
        elif call.index < self._call_at or self._open is None or isinstance(self._open, OpenText):
            raise EngineFailed("The engine went back to a tool call that it had ended.")
        if call.function is not None and call.function.arguments:
            assert not isinstance(self._open, OpenText)  # noqa: S101 - just begun, or looked at
            assert self._open is not None  # noqa: S101 - as above
            self._open.add(call.function.arguments)

    def _begun_call(self, name: str, call_id: str | None) -> OpenCall | HostedCall:
        if self.hosted is not None and self.hosted.knows(name):
            begun = self.hosted.begun(name, self.place(), self._new_id)
            if not begun.ignored:
                self._calls.append(begun)
            return begun
        self.calls_client = True
        custom = name in self._custom
        made = call_id or new_object_id("call_")
        return OpenCall(self.place(), self._new_id, made, name, custom=custom)

    def _begin(self, item: OpenText | OpenCall | HostedCall) -> None:
        self._close_open("completed")
        self._open = item
        item.begin()


class Place(msgspec.Struct, frozen=True):
    """Where an item stands, and who is told of it."""

    tell: Tell
    items: list[Any]
    at: int


class OpenItem:
    """An item that still grows."""

    def __init__(self, place: Place, item: Item) -> None:
        self.item = item
        self._place = place

    def begin(self) -> None:
        """Tell that it is there."""
        self._place.items.append(self.item)
        self._tell("response.output_item.added", {"item": dict(self.item)})

    def close(self, status: str) -> None:
        """It is whole, or has been broken off."""
        self.item["status"] = status
        self._tell("response.output_item.done", {"item": self.item})

    def _tell(self, kind: str, fields: dict[str, Any]) -> None:
        self._place.tell(kind, {"output_index": self._place.at} | fields)

    def _tell_of(self, kind: str, fields: dict[str, Any]) -> None:
        self._tell(kind, {"item_id": self.item["id"]} | fields)


class OpenText(OpenItem):
    """A message, or what was thought: parts of text, of which the last one grows."""

    def __init__(
        self,
        place: Place,
        new_id: Callable[[str], str],
        kind: str,
        seal: Callable[[str], str] | None,
        citing: Callable[[], Citing] | None = None,
    ) -> None:
        """`citing` begins a text that may cite what was found."""
        if kind == "reasoning_text":
            item: Item = {"id": new_id("rs"), "type": "reasoning", "summary": [], "content": []}
        else:
            item = {"id": new_id("msg"), "type": "message", "role": "assistant", "content": []}
        super().__init__(place, item | {"status": "in_progress"})
        self.kind = kind
        self._seal = seal
        self._pieces: list[str] = []
        self._logprobs: list[Any] = []
        self._cites = citing
        self._citing: Citing | None = None
        self._annotations: list[dict[str, Any]] = []

    def begin(self) -> None:
        """See OpenItem: its content begins with it."""
        super().begin()
        self.item["content"] = []  # what was told keeps its own
        self._begin_part()

    def turn_to(self, kind: str) -> None:
        """Go on with text of another kind."""
        self._end_part()
        self.kind = kind
        self._begin_part()

    def add(self, text: str, logprobs: list[Any]) -> None:
        """Append a piece."""
        if self._citing is not None:
            self._cited(*self._citing.add(text), logprobs)
        else:
            self._append(text, logprobs)

    def _append(self, text: str, logprobs: list[Any]) -> None:
        self._pieces.append(text)
        fields: dict[str, Any] = {"delta": text}
        if self.kind == "output_text":
            self._logprobs += logprobs
            fields["logprobs"] = logprobs
        self._tell_part(f"response.{self.kind}.delta", fields)

    def close(self, status: str) -> None:
        """See OpenItem."""
        self._end_part()
        if self.kind == "reasoning_text" and self._seal is not None:
            self.item["encrypted_content"] = self._seal("".join(self._pieces))
        super().close(status)

    def _begin_part(self) -> None:
        self._pieces, self._logprobs, self._annotations = [], [], []
        wanted = self._cites is not None and self.kind == "output_text"
        self._citing = self._cites() if wanted and self._cites is not None else None
        self.item["content"].append(self._part())
        self._tell_part("response.content_part.added", {"part": self._part()})

    def _cited(self, text: str, found: list[dict[str, Any]], logprobs: list[Any]) -> None:
        """Tell a piece of text, and what it cites."""
        if text:
            self._append(text, logprobs)
        for each in found:
            told = {"annotation": each, "annotation_index": len(self._annotations)}
            self._annotations.append(each)
            self._tell_part("response.output_text.annotation.added", told)

    def _end_part(self) -> None:
        if self._citing is not None:
            self._cited(*self._citing.end(), [])
        part = self.item["content"][-1] = self._part()
        words = {self.kind if self.kind == "refusal" else "text": "".join(self._pieces)}
        if self.kind == "output_text":
            words["logprobs"] = part["logprobs"]
        self._tell_part(f"response.{self.kind}.done", words)
        self._tell_part("response.content_part.done", {"part": part})

    def _part(self) -> dict[str, Any]:
        said = "".join(self._pieces)
        if self.kind == "output_text":
            known = {"annotations": list(self._annotations), "logprobs": list(self._logprobs)}
            return {"type": self.kind, "text": said} | known
        return {"type": self.kind, "refusal" if self.kind == "refusal" else "text": said}

    def _tell_part(self, kind: str, fields: dict[str, Any]) -> None:
        self._tell_of(kind, {"content_index": len(self.item["content"]) - 1} | fields)


class OpenCall(OpenItem):
    """A call of a tool; one with free text is told when it is whole, as models write it in JSON."""

    def __init__(
        self,
        place: Place,
        new_id: Callable[[str], str],
        call_id: str,
        name: str,
        *,
        custom: bool,
    ) -> None:
        kind, words = ("custom_tool_call", "input") if custom else ("function_call", "arguments")
        item: Item = {
            "id": new_id("ctc" if custom else "fc"),
            "type": kind,
            "status": "in_progress",
            "call_id": call_id,
            "name": name,
            words: "",
        }
        super().__init__(place, item)
        self._words = words
        self._pieces: list[str] = []

    def add(self, arguments: str) -> None:
        """Append a piece of JSON."""
        self._pieces.append(arguments)
        if self._words == "arguments":
            self._tell_of("response.function_call_arguments.delta", {"delta": arguments})

    def close(self, status: str) -> None:
        """See OpenItem."""
        whole = "".join(self._pieces)
        if self._words == "arguments":
            self.item["arguments"] = whole
            told = {"arguments": whole, "name": self.item["name"]}
            self._tell_of("response.function_call_arguments.done", told)
        else:
            whole = self.item["input"] = free_text(whole)
            self._tell_of("response.custom_tool_call_input.delta", {"delta": whole})
            self._tell_of("response.custom_tool_call_input.done", {"input": whole})
        super().close(status)


class FreeText(msgspec.Struct, frozen=True):
    """How models write a text as a function's arguments."""

    input: str


def free_text(arguments: str) -> str:
    """The text in a call of a tool that takes free text; what a model wrote, if it is no such."""
    try:
        return msgspec.json.decode(arguments, type=FreeText).input
    except msgspec.DecodeError:
        return arguments


def logprobs_shown(logprobs: list[TokenLogprob]) -> list[dict[str, Any]]:
    """Probabilities in the words of this operation, where `bytes` is never left out."""
    return [
        _token(each) | {"top_logprobs": [_token(other) for other in each.top_logprobs]}
        for each in logprobs
    ]


def _token(told: Any) -> dict[str, Any]:  # noqa: ANN401 - a token, or one that could have come
    known = told.bytes if told.bytes is not None else list(told.token.encode())
    return {"token": told.token, "bytes": known, "logprob": told.logprob}
