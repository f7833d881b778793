"""Responses: a conversation made short, so that a model can go on with it.

What the person said stays, word for word; the rest becomes notes that the model writes, in an item
that only this account's endpoint can read. Source: `CompactedResponse` of OpenAI's SDK, and its
guide "Compaction".
"""

from __future__ import annotations

import time
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from linarite.dataplane.call import Unready
from linarite.dataplane.operations.responses.answer import answer_to
from linarite.dataplane.operations.responses.ask import ResponseAsk
from linarite.dataplane.operations.responses.compaction import Compacted, opened, sealed
from linarite.dataplane.operations.responses.keeping import Keeping
from linarite.dataplane.operations.responses.operation import CreateResponse
from linarite.dataplane.operations.responses.preparing import Asked, Request
from linarite.dataplane.operations.responses.shape import usage_shown
from linarite.dataplane.operations.responses.tools import NO_TOOLS
from linarite.dataplane.parts.checks import find_deployment, one_of
from linarite.dataplane.parts.decode import decode, unknown_parameter
from linarite.dataplane.parts.documents import DocumentReply
from linarite.dataplane.parts.prompt_sizes import prompt_tokens
from linarite.dataplane.parts.response_items import ItemIds, read_items
from linarite.domain.chat import ChatAsk, SystemMessage, TextPart, UserMessage
from linarite.domain.errors import (
    ContextLengthExceeded,
    EngineFailed,
    InvalidRequest,
    OperationNotSupported,
)
from linarite.domain.quota import Price
from linarite.domain.service_tier import ASKABLE
from linarite.domain.usage import usage_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable, Sequence

    from linarite.dataplane.call import Call, OperationKit
    from linarite.dataplane.parts.response_items import Item
    from linarite.domain.chat import Message
    from linarite.domain.engine import Slot
    from linarite.domain.facts import Facts
    from linarite.domain.secret_box import SecretBox
    from linarite.domain.usage import Usage

NOTES_TOKENS_MAX = 1024
TASK = (
    "You are given a conversation between a user and an assistant. Write notes with which the "
    "assistant can go on with it without having seen it: what the user wants, every fact, name, "
    "number and decision that still matters, what was done and what tools found, and what is left "
    "to do. Write the notes and nothing else."
)
LEAVES_ROOM = 16
"""tokens that notes need to be worth anything"""


class CompactAsk(msgspec.Struct, frozen=True):
    """One request. Absent and null mean the same."""

    model: str | None = None
    input: str | list[dict[str, Any]] | None = None
    instructions: str | None = None
    previous_response_id: str | None = None
    prompt_cache_key: str | None = None
    prompt_cache_retention: str | None = None
    service_tier: str | None = None


class StrictCompactAsk(CompactAsk, frozen=True, forbid_unknown_fields=True):
    """The same, refusing arguments that the service does not know."""


class CompactWork(NamedTuple):
    """What is to be made short."""

    items: list[Item]
    chat: ChatAsk
    """that asks a model for notes"""
    box: SecretBox
    ids: ItemIds
    reply: CompactReply


class CompactReply(DocumentReply):
    """The compacted conversation, and what its notes have cost."""

    prompt_tokens = 0

    def price(self) -> Price:
        """See Reply."""
        return Price(self.prompt_tokens, NOTES_TOKENS_MAX, 1)


class CompactResponse:
    """OpenAI's `compactConversation`."""

    name = "Responses_Compact"
    action = CreateResponse.action
    reads_body = True

    def __init__(self, kit: OperationKit) -> None:
        """Take who keeps what conversations go on from."""
        self._kit = kit
        shape = CompactAsk if kit.accept_unknown_arguments else StrictCompactAsk
        self._decoder: msgspec.json.Decoder[CompactAsk] = msgspec.json.Decoder(shape)

    def parse(self, call: Call, body: bytes, facts: Facts) -> ToCompact:
        """What is asked. Raises InvalidRequest, DeploymentNotFound."""
        said = decode(self._decoder, body, unknown_parameter)
        if said.service_tier is not None:
            one_of("service_tier", said.service_tier, ASKABLE)
            call.service_tier_asked = said.service_tier
        if said.input is None and not said.previous_response_id:
            raise InvalidRequest(
                "One of 'input' or 'previous_response_id' must be provided.",
                param="input",
                code="missing_required_parameter",
            )
        find_deployment(call, said.model, facts, "responses")
        ids = ItemIds()
        items = read_items(said.input if said.input is not None else [], "input", ids.new)
        fields = msgspec.structs.asdict(said)
        request = Request(ResponseAsk(**fields, store=False), NO_TOOLS, items, ids)
        call.reply = reply = CompactReply()
        keeping = Keeping(self._kit.responses, self._kit.conversations)
        answer = answer_to(request, {}, told=False)
        return ToCompact(Asked(call, self._kit, request, answer, keeping), reply, ids)

    async def run(self, ask: CompactWork, slot: Slot) -> AsyncGenerator[dict[str, Any], None]:
        """The compacted conversation. Raises OperationNotSupported, EngineFailed."""
        if not slot.capabilities.chat_completion:
            raise OperationNotSupported("responses", slot.model)
        written = Notes(ask.reply.prompt_tokens)
        try:
            await written.write(ask.chat, slot)
        except ContextLengthExceeded as problem:
            room = slot.capabilities.context_tokens - problem.prompt_tokens
            if not problem.prompt_tokens or room < LEAVES_ROOM:
                problem.param = "input"
                raise
            written = Notes(ask.reply.prompt_tokens)
            shorter = msgspec.structs.replace(ask.chat, max_completion_tokens=room)
            await written.write(shorter, slot)
        finally:
            ask.reply.usage, ask.reply.guessed = written.usage, written.guessed
        notes = "".join(written.pieces).strip()
        usage = written.usage
        if not notes or usage is None:
            raise EngineFailed("The model wrote no notes of this conversation. Please try again.")
        compacted = Compacted(notes, kept_instructions(ask.items, ask.box))
        yield {
            "id": ask.ids.response,
            "object": "response.compaction",
            "created_at": int(time.time()),
            "output": [
                *(each for each in ask.items if role_of(each) == "user"),
                {
                    "id": ask.ids.new("cmp"),
                    "type": "compaction",
                    "encrypted_content": sealed(ask.box, compacted),
                },
            ],
            "usage": usage_shown(usage),
        }


