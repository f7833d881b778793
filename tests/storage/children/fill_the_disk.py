"""Adds records while files may not grow, then lets them grow again; prints what it saw.

The limit on file size stands for a full disk: the same refusals reach SQLite.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
from pathlib import Path

from linarite.storage.sqlite.requests import open_request_ledger
from tests.storage.builders import make_record

RECORDS = 4_000


async def main(folder: Path) -> None:
    """Reach the limit, go on adding, lift the limit, close."""
    ledger = open_request_ledger(folder)
    ledger.add(make_record("first"))
    await ledger.flush()
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))
    for number in range(RECORDS):
        ledger.add(make_record(f"r{number}"))
    complained_at = ledger._writer._complained_at
    while ledger._writer._complained_at == complained_at:  # noqa: ASYNC110 - nothing to wait on
        await asyncio.sleep(0.01)
    waiting = ledger.backlog
    readable = await ledger.find("first") is not None
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    await ledger.flush()
    rows = len(await ledger.latest(2 * RECORDS))
    await ledger.close()
    saw = {"waiting": waiting, "readable": readable, "rows": rows, "dropped": ledger.dropped}
    print(json.dumps(saw))


asyncio.run(main(Path(sys.argv[1])))
