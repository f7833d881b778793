"""The collector of `[otlp]`: records as OpenTelemetry's logs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import structlog

from linarite import __version__
from linarite.diagnostics.sinks.sink import USUAL_PAUSE_S, SinkDown
from linarite.telemetry.otlp import enveloped
from linarite.telemetry.otlp.wire import any_value, attributes, fixed_64, integer, message, text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.domain.diagnostics import DiagnosticRecord
    from linarite.telemetry.otlp import Delivery, Endpoint

log = structlog.get_logger("linarite.diagnostics")

INFO, WARNING = 9, 13
"""severities, by OpenTelemetry's numbers"""
_encode = msgspec.json.Encoder().encode


class OtlpSink:
    """One export for each batch; the collector's answer says that it has it."""

    pause_s = USUAL_PAUSE_S

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    async def write(self, records: Sequence[DiagnosticRecord]) -> int:
        """Send them all. What a collector refuses waits: it may know our key tomorrow.

        Only what is wrong or too large by itself waits for nothing: it is found by halves, and the
        collector is told so in its place. One that takes not even that refuses everything.
        """
        left, refused = [records], 0
        while left:
            part = left.pop()
            delivery = await self._send(part)
            if delivery.unacceptable and len(part) > 1:
                half = len(part) // 2
                left += (part[half:], part[:half])
            elif delivery.unacceptable:
                if not (await self._send([_stand_in(part[0])])).taken:
                    raise SinkDown("the collector refuses everything", delivery.detail)
                refused += 1
                log.error(
                    "diagnostic record lost: its collector will never take it",
                    resource=part[0].resource_id,
                    reason=delivery.detail,
                )
            elif not delivery.taken:
                raise SinkDown("the collector takes nothing", delivery.detail)
        return refused

    async def _send(self, records: Sequence[DiagnosticRecord]) -> Delivery:
        resource = {"service.name": "linarite", "cloud.resource_id": records[0].resource_id}
        body = enveloped(map(_log_record, records), resource, version=__version__)
        return await self._endpoint.deliver("/v1/logs", body)

    async def close(self) -> None:
        """Close the connections."""
        await self._endpoint.close()


def _stand_in(record: DiagnosticRecord) -> DiagnosticRecord:
    """What is told in place of a record that is not taken."""
    return msgspec.structs.replace(
        record,
        failed=True,
        body={
            "category": record.category,
            "resourceId": record.resource_id.upper(),
            "linariteRecordId": record.id,
            "linariteLost": "The collector did not take the record that should stand here.",
        },
    )


def _log_record(record: DiagnosticRecord) -> bytes:
    """The message `LogRecord`."""
    named = {
        "azure.category": record.category,
        "azure.operation.name": str(record.body.get("operationName", "")),
        "azure.correlation_id": str(record.body.get("correlationId", "")),
        "log.record.uid": record.id,
    }
    return b"".join(
        (
            fixed_64(1, record.at_ns),
            integer(2, WARNING if record.failed else INFO),
            text(3, "WARN" if record.failed else "INFO"),
            message(5, any_value(_encode(record.body).decode())),
            attributes(6, named),
            fixed_64(11, record.at_ns),
        )
    )
