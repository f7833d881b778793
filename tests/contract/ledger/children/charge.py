"""A server's part in a load: charges a shared ledger until it is ended, and says what it did.

Each line is `reserved ID SENT ANSWERED AMOUNT` or `settled ID SENT AMOUNT`, at times of a clock
that all processes of the machine share. It is written before anything else happens.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time

from linarite.domain.ledger import Charge, DoesNotFit
from linarite.domain.quota_errors import LedgerUnavailable
from tests.contract.ledger.load import BUCKETS, CLIENTS
from tests.store import shared_ledger


def say(*what: object) -> None:
    """One line, at once."""
    sys.stdout.write(" ".join(map(str, what)) + "\n")
    sys.stdout.flush()


async def main(url: str, seed: int) -> None:
    """Streams that are left, answers that tell no usage, requests that are given up."""
    ledger = await shared_ledger(url)
    luck = random.Random(seed)
    ids = iter(range(sys.maxsize))

    async def client() -> None:
        while True:
            amount = luck.randint(1, 40)
            charges = [Charge(each, amount if each.measure == "tokens" else 1) for each in BUCKETS]
            sent = time.monotonic()
            try:
                async with asyncio.timeout(0.002 if luck.random() < 0.1 else None):
                    held = await ledger.reserve(charges)
            except (DoesNotFit, LedgerUnavailable, TimeoutError):
                await asyncio.sleep(0.005)
                continue
            name = f"{seed}-{next(ids)}"
            say("reserved", name, sent, time.monotonic(), amount)
            await asyncio.sleep(luck.uniform(0, 0.05))
            used = luck.choice((amount, amount, luck.randint(0, amount), 0))
            say("settled", name, time.monotonic(), used)
            ledger.settle(
                held,
                [{"tokens": used, "concurrent": 0}.get(each.measure, 1) for each in BUCKETS],
            )

    await asyncio.gather(*(client() for _ in range(CLIENTS)))


asyncio.run(main(sys.argv[1], int(sys.argv[2])))
