"""Evaluates budgets from the sums of each day, and tells once of each threshold and period."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import msgspec
import structlog

from linarite.alerts.budget_payload import NOTICE_TYPE, Reached, body_of, data_of
from linarite.alerts.receivers import told_by
from linarite.domain.budgets import (
    ACTUAL,
    BUDGET_TYPE,
    STATE_TYPE,
    Budget,
    BudgetState,
    Period,
    Spend,
    budget_of,
    forecast,
)
from linarite.domain.errors import ServiceUnavailable
from linarite.domain.notice import Notice
from linarite.domain.outbox import Letter
from linarite.domain.price_book import NANO
from linarite.domain.resource import Resource
from linarite.domain.usage_report import TooManySums, UsageQuestion

if TYPE_CHECKING:
    from collections.abc import Callable

    from linarite.domain.alerts import Postbox
    from linarite.domain.notice import Notifier
    from linarite.domain.resource import Committed, ResourceStore
    from linarite.domain.usage_report import UsageBook

EVERY_S = 30.0
MARK = f"/providers/{BUDGET_TYPE}/".lower()

log = structlog.get_logger("linarite.alerts")


def now_in_utc() -> datetime:
    """By the clock of this machine."""
    return datetime.now(UTC)


class BudgetWatch:
    """`BudgetBook`: all budgets. `start`, then `stop` once."""

    def __init__(
        self,
        resources: ResourceStore,
        usage: UsageBook,
        postbox: Postbox,
        notifier: Notifier,
        currency: str,
        clock: Callable[[], datetime] = now_in_utc,
    ) -> None:
        self._resources = resources
        self._usage = usage
        self._postbox = postbox
        self._notifier = notifier
        self._currency = currency
        self._clock = clock
        self._spends: dict[str, Spend] = {}
        self._some = asyncio.Event()
        """set while there may be budgets"""
        self._turn = asyncio.Lock()
        self._watching: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Look at them now, and again and again."""
        self._resources.subscribe(self.follow)
        self._some.set()
        self._watching = asyncio.create_task(self._watch(), name="budgets")

    async def stop(self) -> None:
        """Leave what is still to be told to the next server."""
        if self._watching is not None:
            self._watching.cancel()
            with suppress(asyncio.CancelledError):
                await self._watching

    async def follow(self, committed: Committed) -> None:
        """The first budget is looked at with all that follow; one that is gone is forgotten."""
        if any(MARK in each.lower() for each in committed.written):
            self._some.set()
        for gone in committed.removed:
            self._spends.pop(gone.lower(), None)

    def spend_of(self, budget_id: str) -> Spend | None:
        """See BudgetBook."""
        return self._spends.get(budget_id.lower())

    async def evaluate(self, budget_id: str) -> None:
        """See BudgetBook."""
        resource = await self._resources.get(budget_id)
        if resource is not None:
            await self._apart(resource)

    async def sweep(self) -> int:
        """Look at each; how many there are. Raises ServiceUnavailable."""
        there = await self._resources.list_under("", BUDGET_TYPE)
        for resource in there:
            await self._apart(resource)
        return len(there)

    async def _watch(self) -> None:
        while True:
            try:
                if not await self.sweep():
                    self._some.clear()
            except ServiceUnavailable as refusal:
                log.warning("budgets wait for their store", reason=refusal.message)
            except Exception:
                log.exception("budgets not evaluated by our own fault")
            await asyncio.sleep(EVERY_S)
            await self._some.wait()

    async def _apart(self, resource: Resource) -> None:
        """One budget, whose failure is no other's."""
        try:
            async with self._turn:
                await self._evaluate(budget_of(resource))
        except ServiceUnavailable as refusal:
            log.warning("budget waits for its store", resource=resource.id, reason=refusal.message)
        except TooManySums:
            log.warning("budget has too many sums to look at", resource=resource.id)
        except Exception:
            log.exception("budget not evaluated by our own fault", resource=resource.id)

    async def _evaluate(self, budget: Budget) -> None:
        now = self._clock()
        period = budget.period(now.date())
        if period is None:
            self._spends.pop(budget.id.lower(), None)
            return
        spent = await self._spent(budget, period)
        spend = Spend(spent, forecast(spent, period, now.date()))
        self._spends[budget.id.lower()] = spend
        state = await self._state(budget)
        if state.letters:  # a server died before it had handed them on
            state = await self._hand_on(budget, state)
        for name, notification in budget.notifications.items():
            figure = spend.amount if notification.threshold_type == ACTUAL else spend.forecast
            mark = f"{period.since}/{budget.amount:g}/{notification.threshold:g}"
            if not notification.enabled or figure is None or state.told.get(name) == mark:
                continue
            if notification.is_met(figure, budget.amount):
                reached = Reached(
                    budget=budget,
                    name=name,
                    notification=notification,
                    spent=figure,
                    currency=self._currency,
                    since=period.since.isoformat(),
                    at=now.isoformat(timespec="microseconds"),
                )
                state = await self._tell(reached, state, mark)

    async def _spent(self, budget: Budget, period: Period) -> float:
        by = tuple(dict.fromkeys(dimension.read_from for dimension, _ in budget.conditions))
        question = UsageQuestion(period.since, period.until, budget.scope, by=by)
        cost_nano = 0
        for each in await self._usage.usage(question):
            told = dict(zip(by, each.group, strict=True))
            if all(
                dimension.shown(told[dimension.read_from]).lower() in values
                for dimension, values in budget.conditions
            ):
                cost_nano += each.counts.cost_nano
        return cost_nano / NANO

    async def _tell(self, reached: Reached, state: BudgetState, mark: str) -> BudgetState:
        """Write what is to be told, then hand it on."""
        budget = reached.budget
        log.warning(
            "budget threshold reached", resource=budget.id, percent=reached.notification.threshold
        )
        key = sha256(f"{budget.id.lower()}|{reached.name}|{mark}".encode()).hexdigest()[:32]
        receivers = {
            destination: receiver
            for group in reached.notification.contact_groups
            for destination, receiver in (await told_by(self._resources, group)).items()
        }
        letters = [
            Letter(
                id=f"msg_{key}_{place}",
                destination=destination,
                account_id=budget.scope,
                type=NOTICE_TYPE,
                body=body_of(reached, common=receiver.use_common_alert_schema),
                made_at=reached.at,
                due_at=reached.at,
            )
            for place, (destination, receiver) in enumerate(receivers.items())
        ]
        told = BudgetState({**state.told, reached.name: mark}, letters)
        await self._keep(budget, told)
        await self._notifier.tell(Notice(type=NOTICE_TYPE, data=data_of(reached), key=key))
        return await self._hand_on(budget, told)

    async def _hand_on(self, budget: Budget, state: BudgetState) -> BudgetState:
        await self._postbox.post(state.letters)
        done = msgspec.structs.replace(state, letters=[])
        if state.letters:
            await self._keep(budget, done)
        return done

    async def _state(self, budget: Budget) -> BudgetState:
        kept = await self._resources.get(_state_id(budget))
        return msgspec.convert(kept.properties, BudgetState) if kept else BudgetState()

    async def _keep(self, budget: Budget, state: BudgetState) -> None:
        if await self._resources.get(budget.id) is None:
            return  # deleted meanwhile: nothing may lie below it
        properties: dict[str, Any] = msgspec.to_builtins(state)
        await self._resources.put(
            Resource(id=_state_id(budget), type=STATE_TYPE, name="default", properties=properties)
        )


def _state_id(budget: Budget) -> str:
    return f"{budget.id}/providers/{STATE_TYPE}/default"
