"""What `networkAcls` of an account may be. A pure module.

Source: learn.microsoft.com, "Configure Azure AI services virtual networks". Azure takes public IPv4
addresses alone; here IPv6 and private ranges are taken too, for there the clients are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from linarite.controlplane.address_ranges import is_range
from linarite.domain.arm_errors import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PLACE = "properties.networkAcls"


def network_problems(properties: Mapping[str, Any], subnets: frozenset[str]) -> Iterator[Problem]:
    """What is wrong with the rules. `subnets` are the ids of those whose addresses are known."""
    acls = cast("dict[str, Any]", properties.get("networkAcls") or {})
    for place, rule in enumerate(cast("list[dict[str, Any]]", acls.get("ipRules") or [])):
        value = str(rule.get("value"))
        if not is_range(value):
            yield Problem(
                "InvalidIpRule",
                f"'{value[:100]}' is neither an IP address nor a range in CIDR form.",
                f"{PLACE}.ipRules[{place}].value",
            )
    rules = cast("list[dict[str, Any]]", acls.get("virtualNetworkRules") or [])
    for place, rule in enumerate(rules):
        subnet = str(rule.get("id"))
        missing = subnet.lower().rstrip("/") not in subnets
        if missing and not rule.get("ignoreMissingVnetServiceEndpoint"):
            yield Problem(
                "NetworkAclsValidationFailure",
                f"Validation of network acls failure: it is not known which addresses the subnet "
                f"'{subnet[:300]}' has. Declare the network in the settings of this server, "
                "[networks.NAME] with its addresses and, unless it is the subnet 'default' of a "
                "virtual network NAME beside the declared account, its subnet; or set "
                "ignoreMissingVnetServiceEndpoint to true: the rule names nobody until then.",
                f"{PLACE}.virtualNetworkRules[{place}].id",
            )
