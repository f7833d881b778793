"""What an account's owner has said about the ways to it."""

from __future__ import annotations

import msgspec


class AddressRanges(msgspec.Struct, frozen=True):
    """Which rule names an address: stretches of all addresses of one kind, in ascending order."""

    starts: tuple[int, ...] = ()
    """where each stretch begins, addresses taken as integers; it ends where the next begins"""
    rules: tuple[str, ...] = ()
    """the most specific rule that names the stretch; "" for none"""


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
    decided: dict[str, Verdict] = {}
    """addresses that were judged: a bounded memory, which ends with these rules"""


OPEN = NetworkRules()
"""an account that everybody may reach; who that is, is looked at first on the hot path"""
