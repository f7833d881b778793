"""Ranges of addresses, in the form in which an address is looked up."""

from __future__ import annotations

import msgspec


class AddressRanges(msgspec.Struct, frozen=True):
    """Which rule names an address: stretches of all addresses of one kind, in ascending order."""

    starts: tuple[int, ...] = ()
    """where each stretch begins, addresses taken as integers; it ends where the next begins"""
    rules: tuple[str, ...] = ()
    """the most specific rule that names the stretch; "" for none"""
