"""Responses over a WebSocket: each turn is `CreateResponse`, which may go on from an unkept one.

Source: "WebSocket mode" of Azure OpenAI's Responses API, `ResponsesClientEvent` of OpenAI's SDK.
"""

from __future__ import annotations

import time
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import msgspec

from linarite.dataplane.call import Unready
from linarite.dataplane.operations.responses.keeping import Keeping
from linarite.dataplane.operations.responses.operation import CreateResponse
from linarite.dataplane.operations.responses.preparing import Queued
from linarite.dataplane.operations.responses.shape import usage_shown
from linarite.domain.errors import InvalidRequest
from linarite.domain.stored_object import StoredObject
from linarite.domain.usage import Usage
from linarite.responses.keeper import RESPONSE, ResponseKeeper

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from linarite.dataplane.call import Call, OperationKit
    from linarite.dataplane.operations.responses.preparing import Asked, Ready
    from linarite.domain.engine import Slot
    from linarite.domain.facts import Facts
    from linarite.responses.keeper import Item, NewResponse


class SocketMemory(ResponseKeeper):
    """A keeper that knows the latest response of one socket, though it is kept nowhere."""

    most_bytes = 0
    """what is longer is forgotten"""

    def __init__(self, kept: ResponseKeeper) -> None:
        """`kept` knows all others."""
        self._kept = kept
        self._latest: StoredObject | None = None
        self._items: list[Item] = []
        self._read: list[Item] = []

    def begin_turn(self) -> None:
        """Nothing has been read for it yet."""
        self._read = []

    def forget(self) -> None:
        """A turn that failed leaves nothing to go on from."""
        self._latest, self._items = None, []

    def remember(self, ask: Ready) -> None:
        """What may be gone on from next."""
        self.forget()
        response = ask.answer.response
        if ask.new is not None or ask.conversation is not None:
            return  # it is kept, or a part of it is
        items = [*self._read, *ask.said, *response["output"]]
        if len(msgspec.json.encode(items)) > self.most_bytes:
            return
        self._items = items
        self._latest = StoredObject(
            account_id=ask.call.account_id,
            kind=RESPONSE,
            id=response["id"],
            created_at=int(response["created_at"]),
            body={"response": response, "input": ask.said, "before": []},
        )

    async def find(
        self, account_id: str, response_id: str, owner: str | None
    ) -> StoredObject | None:
        """See ResponseKeeper; the latest one first, which is this client's own."""
        latest = self._latest
        if latest is not None and (latest.id, latest.account_id) == (response_id, account_id):
            return latest
        return await self._kept.find(account_id, response_id, owner)

    async def context_of(self, found: StoredObject, owner: str | None) -> list[Item]:
        """See ResponseKeeper."""
        if found is self._latest:
            self._read = self._items
        else:
            self._read = await self._kept.context_of(found, owner)
        return self._read

    def made(self, new: NewResponse) -> StoredObject:
        """See ResponseKeeper."""
        return self._kept.made(new)

    async def keep(self, made: StoredObject) -> None:
        """See ResponseKeeper."""
        await self._kept.keep(made)


class RememberingKeeping(Keeping):
    """Of an answer over a socket: what is not kept is remembered."""

    def __init__(self, kit: OperationKit, memory: SocketMemory) -> None:
        super().__init__(kit.responses, kit.conversations)
        self._memory = memory

    async def end(self, ask: Ready) -> None:
        """See Keeping."""
        await super().end(ask)
        self._memory.remember(ask)


class TurnOfResponses(CreateResponse):
    """`CreateResponse` as the turns of one socket ask for it, one after the other."""

    def __init__(self, kit: OperationKit) -> None:
        """Take who keeps what is stored."""
        self.memory = SocketMemory(kit.responses)
        super().__init__(msgspec.structs.replace(kit, responses=self.memory))

    def keeping(self) -> Keeping:
        """See CreateResponse."""
        return RememberingKeeping(self._kit, self.memory)

    def parse(self, call: Call, body: bytes, facts: Facts) -> Any:  # noqa: ANN401 - as in the port
        """See CreateResponse. Raises InvalidRequest for what is made in the background."""
        asked = super().parse(call, body, facts)
        if asked.in_background:
            raise InvalidRequest(
                "Unsupported parameter: 'background' can't be used over a WebSocket, whose client "
                "waits. Send it by POST.",
                param="background",
                code="unsupported_parameter",
            )
        return asked if self.generate else WarmUp(call, asked)

    async def run(self, ask: Ready | Queued, slot: Slot | None) -> AsyncGenerator[bytes, None]:
        """The events; of a turn that generates nothing, the first and the last."""
        if slot is not None or isinstance(ask, Queued):
            async with aclosing(super().run(ask, slot)) as frames:
                async for frame in frames:
                    yield frame
            return
        answer = ask.answer
        answer.begin()
        answer.response |= {
            "status": "completed",
            "completed_at": int(time.time()),
            "usage": usage_shown(Usage()),
        }
        answer.tell_end()
        await ask.keeping.end(ask)
        yield await ask.keeping.told(answer)


class WarmUp(Unready):
    """A request that no model answers."""

    def __init__(self, call: Call, asked: Asked) -> None:
        self._call = call
        self._asked = asked

    async def made_ready(self) -> Ready | Queued:
        """See Unready."""
        ready = await self._asked.made_ready()
        call = self._call
        call.counted_for, call.deployment = call.deployment, None
        return ready
