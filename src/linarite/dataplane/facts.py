"""Reading accounts and deployments through the ports, once, into frozen facts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec

from linarite.controls.authenticate.api_key import identify
from linarite.controls.network import rules_of
from linarite.controls.usage_limits import LimitDesk
from linarite.dataplane.batch_door import as_batches
from linarite.dataplane.limits_reader import LimitsReader, project_names, tags_text
from linarite.domain.application_key import (
    APPLICATION_KEY_TYPE,
    KEY_ID,
    application_key_holder,
)
from linarite.domain.arm_id import subscription_of
from linarite.domain.calibration import CALIBRATION_TYPE, is_calibration, known_output_weight
from linarite.domain.content_log import logging_of
from linarite.domain.customer_keys import CustomerKeyUnavailable
from linarite.domain.errors import InvalidKey, KeyAuthenticationDisabled
from linarite.domain.facts import Account, Deployment, Facts, Model, Sku
from linarite.domain.ledger import Window
from linarite.domain.lending import lending_pools
from linarite.domain.listed_model import is_listed_model
from linarite.domain.model_lifecycle import ENDLESS
from linarite.domain.model_offer import Assortment
from linarite.domain.placement import (
    PLACEMENT_TYPE,
    deployment_id_of,
    instance_id,
    instance_of,
    placement_of,
)
from linarite.domain.rate_limits import RATE_LIMITED, provisioned_limits, rate_limits
from linarite.domain.resource import ACCOUNT_TYPE, DEPLOYMENT_TYPE, domain_of
from linarite.domain.service_tier import deployment_tier, rank_of
from linarite.domain.upgrades import upgrade_of
from linarite.domain.usage_limits import PROJECT_TYPE, is_usage_limit, merged_tags, of_account

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from linarite.domain.lending import Pool
    from linarite.domain.model_offer import ModelOffers
    from linarite.domain.network import NetworkRules
    from linarite.domain.placement import Placement
    from linarite.domain.principal import Principal
    from linarite.domain.rate_limits import RateLimits
    from linarite.domain.resource import Committed, KeyStore, Resource, ResourceStore


def _without_networks(account: Resource) -> NetworkRules:
    """An account's rules where it is not known which addresses any subnet has."""
    return rules_of(account.properties, lambda _subnet: ())


class ToldOfInstances(msgspec.Struct, frozen=True):
    """What settings tell of the instances that deployments run on."""

    region_title: Callable[[str, str], str] = lambda _instance, _region: ""
    """what `x-ms-region` shows for an instance in the region of a placement ("" without one); an
    empty title means the account's"""
    engine_of: Callable[[str], str] = lambda _instance: ""
    """the engine of an instance that settings declare; other instances have records that tell"""
    tokens_per_second_per_ptu: float = 1.0
    """what a provisioned throughput unit reserves"""
    requests_window: Window = Window.TEN_SECONDS
    """over which the requests of deployments are counted"""


