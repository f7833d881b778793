"""The network's rules of a whole server: what accounts allow, the one way out, and their log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from linarite.controls.egress import EgressDialer, EgressPolicy, OutboundLists
from linarite.controls.network import PerimeterBook
from linarite.domain.network_log import EGRESS_REFUSED, Occurrence
from linarite.storage.network_spool import NetworkSpool
from linarite.storage.sqlite.network_log import SqliteNetworkLog
from linarite.telemetry.network_watch import NetworkWatch

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from contextlib import AsyncExitStack

    from linarite.domain.dial import Errand
    from linarite.domain.directory import Directory
    from linarite.domain.errors import EgressRefused
    from linarite.domain.network import NetworkRules
    from linarite.domain.resource import Resource, ResourceStore
    from linarite.storage.database import Database


class NetworkParts:
    """Opened once, before anything connects or listens."""

    def __init__(self, database: Database, resources: ResourceStore) -> None:
        self.log = SqliteNetworkLog(database)
        self.watch = NetworkWatch(self.log, left=NetworkSpool(database.folder))
        self._resources = resources
        self._directory: Directory | None = None
        self.perimeters = PerimeterBook(resources, self.watch.see, self._identity_of)

    def rules_by(
        self, own: Callable[[Mapping[str, Any]], NetworkRules]
    ) -> Callable[[Resource], NetworkRules]:
        """What reads an account: its own rules, from its properties, and its perimeter."""
        return lambda account: self.perimeters.around(account.id, own(account.properties))

    def know(self, directory: Directory) -> None:
        """Where the identities of resources are told from here on."""
        self._directory = directory

    async def open(
        self,
        stack: AsyncExitStack,
        policy: EgressPolicy,
        rules_changed: Callable[[str], Awaitable[None]],
    ) -> EgressDialer:
        """The dialer, by the server's lists and those of accounts as they are at any time.

        `rules_changed` is awaited with the id of each account whose perimeter has changed.
        """
        self.perimeters.changed = rules_changed
        self._resources.subscribe(self.perimeters.follow)
        await self.perimeters.refresh()
        await self.watch.start()
        stack.push_async_callback(self.watch.stop)
        lists = OutboundLists(self._resources)
        await lists.refresh()
        self._resources.subscribe(lists.follow)
        return EgressDialer(
            policy,
            account_rules=(lists, self.perimeters),
            on_refused=self._refused,
            on_passed=self._passed,
        )

    def _identity_of(self, resource_id: str) -> str:
        found = self._directory.managed_identity(resource_id) if self._directory else None
        return found.object_id if found is not None else ""

    def _passed(self, host: str, port: int, errand: Errand) -> None:
        self.perimeters.tell_outbound(errand.account_id, host, port)

    def _refused(self, host: str, port: int, errand: Errand, refused: EgressRefused) -> None:
        if refused.rule == "perimeter":
            self.perimeters.tell_outbound(errand.account_id, host, port)
            return
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
