"""What becomes of a finished request: its minute, its series, its values, once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from linarite.domain.azure_metrics.grains import Grain, GrainQuery, Spread
from linarite.domain.errors import ServiceUnavailable
from linarite.storage.memory.metrics import MemoryMetricStore
from linarite.storage.sqlite.metrics import open_metric_store
from linarite.telemetry import metric_recorder
from linarite.telemetry.metric_recorder import MetricRecorder, Utilization
from tests.dataplane.rig import until
from tests.storage.builders import make_record

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from linarite.domain.request_record import RequestRecord

pytestmark = pytest.mark.anyio

ACCOUNT = "/subscriptions/S/accounts/A"
MINUTE_NS = 60 * 10**9
AT_NS = 1_767_225_600 * 10**9


def record(minute: int = 0, **changed: Any) -> RequestRecord:  # noqa: ANN401 - fields
    """A request that began in a minute after AT_NS."""
    fields = {"started_at_ns": AT_NS + minute * MINUTE_NS, "account_id": ACCOUNT}
    return make_record(**(fields | changed))


async def grains(recorder: MetricRecorder) -> list[Grain]:
    """Everything of the account."""
    return await recorder.read(GrainQuery(ACCOUNT.lower(), 0, 2**40))


async def test_a_request_is_counted_in_the_minute_in_which_it_ends() -> None:
    """With every value that metrics are made of."""
    recorder = MetricRecorder(MemoryMetricStore())
    recorder.observe(
        record(
            total_us=61_000_000,
            to_first_token_us=120_000,
            to_last_token_us=1_120_000,
            prompt_tokens=12,
            completion_tokens=11,
            cached_tokens=3,
            audio_prompt_tokens=2,
            model_version="1",
            region="Local",
        )
    )
    (found,) = await grains(recorder)
    assert found.at_s == AT_NS // 10**9 + 60
    series, tally = found.series, found.tally
    assert (series.deployment, series.model_version, series.region) == ("chat", "1", "Local")
    assert (series.operation, series.status, series.streamed) == (
        "ChatCompletions_Create",
        200,
        True,
    )
    assert (tally.requests, tally.prompt_tokens, tally.completion_tokens) == (1, 12, 11)
    assert (tally.cached_tokens, tally.audio_prompt_tokens) == (3, 2)
    assert tally.active_tokens == Spread(1, 20, 20, 20)
    assert tally.to_response.total == pytest.approx(120)
    assert tally.to_last_byte.total == pytest.approx(61_000)
    assert tally.to_first_byte_per_token.total == pytest.approx(10)
    assert tally.between_tokens.total == pytest.approx(100)
    assert tally.tokens_per_second.total == pytest.approx(10)
    assert tally.cache_match.total == pytest.approx(25)


async def test_what_spilled_over_was_refused_by_the_provisioned_one() -> None:
    """Where its rate was the reason: it has a request with 429, the other has the answer."""
    recorder = MetricRecorder(MemoryMetricStore())
    for limited_by in ("deployment-tokens", ""):
        recorder.observe(
            record(deployment="std", spilled_from="ptu", limited_by=limited_by, prompt_tokens=5)
        )
    found = {
        (each.series.deployment, each.series.status, each.series.spilled): each.tally
        for each in await grains(recorder)
    }
    assert set(found) == {("std", 200, True), ("ptu", 429, False)}
    assert found["std", 200, True].requests == 2
    assert found["ptu", 429, False].requests == 1
    assert found["ptu", 429, False].prompt_tokens == 0


async def test_many_at_once_are_what_they_are_one_by_one() -> None:
    """Batches, flushes in between and readers change no number."""
    at_once, one_by_one = (MetricRecorder(MemoryMetricStore()) for _ in range(2))
    for number in range(1000):
        each = record(number % 3, total_us=1000 + number, status=200 if number % 7 else 429)
        at_once.observe(each)
        one_by_one.observe(each)
        if number % 100 == 0:
            await one_by_one.flush()
    first, second = await grains(at_once), await grains(one_by_one)
    assert sum(each.tally.requests for each in first) == 1000
    key = lambda each: (each.at_s, each.series.status)  # noqa: E731 - once
    for one, other in zip(sorted(first, key=key), sorted(second, key=key), strict=True):
        assert one.tally.requests == other.tally.requests
        assert one.tally.to_last_byte.total == pytest.approx(other.tally.to_last_byte.total)
        assert one.tally.to_last_byte.most == other.tally.to_last_byte.most


async def test_callers_words_tell_no_series_apart() -> None:
    """Neither deployments that there are not, nor versions nobody has looked at, nor tiers."""
    recorder = MetricRecorder(MemoryMetricStore())
    for number in range(50):
        recorder.observe(
            record(
                model="",
                deployment=f"guess-{number}",
                api_version=f"v{number}",
                service_tier_asked=f"tier-{number}",
                status=404,
            )
        )
    (found,) = await grains(recorder)
    assert found.tally.requests == 50
    assert (found.series.deployment, found.series.api_version, found.series.tier_asked) == (
        "",
        "",
        "",
    )


async def test_memory_is_bounded_and_no_request_is_left_out() -> None:
    """Beyond the bound, requests are told apart by account and status alone."""
    recorder = MetricRecorder(MemoryMetricStore(), series_max=10)
    for number in range(300):
        recorder.observe(record(deployment=f"d{number}"))
    found = await grains(recorder)
    assert len(found) == 11
    assert sum(each.tally.requests for each in found) == 300


class Refusing(MemoryMetricStore):
    """A disk that is full."""

    full = True

    async def add(self, grains: Sequence[Grain]) -> None:
        """Refuse."""
        if self.full:
            raise ServiceUnavailable("full")
        await super().add(grains)


async def test_what_a_full_disk_refuses_is_written_later_once() -> None:
    """Nothing is lost, nothing doubled."""
    store = Refusing()
    recorder = MetricRecorder(store)
    recorder.observe(record())
    for _ in range(3):
        with pytest.raises(ServiceUnavailable):
            await recorder.flush()
    recorder.observe(record())
    store.full = False
    (found,) = await grains(recorder)
    assert found.tally.requests == 2


async def test_what_memory_has_no_room_for_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once the disk has refused for long; what waited is written."""
    monkeypatch.setattr(metric_recorder, "GRAINS_MAX", 2)
    store = Refusing()
    recorder = MetricRecorder(store)
    for minute in range(5):
        recorder.observe(record(minute))
    with capture_logs() as logs, pytest.raises(ServiceUnavailable):
        await recorder.flush()
    assert [(each["log_level"], each["count"]) for each in logs] == [("error", 3)]
    store.full = False
    assert len(await grains(recorder)) == 2


