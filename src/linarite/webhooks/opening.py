"""Opening the sender of a server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.storage.sqlite.outbox import SqliteOutbox
from linarite.webhooks.endpoints import MadeDestinations
from linarite.webhooks.sender import WebhookSender

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AsyncExitStack

    from linarite.domain.dial import Dialer
    from linarite.files.options import Files
    from linarite.files.webhook_endpoints import EndpointKeeper
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


def tell_endpoints(sender: WebhookSender, keeper: EndpointKeeper, files: Files) -> None:
    """From now on notices go to what applications have named, too; before any is told."""
    made = MadeDestinations(keeper, of_makers=files.visible_to == "creator")
    sender.also_find(made.find)
    sender.also_tell(made.wanting)
