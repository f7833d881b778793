"""Which accounts are in a network security perimeter, and what follows: kept up with the store."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from functools import partial
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any, cast

import msgspec
import structlog

from linarite.controls.network.ranges import by_kind
from linarite.domain.arm_id import parent_id, subscription_of
from linarite.domain.directory import IDENTITY_TYPE
from linarite.domain.errors import EgressRefused, SetupError
from linarite.domain.host_patterns import HostPatterns
from linarite.domain.network_log import Occurrence
from linarite.domain.perimeter import (
    ACCESS_RULE_TYPE,
    ASSOCIATION_TYPE,
    PERIMETER_TYPE,
    Associated,
    InPerimeter,
    mode_of,
    reference,
)
from linarite.domain.resource import ACCOUNT_TYPE, may_concern_accounts

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from ipaddress import IPv4Network, IPv6Network

    from linarite.domain.network import NetworkRules
    from linarite.domain.perimeter import Category
    from linarite.domain.resource import Committed, Resource, ResourceStore

log = structlog.get_logger("linarite.network")

SECURED = "securedbyperimeter"


class PerimeterBook:
    """The perimeters around accounts. Empty until `refresh`; outbound it is rules of accounts."""

    def __init__(
        self,
        resources: ResourceStore,
        see: Callable[[Occurrence, str], None],
        identity_of: Callable[[str], str],
    ) -> None:
        """`see` takes what goes into the access log.

        `identity_of` tells the object id of the identity of a resource, by its id; "" where it has
        none.
        """
        self._resources = resources
        self._see = see
        self._identity_of = identity_of
        self._by_account: dict[str, InPerimeter] = {}
        self._callers: dict[str, tuple[str, ...]] = {}
        self._associated: dict[str, Associated] = {}
        self._turn = asyncio.Lock()
        self.changed: Callable[[str], Awaitable[None]] | None = None
        """awaited with the id of each account whose perimeter may have changed"""

    async def follow(self, committed: Committed) -> None:
        """Keep up with a change before its writer goes on."""
        if any(map(_may_concern_perimeters, (*committed.written, *committed.removed))):
            await self.refresh()

    async def refresh(self) -> None:
        """Read everything anew, and tell of each account that is, or was, in a perimeter."""
        async with self._turn:
            before = set(self._by_account)
            await self._read()
            touched = before | set(self._by_account)
        if self.changed is not None:
            for account_id in touched:
                await self.changed(account_id)

    def around(self, account_id: str, rules: NetworkRules) -> NetworkRules:
        """An account's rules, with the perimeter it is in."""
        perimeter = self._by_account.get(account_id.lower())
        if perimeter is None:
            return rules
        return msgspec.structs.replace(rules, perimeter=perimeter, decided={})

    def association_of(self, account_id: str) -> Associated | None:
        """The resources behind an account's perimeter; None for an account that is in none."""
        return self._associated.get(account_id.lower())

    def require_host(self, account_id: str, host: str, port: int) -> None:
        """Raise EgressRefused where an enforced perimeter has no outbound rule for the host."""
        perimeter = self._by_account.get(account_id.lower()) if self._by_account else None
        if perimeter is None or not perimeter.enforced or _rule_for(perimeter, host, port):
            return
        raise EgressRefused(
            f"The account '{account_id.rpartition('/')[2]}' is in the network security perimeter "
            f"'{perimeter.perimeter_id.rpartition('/')[2]}', whose profile '{perimeter.profile}' "
            f"has no outbound rule for '{host}'. Add an access rule with direction Outbound and "
            f"'{host}' in fullyQualifiedDomainNames to the profile.",
            rule="perimeter",
        )

    def tell_outbound(self, account_id: str, host: str, port: int) -> None:
        """Write to the access log that a host is reached for an account, or was refused."""
        perimeter = self._by_account.get(account_id.lower()) if self._by_account else None
        if perimeter is None:
            return
        rule = _rule_for(perimeter, host, port)
        if rule:
            perimeter.tell("NspPublicOutboundPerimeterRulesAllowed", host, port, rule)
        elif perimeter.enforced:
            perimeter.tell("NspPublicOutboundPerimeterRulesDenied", host, port, "")
        else:
            perimeter.tell("NspPublicOutboundResourceRulesAllowed", host, port, "")

    async def _read(self) -> None:
        associations = await self._resources.list_under("", ASSOCIATION_TYPE)
        if not associations:
            self._by_account, self._callers, self._associated = {}, {}, {}
            return
        rules: dict[str, list[Resource]] = defaultdict(list)
        for rule in await self._resources.list_under("", ACCESS_RULE_TYPE):
            rules[parent_id(rule.id).lower()].append(rule)
        accounts = {
            each.id.lower(): each for each in await self._resources.list_under("", ACCOUNT_TYPE)
        }
        identities = await self._resources.list_under("", IDENTITY_TYPE)
        associated = [
            (each, account)
            for each in associations
            if (account := accounts.get(reference(each, "privateLinkResource").lower()))
        ]
        near: dict[str, list[str]] = defaultdict(list)
        for each, account in associated:
            near[parent_id(each.id).lower()].extend(_bearers(account))
        found: dict[str, InPerimeter] = {}
        callers: dict[str, tuple[str, ...]] = {}
        told: dict[str, Associated] = {}
        for each, account in associated:
            own_rules = rules.get(reference(each, "profile").lower(), [])
            key = account.id.lower()
            found[key] = self._subject(each, account, own_rules)
            perimeter = await self._resources.get(parent_id(each.id))
            profile = await self._resources.get(reference(each, "profile"))
            if perimeter is not None and profile is not None:
                told[key] = Associated(perimeter, each, profile, tuple(own_rules))
            allowed = {sub for rule in own_rules for sub in _subscriptions(rule)}
            far = [
                who
                for one in ((*accounts.values(), *identities) if allowed else ())
                if subscription_of(one.id).lower() in allowed
                for who in (one.id, *_bearers(one))
            ]
            callers[key] = tuple(dict.fromkeys((*near[parent_id(each.id).lower()], *far)))
        self._by_account, self._callers, self._associated = found, callers, told

    def _subject(
        self, association: Resource, account: Resource, rules: list[Resource]
    ) -> InPerimeter:
        perimeter_id = parent_id(association.id)
        profile = reference(association, "profile").rpartition("/")[2]
        public = str(account.properties.get("publicNetworkAccess") or "").lower()
        v4, v6 = by_kind(pair for rule in rules for pair in _ranges(rule))
        logged = Occurrence(
            category="",
            direction="Inbound",
            account_id=account.id,
            perimeter_id=perimeter_id,
            profile=profile,
        )
        return InPerimeter(
            account_id=account.id,
            perimeter_id=perimeter_id,
            association=association.name,
            profile=profile,
            enforced=mode_of(association) == "Enforced" or public == SECURED,
            v4=v4,
            v6=v6,
            outbound=tuple(_outbound(rules)),
            identities=partial(self._identities, account.id.lower()),
            tell=partial(self._tell, logged),
        )

    def _identities(self, account_id: str) -> frozenset[str]:
        told = (self._identity_of(each) for each in self._callers.get(account_id, ()))
        return frozenset(each for each in told if each)

    def _tell(
        self, account: Occurrence, category: Category, remote: str, port: int, rule: str
    ) -> None:
        what = msgspec.structs.replace(
            account,
            category=category,
            direction="Outbound" if "Outbound" in category else "Inbound",
            remote=remote,
            port=port,
            rule=rule,
        )
        self._see(what, f"by rule {rule}" if rule else "no access rule of the profile names it")


