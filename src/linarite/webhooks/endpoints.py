"""Receivers that applications have named themselves, through the data plane."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from linarite.domain.errors import LinariteError, ServiceUnavailable
from linarite.domain.target import target_of
from linarite.files.keeper import EVERYBODY
from linarite.webhooks.destination import Destination

if TYPE_CHECKING:
    from linarite.domain.notice import Notice
    from linarite.files.webhook_endpoints import EndpointKeeper

log = structlog.get_logger("linarite.webhooks")

BEGINS = "webhook_endpoints."
SEPARATOR = "#"


class MadeDestinations:
    """The endpoints of the account that a notice is about, and of no other."""

    def __init__(self, keeper: EndpointKeeper, *, of_makers: bool) -> None:
        """`of_makers`: each hears of what its maker made alone (`files.visible_to`)."""
        self._keeper = keeper
        self._of_makers = of_makers

    async def find(self, name: str) -> Destination | None:
        """The one of a name; None when it is not there any more."""
        account_id, _, endpoint_id = name.removeprefix(BEGINS).partition(SEPARATOR)
        if not name.startswith(BEGINS):
            return None
        found = await self._keeper.find(account_id, endpoint_id, EVERYBODY)
        if found is None:
            return None
        secret = await self._keeper.secret_of(found)
        return Destination(target_of(found.body["url"]), (secret,), purpose="webhook_endpoint")

    async def wanting(self, notice: Notice) -> list[str]:
        """The names of those that want to hear of it. Raises ServiceUnavailable.

        None where the account's key is away, and with it what they want: who waited for it would
        keep everybody else's notices.
        """
        if not notice.account_id:
            return []
        try:
            made = await self._keeper.all_of(notice.account_id)
        except ServiceUnavailable:
            raise
        except LinariteError as refusal:
            log.warning("webhook endpoints not told", reason=refusal.message)
            return []
        return [
            f"{BEGINS}{each.account_id}{SEPARATOR}{each.id}"
            for each in made
            if notice.type in each.body["event_types"]
            and (not self._of_makers or notice.owner in {None, each.owner})
        ]
