"""Adds request records until it is killed, and prints each one's number and time once added.

Arguments: the folder, the run's name, and `paced` or `saturated`: an event loop that never rests,
with less work for each record than a request takes, so that more come than a core can serve.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
import time
from pathlib import Path

from linarite.storage.sqlite.requests import open_request_ledger
from tests.storage.builders import make_record


async def main(folder: Path, run: str, pace: str) -> None:
    """Add one record every millisecond, or one for every 40 µs of work."""
    ledger = open_request_ledger(folder)
    await ledger.flush()  # its file is open long before a server listens
    for number in itertools.count():
        now_ns = time.time_ns()
        ledger.add(make_record(f"{run}-{number}", started_at_ns=now_ns))
        sys.stdout.write(f"{number} {now_ns}\n")
        sys.stdout.flush()
        if pace == "saturated":
            until = time.perf_counter() + 40e-6
            while time.perf_counter() < until:
                pass
        await asyncio.sleep(0.001 if pace == "paced" else 0)


asyncio.run(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3]))
