"""What keeps a whole server to its limits: the ledger that settings choose."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.controls.quota import Limiter, MemoryLedger
from linarite.storage.sqlite.lasting_counts import SqliteLastingCounts

if TYPE_CHECKING:
    from contextlib import AsyncExitStack

    from linarite.controlplane.options import Quota
    from linarite.storage.database import Database


async def open_limiter(settings: Quota, database: Database, stack: AsyncExitStack) -> Limiter:
    """Leaving `stack` keeps the counts of days and months. Raises ServiceUnavailable."""
    ledger = MemoryLedger(counts=SqliteLastingCounts(database))
    await ledger.open()
    stack.push_async_callback(ledger.close)
    return Limiter(settings.rates, ledger)
