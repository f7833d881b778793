"""The operation as it makes a response in the background: what it tells is written."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from linarite.dataplane.operations.responses.answer import answer_to
from linarite.dataplane.operations.responses.keeping import Keeping, said_in
from linarite.dataplane.operations.responses.operation import CreateResponse
from linarite.dataplane.operations.responses.preparing import Asked
from linarite.dataplane.operations.responses.reply import ResponseReply
from linarite.dataplane.parts.response_items import ItemIds
from linarite.responses.background import TOLD_AT_QUEUEING

if TYPE_CHECKING:
    from linarite.dataplane.call import Call, OperationKit
    from linarite.dataplane.operations.responses.answer import Answer
    from linarite.dataplane.operations.responses.preparing import Ready
    from linarite.domain.facts import Facts
    from linarite.domain.stored_object import StoredObject

WRITE_EVERY_S = 0.1
"""how often events go to disk, and so to those who follow"""


class MakeResponse(CreateResponse):
    """`CreateResponse` of one that was queued: it goes on with what was told then."""

    made: StoredObject
    """as it was queued; set before it is asked for"""
    _writing: WrittenKeeping | None = None

    @property
    def ended(self) -> bool:
        """Whether it has been kept as it ended."""
        return self._writing is not None and self._writing.ended

    def parse(self, call: Call, body: bytes, facts: Facts) -> Asked:
        """See CreateResponse."""
        made = self.made
        ids = ItemIds(made.id.partition("_")[2])
        request = self.request(call, body, facts, ids)
        streamed: bool = made.body["streamed"]
        answer = answer_to(request, dict(made.body["response"]), told=streamed)
        if streamed:
            answer.go_on(TOLD_AT_QUEUEING)
        self._writing = WrittenKeeping(self._kit, made)
        call.reply = ResponseReply(answer, request.ask.max_output_tokens, streamed=False)
        return Asked(call, self._kit, request, answer, self._writing)


class WrittenKeeping(Keeping):
    """Of an answer for which nobody waits: events are written as they come."""

    def __init__(self, kit: OperationKit, made: StoredObject) -> None:
        super().__init__(kit.responses, kit.conversations)
        self.ended = False
        self._background = kit.background
        self._made = made
        self._frames: list[bytes] = []
        self._written_at = time.monotonic()

    async def told(self, answer: Answer) -> bytes:
        """See Keeping: they are written, once there are some for a while."""
        if self.ended:
            return b""
        self._frames += answer.taken()
        now = time.monotonic()
        if self._frames and now - self._written_at >= WRITE_EVERY_S:
            await self._background.note(self._made, self._frames)
            self._frames, self._written_at = [], now
        return b""

    async def note_calls(self, answer: Answer, *, under_way: bool) -> None:
        """See Keeping: whoever finds it unfinished does not do again what may have been done."""
        items = answer.output.items
        await self._background.note_calls(self._made, items, under_way=under_way)

    async def end(self, ask: Ready) -> None:
        """See Keeping: all at once, and without the conversation where that has gone."""
        answer = ask.answer
        if answer.response["status"] == "failed":
            answer.tell_end()
        self.ended = True
        frames = [*self._frames, *answer.taken()]
        said = said_in(ask)
        background, where = self._background, ask.conversation
        if where is not None and said is not None:
            items = self._conversations.items_made(where, said)
            done = await background.end(self._made, answer.response, frames, items, [where])
            if done:
                return
        await background.end(self._made, answer.response, frames)
