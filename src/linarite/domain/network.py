"""What an account's owner has said about the ways to it."""

from __future__ import annotations

import msgspec

from linarite.domain.address_ranges import AddressRanges
from linarite.domain.perimeter import InPerimeter

OUTSIDE_ENDING = ": from outside its network"
"""what the rule ends in that refuses who came by a private endpoint, but not from its network"""


class Verdict(msgspec.Struct, frozen=True):
    """What an account's rules make of an address."""

    allowed: bool
    rule: str
    """what decided, as explanations name it"""


class NetworkRules(msgspec.Struct, frozen=True):
    """Read once from the account's properties, in the form in which requests are judged."""

    public_access: bool = True
    """`publicNetworkAccess`: the public side leads to the account at all"""
    allow_others: bool = True
    """`networkAcls.defaultAction`: whom no rule names may come"""
    v4: AddressRanges = AddressRanges()
    """the rules over IPv4 addresses"""
    v6: AddressRanges = AddressRanges()
    trusted: frozenset[str] = frozenset()
    """object ids of the services that pass whatever the rules say; empty without a bypass"""
    perimeter: InPerimeter | None = None
    """the network security perimeter around the account, which decides before these rules"""
    decided: dict[str, Verdict] = {}
    """addresses that were judged: a bounded memory, which ends with these rules"""


OPEN = NetworkRules()
"""an account that everybody may reach; who that is, is looked at first on the hot path"""
