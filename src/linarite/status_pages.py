"""`/healthz`, `/readyz` and `/metrics`: what orchestrators and Prometheus ask."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec

from linarite.domain.errors import InvalidKey
from linarite.telemetry.metrics import CONTENT_TYPE
from linarite.telemetry.standing import InstanceStanding
from linarite.web.error_envelope import error_body
from linarite.web.pages import page

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from linarite.controls.audit.trail import Trail
    from linarite.controls.egress import EgressDialer
    from linarite.dataplane.facts import FactsBook
    from linarite.hosting.host import Host
    from linarite.metric_parts import MetricParts
    from linarite.storage.sqlite.requests import SqliteRequestLedger
    from linarite.web.asgi import App
    from linarite.web.pages import Render, Rendered

JSON = "application/json"


class StatusPages:
    """The operations plane."""

    def __init__(
        self,
        host: Host,
        facts: FactsBook,
        ledger: SqliteRequestLedger,
        metrics: MetricParts,
        dialer: EgressDialer,
        trail: Trail,
    ) -> None:
        self._host = host
        self._facts = facts
        self._ledger = ledger
        self._metrics = metrics
        self._dialer = dialer
        self._trail = trail
        self._rendering: asyncio.Task[bytes] | None = None

    def by_path(
        self, recognise: Callable[[Mapping[bytes, bytes]], object] | None
    ) -> dict[str, App]:
        """The pages; with `recognise` (raising InvalidKey) all but `/healthz` want a key."""

        def guarded(
            render: Callable[[], Rendered | Awaitable[Rendered]],
        ) -> Render:
            def answer(headers: Mapping[bytes, bytes]) -> Rendered | Awaitable[Rendered]:
                if recognise is not None:
                    try:
                        recognise(headers)
                    except InvalidKey as refusal:
                        return refusal.status, JSON, error_body(refusal)
                return render()

            return answer

        return {
            "/healthz": page(lambda _: (200, "text/plain", b"ok\n")),
            "/readyz": page(guarded(self._ready)),
            "/metrics": page(guarded(self._measured)),
        }

    def _ready(self) -> Rendered:
        """200 when every instance that was to start can serve; what is missing, otherwise."""
        deployments = [d for facts in self._facts.all() for d in facts.deployments.values()]
        serving = self._host.serving(deployments)
        ready = all(item.state in {"Ready", "NotStarted"} for item in serving)
        body = {
            "ready": ready,
            "audit": {
                "writable": not self._trail.failing,
                "detail": self._trail.failing,
                "backlog": self._trail.backlog,
                "lost": self._trail.lost,
            },
            "deployments": [
                {
                    "name": item.deployment.name,
                    "model": item.deployment.model.name,
                    "state": item.state,
                    "detail": item.detail,
                }
                for item in serving
            ],
        }
        return (200 if ready else 503), JSON, msgspec.json.encode(body)

    def refresh(self) -> None:
        """Have the metrics show how the server stands now."""
        standing = self._metrics.requests.standing
        uses = self._metrics.engine_uses()
        standing.set_instances(
            {
                instance.spec.name: InstanceStanding(
                    state=instance.state,
                    running=instance.gate.running,
                    waiting=instance.gate.waiting_by_class,
                    use=uses.get(instance.spec.name),
                )
                for instance in self._host.instances()
            }
        )
        standing.set_ledger(backlog=self._ledger.backlog, dropped=self._ledger.dropped)
        standing.set_audit(
            written=self._trail.written, backlog=self._trail.backlog, lost=self._trail.lost
        )
        standing.set_egress(self._dialer.refused_count)
        standing.set_told(self._metrics.told())
        standing.set_stored(self._metrics.stored())
        sent, dropped = self._metrics.exports()
        standing.set_exports(sent=sent, dropped=dropped)

    async def _measured(self) -> Rendered:
        """All who ask while it is written get the same: it is written once at a time."""
        if self._rendering is None or self._rendering.done():
            self.refresh()
            self._rendering = asyncio.create_task(self._metrics.requests.rendered())
        return 200, CONTENT_TYPE, await asyncio.shield(self._rendering)
