"""Charges a bucket of a day until it is killed, and prints each charge once it was admitted."""

from __future__ import annotations

import asyncio
import random
import sys
from pathlib import Path

from linarite.controls.quota import MemoryLedger
from linarite.domain.ledger import Bucket, Charge, Window
from linarite.storage.database import open_database
from linarite.storage.sqlite.lasting_counts import SqliteLastingCounts


async def main(folder: Path, limit: int) -> None:
    """Several at once; each takes what it had reserved."""
    ledger = MemoryLedger(counts=SqliteLastingCounts(open_database(folder)))
    await ledger.open()
    bucket = Bucket("day", "key-tokens", "tokens", limit, Window.DAY)

    async def use() -> None:
        while True:
            charge = [Charge(bucket, random.randint(1, 5000))]
            held = ledger.reserve_now(charge) or await ledger.reserve(charge)
            await asyncio.sleep(0.002)
            ledger.settle(held, [charge[0].amount])
            sys.stdout.write(f"{charge[0].amount}\n")
            sys.stdout.flush()

    await asyncio.gather(*(use() for _ in range(4)))


asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
