"""What the verbs work on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

import msgspec

from linarite.controlplane.options import Quota
from linarite.controls.policy.book import PolicyBook
from linarite.domain.access import Access
from linarite.domain.activity import ActivityLog
from linarite.domain.audit import AuditTrail
from linarite.domain.azure_metrics.grains import MetricReader
from linarite.domain.budgets import NO_BUDGETS, BudgetBook
from linarite.domain.content_log import ContentAccess
from linarite.domain.diagnostics import NO_DIAGNOSTICS, DiagnosticViews
from linarite.domain.directory import Directory
from linarite.domain.held_data import HeldData, HoldsAll
from linarite.domain.jobs import JobStore
from linarite.domain.ledger import Window
from linarite.domain.model_offer import Assortment, ModelOffers
from linarite.domain.network_log import NetworkLog
from linarite.domain.outbox import NOTHING_SENT, Deliveries
from linarite.domain.perimeter import Perimeters
from linarite.domain.request_record import RequestLedger
from linarite.domain.resource import KeyStore, ResourceStore
from linarite.domain.secret_box import SecretBox
from linarite.domain.usage_limits import LimitCounts, NoCounts
from linarite.domain.usage_report import UsageBook
from linarite.privatelink.book import PrivateLinkBook
from linarite.privatelink.networks import Networks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.controlplane.preview import Preview
    from linarite.controlplane.request import Answer, ArmRequest


class Place(msgspec.Struct, frozen=True):
    """A region of this server."""

    name: str
    """as ARM writes it: `eastus2`"""
    title: str
    """as people read it: `East US 2`"""


class Realm(msgspec.Struct, frozen=True):
    """What is fixed while the server runs: who owns it and where it is."""

    tenant: str
    subscription: str
    subscription_title: str
    places: tuple[Place, ...]

    anywhere: bool = False
    """settings declare no regions: this machine stands for every location"""

    @property
    def locations(self) -> tuple[str, ...]:
        """The names of all regions; the first is where the declared account lies."""
        return tuple(place.name for place in self.places)

    def title_of(self, location: str) -> str:
        """A region as people read it."""
        return next((each.title for each in self.places if each.name == location), location)

    def has(self, location: str) -> bool:
        """Whether resources may lie there."""
        return self.anywhere or location in self.locations


class Known(msgspec.Struct, frozen=True):
    """A resource type that the table has, for those that list what there is."""

    namespace: str
    words: str
    """the type without its namespace: `accounts/deployments`"""
    versions: tuple[str, ...]
    tracked: bool
    permissions: tuple[str, ...]
    """what roles can grant on it"""

    @property
    def type(self) -> str:
        """The full resource type."""
        return f"{self.namespace}/{self.words}"


class Showing(msgspec.Struct, frozen=True):
    """What showing a resource may need beside it."""

    base_url: str
    assortment: Assortment
    api_version: str
    tenant: str
    directory: Directory | None
    now: datetime
    links: PrivateLinkBook
    """private endpoints and what belongs to them"""
    last_used: Callable[[str], int]
    """when an application's key, by its id, was used last; as `ApplicationKeyStore` tells it"""
    budgets: BudgetBook = NO_BUDGETS
    """how budgets stand"""
    currency: str = "USD"
    """of the price book"""
    requests_window: Window = Window.TEN_SECONDS
    """over which requests are counted, where there is one or more for each second"""
    account_hosts_in: str = ""
    """the domain under which accounts' endpoints are shown; "" shows them by path"""

    def endpoint(self, word: str, service: str) -> str:
        """An account's endpoint, without a slash at its end.

        `service` is one of `account_names.SERVICES`; by path it makes no difference.
        """
        if not self.account_hosts_in:
            return f"{self.base_url}/{word}"
        here = urlsplit(self.base_url)
        port = f":{here.port}" if here.port is not None else ""
        return f"{here.scheme}://{word}.{service}.{self.account_hosts_in}{port}"


class Plane(Protocol):
    """The control plane, as those use it who work in it."""

    @property
    def stored_types(self) -> Sequence[str]:
        """The types of the resources that are kept."""
        ...

    async def serve(self, request: ArmRequest) -> Answer:
        """Answer a request. Raises ArmError and other LinariteErrors."""
        ...

    async def preview(self, request: ArmRequest) -> Preview:
        """What a PUT would do, without doing it. Raises ArmError."""
        ...

    def over(self, resources: ResourceStore) -> Surface:
        """A surface whose plane has the same table over other resources: for trying things out."""
        ...

    async def check(self, request: ArmRequest) -> Any:  # noqa: ANN401 - nobody looks into it
        """Refuse what has no row, an unknown api-version or no permission. Raises ArmError."""
        ...


class Surface(msgspec.Struct, kw_only=True):
    """The stores and facts behind the control plane, the same for every request."""

    realm: Realm
    resources: ResourceStore
    keys: KeyStore
    box: SecretBox
    offers: ModelOffers
    keys_changed: Callable[[str], Awaitable[None]]
    """awaited with an account's id: the data path reads its keys anew; what else is written, the
    store tells it"""
    now: Callable[[], datetime]
    quota: Quota
    tokens_per_second_per_ptu: float = 1.0
    """what a provisioned throughput unit reserves of an instance"""
    jobs: JobStore
    activity: ActivityLog
    audit: AuditTrail
    requests: RequestLedger
    usage: UsageBook
    currency: str = "USD"
    """of the price book"""
    network_log: NetworkLog
    metrics: MetricReader
    perimeters: Perimeters
    diagnostics: DiagnosticViews = NO_DIAGNOSTICS
    content_log: ContentAccess = ContentAccess()
    held: HoldsAll = HeldData()
    """prompts and completions that accounts have kept"""
    outbox: Deliveries = NOTHING_SENT
    """what is told to webhooks"""
    access: Access
    policies: PolicyBook
    links: PrivateLinkBook
    """private endpoints and what belongs to them"""
    networks: Networks = msgspec.field(default_factory=Networks)
    """what settings declare around this machine"""
    limit_counts: LimitCounts = NoCounts()
    """what is used of usage limits"""
    account_hosts_in: str = ""
    """as in `Showing`"""
    directory: Directory | None = None
    """whom this server knows by itself; None: nobody"""
    known: tuple[Known, ...] = ()
    """what the table has; the plane fills it in"""
    rows: dict[str, Any] = {}
    """lower-cased type → its row; the plane fills it in"""
    own_plane: Plane | None = None
    """the control plane fills it in"""
    turn: asyncio.Lock = msgspec.field(default_factory=asyncio.Lock)
    """held from reading what a decision rests on until it is written: no two decisions cross"""

    @property
    def plane(self) -> Plane:
        """The control plane: what makes requests of its own makes them here."""
        assert self.own_plane is not None  # noqa: S101 - set before any request is served
        return self.own_plane

    def showing(self, request: ArmRequest) -> Showing:
        """What showing resources in the answer to a request needs."""
        return Showing(
            base_url=request.base_url,
            assortment=self.offers.now(),
            api_version=request.api_version,
            tenant=self.realm.tenant,
            directory=self.directory,
            now=self.now(),
            links=self.links,
            last_used=self.keys.applications.last_used,
            budgets=self.diagnostics.budgets,
            currency=self.currency,
            requests_window=Window(self.quota.requests_window),
            account_hosts_in=self.account_hosts_in,
        )