class FactsBook:
    """What the hot path looks up. No request reads the database."""

    def __init__(
        self,
        resources: ResourceStore,
        keys: KeyStore,
        *,
        default_account: str = "",
        instances: ToldOfInstances | None = None,
        offers: ModelOffers | None = None,
        network_rules_of: Callable[[Resource], NetworkRules] = _without_networks,
    ) -> None:
        """Empty until `refresh`. Calls that name no account mean `default_account`, an id.

        `offers` tell until when versions answer; without them all do for ever. `network_rules_of`
        reads an account.
        """
        self._offers = offers
        self._instances = instances or ToldOfInstances()
        self._network_rules_of = network_rules_of
        self._resources = resources
        self._keys = keys
        self.lending: Mapping[str, Pool] = {}
        """the quota pools in which some deployment may borrow, by each of their deployments"""
        self.limit_desk = LimitDesk()
        """whom usage limits have met"""
        self._limits_reader = LimitsReader(resources, self.limit_desk)
        self._by_account: dict[str, Facts] = {}
        self._by_id: dict[str, Facts] = {}
        self._default_account = default_account.lower()
        self._unnamed: Facts | None = None
        self._turn = asyncio.Lock()

    async def refresh(self) -> None:
        """Read everything anew and replace it in one step.

        One at a time, so that a slow reading can't put an older state over a newer one.
        """
        async with self._turn:
            fresh: dict[str, Facts] = {}
            for resource in await self._resources.list_under("", ACCOUNT_TYPE):
                fresh[domain_of(resource)] = await self._read(resource)
            self._take(fresh)

    async def follow(self, committed: Committed) -> None:
        """Read anew what a change has touched, before its writer goes on."""
        for gone in filter(is_usage_limit, committed.removed):
            self.limit_desk.subjects.forget(gone)
        changed = (*committed.written, *committed.removed)
        if any(is_listed_model(each) or is_calibration(each) for each in changed):
            await self.refresh()  # versions end otherwise than they did, units mean something else
            return
        if any(map(is_around_accounts, committed.removed)):
            await self.refresh()  # they are gone with it
            return
        if any(map(is_limit_beyond_accounts, changed)):
            await self.refresh()
            return
        touched = {account_of_id(each) for each in changed}
        for account_id in touched - {""}:
            await self.read_anew(account_id)

    async def read_anew(self, account_id: str) -> None:
        """Read one account anew: what no commit tells, such as its keys, has changed."""
        async with self._turn:
            fresh = {
                domain: facts
                for domain, facts in self._by_account.items()
                if facts.account.id.lower() != account_id.lower()
            }
            resource = await self._resources.get(account_id)
            if resource is not None:
                fresh[domain_of(resource)] = await self._read(resource)
            self._take(fresh)

    def _take(self, fresh: dict[str, Facts]) -> None:
        self._by_account = fresh
        self._by_id = {facts.account.id.lower(): facts for facts in fresh.values()}
        only = next(iter(fresh.values())) if len(fresh) == 1 else None
        self._unnamed = self._by_id.get(self._default_account, only)
        self.lending = lending_pools(
            (subscription_of(facts.account.id), facts.account.location, each)
            for facts in fresh.values()
            for each in facts.deployments.values()
        )

    def for_account(self, name: str) -> Facts:
        """The facts of an account by its domain; "" means the default or only one.

        Raises InvalidKey for an unknown account: names can't be probed.
        """
        facts = self.find(name)
        if facts is None:
            raise InvalidKey
        return facts

    def find(self, name: str) -> Facts | None:
        """The same; None for an unknown account."""
        return self._by_account.get(name.lower()) if name else self._unnamed

    def find_by_key(
        self, headers: Mapping[bytes, bytes], location: str, digest: Callable[[str], bytes]
    ) -> Facts | None:
        """The facts of the account in a region whose key the headers carry; None for none."""
        once = cache(digest)
        for facts in self._by_account.values():
            if facts.account.location == location:
                with suppress(InvalidKey, KeyAuthenticationDisabled):
                    identify(headers, facts.account, once)
                    return facts
        return None

    def find_by_id(self, account_id: str) -> Facts | None:
        """The facts of an account by its resource id."""
        return self._by_id.get(account_id.lower())

    def recogniser(
        self, digest: Callable[[str], bytes]
    ) -> Callable[[Mapping[bytes, bytes]], object]:
        """A check whether headers carry a key of any account. It raises InvalidKey.

        An application's key opens only what its role grants, so it does not count.
        """

        def recognise(headers: Mapping[bytes, bytes]) -> Principal:
            for facts in self.all():
                with suppress(InvalidKey, KeyAuthenticationDisabled):
                    holder = identify(headers, facts.account, digest)
                    if holder.opens_all:
                        return holder
            raise InvalidKey

        return recognise

    def all(self) -> list[Facts]:
        """Every account's facts, for `readyz` and the start panel."""
        return list(self._by_account.values())

    async def _read(self, resource: Resource) -> Facts:
        placed = {
            deployment_id_of(each).lower(): placement_of(each)
            for each in await self._resources.list_under(resource.id, PLACEMENT_TYPE)
        }
        children = await self._resources.list_under(resource.id, DEPLOYMENT_TYPE)
        found = [(child, placed.get(child.id.lower())) for child in children]
        assortment = self._offers.now() if self._offers is not None else Assortment([])
        digests, lacks_key = await self._digests(resource.id)
        deployments = {
            child.name.lower(): (
                child,
                msgspec.structs.replace(
                    await self._deployment(child, placement, assortment),
                    tags=tags_text(merged_tags(resource.tags, child.tags)),
                    borrows=borrows(child, resource),
                ),
            )
            for child, placement in found
            if placement is not None or serves_without_placement(child)
        }
        keys = await self._resources.list_under(resource.id, APPLICATION_KEY_TYPE)
        account = account_of(
            resource,
            digests,
            await self._application_keys(resource.id, keys),
            self._network_rules_of(resource),
        )
        known = {name: each for name, (_, each) in deployments.items()}
        return Facts(
            account=msgspec.structs.replace(account, lacks_key=lacks_key),
            deployments=known,
            for_batches=as_batches(known),
            usage_limits=await self._limits_reader.read(resource, deployments, keys),
            projects=project_names(await self._resources.list_under(resource.id, PROJECT_TYPE)),
            content_logging=await logging_of(self._resources, resource.id),
        )

    async def _digests(self, account_id: str) -> tuple[dict[bytes, str], str]:
        """The digests of the account's keys; none, and the customer's key that is not there."""
        try:
            return await self._keys.digests(account_id), ""
        except CustomerKeyUnavailable as missing:
            return {}, missing.key_id

    async def _application_keys(
        self, account_id: str, stored: Sequence[Resource]
    ) -> dict[bytes, Principal]:
        """Who holds the key of each digest: a digest without its resource opens nothing."""
        digests = await self._keys.applications.digests(account_id)
        by_id = {str(each.properties.get(KEY_ID)): each for each in stored}
        return {
            digest: application_key_holder(by_id[key_id], account_id)
            for digest, key_id in digests.items()
            if key_id in by_id
        }

    async def _deployment(
        self, resource: Resource, placement: Placement | None, assortment: Assortment
    ) -> Deployment:
        found = deployment_of(resource, placement)
        title = self._instances.region_title(found.instance, placement.region if placement else "")
        offer = assortment.listed(found.model)
        upgrade = upgrade_of(resource, assortment, datetime.now(UTC))
        engine = self._instances.engine_of(found.instance) or await self._engine_kept(
            found.instance
        )
        ends = upgrade.retired_at if upgrade.target is None else None
        return msgspec.structs.replace(
            found,
            region_title=title,
            limits=await self._rate_limits(resource, found, placement, engine),
            engine=engine,
            version_life=offer.lifecycle if offer is not None else ENDLESS,
            retired_at=ends.timestamp() if ends is not None else 0.0,
        )

    async def _rate_limits(
        self, resource: Resource, found: Deployment, placement: Placement | None, engine: str
    ) -> RateLimits | None:
        """The rate that goes with its capacity; none where settings give it no capacity."""
        if resource.properties.get(RATE_LIMITED) is False:
            return None
        if not found.sku.provisioned:
            window = self._instances.requests_window
            return rate_limits(found.model.name, found.sku.capacity, window)
        if placement is None:  # settings say where it runs, and nobody has reserved anything there
            reserved = found.sku.capacity * self._instances.tokens_per_second_per_ptu
            kept = await self._resources.list_under("", CALIBRATION_TYPE)
            return provisioned_limits(reserved, known_output_weight(kept, found.model, engine))
        measured = placement.measured
        weight = measured.output_weight if measured is not None else 1.0
        return provisioned_limits(placement.reserved, weight)

    async def _engine_kept(self, instance: str) -> str:
        kept = await self._resources.get(instance_id(instance))
        return instance_of(kept).engine if kept is not None else ""


