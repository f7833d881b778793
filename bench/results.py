"""What a run has measured."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Measured:
    """Every round's figures of one row: metric → values."""

    name: str
    rounds: dict[str, list[float]] = field(default_factory=dict)

    def note(self, **values: float) -> None:
        """Add one round's figures."""
        for metric, value in values.items():
            self.rounds.setdefault(metric, []).append(value)

    def of(self, metric: str) -> list[float]:
        """All rounds of a metric; empty when it was not measured."""
        return self.rounds.get(metric, [])


@dataclass
class EngineCell:
    """One number of concurrent requests, through Linarite and straight at the engine."""

    concurrency: int
    through: Measured
    straight: Measured
    engine: str = "llamacpp"


@dataclass
class Footprint:
    """Seconds and bytes of a server process."""

    first_start_to_port_s: list[float]
    """with a fresh data folder"""
    to_port_s: list[float]
    to_first_answer_s: list[float]
    idle_bytes: int
    children_bytes: int
    """of engine processes; none for an upstream"""
    loaded_bytes: int
    """the most while streams ran"""
    streams: int
    points: list[tuple[int, int]]
    """requests answered → resident bytes"""
    bytes_per_request: float
    standard_error: float


@dataclass
class Results:
    """All of it; a part that was not run is empty."""

    gateway: list[Measured] = field(default_factory=list)
    engine: list[EngineCell] = field(default_factory=list)
    footprint: Footprint | None = None
    resources: list[Measured] = field(default_factory=list)
