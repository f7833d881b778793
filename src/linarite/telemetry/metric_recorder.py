"""What tallies finished requests by the minute, for the metrics of Azure Monitor."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

import structlog

from linarite.domain.azure_metrics.grains import MINUTE_S, Grain, GrainQuery, Series, Tally
from linarite.domain.errors import LinariteError, ServiceUnavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from linarite.domain.azure_metrics.grains import MetricStore
    from linarite.domain.request_record import RequestRecord

FLUSH_S = 5.0
"""how much a killed process loses, at most"""
TIDY_S = 3600.0
SERIES_MAX = 2_000
"""combinations of a flush that are told apart; what is beyond is counted by account alone"""
GRAINS_MAX = 20_000
"""that wait in memory while the disk refuses"""
MINUTE_NS = MINUTE_S * 1_000_000_000
TIERS = frozenset(("", "auto", "default", "priority", "flex", "batch", "standard"))
"""that a request may ask for; other words are a caller's own, and told of no further"""
BATCH = 256
"""requests that are counted at once: a third of a millisecond"""
TOO_MANY_REQUESTS = 429
MILLISECOND = 0.001
"""of a microsecond"""

log = structlog.get_logger("linarite.metrics")

SPILLED = 10
"""where a key has it"""
Key = tuple[int, str, str, str, str, str, str, str, bool, int, str, str, str]
"""minute, then the fields of a record that a series is made of"""


class Utilization(NamedTuple):
    """How much of a provisioned deployment's throughput is in use now."""

    account_id: str
    region: str
    deployment: str
    model: str
    model_version: str
    percent: float


async def nothing_provisioned() -> Iterable[Utilization]:
    """A server that has no provisioned throughput."""
    return ()


class MetricRecorder:
    """Counts on the hot path; a task takes what has come to the store every few seconds.

    `observe` and the rest are of the event loop's thread.
    """

    def __init__(
        self,
        store: MetricStore,
        *,
        series_max: int = SERIES_MAX,
        flush_s: float = FLUSH_S,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.utilization: Callable[[], Awaitable[Iterable[Utilization]]] = nothing_provisioned
        """asked with each flush; it may raise LinariteError"""
        self._store = store
        self._series_max = series_max
        self._flush_s = flush_s
        self._now = now
        self._records: list[RequestRecord] = []
        self._tallies: dict[Key, Tally] = {}
        self._unwritten: dict[tuple[int, Series], Tally] = {}
        self._turn = asyncio.Lock()
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def observe(self, record: RequestRecord) -> None:
        """Take a finished request; counting many at once costs each of them a microsecond."""
        self._records.append(record)
        if len(self._records) >= BATCH:
            self._fold()

    async def sample(self) -> None:
        """Look how much of provisioned deployments is in use."""
        uses = await self.utilization()
        minute = int(self._now()) // MINUTE_S
        for use in uses:
            key = (
                *(minute, use.account_id, use.region, use.deployment, use.model),
                *(use.model_version, "", "", False, 0, "", "", ""),
            )
            self._tally(key).utilization.take([use.percent])

    async def start(self) -> None:
        """Begin to flush."""
        self._task = asyncio.create_task(self._keep(), name="metric recorder")

    async def stop(self) -> None:
        """Flush what is left, and close the store."""
        self._stopping.set()
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)
        try:
            with suppress(ServiceUnavailable):
                await self.flush()
        except Exception:
            log.exception("the last metrics not written by our own fault")
        await self._store.close()

    async def read(self, query: GrainQuery) -> list[Grain]:
        """What the store has, with what was counted up to now. Raises ServiceUnavailable."""
        await self.flush()
        return await self._store.read(query)

    async def flush(self) -> None:
        """Take what was counted to the store; what it refuses is kept. Raises ServiceUnavailable.

        Readers take turns with the task: what one has in hand, no other misses.
        """
        # A reader that leaves must not break off between the store's taking and our forgetting.
        await asyncio.shield(asyncio.create_task(self._flush(), name="flush of metrics"))

    async def _flush(self) -> None:
        async with self._turn:
            self._collect()
            if not self._unwritten:
                return
            grains = [
                Grain(minute * MINUTE_S, series, tally)
                for (minute, series), tally in self._unwritten.items()
            ]
            await self._store.add(grains)
            self._unwritten = {}

    def _fold(self) -> None:
        """Count the requests that were taken, those of one series together."""
        records, self._records = self._records, []
        groups: dict[Key, list[RequestRecord]] = {}
        for record in records:
            if record.account_id:
                groups.setdefault(_key_of(record), []).append(record)
        for key, group in groups.items():
            _count(self._tally(key), group)
            for record in group if key[SPILLED] else ():  # refused by another before
                if record.limited_by:
                    self._tally(_refused_key_of(record)).requests += 1

    def _tally(self, key: Key) -> Tally:
        found = self._tallies.get(key)
        if found is not None:
            return found
        if len(self._tallies) >= self._series_max:
            # By account alone, and by status: a count of requests is right in any case.
            key = (*key[:2], "", "", "", "", "", "", False, key[9], "", "", "")
        return self._tallies.setdefault(key, Tally())

    def _collect(self) -> None:
        self._fold()
        taken, self._tallies = self._tallies, {}
        lost = 0
        for (minute, account_id, *fields), tally in taken.items():
            region, deployment, model, version, operation, api, streamed, status, *rest = fields
            spilled, asked, tier = rest
            series = Series(
                account_key=account_id.lower(),
                region=str(region),
                deployment=str(deployment),
                model=str(model),
                model_version=str(version),
                operation=str(operation),
                api_version=str(api),
                streamed=bool(streamed),
                status=int(status),
                spilled=bool(spilled),
                tier_asked=str(asked),
                tier=str(tier),
            )
            place = minute, series
            there = self._unwritten.get(place)
            if there is not None:
                there.add(tally)
            elif len(self._unwritten) >= GRAINS_MAX:
                lost += 1
            else:
                self._unwritten[place] = tally
        if lost:
            log.error("metrics lost: they can't be written, and memory has no room", count=lost)

    async def _keep(self) -> None:
        failing = False
        tidied_at = -TIDY_S
        while not self._stopping.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(self._flush_s):
                    await self._stopping.wait()
            try:
                with suppress(LinariteError):  # the store of counts is away, and says so itself
                    await self.sample()
                await self.flush()
                if time.monotonic() - tidied_at >= TIDY_S:
                    tidied_at = time.monotonic()
                    await self._store.tidy(self._now())
            except ServiceUnavailable as problem:
                if not failing:
                    log.error("metrics not written", reason=problem.message)  # noqa: TRY400 - it says all
                failing = True
            except Exception:
                if not failing:
                    log.exception("metrics not written by our own fault")
                failing = True
            else:
                failing = False


