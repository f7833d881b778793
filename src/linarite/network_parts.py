"""The network's rules of a whole server: what accounts allow, the one way out, and their log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.controls.egress import EgressDialer, EgressPolicy, OutboundLists
from linarite.domain.network_log import EGRESS_REFUSED, Occurrence
from linarite.storage.sqlite.network_log import SqliteNetworkLog
from linarite.telemetry.network_watch import NetworkWatch

if TYPE_CHECKING:
    from contextlib import AsyncExitStack

    from linarite.domain.dial import Errand
    from linarite.domain.errors import EgressRefused
    from linarite.domain.resource import ResourceStore
    from linarite.storage.database import Database


class NetworkParts:
    """Opened once, before anything connects or listens."""

    def __init__(self, database: Database, resources: ResourceStore) -> None:
        self.log = SqliteNetworkLog(database)
        self.watch = NetworkWatch(self.log)
        self._resources = resources

    async def open(self, stack: AsyncExitStack, policy: EgressPolicy) -> EgressDialer:
        """The dialer, by the server's lists and those of accounts as they are at any time."""
        await self.watch.start()
        stack.push_async_callback(self.watch.stop)
        lists = OutboundLists(self._resources)
        await lists.refresh()
        self._resources.subscribe(lists.follow)
        return EgressDialer(policy, account_rules=(lists,), on_refused=self._refused)

    def _refused(self, host: str, port: int, errand: Errand, refused: EgressRefused) -> None:
        what = Occurrence(
            category=EGRESS_REFUSED,
            direction="Outbound",
            account_id=errand.account_id,
            purpose=errand.purpose,
            remote=host,
            port=port,
            rule=refused.rule,
        )
        self.watch.see(what, refused.message)
