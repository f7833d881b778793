"""Network security perimeters: what their resources say, and what an account in one is subject to.

Source: the specification of Microsoft.Network, 2024-07-01; learn.microsoft.com, "Transition to a
network security perimeter".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast

import msgspec

from linarite.domain.address_ranges import AddressRanges
from linarite.domain.host_patterns import HostPatterns
from linarite.domain.resource import Resource

if TYPE_CHECKING:
    from linarite.domain.network import NetworkRules

PERIMETER_TYPE = "Microsoft.Network/networkSecurityPerimeters"
PROFILE_TYPE = f"{PERIMETER_TYPE}/profiles"
ACCESS_RULE_TYPE = f"{PROFILE_TYPE}/accessRules"
ASSOCIATION_TYPE = f"{PERIMETER_TYPE}/resourceAssociations"

AccessMode = Literal["Learning", "Enforced", "Audit"]

Category = Literal[
    "NspPublicInboundPerimeterRulesAllowed",
    "NspPublicInboundPerimeterRulesDenied",
    "NspPublicInboundResourceRulesAllowed",
    "NspPublicInboundResourceRulesDenied",
    "NspIntraPerimeterInboundAllowed",
    "NspPublicOutboundPerimeterRulesAllowed",
    "NspPublicOutboundPerimeterRulesDenied",
    "NspPublicOutboundResourceRulesAllowed",
]
"""of the access log"""


class InPerimeter(msgspec.Struct, frozen=True):
    """What an account is subject to by its association."""

    account_id: str
    perimeter_id: str
    association: str
    profile: str
    enforced: bool
    """else nothing is refused by the perimeter: what it would refuse, the account's rules decide"""
    v4: AddressRanges
    """inbound rules over IPv4 addresses"""
    v6: AddressRanges
    outbound: tuple[tuple[str, HostPatterns], ...]
    """outbound rules by name"""
    identities: Callable[[], frozenset[str]]
    """object ids of those that come from within the perimeter or from a subscription of a rule"""
    tell: Callable[[Category, str, int, str], None]
    """the access log: category, address or host, port (0 for inbound), rule"""


class Associated(msgspec.Struct, frozen=True):
    """The resources behind it."""

    perimeter: Resource
    association: Resource
    profile: Resource
    rules: tuple[Resource, ...]


class Perimeters(Protocol):
    """Which accounts are in a perimeter, told from memory."""

    def association_of(self, account_id: str) -> Associated | None:
        """None for an account that is in none."""
        ...

    def around(self, account_id: str, rules: NetworkRules) -> NetworkRules:
        """An account's rules, with the perimeter it is in."""
        ...


def reference(resource: Resource, word: str) -> str:
    """The id that a property refers to; "" where it does not."""
    found = resource.properties.get(word)
    value = cast("dict[str, Any]", found).get("id") if isinstance(found, dict) else None
    return str(value) if value else ""


def mode_of(association: Resource) -> str:
    """Learning, Enforced or Audit."""
    return str(association.properties.get("accessMode") or "Learning")
