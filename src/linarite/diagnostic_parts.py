"""What a whole server tells of its records and metrics: sinks and exports, and alerts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from linarite.alerts.budgets import BudgetWatch
from linarite.alerts.watch import AlertWatch
from linarite.diagnostics.export import Logs
from linarite.diagnostics.running import Diagnostics
from linarite.diagnostics.sinks.opening import Sinks
from linarite.domain.alerts import SEALED_SECRET, receivers_of, secret_name
from linarite.domain.budgets import NO_BUDGETS
from linarite.domain.target import target_of
from linarite.otlp_endpoint import OtlpEndpoint
from linarite.storage.sqlite.alert_states import SqliteAlertStates
from linarite.storage.sqlite.cursors import SqliteCursorStore
from linarite.telemetry.standing import ToldCounts
from linarite.webhooks.destination import Destination

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AsyncExitStack

    from linarite.diagnostics.export import Export
    from linarite.domain.alerts import AlertState
    from linarite.domain.audit import AuditTrail
    from linarite.domain.azure_metrics.grains import MetricReader
    from linarite.domain.budgets import BudgetBook
    from linarite.domain.diagnostics import RequestLog
    from linarite.domain.dial import SocketDialer
    from linarite.domain.resource import ResourceStore
    from linarite.domain.secret_box import SecretBox
    from linarite.domain.usage_report import UsageBook
    from linarite.settings import Loaded
    from linarite.storage.database import Database
    from linarite.webhooks.sender import WebhookSender


class DiagnosticParts:
    """`linarite.domain.diagnostics.DiagnosticViews`. `open` once."""

    def __init__(self, loaded: Loaded, resources: ResourceStore, sender: WebhookSender) -> None:
        self._loaded = loaded
        self._resources = resources
        self._sender = sender
        self._running: Diagnostics | None = None
        self._alerts: AlertWatch | None = None
        self.budgets: BudgetBook = NO_BUDGETS
        """how budgets stand; `watch` begins to look at them"""

    @property
    def sinks(self) -> Mapping[str, str]:
        """Name → kind of the sinks that settings declare."""
        return {name: each.kind for name, each in self._loaded.settings.diagnostic_sinks.items()}

    def deliveries(self, account_id: str) -> list[dict[str, Any]]:
        """How an account's settings stand with their sinks."""
        running = self._running.of(account_id) if self._running is not None else []
        return [_shown(export) for export in running]

    def counts(self) -> ToldCounts:
        """What became of notices and of records, for the metrics."""
        exports = self._running.all if self._running is not None else []
        return ToldCounts(
            dead=self._sender.dead_count,
            lost=self._sender.lost_count,
            exports_waiting=sum(bool(each.trouble) for each in exports),
            records_lost=sum(cursor.lost for each in exports for cursor in each.cursors),
        )

    def fired(self, rule_id: str) -> list[AlertState]:
        """The alerts of a metric alert rule that are not resolved."""
        return self._alerts.fired(rule_id) if self._alerts is not None else []

    async def watch(
        self,
        stack: AsyncExitStack,
        database: Database,
        measured: tuple[MetricReader, UsageBook],
        box: SecretBox,
    ) -> None:
        """Evaluate alert rules and budgets from here on, until the stack is left."""
        metrics, usage = measured
        resources = self._resources

        async def find(name: str) -> Destination | None:
            group_id, _, wanted = name.partition("#")
            group = await resources.get(group_id) if wanted else None
            if group is None:
                return None
            secret = box.unseal(secret_name(group.id), group.properties[SEALED_SECRET])
            for receiver in receivers_of(group.properties):
                if receiver.name == wanted:
                    return Destination(
                        target_of(receiver.service_uri), (secret,), purpose="action_group"
                    )
            return None

        self._sender.also_find(find)
        currency = self._loaded.settings.prices.currency
        budgets = BudgetWatch(resources, usage, self._sender, self._sender, currency)
        self.budgets = budgets
        await budgets.start()
        stack.push_async_callback(budgets.stop)
        self._alerts = AlertWatch(resources, metrics, SqliteAlertStates(database), self._sender)
        await self._alerts.start()
        stack.push_async_callback(self._alerts.stop)

    async def open(
        self,
        stack: AsyncExitStack,
        database: Database,
        dialer: SocketDialer,
        logs: tuple[RequestLog, AuditTrail, MetricReader],
        tenant: str,
    ) -> None:
        """Send from here on, until the stack is left. Raises SetupError for a wrong sink."""
        otlp = self._loaded.settings.otlp
        sinks = Sinks(
            self._loaded.settings.diagnostic_sinks,
            self._loaded.home,
            dialer,
            (lambda: OtlpEndpoint(otlp, dialer)) if otlp.endpoint else None,
        )
        read = Logs(*logs, SqliteCursorStore(database), tenant)
        self._running = Diagnostics(self._resources, read, sinks)
        await self._running.start()
        stack.push_async_callback(self._running.stop)


def _shown(export: Export) -> dict[str, Any]:
    cursors = export.cursors
    return {
        "setting": export.setting.name,
        "settingId": export.setting.id,
        "sink": export.destination.sink,
        "state": "Waiting" if export.trouble else "Running",
        "reason": export.trouble,
        "sent": sum(each.sent for each in cursors),
        "lost": sum(each.lost for each in cursors),
        "lastSentAt": max((each.at for each in cursors), default="") or None,
    }
