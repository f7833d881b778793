"""Evaluates rules when they are due, and tells action groups of what has changed."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

import msgspec
import structlog

from linarite.alerts.evaluation import Met, met_by
from linarite.alerts.payload import Told, body_of
from linarite.alerts.receivers import told_by
from linarite.domain.alerts import (
    ACTION_GROUP_TYPE,
    DURATIONS_S,
    METRIC_ALERT_TYPE,
    AlertAction,
    AlertRule,
    AlertState,
    Criterion,
)
from linarite.domain.azure_metrics.grains import MINUTE_S
from linarite.domain.azure_metrics.question import Window, grains_in
from linarite.domain.errors import ServiceUnavailable
from linarite.domain.outbox import Letter

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from linarite.domain.alerts import AlertStates, Postbox
    from linarite.domain.azure_metrics.grains import MetricReader
    from linarite.domain.resource import Committed, Resource, ResourceStore

log = structlog.get_logger("linarite.alerts")

LAG_S = 2
"""after a minute has ended, until it is looked at: requests that ended with it are counted then"""
LOOK_S = 1.0
RETRY_S = 30.0
WELL_TO_RESOLVE = 3
"""evaluations in a row that must find nothing wrong, as on Azure"""
MARKS = tuple(f"/providers/{kind}/".lower() for kind in (METRIC_ALERT_TYPE, ACTION_GROUP_TYPE))
NOTICE_TYPE = "alert.metric"


class AlertWatch:
    """All rules. `start`, then `stop` once."""

    def __init__(
        self,
        resources: ResourceStore,
        metrics: MetricReader,
        states: AlertStates,
        postbox: Postbox,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._resources = resources
        self._metrics = metrics
        self._store = states
        self._postbox = postbox
        self._clock = clock
        self._rules: dict[str, AlertRule] = {}
        self._states: dict[str, AlertState] = {}
        self._evaluated: dict[str, int] = {}
        """rule → the last end of a window that was looked at"""
        self._changed = asyncio.Event()
        self._watching: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Tell what an earlier server had no time to tell, and watch."""
        self._resources.subscribe(self.follow)
        self._states = {each.key: each for each in await self._store.all()}
        self._changed.set()
        self._watching = asyncio.create_task(self._watch(), name="metric alerts")

    async def stop(self) -> None:
        """Leave alerts as they stand."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)

    async def follow(self, committed: Committed) -> None:
        """Read the rules anew when one was written, or anything was removed."""
        if committed.removed or any(m in each.lower() for each in committed.written for m in MARKS):
            self._changed.set()

    def fired(self, rule_id: str) -> list[AlertState]:
        """The alerts of a rule that are not resolved."""
        wanted = rule_id.lower()
        states = self._states.values()
        return [each for each in states if each.rule_id.lower() == wanted and not each.resolved_at]

    async def sweep(self) -> None:
        """Evaluate what is due. Raises ServiceUnavailable."""
        if self._changed.is_set():
            self._changed.clear()
            try:
                await self._read_rules()
            except BaseException:
                self._changed.set()
                raise
        for state in [each for each in self._states.values() if each.letters]:
            await self._apart(self._hand_on(state), state.rule_id)
        for rule in list(self._rules.values()):
            every_s = DURATIONS_S[rule.frequency]
            until_s = int(self._clock() - LAG_S) // every_s * every_s
            if self._evaluated.get(rule.id) != until_s:
                await self._apart(self._evaluate(rule, until_s), rule.id)
                self._evaluated[rule.id] = until_s

    async def _apart(self, step: Coroutine[None, None, None], rule_id: str) -> None:
        """A step for one rule, whose failure is no other's. Raises ServiceUnavailable."""
        try:
            await step
        except ServiceUnavailable:
            raise
        except Exception:
            log.exception("alert rule not evaluated by our own fault", resource=rule_id)

    async def _watch(self) -> None:
        while True:
            try:
                await self.sweep()
            except ServiceUnavailable as refusal:
                log.warning("alerts wait for their store", reason=refusal.message)
                await asyncio.sleep(LOOK_S)
            except Exception:
                log.exception("alerts not evaluated by our own fault")
                await asyncio.sleep(RETRY_S)
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S if self._rules else None):
                    await self._changed.wait()

    async def _read_rules(self) -> None:
        kept = await self._resources.list_under("", METRIC_ALERT_TYPE)
        rules = [rule_of(each) for each in kept if each.properties.get("enabled")]
        self._rules = {rule.id.lower(): rule for rule in rules}
        gone = [
            key for key, each in self._states.items() if each.rule_id.lower() not in self._rules
        ]
        if gone:
            await self._store.forget(gone)
        for key in gone:
            del self._states[key]

    async def _evaluate(self, rule: AlertRule, until_s: int) -> None:
        size_s = DURATIONS_S[rule.window]
        window = Window(until_s - size_s, until_s, max(size_s, MINUTE_S))
        grains = await grains_in(self._metrics, [rule.account_id.lower()], window)
        met = {_key(rule, each.dimensions): each for each in met_by(rule, grains, window)}
        for key, each in met.items():
            await self._is_met(rule, key, each, window)
        for state in self.fired(rule.id):
            if state.key not in met:
                await self._is_well(rule, state, window)

    async def _is_met(self, rule: AlertRule, key: str, met: Met, window: Window) -> None:
        known = self._states.get(key)
        if known is not None and rule.auto_mitigate:
            if known.well_count:
                await self._keep(msgspec.structs.replace(known, well_count=0))
            return
        state = AlertState(
            key=key,
            rule_id=rule.id,
            alert_id=str(uuid4()),
            dimensions=met.dimensions,
            fired_at=_stamp(self._clock()),
        )
        log.warning("alert fired", resource=rule.id, count=len(rule.actions))
        await self._tell(Told(rule, state, met, _stamp(window.since_s), _stamp(window.until_s)))

    async def _is_well(self, rule: AlertRule, state: AlertState, window: Window) -> None:
        well = msgspec.structs.replace(state, well_count=state.well_count + 1)
        if not rule.auto_mitigate:
            await self._forget(state.key)
        elif well.well_count < WELL_TO_RESOLVE:
            await self._keep(well)
        else:
            resolved = msgspec.structs.replace(well, resolved_at=_stamp(self._clock()))
            log.info("alert resolved", resource=rule.id)
            since, until = _stamp(window.since_s), _stamp(window.until_s)
            await self._tell(Told(rule, resolved, None, since, until))

    async def _tell(self, told: Told) -> None:
        """Write the change with what is to be told of it, then hand that on."""
        state = msgspec.structs.replace(told.state, letters=await self._letters(told))
        await self._keep(state)
        await self._hand_on(state)

    async def _hand_on(self, state: AlertState) -> None:
        await self._postbox.post(state.letters)
        if state.resolved_at:
            await self._forget(state.key)
        else:
            await self._keep(msgspec.structs.replace(state, letters=[]))

    async def _letters(self, told: Told) -> list[Letter]:
        found: list[Letter] = []
        condition = "resolved" if told.state.resolved_at else "fired"
        at = told.state.resolved_at or told.state.fired_at
        for action in told.rule.actions:
            receivers = await told_by(self._resources, action.action_group_id)
            for destination, receiver in receivers.items():
                properties = action.web_hook_properties
                common = receiver.use_common_alert_schema
                found.append(
                    Letter(
                        id=f"msg_{told.state.alert_id}_{condition}_{len(found)}",
                        destination=destination,
                        type=f"{NOTICE_TYPE}.{condition}",
                        body=body_of(told, properties, common=common),
                        account_id=told.rule.account_id,
                        made_at=at,
                        due_at=at,
                    )
                )
        return found

    async def _keep(self, state: AlertState) -> None:
        await self._store.keep(state)
        self._states[state.key] = state

    async def _forget(self, key: str) -> None:
        await self._store.forget([key])
        self._states.pop(key, None)


def rule_of(kept: Resource) -> AlertRule:
    """A rule as it is evaluated; what was admitted can be read."""
    said = kept.properties
    return AlertRule(
        id=kept.id,
        name=kept.name,
        account_id=str(said["scopes"][0]).rstrip("/"),
        description=str(said.get("description") or ""),
        severity=int(said["severity"]),
        window=said["windowSize"],
        frequency=said["evaluationFrequency"],
        criteria=msgspec.convert(said["criteria"]["allOf"], list[Criterion]),
        auto_mitigate=said.get("autoMitigate") is not False,
        actions=msgspec.convert(said.get("actions") or [], list[AlertAction]),
    )


def _key(rule: AlertRule, dimensions: dict[str, str]) -> str:
    said = " ".join(f"{name}={value}" for name, value in sorted(dimensions.items()))
    return f"{rule.id.lower()} {said}".rstrip()


def _stamp(at_s: float) -> str:
    at = datetime.fromtimestamp(at_s, UTC)
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")
