"""The export of metrics: from time to time, and once more at the end."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from contextlib import suppress
from typing import TYPE_CHECKING
from uuid import uuid4

import structlog

from linarite.telemetry.otlp.envelope import enveloped
from linarite.telemetry.otlp.metrics import metric_messages

if TYPE_CHECKING:
    from collections.abc import Callable

    from linarite.telemetry.families import Family
    from linarite.telemetry.otlp.sender import OtlpSender
    from linarite.telemetry.otlp.wire import Scalar

LAST_S = 3.0
"""what the end waits for a collector"""

log = structlog.get_logger("linarite.otlp")


def resource_of(version: str) -> dict[str, Scalar]:
    """Who tells: this process on this machine."""
    return {
        "service.name": "linarite",
        "service.version": version,
        "service.instance.id": str(uuid4()),
        "host.name": socket.gethostname(),
        "process.pid": os.getpid(),
    }


class MetricExport:
    """Hands the metrics to a sender every so often."""

    def __init__(
        self,
        sender: OtlpSender,
        families: Callable[[], list[Family]],
        refresh: Callable[[], None],
        *,
        interval_s: float,
        version: str,
    ) -> None:
        """`refresh` is called, in the event loop, before `families`, which runs in a thread."""
        self._sender = sender
        self._families = families
        self._refresh = refresh
        self._interval_s = interval_s
        self._version = version
        self._resource = resource_of(version)
        self._started_at_ns = time.time_ns()
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to export, and to send."""
        self._sender.start()
        self._task = asyncio.create_task(self._export(), name="export of metrics")

    async def stop(self) -> None:
        """Export what was counted last, and wait a little for the collector to take it."""
        self._stopping.set()
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)
        await self._sender.stop(LAST_S)

    async def _export(self) -> None:
        while not self._stopping.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(self._interval_s):
                    await self._stopping.wait()
            try:
                self._refresh()
                # A server with many deployments has a tenth of a second of them.
                self._sender.offer("/v1/metrics", await asyncio.to_thread(self._body))
            except Exception:
                log.exception("metrics not exported by our own fault")

    def _body(self) -> bytes:
        messages = metric_messages(
            self._families(), started_at_ns=self._started_at_ns, now_ns=time.time_ns()
        )
        return enveloped(messages, self._resource, version=self._version)
