"""The metrics of a whole server: counted for Prometheus and by the minute, told to a collector."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite import __version__
from linarite.storage.retention import Retention
from linarite.storage.sqlite.metrics import open_metric_store
from linarite.telemetry.metric_recorder import MetricRecorder
from linarite.telemetry.metrics import RequestMetrics

if TYPE_CHECKING:
    from contextlib import AsyncExitStack
    from pathlib import Path

    from linarite.domain.request_record import RequestRecord
    from linarite.setting_tree import Settings

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

    def observe(self, record: RequestRecord) -> None:
        """Count a finished request; it is on the hot path."""
        self.requests.observe(record)
        self.recorder.observe(record)
