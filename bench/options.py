"""The benchmark's command line, and how long each part takes."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path

from linarite.hosting.models.catalogue import QWEN_CODER_SMALL, SMOLLM2

PARTS = ("gateway", "engine", "memory", "resources")


@dataclass(frozen=True)
class GatewayPlan:
    """What one round does to each row."""

    rounds: int = 3
    warm_up_requests: int = 1000
    connections: int = 64
    closed_s: float = 2.0
    rate: float = 500.0
    open_s: float = 3.0
    streams: tuple[int, ...] = (16, 64, 256)
    pace_ms: int = 20
    chunks: int = 150
    many_streams: int = 1000
    many_pace_ms: int = 100
    many_chunks: int = 40


@dataclass(frozen=True)
class EnginePlan:
    """What one round asks of a real model."""

    rounds: int = 24
    """many and short ones: a machine's speed drifts, and the two sides of a round drift alike"""
    concurrency: tuple[int, ...] = (1, 4, 8)
    requests_per_slot: int = 1
    tokens: int = 64
    model: str = SMOLLM2.name


@dataclass(frozen=True)
class MemoryPlan:
    """How often it is started, and how many requests the slope is fitted on."""

    starts: int = 3
    requests: int = 50_000
    warm_up_requests: int = 10_000
    streams: int = 256
    chunks: int = 100


@dataclass(frozen=True)
class ResourcesPlan:
    """How much the control plane holds, and how often it is asked."""

    accounts: int = 10
    deployments: int = 1000
    resources: int = 10_000
    """all together"""
    starts: int = 3
    requests: int = 100


@dataclass(frozen=True)
class Options:
    """What the command line asks for."""

    parts: tuple[str, ...]
    rows: tuple[str, ...]
    gateway: GatewayPlan
    engine: EnginePlan
    memory: MemoryPlan
    resources: ResourcesPlan
    json: Path | None
    profile: bool


def parse(arguments: list[str] | None = None) -> Options:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="make bench",
        description="Measures what Linarite costs beside the bare upstream, the bare engine and "
        "other gateways (make bench-peers installs those), in one interleaved run.",
        epilog='Example: make bench ARGS="--only gateway --rounds 5 --json bench/results/now.json"',
    )
    parser.add_argument(
        "--quick", action="store_true", help="tiny counts: shows that it works, measures little"
    )
    parser.add_argument(
        "--only", choices=PARTS, action="append", help="one part; repeat it for several"
    )
    parser.add_argument("--rounds", type=int, help="rounds of each part (default 3, engine 24)")
    parser.add_argument(
        "--rows",
        help="rows to measure, with commas: linarite,token,governed,bare,nginx,litellm,portkey; "
        "all, if this is left out",
    )
    parser.add_argument("--requests", type=int, help="requests for the memory slope (50000)")
    parser.add_argument(
        "--model",
        choices=(SMOLLM2.name, QWEN_CODER_SMALL.name),
        default=SMOLLM2.name,
        help="what the engines run (default: the smallest, where a tax is largest)",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all rounds to a file")
    parser.add_argument(
        "--profile",
        action="store_true",
        help="instead of measuring: show where the gateway's time goes, function by function",
    )
    given = parser.parse_args(arguments)
    options = Options(
        parts=tuple(given.only or PARTS),
        rows=tuple(given.rows.split(",")) if given.rows else (),
        gateway=GatewayPlan(),
        engine=EnginePlan(),
        memory=MemoryPlan(),
        resources=ResourcesPlan(),
        json=given.json,
        profile=given.profile,
    )
    if given.quick:
        options = quick(options)
    options = replace(options, engine=replace(options.engine, model=given.model))
    if given.rounds:
        options = replace(
            options,
            gateway=replace(options.gateway, rounds=given.rounds),
            engine=replace(options.engine, rounds=given.rounds),
            memory=replace(options.memory, starts=given.rounds),
            resources=replace(options.resources, starts=given.rounds),
        )
    if given.requests:
        memory = replace(
            options.memory, requests=given.requests, warm_up_requests=given.requests // 5
        )
        options = replace(options, memory=memory)
    return options


def quick(options: Options) -> Options:
    """Tiny counts of everything."""
    return replace(
        options,
        gateway=GatewayPlan(
            rounds=1,
            warm_up_requests=20,
            connections=8,
            closed_s=0.4,
            rate=100,
            open_s=0.4,
            streams=(4, 16),
            chunks=10,
            many_streams=32,
            many_pace_ms=20,
            many_chunks=10,
        ),
        engine=EnginePlan(rounds=1, concurrency=(1, 2), requests_per_slot=1, tokens=4),
        memory=MemoryPlan(starts=1, requests=500, warm_up_requests=100, streams=16, chunks=10),
        resources=ResourcesPlan(accounts=2, deployments=20, resources=100, starts=1, requests=3),
    )
