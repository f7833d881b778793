"""What the data path knows about an account and a deployment, read once and frozen."""

from __future__ import annotations

import re

import msgspec

from linarite.domain.content_log import ContentLogging
from linarite.domain.engine import Capabilities
from linarite.domain.model_lifecycle import ENDLESS, Lifecycle
from linarite.domain.network import OPEN, NetworkRules
from linarite.domain.principal import Principal
from linarite.domain.rate_limits import RateLimits, is_provisioned
from linarite.domain.service_tier import DEFAULT, Rank
from linarite.domain.usage_limits import LimitsInForce

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


class Model(msgspec.Struct, frozen=True):
    """The model behind a deployment, by ARM's three coordinates."""

    name: str
    version: str
    format: str = "OpenAI"

    @property
    def served_name(self) -> str:
        """What answers call it: a version that is a date belongs to the name, as on Azure."""
        return f"{self.name}-{self.version}" if _DATE.fullmatch(self.version) else self.name


class Sku(msgspec.Struct, frozen=True):
    """How a deployment is paid and placed; one capacity unit is 1,000 tokens a minute."""

    name: str = "GlobalStandard"
    capacity: int = 1

    @property
    def provisioned(self) -> bool:
        """It reserves throughput instead of counting tokens."""
        return is_provisioned(self.name)

    @property
    def batch(self) -> bool:
        """It is for work that can wait a day."""
        return self.name.endswith("Batch")


class Deployment(msgspec.Struct, frozen=True):
    """A name clients call, and the instance that answers."""

    name: str
    model: Model
    sku: Sku
    instance: str
    """name of the instance that serves it; several deployments may share one"""
    created_at: int = 0
    """seconds since the epoch"""
    region_title: str = ""
    """where that instance runs, as `x-ms-region` shows it; "" is the account's region"""
    engine: str = ""
    """the engine of that instance; "" where nobody has told"""
    service_tier: str = DEFAULT
    """of requests that ask for none: `default` or `priority`"""
    rank: Rank = Rank.DEFAULT
    """the class of those in the queue of its instance"""
    spillover: str = ""
    """the deployment that serves what this provisioned one refuses"""
    version_life: Lifecycle = ENDLESS
    """of its model's version"""
    retired_at: float = 0.0
    """seconds since the epoch; 0: its version is not retired, or it is upgraded then"""
    id: str = ""
    """the ARM resource id: where roles may be assigned that open this deployment alone"""
    limits: RateLimits | None = None
    """None: as much as the engine does"""
    borrows: bool = False
    """it may use what others of its quota pool leave unused (`dynamicThrottlingEnabled`)"""
    tags: str = ""
    """its own and its account's: a JSON object of texts; "" for none"""


class Account(msgspec.Struct, frozen=True):
    """What a customer owns: an endpoint with keys and deployments."""

    id: str
    """the ARM resource id"""
    name: str
    location: str
    """the region, as ARM writes it (`eastus2`)"""
    region_title: str
    """the region as `x-ms-region` shows it (`East US 2`)"""
    key_digests: dict[bytes, str] = {}
    """HMAC-SHA256 of each key → its name (`key1`, `key2`)"""
    application_keys: dict[bytes, Principal] = {}
    """HMAC-SHA256 of each application's key → who holds it"""
    local_auth_disabled: bool = False
    stored_completions_disabled: bool = False
    lacks_key: str = ""
    """the id of the customer's key that it is sealed with and that is not there: nobody is let in
    meanwhile"""
    has_subdomain: bool = False
    """tokens open only accounts with a subdomain of their own (`customSubDomainName`)"""
    created_at: int = 0
    network: NetworkRules = OPEN


class Facts(msgspec.Struct, frozen=True):
    """Everything a control or an operation may decide upon."""

    account: Account
    deployments: dict[str, Deployment]
    """by lower-cased name: Azure compares deployment names without case"""
    for_batches: dict[str, Deployment] = {}
    """the same as lines of batches see them"""
    usage_limits: LimitsInForce | None = None
    """None: there are none"""
    projects: frozenset[str] = frozenset()
    """the account's, in lower case"""
    content_logging: ContentLogging | None = None
    """None: of what is asked and answered nothing is kept"""

    def deployment(self, name: str) -> Deployment | None:
        """Find a deployment by its name, whatever the case."""
        return self.deployments.get(name.lower())


class Serving(msgspec.Struct, frozen=True):
    """A deployment as it stands now: for `readyz`, the start panel and `models`."""

    deployment: Deployment
    state: str
    """NotStarted, Starting, Ready, BackingOff, Failed, Stopped"""
    detail: str
    """why, for people; while starting, the progress"""
    capabilities: Capabilities | None
    """None until the instance has started once"""
