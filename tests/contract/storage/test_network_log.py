"""What every network log does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from linarite.domain.network_log import Entry, NetworkQuery, Occurrence

if TYPE_CHECKING:
    from linarite.domain.network_log import NetworkLog

pytestmark = pytest.mark.anyio


def entry(remote: str, second: int, day: int = 1, **what: Any) -> Entry:  # noqa: ANN401 - fields
    """A refusal of a host."""
    at = f"2026-01-{day:02}T00:00:{second:02}+00:00"
    told = {"category": "EgressRefused", "direction": "Outbound", "account_id": "/A", **what}
    seen = msgspec.convert({**told, "remote": remote}, Occurrence)
    return Entry(what=seen, reason=f"reason {second}", first_at=at, last_at=at)


async def remotes(log: NetworkLog, **query: Any) -> list[str]:  # noqa: ANN401 - fields
    """Which hosts a query finds, in its order."""
    return [each.what.remote for each in await log.read(NetworkQuery(**query))]


async def test_alike_ones_of_a_day_are_one(network_log: NetworkLog) -> None:
    """With the first and the last time, the count, and the last reason; whatever the ids' case."""
    await network_log.add([entry("a", 1), entry("b", 2)])
    await network_log.add([entry("a", 3, account_id="/a"), entry("a", 5)])
    await network_log.add([entry("a", 1, day=2)])
    found = await network_log.read(NetworkQuery())
    assert [(each.what.remote, each.count) for each in found] == [("a", 1), ("a", 3), ("b", 1)]
    assert msgspec.structs.replace(found[1], place="") == msgspec.structs.replace(
        entry("a", 1), last_at=entry("a", 5).last_at, reason="reason 5", count=3
    )


async def test_queries_narrow(network_log: NetworkLog) -> None:
    """By account and perimeter without case, category, direction, and time."""
    await network_log.add(
        [
            entry("a", 1),
            entry("b", 2, account_id="", perimeter_id="/P"),
            entry("c", 3, account_id="/B", category="Nsp", direction="Inbound"),
        ]
    )
    assert await remotes(network_log) == ["c", "b", "a"]
    assert await remotes(network_log, account_id="/a") == ["a"]
    assert await remotes(network_log, perimeter_id="/p") == ["b"]
    assert await remotes(network_log, category="Nsp") == ["c"]
    assert await remotes(network_log, direction="Outbound") == ["b", "a"]
    assert await remotes(network_log, since="2026-01-01T00:00:02+00:00") == ["c", "b"]


async def test_pages_go_on(network_log: NetworkLog) -> None:
    """After the last entry seen."""
    await network_log.add([entry("a", 1), entry("b", 1), entry("c", 2)])
    (first,) = await network_log.read(NetworkQuery(limit=1))
    rest = await network_log.read(NetworkQuery(after=first.place))
    assert first.what.remote == "c"
    assert sorted(each.what.remote for each in rest) == ["a", "b"]


async def test_it_is_bounded(network_log: NetworkLog) -> None:
    """What was seen longest ago goes; what is seen again stays."""
    await network_log.add([entry("a", 1), entry("b", 2), entry("c", 3)])
    others = [entry("e", 0, account_id="/B"), entry("f", 0, category="Nsp")]
    await network_log.add([entry("a", 4), entry("d", 5), *others])
    assert (await remotes(network_log))[:3] == ["d", "a", "c"]
    assert sorted((await remotes(network_log))[3:]) == ["e", "f"], "they are counted apart"
    assert await network_log.forget("2026-01-01T00:00:05+00:00") == 4
    assert await remotes(network_log) == ["d"]
