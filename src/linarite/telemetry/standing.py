"""How a server stands now: its instances and engines, its logs, what its rules refused."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from linarite.telemetry.families import by, counter, gauge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from linarite.domain.engine import EngineUse
    from linarite.telemetry.families import Family, Labels


class ToldCounts(msgspec.Struct, frozen=True):
    """What became of notices and diagnostic records."""

    dead: int = 0
    """deliveries to webhooks that were given up, since the start"""
    lost: int = 0
    """notices that found no room, since the start"""
    exports_waiting: int = 0
    """sinks of diagnostic settings that take nothing at present"""
    records_lost: int = 0
    """of the settings that there are"""


class StoredBytes(NamedTuple):
    """What accounts store, and what their disk has left."""

    kinds: Mapping[str, int]
    """bytes of all accounts, by kind"""
    disk_free: int
    """bytes"""


class InstanceStanding:
    """One instance, as it was looked at last."""

    def __init__(
        self,
        *,
        state: str,
        running: int,
        waiting: Mapping[str, int],
        use: EngineUse | None = None,
    ) -> None:
        """`waiting` is by class of the queue; `use` is what its engine tells, if it does."""
        self.state = state
        self.running = running
        self.waiting = waiting
        self.use = use


class Standing:
    """What is set before metrics are read."""

    def __init__(self, *, version: str = "") -> None:
        """`version` is the server's."""
        self._version = version
        self._instances: dict[str, InstanceStanding] = {}
        self._seen_states: set[str] = set()
        self._ledger = (0, 0)
        self._audit = (0, 0, 0)
        self._refused: Mapping[tuple[str, str], int] = {}
        self._exports = (0, 0)
        self._told = ToldCounts()
        self._stored: StoredBytes | None = None

    def set_instances(self, instances: Mapping[str, InstanceStanding]) -> None:
        """Show these, and no others."""
        self._instances = dict(instances)
        self._seen_states |= {each.state for each in instances.values()}

    def set_ledger(self, *, backlog: int, dropped: int) -> None:
        """Show how the request ledger stands."""
        self._ledger = (backlog, dropped)

    def set_audit(self, *, written: int, backlog: int, lost: int) -> None:
        """Show how the audit log stands."""
        self._audit = (written, backlog, lost)

    def set_egress(self, refused: Mapping[tuple[str, str], int]) -> None:
        """Show how many outgoing connections were refused so far, by purpose and rule."""
        self._refused = refused

    def set_exports(self, *, sent: int, dropped: int) -> None:
        """Show how many bodies a collector took, and how many it will never have."""
        self._exports = (sent, dropped)

    def set_told(self, told: ToldCounts) -> None:
        """Show what became of notices and diagnostic records."""
        self._told = told

    def set_stored(self, stored: StoredBytes | None) -> None:
        """Show how much is stored."""
        self._stored = stored

    def families(self) -> Iterator[Family]:
        """All of it."""
        yield gauge("linarite.build_info", "Always 1.", [({"version": self._version}, 1)])
        yield from self._of_instances()
        yield from _of_engines(self._instances)
        yield from self._of_logs()
        yield counter(
            "linarite.egress.refused",
            "Outgoing connections that the egress rules refused.",
            [
                ({"purpose": purpose, "rule": rule}, count)
                for (purpose, rule), count in sorted(self._refused.items())
            ],
        )
        yield from _of_told(self._told)
        if self._stored is not None:
            yield from _of_stored(self._stored)
        sent, dropped = self._exports
        yield counter(
            "linarite.otlp.exports", "Exports that the collector has taken.", [({}, sent)]
        )
        yield counter(
            "linarite.otlp.dropped",
            "Exports that the collector will not have: it was away too long, or refused them.",
            [({}, dropped)],
        )

    def _of_instances(self) -> Iterator[Family]:
        instances = self._instances
        # States once seen stay, at zero: an alert on one must not lose its series.
        states = Counter(each.state for each in instances.values())
        yield gauge(
            "linarite.instances",
            "Instances by state.",
            by("state", {state: states[state] for state in self._seen_states}),
        )
        yield gauge(
            "linarite.requests.running",
            "Requests that an instance is working on.",
            by("model_instance", {name: each.running for name, each in instances.items()}),
        )
        yield gauge(
            "linarite.requests.waiting",
            "Requests queued for an instance.",
            by(
                "model_instance",
                {name: sum(each.waiting.values()) for name, each in instances.items()},
            ),
        )
        yield gauge(
            "linarite.queue.length",
            "Requests queued for an instance, by class; the first class is served first.",
            [
                ({"model_instance": name, "class": rank}, count)
                for name, each in sorted(instances.items())
                for rank, count in each.waiting.items()
            ],
        )

    def _of_logs(self) -> Iterator[Family]:
        (backlog, dropped), (written, unwritten, lost) = self._ledger, self._audit
        yield gauge(
            "linarite.ledger.backlog",
            "Request records in memory that are not yet on disk.",
            [({}, backlog)],
        )
        yield counter(
            "linarite.ledger.dropped",
            "Request records lost since the start: above zero, look at the disk.",
            [({}, dropped)],
        )
        yield counter(
            "linarite.audit.events", "Audit events on disk since the start.", [({}, written)]
        )
        yield gauge(
            "linarite.audit.backlog",
            "Audit events in memory that are not yet on disk.",
            [({}, unwritten)],
        )
        yield counter(
            "linarite.audit.lost",
            "Audit events lost since the start: above zero, look at the disk.",
            [({}, lost)],
        )


