"""What every ResultLog does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from linarite.domain.batch import Counts, LineResult

if TYPE_CHECKING:
    from linarite.domain.batch import ResultLog

pytestmark = pytest.mark.anyio

ACCOUNT = "/subscriptions/s/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/a"


def result(place: int, *, failed: bool = False) -> LineResult:
    """A result with a text of its own."""
    return LineResult(place, failed, b'{"of": %d}' % place, (4, 1, 3, 2))


async def whole(log: ResultLog, name: str, *, failed: bool) -> list[bytes]:
    """The lines of a file."""
    pieces = [piece async for piece in log.lines(name, ACCOUNT, failed=failed)]
    return b"".join(pieces).splitlines()


async def test_results_come_back(result_log: ResultLog) -> None:
    """Each in its file, in the order in which they came; and what is done is known."""
    assert (await result_log.done("one", 4, ACCOUNT)).counts == Counts(total=4)
    for each in (result(2), result(0, failed=True), result(1)):
        result_log.add("one", each)
    await result_log.flush("one")
    assert await whole(result_log, "one", failed=False) == [b'{"of": 2}', b'{"of": 1}']
    assert await whole(result_log, "one", failed=True) == [b'{"of": 0}']
    done = await result_log.done("one", 4, ACCOUNT)
    assert bytes(done.places) == b"\1\1\1\0"
    assert done.counts == Counts(4, 2, 1, 12, 3, 9, 6)
    result_log.add("one", result(3))
    assert len(await whole(result_log, "one", failed=False)) == 3


async def test_many_results(result_log: ResultLog) -> None:
    """More than a piece of them."""
    await result_log.done("many", 3000, ACCOUNT)
    for place in range(3000):
        text = b'{"of": "%b"}' % (b"x" * 1000)
        result_log.add("many", LineResult(place, place % 3 == 0, text))
    assert len(await whole(result_log, "many", failed=False)) == 2000
    assert len(await whole(result_log, "many", failed=True)) == 1000


async def test_batches_are_apart(result_log: ResultLog) -> None:
    """One that is removed leaves the others; an absent one has nothing."""
    for name in ("one", "two"):
        await result_log.done(name, 1, ACCOUNT)
        result_log.add(name, result(0))
    assert sorted(await result_log.names()) == ["one", "two"]
    await result_log.remove("one")
    await result_log.remove("one")
    await result_log.flush("one")
    assert list(await result_log.names()) == ["two"]
    assert await whole(result_log, "one", failed=False) == []
    assert bytes((await result_log.done("one", 1, ACCOUNT)).places) == b"\0"