def _key_of(record: RequestRecord) -> Key:
    model = record.model
    asked = record.service_tier_asked
    return (
        (record.started_at_ns + record.total_us * 1000) // MINUTE_NS,
        record.account_id,
        record.region,
        record.deployment if model else "",
        model,
        record.model_version,
        record.operation,
        record.api_version if model else "",
        record.streamed,
        record.status,
        "spilled" if record.spilled_from else "",
        asked if asked in TIERS else "",
        record.service_tier,
    )


def _refused_key_of(record: RequestRecord) -> Key:
    """What the provisioned deployment had answered before the request spilled over."""
    key = _key_of(record)
    return (*key[:3], record.spilled_from, *key[4:9], TOO_MANY_REQUESTS, "", *key[11:])


def _count(tally: Tally, records: list[RequestRecord]) -> None:
    """Count requests of one series: column by column, which is three times as fast."""
    tally.requests += len(records)
    tally.to_last_byte.take([each.total_us for each in records], MILLISECOND)
    tally.to_response.take(
        [each.to_first_token_us or each.total_us for each in records], MILLISECOND
    )
    told = [each for each in records if each.prompt_tokens]
    if not told:
        return
    tally.prompt_tokens += sum(each.prompt_tokens for each in told)
    tally.completion_tokens += sum(each.completion_tokens for each in told)
    tally.cached_tokens += sum(each.cached_tokens for each in told)
    tally.audio_prompt_tokens += sum(each.audio_prompt_tokens for each in told)
    tally.audio_completion_tokens += sum(each.audio_completion_tokens for each in told)
    tally.active_tokens.take(
        [each.prompt_tokens + each.completion_tokens - each.cached_tokens for each in told]
    )
    tally.cache_match.take([each.cached_tokens / each.prompt_tokens for each in told], 100.0)
    tally.to_first_byte_per_token.take(
        [each.to_first_token_us / each.prompt_tokens for each in told if each.to_first_token_us],
        MILLISECOND,
    )
    between_us = [
        (each.to_last_token_us - each.to_first_token_us) / (each.completion_tokens - 1)
        for each in told
        if each.completion_tokens > 1 and each.to_last_token_us > each.to_first_token_us > 0
    ]
    tally.between_tokens.take(between_us, MILLISECOND)
    tally.tokens_per_second.take([1 / each for each in between_us], 1_000_000.0)
