"""What accounts allow of their own: `restrictOutboundNetworkAccess` and `allowedFqdnList`.

Source: learn.microsoft.com, "Configure data loss prevention for Foundry Tools".
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

import structlog

from linarite.domain.errors import EgressRefused, SetupError
from linarite.domain.host_patterns import HostPatterns
from linarite.domain.resource import ACCOUNT_TYPE, may_concern_accounts

if TYPE_CHECKING:
    from linarite.domain.resource import Committed, Resource, ResourceStore

log = structlog.get_logger("linarite.egress")

_PROPERTY = "allowedFqdnList"
_NOTHING = HostPatterns((), _PROPERTY)


class OutboundLists:
    """The lists of the accounts that restrict what is reached for them; others have none here."""

    def __init__(self, resources: ResourceStore) -> None:
        """Empty until `refresh`."""
        self._resources = resources
        self._by_account: dict[str, HostPatterns] = {}
        self._turn = asyncio.Lock()

    async def refresh(self) -> None:
        """Read every account anew."""
        async with self._turn:
            accounts = await self._resources.list_under("", ACCOUNT_TYPE)
            restricted = {each.id.lower(): list_of(each) for each in accounts}
            self._by_account = {key: kept for key, kept in restricted.items() if kept is not None}

    async def follow(self, committed: Committed) -> None:
        """Keep up with a change before its writer goes on."""
        if any(map(may_concern_accounts, (*committed.written, *committed.removed))):
            await self.refresh()

    def require_host(self, account_id: str, host: str, port: int) -> None:
        """Raise EgressRefused unless the account allows the (normal) host."""
        if not self._by_account:
            return
        allowed = self._by_account.get(account_id.lower())
        if allowed is None or allowed.match(host, port):
            return
        name = account_id.rpartition("/")[2]
        raise EgressRefused(
            f"The account '{name}' restricts its outbound network access, and '{host}' is not in "
            f"its list. Add '{host}' to properties.allowedFqdnList of the account, or set "
            "properties.restrictOutboundNetworkAccess to false.",
            rule=_PROPERTY,
        )


def list_of(account: Resource) -> HostPatterns | None:
    """The hosts that an account allows; None when it restricts nothing.

    An entry that could not be sent today allows nothing.
    """
    properties = account.properties
    if not properties.get("restrictOutboundNetworkAccess"):
        return None
    entries = cast("list[object]", properties.get(_PROPERTY) or [])
    try:
        return HostPatterns([str(entry) for entry in entries], _PROPERTY)
    except SetupError as problem:
        log.error("no outbound access", account=account.id, why=problem.message)  # noqa: TRY400 - the message says it all
        return _NOTHING
