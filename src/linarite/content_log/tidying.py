"""Ending what is over: content whose time or whose account has ended. Each sweep is audited."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
import structlog

from linarite.domain.audit import ADMINISTRATION, STARTED, SUCCEEDED, AuditEvent
from linarite.domain.content_log import (
    CONTENT_RECORD_TYPE,
    DAY_S,
    logging_of,
)
from linarite.domain.resource import (
    ACCOUNT_TYPE,
    DELETED_ACCOUNT_TYPE,
    DELETED_FROM,
    may_concern_accounts,
)

if TYPE_CHECKING:
    from linarite.content_log.keeper import ContentKeeper
    from linarite.domain.audit import AuditTrail
    from linarite.domain.resource import Committed, ResourceStore

SWEEP_EVERY_S = 600.0
EVERYTHING = 2**62
"""seconds since the epoch by which all that is kept has expired"""
REMOVES = f"{CONTENT_RECORD_TYPE}/delete"

log = structlog.get_logger(__name__)


class ContentTidier:
    """Removes what may not be kept any longer. `start`, then `stop`."""

    def __init__(self, keeper: ContentKeeper, resources: ResourceStore, trail: AuditTrail) -> None:
        self._keeper = keeper
        self._resources = resources
        self._trail = trail
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Follow purges, sweep now and then; what ended while no server ran goes at once."""
        await self._forget_the_gone()
        self._resources.subscribe(self.follow)
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Sweep no more."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def follow(self, committed: Committed) -> None:
        """An account that is purged takes its content with it, before its name can be had again."""
        if any(map(_may_end_accounts, committed.removed)):
            await self._forget_the_gone()

    async def sweep(self) -> None:
        """Remove what has expired, and the oldest where there is too much."""
        now = int(self._keeper.now())
        for account in await self._keeper.store.accounts():
            before = await self._kept_since(account, now)
            gone = await self._keeper.store.remove(account, expired_at=now, before=before)
            if gone:
                await self._audit(account, SUCCEEDED, "expired", gone)
        if self._keeper.options.bytes_max:
            beyond = await self._keeper.store.remove_beyond(self._keeper.options.bytes_max)
            for account, gone in beyond.items():
                log.warning("content removed for want of room", account=account, count=gone)
                await self._audit(account, SUCCEEDED, "no room", gone)

    async def _kept_since(self, account: str, now: int) -> int:
        """What is older goes whatever was promised it: an account may shorten its retention."""
        wanted = await logging_of(self._resources, account)
        return now - wanted.retention_days * DAY_S if wanted is not None else 0

    async def _forget_the_gone(self) -> None:
        """Forget what accounts had that are neither there nor to be recovered."""
        kept = await self._keeper.store.accounts()
        if not kept:
            return
        there = {each.id.lower() for each in await self._resources.list_under("", ACCOUNT_TYPE)}
        for deleted in await self._resources.list_under("", DELETED_ACCOUNT_TYPE):
            there.add(str(deleted.properties.get(DELETED_FROM, "")).lower())
        for account in kept - there:
            await self._audit(account, STARTED, "purged")
            gone = await self._keeper.store.remove(account, expired_at=EVERYTHING)
            await self._audit(account, SUCCEEDED, "purged", gone)

    async def _audit(self, account: str, outcome: str, reason: str, count: int = 0) -> None:
        details: dict[str, str | int] = {"reason": reason}
        event = AuditEvent(
            at=datetime.now(UTC).isoformat(timespec="microseconds"),
            category=ADMINISTRATION,
            action=REMOVES,
            outcome=outcome,
            resource_id=account,
            credential="process",
            decided_by="process",
            details=details,
        )
        if outcome == SUCCEEDED:
            event = msgspec.structs.replace(event, details=details | {"removed": count})
        await self._trail.record(event)

    async def _run(self) -> None:
        while True:
            try:
                await self.sweep()
            except Exception as problem:  # noqa: BLE001 - whatever it is, it is tried again
                log.warning("content was not swept", reason=str(problem))
            await asyncio.sleep(SWEEP_EVERY_S)


def _may_end_accounts(removed: str) -> bool:
    """Whether an id is of an account, of what accounts lie in, or of a deleted one."""
    return may_concern_accounts(removed) or "/deletedaccounts/" in removed.lower()
