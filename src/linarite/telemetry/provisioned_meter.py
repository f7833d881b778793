"""Charges the hours of provisioned deployments while a server runs."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog

from linarite.domain.errors import ServiceUnavailable
from linarite.domain.provisioned_hours import HOUR_S, ProvisionedHour

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from linarite.domain.facts import Facts
    from linarite.domain.price_book import PriceBook
    from linarite.domain.provisioned_hours import ProvisionedHours

EVERY_S = 20.0

log = structlog.get_logger(__name__)


class ProvisionedMeter:
    """Looks which there are, again and again. `start`, then `stop`."""

    def __init__(
        self,
        facts: Callable[[], Iterable[Facts]],
        hours: ProvisionedHours,
        prices: PriceBook,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._facts = facts
        self._hours = hours
        self._prices = prices
        self._clock = clock
        self._charged: frozenset[ProvisionedHour] = frozenset()
        """what was kept at the last look: nothing is written while nothing changes"""
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """From here on."""
        self._task = asyncio.create_task(self._run(), name="provisioned hours")

    async def stop(self) -> None:
        """No further."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def look(self) -> None:
        """Charge the hour that it is. Raises ServiceUnavailable."""
        now = frozenset(self._there(int(self._clock()) // HOUR_S))
        fresh = [each for each in now if each not in self._charged]
        if fresh:
            await self._hours.charge(fresh)
        self._charged = now

    def _there(self, hour: int) -> Iterable[ProvisionedHour]:
        for facts in self._facts():
            account = facts.account
            for where in facts.deployments.values():
                if where.sku.provisioned and where.id:
                    yield ProvisionedHour(
                        hour=hour,
                        units=where.sku.capacity,
                        cost_nano=self._prices.cost_of_unit_hours(where.sku),
                        deployment_id=where.id,
                        account_id=account.id,
                        account=account.name,
                        deployment=where.name,
                        model=where.model.name,
                        model_version=where.model.version,
                        sku=where.sku.name,
                        region=where.region_title or account.region_title,
                        tags=where.tags,
                    )

    async def _run(self) -> None:
        while True:
            try:
                await self.look()
            except ServiceUnavailable as refusal:
                log.warning("provisioned hours wait for their store", reason=refusal.message)
            except Exception:
                log.exception("provisioned hours not charged by our own fault")
            await asyncio.sleep(EVERY_S)
