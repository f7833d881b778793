"""What every outbox does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from linarite.domain.outbox import Letter, OutboxQuery

if TYPE_CHECKING:
    from linarite.domain.outbox import Outbox

pytestmark = pytest.mark.anyio

ROOM = 4
"""letters that the outboxes under test keep"""


def at(second: int) -> str:
    """A time as letters write it."""
    return f"2026-01-01T00:00:{second:02}.000000Z"


def letter(name: str, second: int = 0, **fields: Any) -> Letter:  # noqa: ANN401 - fields
    """A letter that waits."""
    told = {"destination": "a", "type": "t", "body": "{}", "made_at": at(second)}
    return Letter(**{"id": name, "due_at": at(second), **told, **fields})


def ended(given: Letter, second: int, state: str = "Delivered") -> Letter:
    """The same, delivered or dead."""
    return msgspec.structs.replace(given, state=state, due_at=at(second))


def ids(letters: list[Letter]) -> list[str]:
    """Their ids."""
    return [each.id for each in letters]


async def test_what_is_due(outbox: Outbox) -> None:
    """The longest due first, and none of the destinations that are left out."""
    await outbox.add([letter("late", 9), letter("b", 2, destination="b"), letter("a", 1)])
    assert await outbox.due(at(3), 9) == [letter("a", 1), letter("b", 2, destination="b")]
    assert ids(await outbox.due(at(3), 1)) == ["a"]
    assert ids(await outbox.due(at(9), 9, ("a",))) == ["b"]
    assert await outbox.next_due_at() == at(1)
    assert await outbox.next_due_at(("a",)) == at(2)
    assert await outbox.next_due_at(("a", "b")) is None


async def test_an_id_is_kept_once(outbox: Outbox) -> None:
    """Also when the first has been delivered meanwhile."""
    assert await outbox.add([letter("a", 1)]) == []
    await outbox.keep(ended(letter("a", 1), 2))
    assert await outbox.add([letter("a", 5)]) == []
    assert await outbox.due(at(9), 9) == []
    assert await outbox.read(OutboxQuery()) == [ended(letter("a", 1), 2)]


async def test_ended_ones_make_room(outbox: Outbox) -> None:
    """The oldest first; what waits is never pushed out."""
    await outbox.add([letter(str(each), each, destination=str(each)) for each in range(ROOM)])
    assert await outbox.add([letter("one more", 8)]) == ["one more"]
    await outbox.keep(ended(letter("0"), 7))
    await outbox.keep(ended(letter("1", 1), 6, "Dead"))
    assert await outbox.add([letter("x", 8), letter("y", 9)]) == []
    assert await outbox.add([letter("z", 9)]) == ["z"]
    assert ids(await outbox.read(OutboxQuery())) == ["y", "x", "3", "2"]


async def test_a_dead_destination_leaves_room_to_others(outbox: Outbox) -> None:
    """So many wait for each; one that was delivered makes room for the next."""
    await outbox.add([letter(str(second), second) for second in range(ROOM - 1)])
    assert await outbox.add([letter("a", 8), letter("b", 9, destination="b")]) == ["a"]
    await outbox.keep(ended(letter("0"), 7))
    assert await outbox.add([letter("a", 8)]) == []


async def test_an_account_leaves_room_to_others(outbox: Outbox) -> None:
    """However many destinations it has; what is no account's has no such bound."""
    mine = [letter(str(each), each, destination=str(each), account_id="/A") for each in range(3)]
    await outbox.add(mine)
    assert await outbox.add([letter("more", 8, destination="x", account_id="/a")]) == ["more"]
    assert await outbox.add([letter("other", 8, destination="x", account_id="/b")]) == []
    await outbox.keep(ended(mine[0], 7))
    assert await outbox.add([letter("more", 8, destination="y", account_id="/a")]) == []
    for number in (1, 2):
        await outbox.keep(ended(mine[number], 7))
    assert await outbox.add([letter("own", 8, destination="z")]) == []


async def test_reading_and_forgetting(outbox: Outbox) -> None:
    """By id, state and account without case, the newest first; only what ended is forgotten."""
    await outbox.add([letter("a", 1, account_id="/A"), letter("b", 2), letter("c", 3)])
    await outbox.keep(ended(letter("b", 2), 4, "Dead"))
    assert ids(await outbox.read(OutboxQuery())) == ["c", "b", "a"]
    assert ids(await outbox.read(OutboxQuery(limit=1))) == ["c"]
    assert ids(await outbox.read(OutboxQuery(account_id="/a"))) == ["a"]
    assert ids(await outbox.read(OutboxQuery(state="Dead"))) == ["b"]
    assert ids(await outbox.read(OutboxQuery(id="c"))) == ["c"]
    assert await outbox.forget(at(4)) == 0
    assert await outbox.forget(at(5)) == 1
    assert ids(await outbox.read(OutboxQuery())) == ["c", "a"]


async def test_what_is_not_there_is_not_kept(outbox: Outbox) -> None:
    """A letter that was forgotten meanwhile does not come back."""
    await outbox.keep(letter("a"))
    assert await outbox.read(OutboxQuery()) == []
