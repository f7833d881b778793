"""Keeping responses and conversations, by a clock that tests set."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from linarite.domain.errors import ServiceUnavailable
from linarite.files import FileKeeper
from linarite.files.options import Files
from linarite.responses import ConversationKeeper, ResponseKeeper
from linarite.responses.keeper import NewResponse
from linarite.responses.options import Responses
from linarite.storage.memory.blobs import MemoryBlobs
from linarite.storage.memory.stored_objects import MemoryStoredObjects

pytestmark = pytest.mark.anyio

MINE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/mine"
DAY_S = 86_400


class Clock:
    """Seconds since the epoch."""

    now = 1000.0

    def __call__(self) -> float:
        """What it shows."""
        return self.now


def new(number: int, before: list[str], owner: str = "ada") -> NewResponse:
    """A response with one item in and one out."""
    digits = f"{number:032x}"
    message: dict[str, Any] = {"type": "message", "content": []}
    return NewResponse(
        account_id=MINE,
        owner=owner,
        response={
            "id": f"resp_{digits}",
            "created_at": 1000,
            "output": [message | {"id": f"msg_{digits}00002", "role": "assistant"}],
        },
        input=[message | {"id": f"msg_{digits}00001", "role": "user"}],
        before=before,
    )


async def test_a_response_is_kept_for_its_days() -> None:
    """Then it is absent at once, to those who go on from it too, and the sweep takes it away."""
    objects, clock = MemoryStoredObjects(), Clock()
    keeper = ResponseKeeper(objects, Responses(retention_days=2), clock)
    made = keeper.made(new(1, []))
    await keeper.keep(made)
    clock.now += 2 * DAY_S - 1
    assert await keeper.find(MINE, made.id, None) == made
    clock.now += 1
    assert await keeper.find(MINE, made.id, None) is None
    later = keeper.made(new(2, [made.id]))
    assert len(await keeper.context_of(later, None)) == 2
    assert await objects.get(MINE, "response", made.id) is not None
    assert await FileKeeper(objects, MemoryBlobs(), Files(), clock).sweep() == 1
    assert await objects.get(MINE, "response", made.id) is None


async def test_a_chain_is_read_as_it_was_said() -> None:
    """The oldest first; what another owner made is not in it."""
    keeper = ResponseKeeper(MemoryStoredObjects(), Responses(), Clock())
    ids: list[str] = []
    for number in range(1, 4):
        made = keeper.made(new(number, list(ids), "bob" if number == 2 else "ada"))
        await keeper.keep(made)
        ids.append(made.id)
    last = await keeper.find(MINE, ids[-1], "ada")
    assert last is not None
    numbers = [int(each["id"][4:36], 16) for each in await keeper.context_of(last, "ada")]
    assert numbers == [1, 1, 3, 3]
    numbers = [int(each["id"][4:36], 16) for each in await keeper.context_of(last, None)]
    assert numbers == [1, 1, 2, 2, 3, 3]


async def test_items_go_with_their_conversation() -> None:
    """However many they are; nothing of it is left behind."""
    objects = MemoryStoredObjects()
    keeper = ConversationKeeper(objects, Clock())
    items = [{"id": f"msg_{number:037x}", "type": "message"} for number in range(2_500)]
    made = await keeper.make(MINE, "ada", {}, items)
    kept = await keeper.make(MINE, "ada", {}, [{"id": "msg_f", "type": "message"}])
    assert len(await keeper.all_items(made, 10_000)) == 2_500
    await keeper.remove(made)
    left = {each.id for each in await objects.of_account(MINE, 10_000)}
    assert left == {kept.id, "f"}


async def test_a_response_outlives_the_conversation_that_went_meanwhile() -> None:
    """It is kept; its items are not, where nobody would find them."""
    objects = MemoryStoredObjects()
    conversations, keeper = ConversationKeeper(objects), ResponseKeeper(objects, Responses())
    conversation = await conversations.make(MINE, "ada", {}, [])
    await conversations.remove(conversation)
    assert await conversations.add(conversation, [{"id": "msg_1"}]) is False
    made = keeper.made(new(1, []))
    await conversations.keep_with(conversation, made, [{"id": "msg_1"}])
    assert [each.id for each in await objects.of_account(MINE, 10)] == [made.id]


async def test_what_is_said_leaves_the_conversation_as_it_was_described_meanwhile() -> None:
    """A response takes long: who described its conversation before it ended is not undone."""
    objects = MemoryStoredObjects()
    keeper, responses = ConversationKeeper(objects), ResponseKeeper(objects, Responses())
    asked = await keeper.make(MINE, "ada", {"name": "old"}, [])
    assert await keeper.describe(asked, {"name": "new"}) is not None
    assert await keeper.add(asked, [{"id": "msg_1"}])
    await keeper.keep_with(asked, responses.made(new(1, [])), [{"id": "msg_2"}])
    found = await keeper.find(MINE, asked.id, "ada")
    assert found is not None
    assert found.body == {"metadata": {"name": "new"}}
    assert len(await keeper.all_items(found, 10)) == 2


class SlowObjects(MemoryStoredObjects):
    """Counts its writes, each of which takes a moment; the next may fail."""

    def __init__(self) -> None:
        super().__init__()
        self.writes = 0
        self.fails = False

    async def write(self, **changes: Any) -> bool:  # noqa: ANN401 - as the port has them
        """See StoredObjects."""
        self.writes += 1
        await asyncio.sleep(0.01)
        if self.fails:
            raise ServiceUnavailable("the disk is full")
        return await super().write(**changes)


async def test_what_comes_at_the_same_time_goes_to_disk_together() -> None:
    """All of it is there when it is told; who leaves meanwhile takes nobody else's with them."""
    objects = SlowObjects()
    keeper = ResponseKeeper(objects, Responses(), Clock())

    async def kept(number: int) -> None:
        made = keeper.made(new(number, []))
        await keeper.keep(made)
        assert await keeper.find(MINE, made.id, None) == made

    first = asyncio.create_task(kept(0))
    await asyncio.sleep(0)
    leaving, *others = [asyncio.create_task(kept(number)) for number in range(1, 40)]
    await asyncio.sleep(0)
    leaving.cancel()
    await asyncio.gather(first, *others)
    assert objects.writes == 2
    objects.fails = True
    failing = [asyncio.create_task(kept(number)) for number in range(40, 44)]
    told = await asyncio.gather(*failing, return_exceptions=True)
    assert {type(each) for each in told} == {ServiceUnavailable}
    objects.fails = False
    await kept(50)