class ToCompact(Unready):
    """A request that was understood; what it goes on from is still to be read."""

    def __init__(self, asked: Asked, reply: CompactReply, ids: ItemIds) -> None:
        self._asked = asked
        self._reply = reply
        self._ids = ids

    async def made_ready(self) -> CompactWork:
        """See Unready."""
        ready: Any = await self._asked.made_ready()  # never queued: nothing of it is kept
        messages: list[Message] = [
            SystemMessage(TASK),
            UserMessage(transcript(ready.chat.messages)),
        ]
        chat = msgspec.structs.replace(
            ready.chat, messages=messages, max_completion_tokens=NOTES_TOKENS_MAX
        )
        self._reply.prompt_tokens = prompt_tokens(chat)
        box = await self._asked.box()
        if box is None:
            raise InvalidRequest(
                "This account has no key that a conversation could be sealed with."
            )
        return CompactWork(self._asked.items, chat, box, self._ids, self._reply)


class Notes:
    """What a model writes of a conversation, and its counts as far as they have come."""

    def __init__(self, prompt_tokens: int) -> None:
        """`prompt_tokens` is what is estimated where no engine counts."""
        self.pieces: list[str] = []
        self._counted: Usage | None = None
        self._prompt_tokens = prompt_tokens

    @property
    def usage(self) -> Usage | None:
        """The engine's counts; where it gave none, what was estimated and heard."""
        if self._counted is not None or not self.pieces:
            return self._counted
        return usage_of(self._prompt_tokens, len(self.pieces))

    @property
    def guessed(self) -> bool:
        """Whether nobody has counted."""
        return self._counted is None

    async def write(self, chat: ChatAsk, slot: Slot) -> None:
        """Have them written."""
        async with aclosing(slot.engine.chat(chat)) as events:
            async for event in events:
                if event.usage is not None:
                    self._counted = event.usage
                for choice in event.choices:
                    if choice.delta.content:
                        self.pieces.append(choice.delta.content)


def role_of(item: Item) -> str:
    """Whose message an item is; "" for what is none."""
    return item["role"] if item["type"] == "message" else ""


def kept_instructions(items: Iterable[Item], box: SecretBox) -> list[Item]:
    """Messages of the system's and the developer's, those of earlier compactions first."""
    kept: list[Item] = []
    for item in items:
        if item["type"] == "compaction":
            kept += opened(box, item["encrypted_content"]).instructions
        elif role_of(item) in {"system", "developer"}:
            kept.append(item)
    return kept


def transcript(messages: Sequence[Message]) -> str:
    """A conversation as one text: whatever its turns, every chat template takes that."""
    return "\n\n".join(line for each in messages for line in _lines(each))


def _lines(message: Message) -> list[str]:
    content = message.content
    texts = [content] if isinstance(content, str) else []
    if content is not None and not isinstance(content, str):
        texts = [
            each.text if isinstance(each, TextPart) else f"[{tag_of(each)}]" for each in content
        ]
    said = [f"{tag_of(message)}: {text}" for text in texts if text]
    calls = getattr(message, "tool_calls", None) or ()
    return said + [f"call of {each.function.name}: {each.function.arguments}" for each in calls]


def tag_of(struct: msgspec.Struct) -> str:
    """The word by which it is told apart in JSON: a message's role, a part's type."""
    return str(struct.__struct_config__.tag)
