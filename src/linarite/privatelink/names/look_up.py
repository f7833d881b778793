"""Looking a name up in the zones of a view (RFC 1034, 4.3.2), and nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from linarite.privatelink.names.zone import RecordSet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.privatelink.names.zone import Zone

CHAIN_MAX = 8
"""aliases that are followed for one question"""

Outcome = Literal["found", "no such name", "not ours"]


class Found(msgspec.Struct, frozen=True):
    """What there is of a name and a type."""

    outcome: Outcome
    answer: tuple[RecordSet, ...] = ()
    """aliases on the way, then what was asked for"""
    absence: RecordSet | None = None
    """the SOA of the zone in which the end of the way is missing"""


def look_up(zones: Sequence[Zone], name: str, kind: str) -> Found:
    """Follow aliases as far as they stay in the zones; `zones` have the longest names first."""
    way: list[RecordSet] = []
    for _ in range(CHAIN_MAX):
        holding = [zone for zone in zones if zone.holds(name)]
        if not holding:
            return Found("found" if way else "not ours", tuple(way))
        zone, there = _in_zones(holding, name)
        if there is None:
            return Found("no such name", tuple(way), zone.soa())
        if kind in there:
            return Found("found", (*way, there[kind]))
        alias = there.get("CNAME")
        if alias is None:
            return Found("found", tuple(way), zone.soa())
        way.append(alias)
        name = alias.values[0].rstrip(".")
    return Found("found", tuple(way))


def _in_zones(holding: Sequence[Zone], name: str) -> tuple[Zone, dict[str, RecordSet] | None]:
    """The innermost zone that a name lies in decides, unless it sends on what it has not."""
    for zone in holding:
        there = zone.at(name)
        if there is not None or not zone.redirects:
            return zone, there
    return holding[0], None
