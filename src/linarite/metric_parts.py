"""The metrics of a whole server: counted for Prometheus and by the minute, told to a collector."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite import __version__
from linarite.hosting.engine_watch import EngineWatch
from linarite.otlp_endpoint import OtlpEndpoint
from linarite.storage.retention import Retention
from linarite.storage.sqlite.metrics import open_metric_store
from linarite.telemetry.metric_recorder import MetricRecorder, Utilization
from linarite.telemetry.metrics import RequestMetrics
from linarite.telemetry.otlp import OtlpSender
from linarite.telemetry.otlp.export import MetricExport
from linarite.telemetry.provisioned_meter import ProvisionedMeter
from linarite.telemetry.standing import StoredBytes, ToldCounts
from linarite.telemetry.traces import Tracer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from contextlib import AsyncExitStack
    from pathlib import Path

    from linarite.controls.egress import EgressDialer
    from linarite.controls.quota import Limiter
    from linarite.domain.engine import EngineUse
    from linarite.domain.facts import Account, Deployment, Facts
    from linarite.domain.price_book import PriceBook
    from linarite.domain.request_record import RequestRecord
    from linarite.hosting.host import Host
    from linarite.setting_tree import Settings
    from linarite.storage.sqlite.requests import SqliteRequestLedger
    from linarite.telemetry.options import Otlp

DAY_S = 86_400.0


async def open_metrics(stack: AsyncExitStack, settings: Settings, home: Path) -> MetricParts:
    """Opened once, before anything is served, and kept from then on. Raises SetupError."""
    parts = MetricParts(settings, home)
    await parts.recorder.start()
    stack.push_async_callback(parts.recorder.stop)
    return parts


class MetricParts:
    """What counts requests."""

    def __init__(self, settings: Settings, home: Path) -> None:
        """Open the folder's `Database` first: it holds the lock. Raises SetupError."""
        kept = settings.metrics
        retention = Retention(age_s=kept.keep_days * DAY_S or None, rows=kept.minutes_max or None)
        self.requests = RequestMetrics(version=__version__)
        self.recorder = MetricRecorder(open_metric_store(home, retention))
        self._senders: list[OtlpSender] = []
        """to a collector, if there is one"""
        self.told: Callable[[], ToldCounts] = ToldCounts
        """what became of notices and diagnostic records"""
        self.stored: Callable[[], StoredBytes | None] = lambda: None
        """how much accounts store"""
        self.tracer: Tracer | None = None
        """of requests, if they are traced"""
        self.engine_uses: Callable[[], Mapping[str, EngineUse]] = dict
        """how engines stood when they were looked at last, by instance"""

    def observe(self, record: RequestRecord) -> None:
        """Count a finished request; it is on the hot path."""
        self.requests.observe(record)
        self.recorder.observe(record)
        if self.tracer is not None:
            self.tracer.observe(record)

    def exports(self) -> tuple[int, int]:
        """How many bodies the collector took, and how many it will never have."""
        senders = self._senders
        return sum(each.sent for each in senders), sum(each.dropped for each in senders)

    def watch(self, host: Host, stack: AsyncExitStack) -> None:
        """Look at engines from here on."""
        watch = EngineWatch(host)
        watch.start()
        stack.push_async_callback(watch.stop)
        self.engine_uses = lambda: watch.uses

    def trace(self, settings: Otlp, dialer: EgressDialer, stack: AsyncExitStack) -> None:
        """Export spans to the collector that settings name, if they do. Raises SetupError."""
        if not (settings.endpoint and settings.traces):
            return
        sender = self._sender(settings, dialer)
        self.tracer = Tracer(sender, ratio=settings.traces_ratio, version=__version__)
        self.tracer.start()
        stack.push_async_callback(self.tracer.stop)

    def tell(
        self,
        settings: Otlp,
        dialer: EgressDialer,
        refresh: Callable[[], None],
        stack: AsyncExitStack,
    ) -> None:
        """Export to the collector that settings name, if they do. Raises SetupError."""
        if not (settings.endpoint and settings.metrics):
            return
        export = MetricExport(
            self._sender(settings, dialer),
            self.requests.families,
            refresh,
            interval_s=settings.metrics_interval_s,
            version=__version__,
        )
        export.start()
        stack.push_async_callback(export.stop)

    def _sender(self, settings: Otlp, dialer: EgressDialer) -> OtlpSender:
        sender = OtlpSender(OtlpEndpoint(settings, dialer))
        self._senders.append(sender)
        return sender

    def measure_provisioned(self, facts: Callable[[], Iterable[Facts]], limiter: Limiter) -> None:
        """Look how much of provisioned deployments is in use from here on."""

        async def utilization() -> list[Utilization]:
            found: list[Utilization] = []
            for each in facts():
                for where in each.deployments.values():
                    percent = await limiter.utilization(where) if where.sku.provisioned else None
                    if percent is not None:
                        found.append(_utilization(each.account, where, percent))
            return found

        self.recorder.utilization = utilization


def charge_provisioned(
    facts: Callable[[], Iterable[Facts]],
    ledger: SqliteRequestLedger,
    prices: PriceBook,
    stack: AsyncExitStack,
) -> None:
    """Charge hours of provisioned throughput from here on, until the stack is left."""
    meter = ProvisionedMeter(facts, ledger.provisioned_hours, prices)
    meter.start()
    stack.push_async_callback(meter.stop)


def _utilization(account: Account, where: Deployment, percent: float) -> Utilization:
    return Utilization(
        account_id=account.id,
        region=where.region_title or account.region_title,
        deployment=where.name,
        model=where.model.name,
        model_version=where.model.version,
        percent=percent,
    )
