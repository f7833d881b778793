"""Building the control plane from the parts of a server."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Protocol

import msgspec

from linarite.controlplane.actions import ACTIONS
from linarite.controlplane.caller import Credentials
from linarite.controlplane.endings import Endings
from linarite.controlplane.http import ManagementApp
from linarite.controlplane.options import Quota
from linarite.controlplane.plane import ControlPlane
from linarite.controlplane.policy.expressions import TemplateExpressions
from linarite.controlplane.routes import RESOURCE_TYPES
from linarite.controlplane.surface import Place, Realm, Surface
from linarite.controls.policy.book import PolicyBook
from linarite.domain.access import Access
from linarite.domain.activity import ActivityLog
from linarite.domain.audit import AuditTrail
from linarite.domain.azure_metrics.grains import MetricReader
from linarite.domain.client_certificate import CertificateHolders, NoHolders
from linarite.domain.content_log import ContentAccess
from linarite.domain.diagnostics import DiagnosticViews
from linarite.domain.directory import Directory
from linarite.domain.held_data import HoldsAll
from linarite.domain.jobs import JobStore
from linarite.domain.model_offer import ModelOffers
from linarite.domain.network_log import NetworkLog
from linarite.domain.outbox import Deliveries
from linarite.domain.perimeter import Perimeters
from linarite.domain.principal import MANAGEMENT_KEYS_ID, TokenVerifier
from linarite.domain.request_record import RequestLedger
from linarite.domain.resource import AccountKeys, KeyStore, ResourceStore
from linarite.domain.secret_box import SecretBox
from linarite.domain.usage_limits import LimitCounts, NoCounts
from linarite.domain.usage_report import UsageBook
from linarite.privatelink.book import PrivateLinkBook
from linarite.privatelink.networks import Networks


class DeclaredAccount(Protocol):
    """What settings say of the account, as the control plane needs it."""

    @property
    def subscription(self) -> str:
        """The subscription's GUID."""
        ...

    @property
    def location(self) -> str:
        """The region, as ARM writes it."""
        ...

    @property
    def region_title(self) -> str:
        """The region, as people read it."""
        ...


class ControlPlaneParts(msgspec.Struct, frozen=True):
    """What the control plane is made of."""

    account: DeclaredAccount
    tenant: str
    resources: ResourceStore
    tokens: TokenVerifier
    audiences: Callable[[], frozenset[str]]
    """for whom a token must be that opens the control plane"""
    keys: KeyStore
    box: SecretBox
    offers: ModelOffers
    quota: Quota
    tokens_per_second_per_ptu: float
    jobs: JobStore
    activity: ActivityLog
    audit: AuditTrail
    access: Access
    links: PrivateLinkBook
    networks: Networks
    account_hosts_in: str
    """the domain under which accounts' endpoints are shown; "" shows them by path"""
    requests: RequestLedger
    usage: UsageBook
    currency: str
    """of the price book"""
    network_log: NetworkLog
    metrics: MetricReader
    perimeters: Perimeters
    diagnostics: DiagnosticViews
    outbox: Deliveries
    content_log: ContentAccess
    held: HoldsAll
    regions: Mapping[str, str]
    """the declared regions with their titles; none: this machine stands for every location"""
    keys_changed: Callable[[str], Awaitable[None]]
    """awaited with the id of an account whose keys may have changed"""
    directory: Directory | None = None
    """whom this server knows by itself; None: nobody"""
    holders: CertificateHolders = NoHolders()
    """tell who shows a client certificate"""
    management_key: bool = True
    """whether the management keys open it"""
    limit_counts: LimitCounts = NoCounts()


async def open_control_plane(parts: ControlPlaneParts) -> tuple[AccountKeys, ManagementApp]:
    """The management keys, made at the first start, and the application."""
    keys = await parts.keys.ensure(MANAGEMENT_KEYS_ID)
    policies = PolicyBook(parts.resources, TemplateExpressions())
    await policies.refresh()
    parts.resources.subscribe(policies.follow)
    surface = Surface(
        realm=Realm(
            tenant=parts.tenant,
            subscription=parts.account.subscription,
            subscription_title="Linarite",
            places=_places(parts),
            anywhere=not parts.regions,
        ),
        resources=parts.resources,
        keys=parts.keys,
        box=parts.box,
        offers=parts.offers,
        keys_changed=parts.keys_changed,
        now=lambda: datetime.now(UTC),
        quota=parts.quota,
        tokens_per_second_per_ptu=parts.tokens_per_second_per_ptu,
        jobs=parts.jobs,
        activity=parts.activity,
        audit=parts.audit,
        access=parts.access,
        policies=policies,
        links=parts.links,
        networks=parts.networks,
        account_hosts_in=parts.account_hosts_in,
        directory=parts.directory,
        requests=parts.requests,
        usage=parts.usage,
        currency=parts.currency,
        network_log=parts.network_log,
        metrics=parts.metrics,
        perimeters=parts.perimeters,
        diagnostics=parts.diagnostics,
        outbox=parts.outbox,
        content_log=parts.content_log,
        held=parts.held,
        limit_counts=parts.limit_counts,
    )
    plane = ControlPlane(RESOURCE_TYPES, ACTIONS, surface)
    parts.resources.subscribe(Endings(surface).follow)
    credentials = Credentials(
        digests=await parts.keys.digests(MANAGEMENT_KEYS_ID) if parts.management_key else {},
        digest=parts.keys.digest,
        tokens=parts.tokens,
        audiences=parts.audiences,
        tenant=parts.tenant,
        holders=parts.holders,
    )
    return keys, ManagementApp(plane, credentials)


def _places(parts: ControlPlaneParts) -> tuple[Place, ...]:
    """The account's own region first."""
    own = parts.account.location
    titles = {own: parts.account.region_title} | dict(parts.regions)
    return tuple(Place(name, title) for name, title in titles.items())
