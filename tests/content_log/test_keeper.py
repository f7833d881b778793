"""Content is sealed before it is written, bounded, and ends when its time has."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from linarite.content_log.keeper import ContentKeeper
from linarite.content_log.options import ContentLogSettings
from linarite.content_log.tidying import ContentTidier
from linarite.domain.content_log import (
    CONTENT_LOGGING_TYPE,
    DAY_S,
    Content,
    ContentPage,
    no_answer,
)
from linarite.domain.customer_keys import CustomerKeyUnavailable
from linarite.domain.errors import ServiceUnavailable
from linarite.domain.resource import ACCOUNT_TYPE, Resource
from linarite.storage.memory.content import MemoryContentStore
from linarite.storage.memory.keys import MemoryKeyStore
from linarite.storage.memory.resources import MemoryResourceStore
from tests.controlplane.rig import HandedIn
from tests.storage.builders import make_record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.domain.content_log import SealedContent
    from linarite.domain.secret_box import SecretBox

pytestmark = pytest.mark.anyio

ACCOUNT = f"/subscriptions/s/resourceGroups/g/providers/{ACCOUNT_TYPE}/mine"
NOW = 1_800_000_000


def asked(request_id: str, *, size: int = 100, at: int = NOW, **more: Any) -> Content:  # noqa: ANN401 - any field
    """Content of one request."""
    record = make_record(request_id, account_id=ACCOUNT, started_at_ns=at * 1_000_000_000)
    whole = {
        "record": record,
        "retention_days": 30,
        "asked": b'{"prompt":"hi"}',
        "answer": no_answer,
        "size": size,
    }
    return Content(**(whole | more))


class Scene:
    """A keeper over memory, whose clock stands."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - settings
        self.store = MemoryContentStore()
        self.keys = MemoryKeyStore()
        self.now = NOW
        self.keeper = ContentKeeper(
            self.store,
            self.keys,
            msgspec.convert(options, ContentLogSettings),
            lambda: self.now,
        )
        self.resources = MemoryResourceStore()
        self.trail = HandedIn()
        self.tidier = ContentTidier(self.keeper, self.resources, self.trail)

    async def keep(self, *contents: Content) -> None:
        """Have content kept, and stop."""
        await self.keys.ensure(ACCOUNT)
        await self.resources.put(Resource(id=ACCOUNT, type=ACCOUNT_TYPE, name="mine"))
        self.keeper.start()
        for each in contents:
            self.keeper.add(each)
        await self.keeper.stop()

    async def ids(self) -> list[str]:
        """Of what is kept."""
        found = await self.store.list(ACCOUNT, ContentPage(limit=100))
        return [each.request_id for each in found]


async def test_what_is_read_is_what_was_written() -> None:
    """And what is stored shows none of it."""
    scene = Scene()
    prompt = "no text that chance would write"
    answer = asked(
        "a",
        asked=b'{"prompt":"%b"}' % prompt.encode(),
        answer=lambda: b'{"choices":[]}',
        error=b"no json",
    )
    await scene.keep(answer)
    stored = await scene.store.find(ACCOUNT, "a")
    assert stored is not None
    assert prompt not in stored.sealed
    told = await scene.keeper.read(ACCOUNT, "a")
    assert told is not None
    assert told["prompt"] == {"prompt": prompt}
    assert told["completion"] == {"choices": []}
    assert told["error"] == "no json"
    assert told["request"]["requestId"] == "a"
    assert await scene.keeper.read(f"{ACCOUNT}2", "a") is None


async def test_content_opens_only_under_its_own_request() -> None:
    """A row that was copied to another id is worth nothing."""
    scene = Scene()
    await scene.keep(asked("a"))
    stored = await scene.store.find(ACCOUNT, "a")
    assert stored is not None
    await scene.store.add([msgspec.structs.replace(stored, request_id="b")])
    with pytest.raises(Exception, match="does not open"):
        await scene.keeper.read(ACCOUNT, "b")


async def test_long_parts_are_cut() -> None:
    """And say so; bytes that are no text, and JSON that is none, do no harm."""
    scene = Scene(record_bytes_max=1024)
    await scene.keep(
        asked("a", asked=b'"' + "é".encode() * 600 + b'"', answer=lambda: b"\xff{"),
        asked("b", asked=b"{broken", answer=lambda: 1 / 0),
        asked("c"),
    )
    told = await scene.keeper.read(ACCOUNT, "a")
    assert told is not None
    assert told["cut"] == ["prompt"]
    assert len(told["prompt"].encode()) <= 1024
    assert told["completion"] == "�{"
    assert await scene.ids() == ["c", "a"]  # what could not be sealed is lost alone
    assert scene.keeper.dropped == 1


