"""Usage limits of a whole server: those that settings declare, and telling when they run out."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

import structlog

from linarite.controlplane.limit_events import crossing_event, facts_of
from linarite.controlplane.resources.usage_limits.rules import LimitFacts, admit
from linarite.controls.quota import LendingLedger
from linarite.controls.usage_limits.counts import LedgerCounts
from linarite.controls.usage_limits.watched_ledger import WatchedLedger
from linarite.domain.arm_id import subscription_of
from linarite.domain.declared import is_declared
from linarite.domain.errors import SetupError
from linarite.domain.ledger import LASTING
from linarite.domain.notice import Notice
from linarite.domain.resource import Resource
from linarite.domain.usage_limits import USAGE_LIMIT_TYPE, NoCounts, of_account
from linarite.hosting.declared import put_declared

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AsyncExitStack

    from linarite.controls.usage_limits import Crossing, LimitDesk
    from linarite.controls.usage_limits.options import UsageLimitSettings
    from linarite.domain.activity import ActivityLog
    from linarite.domain.ledger import Ledger
    from linarite.domain.lending import Pool
    from linarite.domain.notice import Notifier
    from linarite.domain.resource import ResourceStore
    from linarite.domain.usage_limits import LimitCounts, Standing, UsageLimit

log = structlog.get_logger("linarite.limits")

REACHED, EXHAUSTED = "limit.threshold.reached", "limit.exhausted"
"""types of notices"""
PENDING_MAX = 10_000
"""crossings that are not in the activity log yet; the oldest go when it can't be written"""


async def declare_limits(
    store: ResourceStore, limits: Sequence[UsageLimitSettings], account_id: str
) -> None:
    """Make the store hold the limits that settings declare, and no others that they ever did.

    Raises SetupError for one that would limit nothing.
    """
    kept: set[str] = set()
    for said in limits:
        scope = account_id
        if said.set_on == "subscription":
            scope = f"/subscriptions/{subscription_of(account_id)}"
        wanted = Resource(
            id=f"{scope}/providers/{USAGE_LIMIT_TYPE}/{said.name}",
            type=USAGE_LIMIT_TYPE,
            name=said.name,
            properties={**said.properties, "provisioningState": "Succeeded"},
        )
        if problems := admit(wanted, None, LimitFacts(0, {})):
            raise SetupError(f"usage_limits '{said.name}': {problems[0].message}")
        if wanted.id.lower() in kept:
            raise SetupError(f"usage_limits: '{said.name}' is declared twice on the {said.set_on}.")
        kept.add(wanted.id.lower())
        await put_declared(store, wanted, keep_properties=False)
    for present in await store.list_under("", USAGE_LIMIT_TYPE):
        if is_declared(present) and present.id.lower() not in kept:
            await store.delete(present.id)


class KnownPools(Protocol):
    """What the data path knows of limits and pools, as it stands at any time."""

    @property
    def limit_desk(self) -> LimitDesk:
        """Whom usage limits have met."""
        ...

    @property
    def lending(self) -> Mapping[str, Pool]:
        """The quota pools in which some deployment may borrow, by each of their deployments."""
        ...


class LimitParts:
    """What watches the ledger, tells what is used, and tells others when much is."""

    def __init__(
        self,
        facts: KnownPools,
        rates: str,
        activity: ActivityLog,
        notifier: Notifier,
        tenant: str,
        stack: AsyncExitStack,
    ) -> None:
        """What is told goes to the activity log and to webhooks, until `stack` is left."""
        self._facts, self._rates = facts, rates
        self._desk = desk = facts.limit_desk
        self._notifier = notifier
        self._counts: LimitCounts = NoCounts()
        self.counted: Callable[[str, str], None] = lambda _limit, _threshold: None
        """called with a limit's name and the percentage that was reached, or `refusing`"""
        self._activity = activity
        self._tenant = tenant
        self._pending: deque[Crossing] = deque(maxlen=PENDING_MAX)
        self._waiting = asyncio.Event()
        desk.watch.tell = self.tell
        self._task = asyncio.create_task(self._run(), name="usage limits")
        stack.push_async_callback(self._stop)

    def over(self, ledger: Ledger) -> Ledger:
        """The ledger, watched; where rates are exact, with pools that lend."""
        self._counts = LedgerCounts(ledger, self._desk.subjects)
        if self._rates == "exact":
            ledger = LendingLedger(ledger, lambda: self._facts.lending)
        return WatchedLedger(ledger, self._desk.watch)

    async def standing(self, limit: UsageLimit) -> list[Standing]:
        """See LimitCounts. Raises LedgerUnavailable."""
        return await self._counts.standing(limit)

    def tell(self, crossing: Crossing) -> None:
        """Log it and count it; of days and months, leave the rest to those that send and write."""
        said, limit = facts_of(crossing), crossing.subject.limit
        how = f"{crossing.percent}" if crossing.percent else "refusing"
        self.counted(limit.name, how)
        log.warning(
            "usage limit",
            limit=limit.name,
            measure=said["measure"],
            percent=said["percent"],
            used=said["used"],
            bound=said["bound"],
            refusing=said["refusing"],
        )
        if crossing.bound.measure.window not in LASTING:
            # Callers can pass a minute's bound every minute, and what is kept would grow with it.
            return
        self._notifier.tell_soon(
            Notice(
                type=REACHED if crossing.percent else EXHAUSTED,
                data=said,
                account_id=limit.scope if of_account(limit.scope) else "",
                key=f"{limit.id.lower()}|{crossing.bound.measure.name}|{crossing.subject.name}"
                f"|{how}|{crossing.period}",
            )
        )
        self._pending.append(crossing)
        self._waiting.set()

    async def _stop(self) -> None:
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        await self._write()

    async def _run(self) -> None:
        while True:
            await self._waiting.wait()
            self._waiting.clear()
            await self._write()

    async def _write(self) -> None:
        taken, at = list(self._pending), datetime.now(UTC).isoformat()
        if not taken:
            return
        self._pending.clear()
        try:
            await self._activity.add([crossing_event(each, self._tenant, at) for each in taken])
        except Exception as problem:  # noqa: BLE001 - the next crossing brings it along
            self._put_back(taken)
            log.warning("the activity log could not be written", why=str(problem))
        except BaseException:  # the end, which writes what is left
            self._put_back(taken)
            raise

    def _put_back(self, taken: list[Crossing]) -> None:
        newer = list(self._pending)
        self._pending.clear()
        self._pending.extend([*taken, *newer])
