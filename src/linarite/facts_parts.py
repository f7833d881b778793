"""What models are on offer and what the data path looks up, from the parts of a server."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import msgspec

from linarite.dataplane.facts import FactsBook, ToldOfInstances
from linarite.domain.ledger import Window
from linarite.hosting.deployable import DeployableModels
from linarite.hosting.listed import ListedModels
from linarite.hosting.models.manifest import Manifest
from linarite.hosting.regions import Regions
from linarite.serving_plan import Plan
from linarite.settings import Settings

if TYPE_CHECKING:
    from linarite.domain.network import NetworkRules
    from linarite.domain.resource import KeyStore, Resource, ResourceStore


class FactsParts(msgspec.Struct, frozen=True):
    """What the two are made of."""

    settings: Settings
    plan: Plan
    manifests: Callable[[], Iterable[Manifest]]
    """of the models in the store"""
    regions: Regions

    async def open_offers(self, resources: ResourceStore) -> DeployableModels:
        """What can be deployed, by settings, the store and the control plane's catalogue."""
        listed = ListedModels(resources)
        await listed.refresh()
        resources.subscribe(listed.follow)
        return DeployableModels(
            self.plan.deployments,
            self.plan.instances,
            self.manifests,
            self.settings.hosting,
            listed=listed.now,
        )

    async def open_book(
        self,
        stores: tuple[ResourceStore, KeyStore],
        account_id: str,
        offers: DeployableModels,
        network_rules_of: Callable[[Resource], NetworkRules],
    ) -> FactsBook:
        """What the data path looks up, read once; calls that name no account mean `account_id`."""
        per_unit = self.settings.hosting.tokens_per_second_per_ptu
        window = Window(self.settings.quota.requests_window)
        facts = FactsBook(
            *stores,
            default_account=account_id,
            instances=ToldOfInstances(self._region_title, self._engine_of, per_unit, window),
            offers=offers,
            network_rules_of=network_rules_of,
        )
        await facts.refresh()
        return facts

    def _engine_of(self, instance: str) -> str:
        declared = self.plan.instances.get(instance)
        return declared.engine if declared is not None else ""

    def _region_title(self, instance: str, region: str) -> str:
        declared = self.plan.instances.get(instance)
        where = region or (declared.region if declared is not None else "")
        return self.regions.title(where)
