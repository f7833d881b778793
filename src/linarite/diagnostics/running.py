"""Diagnostic settings of a running server: exports follow what is written and removed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from linarite.diagnostics.export import Export, Logs, cursor_key, sources_of
from linarite.domain.diagnostics import (
    DIAGNOSTIC_SETTING_TYPE,
    categories_of,
    destinations_of,
)
from linarite.domain.errors import ServiceUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from linarite.diagnostics.sinks.opening import Sinks
    from linarite.domain.diagnostics import Cursor, Destination
    from linarite.domain.resource import Committed, Resource, ResourceStore

log = structlog.get_logger("linarite.diagnostics")

RETRY_S = 1.0
MARK = f"/providers/{DIAGNOSTIC_SETTING_TYPE}/".lower()


class Diagnostics:
    """All exports. `start`, then `stop` once."""

    def __init__(self, resources: ResourceStore, logs: Logs, sinks: Sinks) -> None:
        self._resources = resources
        self._logs = logs
        self._sinks = sinks
        self._exports: dict[tuple[str, str, str], Export] = {}
        self._turn = asyncio.Lock()
        self._later: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Go on where sinks have come to."""
        self._resources.subscribe(self.follow)
        await self._agree()

    async def stop(self) -> None:
        """End every export."""
        if self._later is not None:
            self._later.cancel()
        async with self._turn:
            await asyncio.gather(*(each.stop() for each in self._exports.values()))
            self._exports = {}

    async def follow(self, committed: Committed) -> None:
        """Act on settings that were written, and on what was removed with them or their account."""
        if committed.removed or any(MARK in each.lower() for each in committed.written):
            try:
                await self._agree()
            except ServiceUnavailable as refusal:
                # The setting is kept; its export begins once the store can be written again.
                log.warning("exports wait for their store", reason=refusal.message)
                self._later = asyncio.create_task(self._follow_later(committed))

    async def _follow_later(self, committed: Committed) -> None:
        await asyncio.sleep(RETRY_S)
        await self.follow(committed)

    @property
    def all(self) -> list[Export]:
        """Every export there is."""
        return list(self._exports.values())

    def of(self, account_id: str) -> list[Export]:
        """The exports of an account."""
        beginning = f"{account_id.lower()}/"
        return [each for key, each in sorted(self._exports.items()) if key[0].startswith(beginning)]

    async def _agree(self) -> None:
        """Run what settings ask for, as they are now, and nothing else."""
        async with self._turn:
            settings = await self._resources.list_under("", DIAGNOSTIC_SETTING_TYPE)
            wanted = {
                (setting.id.lower(), setting.etag, destination.sink): (setting, destination)
                for setting in settings
                for destination in destinations_of(setting.properties)
            }
            for key in self._exports.keys() - wanted.keys():
                await self._exports.pop(key).stop()
            known = {each.key: each for each in await self._logs.cursors.all()}
            if gone := known.keys() - set(_keys(wanted.values())):
                await self._logs.cursors.forget(gone)
            for key in wanted.keys() - self._exports.keys():
                await self._begin(key, *wanted[key], known)

    async def _begin(
        self,
        key: tuple[str, str, str],
        setting: Resource,
        destination: Destination,
        known: dict[str, Cursor],
    ) -> None:
        account = await self._resources.get(account_of(setting.id))
        if account is None:
            return
        sink = self._sinks.open(destination.sink, account.id)
        if sink is None:
            log.warning(
                "diagnostic setting names a sink that settings declare no more",
                resource=setting.id,
                destination=destination.sink,
            )
            return
        export = Export(setting, account, destination, self._logs, sink)
        await export.start(known)
        self._exports[key] = export


def account_of(setting_id: str) -> str:
    """The id of the account that a setting is of."""
    return setting_id[: setting_id.lower().index(MARK)]


def _keys(wanted: Iterable[tuple[Resource, Destination]]) -> list[str]:
    return [
        cursor_key(setting, destination, source)
        for setting, destination in wanted
        for source in sources_of(categories_of(setting.properties))
    ]