def _of_told(told: ToldCounts) -> Iterator[Family]:
    yield counter(
        "linarite.webhooks.dead",
        "Deliveries to webhooks that were given up.",
        [({}, told.dead)],
    )
    yield counter(
        "linarite.webhooks.lost",
        "Notices that found no room to wait for their webhooks.",
        [({}, told.lost)],
    )
    yield gauge(
        "linarite.diagnostics.waiting",
        "Diagnostic settings whose sink takes nothing at present, each sink by itself.",
        [({}, told.exports_waiting)],
    )
    yield gauge(
        "linarite.diagnostics.lost",
        "Records, at most, that were removed before a sink of a diagnostic setting took them.",
        [({}, told.records_lost)],
    )


def _of_stored(stored: StoredBytes) -> Iterator[Family]:
    yield gauge(
        "linarite.stored",
        "What applications store, of all accounts, by kind.",
        by("kind", stored.kinds),
        "By",
    )
    yield gauge(
        "linarite.disk.free",
        "Free on the disk of the data folder; below storage.free_bytes_min nothing is stored.",
        [({}, stored.disk_free)],
        "By",
    )


def _of_engines(instances: Mapping[str, InstanceStanding]) -> Iterator[Family]:
    """What engines tell of themselves; what one does not tell is not there."""
    uses = {name: each.use for name, each in sorted(instances.items()) if each.use is not None}

    def told(value: Callable[[EngineUse], float | None]) -> list[tuple[str, float]]:
        found = ((name, value(use)) for name, use in uses.items())
        return [(name, number) for name, number in found if number is not None]

    def points(value: Callable[[EngineUse], float | None]) -> list[tuple[Labels, float]]:
        return [({"model_instance": name}, number) for name, number in told(value)]

    def by_type(
        prompt: Callable[[EngineUse], float | None], generated: Callable[[EngineUse], float | None]
    ) -> list[tuple[Labels, float]]:
        return [
            ({"model_instance": name, "type": kind}, number)
            for kind, value in (("prompt", prompt), ("generated", generated))
            for name, number in told(value)
        ]

    yield gauge(
        "linarite.engine.slots",
        "Requests that an engine can compute at a time.",
        points(lambda use: use.slots),
    )
    yield gauge(
        "linarite.engine.slots.busy",
        "Slots of an engine that compute.",
        points(lambda use: use.slots_busy),
    )
    yield gauge(
        "linarite.engine.kv_cache.usage",
        "Share of an engine's context memory that is in use, between 0 and 1.",
        points(lambda use: use.kv_cache_share),
    )
    yield counter(
        "linarite.engine.tokens",
        "Tokens that an engine has computed since it started, prompts' and generated ones.",
        by_type(lambda use: use.prompt_tokens, lambda use: use.generated_tokens),
        "{token}",
    )
    yield gauge(
        "linarite.engine.tokens.rate",
        "Tokens that an engine computes a second, over the last looks at it.",
        by_type(lambda use: use.prompt_tokens_per_s, lambda use: use.generated_tokens_per_s),
        "{token}/s",
    )
