"""From an account's properties to its rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any, cast

from linarite.controls.network.ranges import by_kind
from linarite.domain.network import OPEN, NetworkRules

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from ipaddress import IPv4Network, IPv6Network

RangesOf = Callable[[str], Sequence[str]]
"""the ranges of addresses that a subnet has, by its resource id; none for an unknown one"""


def rules_of(
    properties: Mapping[str, Any], ranges_of: RangesOf, trusted: frozenset[str] = frozenset()
) -> NetworkRules:
    """The rules that the properties of an account state; `OPEN` itself where they exclude nobody.

    `trusted` are the object ids of services that a bypass lets pass. Whatever is not understood
    opens nothing. Source: `AccountProperties` of Microsoft.CognitiveServices.
    """
    public = str(properties.get("publicNetworkAccess") or "Enabled").lower() == "enabled"
    acls = cast("dict[str, Any]", properties.get("networkAcls") or {})
    allow_others = str(acls.get("defaultAction") or "Allow").lower() == "allow"
    if public and allow_others:
        return OPEN
    bypass = str(acls.get("bypass") or "None").lower() == "azureservices"
    v4, v6 = by_kind([] if allow_others else _named(acls, ranges_of))
    return NetworkRules(
        public_access=public,
        allow_others=allow_others,
        v4=v4,
        v6=v6,
        trusted=trusted if bypass else frozenset(),
    )


def _named(
    acls: dict[str, Any], ranges_of: RangesOf
) -> Iterator[tuple[IPv4Network | IPv6Network, str]]:
    """The ranges that rules name, each with the rule as explanations name it."""
    for rule in cast("list[dict[str, Any]]", acls.get("ipRules") or []):
        value = str(rule.get("value"))
        try:
            yield ip_network(value, strict=False), f"ipRule {value}"
        except ValueError:  # nobody could write it; it names nobody
            continue
    for rule in cast("list[dict[str, Any]]", acls.get("virtualNetworkRules") or []):
        subnet = str(rule.get("id"))
        for text in ranges_of(subnet):
            yield ip_network(text, strict=False), f"virtualNetworkRule {subnet}"
