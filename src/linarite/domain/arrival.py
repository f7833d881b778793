"""The way by which a request came in: which listener took it, and what that one leads to."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network
from typing import Literal

import msgspec

Plane = Literal["data", "control", "sign-in", "operations"]

PLANES: frozenset[Plane] = frozenset(("data", "control", "sign-in", "operations"))


class Arrival(msgspec.Struct, frozen=True):
    """What a listener means to the requests that come by it; all of them share one."""

    listener: str = "default"
    """its name, for logs and explanations"""
    planes: frozenset[Plane] = PLANES
    account_id: str = ""
    """the only account that can be reached by it (a private endpoint's); "" for any"""
    endpoint_id: str = ""
    """the private endpoint whose address it has; "" on the public side"""
    sources: tuple[IPv4Network | IPv6Network, ...] = ()
    """where clients of a private endpoint are: in its network"""


ANY_WAY = Arrival()
"""the listener of a server that has but one"""
