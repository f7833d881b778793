"""The counts behind the metrics of requests: plain lists, because they are on the hot path.

A labelled histogram of prometheus-client costs half a microsecond an observation and a lock each;
here five of them together cost little more than one.
"""

from __future__ import annotations

from bisect import bisect_left

SeriesKey = tuple[str, str, str, str, int, str, str]
"""account, deployment, model, operation, status, error code, finish: fields of a record"""

SECOND_US = 1_000_000

# The boundaries that the OpenTelemetry conventions for generative AI ask for.
DURATION_S = (
    *(0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92),
)
FIRST_TOKEN_S = (
    *(0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0),
)
PER_TOKEN_S = (0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5)
TOKENS = tuple(4**power for power in range(14))


class Histogram:
    """Counts by bucket. `scale` is how many of the observed unit make one of the shown unit."""

    __slots__ = ("bounds", "counts", "limits", "scale", "total")

    def __init__(self, bounds: tuple[float, ...], scale: int = 1) -> None:
        self.bounds = bounds
        self.scale = scale
        self.limits = [bound * scale for bound in bounds]
        self.counts = [0] * (len(bounds) + 1)
        """not cumulative; the last is what lies beyond every bound"""
        self.total = 0.0

    def observe(self, value: float) -> None:
        """Count one value, in the observed unit."""
        self.counts[bisect_left(self.limits, value)] += 1
        self.total += value

    def add(self, other: Histogram) -> None:
        """Take in another's counts; both must have the same bounds and scale."""
        self.counts = [mine + its for mine, its in zip(self.counts, other.counts, strict=True)]
        self.total += other.total


class RequestSeries:
    """What is counted for one combination of labels. Durations are observed in microseconds."""

    __slots__ = (
        "cached_tokens",
        "durations",
        "first_token",
        "input_tokens",
        "output_tokens",
        "per_token",
        "requests",
    )

    def __init__(self) -> None:
        self.requests = 0
        self.cached_tokens = 0
        self.durations = Histogram(DURATION_S, SECOND_US)
        self.first_token = Histogram(FIRST_TOKEN_S, SECOND_US)
        self.per_token = Histogram(PER_TOKEN_S, SECOND_US)
        self.input_tokens = Histogram(TOKENS)
        self.output_tokens = Histogram(TOKENS)

    def add(self, other: RequestSeries) -> None:
        """Take in another's counts."""
        self.requests += other.requests
        self.cached_tokens += other.cached_tokens
        self.durations.add(other.durations)
        self.first_token.add(other.first_token)
        self.per_token.add(other.per_token)
        self.input_tokens.add(other.input_tokens)
        self.output_tokens.add(other.output_tokens)
