"""The whole control plane over memory stores, asked without HTTP."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from linarite.controlplane.actions import ACTIONS
from linarite.controlplane.caller import MANAGEMENT_KEY, Caller
from linarite.controlplane.options import Quota
from linarite.controlplane.plane import ControlPlane
from linarite.controlplane.policy.expressions import TemplateExpressions
from linarite.controlplane.request import Answer, ArmRequest
from linarite.controlplane.routes import RESOURCE_TYPES
from linarite.controlplane.surface import Place, Realm, Surface
from linarite.controls.audit.chain import chained, event_of
from linarite.controls.audit.signing import AuditKey
from linarite.controls.authorize.book import AccessBook
from linarite.controls.network import PerimeterBook
from linarite.controls.policy.book import PolicyBook
from linarite.domain.arm_errors import ArmError
from linarite.domain.audit_errors import AuditUnavailable
from linarite.domain.errors import LinariteError
from linarite.domain.model_offer import Assortment, ModelOffer
from linarite.privatelink.book import PrivateLinkBook
from linarite.privatelink.networks import Networks
from linarite.storage.memory.activity import MemoryActivityLog
from linarite.storage.memory.audit import MemoryAuditStore
from linarite.storage.memory.customer_keys import MemoryCustomerKeys
from linarite.storage.memory.jobs import MemoryJobStore
from linarite.storage.memory.keys import MemoryKeyStore
from linarite.storage.memory.metrics import MemoryMetricStore
from linarite.storage.memory.network_log import MemoryNetworkLog
from linarite.storage.memory.requests import MemoryRequestLedger
from linarite.storage.memory.resources import MemoryResourceStore
from linarite.storage.sealing import Sealing

if TYPE_CHECKING:
    from linarite.domain.audit import AuditEvent, Checkpoint

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg"
ACCOUNTS = f"{GROUP}/providers/Microsoft.CognitiveServices/accounts"
VERSION = "2025-09-01"
RESOURCES_VERSION = "2024-11-01"
NETWORK_VERSION = "2024-07-01"
PRIVATE_DNS_VERSION = "2024-06-01"
AUTHORIZATION_VERSION = "2022-04-01"
ACCOUNT: dict[str, Any] = {
    "location": "local",
    "kind": "OpenAI",
    "sku": {"name": "S0"},
    "properties": {},
}
DEPLOYMENT: dict[str, Any] = {
    "sku": {"name": "Standard", "capacity": 10},
    "properties": {"model": {"format": "OpenAI", "name": "gpt-4o", "version": "1"}},
}


class OneModel:
    """An assortment of one model."""

    def now(self) -> Assortment:
        """gpt-4o."""
        return Assortment(offers=[ModelOffer(name="gpt-4o", version="1")])


class HandedIn(MemoryAuditStore):
    """An audit trail that keeps what it is handed at once."""

    def __init__(self) -> None:
        super().__init__()
        self.refusing = False

    @property
    def events(self) -> list[AuditEvent]:
        """What it was handed."""
        return [event_of(entry.body) for entry in self.entries]

    async def record(self, event: AuditEvent) -> None:
        """Take it, or refuse as a full disk has the real one refuse."""
        if self.refusing:
            raise AuditUnavailable("the disk is full")
        self.note(event)

    def note(self, event: AuditEvent) -> None:
        """Take it."""
        before = self.entries[-1].hash if self.entries else b""
        self.entries += chained(before, len(self.entries), [event])

    def note_management_key(self, address: str, request_id: str) -> None:
        """Not kept: tests tell apart what is done."""

    async def anchor(self) -> tuple[Checkpoint, bytes]:
        """The end of the log, signed."""
        last = self.entries[-1]
        key = AuditKey.from_bytes(b"1" * 32)
        return key.checkpoint(last.seq, last.hash, "now", "asked"), key.public


class Rig:
    """A control plane of a test's own."""

    def __init__(
        self,
        *,
        anywhere: bool = False,
        quota: Quota | None = None,
        networks: Networks | None = None,
    ) -> None:
        self.jobs = MemoryJobStore()
        self.resources = MemoryResourceStore(self.jobs)
        self.customer_keys = MemoryCustomerKeys()
        self.keys = MemoryKeyStore(self.customer_keys)
        self.activity = MemoryActivityLog()
        self.audit = HandedIn()
        self.access = AccessBook(self.resources, lambda: datetime.now(UTC))
        self.resources.subscribe(self.access.follow)
        self.policies = PolicyBook(self.resources, TemplateExpressions())
        self.resources.subscribe(self.policies.follow)
        self.links = PrivateLinkBook(self.resources, "linarite.internal")
        self.resources.subscribe(self.links.follow)
        self._opened = False
        self.requests = MemoryRequestLedger()
        self.network_log = MemoryNetworkLog()
        self.metrics = MemoryMetricStore()
        self.perimeters = PerimeterBook(self.resources, lambda *_: None, lambda _: "")
        self.resources.subscribe(self.perimeters.follow)
        self.told = 0
        self.surface = Surface(
            realm=Realm(
                tenant="t",
                subscription=SUBSCRIPTION,
                subscription_title="Test",
                places=(Place("local", "Local"), Place("eastus2", "East US 2")),
                anywhere=anywhere,
            ),
            resources=self.resources,
            keys=self.keys,
            box=Sealing(b"0" * 32).box,
            offers=OneModel(),
            quota=quota or Quota(),
            jobs=self.jobs,
            activity=self.activity,
            audit=self.audit,
            access=self.access,
            policies=self.policies,
            links=self.links,
            networks=networks or Networks(),
            requests=self.requests,
            usage=self.requests,
            network_log=self.network_log,
            metrics=self.metrics,
            perimeters=self.perimeters,
            keys_changed=self._keys_changed,
            now=lambda: datetime.now(UTC),
        )
        self.plane = ControlPlane(RESOURCE_TYPES, ACTIONS, self.surface)

    async def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        version: str | None = "",
        headers: dict[str, str] | None = None,
        caller: Caller = MANAGEMENT_KEY,
    ) -> Answer:
        """One request; refusals come back as answers, their error as body.

        `version`: "" sends the usual one, None sends none.
        """
        if not self._opened:
            await self.policies.refresh()
            self._opened = True
        parts = urlsplit(path)
        query = dict(parse_qsl(parts.query))
        usual = VERSION if "CognitiveServices" in path else RESOURCES_VERSION
        if "Microsoft.Network" in path:
            usual = PRIVATE_DNS_VERSION if "privateDnsZones" in path else NETWORK_VERSION
        if "Microsoft.Authorization" in path:
            usual = AUTHORIZATION_VERSION
        request = ArmRequest(
            method=method,
            path=parts.path,
            api_version="" if version is None else query.pop("api-version", version or usual),
            caller=caller,
            query=query,
            headers=headers or {},
            body=b"" if body is None else json.dumps(body).encode(),
            base_url="https://here",
            correlation_id=(headers or {}).get("x-ms-correlation-request-id", ""),
        )
        try:
            return await self.plane.serve(request)
        except ArmError as refused:
            error = {"code": refused.code, "message": refused.message, "target": refused.target}
            details = [{"code": each.code, "target": each.target} for each in refused.details]
            return Answer(refused.status, error | {"details": details}, refused.headers)
        except LinariteError as refused:
            error = {"code": refused.code, "message": refused.message}
            return Answer(refused.status, error, refused.headers)

    async def with_group(self) -> Rig:
        """Make the resource group first."""
        await self.ask("PUT", GROUP, {"location": "local"})
        return self

    async def end_jobs(self) -> None:
        """Have every job in progress succeed, as the worker would."""
        for job in await self.jobs.running(""):
            await self.resources.commit([], [job.succeeded()])

    async def _keys_changed(self, account_id: str) -> None:
        del account_id
        self.told += 1