def _ranges(rule: Resource) -> Iterator[tuple[IPv4Network | IPv6Network, str]]:
    if rule.properties.get("direction") != "Inbound":
        return
    for prefix in cast("list[object]", rule.properties.get("addressPrefixes") or []):
        try:
            yield ip_network(str(prefix), strict=False), rule.name
        except ValueError:  # nobody could write it; it names nobody
            continue


def _outbound(rules: list[Resource]) -> Iterator[tuple[str, HostPatterns]]:
    for rule in rules:
        names = cast("list[object]", rule.properties.get("fullyQualifiedDomainNames") or [])
        if rule.properties.get("direction") != "Outbound" or not names:
            continue
        try:
            yield rule.name, HostPatterns(map(str, names), "fullyQualifiedDomainNames")
        except SetupError as problem:
            log.warning("an access rule allows nothing", resource=rule.id, why=problem.message)


def _subscriptions(rule: Resource) -> Iterator[str]:
    if rule.properties.get("direction") == "Inbound":
        for each in cast("list[dict[str, Any]]", rule.properties.get("subscriptions") or []):
            yield subscription_of(str(each.get("id") or "")).lower()


def _rule_for(perimeter: InPerimeter, host: str, port: int) -> str:
    return next((name for name, hosts in perimeter.outbound if hosts.match(host, port)), "")


def _bearers(resource: Resource) -> tuple[str, ...]:
    """The ids of resources whose identities this one calls with."""
    assigned = (resource.identity or {}).get("userAssignedIdentities")
    return (resource.id, *(cast("dict[str, object]", assigned) if assigned else ()))


def _may_concern_perimeters(resource_id: str) -> bool:
    lowered = resource_id.lower()
    if PERIMETER_TYPE.lower() in lowered or IDENTITY_TYPE.lower() in lowered:
        return True
    return may_concern_accounts(resource_id)
