"""Attempts to sign in, slowed by name and by address."""

from __future__ import annotations

import math
from ipaddress import ip_address
from typing import TYPE_CHECKING

from linarite.signin.refusals import refused

if TYPE_CHECKING:
    from linarite.signin.throttle import Throttle

CLIENT, USER, CODE = "client", "user", "code"
FREE = {
    "client": 100,
    "user": 50,
    "code": 1_000_000_000,
    "client at": 10,
    "user at": 10,
    "code at": 10,
    "address": 200,
}
"""failures before one waits: of a name from anywhere, of a name from one address, of an address"""
NAME_CHARACTERS_MAX = 200
IPV4_BYTES, NETWORK_BYTES = 4, 8


class Attempt:
    """One attempt of a client or a person, from an address.

    A name alone may fail more often than a name from one address: who guesses from elsewhere shall
    not easily keep out whose name it is. Where somebody has signed in before, the failures from
    anywhere do not count against them (Entra ID's smart lockout calls it a familiar location).
    """

    def __init__(self, throttle: Throttle, kind: str, name: str, address: str) -> None:
        """`kind` is CLIENT, USER or CODE."""
        name = name.lower()[:NAME_CHARACTERS_MAX]
        address = place_of(address)
        self._throttle = throttle
        self._anywhere = (kind, name)
        self._here = (f"{kind} at", f"{name}\0{address}")
        self._all = (self._anywhere, self._here, ("address", address))
        self._number = 50053 if kind == USER else 90055

    def require_turn(self) -> None:
        """Raises SignInRefused while it must wait."""
        counted = self._all[1:] if self._throttle.at_home(*self._here) else self._all
        wait_s = max(self._throttle.wait_s(each, of, FREE[each]) for each, of in counted)
        if wait_s > 0:
            raise refused(self._number, wait_s=str(math.ceil(wait_s)))

    def failed(self) -> None:
        """What was presented was wrong."""
        for kind, name in self._all:
            self._throttle.failed(kind, name)

    def succeeded(self) -> None:
        """It was right."""
        for kind, name in (self._anywhere, self._here):
            self._throttle.succeeded(kind, name)
        self._throttle.welcome(*self._here)


def forgive(throttle: Throttle, kind: str, name: str) -> None:
    """Let a name try again at once, from everywhere."""
    name = name.lower()[:NAME_CHARACTERS_MAX]
    throttle.succeeded(kind, name)
    throttle.forgive(f"{kind} at", f"{name}\0")


def place_of(address: str) -> str:
    """Where an address is: of IPv6 its network, for who has one address there has them all."""
    try:
        packed = ip_address(address).packed
    except ValueError:
        return address
    return address if len(packed) == IPV4_BYTES else packed[:NETWORK_BYTES].hex()
