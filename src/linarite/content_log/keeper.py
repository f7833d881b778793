"""Keeping content: sealed before it touches the disk, off the path of requests, bounded."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec
import structlog

from linarite.content_log.sealed_body import opened_body, sealed_body
from linarite.domain.content_log import DAY_S, ContentAccess, SealedContent, sealed_name
from linarite.domain.customer_keys import CustomerKeyUnavailable
from linarite.domain.errors import ServiceUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from linarite.content_log.options import ContentLogSettings
    from linarite.domain.content_log import Content, ContentPage, ContentStore
    from linarite.domain.resource import KeyStore
    from linarite.domain.secret_box import SecretBox

GATHER_S = 0.1
"""how long the first of a batch waits for others"""
BATCH = 64
RETRY_FIRST_S = 0.2
RETRY_LAST_S = 5.0
CLOSE_S = 10.0
COMPLAIN_EVERY_S = 30.0

log = structlog.get_logger(__name__)


class ContentKeeper:
    """`ContentSink` for the data path, `ContentLog` for the control plane. `start`, then `stop`."""

    def __init__(
        self,
        store: ContentStore,
        keys: KeyStore,
        options: ContentLogSettings,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.store = store
        self.options = options
        self.now = now
        self.dropped = 0
        """requests whose content was not kept, since the start"""
        self._keys = keys
        self._queue: deque[Content] = deque()
        self._held_bytes = 0
        self._wake = asyncio.Event()
        self._emptied = asyncio.Event()
        self._emptied.set()
        self._task: asyncio.Task[None] | None = None
        self._complained_at = -COMPLAIN_EVERY_S

    @property
    def access(self) -> ContentAccess:
        """It as the control plane has it."""
        return ContentAccess(self, self.options.allowed, self.options.retention_days_max)

    def add(self, content: Content) -> None:
        """See ContentSink; on disk within about 200 ms."""
        if not self.options.allowed:
            return
        if self._held_bytes + content.size > self.options.backlog_bytes_max:
            self._drop(1, "more comes than can be written")
            return
        self._held_bytes += content.size
        self._queue.append(content)
        self._emptied.clear()
        self._wake.set()

    def start(self) -> None:
        """Write from here on."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Write what is left, for a while."""
        if self._task is None:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_S):
                await self._emptied.wait()
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        if self._queue:
            self._drop(len(self._queue), "the server stopped before it was written")

    async def flush(self) -> None:
        """Return once everything added so far is on disk or given up."""
        await self._emptied.wait()

    async def list(self, account_id: str, page: ContentPage) -> list[SealedContent]:
        """See ContentLog."""
        alive = msgspec.structs.replace(page, alive_at=int(self.now()))
        return await self.store.list(account_id, alive)

    async def read(self, account_id: str, request_id: str) -> dict[str, Any] | None:
        """See ContentLog."""
        found = await self.store.find(account_id, request_id)
        if found is None or found.expires_at <= self.now():
            return None
        box = await self._keys.box_of(account_id)
        if box is None:
            return None
        plain = await asyncio.to_thread(box.unseal, found.name, found.sealed)
        return opened_body(plain)

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            await asyncio.sleep(GATHER_S)
            self._wake.clear()
            while self._queue:
                batch = [self._queue.popleft() for _ in range(min(BATCH, len(self._queue)))]
                await self._write(batch)
                self._held_bytes -= sum(each.size for each in batch)
            self._emptied.set()

    async def _write(self, batch: list[Content]) -> None:
        """Seal and write them, again and again while the disk is full."""
        sealed = await self._sealed(batch)
        pause_s = RETRY_FIRST_S
        while True:
            try:
                await self.store.add(sealed)
            except ServiceUnavailable as problem:
                self._complain("content not written yet", str(problem))
            except Exception:
                log.exception("content not written")
                self._drop(len(sealed), "it could not be written")
                return
            else:
                return
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, RETRY_LAST_S)

    async def _sealed(self, batch: list[Content]) -> list[SealedContent]:
        sealed: list[SealedContent] = []
        boxes: dict[str, SecretBox | None] = {}
        for content in batch:
            account = content.record.account_id
            if account not in boxes:
                boxes[account] = await self._box_of(account)
            box = boxes[account]
            if box is None:
                self._drop(1, "the account's key is not there")
                continue
            try:
                sealed.append(await asyncio.to_thread(self._seal, box, content))
            except Exception:  # whatever a request held: the others are kept
                log.exception("content not sealed", request_id=content.record.request_id)
                self._drop(1, "it could not be sealed")
        return sealed

    async def _box_of(self, account_id: str) -> SecretBox | None:
        """What seals for an account; None where its key is not there: nothing waits unsealed."""
        try:
            return await self._keys.box_of(account_id)
        except (CustomerKeyUnavailable, ServiceUnavailable):
            return None

    def _seal(self, box: SecretBox, content: Content) -> SealedContent:
        record = content.record
        at = record.started_at_ns // 1_000_000_000
        days = min(content.retention_days, self.options.retention_days_max)
        return SealedContent(
            account_id=record.account_id,
            request_id=record.request_id,
            at=at,
            expires_at=at + days * DAY_S,
            deployment=record.deployment,
            operation=record.operation,
            status=record.status,
            sealed=box.seal(
                sealed_name(record.request_id), sealed_body(content, self.options.record_bytes_max)
            ),
        )

    def _drop(self, count: int, reason: str) -> None:
        self.dropped += count
        self._complain("content not kept", reason)

    def _complain(self, what: str, reason: str) -> None:
        now = time.monotonic()
        if now - self._complained_at >= COMPLAIN_EVERY_S:
            self._complained_at = now
            log.error(what, reason=reason, dropped=self.dropped)
