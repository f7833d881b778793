"""Address ranges, as rules of several resource types name them."""

from __future__ import annotations

from ipaddress import ip_network


def is_range(text: str) -> bool:
    """Whether it is an address, or a range in CIDR form, of either family."""
    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return True
