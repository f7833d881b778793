"""Opening the content log, and the work that it does by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.content_log.keeper import ContentKeeper
from linarite.content_log.tidying import ContentTidier
from linarite.storage.database import open_content
from linarite.storage.sqlite.content import SqliteContentStore

if TYPE_CHECKING:
    from contextlib import AsyncExitStack
    from pathlib import Path

    from linarite.content_log.options import ContentLogSettings
    from linarite.domain.audit import AuditTrail
    from linarite.domain.resource import KeyStore, ResourceStore


async def open_content_log(
    stack: AsyncExitStack,
    home: Path,
    options: ContentLogSettings,
    stores: tuple[ResourceStore, KeyStore],
    trail: AuditTrail,
) -> ContentKeeper:
    """The keeper, writing and sweeping until the stack is left. Raises SetupError."""
    resources, keys = stores
    database = open_content(home)
    stack.push_async_callback(database.close)
    keeper = ContentKeeper(SqliteContentStore(database), keys, options)
    tidier = ContentTidier(keeper, resources, trail)
    await tidier.start()
    stack.push_async_callback(tidier.stop)
    keeper.start()
    stack.push_async_callback(keeper.stop)
    return keeper
