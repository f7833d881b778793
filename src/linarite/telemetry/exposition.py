"""How metrics become Prometheus' text format.

Written out here, not by prometheus-client: a server with some forty deployments has ten thousand
lines of histogram, which that takes a tenth of a second for, and the event loop would stand
still meanwhile. Format: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

from linarite.telemetry.request_series import Histogram

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from linarite.telemetry.families import Family, Labels


def exposed(families: Iterable[Family]) -> Iterator[str]:
    """Every family, line by line."""
    for family in families:
        name = family.prometheus_name
        yield f"# HELP {name} {family.help}"
        yield f"# TYPE {name} {family.kind}"
        for labels, value in family.points:
            rendered = _rendered(labels)
            if isinstance(value, Histogram):
                yield from _buckets(name, rendered, value)
            else:
                yield f"{name}{{{rendered}}} {value}" if rendered else f"{name} {value}"


def _buckets(name: str, labels: str, histogram: Histogram) -> Iterator[str]:
    *cumulated, count = accumulate(histogram.counts)
    start = f'{name}_bucket{{{labels},le="'
    for bound, below in zip(histogram.bounds, cumulated, strict=True):
        yield f'{start}{bound}"}} {below}'
    yield f'{start}+Inf"}} {count}'
    yield f"{name}_count{{{labels}}} {count}"
    yield f"{name}_sum{{{labels}}} {histogram.total / histogram.scale}"


def _rendered(labels: Labels) -> str:
    """Labels as they stand between the braces."""
    return ",".join(
        f'{name.replace(".", "_")}="{_escaped(value)}"' for name, value in labels.items()
    )


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
