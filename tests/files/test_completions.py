"""How much of stored completions an account may have."""

from __future__ import annotations

import pytest

from linarite.domain.stored_completion_errors import CompletionsAreFull
from linarite.domain.stored_object import Page
from linarite.files import completions
from linarite.files.completions import (
    COMPLETION,
    CompletionKeeper,
    Filter,
    NewCompletion,
)
from linarite.files.options import StoredCompletions
from linarite.storage.memory.stored_objects import MemoryStoredObjects

pytestmark = pytest.mark.anyio

ACCOUNT = "/one"


def new(name: str) -> NewCompletion:
    """One of some hundred bytes."""
    return NewCompletion(
        account_id=ACCOUNT,
        owner="",
        id=name,
        deployment="gpt",
        answer={"id": name, "model": "m"},
        messages=[{"role": "user", "content": "x" * 300}],
        asked={},
        metadata={},
    )


async def test_what_is_full_takes_no_more() -> None:
    """Until something goes, whoever removes it."""
    objects = MemoryStoredObjects()
    keeper = CompletionKeeper(objects, StoredCompletions(bytes_max=900))
    kept = []
    for name in ("a", "b"):
        await keeper.require_room(ACCOUNT)
        kept.append(await keeper.keep(new(name)))
    with pytest.raises(CompletionsAreFull):
        await keeper.require_room(ACCOUNT)
    await keeper.remove(kept[0])
    assert not await keeper.remove(kept[0])
    await keeper.require_room(ACCOUNT)
    await keeper.keep(new("c"))
    with pytest.raises(CompletionsAreFull):
        await keeper.require_room(ACCOUNT)
    await objects.remove(ACCOUNT, COMPLETION, "b")  # as upkeep does
    await keeper.require_room(ACCOUNT)


async def test_lists_are_read_in_parts_of_bounded_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """All that match are found, though each part holds one; messages are not held for a list."""
    monkeypatch.setattr(completions, "READ_AT_ONCE_BYTES", 1)
    keeper = CompletionKeeper(MemoryStoredObjects(), StoredCompletions())
    for name in "abcd":
        await keeper.keep(new(name))
    found = await keeper.list(ACCOUNT, Page(limit=3), Filter(model="m"))
    assert [each.id for each in found] == ["d", "c", "b"]
    assert {len(each.body["messages"]) for each in found} == {0}
    assert await keeper.list(ACCOUNT, Page(limit=3), Filter(model="other")) == []
