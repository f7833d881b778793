"""The audit log of a data folder: its key, its file, and what the server tells about itself."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import structlog

from linarite.controls.audit.signing import SEALED_AS, AuditKey, fingerprint
from linarite.controls.audit.trail import Trail
from linarite.domain.audit import ADMINISTRATION, REFUSED, SIGN_IN, SUCCEEDED, AuditEvent
from linarite.domain.errors import LinariteError
from linarite.domain.resource import Resource, ResourceStore
from linarite.settings import Settings
from linarite.storage.sqlite.audit import open_audit_store
from linarite.storage.sqlite.keys import SqliteKeyStore

if TYPE_CHECKING:
    from contextlib import AsyncExitStack

    from linarite.controls.audit.options import Audit
    from linarite.domain.resource import KeyStore
    from linarite.domain.secret_box import SecretBox
    from linarite.domain.sign_in import SignInEvent

KEY_TYPE = "Linarite.Operations/auditKeys"
KEY_ID = f"/providers/{KEY_TYPE}/default"
SERVER_ID = "/providers/Linarite.Operations/servers/default"
"""what events about the server itself are about"""
GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
PRUNE_EVERY_S = 6 * 3600.0

log = structlog.get_logger("linarite.audit")


class AuditParts(msgspec.Struct, frozen=True):
    """What the audit log of a running server is made of."""

    home: Path
    settings: Settings
    resources: ResourceStore
    keys: SqliteKeyStore
    version: str


async def running_trail(stack: AsyncExitStack, parts: AuditParts) -> Trail:
    """The log of a server, which is told that it starts, and at last that it stops."""
    options, keys = parts.settings.audit, parts.keys
    trail = await open_trail(parts.home, parts.resources, keys.box, options)
    stack.push_async_callback(trail.close)
    fingerprint_now = settings_fingerprint(parts.settings, keys)
    if keys.master_key_is_new:
        await tell(trail, about_server("masterKey/create"))
    start: dict[str, str | int] = {"version": parts.version, "settings": fingerprint_now}
    await tell(trail, about_server("server/start", start))
    with suppress(LinariteError):
        await trail.checkpoint("start")
    stack.push_async_callback(Pruning(trail, options.keep_days).stop)
    stack.push_async_callback(tell_stop, trail)
    return trail


async def open_trail(home: Path, resources: ResourceStore, box: SecretBox, options: Audit) -> Trail:
    """The log of this data folder, ready to be written. Raises SetupError.

    What is found wrong with its end is told in the log and becomes an event: it can't be undone.
    """
    key, is_new = await _signing_key(resources, box)
    trail = Trail(await open_audit_store(home, key.public), key, options)
    problem = await trail.open()
    log.info("audit log", audit_key=fingerprint(key.public), entries=trail.seq)
    if not is_new and trail.seq == 0:
        problem = "audit.db is gone or empty, and this data folder had one"
    if problem:
        log.error("audit log is broken", reason=problem)
        await tell(trail, about_server("audit/broken", {"reason": problem}))
    return trail


def about_server(deed: str, details: dict[str, str | int] | None = None) -> AuditEvent:
    """Something that was done to the server itself, by whoever may start it."""
    return AuditEvent(
        at=datetime.now(UTC).isoformat(timespec="microseconds"),
        category=ADMINISTRATION,
        action=f"Linarite.Operations/{deed}/action",
        outcome=SUCCEEDED,
        resource_id=SERVER_ID,
        credential="process",
        decided_by="process",
        details=details or {},
    )


def audited_sign_in(event: SignInEvent) -> AuditEvent:
    """A sign-in as an audit event.

    Nothing is kept that somebody typed who was not recognised: people type passwords into the
    wrong field.
    """
    known = bool(event.object_id)
    return AuditEvent(
        at=datetime.fromtimestamp(event.at, UTC).isoformat(timespec="microseconds"),
        category=SIGN_IN,
        action=f"SignIn/{event.how}",
        outcome=REFUSED if event.code else SUCCEEDED,
        code=f"AADSTS{event.code}" if event.code else "",
        principal=event.name if known else "",
        object_id=event.object_id,
        app_id=event.client_id if known or GUID.fullmatch(event.client_id) else "",
        credential=event.how,
        address=event.address,
        correlation_id=event.correlation_id,
        details={"resource": event.resource} if known and event.resource else {},
    )


def settings_fingerprint(settings: msgspec.Struct, keys: KeyStore) -> str:
    """What changes with any setting, and tells none: some of them are secrets."""
    text = msgspec.json.encode(settings, order="deterministic").decode()
    return keys.digest(text).hex()


async def tell(trail: Trail, event: AuditEvent) -> None:
    """Tell something that happens whether it can be told or not; the log says if it can't."""
    with suppress(LinariteError):
        await trail.record(event)


async def tell_stop(trail: Trail) -> None:
    """Tell that the server stops."""
    await tell(trail, about_server("server/stop"))


class Pruning:
    """Removes events past their time, now and then."""

    def __init__(self, trail: Trail, keep_days: float) -> None:
        self._trail = trail
        self._keep_days = keep_days
        self._task = asyncio.create_task(self._run()) if keep_days else None

    async def stop(self) -> None:
        """End."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            before = datetime.now(UTC) - timedelta(days=self._keep_days)
            with suppress(LinariteError):  # a full disk; told already
                gone = await self._trail.prune(before.isoformat(timespec="microseconds"))
                if gone:
                    log.info("audit events past their time removed", count=gone)
            await asyncio.sleep(PRUNE_EVERY_S)


async def _signing_key(resources: ResourceStore, box: SecretBox) -> tuple[AuditKey, bool]:
    """The key of this data folder's log, and whether it was made just now."""
    kept = await resources.get(KEY_ID)
    if kept is not None:
        return AuditKey.from_bytes(box.unseal(SEALED_AS, kept.properties["sealed"])), False
    key = AuditKey.new()
    properties = {
        "sealed": box.seal(SEALED_AS, key.private_bytes()),
        "fingerprint": fingerprint(key.public),
    }
    await resources.put(
        Resource(id=KEY_ID, type=KEY_TYPE, name="default", properties=properties), expected_etag=""
    )
    return key, True
