"""Metrics as OTLP has them: cumulative since the start of the process.

Messages of `opentelemetry/proto/metrics/v1/metrics.proto`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.telemetry.otlp.wire import (
    attributes,
    double,
    fixed_64,
    integer,
    message,
    packed_doubles,
    packed_fixed_64,
    signed_fixed_64,
    text,
)
from linarite.telemetry.request_series import Histogram

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from linarite.telemetry.families import Family, Labels

CUMULATIVE = 2
_GAUGE, _SUM, _HISTOGRAM = 5, 7, 9


def metric_messages(
    families: Iterable[Family], *, started_at_ns: int, now_ns: int
) -> Iterator[bytes]:
    """A `Metric` for each family that has a value."""
    times = (started_at_ns, now_ns)
    for family in families:
        if not family.points:
            continue
        points = b"".join(
            message(
                1,
                _histogram_point(labels, value, times)
                if isinstance(value, Histogram)
                else _number_point(labels, value, times),
            )
            for labels, value in family.points
        )
        head = text(1, family.name) + text(2, family.help) + text(3, family.unit)
        if family.kind == "gauge":
            yield head + message(_GAUGE, points)
        elif family.kind == "counter":
            yield head + message(_SUM, points + integer(2, CUMULATIVE) + integer(3, value=True))
        else:
            yield head + message(_HISTOGRAM, points + integer(2, CUMULATIVE))


def _number_point(labels: Labels, value: float, times: tuple[int, int]) -> bytes:
    number = signed_fixed_64(6, value) if isinstance(value, int) else double(4, value)
    return attributes(7, labels) + fixed_64(2, times[0]) + fixed_64(3, times[1]) + number


def _histogram_point(labels: Labels, value: Histogram, times: tuple[int, int]) -> bytes:
    return (
        attributes(9, labels)
        + fixed_64(2, times[0])
        + fixed_64(3, times[1])
        + fixed_64(4, sum(value.counts))
        + double(5, value.total / value.scale)
        + packed_fixed_64(6, value.counts)
        + packed_doubles(7, value.bounds)
    )
