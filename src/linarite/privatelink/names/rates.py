"""How many answers by UDP one network of clients gets: the sender's address may be forged."""

from __future__ import annotations

import time
from collections import OrderedDict
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

PER_SECOND = 200.0
BURST = 400.0
NETWORKS_MAX = 4096
IPV4_BITS, IPV6_BITS = 24, 56


class AnswerRates:
    """A bucket for each /24 (IPv6: /56); the ones not seen for longest make room for new ones."""

    def __init__(
        self,
        per_second: float = PER_SECOND,
        burst: float = BURST,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._per_second = per_second
        self._burst = burst
        self._clock = clock
        self._left: OrderedDict[int, tuple[float, float]] = OrderedDict()
        """what is left of each bucket, and when that was so"""

    def allows(self, address: str) -> bool:
        """Take one answer out of the sender's bucket; False when there is none."""
        key, now = _network_of(address), self._clock()
        left, since = self._left.pop(key, (self._burst, now))
        left = min(self._burst, left + (now - since) * self._per_second)
        allowed = left >= 1
        self._left[key] = (left - 1 if allowed else left, now)
        if len(self._left) > NETWORKS_MAX:
            self._left.popitem(last=False)
        return allowed


def _network_of(address: str) -> int:
    read = ip_address(address.partition("%")[0])
    if isinstance(read, IPv6Address):
        return -(int(read) >> (128 - IPV6_BITS)) - 1  # below zero: no IPv4 network has it
    return int(read) >> (32 - IPV4_BITS)
