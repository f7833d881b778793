"""What is removed of what is stored leaves a proof in the audit log."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from linarite.domain.audit import ADMINISTRATION, SUCCEEDED, AuditEvent
from linarite.domain.unbroken import unbroken
from linarite.files.importing import IMPORT
from linarite.files.uploads import PART
from linarite.telemetry.logs import request_id

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable, Sequence

    from linarite.domain.audit import AuditTrail
    from linarite.domain.stored_object import StoredObject, StoredObjects

REMOVES = "Linarite.Operations/storedObjects/delete"
DELETED = "deleted"
PASSING = frozenset((PART, IMPORT, "response_events"))
"""kinds that are parts of another or means to it: its own removal is the proof"""


class ProvenObjects:
    """`StoredObjects` over another; each removal is in the audit log before it is told.

    How many of which kind, why, and of a client's deletion in which request.
    Whatever removes raises AuditUnavailable as well.
    """

    def __init__(self, kept: StoredObjects, trail: AuditTrail) -> None:
        self._kept = kept
        self._trail = trail
        self.add = kept.add
        self.get = kept.get
        self.list = kept.list
        self.those = kept.those
        self.count = kept.count
        self.sizes = kept.sizes
        self.all_sizes = kept.all_sizes
        self.size_of = kept.size_of
        self.held = kept.held
        self.expired = kept.expired
        self.blobs = kept.blobs
        self.accounts = kept.accounts
        self.of_account = kept.of_account

    async def remove(self, account_id: str, kind: str, object_id: str) -> bool:
        """See StoredObjects."""
        return await unbroken(self._removed(account_id, kind, object_id))

    async def _removed(self, account_id: str, kind: str, object_id: str) -> bool:
        gone = await self._kept.remove(account_id, kind, object_id)
        if gone and kind not in PASSING:
            await self._prove(account_id, DELETED, Counter({kind: 1}), 0)
        return gone

    async def write(
        self,
        *,
        added: Sequence[StoredObject] = (),
        replaced: Sequence[StoredObject] = (),
        removed: Sequence[StoredObject] = (),
        needed: Sequence[StoredObject] = (),
    ) -> bool:
        """See StoredObjects."""
        written = self._kept.write(added=added, replaced=replaced, removed=removed, needed=needed)
        return await (unbroken(self._proven(written, removed)) if removed else written)

    async def _proven(
        self, written: Coroutine[Any, Any, bool], removed: Sequence[StoredObject]
    ) -> bool:
        done = await written
        if done:
            await self._prove_all(removed, DELETED)
        return done

    async def end(self, over: Sequence[StoredObject], why: str) -> None:
        """See StoredObjects."""
        await unbroken(self._ended(over, why))

    async def _ended(self, over: Sequence[StoredObject], why: str) -> None:
        await self._kept.end(over, why)
        await self._prove_all(over, why)

    async def _prove_all(self, gone: Iterable[StoredObject], why: str) -> None:
        kinds: dict[str, Counter[str]] = {}
        sizes: Counter[str] = Counter()
        for each in gone:
            if each.kind not in PASSING:
                kinds.setdefault(each.account_id, Counter())[each.kind] += 1
                sizes[each.account_id] += each.blob_bytes
        for account_id, counted in kinds.items():
            await self._prove(account_id, why, counted, sizes[account_id])

    async def _prove(self, account_id: str, why: str, counted: Counter[str], size: int) -> None:
        details: dict[str, str | int] = {"reason": why, "removed": counted.total(), **counted}
        event = AuditEvent(
            at=datetime.now(UTC).isoformat(timespec="microseconds"),
            category=ADMINISTRATION,
            action=REMOVES,
            outcome=SUCCEEDED,
            resource_id=account_id,
            details=details | ({"bytes": size} if size else {}),
        )
        if why == DELETED:
            event = msgspec.structs.replace(event, request_id=request_id.get())
        else:
            event = msgspec.structs.replace(event, credential="process", decided_by="process")
        await self._trail.record(event)
