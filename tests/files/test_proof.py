"""What ends by itself is proved in the audit log, by account and with counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from linarite.controls.audit.options import Audit
from linarite.controls.audit.trail import Trail
from linarite.domain.audit import AuditEvent, AuditQuery
from linarite.domain.stored_object import StoredObject
from linarite.files.keeper import FileKeeper
from linarite.files.options import Files
from linarite.files.proof import ProvenObjects
from linarite.storage.memory.audit import MemoryAuditStore
from linarite.storage.memory.blobs import MemoryBlobs
from linarite.storage.memory.stored_objects import MemoryStoredObjects
from tests.controls.audit.events import KEY

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.anyio

NOW = 1_000_000


@pytest.fixture
async def trail() -> AsyncIterator[Trail]:
    """An empty one."""
    made = Trail(MemoryAuditStore(), KEY, Audit())
    await made.open()
    yield made
    await made.close()


def stored(name: str, kind: str = "file", account: str = "/one", size: int = 0) -> StoredObject:
    """One whose time is over."""
    return StoredObject(
        account_id=account,
        kind=kind,
        id=name,
        created_at=1,
        expires_at=NOW - 1,
        blob=name if size else "",
        blob_bytes=size,
    )


async def proved(trail: Trail) -> list[AuditEvent]:
    """What the log says of removals, the oldest first."""
    entries = await trail.read(AuditQuery(under="/"))
    return [msgspec.json.decode(each.body, type=AuditEvent) for each in reversed(entries)]


async def test_what_has_expired_is_counted_by_account(trail: Trail) -> None:
    """Means to an end, such as parts, are not told; nor is what still lives."""
    kept = MemoryStoredObjects()
    objects = ProvenObjects(kept, trail)
    keeper = FileKeeper(objects, MemoryBlobs(), Files(), lambda: NOW)
    for each in (
        stored("a", size=10),
        stored("b", size=5),
        stored("c", "response"),
        stored("d", "upload_part", size=99),
        stored("e", account="/two"),
    ):
        await kept.add(each)
    await kept.add(msgspec.structs.replace(stored("f"), expires_at=NOW + 1))
    assert await keeper.sweep() == 5
    one, two = await proved(trail)
    assert one.resource_id == "/one"
    assert one.details == {
        "reason": "expired",
        "removed": 3,
        "file": 2,
        "response": 1,
        "bytes": 15,
    }
    assert (two.resource_id, two.details["removed"]) == ("/two", 1)
    assert await keeper.sweep() == 0
    assert len(await proved(trail)) == 2


async def test_what_was_not_there_is_not_proved(trail: Trail) -> None:
    """A second deletion removes nothing, and says nothing."""
    objects = ProvenObjects(MemoryStoredObjects(), trail)
    await objects.add(stored("a"))
    assert await objects.remove("/one", "file", "a")
    assert not await objects.remove("/one", "file", "a")
    assert not await objects.write(removed=[stored("a")])
    assert [each.details["reason"] for each in await proved(trail)] == ["deleted"]
