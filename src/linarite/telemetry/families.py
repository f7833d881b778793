"""Metrics as what they are, apart from how they are told: by Prometheus or over OTLP.

Names are OpenTelemetry's: words with dots, units apart. What Prometheus calls them follows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from linarite.telemetry.request_series import Histogram

Kind = Literal["counter", "gauge", "histogram"]
Labels = dict[str, str]
"""a label's name, with dots, and its value"""

_UNIT_WORDS = {"s": "_seconds", "By": "_bytes"}
"""the unit of a name as Prometheus writes it; others leave no trace in it"""


class Family(NamedTuple):
    """A metric with all its values."""

    name: str
    kind: Kind
    help: str
    points: list[tuple[Labels, float | Histogram]]
    """a counter's or gauge's number; a histogram's counts"""
    unit: str = "1"
    """by the Unified Code for Units of Measure: `s`, `{token}`, `%`"""

    @property
    def prometheus_name(self) -> str:
        """The name in Prometheus' text format."""
        ending = "_total" if self.kind == "counter" else ""
        return f"{self.name.replace('.', '_')}{_UNIT_WORDS.get(self.unit, '')}{ending}"


def counter(
    name: str, help_text: str, points: Iterable[tuple[Labels, float]], unit: str = "1"
) -> Family:
    """What only grows, since the start of the process."""
    return Family(name, "counter", help_text, list(points), unit)


def gauge(
    name: str, help_text: str, points: Iterable[tuple[Labels, float]], unit: str = "1"
) -> Family:
    """How something stands now."""
    return Family(name, "gauge", help_text, list(points), unit)


def histogram(
    name: str, help_text: str, points: Iterable[tuple[Labels, Histogram]], unit: str = "1"
) -> Family:
    """Values by how large they were; series without any are left out."""
    told = [(labels, counts) for labels, counts in points if any(counts.counts)]
    return Family(name, "histogram", help_text, [*told], unit)


def by(label: str, values: Mapping[str, float]) -> list[tuple[Labels, float]]:
    """Points that one label tells apart, in its order."""
    return [({label: key}, value) for key, value in sorted(values.items())]
