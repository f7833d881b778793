"""Metrics for Prometheus, with the names of OpenTelemetry's conventions for generative AI.

https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-metrics/ - dots become underscores, and
seconds a suffix. What the conventions have no name for begins with `linarite_`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Gauge, PlatformCollector, ProcessCollector
from prometheus_client.exposition import generate_latest

from linarite.domain.application_key import NAME_PREFIX
from linarite.telemetry.application_series import ApplicationSeries
from linarite.telemetry.exposition import counter_lines, rendered, request_lines
from linarite.telemetry.request_series import RequestSeries

if TYPE_CHECKING:
    from collections.abc import Mapping

    from linarite.domain.request_record import RequestRecord
    from linarite.telemetry.request_series import SeriesKey

SERIES_MAX = 2_000
"""Combinations of labels that are told apart; a further one is counted under `_OTHER`."""

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""of what `render` gives"""


OTHER: SeriesKey = ("", "_OTHER", "_OTHER", "_OTHER", 0, "_OTHER", "")


class RequestMetrics:
    """Counts requests and holds the gauges. One thread observes; `render` may run in any.

    Memory is bounded: labels come from what is deployed, never from what a caller wrote, and no
    more than `series_max` combinations are kept.
    """

    def __init__(self, *, version: str = "", series_max: int = SERIES_MAX) -> None:
        self._series: dict[SeriesKey, RequestSeries] = {}
        self._series_max = series_max
        self._applications = ApplicationSeries(series_max)
        self._states: dict[str, str] = {}
        self._seen_states: set[str] = set()
        registry = self._registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        build = Gauge("linarite_build_info", "Always 1.", ["version"], registry=registry)
        build.labels(version=version).set(1)
        self._instances = Gauge(
            "linarite_instances", "Instances by state.", ["state"], registry=registry
        )
        self._running = Gauge(
            "linarite_requests_running",
            "Requests that an instance is working on.",
            ["instance"],
            registry=registry,
        )
        self._waiting = Gauge(
            "linarite_requests_waiting",
            "Requests queued for an instance.",
            ["instance"],
            registry=registry,
        )
        self._backlog = Gauge(
            "linarite_ledger_backlog",
            "Request records in memory that are not yet on disk.",
            registry=registry,
        )
        self._dropped = 0
        self._refused: Mapping[tuple[str, str], int] = {}
        self._audit = (0, 0, 0)

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

    def set_instance(self, name: str, *, state: str, running: int, waiting: int) -> None:
        """Show an instance as it stands now."""
        self._states[name] = state
        self._seen_states.add(state)
        self._running.labels(instance=name).set(running)
        self._waiting.labels(instance=name).set(waiting)
        self._show_states()

    def forget_instance(self, name: str) -> None:
        """Show an instance no longer: it has been removed."""
        if self._states.pop(name, None) is not None:
            self._running.remove(name)
            self._waiting.remove(name)
            self._show_states()

    def set_ledger(self, *, backlog: int, dropped: int) -> None:
        """Show how the request ledger stands now."""
        self._backlog.set(backlog)
        self._dropped = dropped

    def set_audit(self, *, written: int, backlog: int, lost: int) -> None:
        """Show how the audit log stands now."""
        self._audit = (written, backlog, lost)

    def set_egress(self, refused: Mapping[tuple[str, str], int]) -> None:
        """Show how many outgoing connections were refused so far, by purpose and rule."""
        self._refused = refused

    def render(self) -> bytes:
        """Everything in Prometheus' text format (`CONTENT_TYPE`)."""
        written, backlog, lost = self._audit
        # A copy: another request may finish, and add a series, in the meantime.
        lines = [
            *request_lines(dict(self._series)),
            *self._applications.lines(),
            *counter_lines(
                "linarite_ledger_dropped_total",
                "Request records lost since the start: above zero, look at the disk.",
                [("", self._dropped)],
            ),
            *counter_lines(
                "linarite_egress_refused_total",
                "Outgoing connections that the egress rules refused.",
                [
                    (rendered(purpose=purpose, rule=rule), count)
                    for (purpose, rule), count in sorted(self._refused.items())
                ],
            ),
            *counter_lines(
                "linarite_audit_events_total",
                "Audit events on disk since the start.",
                [("", written)],
            ),
            *counter_lines(
                "linarite_audit_lost_total",
                "Audit events lost since the start: above zero, look at the disk.",
                [("", lost)],
            ),
            "# HELP linarite_audit_backlog Audit events in memory that are not yet on disk.",
            "# TYPE linarite_audit_backlog gauge",
            f"linarite_audit_backlog {backlog}",
            "",
        ]
        return "\n".join(lines).encode() + generate_latest(self._registry)

    def _new_series(self, key: SeriesKey) -> RequestSeries:
        account, deployment, model, operation, status, error_code, finish = key
        if deployment and not model:
            # Nobody has found a model behind it: the caller's word, not a deployment's name.
            key = (account, "", "", operation, status, error_code, finish)
        if key not in self._series and len(self._series) >= self._series_max:
            key = OTHER
        return self._series.setdefault(key, RequestSeries())

    def _show_states(self) -> None:
        """States once seen stay, at zero: an alert on one must not lose its series."""
        states = list(self._states.values())
        for state in self._seen_states:
            self._instances.labels(state=state).set(states.count(state))
