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


class MetricParts:
    """Opened once, before anything is served."""

    def __init__(self, settings: Settings, home: Path) -> None:
        """Open the folder's `Database` first: it holds the lock. Raises SetupError."""
        kept = settings.metrics
        retention = Retention(age_s=kept.keep_days * DAY_S or None, rows=kept.minutes_max or None)
        self.requests = RequestMetrics(version=__version__)
        self.recorder = MetricRecorder(open_metric_store(home, retention))
        self._settings = settings

    async def start(self, stack: AsyncExitStack) -> None:
        """Begin to keep what is counted."""
        await self.recorder.start()
        stack.push_async_callback(self.recorder.stop)

    def observe(self, record: RequestRecord) -> None:
        """Count a finished request; it is on the hot path."""
        self.requests.observe(record)
        self.recorder.observe(record)