def account_of_id(resource_id: str) -> str:
    """The lower-cased id of the account that an id is of or under; "" when it is in none."""
    before, mark, rest = resource_id.lower().partition(f"/providers/{ACCOUNT_TYPE.lower()}/")
    return f"{before}{mark}{rest.partition('/')[0]}" if mark else ""


def is_around_accounts(resource_id: str) -> bool:
    """Whether an id is of what accounts lie in: a resource group, or all of a subscription."""
    return resource_id.startswith("/subscriptions/") and "/providers/" not in resource_id.lower()


def is_limit_beyond_accounts(resource_id: str) -> bool:
    """Whether an id is of a usage limit that spans accounts."""
    return is_usage_limit(resource_id) and not of_account(resource_id)


def account_of(
    resource: Resource,
    digests: dict[bytes, str],
    application_keys: dict[bytes, Principal],
    network: NetworkRules,
) -> Account:
    """An account as the data path knows it."""
    location = resource.location or "local"
    return Account(
        id=resource.id,
        name=resource.name,
        location=location,
        region_title=str(resource.properties.get("regionTitle") or location),
        key_digests=digests,
        application_keys=application_keys,
        local_auth_disabled=bool(resource.properties.get("disableLocalAuth")),
        stored_completions_disabled=bool(resource.properties.get("storedCompletionsDisabled")),
        has_subdomain=bool(resource.properties.get("customSubDomainName")),
        created_at=created_at(resource),
        network=network,
    )


def serves_without_placement(resource: Resource) -> bool:
    """Whether settings say where a deployment runs. One that is being made does not exist yet."""
    return (
        bool(resource.properties.get("instance"))
        or resource.properties.get("provisioningState", "Succeeded") == "Succeeded"
    )


def borrows(deployment: Resource, account: Resource) -> bool:
    """Whether it may use what others leave unused: it says so, else its account does."""
    said = deployment.properties.get("dynamicThrottlingEnabled")
    if said is None:
        said = account.properties.get("dynamicThrottlingEnabled")
    return said is True


def deployment_of(resource: Resource, placement: Placement | None = None) -> Deployment:
    """A deployment as the data path knows it."""
    model: dict[str, Any] = resource.properties["model"]
    sku = resource.sku or {}
    served_as = Sku(name=sku.get("name", "GlobalStandard"), capacity=sku.get("capacity", 1))
    tier = deployment_tier(served_as, resource.properties.get("serviceTier"))
    return Deployment(
        name=resource.name,
        id=resource.id,
        model=Model(
            name=model["name"],
            version=str(model.get("version") or "1"),
            format=model.get("format") or "OpenAI",
        ),
        sku=served_as,
        instance=placement.instance
        if placement is not None
        else resource.properties.get("instance") or model["name"],
        created_at=created_at(resource),
        service_tier=tier,
        rank=rank_of(served_as, tier),
        spillover=str(resource.properties.get("spilloverDeploymentName") or ""),
    )


def created_at(resource: Resource) -> int:
    """Seconds since the epoch, from the resource's system data; 0 when it has none."""
    told = resource.system_data.get("createdAt")
    return int(datetime.fromisoformat(told).timestamp()) if told else 0