class Broken(Refusing):
    """One with a bug."""

    closed = False
    tried = 0

    async def add(self, grains: Sequence[Grain]) -> None:
        """Break."""
        self.tried += 1
        if self.full:
            raise OverflowError("too large")
        await super().add(grains)

    async def close(self) -> None:
        """Note it."""
        self.closed = True
        await super().close()


@pytest.mark.parametrize("stays", [True, False])
async def test_a_fault_of_ours_ends_no_counting(*, stays: bool) -> None:
    """It is logged once; what was counted is written as soon as it can be."""
    store = Broken()
    recorder = MetricRecorder(store, flush_s=0.01)
    recorder.observe(record())
    with capture_logs() as logs:
        await recorder.start()
        await until(lambda: store.tried > 2)
        store.full, before = stays, store.tried
        await until(lambda: store.tried > before)
        kept = await store.read(GrainQuery(ACCOUNT.lower(), 0, 2**40))
        await recorder.stop()
    assert [each.tally.requests for each in kept] == ([] if stays else [1])
    assert len(logs) == 1 + stays
    assert store.closed


async def test_a_reader_that_leaves_doubles_nothing(tmp_path: Path) -> None:
    """Reads are cancelled at every moment; each request is there once."""
    recorder = MetricRecorder(open_metric_store(tmp_path))
    await recorder.start()
    for number in range(60):
        recorder.observe(record())
        reading = asyncio.create_task(grains(recorder))
        await asyncio.sleep(0.0002 * (number % 10))
        reading.cancel()
    (found,) = await grains(recorder)
    assert found.tally.requests == 60
    await recorder.stop()
    again = MetricRecorder(open_metric_store(tmp_path))
    again.observe(record())
    (found,) = await grains(again)
    assert found.tally.requests == 61
    await again.stop()


async def test_provisioned_throughput_is_looked_at() -> None:
    """As samples of the deployment's use."""
    percents = iter((20.0, 80.0))
    recorder = MetricRecorder(MemoryMetricStore(), now=lambda: AT_NS / 10**9)

    async def utilization() -> list[Utilization]:
        return [Utilization(ACCOUNT, "Local", "ptu", "gpt", "1", next(percents))]

    recorder.utilization = utilization
    await recorder.sample()
    await recorder.sample()
    (found,) = await grains(recorder)
    assert (found.series.status, found.series.deployment) == (0, "ptu")
    assert found.tally.utilization == Spread(2, 100.0, 20.0, 80.0)
