"""Metrics of requests and of the server, with OpenTelemetry's names for generative AI.

https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-metrics/ - Prometheus writes dots as
underscores, and seconds as a suffix. What the conventions have no name for begins with `linarite`.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from linarite.domain.application_key import NAME_PREFIX
from linarite.telemetry.application_series import ApplicationSeries
from linarite.telemetry.exceptional_series import ExceptionalSeries
from linarite.telemetry.exposition import exposed
from linarite.telemetry.process_families import process_families
from linarite.telemetry.request_families import request_families
from linarite.telemetry.request_series import RequestSeries
from linarite.telemetry.standing import Standing

if TYPE_CHECKING:
    from linarite.domain.request_record import RequestRecord
    from linarite.telemetry.families import Family
    from linarite.telemetry.request_series import SeriesKey

SERIES_MAX = 2_000
"""Combinations of labels that are told apart; a further one is counted under `_OTHER`."""

PIECE_LINES = 400
"""written without a pause"""
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""of what `render` gives"""


OTHER: SeriesKey = ("", "_OTHER", "_OTHER", "_OTHER", 0, "_OTHER", "")


class RequestMetrics:
    """Counts requests and holds the gauges. One thread observes; `render` may run in any.

    Memory is bounded: labels come from what is deployed, never from what a caller wrote, and no
    more than `series_max` combinations are kept.
    """

    def __init__(self, *, version: str = "", series_max: int = SERIES_MAX) -> None:
        self.standing = Standing(version=version)
        """how the server stands: set before metrics are read"""
        self._series: dict[SeriesKey, RequestSeries] = {}
        self._series_max = series_max
        self._applications = ApplicationSeries(series_max)
        self._exceptions = ExceptionalSeries(series_max)
        self.warn = self._exceptions.warn

    def observe(self, record: RequestRecord) -> None:
        """Count a finished request. Costs a microsecond or two."""
        key = (
            record.account,
            record.deployment,
            record.model,
            record.operation,
            record.status,
            record.error_code,
            record.finish,
        )
        series = self._series.get(key)
        if series is None:
            series = self._new_series(key)
        if record.caller_key.startswith(NAME_PREFIX):
            self._applications.observe(record)
        if record.limited_by or record.spilled_from or record.service_tier != "default":
            self._exceptions.observe(record)
        series.requests += 1
        series.durations.observe(record.total_us)
        prompt_tokens = record.prompt_tokens
        if prompt_tokens:
            series.input_tokens.observe(prompt_tokens)
            series.cached_tokens += record.cached_tokens
        completion_tokens = record.completion_tokens
        if completion_tokens:
            series.output_tokens.observe(completion_tokens)
            first_us = record.to_first_token_us
            if first_us:
                series.first_token.observe(first_us)
                decoding_us = record.to_last_token_us - first_us
                if decoding_us > 0 and completion_tokens > 1:
                    series.per_token.observe(decoding_us / (completion_tokens - 1))

    def families(self) -> list[Family]:
        """Everything but what the process itself is."""
        return [
            # A copy: another request may finish, and add a series, in the meantime.
            *request_families(dict(self._series)),
            *self._applications.families(),
            *self._exceptions.families(),
            *self.standing.families(),
        ]

    def render(self) -> bytes:
        """Everything in Prometheus' text format (`CONTENT_TYPE`)."""
        return "\n".join([*exposed(self._all_families()), ""]).encode()

    async def rendered(self) -> bytes:
        """As `render`, in pieces of a millisecond: requests are served between them.

        With some forty deployments there are twenty thousand lines, a tenth of a second of work.
        """
        parts, lines = list[str](), list[str]()
        for line in exposed(await asyncio.to_thread(self._all_families)):
            lines.append(line)
            if len(lines) >= PIECE_LINES:
                parts.append("\n".join(lines))
                lines.clear()
                await asyncio.sleep(0)
        parts.append("\n".join([*lines, ""]))
        return await asyncio.to_thread(lambda: "\n".join(parts).encode())

    def _all_families(self) -> list[Family]:
        return [*self.families(), *process_families()]

    def _new_series(self, key: SeriesKey) -> RequestSeries:
        account, deployment, model, operation, status, error_code, finish = key
        if deployment and not model:
            # Nobody has found a model behind it: the caller's word, not a deployment's name.
            key = (account, "", "", operation, status, error_code, finish)
        if key not in self._series and len(self._series) >= self._series_max:
            key = OTHER
        return self._series.setdefault(key, RequestSeries())
