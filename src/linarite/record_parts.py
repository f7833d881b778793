"""Who is told of each request once it has ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.controls.audit.data_plane import DataPlaneAudit
from linarite.telemetry.access_log import AccessLog

if TYPE_CHECKING:
    from collections.abc import Callable

    from linarite.domain.audit import AuditTrail
    from linarite.domain.request_record import RequestRecord
    from linarite.metric_parts import MetricParts
    from linarite.setting_tree import Settings
    from linarite.storage.sqlite.requests import SqliteRequestLedger


def observer(
    settings: Settings, ledger: SqliteRequestLedger, trail: AuditTrail, metrics: MetricParts
) -> Callable[[RequestRecord], None]:
    """What takes each finished request's record; it is on the hot path."""
    access, audited = AccessLog(settings.logs.access), DataPlaneAudit(trail, settings.audit)

    def observe(record: RequestRecord) -> None:
        ledger.add(record)
        audited.observe(record)
        metrics.observe(record)
        access.write(record)

    return observe
