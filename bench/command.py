"""One run: the parts in order, their tables, what was missing, and how quiet the machine was."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import signal
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import uvloop

from bench import engine_tax, gateway_tax, memory, resources
from bench.gateway_tables import gateway_tables
from bench.goals import goals_table
from bench.machine import OtherWork, busy_at_start, describe, gateway_cores, warning
from bench.options import Options, parse
from bench.peers import Unavailable
from bench.profile_of_gateway import profile
from bench.results import Results
from bench.rows.fake import FakeRow
from bench.rows.linarite import LinariteRow
from bench.rows.linarite_bare import LinariteBareRow
from bench.rows.linarite_governed import LinariteGovernedRow
from bench.rows.linarite_token import LinariteTokenRow
from bench.rows.litellm import LitellmRow
from bench.rows.nginx import NginxRow
from bench.rows.portkey import PortkeyRow

if TYPE_CHECKING:
    from bench.rows.row import Row

GATEWAYS = {
    "linarite": LinariteRow,
    "token": LinariteTokenRow,
    "governed": LinariteGovernedRow,
    "bare": LinariteBareRow,
    "nginx": NginxRow,
    "litellm": LitellmRow,
    "portkey": PortkeyRow,
}

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SIGNALLED = 128
"""and the signal's number: the exit code that shells give"""


def main() -> int:
    """The console's entry point."""
    options = parse()
    with tempfile.TemporaryDirectory(prefix="linarite-bench-") as scratch:
        return uvloop.run(until_told(Run(options, Path(scratch))))


async def until_told(run: Run) -> int:
    """Run to the end, or until a signal: then too, every process that was started is ended."""
    loop = asyncio.get_running_loop()
    running = asyncio.create_task(run.run())
    stopped_by: list[int] = []

    def stop(number: int) -> None:
        stopped_by.append(number)
        running.cancel()

    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, stop, number)
    await asyncio.wait([running])
    # Whatever the load made of its peers' end: the signal is why it ended.
    if stopped_by and (running.cancelled() or running.exception() is not None):
        print("Stopped before the end; what was started has been ended.", file=sys.stderr)
        return SIGNALLED + stopped_by[0]
    return running.result()


class Run:
    """One run of the benchmark."""

    def __init__(self, options: Options, scratch: Path) -> None:
        self._options = options
        self._scratch = scratch
        self._missing: dict[str, str] = {}
        self._results = Results()

    async def run(self) -> int:
        """Measure and print. Returns the exit code: 1 when Linarite itself could not be run."""
        options = self._options
        machine = describe()
        print("\n".join(f"{name}: {value}" for name, value in machine.items()))
        print(warning(busy_at_start(), "in the second before the start"), flush=True)
        other = OtherWork()
        gateway_core, load_cores = gateway_cores()
        gc.freeze()
        try:
            if options.profile:
                await profile(self._scratch, gateway_core, load_cores)
                return 0
            if "gateway" in options.parts:
                await self._gateway(gateway_core, load_cores)
            if "engine" in options.parts:
                await self._engine()
            if "memory" in options.parts:
                await self._memory(gateway_core, load_cores)
            if "resources" in options.parts:
                await self._resources(gateway_core, load_cores)
        except Unavailable as problem:
            print(f"Linarite could not be measured: {problem}", file=sys.stderr)
            return 1
        print(goals_table(self._results, options.gateway))
        for name, reason in self._missing.items():
            print(f"Not measured: {name}: {reason}")
        share = other.share()
        print(f"Other processes used {share:.0%} of the machine meanwhile.")
        print(warning(share, "during the run"))
        self._write_json(machine, share)
        return 0

    async def _gateway(self, gateway_core: set[int], load_cores: set[int]) -> None:
        everything = os.sched_getaffinity(0)
        wanted = self._options.rows or tuple(GATEWAYS)
        with ExitStack() as stack:
            fake = FakeRow()
            stack.callback(fake.stop)
            await fake.start(self._scratch, 0, load_cores)
            rows: list[Row] = [fake]
            for name in wanted:
                if name not in GATEWAYS:
                    self._missing[name] = f"unknown; choose from {', '.join(GATEWAYS)}"
                    continue
                row = GATEWAYS[name]()
                stack.callback(row.stop)
                try:
                    await row.start(self._scratch, fake.target.port, gateway_core)
                except Unavailable as problem:
                    if name == "linarite":
                        raise
                    self._missing[row.name] = str(problem)
                else:
                    rows.append(row)
            # The load is this very process.
            os.sched_setaffinity(0, load_cores)
            stack.callback(os.sched_setaffinity, 0, everything)
            measured = await gateway_tax.measure(rows, self._options.gateway, tell)
        self._results.gateway = measured
        for text in gateway_tables(measured, self._options.gateway):
            print(text, flush=True)

    async def _engine(self) -> None:
        for engine in engine_tax.ENGINES:
            try:
                measured = await engine_tax.measure(
                    self._scratch, self._options.engine, engine, tell
                )
            except Unavailable as problem:
                self._missing[f"engine tax, {engine}"] = str(problem)
                continue
            self._results.engine += measured
            print(engine_tax.engine_table(measured, self._options.engine), flush=True)

    async def _memory(self, gateway_core: set[int], load_cores: set[int]) -> None:
        figures = await memory.measure(
            self._scratch, self._options.memory, (gateway_core, load_cores), tell
        )
        self._results.footprint = figures
        print(memory.memory_table(figures, self._options.memory), flush=True)

    async def _resources(self, gateway_core: set[int], load_cores: set[int]) -> None:
        plan = self._options.resources
        self._results.resources = await resources.measure(
            self._scratch, plan, (gateway_core, load_cores), tell
        )
        print(resources.resources_table(self._results.resources, plan), flush=True)

    def _write_json(self, machine: dict[str, str], share: float) -> None:
        file = self._options.json
        if file is None:
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        document = {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": machine,
            "other_work_share": share,
            "missing": self._missing,
            "results": asdict(self._results),
        }
        file.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
        print(f"All rounds: {file}")


def tell(text: str) -> None:
    """Say what is going on, where it does not disturb the tables."""
    print(f"… {text}", file=sys.stderr, flush=True)
