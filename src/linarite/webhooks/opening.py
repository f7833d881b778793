"""Opening the sender of a server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.storage.sqlite.outbox import SqliteOutbox
from linarite.webhooks.sender import WebhookSender

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AsyncExitStack

    from linarite.domain.dial import Dialer
    from linarite.storage.database import Database
    from linarite.webhooks.options import WebhookSettings


async def running_webhooks(
    stack: AsyncExitStack,
    database: Database,
    dialer: Dialer,
    declared: Mapping[str, WebhookSettings],
) -> WebhookSender:
    """The sender, at work until the stack is left. Raises SetupError."""
    sender = WebhookSender(SqliteOutbox(database), dialer, declared)
    await sender.start()
    stack.push_async_callback(sender.stop)
    return sender
