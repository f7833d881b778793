"""What an account's owner has said about the ways to it."""

from __future__ import annotations

import msgspec


class NetworkRules(msgspec.Struct, frozen=True):
    """Read once from the account's properties, in the form in which requests are judged."""

    public_access: bool = True
    """`publicNetworkAccess`: the public side leads to the account at all"""


OPEN = NetworkRules()
"""an account that everybody may reach; who that is, is looked at first on the hot path"""