async def test_what_waits_is_bounded() -> None:
    """Beyond it content is dropped and counted; memory does not grow."""
    scene = Scene(backlog_bytes_max=1024 * 1024)
    contents = [asked(f"{number}", size=600_000) for number in range(3)]
    await scene.keep(*contents)
    assert await scene.ids() == ["0"]
    assert scene.keeper.dropped == 2
    await scene.keep(asked("3", size=600_000))
    assert await scene.ids() == ["3", "0"]


class FullDisk(MemoryContentStore):
    """Writes at the second attempt."""

    tried = 0

    async def add(self, contents: Sequence[SealedContent]) -> None:
        """See ContentStore."""
        self.tried += 1
        if self.tried == 1:
            raise ServiceUnavailable("the disk is full")
        await super().add(contents)


async def test_a_full_disk_is_waited_for() -> None:
    """Nothing is lost by it."""
    scene = Scene()
    scene.keeper.store = scene.store = FullDisk()
    await scene.keep(asked("a"), asked("b"))
    assert await scene.ids() == ["b", "a"]
    assert scene.keeper.dropped == 0


class Locked(MemoryKeyStore):
    """The customer's key is not there."""

    async def box_of(self, account_id: str) -> SecretBox | None:
        """See KeyStore."""
        del account_id
        raise CustomerKeyUnavailable("https://vault.example/keys/team")


async def test_without_its_key_nothing_is_kept() -> None:
    """Least of all in the clear."""
    scene = Scene()
    scene.keeper = ContentKeeper(scene.store, Locked(), ContentLogSettings())
    await scene.keep(asked("a"))
    assert await scene.ids() == []
    assert scene.keeper.dropped == 1


async def test_settings_may_forbid_it() -> None:
    """Whatever accounts say."""
    scene = Scene(allowed=False)
    await scene.keep(asked("a"))
    assert await scene.ids() == []


async def test_what_has_expired_goes_and_that_is_audited() -> None:
    """It is not told from that moment on, and is gone with the next sweep."""
    scene = Scene()
    await scene.keep(asked("a", retention_days=1), asked("b", retention_days=400))
    scene.now += DAY_S
    assert await scene.keeper.read(ACCOUNT, "a") is None
    assert [each.request_id for each in await scene.keeper.list(ACCOUNT, ContentPage(limit=9))] == [
        "b"
    ]
    await scene.tidier.sweep()
    assert await scene.ids() == ["b"]
    (event,) = scene.trail.events
    assert event.action == "Linarite.Operations/contentRecords/delete"
    assert event.details == {"reason": "expired", "removed": 1}
    scene.now += 365 * DAY_S  # no account keeps it for longer than settings let it
    await scene.tidier.sweep()
    assert await scene.ids() == []


async def test_an_account_may_shorten_its_retention() -> None:
    """What is there already is held to it."""
    scene = Scene()
    await scene.keep(asked("a", at=NOW - 2 * DAY_S), asked("b"))
    switch = Resource(
        id=f"{ACCOUNT}/providers/{CONTENT_LOGGING_TYPE}/default",
        type=CONTENT_LOGGING_TYPE,
        name="default",
        properties={"state": "Enabled", "retentionDays": 1},
    )
    await scene.resources.put(switch)
    await scene.tidier.sweep()
    assert await scene.ids() == ["b"]


async def test_the_oldest_make_room() -> None:
    """Where all of it is more than settings let be kept."""
    scene = Scene(bytes_max=1)
    await scene.keep(asked("a"))
    await scene.tidier.sweep()
    assert await scene.ids() == []
    assert [each.details["reason"] for each in scene.trail.events] == ["no room"]


async def test_an_account_that_is_gone_takes_it_along() -> None:
    """At once when it goes, and at the start of a server that had not seen it go."""
    scene = Scene()
    await scene.keep(asked("a"))
    await scene.tidier.start()
    assert await scene.ids() == ["a"]
    await scene.resources.delete(ACCOUNT)
    assert await scene.ids() == []
    await scene.tidier.stop()
    await scene.keep(asked("b"))
    await scene.resources.delete(ACCOUNT)
    again = ContentTidier(scene.keeper, MemoryResourceStore(), scene.trail)
    await again.start()
    await again.stop()
    assert await scene.ids() == []
    assert [each.details["reason"] for each in scene.trail.events].count("purged") == 4


async def test_flush_waits_for_the_disk() -> None:
    """So that whoever needs it finds it."""
    scene = Scene()
    await scene.keys.ensure(ACCOUNT)
    scene.keeper.start()
    scene.keeper.add(asked("a"))
    await asyncio.wait_for(scene.keeper.flush(), 30)
    assert await scene.ids() == ["a"]
    await scene.keeper.stop()
