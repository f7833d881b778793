"""What keeps a whole server to its limits: the ledger that settings choose."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.controlplane.options import IN_MEMORY
from linarite.controls.quota import Limiter, MemoryLedger
from linarite.domain.errors import SetupError
from linarite.storage.sqlite.lasting_counts import SqliteLastingCounts
from linarite.storage.valkey.address import valkey_address

if TYPE_CHECKING:
    from contextlib import AsyncExitStack

    from linarite.controlplane.options import Quota
    from linarite.domain.dial import Dialer
    from linarite.domain.ledger import Ledger
    from linarite.storage.database import Database


async def open_ledger(
    settings: Quota, database: Database, dialer: Dialer, stack: AsyncExitStack
) -> Ledger:
    """The one that settings choose. Leaving `stack` keeps what lasts.

    Raises SetupError, ServiceUnavailable.
    """
    if settings.ledger == IN_MEMORY:
        own = MemoryLedger(counts=SqliteLastingCounts(database))
        await own.open()
        stack.push_async_callback(own.close)
        return own
    shared = await open_shared_ledger(settings, dialer)
    stack.push_async_callback(shared.close)
    return shared


def limiter_over(ledger: Ledger, settings: Quota) -> Limiter:
    """What keeps to it, as settings say."""
    return Limiter(settings.rates, ledger, settings.begun_wait_s)


async def open_shared_ledger(settings: Quota, dialer: Dialer) -> Ledger:
    """The ledger in Valkey or Redis. Raises SetupError where its library is missing."""
    try:
        from linarite.storage.valkey.keeper import Keeper  # noqa: PLC0415 - an extra
        from linarite.storage.valkey.ledger import ValkeyLedger  # noqa: PLC0415 - as above
    except ModuleNotFoundError:
        raise SetupError(
            "quota.ledger names a store that is reached with a library of its own: "
            "pip install 'linarite[valkey]'"
        ) from None
    keeper = Keeper(
        valkey_address(settings.ledger),
        settings.ledger_password,
        dialer,
        ca_file=settings.ledger_ca_file or None,
        deadline_s=settings.ledger_deadline_s,
    )
    apart = MemoryLedger() if settings.on_ledger_failure == "local" else None
    ledger = ValkeyLedger(keeper, settings.ledger_deadline_s, apart)
    await ledger.open()
    return ledger
