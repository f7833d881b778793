"""What the store has about private endpoints, at hand without asking it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from linarite.domain.account_names import hosts_of
from linarite.domain.arm_id import parent_id
from linarite.domain.private_link import (
    ADDRESS,
    CONNECTION,
    CONNECTION_TYPE,
    ENDPOINT_TYPE,
    RECORD_TTL_S,
    RECORDS,
    SUBNET_TYPE,
    ZONE_GROUP_TYPE,
    ZONE_LINK_TYPE,
    ZONE_TYPE,
    account_id_of,
    at,
    endpoint_id_of,
    holds_endpoints,
    is_approved,
    subnet_id_of,
    zone_names,
)
from linarite.domain.resource import ACCOUNT_TYPE, Resource, domain_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from linarite.domain.resource import Committed, ResourceStore

RECORD_TYPES = {f"{ZONE_TYPE}/{word}": word for word in RECORDS}
KEPT = (
    ACCOUNT_TYPE,
    CONNECTION_TYPE,
    SUBNET_TYPE,
    ENDPOINT_TYPE,
    ZONE_GROUP_TYPE,
    ZONE_TYPE,
    ZONE_LINK_TYPE,
    *RECORD_TYPES,
)
KINDS = {kind.lower(): kind for kind in KEPT}


class PrivateLinkBook:
    """Endpoints, connections, zones and accounts by id; it follows the store."""

    def __init__(self, resources: ResourceStore, suffix: str) -> None:
        """Call `refresh` before the first question, and subscribe `follow`."""
        self._resources = resources
        self.suffix = suffix
        self._kept: dict[str, dict[str, Resource]] = {kind: {} for kind in KEPT}
        self.edition = 0
        """grows with every change: what is derived from the book is good for one edition"""
        self.troubles: dict[str, str] = {}
        """an approved endpoint's id, in lower case → why nothing listens on its address"""

    async def refresh(self) -> None:
        """Read everything anew."""
        for kind in KEPT:
            found = await self._resources.list_under("", kind)
            self._kept[kind] = {each.id.lower(): each for each in found}
        self.edition += 1

    async def follow(self, committed: Committed) -> None:
        """What a store's subscriber is told."""
        for root in committed.removed:
            self._forget_under(root.lower())
        for resource_id in committed.written:
            if _may_concern(resource_id):
                await self._read(resource_id)

    async def _read(self, resource_id: str) -> None:
        resource = await self._resources.get(resource_id)
        kind = KINDS.get(resource.type.lower()) if resource is not None else None
        if resource is not None and kind is not None:
            self._kept[kind][resource.id.lower()] = resource
            self.edition += 1

    def _forget_under(self, root: str) -> None:
        for kept in self._kept.values():
            for key in [key for key in kept if key == root or key.startswith(f"{root}/")]:
                del kept[key]
                self.edition += 1

    # What there is.

    def endpoints(self) -> list[Resource]:
        """All of them, by id."""
        return [each for _, each in sorted(self._kept[ENDPOINT_TYPE].items())]

    def endpoint(self, endpoint_id: str) -> Resource | None:
        """One by its id."""
        return self._kept[ENDPOINT_TYPE].get(endpoint_id.lower())

    def endpoints_in(self, subnet_id: str) -> list[Resource]:
        """Those that lie in a subnet."""
        wanted = subnet_id.lower()
        return [each for each in self.endpoints() if subnet_id_of(each).lower() == wanted]

    def account(self, account_id: str) -> Resource | None:
        """One by its id."""
        return self._kept[ACCOUNT_TYPE].get(account_id.lower())

    def accounts(self) -> list[Resource]:
        """All of them."""
        return [*self._kept[ACCOUNT_TYPE].values()]

    def connection_of(self, endpoint: Resource) -> Resource | None:
        """The connection that an endpoint made; None when it has been removed."""
        made = str(endpoint.properties.get(CONNECTION) or "")
        found = self._kept[CONNECTION_TYPE].get(made.lower())
        if found is None or endpoint_id_of(found).lower() != endpoint.id.lower():
            return None
        return found

    def connections_of(self, account_id: str) -> list[Resource]:
        """The connections to an account, by id."""
        below = f"{account_id.lower()}/"
        found = self._kept[CONNECTION_TYPE].items()
        return [each for key, each in sorted(found) if key.startswith(below)]

    def approved(self) -> list[Resource]:
        """The endpoints through which traffic may pass, as far as there is an account."""
        return [
            each
            for each in self.endpoints()
            if is_approved(self.connection_of(each)) and self.account(account_id_of(each))
        ]

    def hosts(self, endpoint: Resource) -> tuple[str, ...]:
        """The public names of the account that an endpoint leads to; none while not approved."""
        account = self.account(account_id_of(endpoint))
        if account is None or not is_approved(self.connection_of(endpoint)):
            return ()
        return hosts_of(domain_of(account), self.suffix)

    # Private DNS.

    def zones(self) -> list[Resource]:
        """All private zones."""
        return [*self._kept[ZONE_TYPE].values()]

    def zone_groups(self, endpoint_id: str) -> list[Resource]:
        """Those of an endpoint."""
        below = f"{endpoint_id.lower()}/"
        return [each for key, each in self._kept[ZONE_GROUP_TYPE].items() if key.startswith(below)]

    def links(self, zone_id: str) -> list[Resource]:
        """The virtual networks that a zone is linked to."""
        below = f"{zone_id.lower()}/"
        return [each for key, each in self._kept[ZONE_LINK_TYPE].items() if key.startswith(below)]

    def records(self, zone_id: str) -> list[Resource]:
        """The record sets of a zone: those that were made, and those that zone groups keep."""
        below = f"{zone_id.lower()}/"
        made = {
            key: each
            for kind in RECORD_TYPES
            for key, each in self._kept[kind].items()
            if key.startswith(below)
        }
        kept = {each.id.lower(): each for each in self.kept_records(zone_id)}
        return [each for _, each in sorted((kept | made).items())]

    def kept_records(self, zone_id: str) -> list[Resource]:
        """The A and AAAA records that zone groups keep in a zone, for approved endpoints."""
        zone = self._kept[ZONE_TYPE].get(zone_id.lower())
        if zone is None:
            return []
        found: dict[str, Resource] = {}
        for endpoint in self.approved():
            for group in self.zone_groups(endpoint.id):
                if zone.id.lower() in {each.lower() for each in zone_ids(group)}:
                    for record in self._kept_in(zone, endpoint):
                        found.setdefault(record.id.lower(), record)
        return [*found.values()]

    def records_of(self, group: Resource) -> Iterator[tuple[str, list[Resource]]]:
        """What a zone group keeps, zone by zone: the zone's id and its records."""
        endpoint = self.endpoint(parent_id(group.id))
        for zone_id in zone_ids(group):
            zone = self._kept[ZONE_TYPE].get(zone_id.lower())
            approved = endpoint is not None and is_approved(self.connection_of(endpoint))
            kept = self._kept_in(zone, endpoint) if zone and endpoint and approved else []
            yield zone_id, kept

    def _kept_in(self, zone: Resource, endpoint: Resource) -> list[Resource]:
        account = self.account(account_id_of(endpoint))
        if account is None or not holds_endpoints(zone.name, self.suffix):
            return []
        address = str(endpoint.properties[ADDRESS])
        word, key, name = ("A", "ipv4Address", domain_of(account))
        if ":" in address:
            word, key = "AAAA", "ipv6Address"
        properties: dict[str, Any] = {
            "ttl": RECORD_TTL_S,
            "fqdn": f"{name}.{zone.name}.",
            "isAutoRegistered": False,
            "metadata": {"creator": f"created by private endpoint {endpoint.name}"},
            RECORDS[word]: [{key: address}],
        }
        kind = f"{ZONE_TYPE}/{word}"
        return [
            Resource(id=f"{zone.id}/{word}/{name}", type=kind, name=name, properties=properties)
        ]

    def zones_of(self, virtual_network_id: str) -> list[tuple[str, Resource, Resource]]:
        """The zones that a virtual network sees: name, zone and link; longest names first."""
        wanted = virtual_network_id.lower()
        found = [
            (name, zone, link)
            for zone in self.zones()
            for link in self.links(zone.id)
            if str(at(link.properties, "virtualNetwork", "id") or "").lower() == wanted
            for name in zone_names(zone.name, self.suffix)
        ]
        return sorted(found, key=lambda each: (-len(each[0]), each[1].id.lower()))


def zone_ids(group: Resource) -> list[str]:
    """The zones that a zone group names."""
    configs = cast("list[dict[str, Any]]", group.properties.get("privateDnsZoneConfigs") or [])
    return [str(at(each, "properties", "privateDnsZoneId") or "") for each in configs]


def _may_concern(resource_id: str) -> bool:
    words = resource_id.lower()
    return "/microsoft.network/" in words or "/microsoft.cognitiveservices/accounts/" in words
